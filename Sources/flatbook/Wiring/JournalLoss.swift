import FlatbookCore
import FlatbookExecutor
import FlatbookJournal
import FlatbookReporter

/// The journal failed in the middle of a run: the last entries go into the reserve where that helps, and the operator is
/// told what was open.
struct JournalLoss {
    /// Lines that fit a screen.
    private static let mostLines = 20

    let error: JournalError
    let engine: Engine
    let journal: SQLiteJournal

    func tell(run: String) async -> CommandFailure {
        let saved = await save()
        let machine = engine.machine
        var lines: [String] = []
        for name in machine.accountOrder where machine.accounts[name]?.verdict == nil {
            guard let account = machine.accounts[name] else { continue }
            guard account.snapshot != nil else {
                lines.append("\(name): not read yet")
                continue
            }
            let legs = account.openLegs.compactMap { account.legs[$0]?.current }.map { row in
                "\(row.symbol) \(row.key.side.rawValue) \(row.quantity)"
            }
            if !legs.isEmpty { lines.append("\(name): open \(legs.joined(separator: ", "))") }
        }
        for intent in engine.unanswered {
            lines.append(
                "\(intent.mutation.account): \(intent.mutation.operation) \(intent.mutation.target) was sent and not "
                    + "answered")
        }
        Output.note("when the journal failed:")
        for line in lines.prefix(Self.mostLines) { Output.note("  " + printable(line)) }
        if lines.count > Self.mostLines { Output.note("  … and \(lines.count - Self.mostLines) more") }
        if lines.isEmpty { Output.note("  nothing selected was open") }
        Output.note(saved)
        return JournalAccess.failure(error, resuming: run)
    }

    /// Only a full disk gets better by itself: the reserve makes room. After any other error the file is left alone.
    private func save() async -> String {
        guard error.code == .diskFull else { return "the last entries could not be written; `resume` reads instead" }
        guard !engine.unsaved.isEmpty else { return "every entry is in the journal" }
        do throws(JournalError) {
            try await journal.appendLast(engine.unsaved)
            return "the last \(engine.unsaved.count) entries were written into the journal's reserve"
        } catch {
            return "the last entries could not be written: \(error.message)"
        }
    }
}
