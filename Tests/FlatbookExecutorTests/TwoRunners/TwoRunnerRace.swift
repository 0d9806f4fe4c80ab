import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import FlatbookCrypto
import FlatbookExecutor
import FlatbookSimulation
import FlatbookPlanner
import Synchronization

/// One account's lock as two processes of a host share it: an epoch, who holds it, and when it was broken.
final class LockTable: Sendable {
    private struct State {
        var epoch = 0
        var holder: Int?
        var unlockedAt: Instant?
    }

    private let state = Mutex(State())

    /// The epoch, or nil where another runner holds it.
    func acquire(_ runner: Int) -> Int? {
        state.withLock { state in
            guard state.holder == nil || state.holder == runner else { return nil }
            state.holder = runner
            return state.epoch
        }
    }

    func unlock(at instant: Instant) {
        state.withLock { state in
            state.epoch += 1
            state.holder = nil
            state.unlockedAt = instant
        }
    }

    func release(_ runner: Int) { state.withLock { if $0.holder == runner { $0.holder = nil } } }

    var epoch: Int { state.withLock { $0.epoch } }
    var unlockedAt: Instant? { state.withLock { $0.unlockedAt } }
}

/// One runner's side of the table.
final class TableLocks: AccountLocking, Sendable {
    private let table: LockTable
    private let runner: Int
    let held = Mutex<Int?>(nil)

    init(_ table: LockTable, runner: Int) {
        self.table = table
        self.runner = runner
    }

    func acquire(_ account: Account, uid: String, venue: VenueKey) -> LockAnswer {
        guard let epoch = table.acquire(runner) else { return .lockedBy("runner 0") }
        held.withLock { $0 = epoch }
        return .held
    }

    func isStillHeld(_ account: String) -> Bool { held.withLock { $0 } == table.epoch }
    func releaseAll() { table.release(runner) }
    func epoch(of account: String) -> Int? { held.withLock { $0 } }

    func unlockedAt(_ account: String, now: Now) -> Instant? {
        (held.withLock { $0 } ?? 0) > 0 ? table.unlockedAt : nil
    }
}

/// Keeps what the real send gate signed; the race writes it when it likes.
final class CapturingTransport: ReadTransport, MutatingTransport {
    private let captured = Mutex<SignedRequest?>(nil)

    func read(_ request: SignedRequest, timeout: TimeSpan) async throws(TransportError) -> TimedReply {
        try keep(request)
    }

    func mutate(_ request: SignedRequest, timeout: TimeSpan) async throws(TransportError) -> TimedReply {
        try keep(request)
    }

    private func keep(_ request: SignedRequest) throws(TransportError) -> TimedReply {
        captured.withLock { $0 = request }
        throw TransportError(.timeout, wasWritten: true, "captured")
    }

    func take() -> SignedRequest? {
        captured.withLock { request in
            defer { request = nil }
            return request
        }
    }
}

final class RaceClock: RunClock {
    private let instant = Mutex<Int64>(1_000_000_000)

    func now() -> Now {
        let ns = instant.withLock { $0 }
        return Now(
            instant: Instant(nanoseconds: ns),
            wall: WallTime(milliseconds: TwoRunnerRace.wallStart + (ns - 1_000_000_000) / 1_000_000))
    }

    func sleep(until instant: Instant) async {}
    func advance(to ns: Int64) { instant.withLock { $0 = max($0, ns) } }
}

/// Two runs on one account: the first is stopped anywhere, also between its send gate and the wire; somebody breaks its
/// lock; the second begins; the first wakes. Everything is drawn from the seed.
final class TwoRunnerRace {
    enum Pause {
        /// Right after the gate has let this call through, before it is written.
        case betweenGateAndWrite(call: Int)
        case at(ms: Int64)
    }

    struct Receipt {
        var runner: Int
        var signedAt: Int64
        var arrivedAt: Int64
        var isSized: Bool
        var isExecuted: Bool
    }

    final class Runner {
        let index: Int
        let locks: TableLocks
        var engine: Engine?
        var client: VenueClient?
        let transport = CapturingTransport()
        var journal: [JournalEntry] = []
        var journalFreeAt: Int64 = 0
        var wakeAt: Int64?
        var pausedUntil: Int64 = 0
        var callsGated = 0
        var inFlight: Set<UInt64> = []
        var end: EngineEnd?

        init(_ index: Int, _ locks: TableLocks) {
            self.index = index
            self.locks = locks
        }
    }

    private enum Event {
        case durable(UInt64, [JournalEntry])
        case gate(Dispatch)
        case write(Dispatch, SignedRequest, signedAt: Int64)
        case arrive(Dispatch, SimulatedRequest, signedAt: Int64)
        case reply(UInt64, TimedReply)
        case fail(UInt64, TransportError)
        case wake
        case pause
        case unlock
        case start
    }

    static let wallStart: Int64 = 1_790_000_000_000
    static let base = "http://127.0.0.1:9000"

    let seed: UInt64
    private var random: TestRandom
    private let clock = RaceClock()
    private let table = LockTable()
    private let pause: Pause
    private let pauseMs: Int64
    private let unlockAfterMs: Int64
    private let startAfterMs: Int64
    private let ignoresFence: Bool
    private let header: RunHeader
    private let account: Account
    private let credentials: AccountCredentials
    private var queue: [(at: Int64, sequence: Int, runner: Int, event: Event)] = []
    private var sequence = 0
    private var ledgers: [VenueKey: WindowLedger] = [:]
    private var hasPaused = false
    var simulation: ExchangeSimulation
    let runners: [Runner]
    private(set) var receipts: [Receipt] = []
    private(set) var unlockedAt: Int64?
    private(set) var steps = 0

    /// - Parameter ignoresFence: the seeded bug: neither engine nor gate look at the epoch.
    init(seed: UInt64, ignoresFence: Bool = false) throws {
        self.seed = seed
        self.ignoresFence = ignoresFence
        var random = TestRandom(seed: seed)
        let venue = random.pick(SimulatedVenue.allCases)
        let identity = FleetBuilder.identities(venue: venue, count: 1, seed: seed)
        let fleet = FleetBuilder.random(identity, positionsPerAccount: Int(random.next(in: 2...3)), seed: seed)
        var configuration = SimulationConfiguration(seed: seed, accounts: fleet.accounts)
        configuration.switches.drawsReplyVariants = true
        simulation = ExchangeSimulation(configuration)
        var plan = PlanDocument(name: "race", accounts: [Pattern("*")])
        plan.sides = random.pick([[.long, .short], [.long, .short], [.long], [.short]])
        plan.orders = random.pick([.cancelOpeners, .keep])
        let simulated = fleet.accounts[0]
        account = Account(
            name: simulated.name, exchange: ExchangeID(venue.rawValue), environment: .simulated, uid: simulated.uid,
            endpoint: Self.base)
        let start = Instant(nanoseconds: 1_000_000_000)
        header = RunHeader(
            id: "race-\(seed)", plans: [plan], planDigest: "sha256:test", environment: .simulated,
            accounts: [.init(account: account, plan: 0)], deadline: start + plan.guards.deadline,
            deadlineWall: WallTime(milliseconds: Self.wallStart) + plan.guards.deadline,
            startedWall: WallTime(milliseconds: Self.wallStart),
            holder: RunHolder(host: "test", pid: 1, bootID: "boot", version: "test"))
        credentials = try AccountCredentials([
            "key": Secret(simulated.key), "secret": Secret(simulated.secret),
            "passphrase": Secret(simulated.passphrase),
        ])
        pause =
            random.chance(perMille: 600)
            ? .betweenGateAndWrite(call: Int(random.next(in: 1...3))) : .at(ms: random.next(in: 1...4000))
        pauseMs = random.next(in: 50...50_000)
        unlockAfterMs = random.next(in: 0...60_000)
        startAfterMs = random.next(in: 0...3000)
        self.random = random
        runners = [Runner(0, TableLocks(table, runner: 0)), Runner(1, TableLocks(table, runner: 1))]
    }

    var nowNs: Int64 { clock.now().instant.nanoseconds }

    private func push(_ runner: Int, at: Int64, _ event: Event) {
        sequence += 1
        let entry = (max(at, nowNs), sequence, runner, event)
        let index = queue.firstIndex { ($0.at, $0.sequence) < (entry.0, entry.1) } ?? queue.count
        queue.insert(entry, at: index)
    }

    /// Runs both to their ends. Bounded in steps.
    func run() async {
        push(0, at: nowNs, .start)
        if case .at(let ms) = pause { push(0, at: nowNs + ms * 1_000_000, .pause) }
        while steps < 60_000, runners.contains(where: { $0.end == nil }), let next = queue.popLast() {
            steps += 1
            let runner = runners[next.runner]
            if isOfProcess(next.event), runner.pausedUntil > next.at {
                push(next.runner, at: runner.pausedUntil, next.event)
                continue
            }
            clock.advance(to: next.at)
            await step(runner, next.event)
        }
        while let next = queue.popLast() {
            clock.advance(to: next.at)
            if case .arrive = next.event { await step(runners[next.runner], next.event) }
        }
        simulation.advance(toNs: nowNs + 60_000_000_000)
    }

    /// What a stopped process does not do. Bytes on the wire, the operator and the disk go on.
    private func isOfProcess(_ event: Event) -> Bool {
        switch event {
        case .durable, .gate, .write, .reply, .fail, .wake: true
        case .arrive, .pause, .unlock, .start: false
        }
    }

    private func step(_ runner: Runner, _ event: Event) async {
        switch event {
        case .start:
            // A run that ended before leaves its lock; one that is stopped has been unlocked by now.
            begin(runner)
        case .pause: stop(runner)
        case .unlock:
            unlockedAt = nowNs
            table.unlock(at: clock.now().instant)
            push(1, at: nowNs + startAfterMs * 1_000_000, .start)
        case .durable(let ticket, let entries):
            runner.journal += entries
            handle(runner, .durable(ticket: ticket))
        case .gate(let dispatch): await pass(runner, dispatch)
        case .write(let dispatch, let signed, let signedAt):
            let bytes = SimulatedRequest(
                method: signed.method.rawValue, target: signed.target, headers: signed.headers, body: signed.body,
                clientAddress: "127.0.0.1")
            push(
                runner.index, at: nowNs + random.next(in: 2...30) * 1_000_000,
                .arrive(dispatch, bytes, signedAt: signedAt))
        case .arrive(let dispatch, let bytes, let signedAt): arrive(runner, dispatch, bytes, signedAt)
        case .reply(let id, let reply):
            if runner.inFlight.remove(id) != nil { handle(runner, .replied(id: id, reply)) }
        case .fail(let id, let error):
            if runner.inFlight.remove(id) != nil { handle(runner, .failed(id: id, error)) }
        case .wake:
            if let due = runner.wakeAt, due <= nowNs { runner.wakeAt = nil }
            handle(runner, .tick)
        }
    }

    private func stop(_ runner: Runner) {
        guard !hasPaused else { return }
        hasPaused = true
        runner.pausedUntil = nowNs + pauseMs * 1_000_000
        push(1, at: nowNs + unlockAfterMs * 1_000_000, .unlock)
    }

    private func begin(_ runner: Runner) {
        let locks: any AccountLocking = ignoresFence ? CarelessLocks(runner.locks) : runner.locks
        runner.client = VenueClient(
            plugins: TestExchanges.byID, accounts: [account], credentials: [account.name: credentials],
            reading: runner.transport, mutating: runner.transport, clock: clock,
            isFenced: { [locks = runner.locks, ignoresFence] name in !ignoresFence && !locks.isStillHeld(name) })
        var header = header
        header.id += "-\(runner.index)"
        let configuration = EngineConfiguration(
            mode: .run, header: header, epoch: 1, plugins: TestExchanges.byID,
            ledger: { [unowned self] key in
                if let known = self.ledgers[key] { return known }
                let made = WindowLedger()
                self.ledgers[key] = made
                return made
            }, planner: { FlatteningPlanner() }, locks: locks,
            digest: { "sha256:" + Hex.encode(sha256($0)) }, lowerBound: { _ in (.zero, nil) })
        runner.engine = Engine(configuration, now: clock.now())
        handle(runner, .start)
    }

    private func handle(_ runner: Runner, _ event: EngineEvent) {
        for effect in runner.engine?.handle(event, now: clock.now()) ?? [] {
            switch effect {
            case .append(let entries, let ticket):
                runner.journalFreeAt = max(runner.journalFreeAt, nowNs) + random.next(in: 100...3000) * 1000
                push(runner.index, at: runner.journalFreeAt, .durable(ticket, entries))
            case .send(let dispatch):
                runner.inFlight.insert(dispatch.id)
                push(runner.index, at: nowNs, .gate(dispatch))
            case .wake(let instant):
                if let instant, runner.wakeAt.map({ instant.nanoseconds < $0 }) ?? true {
                    runner.wakeAt = instant.nanoseconds
                    push(runner.index, at: instant.nanoseconds, .wake)
                }
            case .confirm, .notice: continue
            case .finished(let end):
                runner.end = end
                // A first run that ends before anybody touched its lock is followed by the second all the same.
                if runner.index == 0, !hasPaused { stop(runner) }
            }
        }
    }

    private func pass(_ runner: Runner, _ dispatch: Dispatch) async {
        guard let client = runner.client else { return }
        do throws(TransportError) {
            _ = try await client.perform(dispatch)
        } catch {
            guard let signed = runner.transport.take() else {
                return push(runner.index, at: nowNs, .fail(dispatch.id, error))
            }
            let signedAt = nowNs
            push(
                runner.index, at: nowNs + dispatch.timeout.nanoseconds,
                .fail(dispatch.id, TransportError(.timeout, wasWritten: true, "no reply")))
            push(
                runner.index, at: nowNs + random.next(in: 0...3000) * 1000,
                .write(dispatch, signed, signedAt: signedAt))
            guard dispatch.isMutation else { return }
            runner.callsGated += 1
            if runner.index == 0, case .betweenGateAndWrite(let call) = pause, runner.callsGated == call {
                stop(runner)
            }
        }
    }

    private func arrive(_ runner: Runner, _ dispatch: Dispatch, _ bytes: SimulatedRequest, _ signedAt: Int64) {
        let atMs = Self.wallStart + (nowNs - 1_000_000_000) / 1_000_000
        let executedBefore = dispatch.isMutation ? simulation.truth.receipts.count(where: \.executed) : 0
        let delivery = simulation.receive(bytes, atMs: atMs, arrivalNs: nowNs)
        if dispatch.isMutation {
            let executedAfter = simulation.truth.receipts.count(where: \.executed)
            receipts.append(
                Receipt(
                    runner: runner.index, signedAt: signedAt, arrivedAt: nowNs, isSized: isSized(runner, dispatch),
                    isExecuted: executedAfter > executedBefore))
        }
        guard let reply = delivery.reply else { return }
        let back = nowNs + delivery.delayMs * 1_000_000 + random.next(in: 2...30) * 1_000_000
        let timed = TimedReply(
            reply: reply, sentAt: Instant(nanoseconds: signedAt), receivedAt: Instant(nanoseconds: back))
        push(runner.index, at: back, .reply(dispatch.id, timed))
    }

    private func isSized(_ runner: Runner, _ dispatch: Dispatch) -> Bool {
        let text = "\(dispatch.request.method.rawValue)\n\(dispatch.request.path)\n\(dispatch.request.rawQuery)\n"
        let digest = "sha256:" + Hex.encode(sha256(Array(text.utf8) + dispatch.request.body))
        return runner.journal.contains { entry in
            guard case .intent(let intent) = entry.event, intent.requestDigest == digest,
                case .close(let close) = intent.mutation
            else { return false }
            return close.method.isSized
        }
    }
}

/// The seeded bug: it knows its epoch and never looks again.
final class CarelessLocks: AccountLocking {
    private let locks: TableLocks
    init(_ locks: TableLocks) { self.locks = locks }
    func acquire(_ account: Account, uid: String, venue: VenueKey) -> LockAnswer {
        locks.acquire(account, uid: uid, venue: venue)
    }
    func isStillHeld(_ account: String) -> Bool { true }
    func releaseAll() { locks.releaseAll() }
}
