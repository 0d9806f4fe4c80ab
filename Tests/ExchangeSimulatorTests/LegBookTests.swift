import ExchangeSimulator
import Foundation
import Testing

/// The books by which a judge tells who opened and who closed what.
@Suite struct LegBookTests {
    private static let long = LegKey(uid: "9000001", product: "USDT-FUTURES", symbol: "BTCUSDT", side: .long)
    private static let short = LegKey(uid: "9000001", product: "USDT-FUTURES", symbol: "BTCUSDT", side: .short)

    private func bench() -> Bench { Bench { $0.position(0, "BTCUSDT", side: .long, quantity: "0.015") } }

    @Test("a client's close and the exchange's own doing are told apart")
    func movers() throws {
        var bench = bench()
        _ = bench.close()
        bench.wait(50)
        let opens = ScriptAction.open(product: "USDT-FUTURES", symbol: "BTCUSDT", side: .long, quantity: "0.01")
        bench.simulation.perform(opens, uid: "9000001", atNs: bench.now)
        let reopened = try #require(bench.simulation.truth.books[Self.long])
        #expect(reopened.initial == "0.015" && reopened.closedByClient == "0.015" && reopened.openedByVenue == "0.01")
        #expect(reopened.open == "0.01" && reopened.openSinceNs == bench.now && reopened.isSound)
        bench.simulation.perform(
            .remove(product: "USDT-FUTURES", symbol: "BTCUSDT"), uid: "9000001", atNs: bench.now)
        let removed = try #require(bench.simulation.truth.books[Self.long])
        #expect(removed.closedByVenue == "0.01" && removed.open == .zero && removed.isSound)
    }

    @Test("an order that flips is not sound")
    func flips() throws {
        var bench = bench()
        let body =
            #"{"symbol":"BTCUSDT","productType":"USDT-FUTURES","marginMode":"crossed","marginCoin":"USDT","#
            + #""size":"0.02","side":"sell","orderType":"market","clientOid":"a1"}"#
        #expect(bench.post("/api/v2/mix/order/place-order", body).code == "00000")
        let book = try #require(bench.simulation.truth.books[Self.short])
        #expect(book.openedByClient == "0.005" && !book.isSound)
        #expect(bench.simulation.truth.books[Self.long]?.closedByClient == "0.015")
    }

    @Test("what is open is what the positions say, and the state tells it with each receipt's query")
    func state() throws {
        var bench = bench()
        _ = bench.open()
        let data = Data(bench.simulation.stateJSON(startBootNs: 42))
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(object["startBootNs"] as? Int == 42)
        let legs = try #require(object["legs"] as? [[String: Any]])
        #expect(legs.count == 1 && legs[0]["open"] as? String == "0.015" && legs[0]["isSound"] as? Bool == true)
        let receipts = try #require(object["receipts"] as? [[String: Any]])
        #expect(receipts[0]["query"] as? String == "productType=USDT-FUTURES")
        #expect(receipts[0]["mutation"] as? Bool == false)
    }
}
