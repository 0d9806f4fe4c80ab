import FlatbookCore
import Foundation
import GRDB
import Glibc
import Synchronization
import Testing

@testable import FlatbookJournal

/// The disk, the file and the library fail in every way of `reliability.md` §5, F27–F33: stop, say so, lose nothing.
@Suite("The journal on a bad disk")
struct JournalDiskTests {
    private func error(_ body: () throws -> Void) -> JournalError? {
        do {
            try body()
            return nil
        } catch {
            return error as? JournalError
        }
    }

    private func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

    /// A journal as SIGKILL leaves it: its log not yet in the database.
    private func crashed(_ shelf: Shelf, entries: Int) async throws -> (database: [UInt8], log: [UInt8]) {
        let journal = try shelf.write()
        try await journal.append([Shelf.opened()])
        for number in 1...entries { try await journal.append([Shelf.numbered(number)]) }
        let image = (try bytes(shelf.location.path), try bytes(shelf.location.path + "-wal"))
        journal.close()
        return image
    }

    private func place(_ shelf: Shelf, _ image: (database: [UInt8], log: [UInt8])) throws {
        unlink(shelf.location.path + "-shm")
        // In place, so that it is the same file.
        for (path, bytes) in [(shelf.location.path, image.database), (shelf.location.path + "-wal", image.log)] {
            let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            defer { close(file) }
            #expect(write(file, bytes, bytes.count) == bytes.count)
        }
    }

    // MARK: F27, F28: torn and damaged

    @Test("a last commit that is torn anywhere is forgotten whole, and every earlier one is kept")
    func tornLast() async throws {
        let shelf = try Shelf()
        let image = try await crashed(shelf, entries: 4)
        let frame = 24 + 4096
        // The last commit's frames, cut at each 512 bytes.
        for cut in stride(from: image.log.count - frame, to: image.log.count, by: 512) {
            try place(shelf, (image.database, Array(image.log.prefix(cut))))
            let journal = try shelf.write()
            let entries = try journal.entries(of: "r")
            #expect(entries == [Shelf.opened()] + (1...3).map { Shelf.numbered($0) }, "cut at \(cut)")
            try await journal.append([Shelf.numbered(99)])
            journal.close()
        }
    }

    @Test("a flipped bit in an earlier commit of the log is no torn end: the journal is refused", arguments: 0..<12)
    func flippedLog(step: Int) async throws {
        let shelf = try Shelf()
        let image = try await crashed(shelf, entries: 6)
        var log = image.log
        // Anywhere in the first half: at least two acknowledged commits lie behind.
        log[step * log.count / 24] ^= 0x10
        try place(shelf, (image.database, log))
        let found = error { _ = try shelf.write() }
        #expect(found?.code == .corrupt, "byte \(step * log.count / 24)")
        #expect(found?.message.contains("-wal") == true)
    }

    @Test("a log of several commits without damage has lost none, cut anywhere at most one")
    func commitsLost() async throws {
        let shelf = try Shelf()
        let image = try await crashed(shelf, entries: 5)
        #expect(WALFile(bytes: image.log).commitsLost() == 0)
        for cut in stride(from: 0, through: image.log.count, by: 997) {
            #expect(WALFile(bytes: Array(image.log.prefix(cut))).commitsLost() == 0)
        }
        var torn = image.log
        torn[torn.count - 5] ^= 1
        #expect(WALFile(bytes: torn).commitsLost() == 1)
    }

    @Test("a flipped bit in the database is found before anything is appended", arguments: 0..<16)
    func flippedDatabase(step: Int) async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened()] + (1...120).map { Shelf.numbered($0) })
        journal.close()
        var file = try bytes(shelf.location.path)
        let offset = 4096 + step * (file.count - 4096) / 16 + 1500
        file[offset] ^= 0x04
        try place(shelf, (file, []))
        var opened: [JournalEntry]?
        let found = error { opened = try shelf.write().entries(of: "r") }
        // Free space of a page holds nothing; everywhere else it is told.
        if let opened {
            #expect(opened.count == 121)
        } else {
            #expect(found?.code == .corrupt, "\(String(describing: found))")
        }
    }

    @Test("a database cut short is refused for writing", arguments: [1, 2, 3, 5])
    func truncated(pages: Int) async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened()] + (1...200).map { Shelf.numbered($0) })
        journal.close()
        #expect(truncate(shelf.location.path, off_t(pages * 4096)) == 0)
        #expect(error { _ = try shelf.write() }?.code == .corrupt)
    }

    // MARK: F29, F30: full, and errors of fsync

    @Test("an error of fsync is final: nothing is retried on this handle, and what was acknowledged is there")
    func fsyncFails() async throws {
        let shelf = try Shelf()
        let journal = try shelf.write { options in
            options.beforeCommit = { if $0 == 3 { throw DatabaseError(resultCode: .SQLITE_IOERR_FSYNC) } }
        }
        try await journal.append([Shelf.opened()])
        try await journal.append([Shelf.numbered(1)])
        #expect(await shelf.code { try await journal.append([Shelf.numbered(2)]) } == .inputOutput)
        #expect(await shelf.code { try await journal.append([Shelf.numbered(3)]) } == .inputOutput)
        // Only a full disk gets better by itself.
        #expect(await shelf.code { try await journal.appendLast([Shelf.closed]) } == .inputOutput)
        journal.close()
        let again = try shelf.write()
        #expect(try again.entries(of: "r") == [Shelf.opened(), Shelf.numbered(1)])
    }

    @Test("the reserve is made at the start, given up for the last entries, and made again")
    func reserve() async throws {
        let shelf = try Shelf()
        let journal = try shelf.write { options in
            options.beforeCommit = { if $0 == 2 { throw DatabaseError(resultCode: .SQLITE_FULL) } }
        }
        var status = stat()
        #expect(stat(shelf.location.reservePath, &status) == 0 && status.st_blocks * 512 >= 64 << 10)
        try await journal.append([Shelf.opened()])
        #expect(await shelf.code { try await journal.append([Shelf.numbered(1)]) } == .diskFull)
        try await journal.appendLast([Shelf.numbered(1), Shelf.closed])
        #expect(access(shelf.location.reservePath, F_OK) != 0)
        journal.close()
        let again = try shelf.write()
        #expect(access(shelf.location.reservePath, F_OK) == 0)
        #expect(try again.entries(of: "r") == [Shelf.opened(), Shelf.numbered(1), Shelf.closed])
    }

    @Test("a run that the disk has no room for is refused at the start")
    func space() throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try journal.requireSpace(accounts: 10)
        let found = error { try journal.requireSpace(accounts: 1 << 40) }
        #expect(found?.code == .diskFull && found?.message.contains("MiB") == true)
    }

    // MARK: F31: not ours

    @Test("a journal of another user is refused with both numbers", .enabled(if: geteuid() == 0, "needs root"))
    func foreignOwner() async throws {
        let shelf = try Shelf()
        try shelf.write().close()
        chown(shelf.location.path, 65534, 65534)
        let found = error { _ = try shelf.write() }
        #expect(found?.code == .cannotOpen && found?.message.contains("65534") == true)
    }

    @Test("a folder, a pipe or a socket in its place is refused", arguments: ["folder", "pipe"])
    func notRegular(kind: String) throws {
        let shelf = try Shelf()
        #expect((kind == "folder" ? mkdir(shelf.location.path, 0o700) : mkfifo(shelf.location.path, 0o600)) == 0)
        #expect(error { _ = try shelf.write() }?.code == .cannotOpen)
    }

    // MARK: F32, F33

    @Test("a database that another program has locked is refused, naming the file, and nothing is lost")
    func lockedByAnother() async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened()])
        journal.close()
        var unguarded = Configuration()
        unguarded.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: shelf.location.path, configuration: unguarded)
        try await other.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN EXCLUSIVE")
        }
        let found = error { _ = try shelf.write() }
        #expect(found?.code == .locked && found?.message.contains(shelf.location.path) == true)
        try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        try other.close()
        #expect(try shelf.write().entries(of: "r") == [Shelf.opened()])
    }

    @Test(
        "libraries without STRICT tables are refused, and those with the WAL-reset bug are used with one connection",
        arguments: [
            ("3.36.0", false), ("3.8.11.1", false), ("", false), ("abc", false), ("3.37.0", true), ("3.40.1", true),
            ("3.51.3", true), ("4.0", true),
        ])
    func library(version: String, isFine: Bool) throws {
        #expect((SQLiteVersion.refusal(version) == nil) == isFine)
        let shelf = try Shelf()
        let found = error { _ = try shelf.write { $0.libraryVersion = version } }
        #expect((found == nil) == isFine)
        let hasBug = ["3.36.0", "3.8.11.1", "3.37.0", "3.40.1"].contains(version)
        if let version = SQLiteVersion(version) { #expect((version < .withoutWALReset) == hasBug) }
    }

    // MARK: Copies

    @Test("a copied journal's unfinished runs are not continued, its new ones are; the original is untouched")
    func copied() async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened(), Shelf.numbered(1)])
        #expect(try journal.isAtHome("r"))
        journal.close()
        let elsewhere = try Shelf()
        try FileManager.default.copyItem(atPath: shelf.location.path, toPath: elsewhere.location.path)
        let copy = try elsewhere.write()
        #expect(try !copy.isAtHome("r"))
        try await copy.append([Shelf.opened("q")])
        #expect(try copy.isAtHome("q"))
        copy.close()
        let again = try elsewhere.write()
        let homes = (try again.isAtHome("r"), try again.isAtHome("q"))
        #expect(homes == (false, true))
        #expect(try shelf.write().isAtHome("r"))
    }

    @Test("a moved journal counts as a copy, and a restored one too")
    func moved() async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened()])
        journal.close()
        let data = try Data(contentsOf: URL(fileURLWithPath: shelf.location.path))
        #expect(rename(shelf.location.path, shelf.path + "/old.sqlite") == 0)
        try data.write(to: URL(fileURLWithPath: shelf.location.path))
        #expect(try !shelf.write().isAtHome("r"))
    }

    // MARK: F74: versions

    /// Written by the binary of the first version: one finished run, one that was killed with a close on its way.
    private func fixture(_ shelf: Shelf) throws {
        let source = try #require(
            Bundle.module.url(forResource: "journal-v1", withExtension: "sqlite", subdirectory: "Fixtures"))
        try FileManager.default.copyItem(atPath: source.path, toPath: shelf.location.path)
    }

    @Test("a journal of version 1 is read as it is and brought up by a writer, entry by entry the same")
    func olderVersion() async throws {
        let shelf = try Shelf()
        try fixture(shelf)
        let before = try bytes(shelf.location.path)
        let reader = try SQLiteJournal.open(shelf.location, mode: .read)
        let names = try reader.runs().map(\.id)
        #expect(names.count == 2)
        let read = try names.map { try reader.entries(of: $0) }
        #expect(try names.allSatisfy { try reader.isAtHome($0) })
        #expect(try bytes(shelf.location.path) == before)
        let writer = try shelf.write()
        #expect(try names.map { try writer.entries(of: $0) } == read)
        #expect(try names.allSatisfy { try writer.isAtHome($0) })
        writer.close()
        let machines = try read.map { try RunMachine(folding: $0) }
        #expect(machines.map { $0.closing == nil } == [true, false])
        #expect(machines[0].calls.values.map(\.stage) == [.intended])
        let version = try await DatabaseQueue(path: shelf.location.path).read {
            try Int.fetchOne($0, sql: "PRAGMA user_version")
        }
        #expect(version == Schema.version)
    }

    @Test("a journal of a newer version stays as it is, for a reader and for a writer")
    func newerVersion() async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened()])
        journal.close()
        try shelf.tamper("PRAGMA user_version = \(Schema.version + 1)")
        #expect(error { _ = try SQLiteJournal.open(shelf.location, mode: .read) }?.code == .wrongVersion)
        #expect(error { _ = try shelf.write() }?.code == .wrongVersion)
        try shelf.tamper("PRAGMA user_version = \(Schema.version)")
        #expect(try shelf.write().entries(of: "r") == [Shelf.opened()])
    }
}
