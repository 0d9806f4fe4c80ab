import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import Testing

@Suite("Faults of the network and the gateway, simulated", .serialized)
struct NetworkFaultTests {
    private func bench(
        _ name: String, plan: PlanDocument = .whole(), _ edit: (inout SimulationConfiguration) -> Void = { _ in }
    ) -> FaultBench {
        let fleet = FaultFleet(
            bitget: name.hasPrefix("bitget") ? 1 : 0, okx: name.hasPrefix("okx") ? 1 : 0,
            bingx: name.hasPrefix("bingx") ? 1 : 0)
        return FaultBench(fleet.configuration(edit), plan: plan)
    }

    /// The first close of an account goes this road, everything else is fine.
    private func onFirstClose(_ bench: FaultBench, _ road: FaultBench.Road) {
        bench.road = { $0.isMutation && $0.ordinal == 1 ? road : .open }
    }

    private func expectFlat(
        _ bench: FaultBench, _ name: String, receipts: Int,
        sourceLocation: Testing.SourceLocation = #_sourceLocation
    ) throws {
        #expect(try bench.report().run.exitCode == 0, "\(bench.reasons)", sourceLocation: sourceLocation)
        #expect(bench.open(name).isEmpty, sourceLocation: sourceLocation)
        #expect(bench.mutations(name).count == receipts, sourceLocation: sourceLocation)
        try bench.expectHonest(sourceLocation: sourceLocation)
    }

    @Test("F1: an exchange whose name does not resolve is given up, and the others are closed")
    func dns() throws {
        let bench = FaultBench(FaultFleet(bitget: 1, okx: 1).configuration())
        bench.road = { $0.exchange.rawValue == "okx" ? .refused(.dns) : .open }
        try bench.play()
        try bench.expectOthersFlat(but: ["okx-001"])
        #expect(try bench.account("okx-001").reason?.contains("cannot be reached") == true)
    }

    @Test("F2: a close whose connection is refused was not executed and is sent again", arguments: FaultFleet.names)
    func refused(name: String) throws {
        let bench = bench(name)
        onFirstClose(bench, .refused(.refused))
        try bench.play()
        #expect(bench.outcomes(name).first?.outcome.effect == Effect.none)
        try expectFlat(bench, name, receipts: 1)
    }

    @Test("F4: a connection that cannot be made in time was not executed", arguments: FaultFleet.names)
    func connectTimeout(name: String) throws {
        let bench = bench(name)
        onFirstClose(bench, .refused(.connectTimeout))
        try bench.play()
        #expect(bench.outcomes(name).first?.outcome.effect == Effect.none)
        try expectFlat(bench, name, receipts: 1)
    }

    @Test("F5: a close without any reply is unknown after ten seconds", arguments: FaultFleet.names)
    func silence(name: String) throws {
        let bench = bench(name)
        onFirstClose(bench, .mute)
        try bench.play()
        let first = bench.outcomes(name).first
        #expect(first?.outcome.effect == .unknown && first?.outcome.code == "timeout")
        let sent = try #require(bench.sent.first { $0.isMutation }).atMs
        #expect(first?.answeredAt == Instant(nanoseconds: FaultBench.startNs + (sent + 10_000) * 1_000_000))
        try expectFlat(bench, name, receipts: 1)
    }

    @Test("F6: executed, but the reply is lost: found gone, counted once", arguments: FaultFleet.names)
    func replyLost(name: String) throws {
        let bench = bench(name)
        onFirstClose(bench, .cut)
        try bench.play()
        try expectFlat(bench, name, receipts: 1)
        let resolved = bench.durable.compactMap { if case .resolved(let it) = $0.event { it.verdict } else { nil } }
        #expect(resolved == [.executed])
    }

    @Test(
        "F7: not executed and the reply lost: two reads, then one repeat; under `wait` only once it is dead",
        arguments: FaultFleet.names, [true, false])
    func requestLost(name: String, waits: Bool) throws {
        let bench = bench(name, plan: .whole { $0.afterUnknown = waits ? .wait : .resend })
        onFirstClose(bench, .lost)
        try bench.play()
        try expectFlat(bench, name, receipts: 1)
        let sends = bench.sent.filter(\.isMutation)
        let life = (bench.intents(name).first?.life ?? .zero).milliseconds
        let isAfterDeath = sends.count == 2 && sends[1].atMs - sends[0].atMs >= life
        let isSized = bench.simulation.truth.calls.keys.contains { $0.hasSuffix("/order") }
        #expect(sends.count == 2)
        // Between the loss and the repeat, two complete reads show the leg open.
        let lost = try #require(bench.durable.firstIndex { if case .outcome = $0.event { true } else { false } })
        let again = try #require(bench.durable.lastIndex { if case .intent = $0.event { true } else { false } })
        let reads = bench.durable[lost..<again].count { entry in
            if case .observed(let read) = entry.event { !read.positions.isEmpty } else { false }
        }
        #expect(reads >= 2)
        if !isSized { #expect(isAfterDeath == waits || name == "bingx-001", "\(sends.map(\.atMs)) \(life)") }
    }

    @Test(
        "F9: a close that arrives 20 s late closes nothing outside the selection", arguments: ["bitget-001", "okx-001"])
    func late(name: String) throws {
        let bench = bench(name)
        onFirstClose(bench, .delayed(out: 20_000, back: 0))
        try bench.play()
        try expectFlat(bench, name, receipts: 2)
    }

    @Test("F10: a close that arrives after its life is refused by its timestamp", arguments: FaultFleet.names)
    func dead(name: String) throws {
        let bench = bench(name)
        onFirstClose(bench, .delayed(out: 45_000, back: 0))
        try bench.play()
        #expect(bench.simulation.truth.refusedByAuth.values.reduce(0, +) >= 1)
        try expectFlat(bench, name, receipts: 2)
    }

    @Test(
        "F11: a 5xx on a close is unknown, on a read it is repeated", arguments: FaultFleet.names, [500, 502, 504, 520])
    func serverError(name: String, status: Int) throws {
        let bench = bench(name)
        bench.road = { passing in
            guard passing.ordinal == 1, passing.account != nil else { return .open }
            return .rewritten { _ in .text(status, "<html>Bad Gateway</html>", type: "text/html") }
        }
        try bench.play()
        #expect(bench.outcomes(name).first?.outcome.effect == .unknown)
        try expectFlat(bench, name, receipts: 1)
    }

    @Test(
        "F12: a 503 decides nothing about a close, whatever its text", arguments: FaultFleet.names,
        ["unknown", "unavailable"])
    func unavailable(name: String, text: String) throws {
        let bench = bench(name)
        onFirstClose(bench, .answered(.text(503, "Service \(text)", type: "text/plain")))
        try bench.play()
        #expect(bench.outcomes(name).first?.outcome.effect == .unknown)
        try expectFlat(bench, name, receipts: 1)
    }

    static let throttles = [
        (429, #"{"code":"429","msg":"Too Many Requests","data":null,"requestTime":1}"#),
        (429, #"{"code":"50011","msg":"Too Many Requests","data":[]}"#),
        (200, #"{"code":100410,"msg":"rate limited","data":{}}"#),
    ]

    @Test("F13: the exchange's own 429 was not executed; its scope is closed for a window", arguments: 0..<3)
    func throttled(index: Int) throws {
        let name = FaultFleet.names[index]
        let bench = bench(name)
        onFirstClose(bench, .answered(.text(Self.throttles[index].0, Self.throttles[index].1)))
        try bench.play()
        let outcome = bench.outcomes(name).first?.outcome
        #expect(outcome?.effect == Effect.none && outcome?.errorClass == .rateLimited)
        #expect(bench.durable.contains { if case .penalty = $0.event { true } else { false } })
        try expectFlat(bench, name, receipts: 1)
    }

    @Test("F15: a 429 that is not the exchange's envelope says nothing about a close", arguments: FaultFleet.names)
    func foreignThrottle(name: String) throws {
        let bench = bench(name)
        onFirstClose(bench, .rewritten { _ in .text(429, "<html>slow down</html>", type: "text/html") })
        try bench.play()
        #expect(bench.outcomes(name).first?.outcome.effect == .unknown)
        try expectFlat(bench, name, receipts: 1)
    }

    @Test("F16: a limit that is lower than documented costs few refusals and no ban", arguments: ["bitget", "okx"])
    func hiddenLimit(exchange: String) throws {
        var fleet = FaultFleet(bitget: exchange == "bitget" ? 3 : 0, okx: exchange == "okx" ? 3 : 0)
        for name in fleet.slots.keys.sorted() where exchange == "bitget" { fleet.position(name, "SOLUSDT") }
        let bench = FaultBench(fleet.configuration { $0.limitsScale = 0.8 })
        try bench.play()
        #expect(try bench.report().run.exitCode == 0, "\(bench.reasons)")
        #expect(bench.simulation.truth.exposureIncreases == 0)
    }
}
