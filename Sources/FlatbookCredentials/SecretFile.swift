#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Reads a file that holds secrets, if nobody else could have read or written it.
enum SecretFile {
    enum Custody {
        /// A file of the user's: owned by us and closed to group and others.
        case own
        /// In `$CREDENTIALS_DIRECTORY`: systemd guards the folder, and the files may belong to root.
        case systemd
    }

    /// Opens without following a link, then judges what was opened, so that nothing can be swapped in between.
    static func read(_ path: String, custody: Custody, limit: Int) throws(SourceFault) -> [UInt8] {
        // Without O_NONBLOCK, opening a named pipe would wait for a writer.
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw fault(opening: path, errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw fault(opening: path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SourceFault("\(path) is not a regular file", hint: "Name the file that holds the credential.")
        }
        if custody == .own {
            guard status.st_uid == geteuid() else {
                throw SourceFault(
                    "the file \(path) belongs to uid \(status.st_uid), not to uid \(geteuid()), who runs flatbook",
                    hint: "Let the user who runs flatbook own it.")
            }
            guard status.st_mode & 0o077 == 0 else {
                let mode = String(status.st_mode & 0o7777, radix: 8)
                let padded = String(repeating: "0", count: max(0, 4 - mode.count)) + mode
                throw SourceFault(
                    "the file \(path) has mode \(padded): its group or others may use it",
                    hint: "Run: chmod 600 \(path)")
            }
        }
        return try contents(of: descriptor, path, limit: limit)
    }

    private static func contents(
        of descriptor: CInt, _ path: String, limit: Int
    ) throws(SourceFault) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while true {
            let size = chunk.count
            let count = chunk.withUnsafeMutableBytes { systemRead(descriptor, $0.baseAddress, size) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw fault(opening: path, errno) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= limit else { throw SourceFault("the file \(path) is larger than \(limit) bytes") }
        }
    }

    private static func fault(opening path: String, _ code: CInt) -> SourceFault {
        switch code {
        case ENOENT: SourceFault("the file \(path) does not exist")
        case ELOOP: SourceFault("\(path) is a symbolic link", hint: "Name the file itself.")
        case EACCES: SourceFault("the file \(path) may not be read by uid \(geteuid())")
        default: SourceFault("the file \(path) cannot be read: \(String(cString: strerror(code)))")
        }
    }
}

/// `read` of the system, out of the way of ``SecretFile/read(_:custody:limit:)``.
private func systemRead(_ descriptor: CInt, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}
