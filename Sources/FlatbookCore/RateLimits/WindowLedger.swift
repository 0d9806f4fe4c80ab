/// Rule R, the response ledger (`reliability.md` §2.2): a slot is busy while its call is unanswered, and for one window
/// after the reply.
///
/// Proven to keep every half-open interval of a window's length within the limit at the exchange, whatever the delays
/// and losses. Pure: it has no clock, every method takes `now`, and equal calls give equal answers.
public final class WindowLedger: RateLedger {
    /// A permit whose reply may still come. `bounded` ones have their slots in the queues already.
    private struct Open {
        var costs: [BucketCost]
        var isBounded: Bool
    }

    private var buckets: [BucketKey: LedgerBucket] = [:]
    private var open: [UInt64: Open] = [:]
    private var peaks: [String: Int] = [:]
    private var inForce: [BucketKey: Penalty] = [:]
    private var nextID: UInt64 = 1
    /// The latest instant that was passed in: what "already paused" is judged by.
    package private(set) var lastSeen = Instant(nanoseconds: .min)

    public init() {}

    /// A window on a clock that may run 0.1 % fast, and 1 ms for what it is read late (assumption A3).
    static func stretched(_ window: TimeSpan) -> TimeSpan {
        TimeSpan(nanoseconds: window.nanoseconds + window.nanoseconds / 1000 + 1_000_000)
    }

    public func acquire(_ costs: [BucketCost], at now: Instant) -> Admission {
        if let denial = denial(of: costs, at: now) { return denial }
        let permit = Permit(id: nextID, costs: costs, takenAt: now)
        insert(permit)
        return .granted(permit)
    }

    public func settle(_ permit: Permit, at now: Instant) { end(permit.id, at: now, allowance: .zero) }

    public func release(_ permit: Permit) { release(id: permit.id) }

    public func abandon(_ permit: Permit, at now: Instant, allowance: TimeSpan) {
        end(permit.id, at: now, allowance: allowance)
    }

    /// Pauses the bucket until the penalty's time, and uses 70 % of what it used so far (`reliability.md` §2.5).
    ///
    /// Rejections that arrive while the bucket is paused belong to the same overrun and do not shrink it again.
    public func penalize(_ penalty: Penalty) {
        var bucket = buckets[penalty.bucket] ?? LedgerBucket()
        let isNew = bucket.pausedUntil.map { $0 <= lastSeen } ?? true
        if isNew { bucket.shrink(at: max(penalty.until, lastSeen)) }
        if bucket.pausedUntil.map({ $0 < penalty.until }) ?? true {
            bucket.pausedUntil = penalty.until
            inForce[penalty.bucket] = penalty
        }
        buckets[penalty.bucket] = bucket
    }

    public func penalties(at now: Instant) -> [Penalty] {
        inForce.values.filter { $0.until > now }.sorted { $0.bucket < $1.bucket }
    }

    /// The most weight that any bucket of a limit held at once, answered calls of the last window included.
    public func peakUsed(limit: String) -> Int { peaks[limit] ?? 0 }

    /// The weight a bucket holds: unanswered, or answered less than a window ago.
    public func used(_ key: BucketKey, at now: Instant) -> Int {
        guard buckets[key] != nil else { return 0 }
        return buckets[key]?.prune(at: now) ?? 0
    }

    /// What a bucket allows after feedback, or nil where nothing was taken from it.
    public func effectiveCapacity(_ key: BucketKey) -> Int? { buckets[key]?.effective }
}

// What a ledger needs that keeps its events elsewhere: the host-wide one replays those of other processes.
extension WindowLedger {
    /// Why a call may not go now, or nil if it may. The blocking bucket is the one that blocks longest.
    package func denial(of costs: [BucketCost], at now: Instant) -> Admission? {
        lastSeen = max(lastSeen, now)
        var blocking: (key: BucketKey, until: Instant?)?
        for cost in costs {
            var bucket = buckets[cost.key] ?? LedgerBucket()
            let answer = bucket.admission(of: cost, at: now)
            buckets[cost.key] = bucket
            guard case .later(let until) = answer else { continue }
            guard let current = blocking else {
                blocking = (cost.key, until)
                continue
            }
            guard let known = current.until else { continue }
            if until.map({ $0 > known }) ?? true { blocking = (cost.key, until) }
        }
        return blocking.map { .denied(blocking: $0.key, until: $0.until) }
    }

    /// Takes a permit's slots without asking.
    ///
    /// - Parameter end: when its call is over at the latest; the slots are free a window later, unless the permit ends
    ///   before. Nil = it stays open until it is ended.
    package func insert(_ permit: Permit, overBy end: Instant? = nil) {
        guard open[permit.id] == nil else { return }
        nextID = max(nextID, permit.id &+ 1)
        lastSeen = max(lastSeen, permit.takenAt)
        open[permit.id] = Open(costs: permit.costs, isBounded: end != nil)
        for cost in permit.costs {
            var bucket = buckets[cost.key] ?? LedgerBucket()
            _ = bucket.prune(at: permit.takenAt)
            bucket.take(cost, permit: permit.id, freeAt: end.map { $0 + Self.stretched(cost.window) })
            peaks[cost.key.limit] = max(peaks[cost.key.limit] ?? 0, bucket.used)
            buckets[cost.key] = bucket
        }
    }

    /// The call is over as of `now`: its slots are free a window and `allowance` later.
    package func end(_ id: UInt64, at now: Instant, allowance: TimeSpan) {
        lastSeen = max(lastSeen, now)
        guard let entry = open.removeValue(forKey: id) else { return }
        for cost in entry.costs {
            let freeAt = now + Self.stretched(cost.window) + allowance
            buckets[cost.key]?.finish(cost, permit: id, isBounded: entry.isBounded, freeAt: freeAt)
        }
    }

    package func release(id: UInt64) {
        guard let entry = open.removeValue(forKey: id) else { return }
        for cost in entry.costs {
            buckets[cost.key]?.finish(cost, permit: id, isBounded: entry.isBounded, freeAt: nil)
        }
    }

    /// Takes over what cannot be rebuilt from calls: peaks, and what feedback taught about capacities.
    package func adopt(from other: WindowLedger) {
        peaks.merge(other.peaks) { max($0, $1) }
        for (key, bucket) in other.buckets where bucket.isShrunk || buckets[key] != nil {
            buckets[key, default: LedgerBucket()].adoptFeedback(of: bucket)
        }
    }
}

/// One counter at one tuple of scope values.
struct LedgerBucket {
    enum Answer: Equatable {
        case now
        case later(Instant?)
    }

    private(set) var used = 0
    var pausedUntil: Instant?
    private var ending = SlotQueue()
    /// The largest capacity that was asked with, which feedback grows back to.
    private var nominal: Int?
    private(set) var effective: Int?
    private var raisedAt: Instant?
    private var window = TimeSpan.zero
    /// A penalty came before the first call: there was nothing to take 70 % of yet.
    private var shrinksOnFirstUse = false

    /// Clean windows before one more call is allowed (`reliability.md` §2.5).
    private static let cleanWindows = 10

    var isShrunk: Bool { effective != nominal }

    mutating func prune(at now: Instant) -> Int {
        used -= ending.popFree(at: now)
        return used
    }

    mutating func admission(of cost: BucketCost, at now: Instant) -> Answer {
        _ = prune(at: now)
        learn(cost, at: now)
        // A shrunk bucket must still let a heavy call through when nothing else is in it.
        let allowed = min(cost.capacity, max(effective ?? cost.capacity, cost.weight))
        let excess = used + cost.weight - allowed
        let pause = pausedUntil.flatMap { $0 > now ? $0 : nil }
        if excess <= 0 { return pause.map { .later($0) } ?? .now }
        guard let free = ending.instant(freeing: excess) else { return .later(nil) }
        return .later(pause.map { max($0, free) } ?? free)
    }

    mutating func take(_ cost: BucketCost, permit: UInt64, freeAt: Instant?) {
        used += cost.weight
        if let freeAt { ending.insert(SlotQueue.Slot(freeAt: freeAt, permit: permit, weight: cost.weight)) }
    }

    /// - Parameter freeAt: nil = at once.
    mutating func finish(_ cost: BucketCost, permit: UInt64, isBounded: Bool, freeAt: Instant?) {
        if isBounded {
            let weight = ending.remove(permit: permit)
            // Its bound had passed, so it counts no more; an end that comes later still is one.
            used += freeAt == nil ? -weight : cost.weight - weight
        } else if freeAt == nil {
            used -= cost.weight
        }
        if let freeAt { ending.insert(SlotQueue.Slot(freeAt: freeAt, permit: permit, weight: cost.weight)) }
    }

    mutating func shrink(at instant: Instant) {
        raisedAt = instant
        if let current = effective {
            effective = max(1, current * 7 / 10)
        } else {
            shrinksOnFirstUse = true
        }
    }

    mutating func adoptFeedback(of other: LedgerBucket) {
        nominal = other.nominal
        effective = other.effective
        raisedAt = other.raisedAt
        window = other.window
        shrinksOnFirstUse = other.shrinksOnFirstUse
    }

    private mutating func learn(_ cost: BucketCost, at now: Instant) {
        window = max(window, cost.window)
        if let known = nominal {
            if cost.capacity > known {
                effective = isShrunk ? effective : cost.capacity
                nominal = cost.capacity
            }
        } else {
            nominal = cost.capacity
            effective = shrinksOnFirstUse ? max(1, cost.capacity * 7 / 10) : cost.capacity
            shrinksOnFirstUse = false
        }
        guard let full = nominal, let current = effective, current < full, let since = raisedAt,
            window.nanoseconds > 0, now > since
        else { return }
        let step = (window * Self.cleanWindows).nanoseconds
        let raises = (now - since).nanoseconds / step
        guard raises > 0 else { return }
        effective = min(full, current + Int(raises))
        raisedAt = Instant(nanoseconds: since.nanoseconds + raises * step)
    }
}
