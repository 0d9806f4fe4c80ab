package import ExchangeSimulator
package import FlatbookCore

/// A run drawn from a seed: fleet, plan, faults and weather.
package struct Scenario: Sendable {
    package var plan: PlanDocument
    package var configuration: SimulationConfiguration
    package var weather = Weather()
    package var seed: UInt64

    package init(seed: UInt64, faults: FaultProfile) {
        var random = TestRandom(seed: seed)
        self.seed = seed
        let fleet = Self.fleet(
            accounts: Int(random.next(in: 1...6)), positions: Int(random.next(in: 1...5)), seed: seed)
        configuration = SimulationConfiguration(
            seed: seed, accounts: fleet.accounts, faults: .named(faults, seed: seed))
        plan = Self.plan(&random)
        configuration.switches.drawsReplyVariants = true
        configuration.switches.fillsInTwoSteps = random.chance(perMille: 300)
        configuration.switches.flatCloseIsEmpty = random.chance(perMille: 300)
    }

    /// A campaign's run: six accounts, two on each exchange, and a random subset of everything that can go wrong.
    package init(swarm seed: UInt64) {
        var random = TestRandom(seed: seed &+ 0x5EED)
        self.seed = seed
        let fleet = Self.mixed(
            SimulatedVenue.allCases.flatMap { FleetBuilder.identities(venue: $0, count: 2, seed: seed) },
            positions: Int(random.next(in: 1...4)), seed: seed)
        configuration = SimulationConfiguration(
            seed: seed, accounts: fleet.accounts, instruments: Self.instruments(for: fleet.accounts))
        plan = Self.plan(&random)
        plan.verify.rounds = Int(random.next(in: 1...3))
        if random.chance(perMille: 150) { plan.guards.deadline = .milliseconds(random.next(in: 1_000...20_000)) }
        configuration.faults = Self.faults(&random, seed: seed)
        configuration.switches.drawsReplyVariants = true
        configuration.switches.fillsInTwoSteps = random.chance(perMille: 300)
        configuration.switches.flatCloseIsEmpty = random.chance(perMille: 300)
        configuration.switches.locked = random.pick([.closesAvailable, .cancelsClosers, .refuses])
        configuration.switches.closing = random.pick([.noPosition, .duplicateRow, .closingRow])
        configuration.switches.window = random.pick([.sliding, .fixed])
        configuration.switches.refusedRequestsCount = random.chance(perMille: 300)
        configuration.fillDelayMs = random.pick([20...120, 0...0, 200...2_000])
        weather = Self.weather(&random)
    }

    /// What the fleet holds, and some of what it does not: full lists would be most of a short run's work.
    static func instruments(for accounts: [SimulatedAccount]) -> [SimulatedInstrument] {
        var held: Set<String> = []
        for account in accounts {
            held.formUnion(account.positions.map(\.symbol))
            held.formUnion(account.resting.map(\.symbol))
            held.formUnion(account.plans.map(\.symbol))
            held.formUnion(account.bingx.twaps.map(\.symbol))
        }
        return SimulatedInstrument.everything.enumerated().filter { index, one in
            index % 12 == 0 || held.contains(one.symbol) || one.symbol.hasPrefix("BTC")
        }.map(\.element)
    }

    private static func plan(_ random: inout TestRandom) -> PlanDocument {
        var plan = PlanDocument(name: "sim", accounts: [Pattern("*")])
        plan.symbols = random.pick([
            [Pattern("*")], [Pattern("*")], [Pattern("*"), Pattern("!BTC/USDT:USDT")], [Pattern("*/USDT:USDT")],
        ])
        plan.sides = random.pick([[.long, .short], [.long, .short], [.long, .short], [.long], [.short]])
        plan.orders = random.pick([.cancelOpeners, .cancelOpeners, .keep, .cancelAll])
        plan.afterUnknown = random.pick([.resend, .resend, .wait])
        if plan.sides.count == 2 { plan.granularity = random.pick([.auto, .auto, .side, .symbol]) }
        plan.sequence = random.pick([.exposure, .account, .symbol])
        return plan
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
        return mixed((0..<accounts).map { slot in draw.pick(made)[slot] }, positions: positions, seed: seed, draw: draw)
    }

    private static func mixed(
        _ identities: [FleetBuilder.Identity], positions: Int, seed: UInt64, draw given: TestRandom? = nil
    ) -> FleetBuilder {
        var draw = given ?? TestRandom(seed: seed &+ 991)
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

    /// Half of the runs draw a subset of single faults, the others a named profile; stale and empty caches on top.
    private static func faults(_ random: inout TestRandom, seed: UInt64) -> FaultPlan {
        let profile: FaultProfile =
            random.chance(perMille: 500) ? .heavy : random.pick(FaultProfile.allCases.filter { $0 != .none })
        var plan = FaultPlan.named(profile, seed: seed)
        // Rates that fit runs of a few hundred requests.
        if random.chance(perMille: 300) { plan.readLagMs = 100...3_000 }
        if random.chance(perMille: 250) { plan.emptyCacheMs = 100...900 }
        if random.chance(perMille: 200) { plan.perMille[.failedRead] = 100 }
        if random.chance(perMille: 150) { plan.reopenPerMille = 200 }
        if random.chance(perMille: 250) { plan.shiftPerMille = 250 }
        plan.quietAfterMs = 60_000
        return plan
    }

    private static func weather(_ random: inout TestRandom) -> Weather {
        var weather = Weather()
        weather.lostRequestPerMille = random.chance(perMille: 700) ? Int(random.next(in: 1...40)) : 0
        weather.refusedPerMille = random.chance(perMille: 500) ? Int(random.next(in: 1...30)) : 0
        weather.crashes = Int(random.pick([0, 1, 1, 2, 2, 3]))
        weather.losesPower = random.chance(perMille: 250)
        weather.stallPerMille = random.chance(perMille: 150) ? Int(random.next(in: 1...6)) : 0
        weather.pauses = random.chance(perMille: 150) ? 1 : 0
        weather.wallSteps = random.chance(perMille: 200) ? Int(random.next(in: 1...3)) : 0
        weather.terms = random.chance(perMille: 120) ? 1 : 0
        weather.hasSecondRunner = random.chance(perMille: 250)
        weather.unlocks = weather.hasSecondRunner && random.chance(perMille: 300) ? 1 : 0
        if random.chance(perMille: 60) {
            weather.journalFailsAt = Int(random.next(in: 2...40))
            weather.mendsJournal = true
        }
        return weather
    }

    package func play(_ adjust: (SimulatedRun) -> Void = { _ in }) throws -> SimulatedRun {
        let run = SimulatedRun(seed: seed, plan: plan, configuration: configuration, weather: weather)
        adjust(run)
        try run.run()
        return run
    }

    package static func report(_ run: SimulatedRun) throws -> RunReport? {
        ReportBuilder(try RunMachine(folding: run.durable), journalHead: "sha256:test").report()
    }
}
