import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import Testing

@Suite("Faults of clocks: skew, steps, drift, sleep", .serialized)
struct ClockFaultTests {
    private func fleet() -> FaultFleet {
        var fleet = FaultFleet(bitget: 2, okx: 2, bingx: 2)
        for symbol in ["SOLUSDT", "XRPUSDT", "BNBUSDT"] { fleet.position("bitget-001", symbol) }
        return fleet
    }

    @Test(
        "F18: an exchange's clock that is off at the start is measured, and no call fails for it",
        arguments: [-45_000, -31_000, 31_000, 45_000] as [Int64])
    func skewAtStart(offset: Int64) throws {
        let bench = FaultBench(fleet().configuration { $0.clockOffsetMs = offset })
        try bench.play()
        #expect(try bench.report().run.exitCode == 0)
        #expect(bench.simulation.truth.refusedByAuth.isEmpty, "\(bench.simulation.truth.refusedByAuth)")
        try bench.expectHonest()
    }

    /// Every answer of one account's requests says that the timestamp is off, the first `times` of them.
    private func skewed(_ name: String, _ reply: String, status: Int, from: Int64 = 0, until: Int64) -> (
        FaultBench.Passing
    ) -> FaultBench.Road {
        { passing in
            guard passing.account == name, (from..<until).contains(passing.atMs) else { return .open }
            return .answered(.text(status, reply))
        }
    }

    static let refusals: [(String, Int, String)] = [
        ("bitget-001", 400, #"{"code":"40008","msg":"Request timestamp expired","data":null,"requestTime":1}"#),
        ("okx-001", 401, #"{"code":"50102","msg":"Timestamp request expired","data":[]}"#),
        ("bingx-001", 200, #"{"code":100421,"msg":"Null apiKey or timestamp","data":{}}"#),
    ]

    @Test("F18: a timestamp that is refused is measured again once, and the account goes on", arguments: 0..<3)
    func resyncOnce(index: Int) throws {
        let (name, status, reply) = Self.refusals[index]
        let bench = FaultBench(fleet().configuration())
        bench.road = skewed(name, reply, status: status, until: 150)
        try bench.play()
        #expect(try bench.report().run.exitCode == 0, "\(bench.reasons)")
        #expect(
            bench.sent.contains {
                $0.account == nil && $0.atMs > 90 && $0.exchange == ExchangeID("\(name.prefix { $0 != "-" })")
            })
    }

    @Test(
        "F18: a timestamp that is refused after it was measured again stops that account alone",
        arguments: 0..<3)
    func skewForGood(index: Int) throws {
        let (name, status, reply) = Self.refusals[index]
        let bench = FaultBench(fleet().configuration())
        bench.road = skewed(name, reply, status: status, until: .max)
        try bench.play()
        let account = try bench.account(name)
        #expect(account.state == .refused && account.error?.errorClass == ErrorClass.clockSkew.rawValue)
        #expect(bench.mutations(name).isEmpty && bench.endedMs < 60_000)
        // Measured at the start and once more, then never again.
        let measured = bench.sent.filter {
            $0.account == nil && $0.exchange.rawValue == name.prefix { $0 != "-" } && $0.path.hasSuffix("time")
        }
        #expect(measured.count == 2, "\(measured.map(\.atMs))")
        try bench.expectOthersFlat(but: [name])
    }

    @Test(
        "F18: an exchange's clock that jumps 45 s in the middle: one measurement, then the calls go on",
        arguments: 0..<3)
    func jumpsAtTheExchange(index: Int) throws {
        let (name, status, reply) = Self.refusals[index]
        let bench = FaultBench(fleet().configuration())
        // Closes and reads that were signed before the jump was measured are refused.
        bench.road = skewed(name, reply, status: status, from: 130, until: 400)
        try bench.play()
        #expect(try bench.report().run.exitCode == 0, "\(bench.reasons)")
        try bench.expectHonest()
    }

    @Test(
        "F19: steps of the wall clock in the middle of a run change nothing but displayed times",
        arguments: [-3_600_000, -30_000, 30_000, 3_600_000] as [Int64])
    func wallSteps(step: Int64) throws {
        func play(_ steps: [(atMs: Int64, byMs: Int64)]) throws -> FaultBench {
            let bench = FaultBench(fleet().configuration())
            bench.wallSteps = steps
            try bench.play()
            return bench
        }
        let quiet = try play([])
        let stepped = try play([(90, step), (1_500, step), (2_000, -step)])
        #expect(try stepped.report().run.exitCode == 0)
        #expect(stepped.sent.map { "\($0.atMs) \($0.path)" } == quiet.sent.map { "\($0.atMs) \($0.path)" })
        #expect(stepped.durable.map(\.at) == quiet.durable.map(\.at))
        #expect(stepped.durable.map(\.wall) != quiet.durable.map(\.wall))
        #expect(stepped.endedMs == quiet.endedMs)
    }

    @Test("F19: the deadline does not move with the wall clock", arguments: [-3_600_000, 3_600_000] as [Int64])
    func deadlineStays(step: Int64) throws {
        var fleet = FaultFleet(bitget: 1)
        for symbol in ["SOLUSDT", "XRPUSDT", "BNBUSDT", "ADAUSDT", "LTCUSDT"] { fleet.position("bitget-001", symbol) }
        let bench = FaultBench(
            fleet.configuration(),
            plan: .whole {
                $0.granularity = .symbol
                $0.guards.deadline = .milliseconds(2500)
            })
        bench.wallSteps = [(1_000, step)]
        try bench.play()
        let last = try #require(bench.sent.last { $0.isMutation })
        #expect((1_500..<2_500).contains(last.atMs))
        #expect(try bench.report().run.exitCode == 15)
    }

    @Test("F19: a step between two processes of one boot moves no deadline; another boot goes by the wall clock")
    func deadlineOnResume() throws {
        let header = FaultBench(FaultFleet(bitget: 1).configuration()).header
        let later = Now(
            instant: Instant(nanoseconds: 3_000_000_000),
            wall: WallTime(milliseconds: FaultBench.wallStart + 2_000 - 3_600_000))
        #expect(RunMachine.deadline(of: header, bootID: "boot", at: later) == header.deadline)
        let rebooted = RunMachine.deadline(of: header, bootID: "other", at: later)
        #expect(rebooted == later.instant + .seconds(900 - 2 + 3_600))
    }

    @Test(
        "F20: a clock that drifts by 500 ppm for hours is followed, and stale replies are still told",
        arguments: [-500, 500] as [Int64])
    func drift(ppm: Int64) throws {
        var fleet = FaultFleet(bitget: 1, okx: 1, bingx: 1)
        // A suspended instrument keeps the run busy until its deadline.
        for (name, symbol, product, status) in [
            ("bitget-001", "SOLUSDT", "USDT-FUTURES", "maintain"), ("okx-001", "SOL-USDT-SWAP", "SWAP", "suspend"),
        ] {
            fleet.position(name, symbol, product: product)
            fleet.script(name, .at(ms: 1), .setStatus(product: product, symbol: symbol, status: status))
        }
        for name in ["bitget-001", "okx-001"] {
            let (symbol, product) = name == "okx-001" ? ("SOL-USDT-SWAP", "SWAP") : ("SOLUSDT", "USDT-FUTURES")
            fleet.script(
                name, .at(ms: 7_000_000),
                .setStatus(product: product, symbol: symbol, status: name == "okx-001" ? "live" : "normal"))
        }
        let bench = FaultBench(
            fleet.configuration { $0.clockDriftPPM = ppm }, plan: .whole { $0.guards.deadline = .seconds(2 * 3600) })
        try bench.play()
        #expect(bench.simulation.truth.refusedByAuth.isEmpty, "\(bench.simulation.truth.refusedByAuth)")
        for account in try bench.report().accounts { #expect(account.state != .unknown, "\(account.reason ?? "")") }
    }

    @Test(
        "F23: a host that slept counts what was in flight as unknown, measures the clocks anew and goes on",
        arguments: [(70, 5_000), (115, 5_000), (130, 60_000), (165, 60_000), (700, 120_000)] as [(Int64, Int64)])
    func slept(atMs: Int64, forMs: Int64) throws {
        let bench = FaultBench(fleet().configuration())
        bench.sleeps = [(atMs, forMs)]
        try bench.play()
        #expect(try bench.report().run.exitCode == 0, "\(bench.reasons)")
        #expect(bench.warnings.contains { $0.contains("asleep for \(forMs / 1000) s") })
        try bench.expectHonest()
        // Nothing signed goes out before the clock was asked again.
        let first = bench.sent.filter { $0.atMs >= atMs + forMs }
        for exchange in Set(first.map(\.exchange)) {
            let asked = first.first { $0.exchange == exchange }
            #expect(asked?.account == nil, "\(asked?.path ?? "")")
        }
    }

    @Test("F23: a call that was in flight when the host fell asleep is unknown, and settled by reading")
    func sleptInFlight() throws {
        let bench = FaultBench(FaultFleet(okx: 1).configuration())
        var closeAt: Int64?
        bench.road = { passing in
            if passing.isMutation { closeAt = closeAt ?? passing.atMs }
            return .open
        }
        try bench.play()
        let at = try #require(closeAt)
        let slept = FaultBench(FaultFleet(okx: 1).configuration())
        slept.sleeps = [(at + 5, 30_000)]
        try slept.play()
        #expect(slept.outcomes("okx-001").first?.outcome.code == "host-suspended")
        #expect(slept.outcomes("okx-001").first?.outcome.effect == .unknown)
        #expect(slept.mutations("okx-001").count == 1)
        #expect(try slept.report().run.exitCode == 0)
    }

    @Test("F23: a sleep beyond the deadline ends the run with what is known; nothing is sent any more")
    func sleptPastDeadline() throws {
        var fleet = FaultFleet(bitget: 1)
        for symbol in ["SOLUSDT", "XRPUSDT", "BNBUSDT", "ADAUSDT"] { fleet.position("bitget-001", symbol) }
        let bench = FaultBench(
            fleet.configuration(),
            plan: .whole {
                $0.granularity = .symbol
                $0.guards.deadline = .seconds(60)
            })
        bench.sleeps = [(1_500, 7_200_000)]
        try bench.play()
        #expect(!bench.sent.contains { $0.isMutation && $0.atMs >= 60_000 })
        #expect([11, 15].contains(try bench.report().run.exitCode))
        try bench.expectHonest()
    }
}

extension VenueReply {
    /// An answer that a test writes.
    static func text(_ status: Int, _ body: String, type: String = "application/json") -> VenueReply {
        VenueReply(status: status, headers: [VenueRequest.Header("content-type", type)], body: Array(body.utf8))
    }
}
