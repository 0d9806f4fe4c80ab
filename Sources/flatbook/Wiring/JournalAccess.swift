import FlatbookCore
import FlatbookJournal
import Foundation

/// Opens the journal of the options: for writing it waits for the holder, within a bound, and names it.
struct JournalAccess {
    let options: CommonOptions
    let clock = SystemRunClock()

    func location() throws -> JournalLocation {
        do { return try JournalLocation(parsing: options.journalURL) } catch { throw Self.failure(error) }
    }

    /// One journal has one writer for the whole run; a second run waits for it.
    ///
    /// - Parameter until: when waiting ends with exit 75.
    func openForWriting(run: String, until: Instant) async throws -> SQLiteJournal {
        let location = try location()
        let holder = JournalHolder(
            run: run, pid: Int(getpid()), host: RunLauncher.holder.host, since: clock.now().wall)
        var told = false
        while true {
            do {
                switch try JournalLock.tryLock(location, holder: holder) {
                case .locked(let lock): return try SQLiteJournal(location, lock: lock, options: .init())
                case .held(let other):
                    let who = "\(other)"
                    guard clock.now().instant < until else {
                        throw CommandFailure(
                            75, "the journal \(location.path) is in use by \(who); --journal takes another")
                    }
                    if !told { Output.note("waiting for the journal, which \(who) holds") }
                    told = true
                    await clock.sleep(until: clock.now().instant + .milliseconds(250))
                }
            } catch let error as JournalError {
                throw Self.failure(error)
            }
        }
    }

    /// Beside a running writer.
    func openForReading() throws -> SQLiteJournal {
        let location = try location()
        guard FileManager.default.fileExists(atPath: location.path) else {
            throw CommandFailure(64, "there is no journal at \(location.path); no run was made with it yet")
        }
        do { return try SQLiteJournal.open(location, mode: .read, options: .init()) } catch {
            throw Self.failure(error)
        }
    }

    /// A database that another program locks is 74 too: what waits for another run of flatbook waits for its lock file.
    static func failure(_ error: JournalError, resuming run: String? = nil) -> CommandFailure {
        let next = run.map { ". When the journal can be written again: `flatbook resume \($0)`" } ?? ""
        return CommandFailure(74, "journal: \(error.message) Nothing more was sent\(next)")
    }
}
