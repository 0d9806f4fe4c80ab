import BingXExchange
import ExchangeKit
import FlatbookCore
import FlatbookCrypto
import Testing

/// The vectors of `bingx.md` §2.1; all values are invented there.
@Suite("BingX's signature")
struct SigningTests {
    struct Vector: Sendable, CustomStringConvertible {
        var name: String
        var request: VenueRequest
        var message: String
        var signature: String
        var description: String { name }
    }

    private static let stamp = WallTime(milliseconds: 1_767_225_600_000)

    private static func raw(_ method: HTTPMethod, _ path: String, _ query: [(String, String)]) -> VenueRequest {
        VenueRequest(
            route: "test", method: method, path: path, query: query.map { VenueRequest.QueryItem($0.0, $0.1) })
    }

    static let positions = "/openApi/swap/v2/user/positions"
    static let batch = "/openApi/swap/v2/trade/batchOrders"
    static let common = "recvWindow=5000&symbol=BTC-USDT&timestamp=1767225600000"
    static let vectors = [
        Vector(
            name: "A", request: raw(.get, positions, [("symbol", "BTC-USDT"), ("recvWindow", "5000")]), message: common,
            signature: "17b3fcdbc9be1d1450419c6b755c5dcfcf4a7da9876c80a7e5e40514c6dc6e47"),
        Vector(
            name: "B", request: bingx.request(for: closeSymbol, account: account()), message: common,
            signature: "17b3fcdbc9be1d1450419c6b755c5dcfcf4a7da9876c80a7e5e40514c6dc6e47"),
        Vector(
            name: "C", request: raw(.post, "/openApi/swap/v2/trade/closeAllPositions", []),
            message: "timestamp=1767225600000",
            signature: "6891b39de15a205fef5ffb1e25141a1d9619d1a9702f573a324bed53790051bc"),
        Vector(
            name: "D", request: bingx.request(for: closeOne, account: account()),
            message: "positionId=1769649551460794368&recvWindow=5000&timestamp=1767225600000",
            signature: "60c505f609232dd4a7e95b433dede3f2ed514c6dfe38866b60772bb36842efcb"),
        Vector(
            name: "E", request: bingx.request(for: sized, account: account()),
            message: "positionSide=BOTH&quantity=0.25&recvWindow=5000&reduceOnly=true&side=SELL&symbol=ETH-USDT"
                + "&timestamp=1767225600000&type=MARKET",
            signature: "2345dd33b932586aa82d6ff80c26d5e1c5a1ae73a35eb29255dc823b5cdefe3e"),
        Vector(
            name: "F",
            request: raw(
                .delete, batch,
                [
                    ("clientOrderIdList", #"["abc 1","de/f+2"]"#), ("recvWindow", "5000"), ("symbol", "BTC-USDT"),
                ]),
            message: #"clientOrderIdList=["abc 1","de/f+2"]&"# + common,
            signature: "a44797a50045bc799220d465a5604399d58957f74a1331fc1b547a06bd841212"),
        Vector(
            name: "F2", request: bingx.request(for: cancelTwo, account: account()),
            message: "orderIdList=[1735924831603391122,1735924833239172233]&" + common,
            signature: "1a536a82b09667a13c643e8f8fa1ac26c16fbb4e05cb29bf27639c3daa23a152"),
        Vector(
            name: "F3", request: raw(.get, positions, [("symbol", "MØTH-USDT")]),
            message: "symbol=MØTH-USDT&timestamp=1767225600000",
            signature: "f1a7ce521d10be64c8ece65c6e808594fcaa1b2d3f4ee70de9e9025465d174ad"),
    ]

    private func sign(_ request: VenueRequest) throws -> SignedRequest {
        let credentials = try AccountCredentials([
            "key": Secret("testApiKey0001"), "secret": Secret("testSecret-8f3a1c2b5d7e9f00"),
        ])
        let recipe = bingx.signing(of: request, at: Self.stamp, account: account())
        return try Signer().sign(
            request, recipe: recipe, credentials: credentials, base: "https://open-api.bingx.com")
    }

    @Test("of each vector is over its text, and goes last on the wire", arguments: vectors)
    func vector(vector: Vector) throws {
        let recipe = bingx.signing(of: vector.request, at: Self.stamp, account: account())
        #expect(String(decoding: recipe.message, as: UTF8.self) == vector.message)
        let signed = try sign(vector.request)
        #expect(signed.target.hasPrefix(vector.request.path + "?"))
        #expect(signed.target.hasSuffix("&signature=" + vector.signature))
        #expect(signed.headers.map(\.name) == ["X-BX-APIKEY"])
        #expect(signed.headers.map(\.value) == ["testApiKey0001"])
        #expect(signed.body.isEmpty)
    }

    @Test("sends reserved and foreign characters percent-encoded")
    func encoded() throws {
        #expect(
            try sign(Self.vectors[5].request).target.hasPrefix(
                Self.batch + "?clientOrderIdList=%5B%22abc%201%22%2C%22de%2Ff%2B2%22%5D&recvWindow=5000&symbol"))
        #expect(try sign(Self.vectors[7].request).target.hasPrefix(Self.positions + "?symbol=M%C3%98TH-USDT&timestamp"))
    }

    @Test("is not that of the unsorted text (vector N), since names are sorted whatever order they come in")
    func sorted() throws {
        let request = Self.raw(.get, Self.positions, [("symbol", "BTC-USDT"), ("recvWindow", "5000")])
        #expect(
            try !sign(request).target.contains("c773b87b98103b796cfa01a1cba67a0df16d6c97cb3c928ad4ca5d1a774c8cec"))
    }

    @Test(
        "never covers a value that could pass for another parameter",
        arguments: ["BTC-USDT&x", "a=b", "a?b", "a#b", "a\rb", "a\nb", "a\r\nb"])
    func injection(value: String) {
        let request = bingx.request(for: close("bingx.close-all-positions", .symbol, value), account: account())
        #expect(request.query.map { "\($0.name)=\($0.value)" } == ["recvWindow=5000", "symbol=MISSING"])
        let recipe = bingx.signing(
            of: Self.raw(.get, Self.positions, [("symbol", value)]), at: Self.stamp, account: account())
        #expect(String(decoding: recipe.message, as: UTF8.self) == "symbol=MISSING&timestamp=1767225600000")
    }
}
