import FlatbookCore
import FlatbookJournal
import Foundation
import Testing

/// Runs that an earlier process left unfinished and that this version cannot go on with.
@Suite struct StaleRunTests {
    /// An unfinished run of these accounts whose entries break a rule: an outcome for a call that was never intended.
    private func leaveUnfoldableRun(of names: [String], at desk: Desk) async throws {
        try FileManager.default.createDirectory(at: desk.path("reports"), withIntermediateDirectories: true)
        let holder = JournalHolder(run: "old", pid: 1, host: "h", since: WallTime(milliseconds: 0))
        let journal = try SQLiteJournal.open(
            JournalLocation(path: desk.path("reports/journal.sqlite").path), mode: .write(holder))
        let id = "20260101T000000Z-old-0001"
        func entry(_ event: RunEvent) -> JournalEntry {
            JournalEntry(
                run: id, epoch: 1, at: Instant(nanoseconds: 5), wall: WallTime(milliseconds: 1_790_000_000_000),
                event: event)
        }
        let header = RunHeader(
            id: id, plans: [PlanDocument(name: "old", accounts: [Pattern("*")])], planDigest: "sha256:x",
            environment: .simulated,
            accounts: names.map {
                RunHeader.RunAccount(
                    account: Account(name: $0, exchange: ExchangeID("bitget"), environment: .simulated), plan: 0)
            }, deadline: Instant(nanoseconds: 9), deadlineWall: WallTime(milliseconds: 9),
            startedWall: WallTime(milliseconds: 1),
            holder: RunHolder(host: "h", pid: 1, bootID: "b", version: "v"))
        let stray = CallResult(
            id: "stray", account: names[0], outcome: FlatbookCore.Outcome(effect: .executed, errorClass: .ok),
            sentAt: nil,
            answeredAt: Instant(nanoseconds: 5), serverTime: nil, deadAt: nil)
        try await journal.append([entry(.opened(header)), entry(.outcome(stray))])
    }

    @Test("a run that cannot be folded stops a new run that shares an account with it, before anything is sent")
    func shared() async throws {
        try await Desk.open { desk in
            let names = Set(try await desk.state().positions.map(\.name)).sorted()
            try await leaveUnfoldableRun(of: [names[0]], at: desk)
            let before = try await desk.state()
            let outcome = try await desk.run("plans/all.yaml")
            #expect(outcome.code == 1, "\(outcome.all)")
            #expect(outcome.all.contains("20260101T000000Z-old-0001"), "\(outcome.all)")
            let state = try await desk.state()
            #expect(state.openPositions == before.openPositions && state.mutations == 0)
        }
    }

    @Test("it is left as it is, with a warning, by a run that shares none")
    func disjoint() async throws {
        try await Desk.open { desk in
            let names = Set(try await desk.state().positions.map(\.name)).sorted()
            try await leaveUnfoldableRun(of: [names[0]], at: desk)
            let others = try desk.plan(accounts: "[\(names[1]), \(names[2])]", name: "others")
            let outcome = try await desk.run(others)
            #expect(outcome.code == 0, "\(outcome.all)")
            #expect(outcome.stderr.contains("it shares no account with this plan and is left as it is"))
            #expect(outcome.stderr.contains("20260101T000000Z-old-0001"))
            #expect(Set(try await desk.state().positions.map(\.name)) == [names[0]])
            // Still there, still stopping those that it concerns.
            let all = try await desk.run("plans/all.yaml")
            #expect(all.code == 1, "\(all.all)")
        }
    }
}
