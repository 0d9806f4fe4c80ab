import FlatbookCore
import FlatbookExecutor
import FlatbookHost

/// The host's rate ledgers, one for each exchange and egress: every process on this host counts in the same ones.
final class HostLedgers {
    private let host: HostDirectory
    private let clock: SystemRunClock
    private let boot = bootID()
    private var open: [String: any RateLedger] = [:]
    private var problem: String?

    init(host: HostDirectory, clock: SystemRunClock) {
        self.host = host
        self.clock = clock
    }

    func ledger(_ key: VenueKey) -> any RateLedger {
        let path = host.ledgerPath(exchange: key.exchange.rawValue, egress: key.egress, port: loopbackPort(key.base))
        if let known = open[path] { return known }
        do throws(LedgerFileError) {
            let shared = try SharedLedger(
                path: path, bootID: boot, owner: UInt32.random(in: 1...UInt32.max), now: clock.now().instant)
            open[path] = shared
            return shared
        } catch {
            problem = "\(error)"
            return WindowLedger()
        }
    }

    /// - Throws: exit 74 where a ledger could not be opened: nothing may be sent without it.
    func checkUsable() throws {
        if let problem { throw CommandFailure(74, "the host's rate ledger cannot be used: \(problem)") }
    }
}
