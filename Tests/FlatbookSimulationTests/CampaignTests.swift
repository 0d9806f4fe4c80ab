import FlatbookCore
import Testing

@testable import FlatbookSimulation

@Suite("Campaigns", .serialized)
struct CampaignTests {
    @Test("seeds that once broke a promise keep it")
    func regressions() {
        let summary = Campaign.replay(Regressions.seeds)
        #expect(summary.seeds == Set(Regressions.seeds).count)
        #expect(summary.failures.isEmpty, "\(summary.failures.map { "\($0.seed): \($0.violations)" })")
    }

    @Test("the swarm: at least five faults and one crash a seed, and no promise broken")
    func swarm() {
        let summary = Campaign(first: 1, count: 60, threads: 2).run()
        #expect(summary.seeds == 60)
        #expect(summary.failures.isEmpty, "\(summary.failures.map { "\($0.seed): \($0.violations)" })")
        #expect(summary.faults >= 5 * summary.seeds)
        #expect(summary.crashes * 10 >= 8 * summary.seeds)
        #expect(summary.flatAccounts > summary.accounts / 2)
        #expect(summary.coverage.unexpected.isEmpty, "\(summary.coverage.unexpected)")
        #expect(summary.coverage.missing.count < Coverage.legal.count / 2)
    }

    @Test("the number of threads changes nothing")
    func threads() {
        let one = Campaign(first: 40, count: 12, threads: 1).run()
        let three = Campaign(first: 40, count: 12, threads: 3).run()
        #expect(one.coverage == three.coverage)
        #expect([one.faults, one.calls, one.requests] == [three.faults, three.calls, three.requests])
    }
}
