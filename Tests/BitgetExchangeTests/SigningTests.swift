import BitgetExchange
import ExchangeKit
import FlatbookCore
import FlatbookCrypto
import Foundation
import Testing

/// The vectors of `bitget.md` §2.4; all values are invented there.
@Suite("Bitget's signature")
struct SigningTests {
    struct Vector: Sendable, CustomStringConvertible {
        var name: String
        var stamp: Int64
        var request: VenueRequest
        var prehash: String
        var signature: String
        var description: String { name }
    }

    private static let secret = "7f3c9a1be25d48f06a9b8c7d6e5f40312233445566778899aabbccddeeff0011"

    private static func get(_ path: String, _ query: [(String, String)] = []) -> VenueRequest {
        VenueRequest(
            route: "test", method: .get, path: path, query: query.map { VenueRequest.QueryItem($0.0, $0.1) })
    }

    private static func sign(_ message: [UInt8]) -> String {
        Data(hmacSHA256(key: secret, message)).base64EncodedString()
    }

    static let positions = "/api/v2/mix/position/all-position"
    static let cjk = get(
        "/api/v2/mix/position/single-position",
        [("marginCoin", "USDT"), ("productType", "USDT-FUTURES"), ("symbol", "龙虾USDT")])
    static let reserved = get(
        "/api/v2/mix/order/detail",
        [("clientOid", "a#1+b_2"), ("productType", "USDT-FUTURES"), ("symbol", "BTCUSDT")])
    static let placeBody =
        #"{"symbol":"龙虾USDT","productType":"USDT-FUTURES","marginMode":"crossed","marginCoin":"USDT","size":"0.5","#
        + #""side":"sell","orderType":"market","reduceOnly":"YES","clientOid":"a#1+b_2"}"#

    static let vectors = [
        Vector(
            name: "A", stamp: 1_790_000_000_000, request: get("/api/v2/user/virtual-subaccount-list"),
            prehash: "1790000000000GET/api/v2/user/virtual-subaccount-list",
            signature: "g9YRbsl4M9HYuDH+3hJTzlXIEKaHzM9Cduim+zaqRrI="),
        Vector(
            name: "B", stamp: 1_790_000_000_123,
            request: get(positions, [("marginCoin", "USDT"), ("productType", "USDT-FUTURES")]),
            prehash: "1790000000123GET/api/v2/mix/position/all-position?marginCoin=USDT&productType=USDT-FUTURES",
            signature: "SNqECIXAGpOE0NQ3mIMwegCEfjNkL4jgFdbJJCUBFCA="),
        Vector(
            name: "C", stamp: 1_790_000_001_000, request: bitget.request(for: flashClose, account: account()),
            prehash: #"1790000001000POST/api/v2/mix/order/close-positions{"productType":"USDT-FUTURES"}"#,
            signature: "uoFg+ftw2SE/FyxeFkMyuORj4pCqa4trsy6JBsfa8lo="),
        Vector(
            name: "D", stamp: 1_790_000_001_000,
            request: bitget.request(for: .close(close(.side, side: .long)), account: account()),
            prehash: "1790000001000POST/api/v2/mix/order/close-positions"
                + #"{"productType":"USDT-FUTURES","symbol":"BTCUSDT","holdSide":"long"}"#,
            signature: "uVO3vKt3w5L9VHeNj0z66jRVO89DfvS+VhUG1Wnlk9s="),
        Vector(
            name: "E", stamp: 1_790_000_002_000, request: cjk,
            prehash: "1790000002000GET/api/v2/mix/position/single-position"
                + "?marginCoin=USDT&productType=USDT-FUTURES&symbol=龙虾USDT",
            signature: "dEU6gdgmgml2tc2rz7NU3cM2STk24n4zigzjOOARYHA="),
        Vector(
            name: "F", stamp: 1_790_000_002_000, request: reserved,
            prehash: "1790000002000GET/api/v2/mix/order/detail"
                + "?clientOid=a#1+b_2&productType=USDT-FUTURES&symbol=BTCUSDT",
            signature: "e07gobtPlYL4rlVb7paZuyUEnTv1mp+vkJwOzTKgfkQ="),
        Vector(
            name: "G", stamp: 1_790_000_003_000,
            request: VenueRequest(
                route: "test", method: .post, path: "/api/v2/mix/order/place-order", body: Array(placeBody.utf8)),
            prehash: "1790000003000POST/api/v2/mix/order/place-order" + placeBody,
            signature: "+BUuJplmHTG7nehb3XDJTZ1kGMvGS698LIINPNVYIcw="),
    ]

    @Test("covers exactly the prehash of each vector", arguments: vectors)
    func positive(vector: Vector) {
        let recipe = bitget.signing(
            of: vector.request, at: WallTime(milliseconds: vector.stamp), account: account())
        #expect(String(decoding: recipe.message, as: UTF8.self) == vector.prehash)
        #expect(Self.sign(recipe.message) == vector.signature)
        #expect(recipe.encoding == .base64)
        #expect(recipe.secret == "secret")
        #expect(recipe.signatureQueryName == nil)
        #expect(recipe.headers.map(\.name) == ["ACCESS-KEY", "ACCESS-SIGN", "ACCESS-TIMESTAMP", "ACCESS-PASSPHRASE"])
        #expect(
            recipe.headers.map(\.value)
                == [.credential("key"), .signature, .text(String(vector.stamp)), .credential("passphrase")])
    }

    @Test("is what the host's signer puts on the wire, with the key and passphrase in clear", arguments: vectors)
    func onTheWire(vector: Vector) throws {
        let credentials = try AccountCredentials([
            "key": Secret("bg_0123456789abcdef0123456789abcdef"), "secret": Secret(Self.secret),
            "passphrase": Secret("Flatten2026"),
        ])
        let recipe = bitget.signing(
            of: vector.request, at: WallTime(milliseconds: vector.stamp), account: account())
        let signed = try Signer().sign(
            vector.request, recipe: recipe, credentials: credentials, base: "https://api.bitget.com")
        let headers = Dictionary(signed.headers.map { ($0.name, $0.value) }, uniquingKeysWith: { a, _ in a })
        #expect(headers["ACCESS-SIGN"] == vector.signature)
        #expect(headers["ACCESS-KEY"] == "bg_0123456789abcdef0123456789abcdef")
        #expect(headers["ACCESS-PASSPHRASE"] == "Flatten2026")
        #expect(headers["ACCESS-TIMESTAMP"] == String(vector.stamp))
        #expect(signed.body == vector.request.body)
        let query = vector.request.encodedQuery
        #expect(signed.target == vector.request.path + (query.isEmpty ? "" : "?" + query))
    }

    @Test("sends reserved and foreign characters percent-encoded, in the order that was signed")
    func encodedURLs() {
        #expect(
            Self.cjk.encodedQuery == "marginCoin=USDT&productType=USDT-FUTURES&symbol=%E9%BE%99%E8%99%BEUSDT")
        #expect(
            Self.reserved.encodedQuery == "clientOid=a%231%2Bb_2&productType=USDT-FUTURES&symbol=BTCUSDT")
    }

    @Test("is not made over the encoded query")
    func notEncoded() {
        let wrong = "1790000002000GET" + Self.cjk.path + "?" + Self.cjk.encodedQuery
        #expect(Self.sign(Array(wrong.utf8)) == "qHJyP3Ye19oIH0/BAlFRFiBrwpT4IP81pM8RYD3igCY=")
        let recipe = bitget.signing(
            of: Self.cjk, at: WallTime(milliseconds: 1_790_000_002_000), account: account())
        #expect(Self.sign(recipe.message) != "qHJyP3Ye19oIH0/BAlFRFiBrwpT4IP81pM8RYD3igCY=")
    }

    @Test("is made over the very bytes of the body")
    func exactBody() {
        var spaced = bitget.request(for: flashClose, account: account())
        #expect(String(decoding: spaced.body, as: UTF8.self) == #"{"productType":"USDT-FUTURES"}"#)
        spaced.body = Array(#"{"productType": "USDT-FUTURES"}"#.utf8)
        let recipe = bitget.signing(
            of: spaced, at: WallTime(milliseconds: 1_790_000_001_000), account: account())
        #expect(Self.sign(recipe.message) == "ddBFKH+bxd8+vVvHHf/8v7cYX/53Bz/ohRoZN51vXC8=")
    }

    @Test("follows the order of the query it is given")
    func orderOfQuery() {
        let unsorted = Self.get(Self.positions, [("productType", "USDT-FUTURES"), ("marginCoin", "USDT")])
        let recipe = bitget.signing(
            of: unsorted, at: WallTime(milliseconds: 1_790_000_000_123), account: account())
        #expect(unsorted.encodedQuery == "productType=USDT-FUTURES&marginCoin=USDT")
        #expect(Self.sign(recipe.message) == "TXXU2/8cLu5+K1CT8SbpeYjBuorD7Z+QusoD0Ao8fn4=")
    }

    @Test(
        "leaves the exchange's stamp readable in every envelope",
        arguments: [
            (#"{"code":"00000","requestTime":1688008631614,"data":1}"#, 1_688_008_631_614),
            (#"{"code":"22002","requestTime":"1627293504612"}"#, 1_627_293_504_612),
            (#"{"code":"00000","requestTime":"soon"}"#, nil), (#"{"code":"00000","requestTime":-5}"#, nil),
            (#"{"code":"00000","requestTime":1.5e12}"#, nil), (#"{"code":"00000","requestTime":null}"#, nil),
            (#"{"code":"00000","requestTime":99999999999999999999}"#, nil), (#"{"code":"00000"}"#, nil),
            ("<html></html>", nil), ("", nil),
        ] as [(String, Int64?)])
    func stamp(body: String, expected: Int64?) {
        #expect(bitget.serverTime(in: reply(body, status: 400))?.milliseconds == expected)
    }
}
