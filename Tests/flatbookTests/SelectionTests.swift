import Testing

/// Only what the plan selects is touched.
@Suite struct SelectionTests {
    @Test("an excluded symbol keeps its positions")
    func excludedSymbol() async throws {
        try await Desk.open(positions: 3, ["--uniform"]) { desk in
            let before = try await desk.state().positions.filter { $0.symbol == "BTCUSDT" }
            #expect(before.count == 3)
            let outcome = try await desk.run(try desk.plan(symbols: #"["*", "!BTC/USDT:USDT"]"#))
            #expect(outcome.code == 0, "\(outcome.all)")
            let state = try await desk.state()
            #expect(state.positions == before)
            #expect(try desk.report().legs.allSatisfy { $0.instrument != "BTCUSDT" })
        }
    }

    @Test("one selected symbol leaves the others")
    func oneSymbol() async throws {
        try await Desk.open(positions: 3, ["--uniform"]) { desk in
            let rest = try await desk.state().positions.filter { $0.symbol != "BTCUSDT" }
            let outcome = try await desk.run(try desk.plan(symbols: #"["BTC/USDT:USDT"]"#))
            #expect(outcome.code == 0, "\(outcome.all)")
            #expect(outcome.stdout.contains("outside this plan"), "\(outcome.stdout)")
            #expect(try await desk.state().positions == rest)
        }
    }

    @Test("one selected side leaves the other", arguments: [("long", "short"), ("short", "long")])
    func oneSide(selected: String, other: String) async throws {
        try await Desk.open(accounts: 4, positions: 4) { desk in
            let rest = try await desk.state().positions.filter { $0.side == other }
            #expect(!rest.isEmpty)
            let outcome = try await desk.run(try desk.plan("sides: [\(selected)]"))
            #expect(outcome.code == 0, "\(outcome.all)")
            let state = try await desk.state()
            #expect(Set(state.positions) == Set(rest))
            #expect(state.exposureIncreases == 0)
        }
    }

    @Test("--only narrows the accounts")
    func only() async throws {
        try await Desk.open { desk in
            let outcome = try await desk.run("plans/all.yaml", "--only", "bitget-002")
            #expect(outcome.code == 0, "\(outcome.all)")
            let state = try await desk.state()
            #expect(state.open("bitget-002") == 0)
            #expect(state.open("bitget-001") > 0 && state.open("bitget-003") > 0)
            #expect(try desk.report().accounts.map(\.name) == ["bitget-002"])
        }
    }

    @Test("--only that matches nobody is refused")
    func onlyNobody() async throws {
        try await Desk.open { desk in
            let outcome = try await desk.run("plans/all.yaml", "--only", "bitget-9*")
            try await BadFileTests.expectRefusal(outcome, code: 78, telling: ["bitget-9*"], at: desk)
        }
    }

    @Test("a disabled account keeps its positions and does not count")
    func disabled() async throws {
        try await Desk.open { desk in
            try desk.replace(
                "accounts/simulated.yaml", #"uid: "7000000002""#,
                #"uid: "7000000002", enabled: false, reason: "under review""#)
            let outcome = try await desk.run()
            #expect(outcome.code == 0, "\(outcome.all)")
            #expect(try desk.report().account("bitget-002")?.state == "skipped")
            let state = try await desk.state()
            #expect(state.openPositions == state.open("bitget-002") && state.openPositions > 0)
        }
    }

    @Test(
        "plan and --dry-run change nothing",
        arguments: [["plan", "plans/all.yaml"], ["run", "plans/all.yaml", "--dry-run"]])
    func preview(command: [String]) async throws {
        try await Desk.open { desk in
            let before = try await desk.state().positions
            let outcome = try await desk.start(command).outcome()
            #expect(outcome.code == 0, "\(outcome.all)")
            let state = try await desk.state()
            #expect(state.positions == before && state.mutations == 0)
        }
    }
}
