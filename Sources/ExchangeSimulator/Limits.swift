/// How a per-second counter of an endpoint forgets. The exchange does not say which it uses.
package enum WindowKind: Hashable, Sendable { case sliding, fixed }

/// One counter. Times are nanoseconds of the monotonic clock, judged when a request arrives.
struct Counter: Sendable {
    private var times: [Int64] = []
    private var head = 0

    /// Requests that still count at `now`.
    mutating func used(at now: Int64, window: Int64, kind: WindowKind) -> Int {
        switch kind {
        case .sliding:
            while head < times.count, now - times[head] >= window { head += 1 }
        case .fixed:
            let start = now / window * window
            while head < times.count, times[head] < start { head += 1 }
        }
        if head > 1024, head * 2 > times.count {
            times.removeFirst(head)
            head = 0
        }
        return times.count - head
    }

    mutating func add(_ now: Int64) { times.append(now) }
}

/// A place in the limiter.
struct CounterKey: Hashable, Sendable {
    var scope: String
    var route: String
}

/// The exchange's counters and locks.
struct Limiter: Sendable {
    enum Verdict: Equatable, Sendable {
        case allowed(remaining: Int)
        case refused
    }

    private var counters: [CounterKey: Counter] = [:]
    private var locks: [String: Int64] = [:]

    /// Locks a scope until `until`, in nanoseconds.
    mutating func lock(_ scope: String, until: Int64) { locks[scope] = max(until, locks[scope] ?? Int64.min) }

    func isLocked(_ scope: String, at now: Int64) -> Bool { locks[scope].map { now < $0 } ?? false }

    /// Takes `count` permits, or none. A refused request counts only with `countRefused`.
    mutating func take(
        _ key: CounterKey, capacity: Int, window: Int64, kind: WindowKind, at now: Int64, countRefused: Bool,
        count: Int = 1
    ) -> Verdict {
        let used = counters[key, default: Counter()].used(at: now, window: window, kind: kind)
        guard used + count <= capacity else {
            if countRefused { for _ in 0..<count { counters[key]?.add(now) } }
            return .refused
        }
        for _ in 0..<count { counters[key]?.add(now) }
        return .allowed(remaining: capacity - used - count)
    }
}
