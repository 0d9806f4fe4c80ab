import FlatbookCore
import FlatbookExecutor
import FlatbookHost
import Foundation

/// The engine's locks on this host: by exchange, environment and uid; loopback endpoints by port.
final class HostLocks: AccountLocking {
    private let locks: AccountLocks
    private let card: LockCard
    private let held = HeldLocks()
    private let boot = bootID()

    init(directory: HostDirectory, card: LockCard) {
        locks = AccountLocks(directory: directory)
        self.card = card
    }

    func acquire(_ account: Account, uid: String, venue: VenueKey) -> LockAnswer {
        let key = LockKey(
            exchange: account.exchange, environment: account.environment, uid: uid, port: loopbackPort(venue.base))
        do {
            switch try locks.acquire(key, card: card) {
            case .held(let lock):
                held.keep(lock, for: account.name)
                return .held
            case .lockedBy(let other):
                return .lockedBy(other.map { "\($0), lock \($0.id)" } ?? "another process")
            }
        } catch {
            return .failed("\(error)")
        }
    }

    func isStillHeld(_ account: String) -> Bool { held.isStillHeld(account) }

    func releaseAll() { held.releaseAll() }

    func epoch(of account: String) -> Int? { held.lock(of: account)?.epoch }

    func unlockedAt(_ account: String, now: Now) -> Instant? {
        held.lock(of: account)?.broken?.instant(bootID: boot, now: now)
    }

    func signs(_ account: String, now: Now) { held.lock(of: account)?.signs(bootID: boot, now: now) }

    func settled(_ account: String) { held.lock(of: account)?.settled() }

    func signedElsewhere(_ account: String, now: Now) -> Instant? {
        held.lock(of: account)?.left?.instant(bootID: boot, now: now)
    }

    /// For the send gate, which runs beside the engine.
    var fence: @Sendable (String) -> Bool {
        { [held] account in !held.isStillHeld(account) }
    }
}

/// Locks by account name; asked from several tasks.
final class HeldLocks: Sendable {
    private let lock = NSLock()
    private nonisolated(unsafe) var byAccount: [String: HeldLock] = [:]

    func keep(_ held: HeldLock, for account: String) { lock.withLock { byAccount[account] = held } }

    func lock(of account: String) -> HeldLock? { lock.withLock { byAccount[account] } }

    func isStillHeld(_ account: String) -> Bool { self.lock(of: account)?.isStillHeld() ?? false }

    func releaseAll() {
        let all = lock.withLock {
            let all = byAccount
            byAccount = [:]
            return all
        }
        for held in all.values { held.release() }
    }
}

/// A simulator or loopback endpoint has locks and ledgers of its own, by port.
func loopbackPort(_ base: String) -> Int? {
    guard let url = URLComponents(string: base), let host = url.host?.lowercased() else { return nil }
    guard host == "localhost" || host == "::1" || host == "[::1]" || host.hasPrefix("127.") else { return nil }
    return url.port ?? (url.scheme == "https" ? 443 : 80)
}
