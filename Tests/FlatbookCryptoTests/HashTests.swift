import FlatbookCrypto
import Testing

@Suite struct HashTests {
    /// FIPS 180-4 examples and the NIST CAVP short messages.
    @Test(
        "digests the published messages",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("616263", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "6162636462636465636465666465666765666768666768696768696a68696a6b696a6b6c6a6b6c6d6b6c6d6e6c6d6e6f6d6e6f70"
                    + "6e6f7071", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            ("d3", "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"),
            ("11af", "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"),
        ]
    )
    func digestsPublished(message: String, digest: String) throws {
        #expect(Hex.encode(sha256(try #require(Hex.decode(message)))) == digest)
    }

    @Test("digests a million bytes in pieces as in one")
    func digestsInPieces() {
        var digest = SHA256Digest()
        for _ in 0..<1000 { digest.update([UInt8](repeating: UInt8(ascii: "a"), count: 1000)) }
        digest.update([])
        #expect(
            Hex.encode(digest.finish()) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    /// RFC 4231, §4.2 to §4.8; case 5 truncates its tag.
    @Test(
        "signs the messages of RFC 4231",
        arguments: [
            (
                String(repeating: "0b", count: 20), "4869205468657265",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                String(repeating: "aa", count: 20), String(repeating: "dd", count: 50),
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
            ),
            (
                "0102030405060708090a0b0c0d0e0f10111213141516171819", String(repeating: "cd", count: 50),
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
            ),
            (
                String(repeating: "0c", count: 20), "546573742057697468205472756e636174696f6e",
                "a3b6167473100ee06e0c796c2955552b"
            ),
            (
                String(repeating: "aa", count: 131),
                "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669"
                    + "727374", "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
            (
                String(repeating: "aa", count: 131),
                "5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b2d73697a65206b657920616e"
                    + "642061206c6172676572207468616e20626c6f636b2d73697a6520646174612e20546865206b6579206e6565647320746f"
                    + "20626520686173686564206265666f7265206265696e6720757365642062792074686520484d414320616c676f72697468"
                    + "6d2e", "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
            ),
        ]
    )
    func signsPublished(key: String, message: String, tag: String) throws {
        let key = try HMACKey(Secret(try #require(Hex.decode(key))))
        let message = try #require(Hex.decode(message))
        #expect(Hex.encode(try key.sign(message)).hasPrefix(tag))
        #expect(Hex.encode(try key.sign(message)).hasPrefix(tag), "a key signs again and again")
    }

    @Test("signs an empty message under an empty key")
    func signsEmpty() throws {
        let tag = Hex.encode(try HMACKey(Secret("")).sign([]))
        #expect(tag == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test("signs from many tasks at once as from one")
    func signsConcurrently() async throws {
        let key = try HMACKey(Secret("key"))
        let expected = try (0..<64).map { try key.sign([UInt8($0)]) }
        try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
            for index in 0..<64 {
                group.addTask {
                    for _ in 0..<50 { _ = try key.sign([UInt8(index)]) }
                    return (index, try key.sign([UInt8(index)]))
                }
            }
            for try await (index, tag) in group { #expect(tag == expected[index]) }
        }
    }

    /// RFC 4648 §10.
    @Test(
        "encodes base64 with padding",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ]
    )
    func encodesBase64(text: String, encoded: String) { #expect(Base64.encode(Array(text.utf8)) == encoded) }

    @Test("uses the whole alphabet of base64")
    func encodesWholeAlphabet() { #expect(Base64.encode([0xFB, 0xFF, 0xBE]) == "+/++") }

    @Test("refuses what is no hexadecimal text", arguments: ["0", "0g", "é0", " 00"])
    func refusesBadHex(text: String) { #expect(Hex.decode(text) == nil) }

    @Test("reads hexadecimal text in either case")
    func readsHex() { #expect(Hex.decode("00fFAb") == [0x00, 0xFF, 0xAB]) }
}
