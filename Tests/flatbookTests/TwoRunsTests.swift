import Foundation
import Testing

/// Two processes of the real binary on one host: who may change an account, and who sends nothing more.
@Suite struct TwoRunsTests {
    private static let callStart = #""type":"call_start""#

    /// The lock's id as the message of the run that was kept out names it.
    private func lockID(in text: String) throws -> String {
        let match = try #require(text.firstMatch(of: /lock (20[0-9]{6}T[0-9]{6}Z-[A-Za-z0-9-]+)/), "\(text)")
        return String(match.1)
    }

    private func start(_ desk: Desk, _ plan: String, _ more: String...) throws -> Child {
        try desk.start(["run", plan, "--yes", "--progress", "json"] + more)
    }

    @Test("the same plan twice: all accounts are held, exit 75, nothing sent, and each lock has an id of its own")
    func samePlan() async throws {
        try await Desk.open(["--latency", "300"]) { desk in
            let first = try start(desk, "plans/all.yaml")
            #expect(try await first.sees(Self.callStart))
            let second = try await desk.run(
                "plans/all.yaml", "--journal", "other/journal.sqlite", "--reports", "other")
            #expect(second.code == 75, "\(second.all)")
            let report = try desk.report(in: "other")
            let ids = try report.accounts.map { try lockID(in: $0.reason ?? "") }
            #expect(Set(ids).count == 3)
            #expect(report.calls.isEmpty)
            #expect(try await first.outcome().code == 0)
            let (state, calls) = (try await desk.state(), try desk.report().calls.count)
            #expect(state.openPositions == 0 && state.mutations == calls)
        }
    }

    @Test("overlapping plans: the shared account is left to its holder, the others go on")
    func overlapping() async throws {
        try await Desk.open(["--latency", "200"]) { desk in
            let names = Set(try await desk.state().positions.map(\.name)).sorted()
            let left = try desk.plan(accounts: "[\(names[0]), \(names[1])]", name: "left")
            let right = try desk.plan(accounts: "[\(names[1]), \(names[2])]", name: "right")
            let first = try start(desk, left)
            #expect(try await first.sees(Self.callStart))
            let second = try await desk.run(right, "--journal", "other/journal.sqlite", "--reports", "other")
            // The lock is the cause of every leg that is left (contract §5).
            #expect(second.code == 75, "\(second.all)")
            let report = try desk.report(in: "other")
            #expect(report.account(names[1])?.state == "skipped")
            #expect(report.account(names[1])?.reason?.contains("\(first.pid)") == true)
            #expect(report.account(names[2])?.state == "flat")
            #expect(try await first.outcome().code == 0)
            let state = try await desk.state()
            #expect(state.openPositions == 0 && state.exposureIncreases == 0 && state.limitViolations == 0)
        }
    }

    @Test(
        "disjoint plans with one journal go one after the other, with two at the same time", arguments: [true, false])
    func disjoint(ownJournal: Bool) async throws {
        try await Desk.open(["--latency", "200"]) { desk in
            let names = Set(try await desk.state().positions.map(\.name)).sorted()
            let left = try desk.plan(accounts: "[\(names[0])]", name: "left")
            let right = try desk.plan(accounts: "[\(names[1]), \(names[2])]", name: "right")
            let first = try start(desk, left)
            #expect(try await first.sees(Self.callStart))
            let own = ownJournal ? ["--journal", "other/journal.sqlite"] : []
            let second = try desk.start(
                ["run", right, "--yes", "--progress", "json", "--reports", "other"]
                    + (ownJournal ? own : ["--journal", "reports/journal.sqlite"]))
            if ownJournal {
                #expect(try await second.sees(Self.callStart))
            } else {
                #expect(try await second.sees("waiting for the journal"))
            }
            let outcomes = [try await first.outcome(), try await second.outcome()]
            #expect(outcomes.map(\.code) == [0, 0], "\(outcomes)")
            #expect(outcomes[1].stderr.contains("waiting for the journal") == !ownJournal)
            let state = try await desk.state()
            #expect(state.openPositions == 0 && state.limitViolations == 0)
        }
    }

    @Test("while a run holds everything, plan, positions, runs and report can be read")
    func readable() async throws {
        try await Desk.open(["--latency", "300"]) { desk in
            let first = try start(desk, "plans/all.yaml")
            #expect(try await first.sees(Self.callStart))
            let runs = try await desk.flatbook("runs", "--format", "json")
            #expect(runs.code == 0, "\(runs.all)")
            let name = try #require(runs.stdout.firstMatch(of: /20\d{6}T\d{6}Z-all-[0-9a-f]+/)).output
            let codes = [
                try await desk.flatbook("report", String(name)).code,
                try await desk.flatbook("plan", "plans/all.yaml").code,
                try await desk.flatbook("positions").code,
            ]
            #expect(codes == [0, 0, 0])
            #expect(try await first.outcome().code == 0)
        }
    }

    @Test("a stopped holder is fenced by unlock: the second run closes, and the first sends nothing more when it wakes")
    func fenced() async throws {
        // A latency that leaves the first run most of its closes to send.
        try await Desk.open(accounts: 3, positions: 6, ["--latency", "150"]) { desk in
            let first = try start(desk, "plans/all.yaml")
            #expect(try await first.sees(Self.callStart, times: 3))
            first.send(SIGSTOP)
            let other = ["--journal", "other/journal.sqlite", "--reports", "other"]
            let kept = try await desk.run("plans/all.yaml", other[0], other[1], other[2], other[3])
            #expect(kept.code == 75, "\(kept.all)")
            var epochs: Set<String> = []
            for account in try desk.report(in: "other").accounts {
                let id = try lockID(in: account.reason ?? "")
                let wrong = try await desk.flatbook("unlock", id + "0")
                #expect(wrong.code == 64 && wrong.all.contains("no lock"), "\(wrong.all)")
                let broken = try await desk.flatbook("unlock", id, "--format", "json")
                #expect(broken.code == 0, "\(broken.all)")
                #expect(broken.stdout.contains("\(first.pid)"), "\(broken.all)")
                epochs.insert(id)
                let again = try await desk.flatbook("unlock", id)
                #expect(again.code == 64 && again.all.contains("broken before"), "\(again.all)")
            }
            #expect(epochs.count == 3)
            let second = try await desk.run("plans/all.yaml", other[0], other[1], other[2], other[3])
            #expect(second.code == 0, "\(second.all)")
            let closed = try await desk.state()
            #expect(closed.openPositions == 0)
            first.send(SIGCONT)
            let woken = try await first.outcome()
            let after = try await desk.state()
            #expect(after.mutations == closed.mutations, "the fenced run sent something:\n\(woken.all)")
            #expect([0, 10, 11, 75].contains(woken.code), "\(woken.all)")
            #expect(woken.all.contains("flatbook unlock"), "\(woken.all)")
            let report = try desk.report()
            #expect(report.run.status != "interrupted")
            #expect(after.exposureIncreases == 0 && after.limitViolations == 0)
        }
    }

    @Test("an account whose holder was killed is free: unlock says so, and a run just takes it")
    func killedHolder() async throws {
        try await Desk.open(["--latency", "300"]) { desk in
            let first = try start(desk, "plans/all.yaml")
            #expect(try await first.sees(Self.callStart))
            let kept = try await desk.run(
                "plans/all.yaml", "--journal", "other/journal.sqlite", "--reports", "other")
            let id = try lockID(in: try desk.report(in: "other").accounts.first?.reason ?? "")
            #expect(kept.code == 75)
            first.send(SIGKILL)
            _ = try await first.outcome()
            let refused = try await desk.flatbook("unlock", id)
            #expect(refused.code == 64 && refused.all.contains("free already"), "\(refused.all)")
            #expect(try await desk.flatbook("resume").code == 0)
        }
    }

    @Test("a stopped run whose host was halted ends in order when it wakes, and is finished after the release")
    func halted() async throws {
        try await Desk.open(accounts: 3, positions: 6, ["--latency", "100"]) { desk in
            let run = try start(desk, "plans/all.yaml")
            #expect(try await run.sees(Self.callStart, times: 2))
            run.send(SIGSTOP)
            let before = try await desk.state()
            let raised = try await desk.flatbook("halt", "--reason", "drill")
            #expect(raised.code == 0 && raised.all.contains("drill"), "\(raised.all)")
            run.send(SIGCONT)
            let ended = try await run.outcome()
            #expect(ended.code == 143, "\(ended.all)")
            #expect(ended.all.contains("halt --release"), "\(ended.all)")
            let after = try await desk.state()
            // What was signed before may have been on its way; nothing is signed after.
            #expect(after.mutations - before.mutations <= 3, "\(ended.all)")
            #expect(after.openPositions > 0)
            #expect(try desk.report().run.status == "interrupted")
            for command in [["run", "plans/all.yaml", "--yes"], ["resume"]] {
                let refused = try await desk.start(command).outcome()
                #expect(refused.code == 13 && refused.all.contains("drill"), "\(refused.all)")
            }
            #expect(try await desk.flatbook("positions").code == 0)
            #expect(try await desk.flatbook("halt", "--status").code == 13)
            let still = try await desk.state()
            #expect(still.mutations == after.mutations)
            #expect(try await desk.flatbook("halt", "--release").code == 0)
            #expect(try await desk.flatbook("halt", "--status").code == 0)
            let resumed = try await desk.flatbook("resume")
            #expect(resumed.code == 0, "\(resumed.all)")
            let flat = try await desk.state()
            #expect(flat.openPositions == 0 && flat.exposureIncreases == 0)
        }
    }
}
