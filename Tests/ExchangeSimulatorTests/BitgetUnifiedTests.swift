import ExchangeKit
import ExchangeSimulator
import Testing

private let folder = "/api/v3/"
private let everything = #"{"category":"USDT-FUTURES"}"#

extension Bench {
    fileprivate mutating func unifiedClose(_ body: String = everything) -> Answer {
        post(folder + "trade/close-positions", body)
    }

    fileprivate mutating func read(_ path: String, _ query: String = "category=USDT-FUTURES") -> Answer {
        get(folder + path, query)
    }
}

extension Bench.Answer {
    fileprivate var list: [[String: Any]] { data["list"] as? [[String: Any]] ?? [] }
}

private func unified(
    hedge: Bool = false, switches: BitgetSwitches = BitgetSwitches(), faults: FaultPlan = FaultPlan(),
    fillDelayMs: Int64 = 0, _ prepare: (inout FleetBuilder) -> Void = { _ in }
) -> Bench {
    Bench(hedge: hedge, switches: switches, faults: faults, fillDelayMs: fillDelayMs) { fleet in
        prepare(&fleet)
        fleet.makeUnified(0)
    }
}

@Suite struct BitgetUnifiedTests {
    @Test("#12 each family refuses accounts of the other") func families() {
        var newer = unified()
        #expect(newer.close().code == "40085")
        #expect(newer.get("/api/v2/spot/account/info").code == "40085")
        #expect(newer.get("/api/v2/mix/market/contracts", "productType=USDT-FUTURES").rows.isEmpty == false)
        #expect(newer.get(folder + "nothing").code == "40404")
        var classic = Bench { $0.position(0, "BTCUSDT", side: .long, quantity: "0.02") }
        #expect(classic.unifiedClose().code == "40084")
        #expect(classic.read("position/current-position").code == "40084")
        #expect(classic.get(folder + "nothing").code == "40084")
        #expect(classic.simulation.openPositionCount == 1)
    }

    @Test("an account in the middle of an upgrade refuses both families until it is unified") func upgrade() {
        var bench = Bench {
            $0.position(0, "BTCUSDT", side: .long, quantity: "0.02")
            $0.edit(0) { $0.bitget.upgrade = BitgetUpgrade(endsMs: 2_000) }
        }
        #expect(bench.close().code == "40115")
        #expect(bench.unifiedClose().code == "40115")
        #expect(bench.read("account/settings", "").data["accountMode"] as? String == "upgrading")
        bench.wait(2_000)
        #expect(bench.close().code == "40085")
        #expect(bench.read("account/settings", "").data["accountMode"] as? String == "unified")
        #expect(bench.unifiedClose().list.count == 1)
        #expect(bench.simulation.isFlat)
    }

    @Test("shows positions, settings and assets") func reads() {
        var bench = unified(hedge: true) {
            $0.position(0, "BTCUSDT", side: .long, quantity: "0.02")
            $0.position(0, "BTCUSDT", side: .short, quantity: "0.01")
            $0.position(0, "ETHPERP", product: "USDC-FUTURES", side: .short, quantity: "1")
            $0.resting(0, "BTCUSDT", leg: .long, closes: true, size: "0.005")
        }
        let answer = bench.read("position/current-position")
        #expect(answer.list.compactMap { $0["posSide"] as? String } == ["long", "short"])
        #expect(answer.list.first?["frozen"] as? String == "0.005")
        #expect(answer.list.first?["available"] as? String == "0.015")
        #expect(answer.list.first?["total"] as? String == "0.02")
        #expect(answer.list.first?["holdMode"] as? String == "hedge_mode")
        #expect(answer.delivery.reply?.header("x-bg-request-accept-time") == String(Bench.epoch))
        #expect(bench.open().isEmpty)
        #expect(bench.read("position/current-position", "category=USDC-FUTURES").list.count == 1)
        let settings = bench.read("account/settings", "").data
        #expect(settings["uid"] as? String == "9000001")
        #expect(settings["holdMode"] as? String == "hedge_mode")
        #expect(bench.read("account/assets", "").data["unrealisedPnl"] as? String != "0")
    }

    @Test("#38 an empty list may be null", arguments: [false, true]) func nullList(_ isNull: Bool) {
        var switches = BitgetSwitches()
        switches.nullLists = isNull
        var bench = unified(switches: switches)
        #expect(bench.read("position/current-position").text.contains(#""list":null"#) == isNull)
    }

    @Test("#38 closes with a row and a code for each leg", arguments: BitgetUnifiedSwitches.RowCode.allCases)
    func rows(_ rowCode: BitgetUnifiedSwitches.RowCode) {
        var switches = BitgetSwitches()
        switches.unified.rowCode = rowCode
        switches.failures["ETHUSDT"] = SymbolFailure(.row, code: "24056", times: 1)
        var bench = unified(switches: switches) {
            $0.position(0, "BTCUSDT", side: .long, quantity: "0.02")
            $0.position(0, "ETHUSDT", side: .long, quantity: "1")
        }
        let answer = bench.unifiedClose()
        #expect(answer.code == "00000")
        #expect(answer.list.count == 2)
        let wanted: String? = rowCode == .zeros ? "00000" : rowCode == .empty ? "" : nil
        #expect(answer.list.first?["code"] as? String == wanted)
        #expect(answer.list.last?["code"] as? String == "24056")
        #expect(bench.simulation.positions(ofUID: "9000001").map(\.symbol) == ["ETHUSDT"])
        #expect(bench.unifiedClose().list.count == 1)
        #expect(bench.simulation.isFlat)
    }

    @Test("#38 answers a flat account with 25227 under HTTP 400, or an empty list", arguments: [false, true])
    func flat(_ empty: Bool) {
        var switches = BitgetSwitches()
        switches.flatCloseIsEmpty = empty
        var bench = unified(switches: switches)
        let answer = bench.unifiedClose()
        #expect(answer.code == (empty ? "00000" : "25227"))
        #expect(answer.status == (empty ? 200 : 400))
    }

    @Test(
        "judges the side by the position mode",
        arguments: [(false, false, "25236"), (false, true, "00000"), (true, false, "25227")])
    func sides(_ hedge: Bool, _ ignores: Bool, _ code: String) {
        var switches = BitgetSwitches()
        switches.unified.oneWayIgnoresSide = ignores
        var bench = unified(hedge: hedge, switches: switches) {
            $0.position(0, "BTCUSDT", side: .long, quantity: "0.02")
        }
        let short = #"{"category":"USDT-FUTURES","symbol":"BTCUSDT","posSide":"short"}"#
        #expect(bench.unifiedClose(short).code == code)
        #expect(bench.simulation.isFlat == (code == "00000"))
    }

    @Test(
        "refuses bad parameters",
        arguments: [
            "{", "{}", #"{"category":"FUTURES"}"#, #"{"category":"USDT-FUTURES","symbol":"NOPEUSDT"}"#,
            #"{"category":"USDT-FUTURES","posSide":"up"}"#,
        ])
    func parameters(_ body: String) {
        var bench = unified { $0.position(0, "BTCUSDT", side: .long, quantity: "0.02") }
        #expect(bench.unifiedClose(body).code == "400172")
        #expect(bench.simulation.openPositionCount == 1)
    }

    @Test(
        "says of a leg whose close is under way what the switch says",
        arguments: [(ClosingBehaviour.noPosition, "25227"), (.duplicateRow, "25212"), (.closingRow, "50066")])
    func underWay(_ behaviour: ClosingBehaviour, _ code: String) {
        var switches = BitgetSwitches()
        switches.closing = behaviour
        var bench = unified(switches: switches, fillDelayMs: 300) {
            $0.position(0, "BTCUSDT", side: .long, quantity: "0.02")
        }
        #expect(bench.unifiedClose().list.count == 1)
        let again = bench.unifiedClose()
        #expect((again.list.first?["code"] as? String ?? again.code) == code)
        bench.wait(300)
        bench.simulation.advance(toNs: bench.now)
        #expect(bench.simulation.truth.executedCloses.values.flatMap { $0 }.count == 1)
    }

    @Test(
        "allows exactly the capacity in a second",
        arguments: [
            ("position/current-position", 20), ("account/settings", 20), ("trade/unfilled-orders", 20),
            ("trade/unfilled-strategy-orders", 20), ("trade/order-info", 20), ("trade/close-positions", 5),
            ("trade/cancel-symbol-order", 5), ("trade/cancel-strategy-order", 10),
        ])
    func limits(_ path: String, _ capacity: Int) {
        var bench = unified()
        let posts = path.contains("close") || path.contains("cancel")
        func call() -> Bench.Answer {
            posts ? bench.post(folder + path, everything) : bench.read(path)
        }
        for _ in 0..<capacity { #expect(call().status != 429) }
        bench.wait(999)
        #expect(call().status == 429)
        bench.wait(1)
        #expect(call().status != 429)
        #expect(bench.simulation.truth.limitViolations.count == 1)
    }

    @Test("order detail is hidden at first and ends filled") func detail() {
        var switches = BitgetSwitches()
        switches.detailHiddenMs = 100
        var bench = unified(switches: switches, fillDelayMs: 300) {
            $0.position(0, "BTCUSDT", side: .long, quantity: "0.02")
        }
        let id = bench.unifiedClose().list.first?["orderId"] as? String ?? ""
        #expect(bench.read("trade/order-info", "orderId=" + id).code == "25204")
        bench.wait(100)
        #expect(bench.read("trade/order-info", "orderId=" + id).data["orderStatus"] as? String == "new")
        bench.wait(200)
        let filled = bench.read("trade/order-info", "orderId=" + id).data
        #expect(filled["orderStatus"] as? String == "filled")
        #expect(filled["cumExecQty"] as? String == "0.02")
    }

    @Test("lists and cancels orders and trigger orders by id", arguments: [false, true]) func cancels(_ asRows: Bool) {
        var switches = BitgetSwitches()
        switches.unified.cancelsAsRows = asRows
        var ids: [String] = []
        var bench = unified(switches: switches) { fleet in
            for _ in 0..<4 { ids.append(fleet.resting(0, "BTCUSDT", leg: .long, closes: false, size: "0.01")) }
            for _ in 0..<2 {
                ids.append(fleet.plan(0, "BTCUSDT", type: "normal_plan", leg: .long, closes: false, size: "0.01"))
            }
        }
        #expect(bench.read("trade/unfilled-orders").list.count == 4)
        #expect(bench.read("trade/unfilled-strategy-orders").list.count == 2)
        func named(_ id: String) -> String { #"{"orderId":""# + id + #""}"# }
        let single = bench.post(folder + "trade/cancel-order", named(ids[0]))
        #expect(single.data["orderId"] as? String == ids[0])
        #expect(bench.post(folder + "trade/cancel-order", named(ids[0])).code == "45129")
        let batch = bench.post(
            folder + "trade/cancel-batch",
            #"{"category":"USDT-FUTURES","symbol":"BTCUSDT","orderIdList":["# + named(ids[1]) + "," + named("5") + "]}")
        #expect((asRows ? batch.list : batch.succeeded + batch.failed).count == 2)
        let code = asRows ? batch.list.last?["code"] : batch.failed.first?["errorCode"]
        #expect(code as? String == "25204")
        let array = bench.post(folder + "trade/cancel-batch", "[" + named(ids[2]) + "]")
        #expect((asRows ? array.list : array.succeeded).count == 1)
        #expect(bench.post(folder + "trade/cancel-symbol-order", everything).code == "00000")
        #expect(bench.post(folder + "trade/cancel-symbol-order", everything).code == "25204")
        #expect(bench.simulation.openers(ofUID: "9000001") == 2)
        #expect(bench.post(folder + "trade/cancel-strategy-order", everything).code == "400172")
        for id in ids.suffix(2) {
            #expect(bench.post(folder + "trade/cancel-strategy-order", named(id)).code == "00000")
        }
        #expect(bench.simulation.openers(ofUID: "9000001") == 0)
    }

    @Test("pages open orders by the cursor") func paging() {
        var bench = unified { fleet in
            for _ in 0..<5 { fleet.resting(0, "BTCUSDT", leg: .long, closes: false, size: "0.01") }
        }
        var seen: [String] = []
        var query = "category=USDT-FUTURES&limit=2"
        for _ in 0..<3 {
            let answer = bench.read("trade/unfilled-orders", query)
            seen += answer.list.compactMap { $0["orderId"] as? String }
            query = "category=USDT-FUTURES&cursor=\(answer.data["cursor"] as? String ?? "")&limit=2"
        }
        #expect(seen.count == 5)
        #expect(seen == seen.sorted(by: >))
    }

    @Test("#32 a close that comes late closes once") func late() {
        var plan = FaultPlan()
        plan.perMille[.lateExecution] = 1_000
        plan.quietAfterMs = 1
        var bench = unified(faults: plan) { $0.position(0, "BTCUSDT", side: .long, quantity: "0.02") }
        #expect(bench.unifiedClose().delivery.fate == .cutBeforeExecution)
        #expect(!bench.simulation.isFlat)
        bench.wait(6_000)
        #expect(bench.unifiedClose().code == "25227")
        #expect(bench.simulation.truth.receipts.first?.executed == true)
        #expect(bench.simulation.truth.executedCloses.values.flatMap { $0 }.map(\.quantity) == ["0.02"])
    }

    @Test("names the right that a key lacks") func rights() {
        var bench = unified {
            $0.position(0, "BTCUSDT", side: .long, quantity: "0.02")
            $0.edit(0) { $0.authorities = ["cpor"] }
        }
        #expect(bench.unifiedClose().text.contains("uta_trade"))
        #expect(bench.read("position/current-position").list.count == 1)
    }
}
