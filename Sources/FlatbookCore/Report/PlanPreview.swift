/// What `flatbook plan` shows: what a run would do, when, and what it would leave alone.
public struct PlanPreview: Hashable, Sendable {
    public struct Call: Hashable, Sendable {
        public var call: CloseCall
        /// From the run's start.
        public var plannedAt: TimeSpan
        public init(call: CloseCall, plannedAt: TimeSpan) {
            self.call = call
            self.plannedAt = plannedAt
        }
    }

    public struct LimitUse: Hashable, Sendable {
        public var limit: RateLimit
        /// Requests of the whole run that count in it, reads and verification included.
        public var calls: Int
        /// Weight in each of its windows from the start, where accounts share it.
        public var windows: [Int]
        public init(limit: RateLimit, calls: Int, windows: [Int]) {
            self.limit = limit
            self.calls = calls
            self.windows = windows
        }
    }

    /// What a run would not close.
    public struct Excluded: Hashable, Sendable {
        public var account: String
        /// `BTC/USDT:USDT long`, or `account`.
        public var what: String
        public var reason: String
        public var notional: Amount?
        public init(account: String, what: String, reason: String, notional: Amount?) {
            self.account = account
            self.what = what
            self.reason = reason
            self.notional = notional
        }
    }

    public var plans: [String]
    public var environment: TradingEnvironment
    public var accounts: Int
    public var legs: Int
    public var notional: Amount
    public var ordersToCancel: Int
    public var calls: [Call]
    public var limits: [LimitUse]
    public var lowerBound: TimeSpan
    /// The limit that the bound comes from; nil where none binds.
    public var binding: String?
    public var lastClose: TimeSpan
    public var timeToFlat: TimeSpan
    public var roundTrip: TimeSpan
    public var excluded: [Excluded]

    public init(
        plans: [String], environment: TradingEnvironment, accounts: Int, legs: Int, notional: Amount,
        ordersToCancel: Int, calls: [Call], limits: [LimitUse], lowerBound: TimeSpan, binding: String?,
        lastClose: TimeSpan, timeToFlat: TimeSpan, roundTrip: TimeSpan, excluded: [Excluded]
    ) {
        self.plans = plans
        self.environment = environment
        self.accounts = accounts
        self.legs = legs
        self.notional = notional
        self.ordersToCancel = ordersToCancel
        self.calls = calls
        self.limits = limits
        self.lowerBound = lowerBound
        self.binding = binding
        self.lastClose = lastClose
        self.timeToFlat = timeToFlat
        self.roundTrip = roundTrip
        self.excluded = excluded
    }
}
