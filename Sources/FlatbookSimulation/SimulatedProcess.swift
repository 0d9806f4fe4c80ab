import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import FlatbookCrypto
import FlatbookExecutor
import FlatbookPlanner

/// One flatbook process with its journal, through every death and restart.
final class SimulatedProcess {
    enum Event {
        case start
        case synced(ticket: UInt64, incarnation: Int)
        case send(Dispatch, stalledSince: Int64, incarnation: Int)
        case reply(UInt64, TimedReply, incarnation: Int)
        case fail(UInt64, TransportError, incarnation: Int)
        case wake(incarnation: Int)
        case awake(incarnation: Int)
        case crash(losesPower: Bool)
        case pause(ms: Int64)
        case restart
        case signal(String)
    }

    /// 1, or 2 for the second runner.
    let number: Int
    let header: RunHeader
    let plugins: [ExchangeID: any ExchangePlugin]
    private unowned let world: SimulatedWorld
    private let mode: EngineMode
    private let expectsConfirmation: Bool
    /// After a signal the run is taken up again.
    private let resumesAfterSignal: Bool
    private(set) var disk = SimulatedDisk()
    private(set) var engine: Engine?
    private(set) var incarnation = 0
    private(set) var end: EngineEnd?
    /// When each life ended, monotonic nanoseconds.
    private(set) var diedAt: [Int: Int64] = [:]
    private var inFlight: Set<UInt64> = []
    private var ledgers: [VenueKey: ProcessLedger] = [:]
    private var locks: ProcessLocks
    private var wakeAt: Int64?
    private var pausedUntil: Int64 = 0
    private(set) var appends = 0
    private var armed: (phase: CrashPoint.Phase, ticket: UInt64)?
    private var hasFired = false
    private var secrets: [String: AccountCredentials] = [:]

    init(
        number: Int, world: SimulatedWorld, header: RunHeader, plugins: [ExchangeID: any ExchangePlugin],
        mode: EngineMode, expectsConfirmation: Bool, resumesAfterSignal: Bool
    ) {
        self.number = number
        self.world = world
        self.header = header
        self.plugins = plugins
        self.mode = mode
        self.expectsConfirmation = expectsConfirmation
        self.resumesAfterSignal = resumesAfterSignal
        locks = ProcessLocks(world.host, process: number)
        for simulated in world.keys {
            secrets[simulated.name] = try? AccountCredentials([
                "key": Secret(simulated.key), "secret": Secret(simulated.secret),
                "passphrase": Secret(simulated.passphrase),
            ])
        }
    }

    func account(_ name: String) -> Account? { header.accounts.first { $0.account.name == name }?.account }
    func credentials(_ name: String) -> AccountCredentials? { secrets[name] }

    func digest(of request: VenueRequest) -> String {
        let text = "\(request.method.rawValue)\n\(request.path)\n\(request.rawQuery)\n"
        return Self.digest(Array(text.utf8) + request.body)
    }

    private static func digest(_ bytes: [UInt8]) -> String { "sha256:" + Hex.encode(sha256(bytes)) }

    private func push(_ event: Event, at: Int64) { world.push(.process(number, event), at: at) }

    // MARK: Events

    func take(_ event: Event) throws {
        guard end == nil else { return }
        if pausedUntil > world.nowNs, isDeferred(event) { return push(event, at: pausedUntil) }
        switch event {
        case .start, .restart: try begin()
        case .synced(let ticket, let incarnation):
            guard incarnation == self.incarnation, engine != nil else { return }
            disk.sync()
            if let armed, armed.ticket == ticket, armed.phase == .afterSync { return die(losesPower: false) }
            try handle(.durable(ticket: ticket))
            if let armed, armed.ticket == ticket, armed.phase == .afterSend { die(losesPower: false) }
        case .send(let dispatch, let since, let incarnation):
            guard incarnation == self.incarnation, engine != nil else { return }
            try sendAfterStall(dispatch, since: since)
        case .reply(let id, let reply, let incarnation):
            guard incarnation == self.incarnation, engine != nil, inFlight.remove(id) != nil else { return }
            if diesAtReply { return die(losesPower: false) }
            try handle(.replied(id: id, reply))
        case .fail(let id, let error, let incarnation):
            guard incarnation == self.incarnation, engine != nil, inFlight.remove(id) != nil else { return }
            if diesAtReply { return die(losesPower: false) }
            try handle(.failed(id: id, error))
        case .wake(let incarnation):
            guard incarnation == self.incarnation, engine != nil else { return }
            if let due = wakeAt, due <= world.nowNs { wakeAt = nil }
            try handle(.tick)
        case .awake(let incarnation):
            guard incarnation == self.incarnation, engine != nil else { return }
            // Nobody kept the connections alive.
            for id in inFlight.sorted() where inFlight.remove(id) != nil {
                try handle(.failed(id: id, TransportError(.closed, wasWritten: true, "connection lost in sleep")))
            }
        case .crash(let losesPower): die(losesPower: losesPower)
        case .pause(let ms):
            guard engine != nil else { return }
            pause(ms)
            push(.awake(incarnation: incarnation), at: pausedUntil)
        case .signal(let name):
            guard engine != nil else { return }
            try handle(.stop(signal: name))
        }
    }

    /// A process that stands still takes nothing in; it can still be killed.
    private func isDeferred(_ event: Event) -> Bool {
        if case .crash = event { false } else { true }
    }

    private var diesAtReply: Bool {
        guard let armed, armed.phase == .afterReply else { return false }
        // Only once the append that is named is on the disk.
        return disk.waitingCount == 0
    }

    private func pause(_ ms: Int64) {
        world.countFault()
        world.trace?("\(world.nowNs / 1_000_000) process \(number) stands still for \(ms) ms")
        pausedUntil = max(pausedUntil, world.nowNs + ms * 1_000_000)
    }

    // MARK: Life and death

    private func begin() throws {
        incarnation += 1
        wakeAt = nil
        pausedUntil = 0
        let machine = disk.durable.isEmpty ? nil : try RunMachine(folding: disk.durable)
        if let machine, machine.closing != nil {
            end = .closed(RunVerdict(machine))
            return
        }
        var header = header
        header.holder.pid = incarnation
        locks = ProcessLocks(world.host, process: number)
        let configuration = EngineConfiguration(
            mode: mode, header: header, epoch: incarnation, plugins: plugins,
            ledger: { [unowned self] in self.ledger($0) }, planner: { FlatteningPlanner() }, locks: locks,
            digest: Self.digest, needsConfirmation: expectsConfirmation, lowerBound: { _ in (.zero, nil) })
        engine = Engine(configuration, resuming: machine, now: world.now)
        try handle(.start)
    }

    private func ledger(_ key: VenueKey) -> ProcessLedger {
        if let known = ledgers[key] { return known }
        let made = ProcessLedger(world.host, key)
        ledgers[key] = made
        return made
    }

    /// SIGKILL, or the host's power: what is not on the disk is gone, what is on the wire arrives.
    private func die(losesPower: Bool) {
        guard engine != nil, end == nil else { return }
        if losesPower {
            disk.losePower(surviving: Int(world.random.next(in: 0...Int64(disk.waitingCount))))
        } else {
            disk.kill(at: world.nowNs)
        }
        leave(losesPower: losesPower)
    }

    private func leave(losesPower: Bool) {
        world.trace?("\(world.nowNs / 1_000_000) process \(number) \(losesPower ? "loses its host" : "is killed")")
        world.countCrash()
        armed = nil
        diedAt[incarnation] = world.nowNs
        for ledger in ledgers.values { ledger.forgetOwner(at: Instant(nanoseconds: world.nowNs)) }
        locks.releaseAll()
        engine = nil
        inFlight = []
        pausedUntil = 0
        let boot: Int64 = losesPower ? 20_000 : 0
        push(.restart, at: world.nowNs + (boot + world.random.next(in: world.weather.restartMs)) * 1_000_000)
    }

    // MARK: Effects

    private func handle(_ event: EngineEvent) throws {
        guard let engine else { return }
        let incarnation = incarnation
        for effect in engine.handle(event, now: world.now) {
            // Killed at a point within these effects: the rest never happens.
            guard self.engine != nil, incarnation == self.incarnation else { return }
            switch effect {
            case .append(let entries, let ticket):
                if try append(entries, ticket: ticket) { return }
            case .send(let dispatch): send(dispatch)
            case .wake(let instant):
                // Like the live driver: one wake-up at a time, the earliest that was wished for.
                if let instant, wakeAt.map({ instant.nanoseconds < $0 }) ?? true {
                    wakeAt = instant.nanoseconds
                    push(.wake(incarnation: incarnation), at: instant.nanoseconds)
                }
            case .confirm: try handle(.confirmed(true))
            case .notice(let notice): world.trace?("\(world.nowNs / 1_000_000) [\(number)] \(notice)")
            case .finished(let end): finished(end)
            }
        }
    }

    private func finished(_ end: EngineEnd) {
        var goesOn = false
        switch end {
        case .interrupted: goesOn = resumesAfterSignal && mode == .run
        // The disk is mended, and somebody resumes.
        case .journalFailed: goesOn = world.weather.mendsJournal
        default: break
        }
        if case .interrupted = end { judgeInterruption() }
        if goesOn {
            disk.kill(at: world.nowNs)
            diedAt[incarnation] = world.nowNs
            engine = nil
            inFlight = []
            push(.restart, at: world.nowNs + world.random.next(in: world.weather.restartMs) * 1_000_000)
        } else {
            self.end = end
        }
    }

    /// Hands entries to the disk. True where the process does not go on with the other effects of its step.
    private func append(_ entries: [JournalEntry], ticket: UInt64) throws -> Bool {
        appends += 1
        if appends == world.weather.journalFailsAt {
            try handle(.journalFailed(JournalError(.diskFull, "test disk is full")))
            return true
        }
        if let point = world.weather.crashPoint, number == 1, point.append == appends, !hasFired {
            hasFired = true
            switch point.phase {
            case .beforeWrite, .afterWrite:
                disk.finish(entries, isWritten: point.phase == .afterWrite)
                leave(losesPower: false)
                return true
            case .torn:
                disk.losePower(surviving: disk.waitingCount)
                leave(losesPower: true)
                return true
            case .afterSync, .afterSend, .afterReply: armed = (point.phase, ticket)
            }
        }
        let start = max(world.nowNs, pausedUntil)
        let synced = disk.append(
            entries, ticket: ticket, at: start, writeNs: world.random.next(in: 20...800) * 1000,
            syncNs: world.random.next(in: 80...2200) * 1000)
        push(.synced(ticket: ticket, incarnation: incarnation), at: synced)
        return false
    }

    private func send(_ dispatch: Dispatch) {
        judgeLock(dispatch)
        inFlight.insert(dispatch.id)
        guard world.random.chance(perMille: world.weather.stallPerMille) else {
            return world.send(dispatch, from: self, writtenAt: max(world.nowNs, pausedUntil))
        }
        // Stopped in the send gate: either before the timestamp was taken, or between signing and writing.
        pause(world.random.next(in: world.weather.stallMs))
        if world.random.chance(perMille: 500) {
            world.send(dispatch, from: self, writtenAt: pausedUntil)
        } else {
            push(.send(dispatch, stalledSince: world.nowNs, incarnation: incarnation), at: pausedUntil)
        }
    }

    /// As the live client: an old permit is not signed any more, nor is a request for an account that was taken over.
    private func sendAfterStall(_ dispatch: Dispatch, since: Int64) throws {
        let isOld = world.nowNs - since >= 2_000_000_000
        let isFenced = dispatch.isMutation && dispatch.account.map { !locks.isStillHeld($0) } ?? false
        guard !isOld, !isFenced else {
            guard inFlight.remove(dispatch.id) != nil else { return }
            let why = isFenced ? "another process took it over" : "its permit expired before it could be signed"
            return try handle(.failed(id: dispatch.id, TransportError(.cancelled, wasWritten: false, why)))
        }
        world.send(dispatch, from: self, writtenAt: world.nowNs)
    }

    /// I22: a signal leaves no call without outcome.
    private func judgeInterruption() {
        guard let machine = try? RunMachine(folding: disk.durable) else { return }
        // What an earlier process left is settled when the run is taken up again.
        let own = Set(
            disk.durable.compactMap { entry -> String? in
                guard entry.epoch == incarnation, case .intent(let intent) = entry.event else { return nil }
                return intent.id
            })
        let left = machine.calls.values.filter { $0.stage == .intended && own.contains($0.intent.id) }.map(\.intent.id)
        if !left.isEmpty { world.violate("I22: stopped by a signal, and \(left.sorted()) have no outcome") }
    }

    /// I11: nothing that changes anything is sent for an account whose lock another holds.
    private func judgeLock(_ dispatch: Dispatch) {
        guard dispatch.isMutation, let name = dispatch.account, !locks.isStillHeld(name) else { return }
        world.violate("I11: process \(number) sends for \(name), which it does not hold")
    }
}
