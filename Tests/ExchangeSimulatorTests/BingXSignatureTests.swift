import ExchangeKit
import ExchangeSimulator
import Testing

/// The vectors of the sheet (§2.1).
@Suite struct BingXSignatureTests {
    struct Vector: CustomTestStringConvertible, Sendable {
        var id: String
        var method: String
        var path: String
        /// Encoded, without signature.
        var query: String
        var signature: String
        var testDescription: String { id }
    }

    static let vectors = [
        Vector(
            id: "A", method: "GET", path: BingXBench.positions,
            query: "recvWindow=5000&symbol=BTC-USDT&timestamp=1767225600000",
            signature: "17b3fcdbc9be1d1450419c6b755c5dcfcf4a7da9876c80a7e5e40514c6dc6e47"),
        Vector(
            id: "B", method: "POST", path: BingXBench.closeAll,
            query: "recvWindow=5000&symbol=BTC-USDT&timestamp=1767225600000",
            signature: "17b3fcdbc9be1d1450419c6b755c5dcfcf4a7da9876c80a7e5e40514c6dc6e47"),
        Vector(
            id: "C", method: "POST", path: BingXBench.closeAll, query: "timestamp=1767225600000",
            signature: "6891b39de15a205fef5ffb1e25141a1d9619d1a9702f573a324bed53790051bc"),
        Vector(
            id: "D", method: "POST", path: BingXBench.closeOne,
            query: "positionId=1769649551460794368&recvWindow=5000&timestamp=1767225600000",
            signature: "60c505f609232dd4a7e95b433dede3f2ed514c6dfe38866b60772bb36842efcb"),
        Vector(
            id: "E", method: "POST", path: BingXBench.order,
            query: "positionSide=BOTH&quantity=0.25&recvWindow=5000&reduceOnly=true&side=SELL&symbol=ETH-USDT"
                + "&timestamp=1767225600000&type=MARKET",
            signature: "2345dd33b932586aa82d6ff80c26d5e1c5a1ae73a35eb29255dc823b5cdefe3e"),
        Vector(
            id: "F", method: "DELETE", path: "/openApi/swap/v2/trade/batchOrders",
            query: "clientOrderIdList=%5B%22abc%201%22%2C%22de%2Ff%2B2%22%5D&recvWindow=5000&symbol=BTC-USDT"
                + "&timestamp=1767225600000",
            signature: "a44797a50045bc799220d465a5604399d58957f74a1331fc1b547a06bd841212"),
        Vector(
            id: "F2", method: "DELETE", path: "/openApi/swap/v2/trade/batchOrders",
            query: "orderIdList=[1735924831603391122,1735924833239172233]&recvWindow=5000&symbol=BTC-USDT"
                + "&timestamp=1767225600000",
            signature: "1a536a82b09667a13c643e8f8fa1ac26c16fbb4e05cb29bf27639c3daa23a152"),
        Vector(
            id: "F3", method: "GET", path: BingXBench.positions,
            query: "symbol=M%C3%98TH-USDT&timestamp=1767225600000",
            signature: "f1a7ce521d10be64c8ece65c6e808594fcaa1b2d3f4ee70de9e9025465d174ad"),
        Vector(
            id: "N as sent", method: "GET", path: BingXBench.positions,
            query: "symbol=BTC-USDT&recvWindow=5000&timestamp=1767225600000",
            signature: "c773b87b98103b796cfa01a1cba67a0df16d6c97cb3c928ad4ca5d1a774c8cec"),
        Vector(
            id: "N sorted", method: "GET", path: BingXBench.positions,
            query: "symbol=BTC-USDT&recvWindow=5000&timestamp=1767225600000",
            signature: "17b3fcdbc9be1d1450419c6b755c5dcfcf4a7da9876c80a7e5e40514c6dc6e47"),
    ]

    private func code(_ vector: Vector, body: String = "", type: String? = nil) -> Int {
        var bench = BingXBench()
        let inQuery = vector.query.isEmpty ? "" : "?" + vector.query + "&signature=" + vector.signature
        var headers = [("X-BX-APIKEY", BingXBench.identity.key)]
        if let type { headers.append(("Content-Type", type)) }
        return bench.send(
            SimulatedRequest(
                method: vector.method, target: vector.path + inQuery, headers: headers, body: Array(body.utf8))
        ).code
    }

    @Test("accepts the published signatures", arguments: vectors) func accepts(_ vector: Vector) {
        #expect(code(vector) != 100_001)
    }

    @Test("refuses each of them with one digit changed", arguments: vectors) func refuses(_ vector: Vector) {
        var wrong = vector
        wrong.signature = (vector.signature.hasPrefix("0") ? "1" : "0") + vector.signature.dropFirst()
        #expect(code(wrong) == 100_001)
    }

    @Test("refuses the signature of an order that was not sent") func refusesOtherOrder() {
        var sorted = Self.vectors[0]
        sorted.signature = Self.vectors[8].signature
        #expect(code(sorted) == 100_001)
    }

    @Test("accepts the same parameters as a form") func form() {
        var vector = Self.vectors[1]
        let body = vector.query + "&signature=" + vector.signature
        vector.query = ""
        #expect(code(vector, body: body, type: "application/x-www-form-urlencoded") == 0)
    }

    @Test(
        "accepts a JSON body signed sorted, and only so",
        arguments: [(vectors[0].signature, 0), (vectors[8].signature, 100_001)])
    func json(_ signature: String, _ expected: Int) {
        var vector = Self.vectors[1]
        vector.query = ""
        let body =
            #"{"symbol":"BTC-USDT","recvWindow":5000,"timestamp":1767225600000,"signature":"\#(signature)"}"#
        #expect(code(vector, body: body, type: "application/json") == expected)
    }

    @Test("takes the value of the query where the body has another") func queryWins() {
        let vector = Self.vectors[1]
        #expect(code(vector, body: "symbol=ETH-USDT", type: "application/x-www-form-urlencoded") == 0)
    }
}
