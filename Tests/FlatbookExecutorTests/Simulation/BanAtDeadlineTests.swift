import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import FlatbookSimulation
import Testing

@Suite("A ban that outlasts the deadline")
struct BanAtDeadlineTests {
    struct Case: Sendable, CustomStringConvertible {
        var venue: SimulatedVenue
        /// When the address is locked, in milliseconds since the first request.
        var fromMs: Int64
        var crashes = 0
        var description: String { "\(venue.rawValue) from \(fromMs) ms, \(crashes) crashes" }
    }

    static let cases: [Case] = SimulatedVenue.allCases.flatMap { venue in
        [60, 150, 400, 1_500, 4_000, 9_000].flatMap { start in
            [0, 3].map { Case(venue: venue, fromMs: start, crashes: $0) }
        }
    }

    /// Contract §3, Deadline: replies in flight are awaited for ten seconds, one pass of `verify.timeout` still runs.
    @Test("ends the run all the same, with one verdict for each account", arguments: cases)
    func ends(_ banned: Case) throws {
        var plan = PlanDocument(name: "ban", accounts: [Pattern("*")])
        plan.guards.deadline = .seconds(10)
        plan.verify.timeout = .seconds(5)
        let identities = FleetBuilder.identities(venue: banned.venue, count: 3, seed: 11)
        let fleet = FleetBuilder.random(identities, positionsPerAccount: 3, seed: 11)
        var faults = FaultPlan()
        faults.addressLock = banned.fromMs...900_000
        let configuration = SimulationConfiguration(seed: 11, accounts: fleet.accounts, faults: faults)
        var weather = SimulatedRun.Weather()
        weather.crashes = banned.crashes
        let run = SimulatedRun(seed: 11, plan: plan, configuration: configuration, weather: weather)
        try run.run()
        guard let last = run.durable.last else { return }
        let seconds = (last.at.nanoseconds - 1_000_000_000) / 1_000_000_000
        // A process that restarts begins its own patience of 20 s anew.
        #expect(seconds <= (banned.crashes == 0 ? 27 : 45), "\(seconds) s")
        expectKept(run, 11)
    }
}
