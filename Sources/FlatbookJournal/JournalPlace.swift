package import FlatbookCore
import Foundation
import GRDB
import Glibc

/// Where a journal was written: a copy, or a file that was moved or restored, is not where it says it is.
///
/// A copy may lack entries that its original got later, and the original may go on at the same time. So its unfinished
/// runs are only read and closed, never continued; new runs are its own.
struct JournalPlace: Equatable {
    /// `/etc/machine-id` where there is one (machine-id(5)); containers often have none.
    var machine: String
    var path: String
    var inode: Int64

    static func of(_ location: JournalLocation) throws(JournalError) -> JournalPlace {
        var status = stat()
        guard stat(location.path, &status) == 0, let real = realpath(location.path, nil) else {
            throw JournalFiles.failure(errno, "cannot examine \(location.path)")
        }
        defer { free(real) }
        let machine = (try? String(contentsOfFile: "/etc/machine-id", encoding: .utf8)) ?? ""
        // Not the device: its number may change with every start of the machine.
        return JournalPlace(
            machine: machine.trimmingCharacters(in: .whitespacesAndNewlines), path: String(cString: real),
            inode: Int64(bitPattern: UInt64(status.st_ino)))
    }

    func isSame(as other: JournalPlace) -> Bool {
        path == other.path && inode == other.inode
            && (machine == other.machine || machine.isEmpty || other.machine.isEmpty)
    }

    /// Notes a new place from the next entry on. A journal of the first version, which knew no places, is taken as it lies.
    static func settle(_ db: Database, _ here: JournalPlace, wasWithoutPlaces: Bool) throws {
        if let last = try last(db), last.place.isSame(as: here) { return }
        let first = wasWithoutPlaces ? 1 : (try Int64.fetchOne(db, sql: "SELECT max(seq) FROM event") ?? 0) + 1
        try db.execute(
            sql: "INSERT INTO place(first_seq, machine, path, inode) VALUES (?, ?, ?, ?)",
            arguments: [first, here.machine, here.path, here.inode])
    }

    static func last(_ db: Database) throws -> (firstSeq: Int64, place: JournalPlace)? {
        guard try db.tableExists("place"),
            let row = try Row.fetchOne(
                db, sql: "SELECT first_seq, machine, path, inode FROM place ORDER BY rowid DESC LIMIT 1")
        else { return nil }
        guard let first = Int64.fromDatabaseValue(row[0]), let machine = String.fromDatabaseValue(row[1]),
            let path = String.fromDatabaseValue(row[2]), let inode = Int64.fromDatabaseValue(row[3])
        else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the journal's place cannot be read") }
        return (first, JournalPlace(machine: machine, path: path, inode: inode))
    }
}

extension SQLiteJournal {
    /// Whether a run was begun where the journal lies now. One that was not is only read and closed.
    package func isAtHome(_ run: String) throws(JournalError) -> Bool {
        try read { db in
            guard let place = try JournalPlace.last(db) else { return true }
            let first = try Int64.fetchOne(db, sql: "SELECT first_seq FROM run WHERE id = ?", arguments: [run])
            return first.map { $0 >= place.firstSeq } ?? true
        }
    }
}
