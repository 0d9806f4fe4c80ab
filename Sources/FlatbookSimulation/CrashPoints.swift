import ExchangeSimulator
import FlatbookCore

/// A SIGKILL, or a loss of power, at every point of every append of one run.
package struct CrashPoints: Sendable {
    package struct Summary: Sendable {
        package var accounts = 0
        package var appends = 0
        package var points = 0
        package var crashes = 0
        /// Each with its point; empty = all flat every time, and every call accounted for.
        package var violations: [String] = []
    }

    private let accounts: Int

    /// - Parameter accounts: Bitget, OKX and BingX in turn, with two positions each.
    package init(accounts: Int) { self.accounts = accounts }

    private func play(at point: CrashPoint?) throws -> SimulatedRun {
        let venues = SimulatedVenue.allCases
        let identities = venues.map { FleetBuilder.identities(venue: $0, count: accounts, seed: 4) }
        let fleet = FleetBuilder.random(
            (0..<accounts).map { identities[$0 % venues.count][$0] }, positionsPerAccount: 2, seed: 4)
        var weather = Weather()
        weather.crashPoint = point
        let run = SimulatedRun(
            seed: 4, plan: PlanDocument(name: "crash", accounts: [Pattern("*")]),
            configuration: SimulationConfiguration(
                seed: 4, accounts: fleet.accounts, instruments: Scenario.instruments(for: fleet.accounts)),
            weather: weather)
        try run.run()
        return run
    }

    /// Plays the run once undisturbed and then once for each point.
    package func run() throws -> Summary {
        var summary = Summary()
        let quiet = try play(at: nil)
        summary.accounts = accounts
        summary.appends = quiet.appends
        summary.violations = Judge.violations(of: quiet).map { "undisturbed: \($0)" }
        guard quiet.appends > 0 else { return summary }
        for append in 1...quiet.appends {
            for phase in CrashPoint.Phase.allCases {
                let point = CrashPoint(append: append, phase: phase)
                let run = try play(at: point)
                summary.points += 1
                summary.crashes += run.crashesDone
                summary.violations += judge(run, at: point, isLast: append == quiet.appends)
            }
        }
        return summary
    }

    private func judge(_ run: SimulatedRun, at point: CrashPoint, isLast: Bool) -> [String] {
        var found = Judge.violations(of: run)
        let code = (try? Scenario.report(run))?.run.exitCode
        if code != 0 { found.append("exit code \(code.map { "\($0)" } ?? "none")") }
        if !run.simulation.isFlat { found.append("positions are left") }
        // The last append ends the run: nothing follows it that could be killed.
        let mustCrash = !isLast || [.beforeWrite, .afterWrite, .torn].contains(point.phase)
        if mustCrash, run.crashesDone != 1 { found.append("the point was not reached") }
        return found.map { "\(accounts) accounts, \(point): \($0)" }
    }
}
