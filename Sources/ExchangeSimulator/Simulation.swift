package import ExchangeKit

/// One request as it arrives at the exchange.
package struct SimulatedRequest: Sendable {
    package var method: String
    /// Path and query as on the wire, still percent-encoded.
    package var target: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// The address that limits by IP are counted for.
    package var clientAddress: String

    package init(
        method: String, target: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        clientAddress: String = "127.0.0.1"
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.clientAddress = clientAddress
    }

    /// The first header of the name, without regard to case.
    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name }?.value
    }
}

/// What the network does with a reply.
package struct SimulatedDelivery: Hashable, Sendable {
    package enum Fate: Hashable, Sendable {
        case deliver
        /// The connection closes without a reply; the request was executed.
        case cutAfterExecution
        /// The connection closes without a reply; the request was not executed, or not yet.
        case cutBeforeExecution
        /// Neither a reply nor an end, ever.
        case hang
        /// Only so many bytes of the body arrive, then the connection closes.
        case truncate(bytes: Int)
        /// The header declares this length; the body has another.
        case wrongLength(declared: Int)
    }

    /// What the exchange answered, also where ``fate`` keeps it from the client; nil where it answered nothing.
    package var reply: VenueReply?
    /// Server time before the reply leaves, in milliseconds.
    package var delayMs: Int64
    package var fate: Fate
    /// For the in-process shell: whether the request had its effect by now.
    package var executed: Bool
}

/// The exchange's side, in process: pure, deterministic, with explicit time.
///
/// The same configuration and the same requests at the same times give the same bytes.
///
///     var simulation = ExchangeSimulation(SimulationConfiguration(seed: 1, accounts: fleet.accounts))
///     let delivery = simulation.receive(request, atMs: 1_790_000_000_000, arrivalNs: 0)
package struct ExchangeSimulation: Sendable {
    var world: World
    var limiter = Limiter()
    let configuration: SimulationConfiguration
    private var startNs: Int64?
    private var ordinals: [String: Int] = [:]
    private var addressLocked = false

    package init(_ configuration: SimulationConfiguration) {
        self.configuration = configuration
        world = World(configuration)
    }

    package init(configuration: SimulationConfiguration) { self.init(configuration) }

    /// Serves one request.
    ///
    /// - Parameters:
    ///   - atMs: true time, in milliseconds since 1970; the configured offset and drift are added to it.
    ///   - arrivalNs: monotonic, in nanoseconds; must not decrease. Limits, fills and lags are judged by it.
    package mutating func receive(
        _ request: SimulatedRequest, atMs: Int64, arrivalNs: Int64
    ) -> SimulatedDelivery {
        let start = startNs ?? begin(at: arrivalNs)
        let elapsedMs = (arrivalNs - start) / 1_000_000
        let faults = configuration.faults
        let drift = elapsedMs * (configuration.clockDriftPPM + faults.clockDriftPPM) / 1_000_000
        let serverMs = atMs + configuration.clockOffsetMs + faults.clockOffsetMs + drift
        world.epochShiftMs = serverMs - arrivalNs / 1_000_000
        advance(toNs: arrivalNs)
        var arrival = Arrival(request, ns: arrivalNs, ms: serverMs, elapsedMs: elapsedMs)
        let venue = SimulatedVenue(path: arrival.path)
        let scope = venue.flatMap { key(of: request, at: $0) } ?? request.clientAddress
        arrival.ordinal = ordinals[scope + " " + arrival.path, default: 0]
        ordinals[scope + " " + arrival.path] = arrival.ordinal + 1
        arrival.scope = world.account(forKey: scope).map { world.states[$0].account.uid } ?? scope
        if let lock = faults.addressLock, !addressLocked, elapsedMs >= lock.lowerBound {
            addressLocked = true
            limiter.lock("ip " + request.clientAddress, until: start + lock.upperBound * 1_000_000)
        }
        switch venue {
        case .bitget, nil: return serve(BitgetCall(arrival))
        case .okx: return serveOKX(arrival)
        case .bingx: return serveBingX(arrival)
        }
    }

    /// The API key that a request names, wherever its exchange wants it.
    private func key(of request: SimulatedRequest, at venue: SimulatedVenue) -> String? {
        switch venue {
        case .bitget: request.header("access-key")
        case .okx: request.header("ok-access-key")
        case .bingx: request.header("x-bx-apikey")
        }
    }

    /// A request that passed every check some time ago takes effect now.
    private mutating func executeLate(_ late: LateRequest, account: Int, atNs ns: Int64) {
        var arrival = Arrival(late.request, ns: ns, ms: world.milliseconds(ns), elapsedMs: 0)
        arrival.scope = world.states[account].account.uid
        let executed =
            switch world.states[account].account.venue {
            case .bitget: executeLateBitget(arrival, account: account)
            case .okx: executeLateOKX(arrival, account: account)
            case .bingx: executeLateBingX(arrival, account: account)
            }
        if executed { world.truth.markExecuted(late.receipt) }
    }

    private mutating func begin(at ns: Int64) -> Int64 {
        startNs = ns
        for (index, state) in world.states.enumerated() {
            for script in state.pendingScripts {
                guard case .at(let ms) = script.trigger else { continue }
                world.schedule(.script(account: index, action: script.action), atNs: ns + ms * 1_000_000)
            }
        }
        return ns
    }

    /// Lets everything happen that is due by `ns`. ``receive(_:atMs:arrivalNs:)`` does this by itself.
    package mutating func advance(toNs ns: Int64) {
        while let event = world.nextEvent(upTo: ns) {
            switch event.kind {
            case .fill(let account, let order, let final):
                world.fill(account, order, final: final, atNs: event.atNs)
            case .script(let account, let action): world.perform(action, account, atNs: event.atNs)
            case .reopen(let account, let leg): world.reopen(account, leg, atNs: event.atNs)
            case .execute(let account, let request):
                executeLate(request, account: account, atNs: event.atNs)
            }
        }
    }

    /// When the next thing happens by itself, in monotonic nanoseconds; nil: nothing is due.
    package var nextEventNs: Int64? { world.events.last?.atNs }

    // MARK: What the judge reads

    package var truth: Truth { world.truth }

    /// All open positions, by account in the order of the configuration.
    package var openPositions: [(uid: String, positions: [SimulatedPosition])] {
        world.states.map { ($0.account.uid, $0.account.positions) }
    }

    package var openPositionCount: Int { world.states.reduce(0) { $0 + $1.account.positions.count } }

    package var isFlat: Bool { world.states.allSatisfy { $0.account.positions.isEmpty } }

    package func positions(ofUID uid: String) -> [SimulatedPosition] {
        world.states.first { $0.account.uid == uid }?.account.positions ?? []
    }

    /// Resting and trigger orders of an account, by id.
    package func orders(ofUID uid: String) -> [String: (product: String, symbol: String, leg: PositionSide)] {
        guard let account = world.states.first(where: { $0.account.uid == uid })?.account else { return [:] }
        var orders: [String: (product: String, symbol: String, leg: PositionSide)] = [:]
        for order in account.resting { orders[order.id] = (order.product, order.symbol, order.leg) }
        for order in account.plans { orders[order.id] = (order.product, order.symbol, order.leg) }
        return orders
    }

    /// Resting and trigger orders that can still open a position.
    package func openers(ofUID uid: String) -> Int {
        guard let account = world.states.first(where: { $0.account.uid == uid })?.account else { return 0 }
        return account.resting.count { !$0.closes } + account.plans.count { !$0.closes }
            + account.bingx.twaps.count { !$0.closes }
    }

    /// The accounts as the exchange knows them now: keys that a fault plan broke differ from the configuration's.
    package var accounts: [SimulatedAccount] { world.states.map(\.account) }

    /// Changes an account between requests, as a test or a drill needs it. Never counted as the client's doing.
    package mutating func perform(_ action: ScriptAction, uid: String, atNs ns: Int64) {
        guard let index = world.states.firstIndex(where: { $0.account.uid == uid }) else { return }
        advance(toNs: ns)
        world.perform(action, index, atNs: ns)
    }

    /// The body of `GET /_simulator/state`.
    ///
    /// - Parameter startBootNs: what the host's boot clock showed where `arrivalNs` is zero, so that a judge can compare
    ///   arrivals with a journal's times.
    package func stateJSON(receiptLimit: Int = Truth.receiptLimit, startBootNs: Int64 = 0) -> [UInt8] {
        let truth = world.truth
        let positions: [Wire] = world.states.flatMap { state in
            state.account.positions.map { position in
                Wire.object([
                    ("exchange", .text(state.account.venue.rawValue)), ("uid", .text(state.account.uid)),
                    ("name", .text(state.account.name)), ("productType", .text(position.product)),
                    ("symbol", .text(position.symbol)),
                    ("side", .text(position.side.rawValue)), ("marginMode", .text(position.marginMode)),
                    ("size", .decimal(position.quantity)),
                ])
            }
        }
        return Wire.object([
            ("startBootNs", .number(startBootNs)), ("openPositions", .number(Int64(openPositionCount))),
            ("positions", .list(positions)), ("legs", .list(legs)),
            ("calls", Self.counts(truth.calls)), ("receiptCount", .number(Int64(truth.receiptCount))),
            ("receipts", .list(truth.receipts.prefix(receiptLimit).map(Self.wire))),
            ("limitViolations", .number(Int64(truth.limitViolations.count))),
            ("rateLimitRejections", .number(Int64(truth.rateLimitRejections))),
            ("injectedRejections", .number(Int64(truth.injectedRejections))),
            ("exposureIncreases", .number(Int64(truth.exposureIncreases))),
            ("unprotectedOrders", .number(Int64(truth.unprotectedOrders))),
            ("neverCalls", .list(truth.neverCalls.map { .text($0) })),
            ("refusedByAuth", Self.counts(truth.refusedByAuth)), ("rejections", Self.counts(truth.rejections)),
            ("venueOpenings", .number(Int64(truth.venueOpenings.count))),
            ("venueClosings", .number(Int64(truth.venueClosings.count))),
        ]).bytes
    }

    /// Every leg that ever was open, with what came in and went out.
    private var legs: [Wire] {
        let names = Dictionary(
            world.states.map { ($0.account.uid, $0.account) }, uniquingKeysWith: { first, _ in first })
        return world.truth.books.sorted { $0.key < $1.key }.map { key, book in
            Wire.object([
                ("exchange", .text(names[key.uid]?.venue.rawValue ?? "")), ("name", .text(names[key.uid]?.name ?? "")),
                ("uid", .text(key.uid)), ("productType", .text(key.product)), ("symbol", .text(key.symbol)),
                ("side", .text(key.side.rawValue)), ("initial", .decimal(book.initial)),
                ("openedByVenue", .decimal(book.openedByVenue)), ("openedByClient", .decimal(book.openedByClient)),
                ("closedByClient", .decimal(book.closedByClient)), ("closedByVenue", .decimal(book.closedByVenue)),
                ("open", .decimal(book.open)), ("isSound", .flag(book.isSound)),
                ("openSinceNs", book.openSinceNs.map { .number($0) } ?? .null),
            ])
        }
    }

    private static func wire(_ receipt: Receipt) -> Wire {
        .object([
            ("uid", .text(receipt.uid)), ("route", .text(receipt.route)), ("query", .text(receipt.query)),
            ("arrivalNs", .number(receipt.arrivalNs)), ("body", .text(String(decoding: receipt.body, as: UTF8.self))),
            ("mutation", .flag(receipt.isMutation)), ("executed", .flag(receipt.executed)),
            ("status", .number(Int64(receipt.status))), ("code", .text(receipt.code)),
        ])
    }

    private static func counts(_ counts: [String: Int]) -> Wire {
        .object(counts.sorted { $0.key < $1.key }.map { ($0.key, .number(Int64($0.value))) })
    }
}
