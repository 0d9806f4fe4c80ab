/// Whether a call changed anything at the exchange (`venue-model.md` §3).
public enum Effect: String, Hashable, Sendable, Codable { case none, unknown, executed, partial }

/// The canonical error classes (`venue-model.md` §3).
public enum ErrorClass: String, Hashable, Sendable, Codable, CaseIterable {
    case ok, alreadyFlat, retry, rateLimited, unknown, clockSkew, adapt, conflict, market, duplicateId, notFound
    case fatalCall, fatalAccount, fatalVenue
}

/// What an answer, or the lack of one, means. Pure data: the machine decides what follows.
public struct Outcome: Hashable, Sendable, Codable {
    /// One row of a reply that answers for several targets.
    public struct Row: Hashable, Sendable, Codable {
        /// The exchange's instrument id, where the row says it.
        public var instrument: String?
        public var orderID: String?
        public var errorClass: ErrorClass
        public var code: String
        public var message: String
        /// What the operator can do; nil: what the outcome says.
        public var action: String?
        /// What stood in the way, where the code says it.
        public var obstacle: Obstacle?
        public init(
            instrument: String? = nil, orderID: String? = nil, errorClass: ErrorClass, code: String = "",
            message: String = "", action: String? = nil, obstacle: Obstacle? = nil
        ) {
            self.instrument = instrument
            self.orderID = orderID
            self.errorClass = errorClass
            self.code = code
            self.message = message
            self.action = action
            self.obstacle = obstacle
        }
    }

    public var effect: Effect
    public var errorClass: ErrorClass
    /// The exchange's code, or an own word such as `timeout`, `http-502`.
    public var code: String
    /// Printable, bounded, without secrets.
    public var message: String
    /// What the operator can do; nil where there is nothing to do.
    public var action: String?
    public var orderIDs: [String]
    public var rows: [Row]
    /// Which scope a ``ErrorClass/rateLimited`` answer closes, and for how long; nil = the call's narrowest bucket, one window.
    public var penalty: PenaltyHint?
    /// Why an account cannot be used, where `fatalAccount`: decides exit code 77.
    public var refusal: Refusal?
    /// What the answer taught of the account (``Account/facts``): the call is made again with it.
    public var learned: [String: String]?
    /// What stood in the way, where the code says it.
    public var obstacle: Obstacle?

    /// What kind of "no" an account got.
    public enum Refusal: String, Hashable, Sendable, Codable {
        case credentials, permission, ipBinding, wrongEnvironment, wrongAccountKind, restricted
    }

    public struct PenaltyHint: Hashable, Sendable, Codable {
        /// The limit whose bucket is closed (``RateLimit/id``).
        public var limit: String
        /// How long from the receipt of the reply.
        public var duration: TimeSpan
        /// The end that the reply names, on the exchange's clock; where it lies beyond ``duration`` it counts.
        public var until: WallTime?
        public init(limit: String, duration: TimeSpan, until: WallTime? = nil) {
            self.limit = limit
            self.duration = duration
            self.until = until
        }

        /// From `instant` to the end that the exchange named; zero where it named none.
        ///
        /// - Parameter offset: the exchange's clock minus the boot clock, in milliseconds; nil while it is not known.
        public func timeLeft(at instant: Instant, clockOffset offset: Int64?) -> TimeSpan {
            guard let until, let offset else { return .zero }
            let left =
                TimeSpan.milliseconds(until.milliseconds - offset) - .milliseconds(instant.nanoseconds / 1_000_000)
            // A day is longer than any box that was ever seen: what says more is no time.
            return left > .seconds(86_400) ? .seconds(300) : left
        }
    }

    public init(
        effect: Effect, errorClass: ErrorClass, code: String = "", message: String = "", action: String? = nil,
        orderIDs: [String] = [], rows: [Row] = [], penalty: PenaltyHint? = nil, refusal: Refusal? = nil,
        learned: [String: String]? = nil, obstacle: Obstacle? = nil
    ) {
        self.effect = effect
        self.errorClass = errorClass
        self.code = code
        self.message = message
        self.action = action
        self.orderIDs = orderIDs
        self.rows = rows
        self.penalty = penalty
        self.refusal = refusal
        self.learned = learned
        self.obstacle = obstacle
    }
}

/// What a read found, once it was complete and well-formed. Anything else is an ``Outcome`` and no read.
public enum ReadAnswer: Hashable, Sendable {
    case serverTime(WallTime)
    case identity(Identity)
    case instruments([Instrument], next: String?)
    case positions([Position], next: String?)
    case orders([RestingOrder], next: String?)
    /// `consistentWithFlat` is false where the account call shows unrealised PnL: something is open there.
    case control(consistentWithFlat: Bool)
    case endings([PositionEnding])
    /// Rows of fills or orders, those of others among them.
    case executions([Execution], next: String?)
}

/// A position, or a part of one, that the exchange closed without the client.
public struct PositionEnding: Hashable, Sendable {
    public var instrument: String
    /// Nil where the exchange does not say it.
    public var side: Side?
    /// Nil where the exchange has none.
    public var positionID: String?
    public var by: Closer
    public var at: WallTime?
    public init(instrument: String, side: Side?, positionID: String? = nil, by: Closer, at: WallTime?) {
        self.instrument = instrument
        self.side = side
        self.positionID = positionID
        self.by = by
        self.at = at
    }
}

/// Who the key belongs to and what it may do, as far as the exchange says.
public struct Identity: Hashable, Sendable, Codable {
    /// Nil where this key may not read it.
    public var uid: String?
    public var parentUID: String?
    /// Nil = not said.
    public var mayTrade: Bool?
    public var mayWithdraw: Bool?
    /// Whitelisted addresses; nil = not said, empty = not bound.
    public var boundIPs: [String]?
    /// Nil = not said.
    public var positionMode: PositionMode?
    /// What kind of account it is, in the exchange's terms, e.g. `unified`, `portfolio margin`; nil = not said.
    public var accountKind: String?
    /// What the plugin needs for later requests (``Account/facts``).
    public var facts: [String: String]?
    public init(
        uid: String? = nil, parentUID: String? = nil, mayTrade: Bool? = nil, mayWithdraw: Bool? = nil,
        boundIPs: [String]? = nil, positionMode: PositionMode? = nil, accountKind: String? = nil,
        facts: [String: String]? = nil
    ) {
        self.uid = uid
        self.parentUID = parentUID
        self.mayTrade = mayTrade
        self.mayWithdraw = mayWithdraw
        self.boundIPs = boundIPs
        self.positionMode = positionMode
        self.accountKind = accountKind
        self.facts = facts
    }
}

/// A read that is no read, or a read's answer.
public enum ReadResult: Hashable, Sendable {
    case answer(ReadAnswer)
    case failed(Outcome)
}
