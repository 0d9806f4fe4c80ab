import ExchangeKit
import FlatbookCore
import FlatbookCrypto
import OKXExchange
import Testing

/// The vectors of `okx.md` §2.4; all values are invented there.
@Suite("OKX's signature")
struct SigningTests {
    struct Vector: Sendable, CustomStringConvertible {
        var name: String
        var stamp: Int64
        var request: VenueRequest
        var prehash: String
        var signature: String
        var description: String { name }
    }

    static func get(_ path: String, _ query: [(String, String)]) -> VenueRequest {
        VenueRequest(
            route: "test", method: .get, path: path, query: query.map { VenueRequest.QueryItem($0.0, $0.1) })
    }

    static func post(_ path: String, _ body: String) -> VenueRequest {
        VenueRequest(route: "test", method: .post, path: path, body: Array(body.utf8))
    }

    static let closePath = "/api/v5/trade/close-position"
    static let bodyE =
        #"{"instId":"BTC-USDT-SWAP","mgnMode":"isolated","posSide":"long","autoCxl":true,"#
        + #""clOrdId":"flt20260921000001","tag":"flatten"}"#
    static let bodyF =
        #"[{"instId":"BTC-USDT-SWAP","ordId":"590908157585625111"},{"instId":"BTC-USDT-SWAP","#
        + #""ordId":"590908544950571222"}]"#

    static let vectors = [
        Vector(
            name: "A", stamp: 1_790_000_000_000, request: okx.request(for: .identity, account: account()),
            prehash: "2026-09-21T14:13:20.000ZGET/api/v5/account/config",
            signature: "HH63wiWTHLFVni4+PxpclV741p1kmc0dGqXCV5x7eyM="),
        Vector(
            name: "B", stamp: 1_790_000_000_123,
            request: okx.request(for: .positions(product: "SWAP", cursor: nil), account: account(types: ["SWAP"])),
            prehash: "2026-09-21T14:13:20.123ZGET/api/v5/account/positions?instType=SWAP",
            signature: "kcwn5dWY2UPHTh2RS0st8ozz+x6w4P8XYjUsmRMgXYk="),
        Vector(
            name: "C", stamp: 1_790_000_000_456,
            request: get("/api/v5/account/positions", [("instId", "BTC-USDT-SWAP,ETH-USDT-SWAP")]),
            prehash: "2026-09-21T14:13:20.456ZGET/api/v5/account/positions?instId=BTC-USDT-SWAP%2CETH-USDT-SWAP",
            signature: "6JWo33Blxu2PNum62DHpF1Jx7LyGl08Ko134exw+FZs="),
        Vector(
            name: "D", stamp: 1_790_000_001_000,
            request: post(closePath, #"{"instId":"BTC-USDT-SWAP","mgnMode":"cross"}"#),
            prehash: "2026-09-21T14:13:21.000ZPOST/api/v5/trade/close-position"
                + #"{"instId":"BTC-USDT-SWAP","mgnMode":"cross"}"#,
            signature: "5VuUXKPHwoqO1aJ+QQ5qjV1T+zw0YTdWLM6PEUuid6g="),
        Vector(
            name: "D with spaces", stamp: 1_790_000_001_000,
            request: post(closePath, #"{"instId": "BTC-USDT-SWAP", "mgnMode": "cross"}"#),
            prehash: "2026-09-21T14:13:21.000ZPOST/api/v5/trade/close-position"
                + #"{"instId": "BTC-USDT-SWAP", "mgnMode": "cross"}"#,
            signature: "yhjRnpaORbgE2JeyRy+1m3j73F69OKc2Sni71dTMQns="),
        Vector(
            name: "E", stamp: 1_790_000_001_001, request: post(closePath, bodyE),
            prehash: "2026-09-21T14:13:21.001ZPOST/api/v5/trade/close-position" + bodyE,
            signature: "Tbmqd/M7e6ZP9kqexem2vqg+im6wYfj1xndQVm6uJx4="),
        Vector(
            name: "F", stamp: 1_790_000_002_000,
            request: okx.request(
                for: .cancel(cancel(["590908157585625111", "590908544950571222"])), account: account()),
            prehash: "2026-09-21T14:13:22.000ZPOST/api/v5/trade/cancel-batch-orders" + bodyF,
            signature: "3pyB1v/2mkLwzSFaqoJ7OupvzZ/Ud00BfAObs0x2NNM="),
        Vector(
            name: "G", stamp: 1_790_000_003_005,
            request: get("/api/v5/trade/order", [("instId", "BTC-USDT-SWAP"), ("clOrdId", "flt20260921000001")]),
            prehash: "2026-09-21T14:13:23.005ZGET/api/v5/trade/order"
                + "?instId=BTC-USDT-SWAP&clOrdId=flt20260921000001",
            signature: "RWs/M5ePnbI2/vkQCQAbpc83qtIZj/1Kc2lO58tPVro="),
    ]

    private static func signed(_ vector: Vector, prehash: String? = nil) throws -> SignedRequest {
        let credentials = try AccountCredentials([
            "key": Secret("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"),
            "secret": Secret("0123456789ABCDEF0123456789ABCDEF"), "passphrase": Secret("Flatten2026!"),
        ])
        var recipe = okx.signing(
            of: vector.request, at: WallTime(milliseconds: vector.stamp), account: account())
        if let prehash { recipe.message = Array(prehash.utf8) }
        return try Signer().sign(
            vector.request, recipe: recipe, credentials: credentials, base: "https://openapi.okx.com")
    }

    @Test("covers exactly the prehash of each vector and is what goes on the wire", arguments: vectors)
    func vector(vector: Vector) throws {
        let recipe = okx.signing(
            of: vector.request, at: WallTime(milliseconds: vector.stamp), account: account())
        #expect(text(recipe.message) == vector.prehash)
        let signed = try Self.signed(vector)
        let headers = Dictionary(signed.headers.map { ($0.name, $0.value) }, uniquingKeysWith: { a, _ in a })
        #expect(headers["OK-ACCESS-SIGN"] == vector.signature)
        #expect(headers["OK-ACCESS-KEY"] == "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0")
        #expect(headers["OK-ACCESS-PASSPHRASE"] == "Flatten2026!")
        #expect(headers["OK-ACCESS-TIMESTAMP"] == String(vector.prehash.prefix(24)))
        // What is signed is what is sent.
        #expect(vector.prehash.hasSuffix(signed.method.rawValue + signed.target + text(signed.body)))
    }

    @Test("differs where the query or the body that is sent was not the one signed")
    func negatives() throws {
        let withoutQuery = Self.vectors[1]
        var bare = withoutQuery
        bare.request.query = []
        let wrong = try Self.signed(bare).headers.first { $0.name == "OK-ACCESS-SIGN" }?.value
        #expect(wrong == "Kooxl4aRujRiNiU4kLzsFrIrRKqmDECwVncmgcn3CAA=")
        #expect(wrong != withoutQuery.signature)
        #expect(Self.vectors[3].signature != Self.vectors[4].signature)
    }

    /// What the sheet calls valid besides: bytes that this plugin never sends, and the simulator has to take.
    @Test(
        "of other spellings is the sheet's too",
        arguments: [
            (
                "2026-09-21T14:13:20.456ZGET/api/v5/account/positions?instId=BTC-USDT-SWAP,ETH-USDT-SWAP",
                "CQOAM1YI4O9oB6nIwsLBSJLN8HegTDO7+pYnBEyIEiM="
            ),
            ("2026-09-21T14:13:20ZGET/api/v5/account/config", "+MKVc+gk2TqHi+Frygvmu9HPp+jd0dgtFPKMt9ZRMyg="),
        ])
    func otherSpellings(prehash: String, signature: String) throws {
        let signed = try Self.signed(Self.vectors[0], prehash: prehash)
        #expect(signed.headers.first { $0.name == "OK-ACCESS-SIGN" }?.value == signature)
        #expect(!Self.vectors.contains { $0.prehash == prehash || $0.signature == signature })
    }

    @Test("changes with each signed part")
    func parts() throws {
        let base = Self.vectors[5]
        func sign(_ change: (inout Vector) -> Void) throws -> String? {
            var vector = base
            change(&vector)
            return try Self.signed(vector).headers.first { $0.name == "OK-ACCESS-SIGN" }?.value
        }
        let original = try sign { _ in }
        #expect(original == base.signature)
        #expect(try sign { $0.stamp += 1 } != original)
        #expect(try sign { $0.request.method = .get } != original)
        #expect(try sign { $0.request.path += "s" } != original)
        #expect(try sign { $0.request.query = [.init("a", "b")] } != original)
        #expect(try sign { $0.request.body.append(0x20) } != original)
    }
}
