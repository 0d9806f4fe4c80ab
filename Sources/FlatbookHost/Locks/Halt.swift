package import FlatbookCore
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Who halted this host, and why.
package struct HaltCard: Hashable, Sendable, Codable, CustomStringConvertible {
    /// `user@host, pid N`.
    package var by: String
    package var since: WallTime
    package var reason: String?

    package init(by: String, since: WallTime, reason: String?) {
        self.by = by
        self.since = since
        self.reason = reason
    }

    /// `halted by ops@box, pid 7, since 2026-11-20T20:55:00.123Z (exchange misbehaves)`
    package var description: String {
        "halted by \(by), since \(since.rfc3339)" + (reason.map { " (\($0))" } ?? "")
    }
}

/// The kill switch of `reliability.md` §1.6: one file in the state folder that every send gate of this user on this host
/// looks for. That it is there decides, not what it says.
package struct Halt: Hashable, Sendable {
    package let path: String

    package init(directory: HostDirectory) { path = directory.haltPath }

    /// One system call. What cannot be looked at counts as halted: the switch must never fail open.
    package var isRaised: Bool {
        var status = stat()
        return lstat(path, &status) == 0 || errno != ENOENT
    }

    /// Nil where it is not raised, or its card cannot be read.
    package var card: HaltCard? {
        guard let file = try? LockFile.open(path, create: false) else { return nil }
        defer { close(file) }
        return try? JSONDecoder().decode(HaltCard.self, from: LockFile.content(of: file))
    }

    /// Stops every dispatcher from its next send on. Raised already: the first card stays.
    ///
    /// - Returns: whether this call raised it.
    /// - Throws: ``HostError`` where the file cannot be made.
    @discardableResult
    package func raise(_ card: HaltCard) throws(HostError) -> Bool {
        if isRaised { return false }
        let file = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw HostError(errno, cannot: "make", path) }
        defer { close(file) }
        // It is raised from here on, even if the disk has no room for the card.
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try? LockFile.replace(file, with: (try? encoder.encode(card)) ?? Data(), path)
        fsync(file)
        return true
    }

    /// Lets runs begin and go on again.
    ///
    /// - Returns: whether it was raised.
    /// - Throws: ``HostError`` where the file cannot be removed.
    @discardableResult
    package func release() throws(HostError) -> Bool {
        if unlink(path) == 0 { return true }
        guard errno == ENOENT else { throw HostError(errno, cannot: "remove", path) }
        return false
    }
}
