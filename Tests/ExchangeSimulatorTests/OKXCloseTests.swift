import ExchangeSimulator
import Testing

private let swap = OKXBench.swap

/// One position, as most of these tests have it.
private func withLong(
    hedge: Bool = false, switches: OKXSwitches = OKXSwitches(), fillDelayMs: Int64 = 0,
    _ more: (inout FleetBuilder) -> Void = { _ in }
) -> OKXBench {
    OKXBench(hedge: hedge, switches: switches, fillDelayMs: fillDelayMs) {
        $0.position(0, swap, product: "SWAP", side: .long, quantity: "1.5", marginMode: "cross")
        more(&$0)
    }
}

@Suite struct OKXCloseTests {
    @Test(
        "#26 closes the whole of one position of each kind, and acknowledges it without an order id",
        arguments: [
            ("BTC-USDT-SWAP", "SWAP", "cross", ""), ("ETH-USDT-SWAP", "SWAP", "isolated", #","posSide":"net""#),
            ("BTC-USD-SWAP", "SWAP", "cross", #","ccy":"BTC""#), ("BTC-USD_UM-SWAP", "SWAP", "cross", ""),
            ("BTC-USDT-261225", "FUTURES", "cross", ""), ("BTC-USD-270326", "FUTURES", "isolated", ""),
            ("BTC-USDT", "MARGIN", "cross", #","ccy":"USDT""#), ("ETH-USDT", "MARGIN", "isolated", ""),
        ], [PositionSide.long, .short])
    func closes(_ row: (symbol: String, product: String, mode: String, more: String), _ side: PositionSide) {
        var bench = OKXBench {
            $0.position(0, row.symbol, product: row.product, side: side, quantity: "3", marginMode: row.mode)
            $0.position(0, "SOL-USDT-SWAP", product: "SWAP", side: side, quantity: "7", marginMode: row.mode)
        }
        let answer = bench.close(row.symbol, row.mode, row.more + #","clOrdId":"abc1","tag":"flatten""#)
        #expect(answer.code == "0")
        #expect(answer.status == 200)
        #expect(answer.rows.first?.keys.sorted() == ["clOrdId", "instId", "posSide", "tag"])
        #expect(answer.first("posSide") == "net")
        #expect(bench.open == ["7"])
        #expect(bench.simulation.truth.exposureIncreases == 0)
        let order = bench.get("trade/order", "instId=\(row.symbol)&clOrdId=abc1")
        #expect(order.first("state") == "filled")
        #expect(order.first("side") == (side == .long ? "sell" : "buy"))
        #expect(order.first("accFillSz") == "3")
        #expect(order.first("tag") == "flatten")
        #expect(order.first("fee")?.hasPrefix("-") == true)
    }

    @Test("#19 closes the named side alone in long/short mode, and wants it named") func sides() {
        var bench = withLong(hedge: true) {
            $0.position(0, swap, product: "SWAP", side: .short, quantity: "2", marginMode: "cross")
        }
        #expect(bench.close().code == "51000")
        #expect(bench.close(swap, "cross", #","posSide":"net""#).code == "51000")
        #expect(bench.close(swap, "cross", #","posSide":"short""#).first("posSide") == "short")
        #expect(bench.open == ["1.5"])
        #expect(bench.close(swap, "cross", #","posSide":"short""#).code == "51023")
        #expect(bench.close(swap, "cross", #","posSide":"long""#).code == "0")
        #expect(bench.open.isEmpty)
    }

    @Test(
        "#17 #19 refuses what does not fit, with its code",
        arguments: [
            (#"{"mgnMode":"cross"}"#, "50014"), (#"{"instId":"BTC-USDT-SWAP"}"#, "50014"),
            (#"{"instId":"BTC-USDT-SWAP","mgnMode":""}"#, "50014"),
            (#"{"instId":"BTC-USDT-SWAP","mgnMode":"crossed"}"#, "51000"),
            (#"{"instId":"BTC-USDT-SWAP","mgnMode":"cross","posSide":"long"}"#, "51000"),
            (#"{"instId":"BTC-USDT-SWAP","mgnMode":"cross","posSide":"both"}"#, "51000"),
            (#"{"instId":"BTC-USDT-SWAP","mgnMode":"cross","clOrdId":"a-b"}"#, "51000"),
            (#"{"instId":"BTC-USDT-SWAP","mgnMode":"cross","clOrdId":"a23456789012345678901234567890123"}"#, "51000"),
            (#"{"instId":"BTC-USDT-SWAP","mgnMode":"cross","tag":"a2345678901234567"}"#, "51000"),
            (#"{"instId":"BTC-USDT-SWAP","mgnMode":"cross","autoCxl":"perhaps"}"#, "51000"),
            (#"{"instId":"NO-USDT-SWAP","mgnMode":"cross"}"#, "51001"),
            (#"{"instId":"btc-usdt-swap","mgnMode":"cross"}"#, "51001"),
            (#"{"instId":"BTC-USDT","mgnMode":"cross"}"#, "50014"),
            (#"{"instId":"BTC-USDT-SWAP","mgnMode":"isolated"}"#, "51023"),
            (#"{"instId":"ETH-USDT-SWAP","mgnMode":"cross"}"#, "51023"),
        ])
    func refuses(_ body: String, _ code: String) {
        var bench = withLong()
        #expect(bench.post("trade/close-position", body).code == code)
        #expect(bench.open == ["1.5"])
    }

    @Test("#19 takes the missing side for a missing parameter by switch, and an isolated miss for 51043")
    func variants() {
        var switches = OKXSwitches()
        switches.missingPosSideCode = "50014"
        switches.isolatedGoneCode = "51043"
        var bench = withLong(hedge: true, switches: switches)
        #expect(bench.close().code == "50014")
        #expect(bench.close(swap, "isolated", #","posSide":"long""#).code == "51043")
    }

    @Test(
        "#19 needs the coin of a cross margin position in futures mode only",
        arguments: [
            ("2", "", "50014"), ("2", #","ccy":"BTC""#, "51023"), ("2", #","ccy":"USDT""#, "0"), ("3", "", "0"),
        ])
    func coin(_ level: String, _ more: String, _ code: String) {
        var bench = OKXBench {
            $0.position(0, "BTC-USDT", product: "MARGIN", side: .short, quantity: "0.5", marginMode: "cross")
            $0.edit(0) { $0.okx.accountLevel = level }
        }
        #expect(bench.close("BTC-USDT", "cross", more).code == code)
        #expect(bench.open.isEmpty == (code == "0"))
    }

    @Test("#19 knows isolated positions at the higher levels only where they stand") func levels() {
        var bench = withLong { $0.edit(0) { $0.okx.accountLevel = "3" } }
        #expect(bench.close(swap, "isolated").code == "51010")
        #expect(bench.close().code == "0")
    }

    @Test(
        "#18 says why an instrument cannot be traded, and lists it so",
        arguments: [
            ("suspend", "51022", "suspend"), ("preopen", "51021", "preopen"), ("expired", "51027", nil),
            ("51029", "51029", "live"), ("51028", "51028", "live"),
        ] as [(String, String, String?)])
    func states(_ status: String, _ code: String, _ listed: String?) {
        var bench = withLong()
        bench.simulation.perform(
            .setStatus(product: "SWAP", symbol: swap, status: status), uid: OKXBench.identity.uid, atNs: 0)
        #expect(bench.close().code == code)
        let found = bench.get("public/instruments", "instType=SWAP&instId=\(swap)")
        #expect(found.first("state") == listed)
        #expect(found.code == (listed == nil ? "51001" : "0"))
    }

    @Test("#21 refuses a second close while the first runs", arguments: ["51032", "51342"])
    func running(_ code: String) {
        var switches = OKXSwitches()
        switches.runningCode = code
        var bench = withLong(switches: switches, fillDelayMs: 500)
        #expect(bench.close().code == "0")
        #expect(bench.close().code == code)
        bench.wait(500)
        #expect(bench.close().code == "51023")
        #expect(bench.simulation.truth.executedCloses.values.map(\.count) == [1])
    }

    @Test(
        "#22 refuses with 51115 under status 429 while closing orders wait, unless told to cancel them",
        arguments: [
            ("", "51115"), (#","autoCxl":false"#, "51115"), (#","autoCxl":"false""#, "51115"),
            (#","autoCxl":"""#, "51115"), (#","autoCxl":true"#, "0"), (#","autoCxl":"true""#, "0"),
        ])
    func autoCancel(_ more: String, _ code: String) {
        var bench = withLong {
            $0.resting(0, swap, product: "SWAP", leg: .long, closes: true, size: "1")
            $0.resting(0, swap, product: "SWAP", leg: .long, closes: false, size: "2")
            $0.resting(0, "ETH-USDT-SWAP", product: "SWAP", leg: .long, closes: true, size: "3")
            $0.plan(0, swap, product: "SWAP", type: "trigger", leg: .long, closes: false, size: "1")
        }
        let answer = bench.close(swap, "cross", more)
        #expect(answer.code == code)
        #expect(answer.status == (code == "0" ? 200 : 429))
        #expect(bench.open.isEmpty == (code == "0"))
        // Openers and the orders of other contracts stay.
        let pending = bench.get("trade/orders-pending")
        #expect(pending.all("sz").sorted() == (code == "0" ? ["2", "3"] : ["1", "2", "3"]))
        #expect(bench.get("trade/orders-algo-pending", "ordType=trigger").rows.count == 1)
    }

    @Test(
        "#29 lets closing trigger orders stand, block or go, as the switch says",
        arguments: [(OKXAlgoRule.untouched, "0"), (.blocks, "51115"), (.cancelled, "0")])
    func algos(_ rule: OKXAlgoRule, _ code: String) {
        var switches = OKXSwitches()
        switches.algos = rule
        func bench() -> OKXBench {
            withLong(switches: switches, fillDelayMs: 100) {
                $0.plan(0, swap, product: "SWAP", type: "conditional", leg: .long, closes: true, size: "0")
            }
        }
        var plain = bench()
        #expect(plain.close().code == code)
        var cancelling = bench()
        #expect(cancelling.close(swap, "cross", #","autoCxl":true"#).code == "0")
        let left = cancelling.get("trade/orders-algo-pending", "ordType=conditional").rows
        #expect(left.isEmpty == (rule != .untouched))
    }

    @Test("Trigger orders outlive their position by switch", arguments: [false, true]) func outlive(_ stay: Bool) {
        var switches = OKXSwitches()
        switches.algosOutliveTheirPosition = stay
        var bench = withLong(switches: switches) {
            $0.plan(0, swap, product: "SWAP", type: "oco", leg: .long, closes: true, size: "1")
        }
        bench.close()
        #expect(bench.get("trade/orders-algo-pending", "ordType=conditional,oco").rows.count == (stay ? 1 : 0))
    }

    @Test(
        "#23 refuses a position above the bound, and closes one at it",
        arguments: [("12000", "0"), ("12000.01", "51108")])
    func bound(_ size: String, _ code: String) {
        var bench = OKXBench {
            $0.position(0, swap, product: "SWAP", side: .long, quantity: Fixed(size) ?? .zero, marginMode: "cross")
        }
        #expect(bench.close().code == code)
    }

    @Test("#24 refuses options unless the switch closes them", arguments: [false, true]) func options(_ closes: Bool) {
        var switches = OKXSwitches()
        switches.optionsClose = closes
        let symbol = "BTC-USD-261225-100000-C"
        var bench = OKXBench(switches: switches) {
            $0.position(0, symbol, product: "OPTION", side: .long, quantity: "4", marginMode: "cross")
        }
        #expect(bench.close(symbol).code == (closes ? "0" : "51066"))
        #expect(bench.open.isEmpty == closes)
    }

    @Test("#25 takes an id of the client's again only when its order is over") func duplicates() {
        var bench = withLong(fillDelayMs: 100) {
            $0.position(0, "ETH-USDT-SWAP", product: "SWAP", side: .long, quantity: "3", marginMode: "cross")
        }
        #expect(bench.close(swap, "cross", #","clOrdId":"same""#).code == "0")
        #expect(bench.close("ETH-USDT-SWAP", "cross", #","clOrdId":"same""#).code == "51016")
        bench.wait(100)
        #expect(bench.close("ETH-USDT-SWAP", "cross", #","clOrdId":"same""#).code == "0")
    }

    @Test("#26 a part may fill and the rest wait, which then blocks the next close") func resting() {
        var switches = OKXSwitches()
        switches.partialSymbols = [swap]
        var bench = withLong(switches: switches)
        #expect(bench.close(swap, "cross", #","clOrdId":"first""#).code == "0")
        #expect(bench.open == ["0.75"])
        let order = bench.get("trade/order", "instId=\(swap)&clOrdId=first")
        #expect(order.first("state") == "partially_filled")
        #expect(order.first("sz") == "1.5")
        #expect(order.first("accFillSz") == "0.75")
        #expect(bench.get("trade/orders-pending", "instId=\(swap)").all("clOrdId") == ["first"])
        #expect(bench.close().code == "51115")
        let cancelled = bench.post("trade/cancel-order", #"{"instId":"\#(swap)","clOrdId":"first"}"#)
        #expect(cancelled.code == "0")
        #expect(bench.get("trade/order", "instId=\(swap)&clOrdId=first").first("state") == "canceled")
        #expect(bench.close().code == "0")
        #expect(bench.open.isEmpty)
    }

    @Test("#26 a part may fill and the rest be cancelled by the exchange") func cancelledRest() {
        var switches = OKXSwitches()
        switches.partialSymbols = [swap]
        switches.remainder = .cancelled
        var bench = withLong(switches: switches)
        bench.close(swap, "cross", #","clOrdId":"first""#)
        let order = bench.get("trade/order", "instId=\(swap)&clOrdId=first")
        #expect(order.first("state") == "canceled")
        #expect(order.first("cancelSource") == "27")
        #expect(bench.close().code == "0")
        #expect(bench.open.isEmpty)
    }

    @Test("#26 cross margin may be acknowledged and not done") func nothingDone() {
        var switches = OKXSwitches()
        switches.marginClosesDoNothing = true
        var bench = OKXBench(switches: switches) {
            $0.position(0, "BTC-USDT", product: "MARGIN", side: .long, quantity: "0.5", marginMode: "cross")
        }
        let answer = bench.close("BTC-USDT", "cross", #","ccy":"USDT","clOrdId":"lost""#)
        #expect(answer.code == "0")
        #expect(!answer.delivery.executed)
        #expect(bench.open == ["0.5"])
        #expect(bench.get("trade/order", "instId=BTC-USDT&clOrdId=lost").code == "51603")
    }

    @Test("Fails one instrument as told", arguments: [SymbolFailure.Form.row, .call, .omitted])
    func failures(_ form: SymbolFailure.Form) {
        var switches = OKXSwitches()
        switches.failures[swap] = SymbolFailure(form, code: "50020", times: 1)
        var bench = withLong(switches: switches)
        let answer = bench.close()
        #expect(answer.code == (form == .call ? "50020" : form == .row ? "1" : "0"))
        #expect(answer.first("sCode") == (form == .row ? "50020" : nil))
        #expect(bench.open == ["1.5"])
        #expect(bench.close().code == "0")
        #expect(bench.open.isEmpty)
    }

    @Test("Errors carry data as the switch says", arguments: OKXErrorData.allCases) func errorData(_ form: OKXErrorData)
    {
        var switches = OKXSwitches()
        switches.errorData = form
        var bench = OKXBench(switches: switches)
        let answer = bench.close()
        #expect(answer.code == "51023")
        #expect((answer.json["data"] is [Any]) == (form == .emptyList))
        #expect((answer.json["data"] is [String: Any]) == (form == .emptyObject))
        switches.closeErrorsAsItems = true
        var items = OKXBench(switches: switches)
        #expect(items.close().first("sCode") == "51023")
    }

    @Test("#27 hides flat rows, but shows them of zero to who asks for the instrument", arguments: OKXZeroRows.allCases)
    func zeroRows(_ rule: OKXZeroRows) {
        var switches = OKXSwitches()
        switches.zeroRows = rule
        var bench = withLong(switches: switches)
        let query = "instId=\(swap),ETH-USDT-SWAP"
        #expect(bench.get("account/positions", query).rows.count == (rule == .always ? 2 : 1))
        bench.close()
        #expect(bench.get("account/positions").rows.isEmpty)
        let rows = bench.get("account/positions", query).rows
        #expect(rows.count == (rule == .always ? 2 : rule == .afterClose ? 1 : 0))
        for row in rows {
            #expect(row["pos"] as? String == "0")
            #expect(row["avgPx"] as? String == "")
            #expect(row["mgnMode"] as? String == "")
        }
    }

    @Test("#27 lets position reads lag") func lag() {
        var bench = OKXBench(readLagMs: 1_000) {
            $0.position(0, swap, product: "SWAP", side: .long, quantity: "1.5", marginMode: "cross")
        }
        bench.close()
        bench.wait(999)
        #expect(bench.get("account/positions").rows.count == 1)
        bench.wait(1)
        #expect(bench.get("account/positions").rows.isEmpty)
    }

    @Test("#28 hides an order at first, and never knows the id of a close by switch") func lookups() {
        var switches = OKXSwitches()
        switches.orderHiddenMs = 300
        var bench = withLong(switches: switches)
        bench.close(swap, "cross", #","clOrdId":"abc""#)
        let query = "instId=\(swap)&clOrdId=abc"
        #expect(bench.get("trade/order", query).code == "51603")
        bench.wait(300)
        #expect(bench.get("trade/order", query).first("state") == "filled")
        switches.attachesClientIDs = false
        var other = withLong(switches: switches)
        other.close(swap, "cross", #","clOrdId":"abc""#)
        other.wait(5_000)
        #expect(other.get("trade/order", query).code == "51603")
        #expect(other.get("trade/orders-history", "instType=SWAP").all("clOrdId") == [""])
    }

    @Test(
        "#32 self-trade prevention cancels a close that meets a sibling's order",
        arguments: [
            ("cancel_maker", true), ("cancel_taker", false), ("cancel_both", false),
        ])
    func siblings(_ mode: String, _ closes: Bool) {
        var bench = withLong { fleet in
            fleet.edit(0) { $0.okx.selfTradeMode = mode }
            var sibling = OKXBench.identity
            (sibling.uid, sibling.key) = ("44705892343619585", "another-key")
            fleet.add(sibling)
            fleet.resting(1, swap, product: "SWAP", leg: .long, closes: false, size: "1")
        }
        #expect(bench.close(swap, "cross", #","clOrdId":"abc""#).code == "0")
        #expect(bench.open.isEmpty == closes)
        let order = bench.get("trade/order", "instId=\(swap)&clOrdId=abc")
        #expect(order.first("cancelSource") == (closes ? "" : "32"))
    }

    @Test("#34 maintenance shows in the status, and stops trading calls only") func maintenance() {
        var switches = OKXSwitches()
        #expect(
            {
                var bench = OKXBench(); return bench.get("system/status").text
            }().contains(#""data":[]"#))
        switches.isUnderMaintenance = true
        var bench = withLong(switches: switches)
        #expect(bench.get("system/status").first("state") == "ongoing")
        let answer = bench.close()
        #expect(answer.code == "50001")
        #expect(answer.status == 503)
        #expect(bench.get("account/positions").rows.count == 1)
    }

    @Test("Takes the body that python-okx sends, empty strings and blanks included") func pythonBody() {
        var bench = withLong()
        let body =
            #"{"instId": "BTC-USDT-SWAP", "mgnMode": "cross", "posSide": "", "ccy": "", "autoCxl": "", "clOrdId": "", "tag": ""}"#
        let answer = bench.post("trade/close-position", body)
        #expect(answer.code == "0")
        #expect(answer.first("clOrdId") == "")
        #expect(bench.open.isEmpty)
    }

    @Test("A position may flip between read and close") func shifts() {
        var bench = withLong {
            $0.edit(0) {
                $0.scripts = [Script(.beforeClose(1), .flip(product: "SWAP", symbol: swap, quantity: "2"))]
            }
        }
        // Net mode names no side: the close takes what is there.
        #expect(bench.close().code == "0")
        #expect(bench.open.isEmpty)
        #expect(bench.simulation.truth.exposureIncreases == 0)
    }

    @Test("Reply variants are drawn from the seed: several in one run, the same in each") func drawnVariants() {
        var switches = OKXSwitches()
        switches.drawsReplyVariants = true
        func run() -> [String] {
            var bench = OKXBench(switches: switches)
            return (0..<20).map { _ in bench.close().text }
        }
        #expect(Set(run()).count == 3)
        #expect(run() == run())
    }
}
