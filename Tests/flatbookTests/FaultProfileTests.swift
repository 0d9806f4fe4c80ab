import Testing

/// Whatever the exchange does, the exit code and the report say no more than what is true.
@Suite struct FaultProfileTests {
    @Test(
        "a run against a failing exchange ends with a code that is true",
        arguments: ["heavy", "partial", "stale", "penalty", "reopen", "blackout", "failedread", "keys"])
    func truthful(profile: String) async throws {
        try await Desk.open(accounts: 4, positions: 3, seed: 3, ["--faults", profile]) { desk in
            let plan = try desk.plan("guards: {deadline: 25s}\nverify: {timeout: 15s}")
            let outcome = try await desk.flatbook("run", plan, "--yes", "--progress", "none", within: 150)
            #expect([0, 10, 11, 14, 15, 75, 77].contains(outcome.code), "\(outcome.all)")
            let state = try await desk.state()
            #expect(state.exposureIncreases == 0)
            #expect(state.limitViolations == 0)
            if outcome.code == 0 {
                #expect(
                    state.openPositions == 0 || state.venueOpenings > 0, "flat, but \(state.positions)")
            }
            guard outcome.code != 77, outcome.code != 75 else { return }
            let report = try desk.report()
            #expect(report.run.exitCode == Int(outcome.code))
            #expect((report.run.status == "flat") == (outcome.code == 0))
            guard state.venueOpenings == 0 else { return }
            let open = Set(state.positions.map { "\($0.name) \($0.symbol) \($0.side)" })
            for leg in report.legs where leg.state == "flat" || leg.state == "already-flat" {
                let name = "\(leg.account) \(leg.instrument) \(leg.side)"
                #expect(!open.contains(name), "\(name) is called flat and is open")
            }
        }
    }
}
