package import ExchangeKit
package import ExchangeSimulator
package import FlatbookCore
package import FlatbookExecutor

/// One seeded run of the whole product in virtual time: engine, planner, plugins and ledger against the simulated
/// exchanges, with a network that delays and loses and processes that die.
package final class SimulatedRun {
    package typealias Weather = FlatbookSimulation.Weather

    package static let wallStart: Int64 = 1_790_000_000_000
    package static let base = "http://127.0.0.1:9000"
    static let bootNs: Int64 = 1_000_000_000

    package let seed: UInt64
    package let weather: Weather
    package let header: RunHeader
    /// As the client knows them.
    package let accounts: [SimulatedAccount]
    package let configuration: SimulationConfiguration
    let world: SimulatedWorld
    let plugins: [ExchangeID: any ExchangePlugin]
    package var expectsConfirmation = false
    package var mode = EngineMode.run
    /// Signals at exact times after the start; the run stays interrupted.
    package var signals: [(atMs: Int64, name: String)] = []
    /// The second runner's run; nil = there is none.
    package private(set) var secondHeader: RunHeader?

    package init(
        seed: UInt64, plan: PlanDocument, configuration: SimulationConfiguration, weather: Weather = Weather(),
        pinned: Bool = true, onlyLegs: [String: [FlatbookCore.LegKey]] = [:],
        signingAs: [SimulatedAccount]? = nil, plugins: [ExchangeID: any ExchangePlugin] = TestExchanges.byID,
        adjust: (inout Account) -> Void = { _ in }
    ) {
        self.seed = seed
        self.weather = weather
        self.configuration = configuration
        self.plugins = plugins
        accounts = signingAs ?? configuration.accounts
        world = SimulatedWorld(seed: seed, configuration: configuration, weather: weather, keys: accounts)
        let listed = configuration.accounts.map { simulated in
            var account = Account(
                name: simulated.name, exchange: ExchangeID(simulated.venue.rawValue), environment: .simulated,
                uid: pinned ? simulated.uid : nil, endpoint: Self.base,
                options: simulated.isFollower ? ["role": ["copy-follower"]] : [:])
            adjust(&account)
            return RunHeader.RunAccount(account: account, plan: 0, onlyLegs: onlyLegs[simulated.name])
        }
        header = Self.header("20260922T000000Z-\(plan.name)-\(seed)", plan, listed)
        if weather.hasSecondRunner {
            let shared = listed.filter { _ in world.random.chance(perMille: 600) }
            secondHeader = Self.header(
                "20260922T000001Z-\(plan.name)-\(seed)", plan, shared.isEmpty ? [listed[0]] : shared)
        }
    }

    private static func header(_ id: String, _ plan: PlanDocument, _ listed: [RunHeader.RunAccount]) -> RunHeader {
        RunHeader(
            id: id, plans: [plan], planDigest: "sha256:test", environment: .simulated, accounts: listed,
            deadline: Instant(nanoseconds: bootNs) + plan.guards.deadline,
            deadlineWall: WallTime(milliseconds: wallStart) + plan.guards.deadline,
            startedWall: WallTime(milliseconds: wallStart),
            holder: RunHolder(host: "test", pid: 1, bootID: "boot", version: "test"))
    }

    /// Runs to the end, through every crash. Bounded in steps and in virtual time.
    package func run(maximumSteps: Int = 400_000) throws {
        for (number, header) in [header, secondHeader].enumerated() {
            guard let header else { continue }
            world.add(
                SimulatedProcess(
                    number: number + 1, world: world, header: header, plugins: plugins, mode: mode,
                    expectsConfirmation: expectsConfirmation, resumesAfterSignal: weather.terms > 0))
        }
        let start = Self.bootNs
        world.push(.process(1, .start), at: start)
        for signal in signals { world.push(.process(1, .signal(signal.name)), at: start + signal.atMs * 1_000_000) }
        if secondHeader != nil { world.push(.process(2, .start), at: start + drawn() * 500_000) }
        for _ in 0..<weather.crashes {
            world.push(.process(anyProcess(), .crash(losesPower: weather.losesPower)), at: start + drawn() * 1_000_000)
        }
        for _ in 0..<weather.pauses {
            let ms = world.random.next(in: weather.pauseMs)
            world.push(.process(anyProcess(), .pause(ms: ms)), at: start + drawn() * 1_000_000)
        }
        for _ in 0..<weather.terms {
            world.push(.process(anyProcess(), .signal("SIGTERM")), at: start + drawn() * 1_000_000)
        }
        for _ in 0..<weather.wallSteps {
            let step = world.random.pick([-3_600_000 as Int64, -30_000, -5_000, 5_000, 30_000, 3_600_000])
            world.push(.wallStep(ms: step), at: start + drawn() * 1_000_000)
        }
        for _ in 0..<weather.unlocks {
            world.push(.unlock(process: anyProcess()), at: start + drawn() * 1_000_000)
        }
        try world.run(maximumSteps: maximumSteps)
    }

    private func drawn() -> Int64 { world.random.next(in: weather.troubleMs) }
    private func anyProcess() -> Int { secondHeader == nil ? 1 : Int(world.random.next(in: 1...2)) }

    // MARK: What came of it

    package var simulation: ExchangeSimulation {
        get { world.simulation }
        set { world.simulation = newValue }
    }
    /// What the disk of the first process holds.
    package var durable: [JournalEntry] { world.processes.first?.disk.durable ?? [] }
    package var secondDurable: [JournalEntry] { world.processes.count > 1 ? world.processes[1].disk.durable : [] }
    package var end: EngineEnd? { world.processes.first?.end }
    package var secondEnd: EngineEnd? { world.processes.count > 1 ? world.processes[1].end : nil }
    package var steps: Int { world.steps }
    package var mutationReceipts: [(intentDurable: Bool, digest: String)] {
        world.receipts.map { ($0.intentDurable, $0.digest) }
    }
    /// Appends of the first process, over all of its lives.
    package var appends: Int { world.processes.first?.appends ?? 0 }
    package var crashesDone: Int { world.crashes }
    /// Faults of every kind that were done, crashes not counted.
    package var faultsDone: Int { world.faults + world.simulation.truth.faultsDone }
    /// Broken promises that were seen while it ran.
    package var violations: [String] { world.violations }
    package var trace: ((String) -> Void)? {
        get { world.trace }
        set { world.trace = newValue }
    }
}

/// SplitMix64: the same seed, the same run.
package struct TestRandom {
    private var state: UInt64
    package init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678_9ABC_DEF1 }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    package mutating func next(in range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + Int64(next() % UInt64(range.upperBound - range.lowerBound + 1))
    }

    package mutating func chance(perMille: Int) -> Bool { Int(next() % 1000) < perMille }
    package mutating func pick<T>(_ items: [T]) -> T { items[Int(next() % UInt64(items.count))] }
}
