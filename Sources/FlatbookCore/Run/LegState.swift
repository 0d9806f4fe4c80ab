/// One qualifying read that showed a leg at zero.
public struct ReadProof: Hashable, Sendable {
    public var sentAt: WallTime
    public var serverTime: WallTime?
    public var digest: String
    public var receivedAt: Instant
    public var receivedWall: WallTime
}

/// A call as the journal tells it.
public struct CallRecord: Hashable, Sendable {
    public enum Stage: Hashable, Sendable {
        /// Intended; no outcome yet. After a crash: possibly executed.
        case intended
        /// A definite answer, or nothing was written.
        case definite
        /// No definite answer; can start to execute until `deadAt`.
        case unknown(deadAt: Instant)
        /// An unknown outcome, settled by reading.
        case resolved(CallResolution.Verdict)
    }

    public var intent: CallIntent
    public var intentAt: Instant
    public var stage = Stage.intended
    public var result: CallResult?
    public var sentWall: WallTime?
    public var answeredWall: WallTime?
    public var resolution: CallResolution?
    /// Whether an early repeat of it was made (`reliability.md` §1.3).
    public var wasRepeated = false

    /// Whether a mutation of the same legs must wait for it.
    public var isUnresolved: Bool {
        switch stage {
        case .intended, .unknown: true
        case .definite, .resolved: false
        }
    }
}

/// What is known of one selected leg. Legs come from the snapshot or are found open later.
public struct LegState: Hashable, Sendable {
    public var before: Position
    /// The last complete read's row; nil when that read showed nothing.
    public var current: Position?
    /// Calls that cover it, oldest first.
    public var calls: [String] = []
    /// Complete reads in a row, at least the verify interval apart and sent after its last call ended, that show it open.
    public var openReads: [Instant] = []
    /// Qualifying reads in a row that show it at zero.
    public var proofs: [ReadProof] = []
    public var reopened = 0
    public var sawZero = false
    public var firstIntentWall: WallTime?
    public var executedByUs = false
    /// The last "no" that an answer gave for it.
    public var failure: ErrorNote?
    /// It is not to be attempted again, with the reason.
    public var refusal: String?
    /// Not before this: the exchange said "not now".
    public var blockedUntil: Instant?
    /// "Not now" answers so far.
    public var softFailures = 0
    /// Closes that the exchange accepted or that were lost: counted against `verify.rounds`.
    public var rounds = 0
    /// What the last "no" said to stand in the way.
    public var obstacle: Obstacle?
    /// How it has to be closed since the exchange found its size wrong.
    public var sizing = LegSizing()
    /// What the exchange says of its end, where it was not our doing.
    public var endedBy: Closer?

    /// The mark price of the last complete read before its first close: the mark at arrival.
    public var arrivalMark: Amount?
    /// All that it was seen to hold: its size, and what it grew by; nil where that does not fit. To be closed in all.
    public var held: Amount?

    init(_ position: Position) {
        before = position
        current = position
        held = position.quantity
    }

    mutating func notePrice(at intent: WallTime) {
        guard firstIntentWall == nil else { return }
        firstIntentWall = intent
        arrivalMark = current?.markPrice
    }

    mutating func noteGrowth(to quantity: Amount?) {
        guard let quantity, quantity > current?.quantity ?? .zero else { return }
        held = held.flatMap { try? $0.adding(quantity).adding((current?.quantity ?? .zero).negated) }
    }
}
