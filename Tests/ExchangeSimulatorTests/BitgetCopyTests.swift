import ExchangeKit
import ExchangeSimulator
import Testing

private let folder = "/api/v2/copy/mix-follower/"
private let product = "USDT-FUTURES"

extension Bench {
    fileprivate mutating func closeCopy(_ extra: String = "") -> Answer {
        post(folder + "close-positions", #"{"productType":"USDT-FUTURES""# + extra + "}")
    }

    fileprivate mutating func copies(_ query: String = "") -> Answer {
        get(folder + "query-current-orders", query + "productType=USDT-FUTURES")
    }

    fileprivate var left: Int { simulation.openPositionCount }
}

extension Bench.Answer {
    fileprivate var tracked: [[String: Any]] { data["trackingList"] as? [[String: Any]] ?? [] }
    fileprivate var orderIDs: [String] { data["orderIdList"] as? [String] ?? [] }
}

private func number(_ id: String) -> String { #","trackingNo":""# + id + #"""# }

@Suite struct BitgetCopyTests {
    @Test("#29 lists copies as an array or as an object", arguments: [false, true]) func shapes(_ array: Bool) {
        var switches = BitgetSwitches()
        switches.copy.listAsArray = array
        var id = ""
        var bench = Bench(switches: switches) {
            id = $0.copy(0, "BTCUSDT", side: .long, quantity: "0.02", trader: "77", marginMode: "isolated")
            $0.position(0, "ETHUSDT", side: .long, quantity: "1")
        }
        let answer = bench.copies()
        let rows = array ? answer.rows : answer.tracked
        #expect((answer.json["data"] is [Any]) == array)
        #expect(rows.count == 1)
        #expect(rows.first?["trackingNo"] as? String == id)
        #expect(rows.first?["traderId"] as? String == "77")
        #expect(rows.first?["openSize"] as? String == "0.02")
        #expect(rows.first?["posSide"] as? String == "long")
        #expect(rows.first?["closeTime"] as? String == "0")
        #expect(bench.open().compactMap { $0["symbol"] as? String } == ["ETHUSDT"])
        #expect(bench.simulation.accounts.first?.copies.map(\.trackingNo) == [id])
    }

    @Test("draws both shapes of the list, and of an empty one") func drawnShapes() {
        var switches = BitgetSwitches()
        switches.drawsReplyVariants = true
        for isEmpty in [false, true] {
            var bench = Bench(switches: switches, limitsScale: 20) {
                $0.follow(0)
                if !isEmpty { $0.copy(0, "BTCUSDT", side: .long, quantity: "0.02") }
            }
            let answers = (0..<40).map { _ in bench.copies() }
            #expect(answers.contains { $0.json["data"] is [Any] })
            #expect(answers.contains { $0.data["trackingList"] is [Any] })
            #expect(answers.allSatisfy { ($0.rows + $0.tracked).count == (isEmpty ? 0 : 1) })
            #expect(answers.contains { $0.text.contains(#""trackingList":null"#) } == isEmpty)
        }
    }

    @Test("what a fleet holds is untouched by followers and unified accounts beside it") func neighbours() {
        let plain = FleetBuilder.random(accounts: 4, positionsPerAccount: 4, seed: 9)
        var mixed = plain
        mixed.makeFollower(0, copies: 3, seed: 9)
        mixed.makeUnified(1)
        mixed.makeFollower(1, copies: 3, seed: 9)
        #expect(mixed.accounts[0].positions.filter { !$0.isCopy } == plain.accounts[0].positions)
        #expect(mixed.accounts[1].positions == plain.accounts[1].positions)
        #expect(mixed.accounts[1].isUnified)
        #expect(mixed.accounts[1].copies.isEmpty)
        mixed.makeFollower(2, copies: 3, seed: 9)
        #expect(mixed.accounts[2].copies.count == 3)
        mixed.makeUnified(2)
        #expect(mixed.accounts[2].positions == plain.accounts[2].positions)
        #expect(!mixed.accounts[2].isFollower)
        #expect(mixed.accounts[3].positions == plain.accounts[3].positions)
    }

    @Test("pages open copies newest first and filters them") func paging() {
        var bench = Bench { fleet in
            for _ in 0..<5 { fleet.copy(0, "BTCUSDT", side: .long, quantity: "0.01") }
            fleet.copy(0, "ETHUSDT", side: .long, quantity: "1", trader: "77")
        }
        var seen: [String] = []
        var query = "limit=4&"
        for _ in 0..<3 {
            let answer = bench.copies(query)
            seen += answer.tracked.compactMap { $0["trackingNo"] as? String }
            query = "idLessThan=\(answer.data["endId"] as? String ?? "")&limit=4&"
        }
        #expect(seen.count == 6)
        #expect(seen == seen.sorted(by: >))
        #expect(bench.copies("symbol=ETHUSDT&").tracked.count == 1)
        bench.wait(1_000)
        #expect(bench.copies("traderId=77&").tracked.count == 1)
        #expect(bench.copies("limit=101&").code == "40020")
    }

    @Test("closes a copy after the delay, once, and counts it under its own product") func asynchronous() {
        var id = ""
        var bench = Bench(fillDelayMs: 200) {
            $0.copy(0, "BTCUSDT", side: .long, quantity: "0.03")
            id = $0.copy(0, "BTCUSDT", side: .long, quantity: "0.02")
        }
        #expect(bench.closeCopy(number(id)).orderIDs.count == 1)
        #expect(bench.left == 2)
        #expect(bench.closeCopy(number(id)).code == "43065")
        bench.wait(200)
        bench.simulation.advance(toNs: bench.now)
        #expect(bench.simulation.positions(ofUID: "9000001").map(\.quantity) == ["0.03"])
        let key = LegKey(uid: "9000001", product: "copy:" + product, symbol: "BTCUSDT", side: .long)
        #expect(bench.simulation.truth.executedCloses[key]?.map(\.quantity) == ["0.02"])
        #expect(bench.copies().tracked.count == 1)
        let closed = bench.get(folder + "query-history-orders", "productType=USDT-FUTURES").tracked
        #expect(closed.compactMap { $0["trackingNo"] as? String } == [id])
        #expect(closed.first?["closeSize"] as? String == "0.02")
        #expect(String(decoding: bench.simulation.stateJSON(), as: UTF8.self).contains("copy:USDT-FUTURES"))
    }

    @Test("a close under way does not hold up another copy of the symbol") func siblings() {
        var ids: [String] = []
        var bench = Bench(fillDelayMs: 200) {
            for size: Fixed in ["0.03", "0.02"] {
                ids.append($0.copy(0, "BTCUSDT", side: .long, quantity: size))
            }
        }
        for id in ids { #expect(bench.closeCopy(number(id)).orderIDs.count == 1) }
        #expect(bench.closeCopy(#","symbol":"BTCUSDT""#).code == "22002")
        bench.wait(200)
        bench.simulation.advance(toNs: bench.now)
        #expect(bench.simulation.isFlat)
    }

    @Test(
        "#29 answers a wrong close with its code",
        arguments: [
            (true, #","symbol":"BTCUSDT""#, "40019"), (true, #","symbol":"BTCUSDT","holdSide":"up""#, "40020"),
            (false, #","trackingNo":"1""#, "43065"), (false, #","symbol":"BTCUSDT","marginMode":"crossed""#, "40020"),
            (false, #","symbol":"ETHUSDT""#, "22002"), (true, #","symbol":"BTCUSDT","holdSide":"short""#, "22002"),
            (false, #","symbol":"BTCUSDT","marginMode":"isolated""#, "22002"), (false, #","symbol":"NOPE""#, "40034"),
        ])
    func refusals(_ hedge: Bool, _ extra: String, _ code: String) {
        var bench = Bench(hedge: hedge) { $0.copy(0, "BTCUSDT", side: .long, quantity: "0.02") }
        #expect(bench.closeCopy(extra).code == code)
        #expect(bench.left == 1)
    }

    @Test(
        "#29 what comes with a tracking number must match it",
        arguments: [
            (#","symbol":"ETHUSDT""#, "40017"), (#","marginCoin":"USDC""#, "40017"),
            (#","marginMode":"isolated""#, "40017"), (#","holdSide":"short""#, "40017"),
            (#","symbol":"BTCUSDT","marginCoin":"USDT","marginMode":"cross""#, "00000"),
        ])
    func mismatches(_ extra: String, _ code: String) {
        var id = ""
        var bench = Bench(hedge: true) { id = $0.copy(0, "BTCUSDT", side: .long, quantity: "0.02") }
        let side = extra.contains("holdSide") ? "" : #","holdSide":"long""#
        #expect(bench.closeCopy(number(id) + extra + side).code == code)
        #expect(bench.left == (code == "00000" ? 0 : 1))
    }

    @Test("one-way mode ignores the side; a copy in hedge mode needs it", arguments: ["40019", "40017"])
    func sides(_ code: String) {
        var id = ""
        var oneWay = Bench { id = $0.copy(0, "BTCUSDT", side: .long, quantity: "0.02") }
        #expect(oneWay.closeCopy(number(id) + #","holdSide":"short""#).orderIDs.count == 1)
        #expect(oneWay.simulation.isFlat)
        var switches = BitgetSwitches()
        switches.copy.missingHoldSideCode = code
        var hedge = Bench(hedge: true, switches: switches) { $0.copy(0, "BTCUSDT", side: .long, quantity: "0.02") }
        #expect(hedge.closeCopy(number(id)).code == code)
        #expect(hedge.left == 1)
    }

    @Test("closes by symbol, by margin mode, and the whole product where the switch says so", arguments: [true, false])
    func filters(_ whole: Bool) {
        var switches = BitgetSwitches()
        switches.copy.closesWholeProduct = whole
        var bench = Bench(switches: switches) {
            $0.copy(0, "BTCUSDT", side: .long, quantity: "0.02")
            $0.copy(0, "BTCUSDT", side: .long, quantity: "0.02", marginMode: "isolated")
            $0.copy(0, "ETHUSDT", side: .short, quantity: "1")
            $0.copy(0, "SOLUSDT", side: .short, quantity: "1")
            $0.position(0, "XRPUSDT", side: .long, quantity: "10")
        }
        #expect(bench.closeCopy(#","symbol":"BTCUSDT","marginMode":"cross""#).orderIDs.count == 1)
        #expect(bench.closeCopy(#","symbol":"BTCUSDT""#).orderIDs.count == 1)
        let rest = bench.closeCopy()
        #expect(rest.code == (whole ? "00000" : "40019"))
        #expect(rest.orderIDs.count == (whole ? 2 : 0))
        #expect(bench.left == (whole ? 1 : 3))
        #expect(bench.open().count == 1)
    }

    @Test("allows five calls a second of each route, not six") func limits() {
        var bench = Bench { $0.copy(0, "BTCUSDT", side: .long, quantity: "0.02") }
        for _ in 0..<5 {
            #expect(bench.copies().status == 200)
            #expect(bench.closeCopy(number("1")).code == "43065")
        }
        bench.wait(999)
        #expect(bench.copies().status == 429)
        #expect(bench.closeCopy(number("1")).status == 429)
        #expect(bench.simulation.truth.limitViolations.count == 2)
        bench.wait(1)
        #expect(bench.copies().status == 200)
    }

    @Test("keys without the right, and accounts that copy nobody") func rights() {
        var plain = Bench()
        #expect(plain.copies().code == "00000")
        #expect(plain.copies().tracked.isEmpty)
        #expect(plain.closeCopy().code == "40014")
        var reader = Bench {
            $0.copy(0, "BTCUSDT", side: .long, quantity: "0.02")
            $0.edit(0) { $0.authorities.removeAll { $0 == "ttow" } }
        }
        #expect(reader.copies().tracked.count == 1)
        #expect(reader.closeCopy().text.contains("ttow"))
        var switches = BitgetSwitches()
        switches.copy.nonFollowerCode = "31057"
        var stranger = Bench(switches: switches)
        #expect(stranger.copies().code == "31057")
        switches.copy.isForbidden = true
        var nobody = Bench(switches: switches) { $0.copy(0, "BTCUSDT", side: .long, quantity: "0.02") }
        #expect(nobody.copies().code == "40014")
    }

    @Test("plain lists show copies by switch, and plain closes of them answer 40866") func plainLists() {
        var switches = BitgetSwitches()
        switches.copy.inPlainLists = true
        var bench = Bench(switches: switches) {
            $0.copy(0, "BTCUSDT", side: .long, quantity: "0.02")
            $0.position(0, "BTCUSDT", side: .long, quantity: "0.01")
        }
        #expect(bench.open().compactMap { $0["total"] as? String } == ["0.03"])
        let answer = bench.close()
        #expect(answer.succeeded.count == 1)
        #expect(answer.failed.first?["errorCode"] as? String == "40866")
        bench.wait(1_000)
        #expect(bench.close().code == "40866")
        let order =
            #"{"symbol":"BTCUSDT","productType":"USDT-FUTURES","marginMode":"crossed","marginCoin":"USDT","#
            + #""size":"0.02","side":"sell","orderType":"market","reduceOnly":"YES"}"#
        #expect(bench.post("/api/v2/mix/order/place-order", order).code == "40866")
        #expect(bench.simulation.accounts.first?.copies.count == 1)
        #expect(bench.closeCopy().orderIDs.count == 1)
        #expect(bench.open().isEmpty)
    }

    @Test("a copy whose contract is barred is not closed, and the others are") func barred() {
        var bench = Bench {
            $0.copy(0, "BTCUSDT", side: .long, quantity: "0.02")
            $0.copy(0, "ETHUSDT", side: .long, quantity: "1")
        }
        bench.simulation.perform(
            .setStatus(product: product, symbol: "BTCUSDT", status: "maintain"), uid: "9000001", atNs: 0)
        #expect(bench.closeCopy().orderIDs.count == 1)
        #expect(bench.closeCopy().code == "40844")
        #expect(bench.simulation.positions(ofUID: "9000001").map(\.symbol) == ["BTCUSDT"])
    }

    @Test("#32 a close whose reply is lost, or that comes late, closes once", arguments: [true, false])
    func lostReplies(_ late: Bool) {
        var plan = FaultPlan()
        plan.perMille[late ? .lateExecution : .cutAfter] = 1_000
        plan.quietAfterMs = 1
        var id = ""
        var bench = Bench(faults: plan) { id = $0.copy(0, "BTCUSDT", side: .long, quantity: "0.02") }
        #expect(bench.closeCopy(number(id)).delivery.fate != .deliver)
        #expect(bench.simulation.isFlat == !late)
        bench.wait(100)
        #expect(bench.closeCopy(number(id)).code == (late ? "00000" : "43065"))
        bench.wait(6_000)
        bench.simulation.advance(toNs: bench.now)
        #expect(bench.simulation.isFlat)
        let key = LegKey(uid: "9000001", product: "copy:" + product, symbol: "BTCUSDT", side: .long)
        #expect(bench.simulation.truth.executedCloses[key]?.map(\.quantity) == ["0.02"])
        #expect(bench.simulation.truth.receipts.first?.executed == !late)
    }

    @Test("a trader may open again, as a new copy") func reopens() {
        var plan = FaultPlan()
        plan.reopenPerMille = 1_000
        plan.maxReopensPerAccount = 1
        var id = ""
        var bench = Bench(faults: plan) { id = $0.copy(0, "BTCUSDT", side: .long, quantity: "0.02") }
        _ = bench.closeCopy(number(id))
        #expect(bench.simulation.isFlat)
        bench.wait(2_500)
        let again = bench.copies().tracked.first?["trackingNo"] as? String ?? ""
        #expect(Int64(again) ?? 0 > Int64(id) ?? Int64.max)
        #expect(bench.closeCopy(number(again)).orderIDs.count == 1)
        #expect(bench.simulation.isFlat)
        #expect(bench.simulation.truth.exposureIncreases == 0)
    }

    @Test("stopping a copy is a call that a flattener must never make") func neverStops() {
        var bench = Bench { $0.copy(0, "BTCUSDT", side: .long, quantity: "0.02") }
        _ = bench.post(folder + "cancel-trader", #"{"traderId":"8100000001"}"#)
        #expect(bench.simulation.truth.neverCalls.count == 1)
    }

    @Test("makes the same follower of the same seed, one side per symbol where one-way") func followers() {
        func made(_ seed: UInt64) -> FleetBuilder {
            var fleet = FleetBuilder.random(accounts: 2, positionsPerAccount: 3, seed: 4)
            fleet.edit(0) { $0.isHedge = false }
            fleet.makeFollower(0, copies: 12, seed: seed)
            return fleet
        }
        let account = made(7).accounts[0]
        #expect(account.copies.count == 12)
        #expect(account.copies == made(7).accounts[0].copies)
        #expect(account.copies != made(8).accounts[0].copies)
        #expect(account.isFollower)
        #expect(Set(account.copies.map(\.trackingNo)).count == 12)
        #expect(
            Set(account.copies.map { [$0.symbol, $0.side.rawValue] }).count == Set(account.copies.map(\.symbol)).count)
        #expect(made(7).accounts[1].copies.isEmpty)
    }

    @Test("reads the position mode of the account") func accountMode() {
        var bench = Bench(hedge: true)
        let answer = bench.get(
            "/api/v2/mix/account/account", "marginCoin=USDT&productType=USDT-FUTURES&symbol=BTCUSDT")
        #expect(answer.data["posMode"] as? String == "hedge_mode")
    }
}
