import FlatbookCore
import Foundation
import GRDB
import Glibc
import Testing

@testable import FlatbookJournal

@Suite("The SQLite journal at its edges")
struct JournalGapTests {
    private func error(_ body: () throws -> Void) -> JournalError? {
        do {
            try body()
            return nil
        } catch {
            return error as? JournalError
        }
    }

    @Test(
        "both kinds of connection use every setting that durability rests on",
        arguments: [
            ("journal_mode", "wal"), ("synchronous", "2"), ("locking_mode", "normal"), ("trusted_schema", "0"),
            ("foreign_keys", "1"), ("busy_timeout", "5000"), ("mmap_size", "0"),
        ])
    func everySetting(name: String, value: String) throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        #expect(try journal.settings()[name] == value)
        let reader = try SQLiteJournal.open(shelf.location, mode: .read)
        #expect(try reader.settings()[name] == value)
    }

    @Test("each changed entry is named by its own number, not by the path", arguments: [1, 2, 3])
    func namesEntry(seq: Int) async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened(), Shelf.numbered(1), Shelf.numbered(2)])
        journal.close()
        try shelf.tamper("UPDATE event SET body = CAST(body AS TEXT) || ' ' WHERE seq = \(seq)".blob)
        let found = error { _ = try SQLiteJournal.open(shelf.location, mode: .read).entries(of: "r") }
        #expect(found?.code == .corrupt)
        #expect(found?.message.contains("entry \(seq) of run r ") == true)
    }

    @Test(
        "a column that disagrees with its body is found",
        arguments: [
            "UPDATE event SET epoch = 7 WHERE seq = 2", "UPDATE event SET kind = 'closed' WHERE seq = 2",
            "UPDATE event SET t_wall = 0 WHERE seq = 2", "UPDATE event SET account = 'x' WHERE seq = 2",
            "UPDATE event SET run = 'q' WHERE seq = 2", "UPDATE run SET entries = 2", "UPDATE epoch SET epoch = 9",
            "DELETE FROM event WHERE seq = 3",
        ])
    func columns(sql: String) async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened(), Shelf.numbered(1), Shelf.numbered(2)])
        journal.close()
        try shelf.tamper(sql)
        let found = error { _ = try SQLiteJournal.open(shelf.location, mode: .read).entries(of: "r") }
        #expect(found?.code == .corrupt)
    }

    @Test("a resumed run goes on in the same chain under a higher epoch and is open again")
    func resumed() async throws {
        let shelf = try Shelf()
        let first = try shelf.write()
        try await first.append([Shelf.opened(), Shelf.closed])
        #expect(try first.runs().first?.isClosed == true)
        first.close()
        let second = try shelf.write()
        let holder = RunHolder(host: "g", pid: 2, bootID: "c", version: "v")
        try await second.append([Shelf.entry(.resumed(holder), epoch: 2)])
        let open = try #require(try second.runs().first)
        #expect(!open.isClosed && open.exitCode == nil && open.lastEpoch == 2)
        try await second.append([Shelf.numbered(1, epoch: 2)])
        #expect(try second.entries(of: "r").map(\.epoch) == [1, 1, 2, 2])
        #expect(await shelf.code { try await second.append([Shelf.numbered(2, epoch: 1)]) } == .fenced)
    }

    @Test("every entry of a fenced request stays out, and its neighbours' stay in")
    func fencedWhole() async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened(), Shelf.numbered(1, epoch: 3)])
        let mixed = [Shelf.numbered(2, epoch: 3), Shelf.numbered(3, epoch: 2)]
        #expect(await shelf.code { try await journal.append(mixed) } == .fenced)
        journal.close()
        #expect(try SQLiteJournal.open(shelf.location, mode: .read).entries(of: "r").count == 2)
    }

    @Test("an entry of a run that was never opened is refused")
    func unopened() async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        #expect(await shelf.code { try await journal.append([Shelf.numbered(1)]) } == .corrupt)
        #expect(try journal.runs().isEmpty)
    }

    @Test("a reader sees only whole requests, never fewer than before, while a writer appends")
    func readerWhileWriting() async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened()])
        let reader = try SQLiteJournal.open(shelf.location, mode: .read)
        var last = 1
        for number in 1...100 {
            async let written: Void = journal.append([Shelf.numbered(2 * number), Shelf.numbered(2 * number + 1)])
            let seen = try reader.entries(of: "r").count
            #expect(seen >= last && seen % 2 == 1)
            last = seen
            try await written
        }
        #expect(try reader.entries(of: "r").count == 201)
        #expect(await shelf.code { try await reader.append([Shelf.numbered(1)]) } == .readOnly)
    }

    @Test("a full disk loses none of what was acknowledged, entry by entry")
    func diskFullKeeps() async throws {
        let shelf = try Shelf()
        let journal = try shelf.write { $0.maximumPages = 40 }
        var acknowledged = [Shelf.opened()]
        try await journal.append(acknowledged)
        var failure: JournalError.Code?
        for number in 1...5000 where failure == nil {
            failure = await shelf.code { try await journal.append([Shelf.numbered(number)]) }
            if failure == nil { acknowledged.append(Shelf.numbered(number)) }
        }
        #expect(failure == .diskFull)
        let reserve = shelf.location.reservePath
        #expect(access(reserve, F_OK) == 0)
        try await journal.appendLast([Shelf.closed])
        #expect(access(reserve, F_OK) != 0)
        #expect(await shelf.code { try await journal.append([Shelf.numbered(0)]) } == .diskFull)
        journal.close()
        let again = try shelf.write()
        #expect(try again.entries(of: "r") == acknowledged + [Shelf.closed])
        #expect(try again.runs().first?.isClosed == true)
    }

    @Test("bytes that are no database are called damaged", arguments: [100, 4096, 70_000])
    func garbage(size: Int) throws {
        let shelf = try Shelf()
        try Data(repeating: 0x5A, count: size).write(to: URL(fileURLWithPath: shelf.location.path))
        #expect(error { _ = try shelf.write() }?.code == .corrupt)
        #expect(error { _ = try SQLiteJournal.open(shelf.location, mode: .read) }?.code == .corrupt)
    }

    @Test("a file cut anywhere is an error, not a trap", arguments: [1, 99, 100, 4096, 5000, 12_288, 20_000])
    func cut(size: Int) async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened()] + (1...200).map { Shelf.numbered($0) })
        journal.close()
        #expect(truncate(shelf.location.path, off_t(size)) == 0)
        let found = error { _ = try SQLiteJournal.open(shelf.location, mode: .read).entries(of: "r") }
        #expect(found != nil)
        #expect(found?.message.contains(shelf.location.path) == true)
    }

    @Test("a missing journal, an empty file and another program's database are refused with the reason")
    func notOurs() throws {
        let shelf = try Shelf()
        #expect(error { _ = try SQLiteJournal.open(shelf.location, mode: .read) }?.code == .cannotOpen)
        #expect(access(shelf.location.path, F_OK) != 0)
        let other = try Shelf()
        let queue = try DatabaseQueue(path: other.location.path)
        try queue.write { try $0.execute(sql: "CREATE TABLE mine(x)") }
        try queue.close()
        #expect(error { _ = try other.write() }?.code == .wrongVersion)
        #expect(error { _ = try SQLiteJournal.open(other.location, mode: .read) }?.code == .wrongVersion)
    }

    @Test("a link in the journal's place is refused")
    func link() throws {
        let shelf = try Shelf()
        #expect(symlink("/etc/hostname", shelf.location.path) == 0)
        #expect(error { _ = try shelf.write() }?.code == .cannotOpen)
    }

    @Test("a folder that its user may only read is named, to write and to read alike")
    func readOnlyFolder() async throws {
        let shelf = try Shelf()
        let journal = try shelf.write()
        try await journal.append([Shelf.opened()])
        journal.close()
        for name in try FileManager.default.contentsOfDirectory(atPath: shelf.path) + ["."] {
            chown(shelf.path + "/" + name, 65534, 65534)
        }
        chmod(shelf.path, 0o555)
        defer { chmod(shelf.path, 0o755) }
        unlink(shelf.location.lockPath)
        await #expect(processExitsWith: .exitCode(11)) { [path = shelf.location.path as String] in
            if getuid() == 0, setgid(65534) != 0 || setuid(65534) != 0 { exit(3) }
            var code: Int32 = 0
            do {
                _ = try SQLiteJournal.open(JournalLocation(path: path), mode: .write(Shelf.holder))
            } catch let error as JournalError {
                print("WRITE", error.code, error.message)
                code += error.message.contains(path) ? 1 : 0
            } catch {}
            do {
                // SQLite needs to make the -shm file even to read a log-mode database.
                _ = try SQLiteJournal.open(JournalLocation(path: path), mode: .read).entries(of: "r")
            } catch let error as JournalError {
                print("READ", error.code, error.message)
                code += error.code == .readOnly && error.message.contains(path) ? 10 : 0
            } catch {}
            exit(code)
        }
    }

    @Test("what was acknowledged to many callers survives a SIGKILL in the middle")
    func killedInTheMiddle() async throws {
        let shelf = try Shelf()
        let list = shelf.path + "/acknowledged"
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = shelf.location.path as String, list = list as String] in
            let journal = try SQLiteJournal.open(JournalLocation(path: path), mode: .write(Shelf.holder))
            try await journal.append([Shelf.opened()])
            let file = open(list, O_WRONLY | O_CREAT | O_APPEND, 0o600)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for lane in 0..<16 {
                    group.addTask {
                        for number in 0..<1000 {
                            let name = "n\(lane * 1000 + number)"
                            try await journal.append([Shelf.entry(.interrupted(signal: name))])
                            let line = Array((name + "\n").utf8)
                            _ = write(file, line, line.count)
                            if lane == 7, number == 40 { kill(getpid(), SIGKILL) }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        let acknowledged = try String(contentsOfFile: list, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(acknowledged.count >= 41)
        let journal = try shelf.write()
        let stored = Set(
            try journal.entries(of: "r").compactMap { entry -> String? in
                if case .interrupted(let name) = entry.event { name } else { nil }
            })
        #expect(Set(acknowledged).isSubset(of: stored))
    }
}

extension String {
    /// The same statement, its new body stored as a blob.
    fileprivate var blob: String {
        replacingOccurrences(of: "CAST(body AS TEXT) || ' '", with: "CAST(CAST(body AS TEXT) || ' ' AS BLOB)")
    }
}
