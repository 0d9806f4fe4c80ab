import BingXExchange
import BitgetExchange
import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import FlatbookCrypto
import FlatbookExecutor
import FlatbookPlanner
import OKXExchange

/// One run in virtual time on a network that the test writes: each request goes its own road, the wall clock steps and
/// the host sleeps when told to. Nothing is drawn: 20 ms each way, appends durable after 1 ms.
final class FaultBench {
    /// A request on its way out.
    struct Passing {
        var account: String?
        var exchange: ExchangeID
        var method: String
        var path: String
        var query: String
        var isMutation: Bool
        /// Milliseconds since the run began.
        var atMs: Int64
        /// How many of this account went to this path before, this one included.
        var ordinal: Int
    }

    enum Road {
        case open
        /// Milliseconds more, each way.
        case delayed(out: Int64, back: Int64)
        /// Ended before its first byte.
        case refused(TransportError.Code)
        /// It never arrives, and nobody says so.
        case lost
        /// It arrives; no answer comes, and nobody says so.
        case mute
        /// It arrives; the connection closes instead of an answer.
        case cut
        /// Somebody on the way answers; the exchange never sees it.
        case answered(VenueReply)
        /// It arrives; the answer is changed on its way back.
        case rewritten((VenueReply) -> VenueReply)
    }

    private enum Event {
        case durable(UInt64, [JournalEntry])
        case arrive(UInt64, SimulatedRequest, Road, sentNs: Int64)
        case reply(UInt64, TimedReply)
        case fail(UInt64, TransportError)
        case wake
        case sleep(ms: Int64)
        case signal(String)
    }

    static let plugins: [ExchangeID: any ExchangePlugin] = [
        ExchangeID("bitget"): Bitget(), ExchangeID("okx"): OKX(), ExchangeID("bingx"): BingX(),
    ]
    static let wallStart: Int64 = 1_790_000_000_000
    static let startNs: Int64 = 1_000_000_000
    static let base = "http://127.0.0.1:9000"

    let header: RunHeader
    let accounts: [SimulatedAccount]
    var simulation: ExchangeSimulation
    var road: (Passing) -> Road = { _ in .open }
    /// Steps of the wall clock alone: at which millisecond, by how many.
    var wallSteps: [(atMs: Int64, byMs: Int64)] = []
    /// The host sleeps: from which millisecond, for how many.
    var sleeps: [(atMs: Int64, forMs: Int64)] = []
    var signals: [(atMs: Int64, name: String)] = []
    /// What the operator answers; nil: is not asked.
    var confirms: Bool?
    var locks: any AccountLocking = OpenLocks()
    var mode = EngineMode.run
    var planner: () -> any CallPlanner = { FlatteningPlanner() }
    private(set) var nowNs = FaultBench.startNs
    private(set) var durable: [JournalEntry] = []
    private(set) var notices: [(atMs: Int64, notice: EngineNotice)] = []
    private(set) var end: EngineEnd?
    private(set) var endedMs: Int64 = 0
    /// Requests as they left, in order.
    private(set) var sent: [Passing] = []
    private var queue: [(at: Int64, sequence: Int, event: Event)] = []
    private var sequence = 0
    private var engine: Engine?
    private var ledgers: [VenueKey: WindowLedger] = [:]
    private var ordinals: [String: Int] = [:]
    private var inFlight: Set<UInt64> = []
    private var wakeAt: Int64?
    private var pendingWake: Instant?
    private var steppedMs: Int64 = 0

    init(
        _ configuration: SimulationConfiguration,
        plan: PlanDocument = PlanDocument(name: "f", accounts: [Pattern("*")]),
        pinned: Bool = true, signingAs: [SimulatedAccount]? = nil,
        onlyLegs: [String: [FlatbookCore.LegKey]] = [:], adjust: (inout Account) -> Void = { _ in }
    ) {
        simulation = ExchangeSimulation(configuration)
        accounts = signingAs ?? configuration.accounts
        let listed = configuration.accounts.map { simulated in
            var account = Account(
                name: simulated.name, exchange: ExchangeID(simulated.venue.rawValue), environment: .simulated,
                uid: pinned ? simulated.uid : nil, endpoint: Self.base,
                options: simulated.isFollower ? ["role": ["copy-follower"]] : [:])
            adjust(&account)
            return RunHeader.RunAccount(account: account, plan: 0, onlyLegs: onlyLegs[simulated.name])
        }
        let wall = WallTime(milliseconds: Self.wallStart)
        header = RunHeader(
            id: "20260922T000000Z-f-0001", plans: [plan], planDigest: "sha256:test", environment: .simulated,
            accounts: listed, deadline: Instant(nanoseconds: Self.startNs) + plan.guards.deadline,
            deadlineWall: wall + plan.guards.deadline, startedWall: wall,
            holder: RunHolder(host: "test", pid: 1, bootID: "boot", version: "test"))
    }

    /// Goes on at the exchange of another bench, a second after it ended, in the same boot.
    func follow(_ other: FaultBench) {
        simulation = other.simulation
        nowNs = other.nowNs + 1_000_000_000
    }

    var nowMs: Int64 { (nowNs - Self.startNs) / 1_000_000 }

    private var now: Now {
        for step in wallSteps where step.atMs <= nowMs { steppedMs += step.byMs }
        wallSteps.removeAll { $0.atMs <= nowMs }
        return Now(
            instant: Instant(nanoseconds: nowNs), wall: WallTime(milliseconds: Self.wallStart + nowMs + steppedMs))
    }

    private func push(_ event: Event, atNs: Int64) {
        sequence += 1
        let at = max(atNs, nowNs)
        let index = queue.firstIndex { ($0.at, $0.sequence) < (at, sequence) } ?? queue.count
        queue.insert((at, sequence, event), at: index)
    }

    /// Plays to the end; bounded in steps.
    ///
    /// - Parameter resuming: entries of an interrupted run, whose process is gone.
    func play(resuming entries: [JournalEntry] = [], maximumSteps: Int = 300_000) throws {
        for signal in signals { push(.signal(signal.name), atNs: Self.startNs + signal.atMs * 1_000_000) }
        for sleep in sleeps { push(.sleep(ms: sleep.forMs), atNs: Self.startNs + sleep.atMs * 1_000_000) }
        let configuration = EngineConfiguration(
            mode: mode, header: header, epoch: entries.isEmpty ? 1 : 2, plugins: Self.plugins,
            ledger: { [unowned self] in ledger($0) }, planner: planner, locks: locks,
            digest: { "sha256:" + Hex.encode(sha256($0)) }, needsConfirmation: confirms != nil,
            lowerBound: { _ in (.zero, nil) })
        durable = entries
        engine = Engine(configuration, resuming: entries.isEmpty ? nil : try RunMachine(folding: entries), now: now)
        handle(.start)
        var steps = 0
        while end == nil, steps < maximumSteps, let next = queue.popLast() {
            steps += 1
            nowNs = max(nowNs, next.at)
            take(next.event)
        }
        endedMs = nowMs
        // What was lost on the way may still arrive.
        while let next = queue.popLast() {
            // Alarms of the process that ended move no time.
            guard case .arrive(let id, let request, let road, let sentNs) = next.event else { continue }
            nowNs = max(nowNs, next.at)
            arrive(id, request, road, sentNs)
        }
        simulation.advance(toNs: nowNs + 60_000_000_000)
    }

    private func ledger(_ key: VenueKey) -> WindowLedger {
        if let known = ledgers[key] { return known }
        let made = WindowLedger()
        ledgers[key] = made
        return made
    }

    private func take(_ event: Event) {
        switch event {
        case .durable(let ticket, let entries):
            durable += entries
            handle(.durable(ticket: ticket))
        case .arrive(let id, let request, let road, let sentNs): arrive(id, request, road, sentNs)
        case .reply(let id, let reply): if inFlight.remove(id) != nil { handle(.replied(id: id, reply)) }
        case .fail(let id, let error): if inFlight.remove(id) != nil { handle(.failed(id: id, error)) }
        case .wake:
            if let due = wakeAt, due <= nowNs { wakeAt = nil }
            handle(.tick)
        case .sleep(let ms):
            sleep(until: nowNs + ms * 1_000_000)
            handle(.woke(after: .milliseconds(ms)))
        case .signal(let name): handle(.stop(signal: name))
        }
    }

    /// What is on the wire arrives meanwhile; this host hears and writes nothing.
    private func sleep(until end: Int64) {
        var later: [Event] = []
        while let next = queue.last, next.at <= end {
            queue.removeLast()
            guard case .arrive(let id, let request, let road, let sentNs) = next.event else {
                later.append(next.event)
                continue
            }
            nowNs = max(nowNs, next.at)
            arrive(id, request, road, sentNs)
        }
        nowNs = end
        inFlight = []
        for event in later { push(event, atNs: end) }
    }

    private func handle(_ event: EngineEvent) {
        guard let engine else { return }
        for effect in engine.handle(event, now: now) {
            switch effect {
            case .append(let entries, let ticket): push(.durable(ticket, entries), atNs: nowNs + 1_000_000)
            case .send(let dispatch): send(dispatch)
            case .wake(let instant):
                guard let instant, wakeAt.map({ instant.nanoseconds < $0 }) ?? true else { continue }
                wakeAt = instant.nanoseconds
                push(.wake, atNs: instant.nanoseconds)
            case .confirm: handle(.confirmed(confirms ?? true))
            case .notice(let notice): notices.append((nowMs, notice))
            case .finished(let end): self.end = end
            }
        }
    }

    private func send(_ dispatch: Dispatch) {
        let (id, request) = (dispatch.id, dispatch.request)
        let key = "\(dispatch.account ?? "") \(request.path)"
        ordinals[key, default: 0] += 1
        let passing = Passing(
            account: dispatch.account, exchange: dispatch.venue.exchange, method: request.method.rawValue,
            path: request.path, query: request.rawQuery, isMutation: dispatch.isMutation, atMs: nowMs,
            ordinal: ordinals[key] ?? 1)
        sent.append(passing)
        inFlight.insert(id)
        let timeout = TransportError(.timeout, wasWritten: true, "no reply")
        push(.fail(id, timeout), atNs: nowNs + dispatch.timeout.nanoseconds)
        guard let bytes = wire(dispatch) else { return }
        let road = road(passing)
        let leg: Int64 = 20_000_000
        switch road {
        case .refused(let code):
            push(.fail(id, TransportError(code, wasWritten: false, code.rawValue)), atNs: nowNs + leg)
        case .lost: return
        case .answered(let reply):
            let at = nowNs + 2 * leg
            push(.reply(id, timed(reply, sentNs: nowNs, receivedNs: at)), atNs: at)
        case .delayed(let out, _): push(.arrive(id, bytes, road, sentNs: nowNs), atNs: nowNs + leg + out * 1_000_000)
        case .open, .mute, .cut, .rewritten: push(.arrive(id, bytes, road, sentNs: nowNs), atNs: nowNs + leg)
        }
    }

    private func timed(_ reply: VenueReply, sentNs: Int64, receivedNs: Int64) -> TimedReply {
        TimedReply(
            reply: reply, sentAt: Instant(nanoseconds: sentNs), receivedAt: Instant(nanoseconds: receivedNs))
    }

    private func arrive(_ id: UInt64, _ bytes: SimulatedRequest, _ road: Road, _ sentNs: Int64) {
        // True time: the exchange knows nothing of the host's wall clock.
        let delivery = simulation.receive(bytes, atMs: Self.wallStart + nowMs, arrivalNs: nowNs)
        var back = nowNs + 20_000_000 + delivery.delayMs * 1_000_000
        var reply = delivery.reply
        switch road {
        case .mute: return
        case .cut: reply = nil
        case .delayed(_, let ms): back += ms * 1_000_000
        case .rewritten(let change): reply = reply.map(change)
        case .open, .refused, .lost, .answered: break
        }
        switch delivery.fate {
        case .deliver: break
        case .hang: return
        case .cutAfterExecution, .cutBeforeExecution, .truncate, .wrongLength: reply = nil
        }
        if let reply {
            push(.reply(id, timed(reply, sentNs: sentNs, receivedNs: back)), atNs: back)
        } else {
            push(.fail(id, TransportError(.closed, wasWritten: true, "connection closed")), atNs: back)
        }
    }

    /// The bytes as the live client makes them.
    private func wire(_ dispatch: Dispatch) -> SimulatedRequest? {
        let signer = Signer()
        var signed: SignedRequest?
        if let name = dispatch.account {
            guard let account = header.accounts.first(where: { $0.account.name == name })?.account,
                let simulated = accounts.first(where: { $0.name == name }),
                let plugin = Self.plugins[account.exchange],
                let credentials = try? AccountCredentials([
                    "key": Secret(simulated.key), "secret": Secret(simulated.secret),
                    "passphrase": Secret(simulated.passphrase),
                ])
            else { return nil }
            let server = WallTime(milliseconds: nowNs / 1_000_000 + (dispatch.clockOffset ?? 0))
            let recipe = plugin.signing(of: dispatch.request, at: server, account: account)
            signed = try? signer.sign(dispatch.request, recipe: recipe, credentials: credentials, base: Self.base)
        } else {
            signed = try? signer.unsigned(dispatch.request, base: Self.base)
        }
        return signed.map {
            SimulatedRequest(method: $0.method.rawValue, target: $0.target, headers: $0.headers, body: $0.body)
        }
    }
}

/// Locks of a host with one process.
final class OpenLocks: AccountLocking {
    func acquire(_ account: Account, uid: String, venue: VenueKey) -> LockAnswer { .held }
    func isStillHeld(_ account: String) -> Bool { true }
    func releaseAll() {}
}
