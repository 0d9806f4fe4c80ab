import FlatbookCore
import Foundation
import GRDB

/// Inserts entries inside one transaction: chain, epochs and the list of runs stay in step with the events.
struct RowWriter {
    private struct Run {
        var epoch: Int
        var head: [UInt8]
        var entries: Int
        var first: Int64
        var opened: Int64
        var last: Int64
        var status: String?
        var exitCode: Int?
    }

    private let db: Database
    private let path: String
    private let statement: Statement
    private var next: Int64
    private var runs: [String: Run] = [:]

    init(_ db: Database, path: String) throws {
        self.db = db
        self.path = path
        let last = try Int64.fetchOne(db, sql: "SELECT max(seq) FROM event") ?? 0
        guard (0..<Int64.max / 2).contains(last) else { throw Self.damaged(path, "its last entry has number \(last)") }
        next = last + 1
        statement = try db.cachedStatement(
            sql: """
                INSERT INTO event(seq, run, epoch, account, call, kind, t_mono, t_wall, body, prev, hash)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
    }

    /// Why a request may not be written, checked before its first row.
    mutating func refusal(of entries: [JournalEntry]) throws -> JournalError? {
        var epochs: [String: Int] = [:]
        for entry in entries {
            let stored = try run(entry.run)
            if stored == nil, epochs[entry.run] == nil {
                guard case .opened = entry.event else {
                    return JournalError(
                        .corrupt, "\(path): run \(entry.run) is not in this journal. Resume it with its own --journal.")
                }
            }
            let epoch = epochs[entry.run] ?? stored?.epoch ?? entry.epoch
            guard entry.epoch >= epoch else {
                return JournalError(
                    .fenced,
                    "\(path): run \(entry.run) was taken over (epoch \(epoch), ours is \(entry.epoch)). "
                        + "This process stops; follow the run where it goes on.")
            }
            epochs[entry.run] = entry.epoch
        }
        return nil
    }

    mutating func insert(_ entry: JournalEntry, body: Data) throws {
        let wall = entry.wall.milliseconds
        var run =
            try run(entry.run)
            ?? Run(
                epoch: entry.epoch, head: Chain.genesis(of: entry.run), entries: 0, first: next, opened: wall,
                last: wall)
        let hash = Chain.hash(previous: run.head, seq: next, body: body)
        let columns = entry.event.columns
        try statement.execute(arguments: [
            next, entry.run, entry.epoch, columns.account, columns.call, columns.kind, entry.at.nanoseconds, wall,
            body, Data(run.head), Data(hash),
        ])
        run.head = hash
        run.epoch = entry.epoch
        run.entries += 1
        run.last = wall
        switch entry.event {
        case .closed(let closing): (run.status, run.exitCode) = (closing.status, closing.exitCode)
        case .resumed: (run.status, run.exitCode) = (nil, nil)
        case .opened, .identified, .learned, .snapshot, .planned, .intent, .outcome, .resolved, .observed, .controlled,
            .legRefused, .legEnded, .penalty, .accountEnded, .executed, .interrupted:
            break
        }
        runs[entry.run] = run
        next += 1
    }

    /// Writes the projections of every run that this transaction touched.
    func finish() throws {
        for (id, run) in runs {
            try db.cachedStatement(sql: "INSERT OR REPLACE INTO epoch(run, epoch) VALUES (?, ?)")
                .execute(arguments: [id, run.epoch])
            try db.cachedStatement(
                sql: """
                    INSERT OR REPLACE INTO run(id, first_seq, opened_at, last_at, entries, head, status, exit_code)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """
            ).execute(arguments: [
                id, run.first, run.opened, run.last, run.entries, Data(run.head), run.status, run.exitCode,
            ])
        }
    }

    private mutating func run(_ id: String) throws -> Run? {
        if let known = runs[id] { return known }
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT epoch.epoch, run.head, run.entries, run.first_seq, run.opened_at, run.last_at, run.status, run.exit_code
                FROM run JOIN epoch ON epoch.run = run.id WHERE run.id = ?
                """, arguments: [id])
        guard let row else { return nil }
        // By place, and as whatever it is: the subscripts by name and type would end the process on a damaged file.
        guard let epoch = Int.fromDatabaseValue(row[0]), let head = Data.fromDatabaseValue(row[1]),
            let entries = Int.fromDatabaseValue(row[2]), let first = Int64.fromDatabaseValue(row[3]),
            let opened = Int64.fromDatabaseValue(row[4]), let last = Int64.fromDatabaseValue(row[5]),
            (0..<Int.max / 2).contains(epoch), (0..<Int.max / 2).contains(entries)
        else { throw Self.damaged(path, "the row of run \(id) cannot be read") }
        let run = Run(
            epoch: epoch, head: Array(head), entries: entries, first: first, opened: opened, last: last,
            status: String.fromDatabaseValue(row[6]), exitCode: Int.fromDatabaseValue(row[7]))
        runs[id] = run
        return run
    }

    private static func damaged(_ path: String, _ what: String) -> JournalError {
        JournalError(
            .corrupt,
            "\(path): \(what). Keep the file for examination; check positions with a dry run on a new --journal.")
    }
}
