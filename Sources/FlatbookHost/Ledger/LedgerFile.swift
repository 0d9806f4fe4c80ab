#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A ledger file that cannot be used: without it a second process could not see what this one sends.
package struct LedgerFileError: Error, CustomStringConvertible, Sendable {
    package var description: String
}

/// The bytes of a ledger file and its lock. The lock belongs to the open file, so two ledgers of one process exclude each
/// other as two processes do, and it goes when its process dies.
final class LedgerFile {
    /// `FLATLED1`, boot id (40 bytes, padded with zeros).
    static let headerLength = 48
    private static let magic = Array("FLATLED1".utf8)

    let path: String
    private var descriptor: Int32 = -1

    init(path: String) throws(LedgerFileError) {
        self.path = path
        try reopen()
    }

    deinit { if descriptor >= 0 { _ = close(descriptor) } }

    private func failure(_ doing: String) -> LedgerFileError {
        LedgerFileError(description: "rate ledger \(path): cannot \(doing): \(String(cString: strerror(errno)))")
    }

    private func reopen() throws(LedgerFileError) {
        if descriptor >= 0 { _ = close(descriptor) }
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if descriptor < 0 { throw failure("open for writing") }
    }

    /// Waits for the lock.
    /// - Returns: whether the file is another one now: somebody compacted it.
    func lock() throws(LedgerFileError) -> Bool {
        var replaced = false
        while true {
            while flock(descriptor, LOCK_EX) != 0 {
                if errno != EINTR { throw failure("lock") }
            }
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw failure("inspect") }
            if status.st_nlink > 0 { return replaced }
            replaced = true
            try reopen()
        }
    }

    func unlock() { _ = flock(descriptor, LOCK_UN) }

    func size() throws(LedgerFileError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("inspect") }
        return Int(status.st_size)
    }

    func read(from offset: Int, to end: Int) throws(LedgerFileError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: max(0, end - offset))
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(offset + done))
            }
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw failure("read") }
            if count == 0 { break }
            done += count
        }
        return Array(bytes.prefix(done))
    }

    /// Writes all of it, or leaves the file as long as it was.
    func write(_ bytes: [UInt8], at offset: Int) throws(LedgerFileError) {
        do {
            try Self.write(bytes, to: descriptor, at: offset, else: failure)
        } catch {
            _ = ftruncate(descriptor, off_t(offset))
            throw error
        }
    }

    func truncate(to length: Int) throws(LedgerFileError) {
        if ftruncate(descriptor, off_t(length)) != 0 { throw failure("truncate") }
    }

    /// Puts a new file in the place of this one and keeps it locked; whoever waits for the old one notices.
    func replace(with bytes: [UInt8]) throws(LedgerFileError) {
        let temporary = path + ".new"
        _ = unlink(temporary)
        let fresh = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if fresh < 0 { throw failure("create \(temporary)") }
        do throws(LedgerFileError) {
            if flock(fresh, LOCK_EX) != 0 { throw failure("lock \(temporary)") }
            try Self.write(bytes, to: fresh, at: 0, else: failure)
            if rename(temporary, path) != 0 { throw failure("replace") }
        } catch {
            _ = close(fresh)
            _ = unlink(temporary)
            throw error
        }
        _ = close(descriptor)
        descriptor = fresh
    }

    private static func write(
        _ bytes: [UInt8], to descriptor: Int32, at offset: Int, else failure: (String) -> LedgerFileError
    ) throws(LedgerFileError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(offset + done))
            }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { throw failure("write") }
            done += count
        }
    }

    static func header(bootID: String) -> [UInt8] {
        let boot = Array(bootID.utf8.prefix(40))
        return magic + boot + [UInt8](repeating: 0, count: 40 - boot.count)
    }

    /// The boot id in a header, or nil where it is none of ours.
    static func bootID(in header: [UInt8]) -> String? {
        guard header.count >= headerLength, Array(header.prefix(8)) == magic else { return nil }
        return String(decoding: header[8..<headerLength].prefix { $0 != 0 }, as: UTF8.self)
    }
}
