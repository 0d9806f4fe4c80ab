import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import FlatbookSimulation
import Testing

@Suite("The whole product under virtual clock and seed", .serialized)
struct SeededRunTests {
    @Test("a quiet fleet is closed and proven flat", arguments: 1...100)
    func quiet(seed: UInt64) throws {
        let scenario = Scenario(seed: seed, faults: .none)
        let run = try scenario.play()
        let report = try #require(try Scenario.report(run))
        let left = report.legs.filter { $0.state != .flat && !Self.isRightlyLeft($0, scenario.plan) }
        #expect(left.isEmpty, "seed \(seed): \(left.map { "\($0.symbol) \($0.state) \($0.reason ?? "")" })")
        let isWhole = report.legs.allSatisfy { $0.state == .flat }
        #expect(
            report.run.exitCode == (isWhole ? 0 : 10),
            "seed \(seed): \(report.run.status) \(report.accounts.map(\.reason))")
        #expect(run.simulation.truth.rateLimitRejections == 0)
        expectKept(run, seed)
    }

    /// What no call of the exchange can close within the selection as written, and close orders that `keep` keeps.
    private static func isRightlyLeft(_ leg: RunReport.LegRow, _ plan: PlanDocument) -> Bool {
        if leg.state == .residual, plan.orders == .keep { return leg.error?.errorClass == "conflict" }
        guard leg.state == .refused, plan.sides.count == 1 || plan.granularity == .side || leg.key.product == "cswap"
        else { return false }
        return ["side cannot be guaranteed", "every close method reaches beyond"].contains {
            leg.reason?.hasPrefix($0) == true
        }
    }

    @Test("lost, late and cut replies and crashes never break a promise", arguments: 1...500)
    func stormy(seed: UInt64) throws {
        var random = TestRandom(seed: seed &+ 77)
        let profile = random.pick(FaultProfile.allCases)
        var scenario = Scenario(seed: seed, faults: profile)
        scenario.configuration.faults.quietAfterMs = 60_000
        scenario.weather.lostRequestPerMille = Int(random.next(in: 0...40))
        scenario.weather.refusedPerMille = Int(random.next(in: 0...30))
        scenario.weather.crashes = Int(random.next(in: 0...3))
        let run = try scenario.play()
        expectKept(run, seed)
    }

    @Test("a guard that is exceeded lets nothing be sent, cancels neither", arguments: 1...60)
    func guarded(seed: UInt64) throws {
        var scenario = Scenario(seed: seed, faults: .none)
        scenario.plan.guards.maxNotional = Amount(1)
        scenario.plan.orders = .cancelAll
        let run = try scenario.play()
        guard case .refused = run.end else { return expectKept(run, seed) }
        #expect(run.mutationReceipts.isEmpty, "seed \(seed): refused, and yet something was sent")
    }

    @Test("a deadline in the middle of the work ends the run", arguments: 1...200)
    func deadlines(seed: UInt64) throws {
        var scenario = Scenario(seed: seed, faults: .none)
        scenario.plan.granularity = scenario.plan.sides.count == 2 ? .symbol : .auto
        scenario.plan.guards.deadline = .milliseconds(Int64(150 + seed % 200))
        let run = try scenario.play()
        #expect(run.end != nil, "seed \(seed): the run does not end")
        let late = run.durable.filter { entry in
            if case .intent = entry.event { entry.at >= run.header.deadline } else { false }
        }
        #expect(late.isEmpty, "seed \(seed): intents after the deadline")
    }
}
