import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import Testing

// One case at a time: the suite computes without pause and would starve tests that wait for processes.
/// A run drawn from a seed: fleet, plan, faults and weather.
struct Scenario {
    var plan: PlanDocument
    var configuration: SimulationConfiguration
    var weather = SimulatedRun.Weather()
    var seed: UInt64

    init(seed: UInt64, faults: FaultProfile) {
        var random = TestRandom(seed: seed)
        self.seed = seed
        let fleet = Self.fleet(
            accounts: Int(random.next(in: 1...6)), positions: Int(random.next(in: 1...5)), seed: seed)
        configuration = SimulationConfiguration(
            seed: seed, accounts: fleet.accounts, faults: .named(faults, seed: seed))
        plan = PlanDocument(name: "sim", accounts: [Pattern("*")])
        plan.symbols = random.pick([
            [Pattern("*")], [Pattern("*")], [Pattern("*"), Pattern("!BTC/USDT:USDT")], [Pattern("*/USDT:USDT")],
        ])
        plan.sides = random.pick([[.long, .short], [.long, .short], [.long, .short], [.long], [.short]])
        plan.orders = random.pick([.cancelOpeners, .cancelOpeners, .keep, .cancelAll])
        plan.afterUnknown = random.pick([.resend, .resend, .wait])
        if plan.sides.count == 2 { plan.granularity = random.pick([.auto, .auto, .side, .symbol]) }
        plan.sequence = random.pick([.exposure, .account, .symbol])
        configuration.switches.drawsReplyVariants = true
        configuration.switches.fillsInTwoSteps = random.chance(perMille: 300)
        configuration.switches.flatCloseIsEmpty = random.chance(perMille: 300)
    }

    /// Every third seed: Bitget alone. Else a mixed fleet of all exchanges, copy followers and unified accounts among them.
    private static func fleet(accounts: Int, positions: Int, seed: UInt64) -> FleetBuilder {
        guard seed % 3 != 0 else {
            return FleetBuilder.random(accounts: accounts, positionsPerAccount: positions, seed: seed)
        }
        var draw = TestRandom(seed: seed &+ 991)
        let made = SimulatedVenue.allCases.map { venue in
            FleetBuilder.identities(venue: venue, count: accounts, seed: seed)
        }
        let identities = (0..<accounts).map { slot in draw.pick(made)[slot] }
        var fleet = FleetBuilder.random(identities, positionsPerAccount: positions, seed: seed)
        for (slot, identity) in identities.enumerated() where identity.venue == .bitget {
            switch draw.next(in: 0...3) {
            case 0: fleet.makeFollower(slot, copies: Int(draw.next(in: 1...3)), seed: seed)
            case 1: fleet.makeUnified(slot)
            default: continue
            }
        }
        return fleet
    }

    func play(_ adjust: (SimulatedRun) -> Void = { _ in }) throws -> SimulatedRun {
        let run = SimulatedRun(seed: seed, plan: plan, configuration: configuration, weather: weather)
        adjust(run)
        try run.run()
        return run
    }

    static func report(_ run: SimulatedRun) throws -> RunReport? {
        ReportBuilder(try RunMachine(folding: run.durable), journalHead: "sha256:test").report()
    }
}

/// Judges a run on the exchange's truth, never on what the client believes.
struct Judge {
    let run: SimulatedRun

    init(_ run: SimulatedRun) { self.run = run }

    func check(_ seed: UInt64, sourceLocation: Testing.SourceLocation = #_sourceLocation) {
        let truth = run.simulation.truth
        func say(_ text: String) -> Comment { "seed \(seed): \(text)" }
        #expect(truth.exposureIncreases == 0, say("I4: an order increased exposure"), sourceLocation: sourceLocation)
        #expect(truth.unprotectedOrders == 0, say("I5: an order could open"), sourceLocation: sourceLocation)
        #expect(truth.neverCalls.isEmpty, say("I14: \(truth.neverCalls)"), sourceLocation: sourceLocation)
        #expect(
            truth.limitViolations.isEmpty, say("I6: \(truth.limitViolations.prefix(2))"), sourceLocation: sourceLocation
        )
        #expect(
            !run.mutationReceipts.contains { !$0.intentDurable }, say("I1: sent before its intent was durable"),
            sourceLocation: sourceLocation)
        if case .unreachable = run.end, run.durable.isEmpty {
            #expect(
                run.mutationReceipts.isEmpty, say("exit 75 promises that nothing was sent"),
                sourceLocation: sourceLocation)
            return
        }
        guard let machine = try? RunMachine(folding: run.durable), let header = machine.header else {
            Issue.record(say("the journal does not fold"), sourceLocation: sourceLocation)
            return
        }
        let intents = run.durable.reduce(into: [String: Int]()) { counts, entry in
            if case .intent(let intent) = entry.event { counts[intent.requestDigest, default: 0] += 1 }
        }
        let receipts = run.mutationReceipts.reduce(into: [String: Int]()) { $0[$1.digest, default: 0] += 1 }
        for (digest, count) in receipts {
            #expect(count <= intents[digest] ?? 0, say("more receipts than intents"), sourceLocation: sourceLocation)
        }
        #expect(machine.closing != nil, say("I9, I18: the run did not end"), sourceLocation: sourceLocation)
        for listed in header.accounts { check(listed, machine, seed, sourceLocation) }
    }

    private func check(
        _ listed: RunHeader.RunAccount, _ machine: RunMachine, _ seed: UInt64, _ sourceLocation: Testing.SourceLocation
    ) {
        let name = listed.account.name
        guard let state = machine.accounts[name], let verdict = state.verdict,
            let uid = run.accounts.first(where: { $0.name == name })?.uid
        else {
            Issue.record("seed \(seed): I9: \(name) has no verdict", sourceLocation: sourceLocation)
            return
        }
        let reopened = Set(
            run.simulation.truth.venueOpenings.filter { $0.uid == uid }.map { "\($0.product) \($0.symbol)" })
        if verdict.state == .flat || verdict.state == .alreadyFlat {
            let left = run.simulation.positions(ofUID: uid).filter { position in
                let side: Side = position.side == .long ? .long : .short
                let symbol = TestExchanges.canonical(position.product, position.symbol)
                return state.plan.sides.contains(side)
                    && state.selection.selects(
                        symbol: symbol, nativeID: position.symbol, exchange: listed.account.exchange)
                    && !reopened.contains("\(position.product) \(position.symbol)")
            }
            #expect(
                left.isEmpty, "seed \(seed): I8: \(name) is called flat and holds \(left)",
                sourceLocation: sourceLocation)
        }
        for (leg, closes) in run.simulation.truth.executedCloses where leg.uid == uid && !closes.isEmpty {
            let side: Side = leg.side == .long ? .long : .short
            #expect(
                state.plan.sides.contains(side)
                    && state.selection.selects(
                        symbol: TestExchanges.canonical(leg.product, leg.symbol), nativeID: leg.symbol,
                        exchange: listed.account.exchange),
                "seed \(seed): \(leg) was closed outside the selection", sourceLocation: sourceLocation)
        }
    }
}
