import FlatbookCore
import Foundation
import Glibc

/// The files around the database: made private, on a local disk, and themselves durable.
enum JournalFiles {
    /// Mount types whose locks or fsync cannot be trusted.
    private static let networkTypes: Set<String> = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "afs", "glusterfs", "lustre",
    ]

    /// The type of the mount with this device number, by the text of `/proc/self/mountinfo` (proc(5)), where it is a
    /// network's or FUSE's.
    static func networkName(device: UInt64, mounts: String) -> String? {
        // The split of makedev(3): Swift sees neither major() nor minor(), which are macros.
        let major = (device >> 8 & 0xFFF) | (device >> 32 & ~0xFFF)
        let minor = (device & 0xFF) | (device >> 12 & 0xFFFF_FF00)
        let wanted = "\(major):\(minor)"
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 2, fields[2] == wanted, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count
            else { continue }
            let type = String(fields[dash + 1])
            return networkTypes.contains(type) || type.hasPrefix("fuse") ? type : nil
        }
        return nil
    }

    /// Makes the directory and its parents, each 0700, and syncs what holds them.
    static func makeDirectory(_ path: String) throws(JournalError) {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw JournalError(.cannotOpen, "\(path) is not a directory. Choose another --journal.")
            }
            return
        }
        let parent = JournalLocation(path: path).directory
        if parent != path { try makeDirectory(parent) }
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw failure(errno, "cannot make the directory \(path)")
        }
        try syncDirectory(parent)
    }

    static func refuseNetwork(_ directory: String) throws(JournalError) {
        var status = stat()
        guard stat(directory, &status) == 0 else { throw failure(errno, "cannot examine \(directory)") }
        let mounts = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
        if let name = networkName(device: UInt64(status.st_dev), mounts: mounts) {
            throw JournalError(
                .networkFileSystem,
                "\(directory) is on \(name), where locks and fsync cannot be trusted. Put the journal on a local disk.")
        }
    }

    /// A new file with mode 0600, or what is there, if it is a regular file and no link.
    static func makeDatabase(_ location: JournalLocation) throws(JournalError) {
        var status = stat()
        // Only when it is missing: closing a descriptor would drop the locks that SQLite holds on this file.
        if lstat(location.path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw JournalError(
                    .cannotOpen, "\(location.path) is not a regular file (links are refused). Choose another --journal."
                )
            }
            return
        }
        let file = open(location.path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure(errno, "cannot make \(location.path)") }
        close(file)
        try syncDirectory(location.directory)
    }

    static func syncDirectory(_ path: String) throws(JournalError) {
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw failure(errno, "cannot open \(path)") }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw failure(errno, "cannot sync \(path)") }
    }

    /// Real blocks, not a hole: they are what is given back when the disk is full.
    static func allocateReserve(_ location: JournalLocation, bytes: Int) throws(JournalError) {
        guard bytes > 0 else { return }
        let file = open(location.reservePath, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure(errno, "cannot make \(location.reservePath)") }
        defer { close(file) }
        let code = posix_fallocate(file, 0, off_t(bytes))
        guard code == 0 else {
            unlink(location.reservePath)
            throw failure(code, "cannot reserve \(bytes) bytes in \(location.reservePath)")
        }
    }

    static func failure(_ code: Int32, _ what: String) -> JournalError {
        let text = "\(what): \(String(cString: strerror(code)))."
        return switch code {
        case ENOSPC, EDQUOT, EFBIG: JournalError(.diskFull, "\(text) Free some space, then resume the run.")
        case EROFS: JournalError(.readOnly, "\(text) Choose a --journal on a writable disk.")
        case EIO: JournalError(.inputOutput, "\(text) Check the disk, then resume the run.")
        default: JournalError(.cannotOpen, "\(text) Check the path and its permissions, or choose another --journal.")
        }
    }
}
