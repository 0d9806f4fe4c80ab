import Glibc

/// Files and sockets that this process may hold at once. Where they run out, locks and the journal could not be opened, so
/// calls are bounded by what is left for them.
enum FileDescriptors {
    /// Journal, ledgers, event loop, credentials and reports.
    private static let ours = 40
    private static let mostInFlight = 128

    /// Takes all that the system allows, which is usually far more than the 1024 that a shell gives.
    static func raise() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        let wanted = min(limit.rlim_max, 65_536)
        guard limit.rlim_cur < wanted else { return }
        limit.rlim_cur = wanted
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Calls that may be under way at each exchange.
    ///
    /// - Parameter accounts: each holds its lock.
    /// - Throws: ``CommandFailure`` with 75 where not even one call at a time would be safe.
    static func maximumInFlight(accounts: Int, exchanges: Int) throws -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return mostInFlight }
        let allowed = Int(clamping: limit.rlim_cur)
        let each = (allowed - ours - accounts) / max(1, exchanges)
        guard each >= 2 else {
            throw CommandFailure(
                75,
                "the system lets this process hold \(allowed) files and sockets; \(accounts) accounts need at least "
                    + "\(ours + accounts + 2 * exchanges). Nothing was sent; raise the limit (ulimit -n), then run again"
            )
        }
        return min(mostInFlight, each)
    }
}
