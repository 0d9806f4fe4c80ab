import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import Testing

@Suite("The whole product under virtual clock and seed", .serialized)
struct SeededRunTests {
    @Test("a quiet fleet is closed and proven flat", arguments: 1...100)
    func quiet(seed: UInt64) throws {
        let run = try Scenario(seed: seed, faults: .none).play()
        let report = try #require(try Scenario.report(run))
        #expect(report.run.exitCode == 0, "seed \(seed): \(report.run.status) \(report.accounts.map(\.reason))")
        #expect(run.simulation.truth.rateLimitRejections == 0)
        Judge(run).check(seed)
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
        Judge(run).check(seed)
    }
}
