/// One line of the journal. The state of a run is the fold of its entries, so running, resuming and reporting share one path.
public struct JournalEntry: Hashable, Sendable, Codable {
    public var run: String
    /// Raised by every process that takes the run over; an entry of a fenced epoch is refused.
    public var epoch: Int
    public var at: Instant
    public var wall: WallTime
    public var event: RunEvent

    public init(run: String, epoch: Int, at: Instant, wall: WallTime, event: RunEvent) {
        self.run = run
        self.epoch = epoch
        self.at = at
        self.wall = wall
        self.event = event
    }
}

/// What happened, in one total order.
public enum RunEvent: Hashable, Sendable, Codable {
    /// Always first.
    case opened(RunHeader)
    /// Another process goes on with the run, or closes it.
    case resumed(RunHolder)
    /// The key's owner, read before anything else.
    case identified(account: String, identity: Identity)
    /// What an answer taught of the account (``Account/facts``).
    case learned(account: String, facts: [String: String])
    /// What was open, with coverage: the machine makes the legs from it.
    case snapshot(AccountSnapshot)
    /// Every account's snapshot has ended: guards were evaluated on this.
    case planned(PlanSummary)
    /// Durable before the request is signed.
    case intent(CallIntent)
    /// Durable before anything depends on it.
    case outcome(CallResult)
    /// An unknown outcome was settled by reading.
    case resolved(CallResolution)
    /// One complete read of an account's positions after the snapshot.
    case observed(Observation)
    /// Products whose control call was well-formed and showed nothing open.
    case controlled(account: String, products: [String])
    /// A selected leg that no method may close under the selection as written.
    case legRefused(account: String, leg: LegKey, reason: String)
    /// What the exchange says of legs that went without our doing.
    case legEnded(account: String, endings: [LegEnding])
    /// A scope that an exchange closed.
    case penalty(Penalty, exchange: ExchangeID)
    /// Terminal: exactly one for each listed account (I9).
    case accountEnded(AccountVerdict)
    /// What the account's closes filled, read after its end. It proves nothing and changes no verdict.
    case executed(AccountExecutions)
    /// Dispatch was stopped by a signal; the run can be resumed.
    case interrupted(signal: String)
    /// Terminal.
    case closed(RunClosing)
}

/// How a leg went, as the exchange tells it.
public struct LegEnding: Hashable, Sendable, Codable {
    public var leg: LegKey
    public var by: Closer
    public init(leg: LegKey, by: Closer) {
        self.leg = leg
        self.by = by
    }
}

public struct RunHolder: Hashable, Sendable, Codable {
    public var host: String
    public var pid: Int
    public var bootID: String
    public var version: String
    public init(host: String, pid: Int, bootID: String, version: String) {
        self.host = host
        self.pid = pid
        self.bootID = bootID
        self.version = version
    }
}

/// The head of a run: everything it needs to be resumed without its plan and accounts files.
public struct RunHeader: Hashable, Sendable, Codable {
    public var id: String
    public var plans: [PlanDocument]
    /// `sha256:` of the canonical plans.
    public var planDigest: String
    public var environment: TradingEnvironment
    /// All selected accounts, disabled ones included, each with the plan that selected it.
    public var accounts: [RunAccount]
    public var deadline: Instant
    public var deadlineWall: WallTime
    public var startedWall: WallTime
    public var holder: RunHolder
    /// The rules by which the run's entries are folded; nil for journals from before they were counted. What an older version
    /// proved is judged as it was then, never anew.
    public private(set) var rules: Int?
    /// 1: a cancel in flight lets no read prove anything.
    static let currentRules = 1
    /// `--yes` was given: a resumed run need not ask either.
    public var isConfirmed: Bool?

    public struct RunAccount: Hashable, Sendable, Codable {
        public var account: Account
        /// Index into `plans`.
        public var plan: Int
        /// Legs to which the run is restricted (`--only-open-of`, a saved plan); nil = what the plan selects.
        public var onlyLegs: [LegKey]?
        public init(account: Account, plan: Int, onlyLegs: [LegKey]? = nil) {
            self.account = account
            self.plan = plan
            self.onlyLegs = onlyLegs
        }
    }

    public init(
        id: String, plans: [PlanDocument], planDigest: String, environment: TradingEnvironment,
        accounts: [RunAccount], deadline: Instant, deadlineWall: WallTime, startedWall: WallTime, holder: RunHolder
    ) {
        self.id = id
        self.plans = plans
        self.planDigest = planDigest
        self.environment = environment
        self.accounts = accounts
        self.deadline = deadline
        self.deadlineWall = deadlineWall
        self.startedWall = startedWall
        self.holder = holder
        rules = Self.currentRules
    }
}

/// What was read of one account, complete or not.
public struct AccountSnapshot: Hashable, Sendable, Codable {
    public var account: String
    /// Every open row of the products read, inside the selection or not.
    public var positions: [Position]
    /// Products whose every page was read.
    public var read: [String]
    public var notRead: [NotRead]
    /// Resting orders; nil while their lists could not be read.
    public var orders: [RestingOrder]?
    public var sentAt: Instant
    public var receivedAt: Instant
    public var serverTime: WallTime?
    /// `sha256:` of the canonical rows.
    public var digest: String
    /// Products read that the exchange has no control call for; nil = none.
    public var uncontrollable: [String]?

    public struct NotRead: Hashable, Sendable, Codable {
        public var silo: String
        public var reason: String
        public init(silo: String, reason: String) {
            self.silo = silo
            self.reason = reason
        }
    }

    public init(
        account: String, positions: [Position], read: [String], notRead: [NotRead] = [], orders: [RestingOrder]?,
        sentAt: Instant, receivedAt: Instant, serverTime: WallTime?, digest: String
    ) {
        self.account = account
        self.positions = positions
        self.read = read
        self.notRead = notRead
        self.orders = orders
        self.sentAt = sentAt
        self.receivedAt = receivedAt
        self.serverTime = serverTime
        self.digest = digest
    }
}

public struct PlanSummary: Hashable, Sendable, Codable {
    public var snapshotDigest: String
    public var calls: Int
    public var legs: Int
    public var notional: Amount
    /// The limits' bound, first to last close.
    public var lowerBound: TimeSpan
    public init(snapshotDigest: String, calls: Int, legs: Int, notional: Amount, lowerBound: TimeSpan) {
        self.snapshotDigest = snapshotDigest
        self.calls = calls
        self.legs = legs
        self.notional = notional
        self.lowerBound = lowerBound
    }
}

/// A call about to be made.
public struct CallIntent: Hashable, Sendable, Codable {
    /// Unique in the run, e.g. `desk-a-01/3`; a repeat of the same call is a new attempt under a new id.
    public var id: String
    public var attempt: Int
    public var mutation: Mutation
    /// `sha256:` of method, path, query and body.
    public var requestDigest: String
    /// The request is dead this long after its timestamp, pipeline allowance included.
    public var life: TimeSpan
    /// When the planner expected it, from the start of the process, at the pace of the account's own limit.
    public var plannedAt: TimeSpan?
    /// How long it waited for limits.
    public var limitWait: TimeSpan
    /// An early repeat under `unknown: resend`: names the attempt that stays unknown.
    public var repeats: String?
    /// The epoch of the account's lock under which it was made (I11).
    public var lockEpoch: Int?
    public init(
        id: String, attempt: Int, mutation: Mutation, requestDigest: String, life: TimeSpan, plannedAt: TimeSpan?,
        limitWait: TimeSpan, repeats: String? = nil
    ) {
        self.id = id
        self.attempt = attempt
        self.mutation = mutation
        self.requestDigest = requestDigest
        self.life = life
        self.plannedAt = plannedAt
        self.limitWait = limitWait
        self.repeats = repeats
    }
}

/// What became of a call.
public struct CallResult: Hashable, Sendable, Codable {
    public var id: String
    public var account: String
    public var outcome: Outcome
    /// Nil where nothing was written, or the process died.
    public var sentAt: Instant?
    public var answeredAt: Instant
    public var serverTime: WallTime?
    /// For an unknown effect: after this the request can no longer start to execute.
    public var deadAt: Instant?
    public init(
        id: String, account: String, outcome: Outcome, sentAt: Instant?, answeredAt: Instant, serverTime: WallTime?,
        deadAt: Instant?
    ) {
        self.id = id
        self.account = account
        self.outcome = outcome
        self.sentAt = sentAt
        self.answeredAt = answeredAt
        self.serverTime = serverTime
        self.deadAt = deadAt
    }
}

public struct CallResolution: Hashable, Sendable, Codable {
    public enum Verdict: String, Hashable, Sendable, Codable { case executed, notExecuted, indeterminate }
    public var id: String
    public var account: String
    public var verdict: Verdict
    public var evidence: String
    public init(id: String, account: String, verdict: Verdict, evidence: String) {
        self.id = id
        self.account = account
        self.verdict = verdict
        self.evidence = evidence
    }
}

/// One complete read of all partitions of an account.
public struct Observation: Hashable, Sendable, Codable {
    public var account: String
    /// Open rows, inside the selection or not.
    public var positions: [Position]
    public var read: [String]
    /// Products whose control call was well-formed and showed nothing open.
    public var controlled: [String]
    /// Resting orders, where they were read.
    public var orders: [RestingOrder]?
    public var sentAt: Instant
    public var receivedAt: Instant
    public var serverTime: WallTime?
    public var digest: String
    public init(
        account: String, positions: [Position], read: [String], controlled: [String], orders: [RestingOrder]? = nil,
        sentAt: Instant, receivedAt: Instant, serverTime: WallTime?, digest: String
    ) {
        self.account = account
        self.positions = positions
        self.read = read
        self.controlled = controlled
        self.orders = orders
        self.sentAt = sentAt
        self.receivedAt = receivedAt
        self.serverTime = serverTime
        self.digest = digest
    }
}

/// The states of contract §5.
public enum FinalState: String, Hashable, Sendable, Codable, CaseIterable {
    case flat
    case alreadyFlat = "already-flat"
    case dust, residual, refused, skipped, unknown
}

/// What the operator is told of a failure.
public struct ErrorNote: Hashable, Sendable, Codable {
    public var errorClass: String
    public var exchangeCode: String
    public var message: String
    public var action: String
    public init(errorClass: String, exchangeCode: String, message: String, action: String) {
        self.errorClass = errorClass
        self.exchangeCode = exchangeCode
        self.message = message
        self.action = action
    }
}

/// One account's end.
public struct AccountVerdict: Hashable, Sendable, Codable {
    public struct Leg: Hashable, Sendable, Codable {
        public var key: LegKey
        public var state: FinalState
        public var reason: String?
        public var error: ErrorNote?
        public init(key: LegKey, state: FinalState, reason: String? = nil, error: ErrorNote? = nil) {
            self.key = key
            self.state = state
            self.reason = reason
            self.error = error
        }
    }

    public var account: String
    public var state: FinalState
    public var reason: String?
    public var error: ErrorNote?
    /// Why it was refused or skipped, where it was: decides exit codes 75 and 77.
    public var cause: Cause?
    public var legs: [Leg]
    public var openersRemain: Int

    public enum Cause: String, Hashable, Sendable, Codable {
        case credentials, locked, disabled, wrongUID, exchangeDown, rateLimited, rule, deadline
    }

    public init(
        account: String, state: FinalState, reason: String? = nil, error: ErrorNote? = nil, cause: Cause? = nil,
        legs: [Leg] = [], openersRemain: Int = 0
    ) {
        self.account = account
        self.state = state
        self.reason = reason
        self.error = error
        self.cause = cause
        self.legs = legs
        self.openersRemain = openersRemain
    }
}

/// The end of a run, with the counts that only its process knew.
public struct RunClosing: Hashable, Sendable, Codable {
    public struct LimitUse: Hashable, Sendable, Codable {
        public var exchange: ExchangeID
        public var limit: RateLimit
        /// Most of the capacity in use at once, over all of its buckets.
        public var peakUsed: Int
        public var rejections: Int
        public init(exchange: ExchangeID, limit: RateLimit, peakUsed: Int, rejections: Int) {
            self.exchange = exchange
            self.limit = limit
            self.peakUsed = peakUsed
            self.rejections = rejections
        }
    }

    /// `flat`, `residual`, `unknown`, `refused`, `deadline`, `interrupted` or `failed`.
    public var status: String
    public var exitCode: Int
    public var reads: Int
    public var limits: [LimitUse]
    /// Median round trip of the run's calls.
    public var medianRoundTrip: TimeSpan
    /// A guard or a missing confirmation that ended the run before anything was sent.
    public var refusal: String?
    /// Nothing that was lost can execute after this; nil where nothing was lost.
    public var lateCloseUntil: WallTime?
    public init(
        status: String, exitCode: Int, reads: Int, limits: [LimitUse], medianRoundTrip: TimeSpan,
        refusal: String? = nil, lateCloseUntil: WallTime? = nil
    ) {
        self.status = status
        self.exitCode = exitCode
        self.reads = reads
        self.limits = limits
        self.medianRoundTrip = medianRoundTrip
        self.refusal = refusal
        self.lateCloseUntil = lateCloseUntil
    }
}
