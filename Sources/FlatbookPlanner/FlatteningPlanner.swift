public import FlatbookCore

/// Chooses the closes of each account, and which of them goes next.
///
/// Order (`reliability.md` §3.2): largest notional first, but an account whose remaining chain lasts as long as the
/// remaining queue goes first. Work-conserving: an account that must wait for its own limit never holds up another.
public struct FlatteningPlanner: CallPlanner {
    private struct Queue {
        /// In the order of ``add(_:)``: file order.
        var index: Int
        var sequence: PlanDocument.Sequence
        var account: PlannedAccount
        /// Last first, so that taking one is constant.
        var calls: [CloseCall] = []
        var isOut = false
        /// Marks entries of the heaps as current.
        var version = 0
    }

    /// An account that could go, as the heaps order it.
    private struct Entry {
        var account: String
        var version: Int
        var index: Int
        var sequence: PlanDocument.Sequence
        var notional: Amount
        var symbol: String
        /// How long the account's own limits keep it busy after this call.
        var chain: TimeSpan
        var notBefore = Instant(nanoseconds: .min)
    }

    private var accounts: [String: Queue] = [:]
    private var nextIndex = 0
    private var ready = Heap<Entry>(FlatteningPlanner.precedes)
    private var chains = Heap<Entry> { a, b in a.chain != b.chain ? a.chain > b.chain : precedes(a, b) }
    private var sleeping = Heap<Entry> { a, b in a.notBefore < b.notBefore }
    /// Buckets that several accounts share, by operation, and what is queued for them.
    private var shared: [String: Set<BucketKey>] = [:]
    private var demand: [BucketKey: (weight: Int, cost: BucketCost)] = [:]
    private var queuedOperations: [String: Int] = [:]

    public init() {}

    public mutating func add(_ account: PlannedAccount) -> (calls: [CloseCall], unclosable: [UnclosableLeg]) {
        let name = account.account.name
        remove(account: name)
        var queue =
            accounts[name] ?? Queue(index: nextIndex, sequence: account.sequence, account: account)
        if queue.index == nextIndex { nextIndex += 1 }
        let (chosen, unclosable) = MethodChoice(account).calls()
        let calls = chosen.sorted { Self.precedes($0, $1, account.sequence) }
        queue.sequence = account.sequence
        queue.account = account
        queue.calls = calls.reversed()
        accounts[name] = queue
        for call in calls { count(call, of: queue, by: 1) }
        enqueue(name)
        return (calls, unclosable)
    }

    public mutating func remove(account: String) {
        guard var queue = accounts[account] else { return }
        for call in queue.calls { count(call, of: queue, by: -1) }
        queue.calls = []
        queue.version += 1
        accounts[account] = queue
    }

    public mutating func ready(account: String) {
        guard accounts[account]?.isOut == true else { return }
        accounts[account]?.isOut = false
        enqueue(account)
    }

    public func queued(account: String) -> Int { accounts[account]?.calls.count ?? 0 }

    public mutating func next(at now: Instant, admits: (CloseCall) -> Admission) -> PlannerStep {
        while let entry = sleeping.first, entry.notBefore <= now || !isCurrent(entry) {
            _ = sleeping.pop()
            if isCurrent(entry) { wake(entry) }
        }
        var scan = Scan()
        defer { for entry in scan.passed { wake(entry) } }
        while let entry = best(), let call = accounts[entry.account]?.calls.last {
            if scan.blockedOperations.contains(call.method.operation) {
                scan.passed.append(bump(entry))
                continue
            }
            switch admits(call) {
            case .granted(let permit):
                take(call, of: entry.account)
                return .call(call, permit)
            case .denied(let blocking, let until):
                scan.note(blocking, until: until)
                var waiting = bump(entry)
                if let until, until > now, !isShared(blocking) {
                    waiting.notBefore = until
                    sleeping.push(waiting)
                } else {
                    scan.passed.append(waiting)
                }
                if isShared(blocking) {
                    // Nobody who needs this bucket can go: asking the others again would only cost time.
                    for (operation, keys) in shared where keys.contains(blocking) {
                        scan.blockedOperations.insert(operation)
                    }
                    let left = queuedOperations.keys.filter { !scan.blockedOperations.contains($0) }
                    if left.isEmpty { return scan.wait(sleeping: sleeping.first?.notBefore) }
                }
            }
        }
        return scan.binding == nil && sleeping.first == nil && scan.passed.isEmpty
            ? .idle : scan.wait(sleeping: sleeping.first?.notBefore)
    }

    /// What one pass over the accounts has learned.
    private struct Scan {
        var passed: [Entry] = []
        var blockedOperations: Set<String> = []
        var until: Instant?
        var binding: BucketKey?

        mutating func note(_ key: BucketKey, until: Instant?) {
            guard let until else {
                if binding == nil { binding = key }
                return
            }
            if self.until.map({ until < $0 }) ?? true {
                self.until = until
                binding = key
            }
        }

        func wait(sleeping: Instant?) -> PlannerStep {
            .wait(until: [until, sleeping].compactMap(\.self).min(), binding: binding)
        }
    }
}

extension FlatteningPlanner {
    /// Whether several accounts count in it; said by its scope values.
    private func isShared(_ key: BucketKey) -> Bool { !key.scope.contains("uid=") }

    private mutating func count(_ call: CloseCall, of queue: Queue, by sign: Int) {
        let operation = call.method.operation
        queuedOperations[operation, default: 0] += sign
        if queuedOperations[operation] == 0 { queuedOperations[operation] = nil }
        for cost in queue.account.costs(of: call) where isShared(cost.key) {
            shared[operation, default: []].insert(cost.key)
            demand[cost.key] = ((demand[cost.key]?.weight ?? 0) + sign * cost.weight, cost)
        }
    }

    private mutating func take(_ call: CloseCall, of account: String) {
        guard var queue = accounts[account] else { return }
        queue.calls.removeLast()
        queue.isOut = true
        queue.version += 1
        count(call, of: queue, by: -1)
        accounts[account] = queue
    }

    private mutating func enqueue(_ account: String) {
        guard var queue = accounts[account], !queue.isOut, let call = queue.calls.last else { return }
        queue.version += 1
        accounts[account] = queue
        wake(
            Entry(
                account: account, version: queue.version, index: queue.index, sequence: queue.sequence,
                notional: call.notional, symbol: call.target, chain: Self.chain(queue)))
    }

    private mutating func wake(_ entry: Entry) {
        ready.push(entry)
        if entry.sequence == .exposure, entry.chain > .zero { chains.push(entry) }
    }

    /// Makes the entry's copies in the heaps stale.
    private mutating func bump(_ entry: Entry) -> Entry {
        var copy = entry
        copy.version += 1
        accounts[entry.account]?.version = copy.version
        return copy
    }

    private func isCurrent(_ entry: Entry) -> Bool { accounts[entry.account]?.version == entry.version }

    /// The account to ask for now; a critical one first. Leaves its copies in the heaps, made stale by the caller.
    private mutating func best() -> Entry? {
        while let entry = chains.first, !isCurrent(entry) { _ = chains.pop() }
        if let entry = chains.first, isCritical(entry) {
            _ = chains.pop()
            return entry
        }
        while let entry = ready.pop() {
            if isCurrent(entry) { return entry }
        }
        return nil
    }

    /// Whether the account's chain lasts as long as the whole queue does in the bucket that binds it. A fifth is added for
    /// the round trips, which a chain waits for and a queue does not.
    private func isCritical(_ entry: Entry) -> Bool {
        var queue = TimeSpan.zero
        for (_, entry) in demand where entry.weight > 0 {
            let length = entry.cost.window.nanoseconds / Int64(max(1, entry.cost.capacity)) * Int64(entry.weight)
            queue = max(queue, TimeSpan(nanoseconds: length))
        }
        return queue > .zero && entry.chain * 6 / 5 >= queue
    }

    private static func chain(_ queue: Queue) -> TimeSpan {
        var demand: [BucketKey: (weight: Int, cost: BucketCost)] = [:]
        for call in queue.calls {
            for cost in queue.account.costs(of: call) where cost.key.scope.contains("uid=") {
                demand[cost.key] = ((demand[cost.key]?.weight ?? 0) + cost.weight, cost)
            }
        }
        return demand.values.map { LowerBound.length(of: $0.weight, in: $0.cost) }.max() ?? .zero
    }

    private static func precedes(_ a: Entry, _ b: Entry) -> Bool {
        switch a.sequence {
        case .exposure: if a.notional != b.notional { return a.notional > b.notional }
        case .symbol: if a.symbol != b.symbol { return a.symbol < b.symbol }
        case .account: break
        }
        return a.index < b.index
    }

    private static func precedes(_ a: CloseCall, _ b: CloseCall, _ sequence: PlanDocument.Sequence) -> Bool {
        if sequence == .symbol, a.target != b.target { return a.target < b.target }
        if a.notional != b.notional { return a.notional > b.notional }
        return (a.legs.first.map { x in b.legs.first.map { x < $0 } ?? false }) ?? false
    }
}
