import FlatbookCore
import Foundation
import GRDB
import Glibc
import Testing

@testable import FlatbookJournal

/// A folder of its own for one journal.
final class Shelf {
    let path: String
    var location: JournalLocation { JournalLocation(path: path + "/journal.sqlite") }

    init() throws {
        path = NSTemporaryDirectory() + "flatbook-journal-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ configure: (inout SQLiteJournal.Options) -> Void = { _ in }) throws -> SQLiteJournal {
        var options = SQLiteJournal.Options()
        options.reserveBytes = 64 << 10
        configure(&options)
        return try .open(location, mode: .write(Self.holder), options: options)
    }

    static let holder = JournalHolder(run: "r", pid: 1, host: "h", since: WallTime(milliseconds: 0))

    static func entry(_ event: RunEvent, run: String = "r", epoch: Int = 1) -> JournalEntry {
        JournalEntry(
            run: run, epoch: epoch, at: Instant(nanoseconds: 5), wall: WallTime(milliseconds: 1_790_000_000_000),
            event: event)
    }

    static func opened(_ run: String = "r") -> JournalEntry {
        entry(
            .opened(
                RunHeader(
                    id: run, plans: [PlanDocument(name: "p", accounts: [Pattern("*")])], planDigest: "sha256:x",
                    environment: .simulated, accounts: [], deadline: Instant(nanoseconds: 9),
                    deadlineWall: WallTime(milliseconds: 9), startedWall: WallTime(milliseconds: 1),
                    holder: RunHolder(host: "h", pid: 1, bootID: "b", version: "v"))), run: run)
    }

    static func numbered(_ number: Int, run: String = "r", epoch: Int = 1) -> JournalEntry {
        entry(.interrupted(signal: "n\(number)"), run: run, epoch: epoch)
    }

    static let closed = entry(
        .closed(RunClosing(status: "flat", exitCode: 0, reads: 3, limits: [], medianRoundTrip: .zero)))

    func code(_ body: () async throws -> Void) async -> JournalError.Code? {
        do {
            try await body()
            return nil
        } catch let error as JournalError {
            return error.code
        } catch {
            return nil
        }
    }

    /// Behind the journal's back.
    func tamper(_ sql: String) throws {
        let queue = try DatabaseQueue(path: location.path)
        try queue.write { db in
            for name in try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'trigger'") {
                try db.execute(sql: "DROP TRIGGER \(name)")
            }
            try db.execute(sql: sql)
        }
        try queue.close()
    }
}

@Suite("The SQLite journal")
struct JournalTests {
    @Test("gives back what was written, across a reopening, with a stable head")
    func roundTrip() async throws {
        let shelf = try Shelf()
        let entries = [Shelf.opened(), Shelf.numbered(1), Shelf.numbered(2), Shelf.closed]
        let journal = try shelf.write()
        try await journal.append(Array(entries.prefix(2)))
        try await journal.append(Array(entries.suffix(2)))
        let head = try journal.head(of: "r")
        journal.close()
        let again = try SQLiteJournal.open(shelf.location, mode: .read)
        #expect(try again.entries(of: "r") == entries)
        #expect(try again.head(of: "r") == head)
        #expect(head.hasPrefix("sha256:") && head.count == 71)
        let run = try #require(try again.runs().first)
        #expect(run.status == "flat" && run.exitCode == 0 && run.plans == ["p"])
    }

    @Test("runs with full synchronisation and a write-ahead log, and reads both back")
    func pragmas() throws {
        let settings = try Shelf().write().settings()
        #expect(settings["journal_mode"] == "wal")
        #expect(settings["synchronous"] == "2")
        #expect(settings["foreign_keys"] == "1")
    }

    @Test("files are the owner's alone")
    func modes() async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened()])
        var info = stat()
        #expect(stat(shelf.location.path, &info) == 0)
        #expect(info.st_mode & 0o777 == 0o600)
    }

    @Test("a changed byte is found and its sequence number named")
    func tampered() async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened(), Shelf.numbered(1), Shelf.numbered(2)])
        journal.close()
        try shelf.tamper("UPDATE event SET body = CAST(replace(CAST(body AS TEXT), 'n1', 'n9') AS BLOB) WHERE seq = 2")
        let error = #expect(throws: JournalError.self) {
            try SQLiteJournal.open(shelf.location, mode: .read).entries(of: "r")
        }
        #expect(error?.code == .corrupt)
        #expect(error?.message.contains("entry 2 of run r") == true)
    }

    @Test(
        "a column of another type is damage, whatever is read",
        arguments: [
            ("event", "body = NULL"), ("event", "body = 7"), ("event", "prev = 'x'"), ("event", "hash = NULL"),
            ("event", "epoch = 'x'"), ("event", "kind = NULL"), ("event", "t_mono = 1e300"), ("run", "head = NULL"),
            ("run", "entries = 'x'"), ("run", "last_at = x'00'"), ("epoch", "epoch = NULL"),
        ])
    func mistyped(table: String, change: String) async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened(), Shelf.numbered(1)])
        journal.close()
        try shelf.tamper(
            "CREATE TABLE loose AS SELECT * FROM \(table); UPDATE loose SET \(change); DROP TABLE \(table); "
                + "ALTER TABLE loose RENAME TO \(table)")
        let reader = try SQLiteJournal.open(shelf.location, mode: .read)
        var errors: [JournalError] = []
        do throws(JournalError) { _ = try reader.runs() } catch { errors.append(error) }
        do throws(JournalError) { _ = try reader.entries(of: "r") } catch { errors.append(error) }
        #expect(!errors.isEmpty)
        #expect(errors.allSatisfy { $0.code == .corrupt })
    }

    @Test(
        "a table whose columns have other names is damage",
        arguments: [("event", "body"), ("run", "head"), ("epoch", "epoch")])
    func renamed(table: String, column: String) async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened(), Shelf.numbered(1)])
        journal.close()
        try shelf.tamper("ALTER TABLE \(table) RENAME COLUMN \(column) TO other")
        let reader = try SQLiteJournal.open(shelf.location, mode: .read)
        #expect(throws: JournalError.self) { try reader.entries(of: "r") }
        if table != "event" || column != "body" { return }
        #expect(throws: JournalError.self) { try reader.runs() }
    }

    @Test(
        "a damaged journal is not written on",
        arguments: [
            ("run", "head = NULL"), ("run", "entries = 9223372036854775807"), ("epoch", "epoch = 'x'"),
            ("event", "seq = 9223372036854775807"),
        ])
    func damagedIsNotWritten(table: String, change: String) async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened()])
        journal.close()
        try shelf.tamper(
            "CREATE TABLE loose AS SELECT * FROM \(table); UPDATE loose SET \(change); DROP TABLE \(table); "
                + "ALTER TABLE loose RENAME TO \(table)")
        // Found when it is opened, or with the first entry at the latest.
        #expect(await shelf.code { try await shelf.write().append([Shelf.numbered(1)]) } == .corrupt)
    }

    @Test("a deleted entry is found")
    func deleted() async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened(), Shelf.numbered(1), Shelf.numbered(2)])
        journal.close()
        try shelf.tamper("DELETE FROM event WHERE seq = 2")
        #expect(throws: JournalError.self) { try SQLiteJournal.open(shelf.location, mode: .read).entries(of: "r") }
    }

    @Test(
        "its rows can be neither changed nor deleted", arguments: ["UPDATE event SET kind = 'x'", "DELETE FROM event"])
    func appendOnly(sql: String) async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened()])
        journal.close()
        let queue = try DatabaseQueue(path: shelf.location.path)
        #expect(throws: DatabaseError.self) { try queue.write { try $0.execute(sql: sql) } }
    }

    @Test("an entry of a fenced epoch is refused, and so is everything after it")
    func fenced() async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened()])
        try await journal.append([Shelf.numbered(1, epoch: 2)])
        #expect(await shelf.code { try await journal.append([Shelf.numbered(2, epoch: 1)]) } == .fenced)
        #expect(await shelf.code { try await journal.append([Shelf.numbered(3, epoch: 2)]) } == .fenced)
    }

    @Test("a thousand callers at once are all durable, in fewer commits")
    func groupCommit() async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened()])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...1000 { group.addTask { try await journal.append([Shelf.numbered(number)]) } }
            try await group.waitForAll()
        }
        #expect(journal.commitCount < 1000)
        journal.close()
        #expect(try SQLiteJournal.open(shelf.location, mode: .read).entries(of: "r").count == 1001)
    }

    @Test("a full disk stops it for good and keeps what was acknowledged; the reserve takes the last entries")
    func diskFull() async throws {
        let shelf = try Shelf()
        let journal = try shelf.write { $0.maximumPages = 40 }
        try await journal.append([Shelf.opened()])
        var acknowledged = 1
        var failure: JournalError.Code?
        for number in 1...5000 where failure == nil {
            failure = await shelf.code { try await journal.append([Shelf.numbered(number)]) }
            if failure == nil { acknowledged += 1 }
        }
        #expect(failure == .diskFull)
        #expect(await shelf.code { try await journal.append([Shelf.numbered(0)]) } == .diskFull)
        try await journal.appendLast([Shelf.closed])
        journal.close()
        #expect(try SQLiteJournal.open(shelf.location, mode: .read).entries(of: "r").count == acknowledged + 1)
    }

    @Test("one writer: the second is told who holds it, a reader is not kept out")
    func oneWriter() async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened()])
        let error = #expect(throws: JournalError.self) { try shelf.write() }
        #expect(error?.code == .locked)
        #expect(error?.message.contains("run r on h (pid 1)") == true)
        #expect(try SQLiteJournal.open(shelf.location, mode: .read).entries(of: "r").count == 1)
        journal.close()
        _ = try shelf.write()
    }

    @Test("a file that is no journal, a cut one, or one of a newer version is refused, never a trap")
    func foreignFiles() async throws {
        let shelf = try Shelf()
        try Data("not a database, but long enough to be taken for one".utf8).write(
            to: URL(fileURLWithPath: shelf.location.path))
        #expect(throws: JournalError.self) { try shelf.write() }

        let newer = try Shelf()
        newer.location.path.withCString { _ in }
        try newer.write().close()
        let queue = try DatabaseQueue(path: newer.location.path)
        try await queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 99") }
        try queue.close()
        #expect(await newer.code { _ = try newer.write() } == .wrongVersion)

        let cut = try Shelf()
        let journal = try cut.write()
        try await journal.append([Shelf.opened()] + (1...200).map { Shelf.numbered($0) })
        journal.close()
        truncate(cut.location.path, 5000)
        #expect(throws: JournalError.self) {
            try SQLiteJournal.open(cut.location, mode: .read).entries(of: "r")
        }
    }

    @Test("a folder that cannot be written is told, with the path")
    func unwritable() throws {
        let error = #expect(throws: JournalError.self) {
            try SQLiteJournal.open(JournalLocation(path: "/proc/flatbook/journal.sqlite"), mode: .write(Shelf.holder))
        }
        #expect(error?.message.contains("/proc/flatbook") == true)
    }

    @Test("two runs in one journal keep their own chains")
    func twoRuns() async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened("a"), Shelf.opened("b")])
        try await journal.append([Shelf.numbered(1, run: "b"), Shelf.numbered(2, run: "a")])
        #expect(try journal.entries(of: "a").count == 2)
        #expect(try journal.entries(of: "b").count == 2)
        #expect(try journal.head(of: "a") != journal.head(of: "b"))
    }

    @Test("what was acknowledged survives SIGKILL", arguments: [1, 7, 40])
    func survivesKill(appends: Int) async throws {
        let shelf = try Shelf()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = shelf.location.path as String, appends] in
            let journal = try SQLiteJournal.open(JournalLocation(path: path), mode: .write(Shelf.holder))
            try await journal.append([Shelf.opened()])
            for number in 1...appends { try await journal.append([Shelf.numbered(number)]) }
            kill(getpid(), SIGKILL)
        }
        let journal = try shelf.write()
        #expect(try journal.entries(of: "r").count == appends + 1)
        try await journal.append([Shelf.closed])
    }
}
