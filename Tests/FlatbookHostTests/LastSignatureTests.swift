import FlatbookCore
import Foundation
import Testing

@testable import FlatbookHost

/// What a run leaves beside a lock for the next one: when it last signed an order with a size.
@Suite struct LastSignatureTests {
    private static let key = LockKey(exchange: ExchangeID("bingx"), environment: .production, uid: "42")
    private static let now = Now(
        instant: Instant(nanoseconds: 5_000_000_000), wall: WallTime(milliseconds: 1_790_000_000_000))

    private func withLocks(_ test: (AccountLocks) throws -> Void) throws {
        let root = NSTemporaryDirectory() + "flatbook-signature-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        try test(AccountLocks(directory: try HostDirectory(environment: ["XDG_STATE_HOME": root])))
    }

    private func hold(_ locks: AccountLocks, run: String) throws -> HeldLock {
        let card = LockCard(
            id: "l", run: run, plan: "p", host: "box", pid: 7, since: "2026-11-20T20:55:00.123Z", operation: "run",
            version: "1.0.0")
        guard case .held(let lock) = try locks.acquire(Self.key, card: card) else { throw CancellationError() }
        return lock
    }

    @Test("another run hears of an order that nobody saw end, the same run does not: its journal knows")
    func unsettled() throws {
        try withLocks { locks in
            let first = try hold(locks, run: "run-1")
            #expect(first.left == nil)
            first.signs(bootID: "b", now: Self.now)
            first.release()
            let same = try hold(locks, run: "run-1")
            #expect(same.left == nil)
            same.release()
            let other = try hold(locks, run: "run-2")
            #expect(other.left?.run == "run-1")
            #expect(other.left?.instant(bootID: "b", now: Self.now) == Self.now.instant)
        }
    }

    @Test("once all orders have ended, the next run need not wait")
    func settled() throws {
        try withLocks { locks in
            let first = try hold(locks, run: "run-1")
            first.signs(bootID: "b", now: Self.now)
            first.settled()
            first.release()
            let other = try hold(locks, run: "run-2")
            #expect(other.left == nil)
        }
    }

    @Test("a fenced holder does not speak for its successor")
    func fenced() throws {
        try withLocks { locks in
            let first = try hold(locks, run: "run-1")
            _ = try locks.unlock(id: first.card.id, by: "o", bootID: "b", now: Self.now)
            let second = try hold(locks, run: "run-2")
            second.signs(bootID: "b", now: Self.now)
            first.settled()
            second.release()
            let third = try hold(locks, run: "run-3")
            #expect(third.left?.run == "run-2")
        }
    }

    @Test("a damaged note is no note")
    func damaged() throws {
        try withLocks { locks in
            let first = try hold(locks, run: "run-1")
            first.signs(bootID: "b", now: Self.now)
            first.release()
            let folder = locks.directory.locksPath
            let name = try #require(
                FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasSuffix(".sized") })
            try Data("{".utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
            #expect(try hold(locks, run: "run-2").left == nil)
        }
    }
}
