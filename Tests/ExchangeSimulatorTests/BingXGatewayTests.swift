import ExchangeKit
import ExchangeSimulator
import Testing

@Suite struct BingXGatewayTests {
    /// What can be wrong with a request, in the order of the sheet (§9), and the code of each.
    enum Defect: Int, CaseIterable, Sendable {
        case path, key, address, clock, noSignature, signature, permission, box

        var code: Int {
            [100_400, 100_413, 100_419, 100_421, 100_412, 100_001, 100_004, 100_410][rawValue]
        }
    }

    @Test("checks in its fixed order: of all defects from one on, the first is named", arguments: Defect.allCases)
    func order(_ first: Defect) {
        let wrong = Set(Defect.allCases.filter { $0.rawValue >= first.rawValue })
        var bench = BingXBench { fleet in
            fleet.edit(0) {
                if wrong.contains(.address) { $0.boundAddresses = ["203.0.113.9"] }
                if wrong.contains(.permission) { $0.bingx.permissions = [2] }
            }
        }
        if first == .box { for _ in 0..<10 { bench.post(BingXBench.closeAll) } }
        var request = BingXBench.signed(
            "POST", wrong.contains(.path) ? "/openApi/swap/v9/nothing" : BingXBench.closeAll,
            at: BingXBench.epoch - (wrong.contains(.clock) ? 5_001 : 0))
        if wrong.contains(.key) { request.headers = [("X-BX-APIKEY", "nobody")] }
        // Without any signature the next defect cannot show; from there on it is there and wrong.
        if wrong.contains(.noSignature) {
            request.target = String(request.target.prefix { $0 != "&" })
        } else if wrong.contains(.signature) {
            request.target += "0"
        }
        let answer = bench.send(request)
        #expect(answer.code == first.code)
        #expect(answer.status == 200)
    }

    @Test("a key without header, or of a frozen account, is none") func keys() {
        var bench = BingXBench { $0.edit(0) { $0.bingx.isFrozen = true } }
        #expect(bench.post(BingXBench.closeAll).code == 100_413)
        var request = BingXBench.signed("POST", BingXBench.closeAll, at: BingXBench.epoch)
        request.headers = []
        #expect(bench.send(request).code == 100_413)
        #expect(bench.simulation.truth.refusedByAuth == ["100413": 2])
    }

    @Test(
        "accepts a clock within the window, at most five seconds",
        arguments: [
            (5_000, "5000", 0), (-5_000, "5000", 0), (5_001, "5000", 100_421), (-5_001, "60000", 100_421),
            (1_000, "1000", 0), (1_001, "1000", 100_421), (5_000, "0", 0),
        ])
    func clock(_ offset: Int64, _ window: String, _ code: Int) {
        var bench = BingXBench(clockOffsetMs: offset)
        #expect(bench.post(BingXBench.closeAll, ["recvWindow": window]).code == code)
    }

    @Test("words the clock's error either way") func clockVariant() {
        var switches = BingXSwitches()
        switches.timestampIs109400 = true
        var bench = BingXBench(switches: switches, clockOffsetMs: 9_000)
        let answer = bench.post(BingXBench.closeAll)
        #expect(answer.code == 109_400)
        #expect(answer.message == "timestamp is invalid")
    }

    @Test(
        "refuses the first call beyond an endpoint's number in a second, and not later",
        arguments: [
            (BingXBench.positions, "GET", 5), ("/openApi/swap/v1/positionSide/dual", "GET", 2),
            ("/openApi/swap/v1/twap/openOrders", "GET", 2), (BingXBench.closeAll, "POST", 5),
            ("/openApi/swap/v2/trade/allOpenOrders", "DELETE", 5), ("/openApi/cswap/v1/user/positions", "GET", 5),
        ])
    func limit(_ path: String, _ method: String, _ count: Int) {
        var bench = BingXBench()
        for left in (0..<count).reversed() {
            let answer = bench.call(method, path)
            #expect(answer.code == 0)
            #expect(answer.delivery.reply?.header("x-ratelimit-requests-remain") == String(left))
        }
        bench.wait(999)
        let refused = bench.call(method, path)
        #expect(refused.code == 100_410)
        #expect(refused.message == "rate limited")
        #expect(refused.status == 200)
        bench.wait(1)
        #expect(bench.call(method, path).code == 0)
        #expect(bench.simulation.truth.limitViolations.count == 1)
        #expect(bench.simulation.truth.rateLimitRejections == 1)
    }

    @Test("records a violation that it does not refuse") func recordsOnly() {
        var switches = BingXSwitches()
        switches.enforcesLimits = false
        switches.omitsLimitHeaders = true
        var bench = BingXBench(switches: switches)
        for _ in 0..<6 { #expect(bench.post(BingXBench.closeAll).code == 0) }
        #expect(bench.simulation.truth.limitViolations.count == 1)
        #expect(bench.simulation.truth.rateLimitRejections == 0)
        #expect(bench.post(BingXBench.closeAll).delivery.reply?.header("x-ratelimit-requests-remain") == nil)
    }

    @Test("refusals go on into a box that names its end, and end there", arguments: [100_410, 109_429])
    func penaltyBox(_ code: Int64) throws {
        var switches = BingXSwitches()
        switches.throttleCode = code
        switches.frequencyBoxMs = 60_000
        var bench = BingXBench(switches: switches)
        for _ in 0..<10 { bench.post(BingXBench.closeAll) }
        let boxed = bench.post(BingXBench.closeAll)
        #expect(boxed.code == code)
        #expect(boxed.message.contains("unblocked after "))
        let until = try #require(boxed.until)
        #expect(until == BingXBench.epoch + 60_000)
        // Another endpoint of the account is not in it.
        #expect(bench.get(BingXBench.positions).code == 0)
        bench.wait(59_999)
        #expect(bench.post(BingXBench.closeAll).until == until)
        bench.wait(1)
        #expect(bench.post(BingXBench.closeAll).code == 0)
    }

    @Test("forgives twenty errors of one code in eight minutes, and one more closes the endpoint")
    func identicalErrors() throws {
        var bench = BingXBench()
        for _ in 0..<21 {
            #expect(bench.post(BingXBench.closeOne, ["positionId": "1"]).code == 109_420)
            bench.wait(1_000)
        }
        let boxed = bench.post(BingXBench.closeOne, ["positionId": "1"])
        #expect(boxed.code == 100_410)
        #expect(boxed.message.hasPrefix("over 20 error code:109420 requests within 480000 ms for this api"))
        #expect(boxed.message.contains("can retry after time: "))
        let until = try #require(boxed.until)
        bench.wait(until - BingXBench.epoch - bench.now / 1_000_000)
        #expect(bench.post(BingXBench.closeOne, ["positionId": "1"]).code == 109_420)
    }

    @Test("refuses an address beyond three hundred calls of an endpoint in ten seconds, then bans it")
    func addressLimit() {
        var bench = BingXBench { fleet in
            for number in 0..<70 {
                fleet.add(
                    FleetBuilder.Identity(
                        venue: .bingx, name: "n\(number)", uid: String(20_000_000 + number), key: "key\(number)",
                        secret: "secret\(number)", passphrase: ""))
            }
        }
        func request(_ number: Int) -> SimulatedRequest {
            BingXBench.signed(
                "GET", BingXBench.positions, at: BingXBench.epoch,
                as: FleetBuilder.Identity(
                    venue: .bingx, name: "", uid: "", key: "key\(number)", secret: "secret\(number)", passphrase: ""))
        }
        for call in 0..<300 { #expect(bench.send(request(call / 5)).status == 200) }
        for call in 0..<6 {
            let refused = bench.send(request(60 + call))
            #expect(refused.status == 429)
            #expect(refused.code == 100_410)
        }
        #expect(bench.send(request(69)).status == 418)
        bench.wait(300_000)
        #expect(bench.get(BingXBench.positions).status == 200)
    }

    @Test("counts market data per address: five hundred in ten seconds, a thousand in a minute") func marketLimit() {
        var bench = BingXBench()
        let request = SimulatedRequest(method: "GET", target: "/openApi/swap/v2/server/time")
        for _ in 0..<500 { #expect(bench.send(request).code == 0) }
        #expect(bench.send(request).status == 429)
        bench.wait(10_000)
        #expect(bench.send(request).delivery.reply?.header("x-ratelimit-requests-remain") == "499")
        for _ in 0..<499 { #expect(bench.send(request).code == 0) }
        bench.wait(10_000)
        // The shorter window is empty again; the minute is used up.
        #expect(bench.send(request).status == 429)
        bench.wait(40_000)
        #expect(bench.send(request).code == 0)
    }

    @Test("counts the calls that a flattener never makes") func neverCalls() {
        var bench = BingXBench()
        #expect(bench.post("/openApi/swap/v1/positionSide/dual").code == 100_004)
        #expect(bench.post("/openApi/swap/v2/trade/cancelAllAfter").code == 100_004)
        #expect(bench.simulation.truth.neverCalls.count == 2)
    }

    @Test("an injected fault happens once and the call after it is served") func fault() {
        var plan = FaultPlan()
        plan.perMille = [.systemErrorAfter: 1_000]
        plan.quietAfterMs = 500
        var bench = BingXBench(faults: plan) {
            $0.position(0, "BTC-USDT", product: "swap", side: .long, quantity: "0.5")
        }
        let lied = bench.post(BingXBench.closeAll)
        #expect(lied.code != 0)
        #expect(lied.delivery.executed)
        #expect(bench.open.isEmpty)
        bench.wait(1_000)
        #expect(bench.post(BingXBench.closeAll).code == 0)
    }

    @Test("a request put off takes effect later") func lateExecution() {
        var plan = FaultPlan()
        plan.perMille = [.lateExecution: 1_000]
        plan.quietAfterMs = 100
        var bench = BingXBench(faults: plan) {
            $0.position(0, "BTC-USDT", product: "swap", side: .long, quantity: "0.5")
        }
        #expect(bench.post(BingXBench.closeAll).delivery.fate == .cutBeforeExecution)
        #expect(bench.open.count == 1)
        bench.simulation.advance(toNs: 6_000_000_000)
        #expect(bench.open.isEmpty)
    }
}
