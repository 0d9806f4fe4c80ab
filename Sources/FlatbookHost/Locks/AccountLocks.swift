package import FlatbookCore
import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a lock protects: one account as its exchange knows it, whatever we call it.
package struct LockKey: Hashable, Sendable {
    package var exchange: ExchangeID
    package var environment: TradingEnvironment
    package var uid: String
    /// Of a loopback endpoint, which has locks of its own.
    package var port: Int?

    package init(exchange: ExchangeID, environment: TradingEnvironment, uid: String, port: Int? = nil) {
        self.exchange = exchange
        self.environment = environment
        self.uid = uid
        self.port = port
    }

    var fileName: String {
        // "+" cannot occur in a safe name, so a port is never taken for the end of a uid.
        safeName(exchange.rawValue) + "-" + environment.rawValue + "-" + safeName(uid) + (port.map { "+\($0)" } ?? "")
    }
}

/// Who holds a lock, as its file tells others.
package struct LockCard: Hashable, Sendable, Codable, CustomStringConvertible {
    package var id: String
    package var run: String
    package var plan: String
    package var host: String
    package var pid: Int
    /// RFC 3339.
    package var since: String
    package var operation: String
    package var version: String

    package init(
        id: String, run: String, plan: String, host: String, pid: Int, since: String, operation: String, version: String
    ) {
        self.id = id
        self.run = run
        self.plan = plan
        self.host = host
        self.pid = pid
        self.since = since
        self.operation = operation
        self.version = version
    }

    /// `run R of plan P on HOST, pid N, since T`
    package var description: String { "run \(run) of plan \(plan) on \(host), pid \(pid), since \(since)" }
}

/// The right to change one account, held by one open file; the kernel frees it on any death.
package final class HeldLock: Sendable {
    package let epoch: Int
    /// As written to the file, with the id of this acquisition.
    package let card: LockCard
    /// How the holder before was fenced, where this epoch began with an unlock: what it signed may still arrive.
    package let broken: BrokenLock?
    /// When another run last signed an order with a size, where it did not see all of them end.
    package let left: LastSignature?
    /// Path of the lock's files without their endings.
    private let base: String
    private var epochPath: String { base + ".epoch" }
    private let descriptor: Mutex<Int32?>

    fileprivate init(_ file: Int32, epoch: Int, base: String, card: LockCard) {
        descriptor = Mutex(file)
        self.epoch = epoch
        self.base = base
        self.card = card
        broken = BrokenLock.read(base, epoch: epoch)
        left = LastSignature.read(base).flatMap { $0.run == card.run ? nil : $0 }
    }

    deinit { release() }

    /// Reads the epoch again: false after a release, after somebody raised it, and where it cannot be read.
    package func isStillHeld() -> Bool {
        guard descriptor.withLock({ $0 != nil }) else { return false }
        guard let file = try? LockFile.open(epochPath, create: false) else { return false }
        defer { close(file) }
        return LockFile.number(in: file) == epoch
    }

    /// Before an order with a size is signed: its request may outlive this process.
    package func signs(bootID: String, now: Now) {
        LastSignature(run: card.run, bootID: bootID, at: now.instant, wall: now.wall).write(base)
    }

    /// Every order with a size has ended: the next run need not wait for any.
    package func settled() {
        // Whoever was fenced has no say in what its successor signed.
        if isStillHeld() { _ = unlink(LastSignature.path(base)) }
    }

    /// Lets others have the account. The file stays: unlinking it would let two processes lock two files of one name.
    package func release() {
        descriptor.withLock { file in
            if let file {
                _ = ftruncate(file, 0)
                close(file)
            }
            file = nil
        }
    }
}

/// The locks on accounts that all runs on this host share.
package struct AccountLocks: Sendable {
    let directory: HostDirectory

    package init(directory: HostDirectory) { self.directory = directory }

    package enum Attempt: Sendable {
        case held(HeldLock)
        /// With the holder's card, unless it has not written it yet.
        case lockedBy(LockCard?)
    }

    private func epochPath(_ key: LockKey) -> String { directory.locksPath + "/" + key.fileName + ".epoch" }

    /// Each epoch has a lock file of its own: a stopped holder of an older epoch still locks the older one.
    private func lockPath(_ key: LockKey, epoch: Int) -> String {
        directory.locksPath + "/" + key.fileName + ".lock" + (epoch == 0 ? "" : ".\(epoch)")
    }

    /// Takes the lock, or tells who has it. Never waits for the holder.
    ///
    /// - Parameter card: its id becomes the start of an id that no other acquisition has.
    /// - Throws: ``HostError`` where the lock's files cannot be used.
    package func acquire(_ key: LockKey, card: LockCard) throws(HostError) -> Attempt {
        while true {
            let epoch = try currentEpoch(key)
            let path = lockPath(key, epoch: epoch)
            let file = try LockFile.open(path, create: true)
            guard try LockFile.tryLock(file, path) else {
                defer { close(file) }
                return .lockedBy(LockFile.card(in: file))
            }
            var own = card
            let unique = String(UInt64.random(in: .min ... .max), radix: 16)
            own.id = card.id.isEmpty ? unique : card.id + "-" + unique
            let lock = HeldLock(file, epoch: epoch, base: directory.locksPath + "/" + key.fileName, card: own)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            try LockFile.replace(file, with: (try? encoder.encode(own)) ?? Data(), path)
            // Somebody may have raised the epoch before we had the lock.
            if try currentEpoch(key) == epoch { return .held(lock) }
            lock.release()
        }
    }

    /// Fences whoever holds the lock, so that it can be acquired again even while its holder is stopped.
    ///
    /// - Returns: the new epoch.
    /// - Throws: ``HostError`` where the epoch cannot be written.
    @discardableResult
    package func raiseEpoch(_ key: LockKey) throws(HostError) -> Int {
        let path = epochPath(key)
        return try withEpoch(path) { file, epoch throws(HostError) in
            try LockFile.replace(file, with: LockFile.text(epoch + 1), path)
            return epoch + 1
        }
    }

    private func currentEpoch(_ key: LockKey) throws(HostError) -> Int {
        try withEpoch(epochPath(key)) { _, epoch throws(HostError) in epoch }
    }

    /// Under the epoch file's own lock, which is held only for the moment of a read or a write.
    func withEpoch<Value>(
        _ path: String, _ body: (Int32, Int) throws(HostError) -> Value
    ) throws(HostError) -> Value {
        let file = try LockFile.open(path, create: true)
        defer { close(file) }
        try LockFile.lock(file, path)
        var status = stat()
        guard fstat(file, &status) == 0 else { throw HostError(errno, cannot: "inspect", path) }
        if status.st_size == 0 { try LockFile.replace(file, with: LockFile.text(0), path) }
        guard let epoch = LockFile.number(in: file) else {
            throw HostError(path: path, description: "\(path) is damaged: remove it when no run is active")
        }
        return try body(file, epoch)
    }
}

/// Small files that are locked, read and replaced as a whole.
enum LockFile {
    static func open(_ path: String, create: Bool) throws(HostError) -> Int32 {
        // Without blocking: a pipe in this place must not stop the run.
        let flags = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (create ? O_RDWR | O_CREAT : O_RDONLY)
        let file = Foundation.open(path, flags, 0o600)
        guard file >= 0 else { throw HostError(errno, cannot: "open", path) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(file)
            throw HostError(path: path, description: "\(path) is not a regular file: remove it")
        }
        if create, status.st_mode & 0o777 != 0o600, fchmod(file, 0o600) != 0 {
            let code = errno
            close(file)
            throw HostError(code, cannot: "make private", path)
        }
        return file
    }

    /// Closes the file where it throws.
    static func tryLock(_ file: Int32, _ path: String) throws(HostError) -> Bool {
        while flock(file, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            if code == EWOULDBLOCK { return false }
            if code == EINTR { continue }
            close(file)
            throw HostError(code, cannot: "lock", path)
        }
        return true
    }

    static func lock(_ file: Int32, _ path: String) throws(HostError) {
        while flock(file, LOCK_EX) != 0 {
            if errno != EINTR { throw HostError(errno, cannot: "lock", path) }
        }
    }

    static func replace(_ file: Int32, with data: Data, _ path: String) throws(HostError) {
        let written = data.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
        guard written == data.count, ftruncate(file, off_t(data.count)) == 0 else {
            throw HostError(written < 0 ? errno : ENOSPC, cannot: "write", path)
        }
    }

    /// Always as long, so that a reader beside a writer never sees half a number as another one.
    static func text(_ epoch: Int) -> Data {
        let digits = String(epoch)
        return Data((String(repeating: "0", count: max(0, 20 - digits.count)) + digits).utf8)
    }

    static func number(in file: Int32) -> Int? {
        let data = read(file, 32)
        guard data.count == 20 else { return nil }
        // The largest number cannot be raised any more: no process wrote it.
        return Int(String(decoding: data, as: UTF8.self)).flatMap { (0..<Int.max).contains($0) ? $0 : nil }
    }

    static func card(in file: Int32) -> LockCard? {
        try? JSONDecoder().decode(LockCard.self, from: content(of: file))
    }

    static func content(of file: Int32) -> Data { read(file, 16_384) }

    private static func read(_ file: Int32, _ limit: Int) -> Data {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = pread(file, &bytes, limit, 0)
        return Data(bytes.prefix(max(0, count)))
    }
}
