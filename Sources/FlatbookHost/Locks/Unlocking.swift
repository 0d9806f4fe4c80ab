package import FlatbookCore
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How the holder of an epoch was fenced, kept beside the lock for its next holder: what the old one had signed by then
/// may still arrive at the exchange (`reliability.md` §1.7.4).
package struct BrokenLock: BootMoment, Hashable, Sendable, Codable {
    /// The epoch that the unlock began.
    package var epoch: Int
    /// Whose lock it was.
    package var card: LockCard
    /// Who broke it: `user@host, pid N`.
    package var by: String
    package var bootID: String
    /// On the boot clock of ``bootID``.
    package var at: Instant
    package var wall: WallTime

    static func path(_ base: String) -> String { base + ".unlock" }

    /// - Parameter base: path of the lock's files without their endings.
    static func read(_ base: String, epoch: Int) -> BrokenLock? {
        guard let file = try? LockFile.open(path(base), create: false) else { return nil }
        defer { close(file) }
        guard let found = try? JSONDecoder().decode(BrokenLock.self, from: LockFile.content(of: file)) else {
            return nil
        }
        return found.epoch == epoch ? found : nil
    }
}

/// What became of an attempt to break a lock.
package enum Unlocking: Hashable, Sendable {
    case broken(BrokenLock)
    /// The id is of a lock that somebody broke already, or that nobody holds any more.
    case stale(LockCard, String)
    /// No lock has this id.
    case unknown
}

extension AccountLocks {
    /// Fences the holder of exactly this lock: raises the epoch beside it, so that the holder's send gate sends nothing
    /// more, even if it is only stopped and wakes later.
    ///
    /// - Parameters:
    ///   - id: as the message of the run that was kept out names it.
    ///   - by: who does it, for the next holder.
    /// - Throws: ``HostError`` where the lock's files cannot be read or written.
    package func unlock(id: String, by: String, bootID: String, now: Now) throws(HostError) -> Unlocking {
        guard !id.isEmpty else { return .unknown }
        var stale: Unlocking?
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory.locksPath).sorted()
        } catch {
            throw HostError(path: directory.locksPath, description: "cannot list \(directory.locksPath): \(error)")
        }
        for name in names {
            guard let (base, epoch) = Self.parts(of: name) else { continue }
            let path = directory.locksPath + "/" + name
            guard let file = try? LockFile.open(path, create: false) else { continue }
            defer { close(file) }
            guard let card = LockFile.card(in: file), card.id == id else { continue }
            let outcome = try breakLock(
                file, path, base: directory.locksPath + "/" + base, epoch: epoch,
                BrokenLock(epoch: epoch + 1, card: card, by: by, bootID: bootID, at: now.instant, wall: now.wall))
            if case .broken = outcome { return outcome }
            stale = outcome
        }
        return stale ?? .unknown
    }

    private func breakLock(
        _ file: Int32, _ path: String, base: String, epoch: Int, _ record: BrokenLock
    ) throws(HostError) -> Unlocking {
        try withEpoch(base + ".epoch") { counter, current throws(HostError) in
            // Another acquisition may have replaced the card before we had the epoch.
            guard let card = LockFile.card(in: file), card.id == record.card.id else { return .unknown }
            guard current == epoch else { return .stale(card, "it was broken before") }
            let probe = try LockFile.open(path, create: false)
            guard try !LockFile.tryLock(probe, path) else {
                close(probe)
                return .stale(card, "its holder has ended, so it is free already")
            }
            close(probe)
            // First the record, then the epoch: whoever sees the new epoch finds when the old one ended.
            let note = try LockFile.open(BrokenLock.path(base), create: true)
            defer { close(note) }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            try LockFile.replace(note, with: (try? encoder.encode(record)) ?? Data(), BrokenLock.path(base))
            try LockFile.replace(counter, with: LockFile.text(epoch + 1), base + ".epoch")
            return .broken(record)
        }
    }

    /// `bitget-production-42.lock.3` is epoch 3 of `bitget-production-42`.
    private static func parts(of name: String) -> (base: String, epoch: Int)? {
        if name.hasSuffix(".lock") { return (String(name.dropLast(5)), 0) }
        guard let dot = name.lastIndex(of: "."), let epoch = Int(name[name.index(after: dot)...]), epoch > 0,
            name[..<dot].hasSuffix(".lock")
        else { return nil }
        return (String(name[..<dot].dropLast(5)), epoch)
    }
}
