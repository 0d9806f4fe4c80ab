/// What an exchange counts by. A limit has one counter for each distinct tuple of its dimensions.
public enum ScopeDimension: String, Hashable, Sendable, Codable, Comparable, CaseIterable {
    case ip, uid, route, routeGroup, product, instrument, target
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// One published limit of an exchange: data, with its source.
public struct RateLimit: Hashable, Sendable, Codable {
    /// Stable, e.g. `bitget.close-positions`.
    public var id: String
    public var scope: Set<ScopeDimension>
    /// Weight allowed in any window.
    public var capacity: Int
    public var window: TimeSpan
    /// Where the number stands, with section.
    public var source: String
    /// When it was read there, ISO date.
    public var readOn: String

    public init(id: String, scope: Set<ScopeDimension>, capacity: Int, window: TimeSpan, source: String, readOn: String)
    {
        self.id = id
        self.scope = scope
        self.capacity = capacity
        self.window = window
        self.source = source
        self.readOn = readOn
    }

    /// The dimensions as reports print them, e.g. `ip` or `route+uid`.
    public var scopeText: String { scope.sorted().map(\.rawValue).joined(separator: "+") }
}

/// One counter: a limit at one tuple of scope values.
public struct BucketKey: Hashable, Sendable, Codable, Comparable {
    public var limit: String
    /// Values of the scope dimensions in their sorted order, e.g. `uid=1000001`. No secret: ids and routes only.
    public var scope: String

    public init(limit: String, scope: String) {
        self.limit = limit
        self.scope = scope
    }

    public static func < (a: Self, b: Self) -> Bool { (a.limit, a.scope) < (b.limit, b.scope) }
}

/// What one call takes from one bucket.
public struct BucketCost: Hashable, Sendable, Codable {
    public var key: BucketKey
    public var weight: Int
    /// Already multiplied by the run's share, at least 1.
    public var capacity: Int
    public var window: TimeSpan

    public init(key: BucketKey, weight: Int, capacity: Int, window: TimeSpan) {
        self.key = key
        self.weight = weight
        self.capacity = capacity
        self.window = window
    }
}

/// Who goes first where calls compete for one bucket (`design.md` §5).
public enum CallPriority: Int, Hashable, Sendable, Codable, Comparable {
    case close = 1, cancel, verify, status, rest
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// Slots taken for one call in all of its buckets.
public struct Permit: Hashable, Sendable {
    public var id: UInt64
    public var costs: [BucketCost]
    public var takenAt: Instant

    public init(id: UInt64, costs: [BucketCost], takenAt: Instant) {
        self.id = id
        self.costs = costs
        self.takenAt = takenAt
    }
}

/// The answer to a request for slots: all of them at once, or none.
public enum Admission: Hashable, Sendable {
    case granted(Permit)
    /// Not now. `until` is the earliest instant worth asking again, nil while that hangs on an unanswered call.
    case denied(blocking: BucketKey, until: Instant?)
}

/// A scope that an exchange closed: a 429, a lock or a ban.
public struct Penalty: Hashable, Sendable, Codable {
    /// Every bucket whose limit has this scope value is paused; see ``matches(_:)``.
    public var bucket: BucketKey
    public var until: Instant
    public var evidence: String

    public init(bucket: BucketKey, until: Instant, evidence: String) {
        self.bucket = bucket
        self.until = until
        self.evidence = evidence
    }
}

/// Where slots are counted. One per exchange and egress; the host's implementation shares it between processes.
///
/// All methods are synchronous and quick: they are called between two steps of the engine.
public protocol RateLedger: AnyObject {
    /// Takes all buckets of a call atomically, or none (rule R: unanswered calls, and calls whose reply came less than a window ago, count).
    func acquire(_ costs: [BucketCost], at now: Instant) -> Admission
    /// The reply is here: each slot is free one window from `at` (its receipt), or earlier where the arrival anchor allows.
    func settle(_ permit: Permit, at now: Instant)
    /// Nothing was written: the slots are free at once.
    func release(_ permit: Permit)
    /// No reply will come; the connection is closed as of `now`: each slot is free at `now` + window + `allowance`.
    func abandon(_ permit: Permit, at now: Instant, allowance: TimeSpan)
    func penalize(_ penalty: Penalty)
    /// Most weight in use at once in any bucket of a limit, since this ledger was made.
    func peakUsed(limit: String) -> Int
    /// Penalties that are in force.
    func penalties(at now: Instant) -> [Penalty]
}
