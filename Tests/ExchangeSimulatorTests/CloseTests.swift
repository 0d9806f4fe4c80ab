import ExchangeSimulator
import Testing

private let oneBTC = #"{"productType":"USDT-FUTURES","symbol":"BTCUSDT"}"#

@Suite struct CloseTests {
    @Test("#17 closes one leg per order, with ids beyond 2^53") func closesEachLeg() {
        var bench = Bench(hedge: true) {
            $0.position(0, "BTCUSDT", side: .long, quantity: "0.015")
            $0.position(0, "BTCUSDT", side: .short, quantity: "0.01")
            $0.position(0, "ETHUSDT", side: .long, quantity: "2")
        }
        let answer = bench.close()
        #expect(answer.succeeded.count == 3)
        #expect(answer.failed.isEmpty)
        let ids = answer.succeeded.compactMap { ($0["orderId"] as? String).flatMap { Int64($0) } }
        #expect(Set(ids).count == 3)
        #expect(ids.allSatisfy { $0 > 1 << 53 })
        #expect(bench.simulation.isFlat)
        #expect(bench.simulation.truth.executedCloses.count == 3)
        #expect(bench.simulation.truth.exposureIncreases == 0)
    }

    @Test("#17 filters by side in hedge mode and ignores it one-way", arguments: [(true, 1), (false, 0)])
    func holdSide(_ hedge: Bool, _ left: Int) {
        var bench = Bench(hedge: hedge) { $0.position(0, "BTCUSDT", side: .long, quantity: "0.015") }
        _ = bench.close(#"{"productType":"USDT-FUTURES","symbol":"BTCUSDT","holdSide":"short"}"#)
        #expect(bench.simulation.openPositionCount == left)
    }

    @Test("#18 answers a flat account with 22002 or empty lists", arguments: [false, true])
    func flat(_ empty: Bool) {
        var switches = BitgetSwitches()
        switches.flatCloseIsEmpty = empty
        var bench = Bench(switches: switches)
        let answer = bench.close()
        #expect(answer.code == (empty ? "00000" : "22002"))
        #expect(answer.status == (empty ? 200 : 400))
    }

    @Test("#15 emits every reply variant", arguments: [false, true], [false, true])
    func variants(_ text: Bool, _ symbols: Bool) {
        var switches = BitgetSwitches()
        switches.requestTimeAsText = text
        switches.rowsWithSymbol = symbols
        switches.resultFalse = true
        switches.nullLists = true
        var bench = Bench(switches: switches) { $0.position(0, "BTCUSDT", side: .long, quantity: "0.015") }
        let answer = bench.close()
        #expect((answer.json["requestTime"] is String) == text)
        #expect((answer.succeeded.first?["symbol"] != nil) == symbols)
        #expect(answer.data["result"] as? Bool == false)
        #expect(answer.text.contains(#""failureList":null"#))
    }

    @Test("#16 sends business errors under the configured status", arguments: [200, 400])
    func status(_ status: Int) {
        var switches = BitgetSwitches()
        switches.businessErrorStatus = status
        var bench = Bench(switches: switches)
        #expect(bench.close().status == status)
    }

    @Test("#19 fills later, hides the new order and lets reads lag") func asynchronous() {
        var switches = BitgetSwitches()
        switches.detailHiddenMs = 300
        var bench = Bench(switches: switches, fillDelayMs: 500, readLagMs: 1_000) {
            $0.position(0, "BTCUSDT", side: .long, quantity: "0.015")
        }
        let id = bench.close().succeeded.first?["orderId"] as? String ?? ""
        let query = "orderId=\(id)&productType=USDT-FUTURES&symbol=BTCUSDT"
        #expect(bench.get("/api/v2/mix/order/detail", query).code == "40109")
        bench.wait(300)
        #expect(bench.get("/api/v2/mix/order/detail", query).data["state"] as? String == "live")
        bench.wait(200)
        #expect(bench.get("/api/v2/mix/order/detail", query).data["state"] as? String == "filled")
        #expect(bench.simulation.isFlat)
        bench.wait(900)
        #expect(bench.open().count == 1)
        bench.wait(100)
        #expect(bench.open().isEmpty)
        let fills = bench.get("/api/v2/mix/order/fills", "orderId=\(id)&productType=USDT-FUTURES")
        let fee = ((fills.data["fillList"] as? [[String: Any]])?.first?["feeDetail"] as? [[String: Any]])?.first
        #expect((fee?["totalFee"] as? String)?.hasPrefix("-") == true)
    }

    @Test(
        "#20 treats a leg that closers hold as the switch says",
        arguments: [
            (LockedBehaviour.cancelsClosers, "0", 1, 0), (.closesAvailable, "0.005", 1, 0), (.refuses, "0.015", 0, 1),
        ])
    func locked(_ behaviour: LockedBehaviour, _ left: String, _ closed: Int, _ failed: Int) {
        var switches = BitgetSwitches()
        switches.locked = behaviour
        var bench = Bench(hedge: true, switches: switches) {
            $0.position(0, "BTCUSDT", side: .long, quantity: "0.015")
            $0.resting(0, "BTCUSDT", leg: .long, closes: true, size: "0.005")
        }
        #expect(bench.open().first?["locked"] as? String == "0.005")
        let answer = bench.close()
        #expect(answer.succeeded.count == closed)
        #expect(answer.failed.count == failed)
        let remaining = bench.simulation.positions(ofUID: "9000001").first?.quantity ?? .zero
        #expect(remaining == Fixed(left))
    }

    @Test("#21 fails one symbol in a row, whole or silently", arguments: [SymbolFailure.Form.row, .call, .omitted])
    func failures(_ form: SymbolFailure.Form) {
        var switches = BitgetSwitches()
        switches.failures["BTCUSDT"] = SymbolFailure(form, code: "22044", times: 1)
        var bench = Bench(switches: switches) {
            $0.position(0, "BTCUSDT", side: .long, quantity: "0.015")
            $0.position(0, "ETHUSDT", side: .long, quantity: "1")
        }
        let answer = bench.close()
        #expect(answer.code == (form == .call ? "22044" : "00000"))
        #expect(answer.succeeded.count == (form == .call ? 0 : 1))
        #expect(answer.failed.first?["errorCode"] as? String == (form == .row ? "22044" : nil))
        bench.wait(1_000)
        _ = bench.close()
        #expect(bench.simulation.isFlat)
    }

    @Test(
        "#22 refuses what the contract's status forbids",
        arguments: [("maintain", "40844"), ("restrictedAPI", "22037"), ("off", "40309")])
    func statuses(_ status: String, _ code: String) {
        var bench = Bench { $0.position(0, "BTCUSDT", side: .long, quantity: "0.015") }
        bench.simulation.perform(
            .setStatus(product: "USDT-FUTURES", symbol: "BTCUSDT", status: status), uid: "9000001", atNs: 0)
        #expect(bench.close().failed.first?["errorCode"] as? String == code)
        let listed = bench.get("/api/v2/mix/market/contracts", "productType=USDT-FUTURES&symbol=BTCUSDT")
        #expect(listed.rows.first?["symbolStatus"] as? String == status)
    }

    @Test("#21 refuses a leg above the cap of one flash close") func sizeCap() {
        var instruments = SimulatedInstrument.catalogue
        instruments[0].maxFlashClose = "1"
        var bench = Bench(instruments: instruments) { $0.position(0, "BTCUSDT", side: .long, quantity: "1.5") }
        #expect(bench.close().failed.first?["errorCode"] as? String == "40888")
    }

    @Test("#23 an opener that nobody cancelled opens the position again", arguments: [false, true])
    func reopens(_ cancels: Bool) {
        var bench = Bench {
            $0.position(0, "BTCUSDT", side: .long, quantity: "0.015")
            $0.resting(0, "BTCUSDT", leg: .long, closes: false, size: "0.01")
            $0.edit(0) {
                $0.scripts = [Script(.afterClosed(symbol: "BTCUSDT", ms: 50), .fireOpener(symbol: "BTCUSDT"))]
            }
        }
        if cancels { _ = bench.post("/api/v2/mix/order/cancel-all-orders", #"{"productType":"USDT-FUTURES"}"#) }
        _ = bench.close()
        #expect(bench.simulation.isFlat)
        bench.wait(50)
        bench.simulation.advance(toNs: bench.now)
        #expect(bench.simulation.isFlat == cancels)
        #expect(bench.simulation.truth.venueOpenings.count == (cancels ? 0 : 1))
        #expect(bench.simulation.truth.exposureIncreases == 0)
    }

    @Test("#24 attached triggers go with the position, unless the switch keeps them", arguments: [false, true])
    func attachments(_ remain: Bool) {
        var switches = BitgetSwitches()
        switches.attachedTriggersRemain = remain
        var bench = Bench(switches: switches) {
            $0.position(0, "BTCUSDT", side: .long, quantity: "0.015")
            $0.plan(0, "BTCUSDT", type: "pos_loss", leg: .long, closes: true, size: "0")
        }
        _ = bench.close()
        let plans = bench.get("/api/v2/mix/order/orders-plan-pending", "planType=profit_loss&productType=USDT-FUTURES")
        #expect(plans.text.contains(#""entrustedList":null"#) == !remain)
    }

    @Test("#35 a position may vanish or flip between read and close") func shifts() {
        var bench = Bench {
            $0.position(0, "BTCUSDT", side: .long, quantity: "0.015")
            $0.position(0, "ETHUSDT", side: .long, quantity: "1")
            $0.edit(0) {
                $0.scripts = [
                    Script(.beforeClose(1), .remove(product: "USDT-FUTURES", symbol: "BTCUSDT")),
                    Script(.beforeClose(1), .flip(product: "USDT-FUTURES", symbol: "ETHUSDT", quantity: "2")),
                ]
            }
        }
        #expect(bench.close(oneBTC).code == "22002")
        #expect(bench.simulation.positions(ofUID: "9000001").map(\.side) == [.short])
        #expect(bench.simulation.truth.exposureIncreases == 0)
        #expect(bench.simulation.truth.executedCloses.isEmpty)
    }
}
