public import FlatbookCore

/// The least time that closes need under their limits, whatever the order (`reliability.md` §3.1).
public enum LowerBound {
    /// Time from the first send to the last: the largest `(⌈weight / n⌉ − 1) · w` of any bucket, without round trips.
    ///
    /// - Returns: the time, and the bucket that binds; nil where no bucket makes anything wait.
    public static func ofCloses(_ calls: [(call: CloseCall, costs: [BucketCost])]) -> (TimeSpan, BucketKey?) {
        ofCosts(calls.map(\.costs))
    }

    /// As ``ofCloses(_:)``, for calls of any kind.
    public static func ofCosts(_ calls: [[BucketCost]]) -> (TimeSpan, BucketKey?) {
        var demand: [BucketKey: (weight: Int, cost: BucketCost)] = [:]
        for cost in calls.joined() {
            demand[cost.key] = ((demand[cost.key]?.weight ?? 0) + cost.weight, cost)
        }
        var best: (TimeSpan, BucketKey?) = (.zero, nil)
        for (key, entry) in demand.sorted(by: { $0.key < $1.key }) {
            let length = length(of: entry.weight, in: entry.cost)
            if length > best.0 { best = (length, key) }
        }
        return best
    }

    static func length(of weight: Int, in cost: BucketCost) -> TimeSpan {
        let capacity = max(1, cost.capacity)
        return cost.window * max(0, (weight + capacity - 1) / capacity - 1)
    }
}
