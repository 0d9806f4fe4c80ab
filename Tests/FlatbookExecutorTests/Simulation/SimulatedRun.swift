import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import FlatbookCrypto
import FlatbookExecutor
import FlatbookPlanner

/// One seeded run of the whole product in virtual time: engine, planner, plugin and ledger against the simulated
/// exchange, with a network that delays and loses and a process that dies.
final class SimulatedRun {
    /// What may go wrong beyond the exchange's own faults.
    struct Weather {
        var lostRequestPerMille = 0
        var refusedPerMille = 0
        var crashes = 0
        var roundTripMs: ClosedRange<Int64> = 4...60
        var restartMs: ClosedRange<Int64> = 50...4000
        /// The journal fails at this append; nil = never.
        var journalFailsAt: Int?
    }

    struct Sent {
        var request: VenueRequest
        var bytes: SimulatedRequest
        var account: String?
        var isMutation: Bool
        var incarnation: Int
    }

    private enum Event {
        case durable(UInt64, entries: [JournalEntry], incarnation: Int)
        case arrive(UInt64)
        case reply(UInt64, TimedReply, incarnation: Int)
        case fail(UInt64, TransportError, incarnation: Int)
        case wake(incarnation: Int)
        case restart
        case crash
        case signal(String)
    }

    static let wallStart: Int64 = 1_790_000_000_000
    static let base = "http://127.0.0.1:9000"

    let seed: UInt64
    let weather: Weather
    var simulation: ExchangeSimulation
    private(set) var nowNs: Int64 = 1_000_000_000
    private var random: TestRandom
    private var queue: [(at: Int64, sequence: Int, event: Event)] = []
    private var sequence = 0
    private var sent: [UInt64: Sent] = [:]
    private var inFlight: Set<UInt64> = []
    private var ledgers: [VenueKey: TrackedLedger] = [:]
    private var engine: Engine?
    private var incarnation = 0
    private var wireID: UInt64 = 0
    private var wireOf: [UInt64: UInt64] = [:]
    private var appends = 0
    private var journalFreeAt: Int64 = 0
    private var wakeAt: Int64?
    let header: RunHeader
    let accounts: [SimulatedAccount]
    var expectsConfirmation = false
    var mode = EngineMode.run
    var signals: [(atMs: Int64, name: String)] = []
    /// What the disk holds.
    private(set) var durable: [JournalEntry] = []
    private(set) var end: EngineEnd?
    private(set) var steps = 0
    private(set) var mutationReceipts: [(intentDurable: Bool, digest: String)] = []
    private(set) var crashesDone = 0
    var trace: ((String) -> Void)?

    init(
        seed: UInt64, plan: PlanDocument, configuration: SimulationConfiguration, weather: Weather = Weather(),
        pinned: Bool = true, onlyLegs: [String: [FlatbookCore.LegKey]] = [:],
        signingAs: [SimulatedAccount]? = nil,
        adjust: (inout Account) -> Void = { _ in }
    ) {
        self.seed = seed
        self.weather = weather
        simulation = ExchangeSimulation(configuration)
        random = TestRandom(seed: seed)
        accounts = signingAs ?? configuration.accounts
        let listed = configuration.accounts.map { simulated in
            var account = Account(
                name: simulated.name, exchange: ExchangeID(simulated.venue.rawValue), environment: .simulated,
                uid: pinned ? simulated.uid : nil, endpoint: Self.base,
                options: simulated.isFollower ? ["role": ["copy-follower"]] : [:])
            adjust(&account)
            return RunHeader.RunAccount(account: account, plan: 0, onlyLegs: onlyLegs[simulated.name])
        }
        let start = Instant(nanoseconds: 1_000_000_000)
        header = RunHeader(
            id: "20260922T000000Z-\(plan.name)-\(seed)", plans: [plan], planDigest: "sha256:test",
            environment: .simulated, accounts: listed, deadline: start + plan.guards.deadline,
            deadlineWall: WallTime(milliseconds: Self.wallStart) + plan.guards.deadline,
            startedWall: WallTime(milliseconds: Self.wallStart),
            holder: RunHolder(host: "test", pid: 1, bootID: "boot", version: "test"))
        for _ in 0..<weather.crashes { push(at: nowNs + random.next(in: 5...9000) * 1_000_000, .crash) }
    }

    var now: Now {
        Now(
            instant: Instant(nanoseconds: nowNs),
            wall: WallTime(milliseconds: Self.wallStart + (nowNs - 1_000_000_000) / 1_000_000))
    }

    private func push(at: Int64, _ event: Event) {
        sequence += 1
        // A heap would be faster; runs have few events under way at once.
        let entry = (max(at, nowNs), sequence, event)
        var low = 0
        var high = queue.count
        while low < high {
            let middle = (low + high) / 2
            if (queue[middle].at, queue[middle].sequence) > (entry.0, entry.1) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        queue.insert(entry, at: low)
    }

    /// Runs to the end, through every crash. Bounded in steps and in virtual time.
    func run(maximumSteps: Int = 400_000) throws {
        for signal in signals { push(at: nowNs + signal.atMs * 1_000_000, .signal(signal.name)) }
        try begin()
        while end == nil, steps < maximumSteps, let next = queue.popLast() {
            steps += 1
            nowNs = max(nowNs, next.at)
            try step(next.event)
        }
        // What was lost on the way may still arrive.
        while let next = queue.popLast() {
            nowNs = max(nowNs, next.at)
            if case .arrive(let id) = next.event { arrive(id) }
        }
        simulation.advance(toNs: nowNs + 60_000_000_000)
    }

    private func begin() throws {
        incarnation += 1
        wakeAt = nil
        let machine = durable.isEmpty ? nil : try RunMachine(folding: durable)
        if let machine, machine.closing != nil { return }
        var header = header
        header.holder.pid = incarnation
        let configuration = EngineConfiguration(
            mode: mode, header: header, epoch: incarnation, plugins: TestExchanges.byID,
            ledger: { [unowned self] in self.ledger($0) }, planner: { FlatteningPlanner() }, locks: FreeLocks(),
            digest: { "sha256:" + Hex.encode(sha256($0)) }, needsConfirmation: expectsConfirmation,
            lowerBound: { _ in (.zero, nil) })
        engine = Engine(configuration, resuming: machine, now: now)
        try handle(.start)
    }

    private func handle(_ event: EngineEvent) throws {
        guard let engine else { return }
        for effect in engine.handle(event, now: now) {
            switch effect {
            case .append(let entries, let ticket):
                appends += 1
                if appends == weather.journalFailsAt {
                    try handle(.journalFailed(JournalError(.diskFull, "test disk is full")))
                    return
                }
                // One writer: appends become durable in their order.
                journalFreeAt = max(journalFreeAt, nowNs) + random.next(in: 100...3000) * 1000
                push(
                    at: journalFreeAt,
                    .durable(ticket, entries: entries, incarnation: incarnation))
            case .send(let dispatch): try send(dispatch)
            case .wake(let instant):
                // Like the live driver: one wake-up at a time, the earliest that was wished for.
                if let instant, wakeAt.map({ instant.nanoseconds < $0 }) ?? true {
                    wakeAt = instant.nanoseconds
                    push(at: instant.nanoseconds, .wake(incarnation: incarnation))
                }
            case .confirm: try handle(.confirmed(true))
            case .notice(let notice): trace?("\(nowNs / 1_000_000) \(notice)")
            case .finished(let end): self.end = end
            }
        }
    }

    private func step(_ event: Event) throws {
        switch event {
        case .durable(let ticket, let entries, let incarnation):
            guard incarnation == self.incarnation, engine != nil else { return }
            durable += entries
            try handle(.durable(ticket: ticket))
        case .arrive(let id): arrive(id)
        case .reply(let id, let reply, let incarnation):
            guard incarnation == self.incarnation, engine != nil, inFlight.remove(id) != nil else { return }
            try handle(.replied(id: id, reply))
        case .fail(let id, let error, let incarnation):
            guard incarnation == self.incarnation, engine != nil, inFlight.remove(id) != nil else { return }
            try handle(.failed(id: id, error))
        case .wake(let incarnation):
            guard incarnation == self.incarnation, engine != nil else { return }
            if let due = wakeAt, due <= nowNs { wakeAt = nil }
            try handle(.tick)
        case .crash: crash()
        case .restart: try begin()
        case .signal(let name): try handle(.stop(signal: name))
        }
    }

    /// SIGKILL: what is not on the disk is gone, what is on the wire arrives.
    private func crash() {
        guard engine != nil, end == nil else { return }
        trace?("\(nowNs / 1_000_000) CRASH")
        crashesDone += 1
        // Appends under way reached the disk or did not: in order, up to a point from the seed.
        let waiting = queue.reversed().compactMap { item -> [JournalEntry]? in
            guard case .durable(_, let entries, let incarnation) = item.event, incarnation == self.incarnation
            else { return nil }
            return entries
        }
        for entries in waiting.prefix(Int(random.next(in: 0...Int64(waiting.count)))) { durable += entries }
        journalFreeAt = 0
        for ledger in ledgers.values { ledger.forgetOwner(at: Instant(nanoseconds: nowNs)) }
        engine = nil
        inFlight = []
        push(at: nowNs + random.next(in: weather.restartMs) * 1_000_000, .restart)
    }

    // MARK: The network

    private func send(_ dispatch: Dispatch) throws {
        let id = dispatch.id
        inFlight.insert(id)
        let timeoutAt = nowNs + dispatch.timeout.nanoseconds
        push(
            at: timeoutAt,
            .fail(id, TransportError(.timeout, wasWritten: true, "no reply"), incarnation: incarnation))
        if random.chance(perMille: weather.refusedPerMille) {
            push(
                at: nowNs + 1_000_000,
                .fail(id, TransportError(.refused, wasWritten: false, "refused"), incarnation: incarnation))
            return
        }
        guard let bytes = wire(dispatch) else { return }
        wireID += 1
        sent[wireID] = Sent(
            request: dispatch.request, bytes: bytes, account: dispatch.account, isMutation: dispatch.isMutation,
            incarnation: incarnation)
        wireOf[wireID] = id
        if random.chance(perMille: weather.lostRequestPerMille) { return }
        push(at: nowNs + random.next(in: weather.roundTripMs) * 500_000, .arrive(wireID))
    }

    /// Each exchange's ledger survives the process.
    private func ledger(_ key: VenueKey) -> TrackedLedger {
        if let known = ledgers[key] { return known }
        let made = TrackedLedger()
        ledgers[key] = made
        return made
    }

    /// The bytes as the live client makes them.
    private func wire(_ dispatch: Dispatch) -> SimulatedRequest? {
        guard let signed = signed(dispatch) else { return nil }
        return SimulatedRequest(
            method: signed.method.rawValue, target: signed.target, headers: signed.headers, body: signed.body,
            clientAddress: "127.0.0.1")
    }

    private func signed(_ dispatch: Dispatch) -> SignedRequest? {
        let signer = Signer()
        guard let name = dispatch.account else { return try? signer.unsigned(dispatch.request, base: Self.base) }
        guard let account = header.accounts.first(where: { $0.account.name == name })?.account,
            let simulated = accounts.first(where: { $0.name == name }),
            let plugin = TestExchanges.byID[account.exchange],
            let credentials = try? AccountCredentials([
                "key": Secret(simulated.key), "secret": Secret(simulated.secret),
                "passphrase": Secret(simulated.passphrase),
            ])
        else { return nil }
        let server = WallTime(milliseconds: nowNs / 1_000_000 + (dispatch.clockOffset ?? 0))
        let recipe = plugin.signing(of: dispatch.request, at: server, account: account)
        return try? signer.sign(dispatch.request, recipe: recipe, credentials: credentials, base: Self.base)
    }

    private func arrive(_ wire: UInt64) {
        guard let sent = sent.removeValue(forKey: wire), let id = wireOf[wire] else { return }
        let atMs = Self.wallStart + (nowNs - 1_000_000_000) / 1_000_000
        let delivery = simulation.receive(sent.bytes, atMs: atMs, arrivalNs: nowNs)
        if sent.isMutation {
            let digest = digest(of: sent.request)
            let isDurable = durable.contains { entry in
                if case .intent(let intent) = entry.event { intent.requestDigest == digest } else { false }
            }
            mutationReceipts.append((isDurable, digest))
        }
        let back = nowNs + delivery.delayMs * 1_000_000 + random.next(in: weather.roundTripMs) * 500_000
        let closed = TransportError(.closed, wasWritten: true, "connection closed")
        let sentAt = Instant(nanoseconds: max(1, nowNs - 1_000_000))
        switch delivery.fate {
        case .deliver:
            guard let reply = delivery.reply else { return }
            let timed = TimedReply(reply: reply, sentAt: sentAt, receivedAt: Instant(nanoseconds: back))
            push(at: back, .reply(id, timed, incarnation: sent.incarnation))
        case .truncate(let bytes):
            guard var reply = delivery.reply else { return }
            reply.body = Array(reply.body.prefix(bytes))
            push(at: back, .fail(id, closed, incarnation: sent.incarnation))
        case .cutAfterExecution, .cutBeforeExecution, .wrongLength:
            push(at: back, .fail(id, closed, incarnation: sent.incarnation))
        case .hang: return
        }
    }

    private func digest(of request: VenueRequest) -> String {
        let text = "\(request.method.rawValue)\n\(request.path)\n\(request.rawQuery)\n"
        return "sha256:" + Hex.encode(sha256(Array(text.utf8) + request.body))
    }
}

/// Locks of a host with one process.
final class FreeLocks: AccountLocking {
    func acquire(_ account: Account, uid: String, venue: VenueKey) -> LockAnswer { .held }
    func isStillHeld(_ account: String) -> Bool { true }
    func releaseAll() {}
}

/// SplitMix64: the same seed, the same run.
struct TestRandom {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678_9ABC_DEF1 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func next(in range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + Int64(next() % UInt64(range.upperBound - range.lowerBound + 1))
    }

    mutating func chance(perMille: Int) -> Bool { Int(next() % 1000) < perMille }
    mutating func pick<T>(_ items: [T]) -> T { items[Int(next() % UInt64(items.count))] }
}
