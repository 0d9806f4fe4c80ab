import FlatbookCore
import Foundation
import Testing

@testable import FlatbookHost

/// Breaking a lock by its id, and the kill switch.
@Suite struct UnlockTests {
    private static let key = LockKey(exchange: ExchangeID("bitget"), environment: .production, uid: "42")
    private static let card = LockCard(
        id: "r1", run: "run-1", plan: "friday", host: "box", pid: 7, since: "2026-11-20T20:55:00.123Z",
        operation: "run", version: "1.0.0")
    private static let now = Now(
        instant: Instant(nanoseconds: 5_000_000_000), wall: WallTime(milliseconds: 1_790_000_000_000))

    private func withDirectory(_ test: (HostDirectory) throws -> Void) throws {
        let root = NSTemporaryDirectory() + "flatbook-unlock-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        try test(try HostDirectory(environment: ["XDG_STATE_HOME": root]))
    }

    private func hold(_ locks: AccountLocks) throws -> HeldLock {
        guard case .held(let lock) = try locks.acquire(Self.key, card: Self.card) else { throw CancellationError() }
        return lock
    }

    @Test("the exact id breaks the lock, tells whose it was, and its next holder knows when")
    func breaks() throws {
        try withDirectory { directory in
            let locks = AccountLocks(directory: directory)
            let first = try hold(locks)
            #expect(first.broken == nil)
            let outcome = try locks.unlock(id: first.card.id, by: "ops@box", bootID: "b", now: Self.now)
            guard case .broken(let broken) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(broken.card == first.card && broken.epoch == first.epoch + 1)
            #expect(!first.isStillHeld())
            let second = try hold(locks)
            #expect(second.epoch == first.epoch + 1 && second.isStillHeld())
            #expect(second.broken?.instant(bootID: "b", now: Self.now) == Self.now.instant)
            first.release()
            #expect(second.isStillHeld())
        }
    }

    @Test("a wrong id, a stale one and one of a lock that is free are refused, and the holder keeps its lock")
    func refuses() throws {
        try withDirectory { directory in
            let locks = AccountLocks(directory: directory)
            let first = try hold(locks)
            for wrong in ["", "x", first.card.id + "0", String(first.card.id.dropLast())] {
                #expect(try locks.unlock(id: wrong, by: "o", bootID: "b", now: Self.now) == .unknown)
            }
            #expect(first.isStillHeld())
            _ = try locks.unlock(id: first.card.id, by: "o", bootID: "b", now: Self.now)
            guard case .stale(_, let why) = try locks.unlock(id: first.card.id, by: "o", bootID: "b", now: Self.now)
            else {
                Issue.record("broken twice")
                return
            }
            #expect(why.contains("before"))
            let second = try hold(locks)
            second.release()
            #expect(try locks.unlock(id: second.card.id, by: "o", bootID: "b", now: Self.now) == .unknown)
        }
    }

    @Test("after a restart of the machine the wall clock tells when it was, and the future is now")
    func otherBoot() {
        let broken = BrokenLock(
            epoch: 1, card: Self.card, by: "o", bootID: "old", at: Instant(nanoseconds: 9), wall: Self.now.wall)
        let later = Now(
            instant: Instant(nanoseconds: 50_000_000_000), wall: WallTime(milliseconds: 1_790_000_030_000))
        #expect(broken.instant(bootID: "new", now: later) == later.instant - .seconds(30))
        let back = Now(instant: later.instant, wall: WallTime(milliseconds: 1))
        #expect(broken.instant(bootID: "new", now: back) == later.instant)
    }

    @Test("a halt is raised once, keeps its first card, counts whatever lies there, and is released")
    func halt() throws {
        try withDirectory { directory in
            let halt = Halt(directory: directory)
            #expect(!halt.isRaised && halt.card == nil)
            let card = HaltCard(by: "ops@box, pid 7", since: Self.now.wall, reason: "drill")
            #expect(try halt.raise(card))
            #expect(try !halt.raise(HaltCard(by: "other", since: Self.now.wall, reason: nil)))
            #expect(halt.isRaised && halt.card == card)
            #expect(try halt.release() && !halt.isRaised)
            #expect(try !halt.release())
            try Data().write(to: URL(fileURLWithPath: halt.path))
            #expect(halt.isRaised && halt.card == nil)
        }
    }
}
