import FlatbookCore

/// The host's ledger across process deaths: it survives, and what the dead process never heard of is abandoned.
final class TrackedLedger: RateLedger {
    private let ledger = WindowLedger()
    private var open: [UInt64: Permit] = [:]

    func acquire(_ costs: [BucketCost], at now: Instant) -> Admission {
        let admission = ledger.acquire(costs, at: now)
        if case .granted(let permit) = admission { open[permit.id] = permit }
        return admission
    }

    func settle(_ permit: Permit, at now: Instant) {
        open[permit.id] = nil
        ledger.settle(permit, at: now)
    }

    func release(_ permit: Permit) {
        open[permit.id] = nil
        ledger.release(permit)
    }

    func abandon(_ permit: Permit, at now: Instant, allowance: TimeSpan) {
        open[permit.id] = nil
        ledger.abandon(permit, at: now, allowance: allowance)
    }

    func penalize(_ penalty: Penalty) { ledger.penalize(penalty) }
    func penalties(at now: Instant) -> [Penalty] { ledger.penalties(at: now) }
    func peakUsed(limit: String) -> Int { ledger.peakUsed(limit: limit) }

    func forgetOwner(at now: Instant) {
        for id in open.keys.sorted() {
            if let permit = open.removeValue(forKey: id) { ledger.abandon(permit, at: now, allowance: .seconds(5)) }
        }
    }
}
