import FlatbookCore
import FlatbookExecutor
import FlatbookPlanner
import Testing

@Suite("A broken invariant stops all sends, and loses no answer")
struct BrokenRunTests {
    /// Every account's second call reaches for a leg that nobody selected.
    private struct StrayingPlanner: CallPlanner {
        private var planner = FlatteningPlanner()
        private var made: [String: Int] = [:]

        mutating func add(_ account: PlannedAccount) -> (calls: [CloseCall], unclosable: [UnclosableLeg]) {
            planner.add(account)
        }
        mutating func remove(account: String) { planner.remove(account: account) }
        mutating func ready(account: String) { planner.ready(account: account) }
        func queued(account: String) -> Int { planner.queued(account: account) }

        mutating func next(at now: Instant, admits: (CloseCall) -> Admission) -> PlannerStep {
            guard case .call(var call, let permit) = planner.next(at: now, admits: admits) else { return .idle }
            made[call.account, default: 0] += 1
            if made[call.account] == 2 { call.legs += call.legs.map { stray($0) } }
            return .call(call, permit)
        }

        private func stray(_ leg: LegKey) -> LegKey {
            var leg = leg
            leg.instrument = "NOBODYS"
            return leg
        }
    }

    @Test("what was sent is awaited and journaled, nothing more is sent", arguments: [true, false])
    func drains(answers: Bool) throws {
        var fleet = FaultFleet(okx: 1, bingx: 1)
        fleet.position("okx-001", "BTC-USDT-SWAP", product: "SWAP")
        let bench = FaultBench(fleet.configuration())
        bench.planner = { StrayingPlanner() }
        bench.road = { passing in
            guard passing.isMutation, passing.exchange.rawValue == "bingx" else { return .open }
            return answers ? .delayed(out: 0, back: 3_000) : .mute
        }
        try bench.play()
        guard case .broken(let violation) = bench.end else {
            Issue.record("ended with \(String(describing: bench.end))")
            return
        }
        #expect(violation.description.contains("NOBODYS"))
        // OKX closes leg by leg: the second call is the stray.
        #expect(
            bench.sent.filter(\.isMutation).map(\.account).sorted { ($0 ?? "") < ($1 ?? "") } == [
                "bingx-001", "okx-001",
            ])
        let machine = try RunMachine(folding: bench.durable)
        #expect(machine.closing == nil)
        let bingx = try #require(machine.calls.values.first { $0.intent.mutation.account == "bingx-001" })
        #expect((bingx.result?.outcome.effect == .executed) == answers)
        let waited = bench.endedMs - (bench.sent.filter(\.isMutation).map(\.atMs).min() ?? 0)
        #expect((answers ? 2_900...3_500 : 9_900...10_100).contains(waited), "\(waited)")
    }
}
