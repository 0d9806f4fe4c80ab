import ExchangeSimulator
import Testing

private func order(_ side: String, _ size: String, _ extra: String = "", id: String = "a1") -> String {
    #"{"symbol":"BTCUSDT","productType":"USDT-FUTURES","marginMode":"crossed","marginCoin":"USDT","size":""#
        + size + #"","side":""# + side + #"","orderType":"market","clientOid":""# + id + #"""# + extra + "}"
}

private let place = "/api/v2/mix/order/place-order"

@Suite struct OrderTests {
    @Test("#28 reduce-only is trimmed to what is held and never flips", arguments: ["0.0001", "0.015", "5"])
    func reduceOnly(_ size: String) {
        var bench = Bench { $0.position(0, "BTCUSDT", side: .long, quantity: "0.015") }
        #expect(bench.post(place, order("sell", size, #","reduceOnly":"YES""#)).code == "00000")
        let held: Fixed = "0.015"
        let left = bench.simulation.positions(ofUID: "9000001").first?.quantity ?? .zero
        #expect(left == max(.zero, held - (Fixed(size) ?? .zero)))
        #expect(bench.simulation.positions(ofUID: "9000001").allSatisfy { $0.side == .long })
        #expect(bench.simulation.truth.exposureIncreases == 0)
    }

    @Test("#28 a reduce-only order on the wrong side, or on nothing, opens nothing") func reduceNothing() {
        var bench = Bench { $0.position(0, "BTCUSDT", side: .long, quantity: "0.015") }
        #expect(bench.post(place, order("buy", "0.01", #","reduceOnly":"YES""#)).code == "22002")
        #expect(bench.simulation.positions(ofUID: "9000001").first?.quantity == "0.015")
    }

    @Test("two reduce-only orders in flight together never flip") func reduceTwice() {
        var bench = Bench(fillDelayMs: 100) { $0.position(0, "BTCUSDT", side: .long, quantity: "0.015") }
        #expect(bench.post(place, order("sell", "0.01", #","reduceOnly":"YES""#)).code == "00000")
        #expect(bench.post(place, order("sell", "0.01", #","reduceOnly":"YES""#, id: "a2")).code == "00000")
        bench.wait(100)
        bench.simulation.advance(toNs: bench.now)
        #expect(bench.simulation.isFlat)
        #expect(bench.simulation.truth.exposureIncreases == 0)
    }

    @Test("counts an order without protection that opens or flips", arguments: [("0.02", 1), ("0.015", 0)])
    func flips(_ size: String, _ increases: Int) {
        var bench = Bench { $0.position(0, "BTCUSDT", side: .long, quantity: "0.015") }
        #expect(bench.post(place, order("sell", size)).code == "00000")
        #expect(bench.simulation.truth.exposureIncreases == increases)
        #expect(bench.simulation.truth.unprotectedOrders == 1)
    }

    @Test("#28 in hedge mode the side names the position") func hedgeSides() {
        var bench = Bench(hedge: true) {
            $0.position(0, "BTCUSDT", side: .long, quantity: "0.015")
            $0.position(0, "BTCUSDT", side: .short, quantity: "0.01")
        }
        #expect(bench.post(place, order("buy", "0.015", #","tradeSide":"close""#)).code == "00000")
        #expect(bench.simulation.positions(ofUID: "9000001").map(\.side) == [.short])
    }

    @Test(
        "#28 refuses the wrong mode, a bad size and a used id",
        arguments: [
            (true, order("sell", "0.01", #","reduceOnly":"YES""#), "40774"),
            (false, order("sell", "0.01", #","tradeSide":"close""#), "40774"),
            (false, order("sell", "0.00012", #","reduceOnly":"YES""#), "40808"),
            (false, order("sell", "900", #","reduceOnly":"YES""#), "45112"),
            (false, order("sell", "0.01", #","reduceOnly":"YES""#, id: "bad id"), "40304"),
        ])
    func refusals(_ hedge: Bool, _ body: String, _ code: String) {
        var bench = Bench(hedge: hedge) { $0.position(0, "BTCUSDT", side: .long, quantity: "0.015") }
        #expect(bench.post(place, body).code == code)
        #expect(bench.simulation.positions(ofUID: "9000001").first?.quantity == "0.015")
    }

    @Test("#28 refuses a client id that was used", arguments: ["43118", "40786"]) func duplicate(_ code: String) {
        var switches = BitgetSwitches()
        switches.duplicateClientOidCode = code
        var bench = Bench(switches: switches) { $0.position(0, "BTCUSDT", side: .long, quantity: "0.015") }
        _ = bench.post(place, order("sell", "0.01", #","reduceOnly":"YES""#))
        #expect(bench.post(place, order("sell", "0.005", #","reduceOnly":"YES""#)).code == code)
    }

    @Test("#25 answers a cancel of nothing, and of the same order twice") func cancels() {
        var id = ""
        var bench = Bench { id = $0.resting(0, "BTCUSDT", leg: .long, closes: false, size: "0.01") }
        let one = #"{"productType":"USDT-FUTURES","symbol":"BTCUSDT","orderIdList":[{"orderId":""# + id + #""}]}"#
        let batch = "/api/v2/mix/order/batch-cancel-orders"
        #expect(bench.post(batch, one).succeeded.count == 1)
        bench.wait(500)
        #expect(bench.post(batch, one).failed.first?["errorCode"] as? String == "45129")
        bench.wait(500)
        #expect(bench.post(batch, one).failed.first?["errorCode"] as? String == "40768")
        #expect(bench.post("/api/v2/mix/order/cancel-all-orders", #"{"productType":"USDT-FUTURES"}"#).code == "22001")
        #expect(bench.simulation.openers(ofUID: "9000001") == 0)
    }

    @Test("#26 pages resting orders newest first, null when none are left") func paging() {
        var bench = Bench { fleet in
            for _ in 0..<5 { fleet.resting(0, "BTCUSDT", leg: .long, closes: false, size: "0.01") }
        }
        var seen: [String] = []
        var query = "limit=2&productType=USDT-FUTURES"
        for _ in 0..<3 {
            let data = bench.get("/api/v2/mix/order/orders-pending", query).data
            seen += (data["entrustedList"] as? [[String: Any]] ?? []).compactMap { $0["orderId"] as? String }
            query = "idLessThan=\(data["endId"] as? String ?? "")&limit=2&productType=USDT-FUTURES"
        }
        #expect(seen.count == 5)
        #expect(seen == seen.sorted(by: >))
        #expect(bench.get("/api/v2/mix/order/orders-pending", query).text.contains(#""entrustedList":null"#))
    }

    @Test(
        "#27 trigger orders have three lists and are cancelled by type",
        arguments: [
            ("normal_plan", "normal_plan"), ("track_plan", "track_plan"), ("pos_loss", "profit_loss"),
        ])
    func plans(_ type: String, _ list: String) {
        var bench = Bench { $0.plan(0, "BTCUSDT", type: type, leg: .long, closes: false, size: "0.01") }
        let read = "/api/v2/mix/order/orders-plan-pending"
        for other in ["normal_plan", "track_plan", "profit_loss"] {
            let found = bench.get(read, "planType=\(other)&productType=USDT-FUTURES").text.contains("triggerPrice")
            #expect(found == (other == list))
        }
        let body = #"{"productType":"USDT-FUTURES","planType":""# + type + #""}"#
        #expect(bench.post("/api/v2/mix/order/cancel-plan-order", body).succeeded.count == 1)
    }
}
