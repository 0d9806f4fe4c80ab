/// Everything a report shows, in the contract's shape (§6). Made from the fold of the journal and from nothing else.
public struct RunReport: Hashable, Sendable {
    public struct Run: Hashable, Sendable {
        public var id: String
        public var plans: [String]
        public var planDigest: String
        public var environment: TradingEnvironment
        public var status: String
        public var exitCode: Int
        public var startedAt: WallTime
        public var finishedAt: WallTime?
        public var deadline: WallTime
        public var host: String
        public var version: String
        public var journalHead: String
        public var lateCloseUntil: WallTime?
        public init(
            id: String, plans: [String], planDigest: String, environment: TradingEnvironment, status: String,
            exitCode: Int, startedAt: WallTime, finishedAt: WallTime?, deadline: WallTime, host: String,
            version: String, journalHead: String, lateCloseUntil: WallTime?
        ) {
            self.id = id
            self.plans = plans
            self.planDigest = planDigest
            self.environment = environment
            self.status = status
            self.exitCode = exitCode
            self.startedAt = startedAt
            self.finishedAt = finishedAt
            self.deadline = deadline
            self.host = host
            self.version = version
            self.journalHead = journalHead
            self.lateCloseUntil = lateCloseUntil
        }
    }

    public struct Outside: Hashable, Sendable {
        public var accounts = 0
        public var legs = 0
        public var notional = Amount.zero
        public init() {}
    }

    public struct Totals: Hashable, Sendable {
        public var accounts = 0
        public var accountsFlat = 0
        public var legs = 0
        public var legsFlat = 0
        public var notionalBefore = Amount.zero
        public var notionalAfter = Amount.zero
        public var calls = 0
        public var attempts = 0
        public var reads = 0
        public var rateLimitRejections = 0
        public var ordersCancelled = 0
        public var timeToFlat: TimeSpan?
        public var lowerBound: TimeSpan?
        /// USD·s.
        public var exposureSeconds = Amount.zero
        public var openOutsideSelection = Outside()
        public init() {}
    }

    public struct AccountRow: Hashable, Sendable {
        public var name: String
        public var exchange: ExchangeID
        public var uid: String?
        public var state: FinalState
        public var reason: String?
        public var positionMode: PositionMode?
        /// `controlled` or `positions-only`; nil where nothing was proven.
        public var evidence: String?
        public var read: [String]
        public var notRead: [AccountSnapshot.NotRead]
        public var legs: Int
        public var notionalBefore: Amount
        public var notionalAfter: Amount
        public var timeToFlat: TimeSpan?
        public var openersRemain: Int
        public var error: ErrorNote?
        /// Listed but kept out by `enabled: false`: does not count.
        public var isDisabled: Bool
        public init(
            name: String, exchange: ExchangeID, uid: String?, state: FinalState, reason: String?,
            positionMode: PositionMode?, evidence: String?, read: [String], notRead: [AccountSnapshot.NotRead],
            legs: Int, notionalBefore: Amount, notionalAfter: Amount, timeToFlat: TimeSpan?, openersRemain: Int,
            error: ErrorNote?, isDisabled: Bool
        ) {
            self.name = name
            self.exchange = exchange
            self.uid = uid
            self.state = state
            self.reason = reason
            self.positionMode = positionMode
            self.evidence = evidence
            self.read = read
            self.notRead = notRead
            self.legs = legs
            self.notionalBefore = notionalBefore
            self.notionalAfter = notionalAfter
            self.timeToFlat = timeToFlat
            self.openersRemain = openersRemain
            self.error = error
            self.isDisabled = isDisabled
        }
    }

    public struct Proof: Hashable, Sendable {
        public var sentAt: WallTime
        public var serverTime: WallTime?
        public var digest: String
        public init(sentAt: WallTime, serverTime: WallTime?, digest: String) {
            self.sentAt = sentAt
            self.serverTime = serverTime
            self.digest = digest
        }
    }

    public struct LegRow: Hashable, Sendable {
        public var key: LegKey
        public var exchange: ExchangeID
        public var symbol: String
        public var quantityBefore: Amount
        public var notionalBefore: Amount
        public var entryPrice: Amount?
        public var markPrice: Amount?
        public var state: FinalState
        public var reason: String?
        /// `us`, `liquidation`, `adl`, `delivery`, `other`; nil while open or where it was never open.
        public var closedBy: String?
        public var reopened: Int
        /// Nil where it is not known.
        public var quantityAfter: Amount?
        /// USD still open at the last complete read; for the terminal, not a column.
        public var notionalAfter: Amount?
        public var firstCallAt: WallTime?
        public var flatProvenAt: WallTime?
        public var proof: [Proof]
        public var error: ErrorNote?
        /// From the fills of our own orders; each nil where the exchange did not say it for certain (``LegFigures``).
        public var averagePrice: Amount?
        /// Positive = worse than the mark at arrival.
        public var slippageBps: Amount?
        /// In the margin currency, positive = paid.
        public var fee: Amount?
        /// Without fees and funding.
        public var realizedPnl: Amount?
        public init(
            key: LegKey, exchange: ExchangeID, symbol: String, quantityBefore: Amount, notionalBefore: Amount,
            entryPrice: Amount?, markPrice: Amount?, state: FinalState, reason: String?, closedBy: String?,
            reopened: Int, quantityAfter: Amount?, firstCallAt: WallTime?, flatProvenAt: WallTime?, proof: [Proof],
            error: ErrorNote?
        ) {
            self.key = key
            self.exchange = exchange
            self.symbol = symbol
            self.quantityBefore = quantityBefore
            self.notionalBefore = notionalBefore
            self.entryPrice = entryPrice
            self.markPrice = markPrice
            self.state = state
            self.reason = reason
            self.closedBy = closedBy
            self.reopened = reopened
            self.quantityAfter = quantityAfter
            self.firstCallAt = firstCallAt
            self.flatProvenAt = flatProvenAt
            self.proof = proof
            self.error = error
        }
    }

    public struct CallRow: Hashable, Sendable {
        public var id: String
        public var account: String
        public var operation: String
        public var target: String
        public var plannedAt: TimeSpan?
        public var sentAt: WallTime?
        public var answeredAt: WallTime?
        public var attempt: Int
        public var effect: Effect
        public var errorClass: ErrorClass
        public var exchangeCode: String
        public var message: String
        public var orderIDs: [String]
        public var limitWait: TimeSpan
        public init(
            id: String, account: String, operation: String, target: String, plannedAt: TimeSpan?,
            sentAt: WallTime?, answeredAt: WallTime?, attempt: Int, effect: Effect, errorClass: ErrorClass,
            exchangeCode: String, message: String, orderIDs: [String], limitWait: TimeSpan
        ) {
            self.id = id
            self.account = account
            self.operation = operation
            self.target = target
            self.plannedAt = plannedAt
            self.sentAt = sentAt
            self.answeredAt = answeredAt
            self.attempt = attempt
            self.effect = effect
            self.errorClass = errorClass
            self.exchangeCode = exchangeCode
            self.message = message
            self.orderIDs = orderIDs
            self.limitWait = limitWait
        }
    }

    public var run: Run
    public var totals: Totals
    public var accounts: [AccountRow]
    public var legs: [LegRow]
    public var calls: [CallRow]
    public var limits: [RunClosing.LimitUse]

    public init(
        run: Run, totals: Totals, accounts: [AccountRow], legs: [LegRow], calls: [CallRow],
        limits: [RunClosing.LimitUse]
    ) {
        self.run = run
        self.totals = totals
        self.accounts = accounts
        self.legs = legs
        self.calls = calls
        self.limits = limits
    }
}
