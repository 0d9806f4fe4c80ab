import ExchangeKit
import FlatbookCore

/// Reads that belong together: all of them, or none.
struct ReadPass {
    enum Purpose: Hashable { case venue, identity, snapshot, orders, observation, final, endings }

    var id: UInt64
    var purpose: Purpose
    /// Waiting for a permit.
    var waiting: [Read]
    var outstanding = 0
    var positions: [Position] = []
    var productsRead: [String] = []
    var orders: [RestingOrder] = []
    /// The read that showed an order, by its id.
    var sourceOf: [String: Read] = [:]
    var controlled: [String] = []
    var controlShowsOpen: [String] = []
    var notRead: [AccountSnapshot.NotRead] = []
    var endings: [PositionEnding] = []
    var firstSentAt: Instant?
    var lastReceivedAt: Instant?
    var serverTime: WallTime?
    /// Attempts by read, for back-off and giving up.
    var attempts: [Read: Int] = [:]
    var isFailed = false
    var pages = 0
    /// Given up when not complete by then; nil until the first read was sent.
    var giveUpAt: Instant?

    init(id: UInt64, purpose: Purpose, reads: [Read]) {
        self.id = id
        self.purpose = purpose
        waiting = reads
    }

    var isComplete: Bool { waiting.isEmpty && outstanding == 0 }

    /// Positions before orders before the rest; identity first of all.
    var priority: CallPriority {
        switch purpose {
        case .venue, .identity, .snapshot: .verify
        case .observation: .verify
        case .orders: .status
        case .final, .endings: .status
        }
    }
}

/// One account's volatile side: what is under way now. Everything that matters later is in the journal.
///
/// A class, as every step looks at many fields of many lanes: nothing is copied for that.
final class Lane {
    enum Phase: Hashable {
        case waiting, preflight, snapshot, held, working, ended
    }

    /// With what the exchange said of it so far (``Account/facts``).
    var account: Account
    let venue: VenueKey
    /// What is read of it; changes when the exchange tells what kind of account it is.
    var partitions: [Partition]
    /// Silos that the exchange refuses to show, with its reason.
    var notRead: [AccountSnapshot.NotRead] = []
    /// The partitions of those silos.
    var refusedPartitions: Set<String> = []
    /// Times an answer taught something; bounded.
    var lessons = 0
    var phase = Phase.waiting
    var isLocked = false
    var passes: [ReadPass] = []
    var identityDone = false
    /// When its identity was asked for; others wait for it for so long (``Engine/identityPatience``).
    var begunAt: Instant?
    /// The snapshot's first read; its 20 s count from here.
    var snapshotBegan: Instant?
    var lastFailure: Outcome?
    /// Resting orders, once their lists were read.
    var orders: [RestingOrder]?
    var ordersDone = false
    /// Every list was read; otherwise all are read again at the end.
    var ordersComplete = false
    /// What the lists showed first: these are read again at the end.
    var seenOrders: [RestingOrder] = []
    var sourceOf: [String: Read] = [:]
    /// Legs that went by themselves and about which the exchange was asked.
    var askedEndings: Set<LegKey> = []
    var sweeps = 0
    var sweptSomething = false
    /// Since when a close of this account could go but for limits.
    var closeReadyAt: Instant?
    var openersRemain = 0
    /// The last look at what may remain was not complete: nobody knows how many orders there are.
    var ordersUnread = false
    var freezeDone = false
    var freezeDeadline: Instant?
    var cancels: [CancelCall] = []
    var cancelRounds = 0
    var mayCancel = true
    var finalDone = false
    var finalNeedsRead = false
    /// Products whose list showed nothing while the account's own figures said that something is open, and no good answer
    /// since has said otherwise.
    var doubted: Set<String> = []
    var mistrustedSince: Instant?
    var mistrustedUntil: Instant?
    /// The account's own figures say that something is open: positions are read once more before they are believed.
    var mistrustsReads = false
    /// The close or cancel that is intended or in flight.
    var mutationsInFlight = 0
    var queuedRepeat: String?
    /// Lost calls that cannot be made once more as they were.
    var unrepeatable: Set<String> = []
    /// By target: when the planner expected the call.
    var plannedAt: [String: TimeSpan] = [:]
    var attempt: [LegKey: Int] = [:]
    var clockRetries = 0
    var limitWait = TimeSpan.zero
    var waitingSince: Instant?
    var nextStepAt: Instant?
    /// Reads that were denied a permit are not asked again before this.
    var readsBlockedUntil: Instant?
    var cancelsBlockedUntil: Instant?
    /// A whole read that was none is not asked again before this.
    var observeNotBefore: Instant?
    var stop: (reason: String, cause: AccountVerdict.Cause?)?
    /// Taken over by an unlock: before this a request of the old holder may still execute.
    var sizedNotBefore: Instant?
    var errors = ErrorTally()
    /// Close operations that gave too many equal errors, and what they said.
    var stoppedOperations: [String: String] = [:]
    /// A read that it cannot do without gave too many equal errors: it is read no more.
    var readsStopped = false
    /// It failed in a way that hints at a fault of ours (`maxFailures`).
    var isSuspicious = false

    init(account: Account, venue: VenueKey, partitions: [Partition]) {
        self.account = account
        self.venue = venue
        self.partitions = partitions
    }

    func partition(_ id: String) -> Partition? { partitions.first { $0.id == id } }
    var positionReads: [Read] { partitions.map { .positions(product: $0.id, cursor: nil) } }

    /// Whether its own clock has something for it: a step that was put off, or reads to be given up.
    func isDue(at now: Instant) -> Bool {
        if phase == .ended { return false }
        if let step = nextStepAt, step <= now { return true }
        for pass in passes {
            if let end = pass.giveUpAt, end <= now { return true }
        }
        return false
    }

    func hasPass(_ purpose: ReadPass.Purpose) -> Bool { passes.contains { $0.purpose == purpose } }
}

/// What one exchange's accounts share.
final class Venue {
    enum Phase: Hashable { case contacting, ready, down }

    let key: VenueKey
    let plugin: any ExchangePlugin
    let ledger: any RateLedger
    var planner: any CallPlanner
    var phase = Phase.contacting
    /// Its accounts were begun or ended.
    var hasBegun = false
    /// Whose accounts they are is known of all of them: no two names for one account.
    var isIdentified = false
    var pass: ReadPass?
    var began: Instant?
    var instruments = InstrumentBook()
    /// Server clock minus boot clock, milliseconds.
    var clockOffset: Int64?
    var clockReadAt: Instant?
    /// The host was asleep since then: nothing is signed by that offset.
    var isClockSuspect = false
    var inFlight = 0
    var downReason: String?
    /// It was never asked: its limits or a ban did not let the first request through.
    var isKeptOut = false
    var lanes: [String] = []
    /// When a denied queue is worth asking again; nil while that hangs on an answer.
    var nextPermitAt: Instant?
    var binding: BucketKey?
    var rejections: [String: Int] = [:]
    var closesQueued = 0
    /// Distinct accounts whose signature was refused: when it is all of them, it is our fault or our clock.
    var answered = 0
    /// Contact is not retried before this.
    var retryPassAt: Instant?
    var recentRejections: [(account: String, at: Instant)] = []
    /// By limit: accounts that were put into a box with a named end.
    var recentBoxes: [String: [(account: String, at: Instant)]] = [:]
    var widenings = 0
    var breaker = CircuitBreaker()
    var isBreakerTold = false
    /// Told of `maxFailures`.
    var isPauseTold = false

    init(key: VenueKey, plugin: any ExchangePlugin, ledger: any RateLedger, planner: any CallPlanner) {
        self.key = key
        self.plugin = plugin
        self.ledger = ledger
        self.planner = planner
    }
}

/// A request under way.
struct Flight {
    enum Kind {
        case read(Read, pass: UInt64)
        case mutation(CallIntent)
    }

    var kind: Kind
    var account: String?
    var venue: VenueKey
    var request: VenueRequest
    var permit: Permit
    var dispatchedAt: Instant
}
