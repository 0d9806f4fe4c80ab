public import ExchangeKit
public import FlatbookCore

/// What the engine is for this time.
public enum EngineMode: String, Hashable, Sendable {
    /// Reads, closes, proves.
    case run
    /// Reads and stops before the first call: `plan`, `run --dry-run`, `positions`. Journals nothing.
    case preview
    /// Reads what an old run left and closes it; changes nothing.
    case reconcile
}

/// One base URL of one exchange behind one egress: where clock, instruments and limits are shared.
public struct VenueKey: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let exchange: ExchangeID
    public let environment: TradingEnvironment
    /// Scheme, host and port.
    public let base: String
    public let egress: String
    /// Taken once: the engine looks venues up many times for every answer.
    private let hash: Int

    public init(exchange: ExchangeID, environment: TradingEnvironment, base: String, egress: String) {
        self.exchange = exchange
        self.environment = environment
        self.base = base
        self.egress = egress
        var hasher = Hasher()
        hasher.combine(exchange)
        hasher.combine(environment)
        hasher.combine(base)
        hasher.combine(egress)
        hash = hasher.finalize()
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(hash) }

    public var description: String { "\(exchange) at \(base)" }
    public static func < (a: Self, b: Self) -> Bool {
        (a.exchange.rawValue, a.environment.rawValue, a.base, a.egress)
            < (b.exchange.rawValue, b.environment.rawValue, b.base, b.egress)
    }
}

/// The answer to a request for an account's lock.
public enum LockAnswer: Hashable, Sendable {
    case held
    /// By whom: run, plan, host, pid, since.
    case lockedBy(String)
    case failed(String)
}

/// Host-wide locks by exchange, environment and uid. Synchronous: one system call.
public protocol AccountLocking: AnyObject {
    func acquire(_ account: Account, uid: String, venue: VenueKey) -> LockAnswer
    /// False once another process has raised the account's epoch: nothing more may be sent for it (I11).
    func isStillHeld(_ account: String) -> Bool
    func releaseAll()
    /// The epoch under which it is held; every intent carries it.
    func epoch(of account: String) -> Int?
    /// When an unlock fenced the holder before us, if one did: sized orders wait until what that one signed is dead.
    func unlockedAt(_ account: String, now: Now) -> Instant?
    /// An order with a size is about to be signed: until ``settled(_:)`` another run must know when.
    func signs(_ account: String, now: Now)
    /// None of this run's orders with a size can execute any more.
    func settled(_ account: String)
    /// When another run last signed an order with a size that it did not see end, if one did.
    func signedElsewhere(_ account: String, now: Now) -> Instant?
}

extension AccountLocking {
    public func epoch(of account: String) -> Int? { nil }
    public func unlockedAt(_ account: String, now: Now) -> Instant? { nil }
    public func signs(_ account: String, now: Now) {}
    public func settled(_ account: String) {}
    public func signedElsewhere(_ account: String, now: Now) -> Instant? { nil }
}

/// A request that the driver signs and sends at once.
public struct Dispatch: Sendable {
    public var id: UInt64
    /// Nil for public reads.
    public var account: String?
    public var venue: VenueKey
    public var request: VenueRequest
    public var isMutation: Bool
    /// Server clock minus boot clock, in milliseconds; nil where none is known (public reads only).
    public var clockOffset: Int64?
    public var dispatchedAt: Instant
    /// Whole call, body included.
    public var timeout: TimeSpan

    package init(
        id: UInt64, account: String?, venue: VenueKey, request: VenueRequest, isMutation: Bool, clockOffset: Int64?,
        dispatchedAt: Instant, timeout: TimeSpan
    ) {
        self.id = id
        self.account = account
        self.venue = venue
        self.request = request
        self.isMutation = isMutation
        self.clockOffset = clockOffset
        self.dispatchedAt = dispatchedAt
        self.timeout = timeout
    }
}

public enum EngineEvent: Sendable {
    case start
    /// Entries of this ticket and all earlier ones are durable.
    case durable(ticket: UInt64)
    case journalFailed(JournalError)
    case replied(id: UInt64, TimedReply)
    case failed(id: UInt64, TransportError)
    /// The wake-up time that was asked for has come.
    case tick
    /// The host was asleep for so long; its connections are gone.
    case woke(after: TimeSpan)
    /// The answer to ``EngineEffect/confirm(_:)``.
    case confirmed(Bool)
    case stop(signal: String)
}

public enum EngineEffect: Sendable {
    /// Make these durable, then say so.
    case append([JournalEntry], ticket: UInt64)
    case send(Dispatch)
    /// Wake the engine then; replaces an earlier wish. Nil = not needed.
    case wake(Instant?)
    /// Ask the operator.
    case confirm(PlannedWork)
    case notice(EngineNotice)
    /// Nothing follows.
    case finished(EngineEnd)
}

/// Why and how it ended.
public enum EngineEnd: Sendable {
    /// The run is closed; every account has a verdict.
    case closed(RunVerdict)
    /// Stopped by a signal; the run can be resumed.
    case interrupted(signal: String)
    /// Problems of the files that only the exchange could show: exit 78, nothing sent.
    case invalid([Diagnostic])
    /// A guard or the operator said no: exit 13, nothing sent.
    case refused(String)
    /// No exchange of the selection answered: exit 75, nothing sent.
    case unreachable(String)
    /// Limits or bans let no request through: exit 14, nothing sent.
    case keptOut(String)
    /// The journal failed: exit 74, nothing more was sent.
    case journalFailed(JournalError)
    /// A broken invariant: exit 1.
    case broken(InvariantViolation)
    /// The preview's result.
    case preview(PlannedWork)
}

/// What a run would do, on what is known when every snapshot has ended.
public struct PlannedWork: Sendable {
    public struct Item: Sendable {
        public var account: Account
        public var snapshot: AccountSnapshot?
        public var selected: [Position]
        public var outside: [Position]
        public var calls: [CloseCall]
        public var unclosable: [UnclosableLeg]
        public var openers: [RestingOrder]
        /// Nil while it may take part.
        public var verdict: AccountVerdict?
        public var identity: Identity?
        /// What the planner was given; nil where nothing is to be closed.
        public var planned: PlannedAccount?
        /// Costs of each request of one complete read of its positions.
        public var readCosts: [[BucketCost]]
    }
    public var items: [Item]
    public var legs: Int
    public var notional: Amount
    public var calls: Int
    public var lowerBound: TimeSpan
    public var binding: BucketKey?
    public var medianRoundTrip: TimeSpan
    public var reads: Int
}

/// Something worth showing while it happens.
public enum EngineNotice: Sendable {
    case runStarted(run: String, accounts: Int)
    case snapshot(account: String, legs: Int, notional: Amount)
    case callStarted(CallIntent)
    case callEnded(CallResult, operation: String, target: String)
    case accountEnded(AccountVerdict)
    case penalty(Penalty, exchange: ExchangeID)
    /// Free text for the operator, e.g. identity not pinned.
    case warning(String)
}

/// Everything the engine is made of.
public struct EngineConfiguration {
    public var mode: EngineMode
    public var header: RunHeader
    public var epoch: Int
    public var plugins: [ExchangeID: any ExchangePlugin]
    /// One for each exchange and egress.
    public var ledger: (VenueKey) -> any RateLedger
    public var planner: () -> any CallPlanner
    public var locks: any AccountLocking
    /// `sha256:` and 64 hex digits.
    public var digest: ([UInt8]) -> String
    /// Accounts that cannot take part from the start, e.g. without credentials.
    public var unusable: [String: AccountVerdict]
    /// Stands in for the uid where the key may not read it.
    public var keyDigests: [String: String]
    /// Ask before the first call.
    public var needsConfirmation: Bool
    /// Symbol patterns against what the exchanges list; run once, before anything is sent.
    public var checkInstruments: ([ExchangeID: [Instrument]]) -> [Diagnostic]
    public var lowerBound: ([(call: CloseCall, costs: [BucketCost])]) -> (TimeSpan, BucketKey?)
    public var maximumInFlight: Int
    public var settle: TimeSpan

    public init(
        mode: EngineMode, header: RunHeader, epoch: Int, plugins: [ExchangeID: any ExchangePlugin],
        ledger: @escaping (VenueKey) -> any RateLedger, planner: @escaping () -> any CallPlanner,
        locks: any AccountLocking, digest: @escaping ([UInt8]) -> String, unusable: [String: AccountVerdict] = [:],
        keyDigests: [String: String] = [:], needsConfirmation: Bool = false,
        checkInstruments: @escaping ([ExchangeID: [Instrument]]) -> [Diagnostic] = { _ in [] },
        lowerBound: @escaping ([(call: CloseCall, costs: [BucketCost])]) -> (TimeSpan, BucketKey?),
        maximumInFlight: Int = 128, settle: TimeSpan = .milliseconds(300)
    ) {
        self.mode = mode
        self.header = header
        self.epoch = epoch
        self.plugins = plugins
        self.ledger = ledger
        self.planner = planner
        self.locks = locks
        self.digest = digest
        self.unusable = unusable
        self.keyDigests = keyDigests
        self.needsConfirmation = needsConfirmation
        self.checkInstruments = checkInstruments
        self.lowerBound = lowerBound
        self.maximumInFlight = maximumInFlight
        self.settle = settle
    }
}
