import FlatbookCore
import FlatbookJournal

/// Runs as the journal tells them.
struct RunHistory {
    let journal: SQLiteJournal

    init(_ journal: SQLiteJournal) { self.journal = journal }

    func summaries() throws -> [RunSummary] {
        do { return try journal.runs() } catch { throw JournalAccess.failure(error) }
    }

    /// The one run of that id, or of an unambiguous part of it.
    func find(_ text: String) throws -> RunSummary {
        let all = try summaries()
        if let exact = all.first(where: { $0.id == text }) { return exact }
        let matching = all.filter { $0.id.contains(text) }
        if matching.count == 1, let only = matching.first { return only }
        throw CommandFailure(
            64,
            matching.isEmpty
                ? "there is no run \"\(text)\" in this journal; `flatbook runs` lists them"
                : "\"\(text)\" fits \(matching.count) runs; name one of them wholly")
    }

    func machine(of run: String) throws -> RunMachine {
        let id = try find(run).id
        do {
            return try RunMachine(folding: try journal.entries(of: id))
        } catch let error as JournalError {
            throw JournalAccess.failure(error)
        } catch {
            throw CommandFailure(1, "run \(id) cannot be folded: \(error)")
        }
    }

    func report(of run: String) throws -> RunReport {
        let id = try find(run).id
        let machine = try machine(of: id)
        do {
            guard let report = ReportBuilder(machine, journalHead: try journal.head(of: id)).report() else {
                throw CommandFailure(1, "run \(id) has no head")
            }
            return report
        } catch let error as JournalError {
            throw JournalAccess.failure(error)
        }
    }
}
