import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import FlatbookSimulation
import Testing

@Suite("Promises, one scenario each")
struct PromiseTests {
    /// Accounts of one fleet with the positions a test names.
    private func fleet(
        hedge: Bool = false, accounts: Int = 1,
        _ positions: [(symbol: String, side: ExchangeSimulator.PositionSide)], scripts: [Script] = []
    ) -> SimulationConfiguration {
        var builder = FleetBuilder(seed: 5)
        for identity in FleetBuilder.identities(count: accounts, seed: 5) {
            let slot = builder.add(identity, isHedge: hedge)
            for position in positions {
                builder.position(slot, position.symbol, side: position.side, quantity: Fixed(2))
            }
            builder.edit(slot) { $0.scripts = scripts }
        }
        return SimulationConfiguration(seed: 5, accounts: builder.accounts)
    }

    private func play(
        _ plan: PlanDocument, _ configuration: SimulationConfiguration, pinned: Bool = true,
        _ adjust: (SimulatedRun) -> Void = { _ in }
    ) throws -> SimulatedRun {
        let run = SimulatedRun(seed: 5, plan: plan, configuration: configuration, pinned: pinned)
        adjust(run)
        try run.run()
        return run
    }

    private func open(_ run: SimulatedRun) -> [String] {
        run.simulation.openPositions.flatMap { account in
            account.positions.map { "\($0.symbol) \($0.side.rawValue)" }
        }.sorted()
    }

    @Test("an excluded symbol that is opened after the snapshot stays open, whatever else is closed")
    func excludedAfterSnapshot() throws {
        let plan = PlanDocument(
            name: "x", accounts: [Pattern("*")], symbols: [Pattern("*"), Pattern("!BTC/USDT:USDT")])
        let opens = Script(
            .beforeClose(1), .open(product: "USDT-FUTURES", symbol: "BTCUSDT", side: .long, quantity: Fixed(1)))
        let run = try play(plan, fleet([("ETHUSDT", .long), ("SOLUSDT", .short)], scripts: [opens]))
        #expect(open(run) == ["BTCUSDT long"])
        let report = try #require(try Scenario.report(run))
        #expect(report.run.exitCode == 0)
        #expect(report.totals.openOutsideSelection.legs == 1)
        expectKept(run, 5)
    }

    @Test("with one side selected, a net position that flips before the close is not touched")
    func flipped() throws {
        let plan = PlanDocument(name: "x", accounts: [Pattern("*")], sides: [.long])
        let flip = Script(.beforeClose(1), .flip(product: "USDT-FUTURES", symbol: "ETHUSDT", quantity: Fixed(3)))
        let run = try play(plan, fleet([("ETHUSDT", .long)], scripts: [flip]))
        #expect(open(run) == ["ETHUSDT short"])
        #expect(run.simulation.truth.exposureIncreases == 0)
        #expect(try Scenario.report(run)?.run.exitCode == 0)
    }

    @Test("with one side selected, the other leg of a hedge stays", arguments: [Side.long, .short])
    func oneSideOfHedge(side: Side) throws {
        let plan = PlanDocument(name: "x", accounts: [Pattern("*")], sides: [side])
        let run = try play(plan, fleet(hedge: true, [("ETHUSDT", .long), ("ETHUSDT", .short)]))
        #expect(open(run) == ["ETHUSDT \(side.opposite.rawValue)"])
    }

    @Test("a journal that fails stops every send at once", arguments: 1...8)
    func journalFails(at append: Int) throws {
        let plan = PlanDocument(name: "x", accounts: [Pattern("*")])
        let configuration = fleet(accounts: 3, [("ETHUSDT", .long), ("SOLUSDT", .short)])
        var weather = SimulatedRun.Weather()
        weather.journalFailsAt = append
        let run = SimulatedRun(seed: 5, plan: plan, configuration: configuration, weather: weather)
        try run.run()
        guard case .journalFailed(let error) = run.end else {
            Issue.record("ended with \(String(describing: run.end))")
            return
        }
        #expect(error.code == .diskFull)
        #expect(!run.mutationReceipts.contains { !$0.intentDurable })
    }

    @Test("the same seed gives the same journal, byte for byte (I21)", arguments: [3, 33, 333] as [UInt64])
    func deterministic(seed: UInt64) throws {
        func journal() throws -> [JournalEntry] {
            var scenario = Scenario(seed: seed, faults: .heavy)
            scenario.configuration.faults.quietAfterMs = 30_000
            scenario.weather.crashes = 2
            return try scenario.play().durable
        }
        #expect(try journal() == journal())
    }

    @Test("a preview changes nothing and journals nothing (I16)")
    func preview() throws {
        let run = try play(PlanDocument(name: "x", accounts: [Pattern("*")]), fleet(accounts: 2, [("ETHUSDT", .long)]))
        {
            $0.mode = .preview
        }
        guard case .preview(let work) = run.end else {
            Issue.record("ended with \(String(describing: run.end))")
            return
        }
        #expect(work.legs == 2 && work.calls == 2)
        #expect(run.durable.isEmpty && run.mutationReceipts.isEmpty)
    }

    @Test("a guard that is exceeded refuses before anything is sent", arguments: [true, false])
    func guards(byLegs: Bool) throws {
        var plan = PlanDocument(name: "x", accounts: [Pattern("*")])
        if byLegs { plan.guards.maxLegs = 1 } else { plan.guards.maxNotional = Amount(1) }
        let run = try play(plan, fleet(accounts: 2, [("ETHUSDT", .long)]))
        guard case .refused = run.end else {
            Issue.record("ended with \(String(describing: run.end))")
            return
        }
        #expect(run.mutationReceipts.isEmpty)
    }

    @Test("two names with one uid are found before anything is sent")
    func twins() throws {
        var configuration = fleet(accounts: 2, [("ETHUSDT", .long)])
        configuration.accounts[1].uid = configuration.accounts[0].uid
        let run = try play(PlanDocument(name: "x", accounts: [Pattern("*")]), configuration, pinned: false)
        guard case .invalid(let problems) = run.end else {
            Issue.record("ended with \(String(describing: run.end))")
            return
        }
        #expect(problems.first?.message.contains("bitget-001") == true)
        #expect(problems.first?.message.contains("bitget-002") == true)
        #expect(run.mutationReceipts.isEmpty)
    }

    @Test("SIGTERM waits for what is in flight and leaves a run that can be resumed", arguments: [60, 120, 400, 1500])
    func stopped(atMs: Int64) throws {
        let run = try play(
            PlanDocument(name: "x", accounts: [Pattern("*")]),
            fleet(accounts: 4, [("ETHUSDT", .long), ("SOLUSDT", .long)])
        ) { $0.signals = [(atMs, "SIGTERM")] }
        guard case .interrupted("SIGTERM") = run.end else {
            Issue.record("ended with \(String(describing: run.end))")
            return
        }
        guard !run.durable.isEmpty else { return }
        let machine = try RunMachine(folding: run.durable)
        #expect(machine.closing == nil)
        #expect(!machine.calls.values.contains { $0.stage == .intended }, "a call is left without outcome")
        #expect(RunVerdict(machine, signal: machine.interruption).exitCode == 143)
    }

    @Test("a close order that holds the size is cancelled by id, except under keep", arguments: [true, false])
    func heldSize(keeps: Bool) throws {
        var plan = PlanDocument(name: "x", accounts: [Pattern("*")])
        plan.orders = keeps ? .keep : .cancelOpeners
        var builder = FleetBuilder(seed: 5)
        let slot = builder.add(FleetBuilder.identities(count: 1, seed: 5)[0])
        builder.position(slot, "ETHUSDT", side: .long, quantity: Fixed(2))
        builder.resting(slot, "ETHUSDT", leg: .long, closes: true, size: Fixed(2))
        var configuration = SimulationConfiguration(seed: 5, accounts: builder.accounts)
        configuration.switches.locked = .refuses
        let run = try play(plan, configuration)
        #expect(open(run) == (keeps ? ["ETHUSDT long"] : []))
        #expect(try Scenario.report(run)?.run.exitCode == (keeps ? 10 : 0))
    }

    @Test("at the deadline nothing is sent any more, and what is open is told")
    func deadline() throws {
        var plan = PlanDocument(name: "x", accounts: [Pattern("*")], granularity: .symbol)
        plan.guards.deadline = .milliseconds(2500)
        let symbols = ["ETHUSDT", "SOLUSDT", "XRPUSDT", "BNBUSDT", "ADAUSDT", "LTCUSDT"]
        let run = try play(plan, fleet(symbols.map { ($0, .long) }))
        let report = try #require(try Scenario.report(run))
        #expect(report.run.exitCode == 15 && report.run.status == "deadline")
        #expect(!open(run).isEmpty && open(run).count < symbols.count)
        #expect(report.totals.legsFlat == symbols.count - open(run).count)
        expectKept(run, 5)
    }
}
