import BitgetExchange
import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import Testing

@Suite("The whole product under virtual clock and seed")
struct SeededRunTests {
    @Test("a quiet fleet is closed and proven flat", arguments: 1...20)
    func quiet(seed: UInt64) throws {
        let run = try Scenario(seed: seed, faults: .none).play()
        let report = try #require(Scenario.report(run))
        #expect(report.run.exitCode == 0, "seed \(seed): \(report.run.status) \(report.accounts.map(\.reason))")
        #expect(run.simulation.truth.rateLimitRejections == 0)
        Judge(run).check(seed)
    }
}
