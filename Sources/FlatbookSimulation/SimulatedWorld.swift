import ExchangeSimulator
import ExchangeKit
import FlatbookCore
import FlatbookCrypto
import FlatbookExecutor

/// Everything outside the processes: virtual time, the exchanges, the network and the host. One seed, one history.
final class SimulatedWorld {
    enum Event {
        case arrive(UInt64)
        case process(Int, SimulatedProcess.Event)
        case wallStep(ms: Int64)
        case unlock(process: Int)
    }

    /// A request on the wire.
    private struct Sent {
        var bytes: SimulatedRequest
        var digest: String?
        var process: Int
        var dispatch: UInt64
        var incarnation: Int
        var writtenAt: Int64
        /// The account whose orders a cancel takes.
        var cancelsOf: SimulatedAccount?
    }

    /// One mutation as the exchange received it.
    struct Received {
        var process: Int
        var digest: String
        var intentDurable: Bool
        /// Its place in ``Truth/receipts``.
        var receipt: Int
    }

    /// An order that a cancel took away.
    struct Cancelled {
        var process: Int
        var account: String
        var product: String
        var symbol: String
        var leg: ExchangeSimulator.PositionSide
    }

    /// Monotonic time of the host, in nanoseconds.
    private(set) var nowNs = SimulatedRun.bootNs
    /// The wall clock minus what it would be had nobody touched it, in milliseconds.
    private(set) var wallShiftMs: Int64 = 0
    var simulation: ExchangeSimulation
    var random: TestRandom
    let host = SimulatedHost()
    let weather: Weather
    let keys: [SimulatedAccount]
    private(set) var processes: [SimulatedProcess] = []
    private var queue = EventQueue<Event>()
    private var sent: [UInt64: Sent] = [:]
    private var wireID: UInt64 = 0
    private let signer = Signer()
    private(set) var steps = 0
    /// Faults of network, host and process so far; the exchanges count their own.
    private(set) var faults = 0
    private(set) var crashes = 0
    private(set) var violations: [String] = []
    private(set) var receipts: [Received] = []
    private(set) var cancelled: [Cancelled] = []
    private var received: [String: Int] = [:]
    var trace: ((String) -> Void)?

    init(seed: UInt64, configuration: SimulationConfiguration, weather: Weather, keys: [SimulatedAccount]) {
        simulation = ExchangeSimulation(configuration)
        random = TestRandom(seed: seed)
        self.weather = weather
        self.keys = keys
    }

    var now: Now {
        Now(
            instant: Instant(nanoseconds: nowNs),
            wall: WallTime(milliseconds: wallMs(nowNs) + wallShiftMs))
    }

    private func wallMs(_ ns: Int64) -> Int64 { SimulatedRun.wallStart + (ns - SimulatedRun.bootNs) / 1_000_000 }

    func add(_ process: SimulatedProcess) { processes.append(process) }

    func push(_ event: Event, at: Int64) { queue.push(event, at: max(at, nowNs)) }

    func violate(_ text: String) {
        if violations.count < 20 { violations.append(text) }
    }

    func countFault() { faults += 1 }
    func countCrash() { crashes += 1 }

    /// Runs until every process has ended, or the steps are used up.
    func run(maximumSteps: Int) throws {
        while processes.contains(where: { $0.end == nil }), steps < maximumSteps, let next = queue.pop() {
            steps += 1
            nowNs = max(nowNs, next.at)
            switch next.event {
            case .arrive(let id): arrive(id)
            case .process(let number, let event): try processes[number - 1].take(event)
            case .wallStep(let ms):
                trace?("\(nowNs / 1_000_000) wall clock \(ms) ms")
                faults += 1
                wallShiftMs += ms
            case .unlock(let process):
                trace?("\(nowNs / 1_000_000) unlock of process \(process)")
                faults += 1
                host.unlock(process: process)
            }
        }
        // What was lost on the way may still arrive.
        while let next = queue.pop() {
            nowNs = max(nowNs, next.at)
            if case .arrive(let id) = next.event { arrive(id) }
        }
        simulation.advance(toNs: nowNs + 60_000_000_000)
        violations += host.violations
    }

    // MARK: The network

    /// Signs and sends as the live client does; what becomes of it reaches the process as an event.
    ///
    /// - Parameters:
    ///   - writtenAt: when the first byte leaves, monotonic nanoseconds: later than now where the process was stopped after
    ///     it had signed.
    func send(_ dispatch: Dispatch, from process: SimulatedProcess, writtenAt: Int64) {
        let incarnation = process.incarnation
        push(
            .process(
                process.number,
                .fail(
                    dispatch.id, TransportError(.timeout, wasWritten: true, "no reply"), incarnation: incarnation)),
            at: writtenAt + dispatch.timeout.nanoseconds)
        if random.chance(perMille: weather.refusedPerMille) {
            faults += 1
            push(
                .process(
                    process.number,
                    .fail(
                        dispatch.id, TransportError(.refused, wasWritten: false, "refused"), incarnation: incarnation)),
                at: writtenAt + 1_000_000)
            return
        }
        guard let bytes = wire(dispatch, of: process) else { return violate("a request could not be signed") }
        wireID += 1
        sent[wireID] = Sent(
            bytes: bytes, digest: dispatch.isMutation ? process.digest(of: dispatch.request) : nil,
            process: process.number, dispatch: dispatch.id, incarnation: incarnation,
            writtenAt: writtenAt, cancelsOf: cancelTarget(dispatch))
        if random.chance(perMille: weather.lostRequestPerMille) {
            faults += 1
            return
        }
        push(.arrive(wireID), at: writtenAt + random.next(in: weather.roundTripMs) * 500_000)
    }

    private func cancelTarget(_ dispatch: Dispatch) -> SimulatedAccount? {
        let request = dispatch.request
        guard dispatch.isMutation, request.path.contains("cancel") || request.method == .delete else { return nil }
        return keys.first { $0.name == dispatch.account }
    }

    private func wire(_ dispatch: Dispatch, of process: SimulatedProcess) -> SimulatedRequest? {
        guard let signed = signed(dispatch, of: process) else { return nil }
        return SimulatedRequest(
            method: signed.method.rawValue, target: signed.target, headers: signed.headers, body: signed.body,
            clientAddress: "127.0.0.1")
    }

    private func signed(_ dispatch: Dispatch, of process: SimulatedProcess) -> SignedRequest? {
        let base = SimulatedRun.base
        guard let name = dispatch.account else { return try? signer.unsigned(dispatch.request, base: base) }
        guard let account = process.account(name), let plugin = process.plugins[account.exchange],
            let credentials = process.credentials(name)
        else { return nil }
        let server = WallTime(milliseconds: nowNs / 1_000_000 + (dispatch.clockOffset ?? 0))
        let recipe = plugin.signing(of: dispatch.request, at: server, account: account)
        return try? signer.sign(dispatch.request, recipe: recipe, credentials: credentials, base: base)
    }

    private func arrive(_ wire: UInt64) {
        guard let sent = sent.removeValue(forKey: wire) else { return }
        // Killed while it stood still between signing and writing.
        if let died = processes[sent.process - 1].diedAt[sent.incarnation], died < sent.writtenAt { return }
        if let digest = sent.digest { judgeReceipt(digest, process: sent.process) }
        simulation.advance(toNs: nowNs)
        let before = sent.cancelsOf.map { simulation.orders(ofUID: $0.uid) } ?? [:]
        let delivery = simulation.receive(sent.bytes, atMs: wallMs(nowNs), arrivalNs: nowNs)
        if let target = sent.cancelsOf {
            let after = simulation.orders(ofUID: target.uid)
            for (id, order) in before where after[id] == nil {
                cancelled.append(
                    Cancelled(
                        process: sent.process, account: target.name, product: order.product, symbol: order.symbol,
                        leg: order.leg))
            }
        }
        let back = nowNs + delivery.delayMs * 1_000_000 + random.next(in: weather.roundTripMs) * 500_000
        let event: SimulatedProcess.Event
        switch delivery.fate {
        case .deliver:
            guard let reply = delivery.reply else { return }
            let sentAt = Instant(nanoseconds: max(1, nowNs - 1_000_000))
            let timed = TimedReply(reply: reply, sentAt: sentAt, receivedAt: Instant(nanoseconds: back))
            event = .reply(sent.dispatch, timed, incarnation: sent.incarnation)
        case .truncate, .cutAfterExecution, .cutBeforeExecution, .wrongLength:
            let closed = TransportError(.closed, wasWritten: true, "connection closed")
            event = .fail(sent.dispatch, closed, incarnation: sent.incarnation)
        case .hang: return
        }
        push(.process(sent.process, event), at: back)
    }

    /// I1: at most one receipt for each durable intent, and none without.
    private func judgeReceipt(_ digest: String, process number: Int) {
        received["\(number) \(digest)", default: 0] += 1
        let intents = processes[number - 1].disk.intents[digest] ?? 0
        let isDurable = received["\(number) \(digest)", default: 0] <= intents
        receipts.append(
            Received(
                process: number, digest: digest, intentDurable: isDurable,
                receipt: simulation.truth.receiptCount))
        if intents == 0 {
            violate("I1: a request arrived before its intent was durable")
        } else if !isDurable {
            violate("I2: more receipts than durable intents of one request")
        }
    }
}
