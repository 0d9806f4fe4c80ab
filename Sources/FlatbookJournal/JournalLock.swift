package import FlatbookCore
import Foundation
import Glibc
import Synchronization

/// Who writes a journal, as the lock file tells others.
package struct JournalHolder: Hashable, Sendable, Codable, CustomStringConvertible {
    package var run: String
    package var pid: Int
    package var host: String
    package var since: WallTime
    package init(run: String, pid: Int, host: String, since: WallTime) {
        self.run = run
        self.pid = pid
        self.host = host
        self.since = since
    }

    /// `run X on host (pid 7) since 2026-11-20T20:55:00.123Z`
    package var description: String { "run \(run) on \(host) (pid \(pid)) since \(since.rfc3339)" }
}

/// The right to write one journal, held by one open file description; the kernel frees it on any death.
package final class JournalLock: Sendable {
    private let descriptor: Mutex<Int32?>

    private init(_ descriptor: Int32) { self.descriptor = Mutex(descriptor) }

    deinit { release() }

    /// Takes the lock, or tells who has it. Never waits.
    ///
    /// - Returns: the lock, or the holder's card (with an empty run while the holder has not written it yet).
    /// - Throws: ``JournalError`` where the lock file cannot be made.
    package static func tryLock(
        _ location: JournalLocation, holder: JournalHolder
    ) throws(JournalError) -> Attempt {
        try JournalFiles.makeDirectory(location.directory)
        let file = open(location.lockPath, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw JournalFiles.failure(errno, "cannot open \(location.lockPath)") }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            defer { close(file) }
            guard code == EWOULDBLOCK else { throw JournalFiles.failure(code, "cannot lock \(location.lockPath)") }
            return .held(card(of: file))
        }
        let lock = JournalLock(file)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = (try? encoder.encode(holder)) ?? Data()
        let written = text.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
        guard written == text.count, ftruncate(file, off_t(text.count)) == 0 else {
            throw JournalFiles.failure(errno, "cannot write \(location.lockPath)")
        }
        return .locked(lock)
    }

    package enum Attempt: Sendable {
        case locked(JournalLock)
        case held(JournalHolder)
    }

    /// Lets others write. The file stays: unlinking it would let two processes lock two files of one name.
    package func release() {
        descriptor.withLock { file in
            if let file { close(file) }
            file = nil
        }
    }

    private static func card(of file: Int32) -> JournalHolder {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = pread(file, &bytes, bytes.count, 0)
        let card = try? JSONDecoder().decode(JournalHolder.self, from: Data(bytes.prefix(max(0, count))))
        return card ?? JournalHolder(run: "", pid: 0, host: "", since: WallTime(milliseconds: 0))
    }
}
