import FlatbookCore
import FlatbookExecutor

/// What the processes of one host share: rate ledgers and account locks.
final class SimulatedHost {
    private var ledgers: [VenueKey: WindowLedger] = [:]
    private var locks: [String: (holder: Int, epoch: Int)] = [:]
    /// Broken promises that only the host sees.
    private(set) var violations: [String] = []

    fileprivate func ledger(_ key: VenueKey) -> WindowLedger {
        if let known = ledgers[key] { return known }
        let made = WindowLedger()
        ledgers[key] = made
        return made
    }

    fileprivate func violate(_ text: String) { violations.append(text) }

    // MARK: Locks

    fileprivate func take(_ account: String, for process: Int) -> Int? {
        if let lock = locks[account], lock.holder != 0, lock.holder != process { return nil }
        let epoch = locks[account]?.epoch ?? 0
        locks[account] = (process, epoch)
        return epoch
    }

    /// Files beside the locks: who last signed an order with a size, and when.
    fileprivate var signatures: [String: (process: Int, at: Instant)] = [:]

    fileprivate func holds(_ account: String, _ process: Int, epoch: Int) -> Bool {
        locks[account].map { $0.holder == process && $0.epoch == epoch } ?? false
    }

    fileprivate func release(_ process: Int) {
        for (account, lock) in locks where lock.holder == process { locks[account] = (0, lock.epoch) }
    }

    /// `flatbook unlock` of every lock of a process: its epochs are raised, so it may send nothing more.
    func unlock(process: Int) {
        for (account, lock) in locks where lock.holder == process { locks[account] = (0, lock.epoch + 1) }
    }
}

/// The host's ledger as one process uses it: when the process dies, what it never heard of is abandoned.
final class ProcessLedger: RateLedger {
    private let host: SimulatedHost
    private let ledger: WindowLedger
    private var open: [UInt64: Permit] = [:]
    /// Ends of closed scopes, kept beside the ledger's own, to judge it.
    private var closed: [BucketKey: Instant] = [:]

    init(_ host: SimulatedHost, _ key: VenueKey) {
        self.host = host
        ledger = host.ledger(key)
    }

    func acquire(_ costs: [BucketCost], at now: Instant) -> Admission {
        let admission = ledger.acquire(costs, at: now)
        if case .granted(let permit) = admission {
            open[permit.id] = permit
            for cost in costs {
                if let end = closed[cost.key], now < end {
                    host.violate("I15: a permit of \(cost.key) at \(now) although it is closed until \(end)")
                }
            }
        }
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

    func penalize(_ penalty: Penalty) {
        closed[penalty.bucket] = max(penalty.until, closed[penalty.bucket] ?? penalty.until)
        ledger.penalize(penalty)
    }

    func penalties(at now: Instant) -> [Penalty] { ledger.penalties(at: now) }
    func peakUsed(limit: String) -> Int { ledger.peakUsed(limit: limit) }

    func forgetOwner(at now: Instant) {
        for id in open.keys.sorted() {
            if let permit = open.removeValue(forKey: id) { ledger.abandon(permit, at: now, allowance: .seconds(5)) }
        }
    }
}

/// The host's locks as one process takes them.
final class ProcessLocks: AccountLocking {
    private let host: SimulatedHost
    private let process: Int
    private var epochs: [String: (lock: String, epoch: Int)] = [:]

    init(_ host: SimulatedHost, process: Int) {
        self.host = host
        self.process = process
    }

    func acquire(_ account: Account, uid: String, venue: VenueKey) -> LockAnswer {
        let lock = "\(account.exchange) \(account.environment.rawValue) \(uid)"
        guard let epoch = host.take(lock, for: process) else {
            return .lockedBy("run of process \(3 - process), pid 1 on test")
        }
        epochs[account.name] = (lock, epoch)
        return .held
    }

    func isStillHeld(_ account: String) -> Bool {
        epochs[account].map { host.holds($0.lock, process, epoch: $0.epoch) } ?? false
    }

    func releaseAll() { host.release(process) }

    func signs(_ account: String, now: Now) {
        if let lock = epochs[account]?.lock { host.signatures[lock] = (process, now.instant) }
    }

    func settled(_ account: String) {
        if isStillHeld(account), let lock = epochs[account]?.lock { host.signatures[lock] = nil }
    }

    func signedElsewhere(_ account: String, now: Now) -> Instant? {
        guard let lock = epochs[account]?.lock, let last = host.signatures[lock], last.process != process else {
            return nil
        }
        return min(last.at, now.instant)
    }
}
