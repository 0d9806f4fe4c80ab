package import FlatbookCore
import Foundation
import GRDB

extension SQLiteJournal {
    package func runs() throws(JournalError) -> [RunSummary] {
        try read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT run.id, run.opened_at, run.last_at, run.status, run.exit_code, epoch.epoch, event.body
                    FROM run JOIN epoch ON epoch.run = run.id JOIN event ON event.seq = run.first_seq
                    ORDER BY run.first_seq DESC
                    """)
            return try rows.map { row in
                // A damaged file may hold anything in any column, whatever the table says.
                guard let id = String.fromDatabaseValue(row["id"]), let body = Data.fromDatabaseValue(row["body"]),
                    let last = Int64.fromDatabaseValue(row["last_at"]), let epoch = Int.fromDatabaseValue(row["epoch"])
                else { throw damaged("the list of runs cannot be read") }
                guard let entry = try? JSONDecoder().decode(JournalEntry.self, from: body),
                    case .opened(let header) = entry.event
                else { throw damaged("the head of run \(id) cannot be read") }
                return RunSummary(
                    id: id, plans: header.plans.map(\.name), environment: header.environment,
                    startedAt: header.startedWall, lastEntryAt: WallTime(milliseconds: last),
                    accounts: header.accounts.count, status: String.fromDatabaseValue(row["status"]),
                    exitCode: Int.fromDatabaseValue(row["exit_code"]), lastEpoch: epoch)
            }
        }
    }

    package func entries(of run: String) throws(JournalError) -> [JournalEntry] {
        try read { db in try verified(run, db).entries }
    }

    package func head(of run: String) throws(JournalError) -> String {
        try read { db in
            guard let head = try Data.fetchOne(db, sql: "SELECT head FROM run WHERE id = ?", arguments: [run]) else {
                throw missing(run)
            }
            return Chain.text(Array(head))
        }
    }

    private func verified(_ run: String, _ db: Database) throws -> (entries: [JournalEntry], head: [UInt8]) {
        guard
            let summary = try Row.fetchOne(
                db, sql: "SELECT run.*, epoch.epoch FROM run JOIN epoch ON epoch.run = run.id WHERE id = ?",
                arguments: [run])
        else { throw missing(run) }
        var head = Chain.genesis(of: run)
        var (entries, epoch): ([JournalEntry], Int) = ([], 0)
        let decoder = JSONDecoder()
        let rows = try Row.fetchCursor(
            db, sql: "SELECT * FROM event WHERE run = ? ORDER BY seq", arguments: [run])
        while let row = try rows.next() {
            guard let seq = Int64.fromDatabaseValue(row["seq"]), let body = Data.fromDatabaseValue(row["body"]),
                let previous = Data.fromDatabaseValue(row["prev"]), let stored = Data.fromDatabaseValue(row["hash"])
            else { throw damaged("an entry of run \(run) has a column of another type") }
            let hash = Chain.hash(previous: head, seq: seq, body: body)
            guard Array(previous) == head, Array(stored) == hash else {
                throw damaged("entry \(seq) of run \(run) does not continue the chain")
            }
            guard let entry = try? decoder.decode(JournalEntry.self, from: body) else {
                throw damaged("entry \(seq) of run \(run) cannot be read")
            }
            let columns = entry.event.columns
            guard entry.run == run, Int.fromDatabaseValue(row["epoch"]) == entry.epoch, entry.epoch >= epoch,
                String.fromDatabaseValue(row["kind"]) == columns.kind,
                String.fromDatabaseValue(row["account"]) == columns.account,
                String.fromDatabaseValue(row["call"]) == columns.call,
                Int64.fromDatabaseValue(row["t_mono"]) == entry.at.nanoseconds,
                Int64.fromDatabaseValue(row["t_wall"]) == entry.wall.milliseconds
            else { throw damaged("entry \(seq) of run \(run) differs from its columns") }
            (head, epoch) = (hash, entry.epoch)
            entries.append(entry)
        }
        let count = Int.fromDatabaseValue(summary["entries"])
        guard Data.fromDatabaseValue(summary["head"]).map(Array.init) == head, count == entries.count,
            Int.fromDatabaseValue(summary["epoch"]) == epoch
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
