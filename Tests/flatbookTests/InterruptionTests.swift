import Foundation
import Testing

/// A run may end at any instant: what was sent is known, and `resume` brings everything to flat.
@Suite struct InterruptionTests {
    private static let callStart = #""type":"call_start""#

    /// Nothing was sent that no entry stands for, and no request was executed more often than it may be.
    private func expectAccounted(_ desk: Desk, location: SourceLocation = #_sourceLocation) async throws {
        let state = try await desk.state()
        #expect(state.openPositions == 0, "\(state.positions)", sourceLocation: location)
        #expect(state.exposureIncreases == 0, sourceLocation: location)
        #expect(state.limitViolations == 0 && state.rateLimitRejections == 0, sourceLocation: location)
        let report = try desk.report()
        #expect(report.run.status == "flat" && report.run.exitCode == 0, sourceLocation: location)
        let sent = state.receipts.filter { $0.route.hasPrefix("POST") }
        #expect(sent.count <= report.calls.count, "more requests than intents", sourceLocation: location)
        // An unknown close may be repeated one time, so one request is executed twice at most.
        let executed = Dictionary(grouping: sent.filter { $0.executed && $0.route.contains("close-positions") }) {
            $0.uid + $0.body
        }
        for (request, times) in executed {
            #expect(times.count <= 2, "\(request) was executed \(times.count) times", sourceLocation: location)
        }
    }

    @Test(
        "SIGINT and SIGTERM end a run with their code, and resume finishes it",
        arguments: [
            (signal: Int32(2), code: Int32(130)), (signal: 15, code: 143),
        ])
    func interrupted(signal: Int32, code: Int32) async throws {
        try await Desk.open(positions: 4, ["--latency", "40"]) { desk in
            let run = try desk.start(["run", "plans/all.yaml", "--yes", "--progress", "json"])
            #expect(try await run.sees(Self.callStart))
            run.send(signal)
            let outcome = try await run.outcome()
            #expect(outcome.code == code, "\(outcome.all)")
            #expect(outcome.all.contains("resume"), "\(outcome.all)")
            let between = try await desk.state()
            #expect(between.openPositions > 0)
            let resumed = try await desk.flatbook("resume")
            #expect(resumed.code == 0, "\(resumed.all)")
            try await expectAccounted(desk)
            #expect(try await desk.flatbook("resume").code == 64)
        }
    }

    @Test("a signal before the first call leaves everything open, and resume finishes the run")
    func interruptedBeforeFirstCall() async throws {
        try await Desk.open(["--latency", "300"]) { desk in
            let run = try desk.start(["run", "plans/all.yaml", "--yes", "--progress", "json"])
            #expect(try await run.sees(#""type":"run_start""#))
            run.send(15)
            let outcome = try await run.outcome()
            #expect(outcome.code == 143, "\(outcome.all)")
            let state = try await desk.state()
            #expect(state.mutations == 0)
            let resumed = try await desk.flatbook("resume")
            #expect(resumed.code == 0, "\(resumed.all)")
            try await expectAccounted(desk)
        }
    }

    @Test("after SIGKILL at any call, resume accounts for every call and brings everything to flat", arguments: 1...8)
    func killed(call: Int) async throws {
        try await Desk.open(accounts: 8, positions: 4, seed: 20 + call, ["--latency", "\(call * 9 % 40)"]) { desk in
            let run = try desk.start(["run", "plans/all.yaml", "--yes", "--progress", "json"])
            #expect(try await run.sees(Self.callStart, times: call))
            run.send(9)
            let outcome = try await run.outcome()
            #expect(outcome.code == 137)
            let resumed = try await desk.flatbook("resume")
            #expect(resumed.code == 0, "\(resumed.all)")
            try await expectAccounted(desk)
        }
    }

    @Test("a run that is killed, resumed, killed again and resumed ends flat")
    func killedTwice() async throws {
        try await Desk.open(accounts: 4, positions: 4, seed: 31, ["--latency", "30"]) { desk in
            let run = try desk.start(["run", "plans/all.yaml", "--yes", "--progress", "json"])
            #expect(try await run.sees(Self.callStart, times: 2))
            run.send(9)
            _ = try await run.outcome()
            let again = try desk.start(["resume", "--progress", "json"])
            if try await again.sees(Self.callStart) { again.send(9) }
            #expect(try await again.outcome().code == 137)
            let resumed = try await desk.flatbook("resume")
            #expect(resumed.code == 0, "\(resumed.all)")
            try await expectAccounted(desk)
        }
    }

    @Test("an abandoned run is closed without a call, and --only-open-of takes what it left open")
    func abandoned() async throws {
        try await Desk.open(positions: 4, ["--latency", "40"]) { desk in
            let run = try desk.start(["run", "plans/all.yaml", "--yes", "--progress", "json"])
            #expect(try await run.sees(Self.callStart))
            run.send(9)
            _ = try await run.outcome()
            let name = try #require(
                try await desk.flatbook("runs", "--format", "json").stdout.firstMatch(
                    of: /20\d{6}T\d{6}Z-all-[0-9a-f]+/)
            ).output
            let before = try await desk.state()
            let abandoned = try await desk.flatbook("abandon", String(name))
            #expect([10, 130, 143].contains(abandoned.code), "\(abandoned.all)")
            let after = try await desk.state()
            #expect(after.mutations == before.mutations)
            #expect(after.openPositions > 0)
            #expect(try await desk.flatbook("resume").code == 64)
            let rest = try await desk.run("plans/all.yaml", "--only-open-of", String(name))
            #expect(rest.code == 0, "\(rest.all)")
            let state = try await desk.state()
            #expect(state.openPositions == 0)
        }
    }

    @Test("a signal while an old run is being read ends the new run before it begins: nothing is sent")
    func interruptedWhileReconciling() async throws {
        try await Desk.open(positions: 4, ["--latency", "300"]) { desk in
            let old = try desk.start(["run", "plans/all.yaml", "--yes", "--progress", "json"])
            #expect(try await old.sees(Self.callStart))
            old.send(9)
            _ = try await old.outcome()
            let run = try desk.start(["run", "plans/all.yaml", "--yes", "--progress", "json"])
            #expect(try await run.sees(#""type":"run_start""#))
            let before = try await desk.state()
            run.send(15)
            let outcome = try await run.outcome()
            #expect(outcome.code == 143 && outcome.all.contains("was not begun"), "\(outcome.all)")
            let after = try await desk.state()
            #expect(after.mutations == before.mutations && after.openPositions > 0)
            // The old run can still be finished.
            let resumed = try await desk.flatbook("resume")
            #expect(resumed.code == 0, "\(resumed.all)")
            try await expectAccounted(desk)
        }
    }
}
