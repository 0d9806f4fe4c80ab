import FlatbookCrypto
import Testing

@Suite struct SecretTests {
    static let canary = "CANARY-7f3a"

    private struct Holder {
        var name = "holder"
        var secret: Secret
        var list: [Secret]
        var map: [String: Secret]
        var key: HMACKey
    }

    private func everyForm(of value: Any) -> String {
        var text = "\(value)" + String(describing: value) + String(reflecting: value)
        print(value, to: &text)
        debugPrint(value, to: &text)
        dump(value, to: &text)
        for child in Mirror(reflecting: value).children { text += "\(child)" + everyForm(of: child.value) }
        return text
    }

    @Test("never shows its bytes, alone or inside anything")
    func redacts() throws {
        let secret = Secret(Self.canary)
        let key = try HMACKey(secret)
        let holder = Holder(secret: secret, list: [secret], map: ["key": secret], key: key)
        for value in [secret, key, holder, Optional(secret) as Any, Result<Secret, CryptoError>.success(secret)]
            as [Any]
        {
            let text = everyForm(of: value)
            let bytes = Array(Self.canary.utf8)
            #expect(!text.contains(Self.canary))
            #expect(!text.contains(Hex.encode(bytes)))
            #expect(!text.contains(Base64.encode(bytes)))
            #expect(text.contains("<redacted>"))
        }
        #expect("\(secret)" == "<redacted>")
        #expect(String(reflecting: secret) == "<redacted>")
        #expect(Mirror(reflecting: secret).children.isEmpty)
        #expect(Mirror(reflecting: key).children.isEmpty)
    }

    @Test("is not encodable")
    func isNotEncodable() {
        let secret: Any = Secret(Self.canary)
        #expect(!(secret is any Encodable) && !(secret is any Decodable))
    }

    @Test("gives back its bytes to those who ask")
    func lends() {
        let secret = Secret([1, 2, 3])
        #expect(secret.withBytes { Array($0) } == [1, 2, 3])
        #expect(Secret("é").revealed() == "é")
        #expect(Secret([0xFF]).revealed() == nil)
        #expect(Secret("").isEmpty && !secret.isEmpty)
    }

    @Test("compares by bytes")
    func compares() {
        #expect(Secret("abc").matches(Secret("abc")))
        #expect(!Secret("abc").matches(Secret("abd")))
        #expect(!Secret("abc").matches(Secret("ab")))
        #expect(Secret("").matches(Secret("")))
    }
}
