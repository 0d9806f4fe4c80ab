import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A part of the host-wide state that cannot be used, and what to do about it.
package struct HostError: Error, Hashable, Sendable, CustomStringConvertible {
    package var path: String
    package var description: String

    init(path: String, description: String) {
        self.path = path
        self.description = description
    }

    init(_ code: Int32, cannot doing: String, _ path: String) {
        let advice =
            switch code {
            case EROFS: "the disk is read-only; set XDG_STATE_HOME to a writable folder"
            case EACCES, EPERM: "give this user the folder, or set XDG_STATE_HOME to one that it owns"
            case ENOSPC, EDQUOT: "free some disk space"
            case ELOOP: "it is a symbolic link; remove it"
            case ENOTDIR, EEXIST: "a file is where a folder belongs; move it away"
            case EMFILE, ENFILE: "raise the limit of open files (ulimit -n)"
            case ENOLCK, ENOTSUP: "set XDG_STATE_HOME to a folder on a local disk"
            default: "check the path, or set XDG_STATE_HOME to another folder"
            }
        self.path = path
        description = "cannot \(doing) \(path): \(String(cString: strerror(code))); \(advice)"
    }
}

/// The state that all runs of this user on this host share: account locks and rate ledgers.
package struct HostDirectory: Hashable, Sendable {
    package let path: String

    /// Makes `$XDG_STATE_HOME/flatbook`, else `$HOME/.local/state/flatbook`, for this user alone.
    ///
    /// - Throws: ``HostError`` where neither variable is an absolute path, or the folder cannot be made private.
    package init(environment: [String: String]) throws(HostError) {
        // The XDG base directory specification says to ignore relative paths.
        func absolute(_ name: String) -> String? {
            guard let value = environment[name], value.hasPrefix("/"), !value.utf8.contains(0) else { return nil }
            return value
        }
        if let state = absolute("XDG_STATE_HOME") {
            path = state + "/flatbook"
        } else if let home = absolute("HOME") {
            path = home + "/.local/state/flatbook"
        } else {
            throw HostError(
                path: "", description: "no folder for locks: set XDG_STATE_HOME or HOME to an absolute path")
        }
        let steps = path.split(separator: "/")
        var parent = ""
        for step in steps.dropLast() {
            parent += "/" + step
            if mkdir(parent, 0o700) != 0, !Self.isFolder(parent) {
                throw HostError(errno, cannot: "make folder", parent)
            }
        }
        for folder in [path, locksPath, path + "/ledgers"] { try Self.makePrivate(folder) }
    }

    var locksPath: String { path + "/locks" }
    /// While it is there, nothing of this user on this host changes anything at an exchange.
    package var haltPath: String { path + "/halt" }

    /// The rate ledger of one exchange as seen from one egress address; loopback endpoints have their own by port.
    package func ledgerPath(exchange: String, egress: String, port: Int?) -> String {
        let suffix = port.map { "-\($0)" } ?? ""
        return path + "/ledgers/" + safeName(exchange) + "-" + safeName(egress) + suffix + ".ledger"
    }

    private static func isFolder(_ path: String) -> Bool {
        let before = errno
        defer { errno = before }
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func makePrivate(_ folder: String) throws(HostError) {
        if mkdir(folder, 0o700) != 0, !isFolder(folder) { throw HostError(errno, cannot: "make folder", folder) }
        var status = stat()
        guard stat(folder, &status) == 0 else { throw HostError(errno, cannot: "inspect", folder) }
        if status.st_mode & 0o777 != 0o700, chmod(folder, 0o700) != 0 {
            throw HostError(errno, cannot: "make private", folder)
        }
    }
}

/// One part of a file name: never a separator, never too long, and two different texts in practice never the same.
func safeName(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var name: [UInt8] = []
    // FNV-1a: a collision only makes two accounts share a lock, which is safe.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 {
        hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            name.append(byte)
        default: name += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    // Three parts, a port and an epoch must fit in the 255 bytes of a file name.
    guard name.count > 64 else { return String(decoding: name, as: UTF8.self) }
    return String(decoding: name.prefix(44), as: UTF8.self) + "%~" + String(hash, radix: 16)
}

/// Changes with every start of the machine, for records in its monotonic time.
package func bootID() -> String {
    let text = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
    let id = text?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
    return id.isEmpty ? unknownBoot : id
}

/// Differs for every process: old records are then those of another boot, which is the careful reading.
private let unknownBoot = UUID().uuidString.lowercased()

/// This machine's name, for messages.
package func hostName() -> String {
    var bytes = [CChar](repeating: 0, count: 256)
    guard gethostname(&bytes, bytes.count - 1) == 0 else { return "unknown-host" }
    return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
