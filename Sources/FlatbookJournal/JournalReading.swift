package import FlatbookCore
import Foundation
import GRDB

extension SQLiteJournal {
    package func runs() throws(JournalError) -> [RunSummary] {
        try read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT run.id, run.last_at, run.status, run.exit_code, epoch.epoch, event.body
                    FROM run JOIN epoch ON epoch.run = run.id JOIN event ON event.seq = run.first_seq
                    ORDER BY run.first_seq DESC
                    """)
            return try rows.map { row in
                // By place, and as whatever it is: in a damaged file columns have other names and other types, and the
                // subscripts by name and type would end the process.
                guard let id = String.fromDatabaseValue(row[0]), let body = Data.fromDatabaseValue(row[5]),
                    let last = Int64.fromDatabaseValue(row[1]), let epoch = Int.fromDatabaseValue(row[4]),
                    (0..<Int.max / 2).contains(epoch)
                else { throw damaged("the list of runs cannot be read") }
                guard let entry = try? JSONDecoder().decode(JournalEntry.self, from: body),
                    case .opened(let header) = entry.event
                else { throw damaged("the head of run \(id) cannot be read") }
                return RunSummary(
                    id: id, plans: header.plans.map(\.name), environment: header.environment,
                    startedAt: header.startedWall, lastEntryAt: WallTime(milliseconds: last),
                    accounts: header.accounts.count, status: String.fromDatabaseValue(row[2]),
                    exitCode: Int.fromDatabaseValue(row[3]), lastEpoch: epoch)
            }
        }
    }

    package func entries(of run: String) throws(JournalError) -> [JournalEntry] {
        try read { db in try verified(run, db).entries }
    }

    package func head(of run: String) throws(JournalError) -> String {
        try read { db in
            guard let row = try Row.fetchOne(db, sql: "SELECT head FROM run WHERE id = ?", arguments: [run]) else {
                throw missing(run)
            }
            guard let head = Data.fromDatabaseValue(row[0]) else {
                throw damaged("the head of run \(run) cannot be read")
            }
            return Chain.text(Array(head))
        }
    }

    private func verified(_ run: String, _ db: Database) throws -> (entries: [JournalEntry], head: [UInt8]) {
        guard
            let summary = try Row.fetchOne(
                db,
                sql: """
                    SELECT run.entries, run.head, epoch.epoch FROM run JOIN epoch ON epoch.run = run.id WHERE run.id = ?
                    """,
                arguments: [run])
        else { throw missing(run) }
        var head = Chain.genesis(of: run)
        var (entries, epoch): ([JournalEntry], Int) = ([], 0)
        let decoder = JSONDecoder()
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT seq, body, prev, hash, epoch, kind, account, call, t_mono, t_wall FROM event
                WHERE run = ? ORDER BY seq
                """, arguments: [run])
        while let row = try rows.next() {
            guard let seq = Int64.fromDatabaseValue(row[0]), let body = Data.fromDatabaseValue(row[1]),
                let previous = Data.fromDatabaseValue(row[2]), let stored = Data.fromDatabaseValue(row[3])
            else { throw damaged("an entry of run \(run) has a column of another type") }
            let hash = Chain.hash(previous: head, seq: seq, body: body)
            guard Array(previous) == head, Array(stored) == hash else {
                throw damaged("entry \(seq) of run \(run) does not continue the chain")
            }
            guard let entry = try? decoder.decode(JournalEntry.self, from: body) else {
                throw damaged("entry \(seq) of run \(run) cannot be read")
            }
            let columns = entry.event.columns
            guard entry.run == run, Int.fromDatabaseValue(row[4]) == entry.epoch, entry.epoch >= epoch,
                String.fromDatabaseValue(row[5]) == columns.kind,
                String.fromDatabaseValue(row[6]) == columns.account,
                String.fromDatabaseValue(row[7]) == columns.call,
                Int64.fromDatabaseValue(row[8]) == entry.at.nanoseconds,
                Int64.fromDatabaseValue(row[9]) == entry.wall.milliseconds
            else { throw damaged("entry \(seq) of run \(run) differs from its columns") }
            (head, epoch) = (hash, entry.epoch)
            entries.append(entry)
        }
        let count = Int.fromDatabaseValue(summary[0])
        guard Data.fromDatabaseValue(summary[1]).map(Array.init) == head, count == entries.count,
            Int.fromDatabaseValue(summary[2]) == epoch
        else {
            throw damaged("run \(run) should end with entry \(count.map(String.init) ?? "?"), found \(entries.count)")
        }
        try checkDensity(db)
        return (entries, head)
    }

    /// Entries of all runs number 1, 2, 3, …: a missing one was removed.
    private func checkDensity(_ db: Database) throws {
        let gap = try Int64.fetchOne(
            db,
            sql: """
                SELECT position FROM (SELECT seq, row_number() OVER (ORDER BY seq) AS position FROM event)
                WHERE seq <> position ORDER BY seq LIMIT 1
                """)
        if let gap { throw damaged("entry \(gap) is missing") }
    }

    private func damaged(_ what: String) -> JournalError {
        JournalError(
            .corrupt,
            "\(location.path): \(what). Keep the file for examination; check positions with a dry run on a new --journal."
        )
    }

    private func missing(_ run: String) -> JournalError {
        JournalError(.cannotOpen, "\(location.path) has no run \(run). List its runs with flatbook runs.")
    }
}
