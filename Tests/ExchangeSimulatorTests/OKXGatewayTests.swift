import ExchangeKit
import ExchangeSimulator
import Testing

private let oneClose = #"{"instId":"BTC-USDT-SWAP","mgnMode":"cross"}"#

@Suite struct OKXGatewayTests {
    private func changed(
        _ bench: OKXBench = OKXBench(), _ edit: (inout SimulatedRequest) -> Void
    ) -> OKXBench.Answer {
        var bench = bench
        var request = OKXBench.signed("POST", OKXBench.closePath, oneClose)
        edit(&request)
        return bench.send(request)
    }

    private static func setHeader(_ request: inout SimulatedRequest, _ name: String, _ value: String?) {
        request.headers.removeAll { $0.name == name }
        if let value { request.headers.append((name, value)) }
    }

    @Test(
        "#5 answers a missing header with its code, empty counting as missing",
        arguments: [
            ("OK-ACCESS-KEY", "50103"), ("OK-ACCESS-PASSPHRASE", "50104"), ("OK-ACCESS-SIGN", "50106"),
            ("OK-ACCESS-TIMESTAMP", "50107"),
        ], [nil, ""])
    func missing(_ header: (String, String), _ value: String?) {
        let answer = changed { Self.setHeader(&$0, header.0, value) }
        #expect(answer.code == header.1)
        #expect(answer.status == 401)
    }

    @Test(
        "#4 checks the body before the key", arguments: [("text/plain", oneClose, "50006"), (nil, oneClose, "50006")])
    func contentType(_ type: String?, _ body: String, _ code: String) {
        let answer = changed {
            Self.setHeader(&$0, "Content-Type", type)
            Self.setHeader(&$0, "OK-ACCESS-KEY", nil)
        }
        #expect(answer.code == code)
        #expect(answer.status == 400)
    }

    @Test(
        "#4 refuses bodies that are not what the path takes",
        arguments: [
            ("", "trade/close-position", "50000"), ("{", "trade/close-position", "50002"),
            ("[\(oneClose)]", "trade/close-position", "50002"), ("\"x\"", "trade/close-position", "50002"),
            (oneClose, "trade/cancel-batch-orders", "50002"), ("[1]", "trade/cancel-algos", "50002"),
        ])
    func bodies(_ body: String, _ path: String, _ code: String) {
        var bench = OKXBench()
        let answer = bench.post(path, body)
        #expect(answer.code == code)
        #expect(answer.status == 400)
    }

    @Test("#1 tells unknown paths and wrong methods apart") func paths() {
        var bench = OKXBench()
        let unknown = bench.get("trade/nothing")
        #expect(unknown.status == 404)
        let method = bench.get("trade/close-position")
        #expect(method.code == "50115")
        #expect(method.status == 405)
        #expect(bench.send(OKXBench.signed("DELETE", "/api/v5/trade/order")).code == "50115")
    }

    @Test("#7 does not know a key of nobody or of another site", arguments: [401, 200])
    func unknownKey(_ status: Int) {
        var switches = OKXSwitches()
        switches.unknownKeyStatus = status
        let nobody = changed(OKXBench(switches: switches)) { Self.setHeader(&$0, "OK-ACCESS-KEY", "nobody") }
        #expect(nobody.code == "50119")
        #expect(nobody.status == status)
        let elsewhere = changed(OKXBench(switches: switches) { $0.edit(0) { $0.okx.isOtherSite = true } }) { _ in }
        #expect(elsewhere.code == "50119")
    }

    @Test(
        "#8 wants the demo header of demo keys and of no others",
        arguments: [
            (SimulatedAccount.Environment.live, "1", "50101"), (.live, "0", "51023"), (.live, nil, "51023"),
            (.demo, "1", "51023"), (.demo, "0", "50101"), (.demo, nil, "50101"),
        ] as [(SimulatedAccount.Environment, String?, String)])
    func environment(_ environment: SimulatedAccount.Environment, _ header: String?, _ code: String) {
        let bench = OKXBench { $0.edit(0) { $0.environment = environment } }
        #expect(changed(bench) { Self.setHeader(&$0, "x-simulated-trading", header) }.code == code)
    }

    @Test(
        "#9 lets in addresses of the list, exact or in a block, and names the one it keeps out",
        arguments: [
            ("203.0.113.7", "203.0.113.7", true), ("203.0.113.7", "203.0.113.8", false),
            ("203.0.113.0/24", "203.0.113.200", true), ("203.0.113.0/25", "203.0.113.200", false),
            ("2001:db8::/32", "2001:db8::7", true), ("2001:db8::/32", "2001:db9::7", false),
            ("2001:db8::7", "2001:db8:0:0::7", true),
        ])
    func addresses(_ entry: String, _ address: String, _ isIn: Bool) {
        let bench = OKXBench { $0.edit(0) { $0.boundAddresses = ["198.51.100.1", entry] } }
        let answer = changed(bench) { $0.clientAddress = address }
        #expect(answer.code == (isIn ? "51023" : "50110"))
        #expect(answer.text.contains(address) == !isIn)
    }

    @Test(
        "#5–#13 finds what is wrong in the order of the sheet",
        arguments: [
            (0, "50103"), (1, "50112"), (2, "50102"), (3, "50119"), (4, "50101"), (5, "50110"), (6, "50105"),
            (7, "50113"), (8, "50100"), (9, "50120"), (10, "50007"), (11, "51000"),
        ])
    func order(_ passed: Int, _ code: String) {
        // Everything is wrong; the first `passed` things are put right.
        let bench = OKXBench { fleet in
            fleet.edit(0) { account in
                if passed <= 3 { account.okx.isOtherSite = true }
                if passed <= 4 { account.environment = .demo }
                if passed <= 5 { account.boundAddresses = ["203.0.113.1"] }
                if passed <= 6 { account.passphrase = "another" }
                if passed <= 7 { account.secret = "another" }
                if passed <= 8 { account.okx.isFrozen = true }
                if passed <= 9 { account.okx.permissions = ["read_only"] }
                if passed <= 10 { account.okx.blockedCode = "50007" }
            }
        }
        var stamp = "2026-09-21T14:13:20.000Z"
        if passed <= 2 { stamp = "2026-09-21T14:10:20.000Z" }
        if passed <= 1 { stamp = "yesterday" }
        var request = OKXBench.signed(
            "POST", OKXBench.closePath, #"{"instId":"BTC-USDT-SWAP","mgnMode":"crossed"}"#, stamp: stamp)
        if passed == 0 { Self.setHeader(&request, "OK-ACCESS-KEY", nil) }
        var copy = bench
        let answer = copy.send(request)
        #expect(answer.code == code)
        #expect((copy.simulation.truth.refusedByAuth[code] == 1) == (passed < 10))
    }

    @Test("#13 asks for Read on reads, Trade on trades and the main key for sub-accounts") func permissions() {
        var reader = OKXBench { $0.edit(0) { $0.okx.permissions = ["read_only"] } }
        #expect(reader.get("account/positions").code == "0")
        #expect(reader.close().code == "50120")
        var trader = OKXBench { $0.edit(0) { $0.okx.permissions = ["trade"] } }
        #expect(trader.get("account/positions").code == "50120")
        #expect(trader.get("users/subaccount/list").code == "50120")
        var sub = OKXBench()
        #expect(sub.get("users/subaccount/list").code == "59500")
        var main = OKXBench { $0.edit(0) { $0.okx.isMaster = true } }
        #expect(main.get("users/subaccount/list").code == "0")
    }

    @Test(
        "#3 #15 serves exactly the published number and refuses one more",
        arguments: [
            ("account/config", "", 5), ("account/positions", "", 10), ("account/balance", "", 10),
            ("trade/orders-pending", "", 60), ("trade/orders-algo-pending", "ordType=trigger", 20),
            ("trade/fills", "", 60), ("trade/orders-history", "instType=SWAP", 40), ("public/time", "", 10),
            ("public/instruments", "instType=SWAP", 20), ("public/mark-price", "instType=SWAP", 10),
            ("trade/order", "instId=BTC-USDT-SWAP&ordId=1", 60),
        ])
    func limits(_ path: String, _ query: String, _ count: Int) {
        var bench = OKXBench()
        for _ in 0..<count { #expect(bench.get(path, query).code != "50011") }
        #expect(bench.simulation.truth.limitViolations.isEmpty)
        let refused = bench.get(path, query)
        #expect(refused.status == 429)
        #expect(refused.text == #"{"msg":"Too Many Requests","code":"50011"}"#)
        #expect(bench.simulation.truth.rateLimitRejections == 1)
        #expect(bench.simulation.truth.limitViolations.count == 1)
        // Sliding: the first must be two seconds old.
        bench.wait(1_999)
        #expect(bench.get(path, query).code == "50011")
        bench.wait(1)
        #expect(bench.get(path, query).code != "50011")
    }

    @Test("#15 counts closes for each instrument, and options for each family") func closeScopes() {
        var bench = OKXBench()
        for _ in 0..<20 { #expect(bench.close().code == "51023") }
        #expect(bench.close().code == "50011")
        #expect(bench.close("ETH-USDT-SWAP").code == "51023")
        for _ in 0..<20 { #expect(bench.close("BTC-USD-261225-100000-C").code == "51023") }
        #expect(bench.close("BTC-USD-261225-90000-P").code == "50011")
        #expect(bench.close("ETH-USD-270326-4000-C").code == "51023")
    }

    @Test("#15 counts a batch by its items, and an array of one as the single call") func batches() {
        func items(_ count: Int) -> String {
            "[" + (0..<count).map { #"{"instId":"BTC-USDT-SWAP","ordId":"\#($0)"}"# }.joined(separator: ",") + "]"
        }
        var bench = OKXBench()
        for _ in 0..<15 { #expect(bench.post("trade/cancel-batch-orders", items(20)).code == "1") }
        #expect(bench.post("trade/cancel-batch-orders", items(2)).code == "50011")
        for _ in 0..<60 { #expect(bench.post("trade/cancel-batch-orders", items(1)).code == "1") }
        #expect(bench.post("trade/cancel-batch-orders", items(1)).code == "50011")
        #expect(bench.post("trade/cancel-order", #"{"instId":"BTC-USDT-SWAP","ordId":"1"}"#).code == "50011")
        let algos = "[" + (0..<10).map { #"{"instId":"BTC-USDT-SWAP","algoId":"\#($0)"}"# }.joined(separator: ",") + "]"
        for _ in 0..<2 { #expect(bench.post("trade/cancel-algos", algos).code == "1") }
        #expect(bench.post("trade/cancel-algos", algos).code == "50011")
    }

    @Test("#3 words a refused limit in each way that was seen", arguments: OKXThrottleForm.allCases)
    func throttleForms(_ form: OKXThrottleForm) {
        var switches = OKXSwitches()
        switches.throttle = form
        var bench = OKXBench(switches: switches, limitsScale: 0.01)
        _ = bench.get("account/config")
        let refused = bench.get("account/config")
        #expect(refused.status == (form == .status200 ? 200 : 429))
        #expect((refused.json["code"] is String) == (form != .numericCode))
        #expect((refused.json["data"] != nil) == (form == .status200))
    }

    @Test("#15 records violations and serves them where limits are not enforced") func unenforced() {
        var switches = OKXSwitches()
        switches.enforcesLimits = false
        var bench = OKXBench(switches: switches)
        for _ in 0..<7 { #expect(bench.get("account/config").code == "0") }
        #expect(bench.simulation.truth.limitViolations.count == 2)
        #expect(bench.simulation.truth.rateLimitRejections == 0)
    }

    @Test("#15 forgets at once at the edge of a fixed window") func fixedWindow() {
        var switches = OKXSwitches()
        switches.window = .fixed
        var bench = OKXBench(switches: switches)
        bench.wait(1_999)
        for _ in 0..<5 { #expect(bench.get("account/config").code == "0") }
        bench.wait(1)
        #expect(bench.get("account/config").code == "0")
    }

    @Test("Records calls that a flattener must never make", arguments: ["account/set-position-mode", "asset/transfer"])
    func forbidden(_ path: String) {
        var bench = OKXBench()
        #expect(bench.post(path, "{}").code == "50120")
        #expect(bench.simulation.truth.neverCalls == ["POST /api/v5/" + path])
    }

    @Test(
        "#2 #33 a cut or an error after execution leaves the position closed once",
        arguments: [
            FaultKind.cutAfter, .systemErrorAfter, .gatewayAfter,
        ])
    func faultsAfter(_ kind: FaultKind) {
        var faults = FaultPlan()
        faults.perMille = [kind: 1_000]
        var bench = OKXBench(faults: faults) {
            $0.position(0, OKXBench.swap, product: "SWAP", side: .long, quantity: "1.5", marginMode: "cross")
        }
        let answer = bench.close()
        #expect(answer.code != "0" || answer.delivery.fate == .cutAfterExecution)
        #expect(bench.open.isEmpty)
        bench.wait(100)
        _ = bench.close()
        #expect(bench.simulation.truth.executedCloses.values.map(\.count) == [1])
    }

    @Test(
        "#2 a fault before execution changes nothing",
        arguments: [
            FaultKind.cutBefore, .serverError, .tooMany, .edgeBlock, .releaseWindow,
        ])
    func faultsBefore(_ kind: FaultKind) {
        var faults = FaultPlan()
        faults.perMille = [kind: 1_000]
        var bench = OKXBench(faults: faults) {
            $0.position(0, OKXBench.swap, product: "SWAP", side: .long, quantity: "1.5", marginMode: "cross")
        }
        #expect(bench.close().code != "0")
        #expect(bench.open == ["1.5"])
        #expect(bench.simulation.truth.executedCloses.isEmpty)
    }

    @Test("#2 a late execution closes seconds after the cut") func late() {
        var faults = FaultPlan()
        faults.perMille = [.lateExecution: 1_000]
        var bench = OKXBench(faults: faults) {
            $0.position(0, OKXBench.swap, product: "SWAP", side: .long, quantity: "1.5", marginMode: "cross")
        }
        #expect(bench.close().delivery.fate == .cutBeforeExecution)
        #expect(bench.open == ["1.5"])
        bench.wait(5_000)
        bench.simulation.advance(toNs: bench.now)
        #expect(bench.open.isEmpty)
    }

    @Test("A failed read is never an empty list", arguments: 0..<24) func failedReads(_ seed: UInt64) {
        var faults = FaultPlan()
        faults.perMille = [.failedRead: 1_000]
        var bench = OKXBench(seed: seed, faults: faults)
        let answer = bench.get("account/positions")
        #expect(answer.json["data"] as? [Any] == nil)
    }
}
