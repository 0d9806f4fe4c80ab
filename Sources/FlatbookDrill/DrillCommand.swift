package import ArgumentParser
import FlatbookSimulation
import Foundation
import Synchronization

/// `flatbook drill`: seeded fault campaigns of the whole product against the simulated exchanges.
package struct DrillCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "drill",
        abstract: "Runs seeded fault campaigns in the simulator and judges them on the exchanges' truth.",
        discussion: """
            Every seed is a run of its own: six accounts on three exchanges, a plan, and a random subset of faults of the \
            exchanges, the network, the process, the disk, the host and its clock. Nothing leaves this process. \
            Exit code 0: every promise was kept; 1: one was broken, and its seed is printed.
            """)

    @Option(help: "How many seeds.") var seeds = 1000
    @Option(help: "The first seed.") var first: UInt64 = 1
    @Option(help: "Replays this one seed, event by event.") var seed: UInt64?
    @Option(help: "Seeds that run at once.") var threads = ProcessInfo.processInfo.activeProcessorCount
    @Flag(help: "Ends at the first broken promise.") var stop = false
    @Flag(help: "Prints which events met which states, and which legal pairs were never met.") var coverage = false
    @Flag(help: "Leaves out the seeds that once failed, which otherwise run first.") var noRegressions = false
    @Flag(help: "Instead: a crash at every point of every append, for 1, 3 and 10 accounts.") var crashPoints = false
    @Option(help: "table or json.") var format = DrillFormat.table

    package init() {}

    package func validate() throws {
        if seeds < 1 { throw ValidationError("--seeds must be at least 1") }
        if threads < 1 || threads > 256 { throw ValidationError("--threads must be 1 to 256") }
        if !first.addingReportingOverflow(UInt64(seeds)).overflow { return }
        throw ValidationError("--first and --seeds exceed the range of seeds")
    }

    /// Runs the campaign and prints what came of it; progress goes to stderr.
    ///
    /// - Returns: the exit code.
    package func drill() -> Int32 {
        if let seed { return replay(seed) }
        if crashPoints { return playCrashPoints() }
        let began = Date()
        var kept = Campaign.Summary()
        if !noRegressions { kept = Campaign.replay(Regressions.seeds) }
        let isTerminal = isatty(2) == 1
        let printed = Mutex(Date.distantPast)
        let total = seeds
        let campaign = Campaign(first: first, count: seeds, threads: threads, stopsAtFailure: stop)
        let summary = campaign.run { done, failed in
            let isDue = printed.withLock { last in
                guard -last.timeIntervalSinceNow > (isTerminal ? 0.2 : 30) else { return false }
                last = Date()
                return true
            }
            guard isDue else { return }
            let line = "\(done) of \(total) seeds, \(failed) failed"
            FileHandle.standardError.write(Data((isTerminal ? "\r\(line)" : line + "\n").utf8))
        }
        if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
        let report = DrillReport(
            summary: summary, regressions: kept, first: first, seconds: -began.timeIntervalSinceNow,
            showsCoverage: coverage)
        print(format == .json ? report.json : report.text)
        // A pair of state and event that nobody thought of is a finding as well, where pairs were asked for.
        let isKnown = !coverage || summary.coverage.unexpected.isEmpty
        return summary.failedSeeds + kept.failedSeeds == 0 && isKnown ? 0 : 1
    }

    private func playCrashPoints() -> Int32 {
        var failed = false
        for accounts in [1, 3, 10] {
            do {
                let summary = try CrashPoints(accounts: accounts).run()
                print(
                    "\(accounts) accounts: \(summary.appends) appends, \(summary.points) points, "
                        + "\(summary.crashes) crashes, \(summary.violations.count) broken promises")
                for violation in summary.violations.prefix(10) { print("  \(violation)") }
                failed = failed || !summary.violations.isEmpty
            } catch {
                print("\(accounts) accounts: \(error)")
                failed = true
            }
        }
        return failed ? 1 : 0
    }

    private func replay(_ seed: UInt64) -> Int32 {
        let outcome = Campaign.play(seed) { FileHandle.standardError.write(Data(($0 + "\n").utf8)) }
        var summary = Campaign.Summary()
        summary.add(outcome)
        let report = DrillReport(
            summary: summary, regressions: Campaign.Summary(), first: seed, seconds: 0, showsCoverage: coverage)
        print(format == .json ? report.json : report.text)
        return outcome.violations.isEmpty ? 0 : 1
    }
}

package enum DrillFormat: String, ExpressibleByArgument { case table, json }
