import FlatbookCore
import Foundation
import GRDB
import Glibc

/// The version of SQLite that this process runs on, by `sqlite3_libversion`.
struct SQLiteVersion: Comparable, CustomStringConvertible {
    var parts: [Int]

    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count >= 2, parts.allSatisfy({ $0.map { $0 >= 0 } ?? false }) else { return nil }
        self.parts = (parts.compactMap(\.self) + [0]).prefix(3).map(\.self)
    }

    var description: String { parts.map(String.init).joined(separator: ".") }

    static func < (a: Self, b: Self) -> Bool { a.parts.lexicographicallyPrecedes(b.parts) }

    /// STRICT tables are of 3.37.0 (sqlite.org/stricttables.html): an older library would read the file as damaged.
    static let oldest = Self(parts: [3, 37, 0])
    /// Older ones can damage a log that two connections write or checkpoint at once (sqlite.org/wal.html#walresetbug).
    static let withoutWALReset = Self(parts: [3, 51, 3])

    private init(parts: [Int]) { self.parts = parts }

    /// Why the library must not be used. One older than ``withoutWALReset`` may: a journal has one connection that writes,
    /// under an OS lock, and every other is opened to read.
    static func refusal(_ text: String) -> JournalError? {
        guard let version = Self(text) else {
            return JournalError(
                .cannotOpen, "SQLite says that its version is \"\(text)\". Use the system's own library.")
        }
        guard version >= oldest else {
            return JournalError(
                .cannotOpen, "SQLite \(version) is too old: the journal needs \(oldest) or newer. Update the system.")
        }
        return nil
    }
}

/// What is looked at before the first entry of a process: an unhealthy journal refuses there, when nothing was sent yet.
enum JournalHealth {
    /// Entries of the newest runs up to this size are verified at every start; `report` and `resume` verify theirs whole.
    static let verifiedBytes = 64 << 20

    static func check(_ db: Database, _ location: JournalLocation) throws {
        let found = try String.fetchOne(db, sql: "PRAGMA quick_check(1)") ?? ""
        guard found == "ok" else { throw damaged("SQLite finds \(found)", location) }
        try checkChains(db, location)
    }

    /// Bytes without their meaning, so that also the entries of other versions can be verified.
    private static func checkChains(_ db: Database, _ location: JournalLocation) throws {
        var bytes = 0
        let runs = try Row.fetchAll(db, sql: "SELECT id, entries, head FROM run ORDER BY first_seq DESC")
        for run in runs where bytes < verifiedBytes {
            // By place and as whatever it is: in a damaged file columns have other types, and the typed subscripts trap.
            guard let id = String.fromDatabaseValue(run[0]), let count = Int.fromDatabaseValue(run[1]),
                let kept = Data.fromDatabaseValue(run[2])
            else { throw damaged("the list of runs cannot be read", location) }
            var (head, entries) = (Chain.genesis(of: id), 0)
            let rows = try Row.fetchCursor(
                db, sql: "SELECT seq, body, prev, hash FROM event WHERE run = ? ORDER BY seq", arguments: [id])
            while let row = try rows.next() {
                guard let seq = Int64.fromDatabaseValue(row[0]), let body = Data.fromDatabaseValue(row[1]),
                    let previous = Data.fromDatabaseValue(row[2]), let stored = Data.fromDatabaseValue(row[3])
                else { throw damaged("an entry of run \(id) has a column of another type", location) }
                let hash = Chain.hash(previous: head, seq: seq, body: body)
                guard Array(previous) == head, Array(stored) == hash else {
                    throw damaged("entry \(seq) of run \(id) does not continue the chain", location)
                }
                (head, entries, bytes) = (hash, entries + 1, bytes + body.count)
            }
            guard Array(kept) == head, entries == count else {
                throw damaged("run \(id) should end with entry \(count), found \(entries)", location)
            }
        }
    }

    static func damaged(_ what: String, _ location: JournalLocation) -> JournalError {
        JournalError(
            .corrupt,
            "\(location.path): \(what). Keep the file for examination; check positions with a dry run on a new --journal."
        )
    }

    // MARK: The disk

    /// A run may need this much; the disk must have ten times as much (`reliability.md` §1.8, Disk full). Measured: 8 KB
    /// for an account of one leg.
    static func estimate(accounts: Int) -> Int { (1 << 20) + accounts * (16 << 10) }

    static func requireSpace(_ location: JournalLocation, accounts: Int) throws(JournalError) {
        var status = statvfs()
        guard statvfs(location.directory, &status) == 0 else {
            throw JournalFiles.failure(errno, "cannot examine the disk of \(location.path)")
        }
        let (free, overflows) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        let needed = UInt64(10 * estimate(accounts: accounts))
        guard !overflows, free < needed else { return }
        throw JournalError(
            .diskFull,
            "\(location.path): the disk has \(free >> 20) MiB left, a run of \(accounts) accounts wants \(needed >> 20) "
                + "MiB. Free some space, or choose another --journal.")
    }

    /// Files of another user would become unusable for one of the two.
    static func refuseForeign(_ path: String) throws(JournalError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_uid == geteuid() else {
            throw JournalError(
                .cannotOpen,
                "\(path) belongs to user \(status.st_uid), and this is user \(geteuid()). Run as its owner, or choose "
                    + "another --journal.")
        }
    }
}
