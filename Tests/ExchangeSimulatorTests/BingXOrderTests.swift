import ExchangeKit
import ExchangeSimulator
import Foundation
import Testing

@Suite struct BingXOrderTests {
    private func long(_ fleet: inout FleetBuilder) {
        fleet.position(0, "BTC-USDT", product: "swap", side: .long, quantity: "0.5", id: "1792480725958881281")
    }

    @Test("a busy read is an error and an empty one is no list") func busyReads() {
        var switches = BingXSwitches()
        switches.busyReads = 0...1
        switches.nullReads = 2...2
        var bench = BingXBench(switches: switches, long)
        #expect(bench.get(BingXBench.positions).code == 109_500)
        #expect(bench.get(BingXBench.positions).code == 109_500)
        #expect(bench.get(BingXBench.positions).text == #"{"code":0,"msg":"","data":null}"#)
        #expect(bench.get(BingXBench.positions).rows.count == 1)
    }

    @Test("shows sizes unsigned, the side in words, and zero rows if set") func positions() {
        var switches = BingXSwitches()
        switches.listsZeroPositions = true
        var bench = BingXBench(hedge: false, switches: switches) {
            $0.position(0, "ETH-USDT", product: "swap", side: .short, quantity: "3")
        }
        let rows = bench.get(BingXBench.positions).rows
        #expect(rows.map { $0["positionAmt"] as? String } == ["3", "0"])
        #expect(rows[0]["positionSide"] as? String == "SHORT")
        #expect(rows[0]["onlyOnePosition"] as? Bool == true)
    }

    @Test("shows positions of some time ago") func stale() {
        var bench = BingXBench(readLagMs: 2_000, long)
        bench.post(BingXBench.closeAll)
        bench.wait(1_999)
        #expect(bench.get(BingXBench.positions).rows.count == 1)
        bench.wait(1)
        #expect(bench.get(BingXBench.positions).rows.isEmpty)
    }

    @Test("hedge: an opposite order closes and cannot flip") func hedgeOrder() {
        var bench = BingXBench(long)
        let order: KeyValuePairs = [
            "symbol": "BTC-USDT", "side": "SELL", "positionSide": "LONG", "type": "MARKET", "quantity": "0.50009",
        ]
        let answer = bench.post(BingXBench.order, order)
        #expect(answer.code == 0)
        #expect(answer.order["status"] as? String == "FILLED")
        #expect(bench.open.isEmpty)
        #expect(bench.post(BingXBench.order, order).code == 101_205)
        #expect(bench.simulation.truth.unprotectedOrders == 0)
    }

    @Test(
        "names a wrong position side of the mode",
        arguments: [(true, "BOTH", "In the Hedge mode"), (false, "LONG", "In the One-way mode")])
    func modes(_ hedge: Bool, _ side: String, _ text: String) {
        var bench = BingXBench(hedge: hedge, long)
        let answer = bench.post(
            BingXBench.order,
            ["symbol": "BTC-USDT", "side": "SELL", "positionSide": side, "type": "MARKET", "quantity": "0.5"])
        #expect(answer.code == 109_400)
        #expect(answer.message.hasPrefix(text))
        #expect(bench.open.count == 1)
    }

    @Test("one-way: only reduceOnly keeps a repeated order from turning the position", arguments: [true, false])
    func oneWay(_ protected: Bool) {
        var bench = BingXBench(hedge: false, long)
        let order: KeyValuePairs = [
            "symbol": "BTC-USDT", "side": "SELL", "positionSide": "BOTH", "type": "MARKET", "quantity": "0.5",
            "reduceOnly": protected ? "true" : "false",
        ]
        #expect(bench.post(BingXBench.order, order).code == 0)
        #expect(bench.post(BingXBench.order, order).code == (protected ? 101_290 : 0))
        #expect(bench.open.count == (protected ? 0 : 1))
        #expect(bench.simulation.truth.unprotectedOrders == (protected ? 0 : 2))
        #expect(bench.simulation.truth.exposureIncreases == (protected ? 0 : 1))
    }

    @Test("a client id is burned for ever, whatever its case") func clientIDs() {
        var bench = BingXBench(long)
        func order(_ id: String) -> BingXBench.Answer {
            bench.post(
                BingXBench.order,
                [
                    "symbol": "BTC-USDT", "side": "SELL", "positionSide": "LONG", "type": "MARKET", "quantity": "0.1",
                    "clientOrderID": id,
                ])
        }
        #expect(order("Fb-1").order["clientOrderID"] as? String == "fb-1")
        let again = order("fb-1")
        #expect(again.code == 101_400)
        #expect(again.message == "clientOrderID unique check failed")
        #expect(bench.open == ["1792480725958881281": "0.4"])
        let detail = bench.get(BingXBench.order, ["symbol": "BTC-USDT", "clientOrderId": "fb-1"])
        #expect(detail.order["executedQty"] as? String == "0.1")
    }

    @Test("resting closers reserve their part") func reserved() {
        var bench = BingXBench {
            long(&$0)
            $0.resting(0, "BTC-USDT", product: "swap", leg: .long, closes: true, size: "0.4")
        }
        let order: KeyValuePairs = [
            "symbol": "BTC-USDT", "side": "SELL", "positionSide": "LONG", "type": "MARKET", "quantity": "0.5",
        ]
        #expect(bench.post(BingXBench.order, order).code == 110_424)
        #expect(bench.call("DELETE", "/openApi/swap/v2/trade/allOpenOrders").code == 0)
        #expect(bench.post(BingXBench.order, order).code == 0)
        #expect(bench.open.isEmpty)
    }

    @Test("lists and cancels limit and trigger orders together, and TWAPs apart") func cancels() throws {
        var ids: [String] = []
        var bench = BingXBench { fleet in
            long(&fleet)
            ids = [
                fleet.resting(0, "BTC-USDT", product: "swap", leg: .long, closes: false, size: "0.1"),
                fleet.plan(0, "BTC-USDT", product: "swap", type: "STOP_MARKET", leg: .long, closes: true, size: .zero),
                fleet.resting(0, "ETH-USDT", product: "swap", leg: .short, closes: false, size: "1"),
            ]
            fleet.edit(0) {
                $0.bingx.twaps = [
                    SimulatedTwap(id: "77", symbol: "BTC-USDT", leg: .long, closes: false, size: "0.1")
                ]
            }
        }
        #expect(bench.simulation.openers(ofUID: "16844999") == 3)
        let listed = bench.get("/openApi/swap/v2/trade/openOrders")
        #expect((listed.data["orders"] as? [[String: Any]])?.count == 3)
        for id in ids {
            #expect(listed.text.contains("\"orderId\":\(id),"))
            #expect(try #require(Int64(id)) > 1 << 60)
        }
        let batch = bench.call(
            "DELETE", "/openApi/swap/v2/trade/batchOrders",
            ["symbol": "BTC-USDT", "orderIdList": "[\(ids[0]),1735924831603391999]"])
        #expect((batch.data["success"] as? [Any])?.count == 1)
        #expect(batch.text.contains(#""failed":[{"orderId":1735924831603391999,"errorCode":109421"#))
        #expect(bench.call("DELETE", BingXBench.order, ["symbol": "BTC-USDT", "orderId": ids[0]]).code == 109_421)
        let all = bench.call("DELETE", "/openApi/swap/v2/trade/allOpenOrders")
        #expect((all.data["success"] as? [Any])?.count == 2)
        #expect(bench.simulation.openers(ofUID: "16844999") == 1)
        #expect(bench.get("/openApi/swap/v1/twap/openOrders").text.contains(#""mainOrderId":"77""#))
        #expect(bench.post("/openApi/swap/v1/twap/cancelOrder", ["mainOrderId": "77"]).code == 0)
        #expect(bench.simulation.openers(ofUID: "16844999") == 0)
    }

    @Test("tells demo money, the mode, the rights and the uid") func identity() {
        var bench = BingXBench(hedge: false) { $0.edit(0) { $0.environment = .demo } }
        #expect(bench.get("/openApi/swap/v3/user/balance").rows.first?["asset"] as? String == "VST")
        #expect(bench.get("/openApi/swap/v1/positionSide/dual").data["dualSidePosition"] as? String == "false")
        #expect(bench.get("/openApi/account/v1/uid").text.contains(#""uid":16844999"#))
        #expect(bench.get("/openApi/v1/account/apiRestrictions").json["enableFutures"] as? Bool == true)
        #expect(bench.get("/openApi/subAccount/v1/list", ["page": "1", "limit": "10"]).code == 100_403)
    }

    @Test("shows the fills of a close with ids as text and the day in its own time zone") func fills() {
        var bench = BingXBench(long)
        bench.post(BingXBench.closeAll)
        let answer = bench.get("/openApi/swap/v2/trade/fillHistory", ["symbol": "BTC-USDT"])
        let rows = answer.data["fill_history_orders"] as? [[String: Any]] ?? []
        #expect(rows.count == 1)
        #expect(rows[0]["orderId"] as? String == "1735924831603391125")
        #expect(rows[0]["filledTm"] as? String == "2026-01-01T08:00:00Z")
    }

    @Test("a random fleet is served by its own routes and closes to nothing", arguments: 1...4 as ClosedRange<UInt64>)
    func fleet(_ seed: UInt64) {
        let identities = FleetBuilder.identities(venue: .bingx, count: 12, seed: seed)
        let fleet = FleetBuilder.random(identities, positionsPerAccount: 6, seed: seed)
        var bench = BingXBench()
        bench.simulation = ExchangeSimulation(
            SimulationConfiguration(seed: seed, accounts: fleet.accounts, fillDelayMs: 0...0))
        #expect(bench.simulation.openPositionCount > 30)
        for identity in identities {
            for path in [BingXBench.closeAll, "/openApi/cswap/v1/trade/closeAllPositions"] {
                let request = BingXBench.signed("POST", path, at: BingXBench.epoch, as: identity)
                #expect(bench.send(request).code == 0)
            }
        }
        #expect(bench.simulation.isFlat)
        #expect(bench.simulation.truth.exposureIncreases == 0)
        #expect(bench.simulation.truth.limitViolations.isEmpty)
    }
}
