package import FlatbookCore
import Foundation

/// A moment that a later process, perhaps of another boot, has to place on its own clock.
package protocol BootMoment {
    var bootID: String { get }
    /// On the boot clock of ``bootID``.
    var at: Instant { get }
    var wall: WallTime { get }
}

extension BootMoment {
    /// When it was on this boot's clock; after a restart of the machine reckoned by the wall clock, and now where that says
    /// that it lies in the future.
    package func instant(bootID: String, now: Now) -> Instant {
        if bootID == self.bootID { return min(at, now.instant) }
        let age = now.wall.milliseconds - wall.milliseconds
        return age < 0 ? now.instant : now.instant - .milliseconds(min(age, 86_400_000))
    }
}

/// When a run last signed an order with a size for an account, kept beside its lock for the next run: the request may still
/// be on its way when the lock is free again, because its process was killed or lost its journal (`reliability.md` §1.5,
/// evidence rule a: the locks count until the end of life of every unknown sized order).
package struct LastSignature: BootMoment, Hashable, Sendable, Codable {
    package var run: String
    package var bootID: String
    package var at: Instant
    package var wall: WallTime

    static func path(_ base: String) -> String { base + ".sized" }

    /// - Parameter base: path of the lock's files without their endings.
    static func read(_ base: String) -> LastSignature? {
        guard let file = try? LockFile.open(path(base), create: false) else { return nil }
        defer { close(file) }
        return try? JSONDecoder().decode(LastSignature.self, from: LockFile.content(of: file))
    }

    /// As good as it goes: where it cannot be written, the next run reads the journal of this one, as it always does.
    func write(_ base: String) {
        let path = Self.path(base)
        guard let data = try? JSONEncoder().encode(self), let file = try? LockFile.open(path, create: true) else {
            return
        }
        defer { close(file) }
        try? LockFile.replace(file, with: data, path)
    }
}
