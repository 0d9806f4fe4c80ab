import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import FlatbookCrypto
import FlatbookPlanner
import Synchronization

@testable import FlatbookExecutor

/// The real driver on tasks, with an exchange that answers at once and a clock that leaps to the next alarm whenever the
/// engine waits for nothing else.
final class DriverStage: RunClock, JournalWriter, ReadTransport, MutatingTransport, Confirming {
    private struct State {
        var simulation: ExchangeSimulation
        var nowNs = FaultBench.startNs
        var asleepNs: Int64 = 0
        var alarms: [(at: Int64, number: Int, wake: CheckedContinuation<Void, Never>)] = []
        var cancelled: Set<Int> = []
        var alarm = 0
        var isIdle = false
        var entries: [JournalEntry] = []
        var appends = 0
        var mutations = 0
        var drops = 0
        var questions = 0
    }

    private final class Ledgers {
        private var known: [VenueKey: WindowLedger] = [:]
        func ledger(_ key: VenueKey) -> WindowLedger {
            let ledger = known[key] ?? WindowLedger()
            known[key] = ledger
            return ledger
        }
    }

    private let header: RunHeader
    private let simulated: [SimulatedAccount]
    private let state: Mutex<State>
    /// What the operator says when asked.
    let answer: Bool
    /// The append that fails, counted from 1.
    let failsAt: Int?
    /// The host falls asleep before this mutation is answered, for so long.
    let sleepsAt: (mutation: Int, span: TimeSpan)?
    /// Signals that arrive with the first mutation.
    let signals: AsyncStream<String>
    private let signal: AsyncStream<String>.Continuation
    private let signalNames: [String]

    init(
        _ configuration: SimulationConfiguration, answer: Bool = true, failsAt: Int? = nil,
        sleepsAt: (mutation: Int, span: TimeSpan)? = nil, signals names: [String] = []
    ) {
        (signals, signal) = AsyncStream.makeStream()
        signalNames = names
        let bench = FaultBench(configuration)
        (header, simulated) = (bench.header, bench.accounts)
        state = Mutex(State(simulation: ExchangeSimulation(configuration)))
        self.answer = answer
        self.failsAt = failsAt
        self.sleepsAt = sleepsAt
    }

    var entries: [JournalEntry] { state.withLock { $0.entries } }
    var mutations: Int { state.withLock { $0.mutations } }
    var drops: Int { state.withLock { $0.drops } }
    var questions: Int { state.withLock { $0.questions } }
    var openPositions: Int { state.withLock { $0.simulation.openPositionCount } }

    /// Runs the driver to its end.
    func run(mode: EngineMode = .run, needsConfirmation: Bool = false) async -> EngineEnd {
        let ledgers = Ledgers()
        let configuration = EngineConfiguration(
            mode: mode, header: header, epoch: 1, plugins: FaultBench.plugins,
            ledger: { ledgers.ledger($0) }, planner: { FlatteningPlanner() }, locks: OpenLocks(),
            digest: { "sha256:" + Hex.encode(sha256($0)) }, needsConfirmation: needsConfirmation,
            lowerBound: { _ in (.zero, nil) })
        let accounts = header.accounts.map(\.account)
        var credentials: [String: AccountCredentials] = [:]
        for account in simulated {
            credentials[account.name] = try? AccountCredentials([
                "key": Secret(account.key), "secret": Secret(account.secret),
                "passphrase": Secret(account.passphrase),
            ])
        }
        let client = VenueClient(
            plugins: FaultBench.plugins, accounts: accounts, credentials: credentials, reading: self,
            mutating: mode == .run ? self : nil, clock: self, isFenced: { _ in false })
        let driver = RunDriver(
            client: client, journal: mode == .preview ? nil : self, clock: self, confirming: self,
            onNotice: { _, _ in }, onStep: { [self] engine, _ in stepped(engine) })
        return await driver.run(Engine(configuration, now: now()), signals: signals)
    }

    // MARK: Time

    func now() -> Now { state.withLock { Self.now($0) } }

    private static func now(_ state: State) -> Now {
        Now(
            instant: Instant(nanoseconds: state.nowNs),
            wall: WallTime(milliseconds: FaultBench.wallStart + (state.nowNs - FaultBench.startNs) / 1_000_000))
    }

    func asleep() -> TimeSpan { TimeSpan(nanoseconds: state.withLock { $0.asleepNs }) }

    func sleep(until instant: Instant) async {
        let number = state.withLock { state in
            state.alarm += 1
            return state.alarm
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.cancelled.contains(number) { return true }
                    state.alarms.append((instant.nanoseconds, number, continuation))
                    return false
                }
                if isOver { continuation.resume() } else { leapIfIdle() }
            }
        } onCancel: {
            let wake = state.withLock { state -> CheckedContinuation<Void, Never>? in
                state.cancelled.insert(number)
                guard let index = state.alarms.firstIndex(where: { $0.number == number }) else { return nil }
                return state.alarms.remove(at: index).wake
            }
            wake?.resume()
        }
    }

    /// Where nothing is under way, only time can bring something.
    private func stepped(_ engine: Engine) {
        let isIdle = engine.flights.isEmpty && engine.undurable.isEmpty && !(engine.hasAsked && !engine.isConfirmed)
        state.withLock { $0.isIdle = isIdle }
        leapIfIdle()
    }

    private func leapIfIdle() {
        let wake = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.isIdle, let next = state.alarms.indices.min(by: { state.alarms[$0].at < state.alarms[$1].at })
            else { return nil }
            state.isIdle = false
            let alarm = state.alarms.remove(at: next)
            state.nowNs = max(state.nowNs, alarm.at)
            state.simulation.advance(toNs: state.nowNs)
            return alarm.wake
        }
        wake?.resume()
    }

    // MARK: Journal and operator

    func append(_ entries: [JournalEntry]) async throws(JournalError) {
        let fails = state.withLock { state in
            state.appends += 1
            if state.appends == failsAt { return true }
            state.entries += entries
            return false
        }
        if fails { throw JournalError(.diskFull, "test disk is full") }
    }

    func confirm(_ work: PlannedWork) async -> Bool {
        state.withLock { $0.questions += 1 }
        return answer
    }

    // MARK: Exchange

    func read(_ request: SignedRequest, timeout: TimeSpan) async throws(TransportError) -> TimedReply {
        try exchange(request)
    }

    func mutate(_ request: SignedRequest, timeout: TimeSpan) async throws(TransportError) -> TimedReply {
        let number = state.withLock { state in
            state.mutations += 1
            return state.mutations
        }
        if number == 1 { for name in signalNames { signal.yield(name) } }
        let reply = try exchange(request)
        if let sleepsAt, sleepsAt.mutation == number {
            state.withLock { state in
                state.nowNs += sleepsAt.span.nanoseconds
                state.asleepNs += sleepsAt.span.nanoseconds
            }
        }
        return reply
    }

    func dropConnections() async { state.withLock { $0.drops += 1 } }

    private func exchange(_ request: SignedRequest) throws(TransportError) -> TimedReply {
        let reply = state.withLock { state -> TimedReply? in
            let sent = Instant(nanoseconds: state.nowNs)
            state.nowNs += 5_000_000
            let delivery = state.simulation.receive(
                SimulatedRequest(
                    method: request.method.rawValue, target: request.target, headers: request.headers,
                    body: request.body),
                atMs: Self.now(state).wall.milliseconds, arrivalNs: state.nowNs)
            state.nowNs += 5_000_000
            guard delivery.fate == .deliver, let reply = delivery.reply else { return nil }
            return TimedReply(reply: reply, sentAt: sent, receivedAt: Instant(nanoseconds: state.nowNs))
        }
        guard let reply else { throw TransportError(.closed, wasWritten: true, "cut") }
        return reply
    }
}
