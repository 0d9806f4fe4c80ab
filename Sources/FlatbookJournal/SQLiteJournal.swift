package import FlatbookCore
import Foundation
import GRDB
import Glibc
import Synchronization

/// The journal in one SQLite file: one writer under an OS lock, any number of readers.
package final class SQLiteJournal: JournalWriter, JournalReader {
    package enum Mode: Sendable {
        case write(JournalHolder)
        case read
    }

    package struct Options: Sendable {
        /// Accepts NFS, SMB and FUSE, whose locks and fsync may lie.
        package var allowsNetworkFileSystem = false
        package var reserveBytes = 16 << 20
        /// Bounds the file, as a full disk does.
        package var maximumPages: Int?
        /// For tests: called before each commit with its number, and throws what the disk would.
        var beforeCommit: (@Sendable (Int) throws -> Void)?
        /// For tests: what SQLite is taken for.
        var libraryVersion: String?
        package init() {}
    }

    package let location: JournalLocation
    private let options: Options
    private let lock: JournalLock?
    private let database: Mutex<DatabaseQueue>
    private let commits: GroupCommit

    /// Opens a journal. A writer makes what is missing; a reader makes nothing.
    ///
    /// - Throws: ``JournalError``: `locked` names the holder; `wrongVersion`, `corrupt`, `networkFileSystem`,
    ///   `diskFull`, `readOnly`, `cannotOpen` say what to do.
    package static func open(
        _ location: JournalLocation, mode: Mode, options: Options = Options()
    ) throws(JournalError) -> SQLiteJournal {
        guard case .write(let holder) = mode else {
            return try SQLiteJournal(location, lock: nil, options: options)
        }
        switch try JournalLock.tryLock(location, holder: holder) {
        case .locked(let lock): return try SQLiteJournal(location, lock: lock, options: options)
        case .held(let holder):
            throw JournalError(
                .locked, "\(location.path) is being written by \(holder). Wait for it, or give another --journal.")
        }
    }

    /// Opens for writing under a lock that the caller waited for, or for reading without one.
    package init(
        _ location: JournalLocation, lock: JournalLock?, options: Options = Options()
    ) throws(JournalError) {
        self.location = location
        self.lock = lock
        self.options = options
        let queue: DatabaseQueue
        if lock == nil {
            queue = try Self.connectToRead(location)
        } else {
            if !options.allowsNetworkFileSystem { try JournalFiles.refuseNetwork(location.directory) }
            for path in [location.path, location.path + "-wal"] { try JournalHealth.refuseForeign(path) }
            try JournalFiles.makeDatabase(location)
            try WALFile.refuseDamage(location)
            try JournalFiles.allocateReserve(location, bytes: options.reserveBytes)
            queue = try Self.connectToWrite(
                location, maximumPages: options.maximumPages, libraryVersion: options.libraryVersion)
            try JournalFiles.syncDirectory(location.directory)
        }
        database = Mutex(queue)
        commits = GroupCommit(
            queue: queue, path: location.path, isReader: lock == nil, beforeCommit: options.beforeCommit)
    }

    /// The disk must have room for ten times what a run of so many accounts writes.
    ///
    /// - Throws: ``JournalError`` with `diskFull`.
    package func requireSpace(accounts: Int) throws(JournalError) {
        try JournalHealth.requireSpace(location, accounts: accounts)
    }

    /// Commits and fsyncs since the journal was opened: one of each per batch.
    package var commitCount: Int { commits.count }

    package func append(_ entries: [JournalEntry]) async throws(JournalError) {
        try await commits.append(entries)
    }

    /// Gives the reserved blocks back to the file system.
    package func releaseReserve() throws(JournalError) {
        guard unlink(location.reservePath) == 0 || errno == ENOENT else {
            throw JournalFiles.failure(errno, "cannot delete \(location.reservePath)")
        }
        try JournalFiles.syncDirectory(location.directory)
    }

    /// Writes a run's last entries after the disk was full: frees the reserve and uses a second handle once.
    ///
    /// - Throws: the first handle's error where that was not `diskFull`, because nothing else gets better by reopening.
    package func appendLast(_ entries: [JournalEntry]) async throws(JournalError) {
        if let failure = commits.failure, failure.code != .diskFull { throw failure }
        guard lock != nil else { throw JournalError(.readOnly, "\(location.path) was opened to be read.") }
        commits.stop(JournalError(.diskFull, "\(location.path): its last entries were written; resume the run."))
        try releaseReserve()
        let location = self.location
        let fresh: DatabaseQueue
        do {
            try database.withLock { try $0.close() }
            fresh = try Self.connectToWrite(location, maximumPages: nil, libraryVersion: nil)
        } catch {
            throw JournalFailure.map(error, path: location.path)
        }
        database.withLock { $0 = fresh }
        try await GroupCommit(queue: fresh, path: location.path, isReader: false).append(entries)
    }

    /// Ends the connection and lets others write; later appends throw.
    package func close() {
        commits.stop(JournalError(.cannotOpen, "\(location.path) has been closed by this process."))
        database.withLock { try? $0.close() }
        lock?.release()
    }

    package func settings() throws(JournalError) -> [String: String] { try read { try Schema.settings($0) } }

    func read<Value: Sendable>(_ body: @Sendable (Database) throws -> Value) throws(JournalError) -> Value {
        let queue = database.withLock { $0 }
        do {
            return try queue.read(body)
        } catch {
            throw JournalFailure.map(error, path: location.path)
        }
    }

    private static func configuration(_ label: String) -> Configuration {
        var configuration = Configuration()
        configuration.label = label
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { try Schema.prepare($0) }
        return configuration
    }

    private static func connectToRead(_ location: JournalLocation) throws(JournalError) -> DatabaseQueue {
        guard access(location.path, F_OK) == 0 else {
            throw JournalError(
                .cannotOpen,
                "There is no journal at \(location.path). Give the --journal that the run was started with.")
        }
        var configuration = configuration("flatbook.journal.read")
        configuration.readonly = true
        do {
            let queue = try DatabaseQueue(path: location.path, configuration: configuration)
            let version = try queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
            guard version == Schema.version || Schema.older.contains(version) else {
                throw wrongVersion(version, location)
            }
            return queue
        } catch {
            throw JournalFailure.map(error, path: location.path)
        }
    }

    private static func connectToWrite(
        _ location: JournalLocation, maximumPages: Int?, libraryVersion: String?
    ) throws(JournalError) -> DatabaseQueue {
        do {
            let queue = try DatabaseQueue(
                path: location.path, configuration: configuration("flatbook.journal.write"))
            let found = try queue.writeWithoutTransaction { db in
                let library = try libraryVersion ?? String.fetchOne(db, sql: "SELECT sqlite_version()") ?? ""
                if let refusal = SQLiteVersion.refusal(library) { throw refusal }
                // Looked at before anything is changed: a newer version's file stays as it is.
                let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
                let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
                let isOlder = Schema.older.contains(version)
                guard version == Schema.version || isOlder || (version == 0 && tables == 0) else {
                    throw wrongVersion(version, location)
                }
                try Schema.setDurability(db)
                if version != 0 { try JournalHealth.check(db, location) }
                let here = try JournalPlace.of(location)
                if version != Schema.version {
                    try db.inTransaction(.immediate) {
                        try db.execute(sql: version == 0 ? Schema.sql : Schema.places)
                        try JournalPlace.settle(db, here, wasWithoutPlaces: true)
                        return .commit
                    }
                } else {
                    try JournalPlace.settle(db, here, wasWithoutPlaces: false)
                }
                if let maximumPages { try db.execute(sql: "PRAGMA max_page_count = \(maximumPages)") }
                // Writes nothing yet fails where the file cannot be written, so a run learns it before its first call.
                try db.execute(sql: "BEGIN IMMEDIATE; UPDATE epoch SET epoch = epoch WHERE run = ''; ROLLBACK")
                return try Schema.settings(db)
            }
            if let difference = Schema.difference(found) {
                throw JournalError(
                    .cannotOpen, "\(location.path): SQLite's \(difference). Use the system's own SQLite library.")
            }
            return queue
        } catch {
            throw JournalFailure.map(error, path: location.path)
        }
    }

    private static func wrongVersion(_ version: Int, _ location: JournalLocation) -> JournalError {
        JournalError(
            .wrongVersion,
            version == 0
                ? "\(location.path) is not a flatbook journal. Choose another --journal."
                : "\(location.path) has version \(version); this flatbook knows \(Schema.version). Use the flatbook "
                    + "that wrote it, or choose another --journal.")
    }
}
