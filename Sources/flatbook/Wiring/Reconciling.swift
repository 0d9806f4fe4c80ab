import FlatbookCore
import FlatbookExecutor
import FlatbookJournal
import Foundation

/// Finishes what earlier processes left: goes on with a run, or only reads what is open and closes it.
struct Reconciling {
    let launcher: RunLauncher
    let journal: SQLiteJournal

    /// A new run reconciles stale runs of its accounts by itself.
    func closeStaleRuns(of accounts: [Account]) async throws {
        let names = Set(accounts.map(\.name))
        let history = RunHistory(journal)
        for summary in try history.summaries() where !summary.isClosed {
            guard let machine = try foldable(summary, history, names) else { continue }
            guard machine.accountOrder.contains(where: names.contains) else { continue }
            Output.note("run \(summary.id) was left unfinished: reading what it left, then closing it")
            let (end, engine) = try await finish(summary, mode: .reconcile, machine: machine)
            switch end {
            case .closed: continue
            case .journalFailed(let error):
                throw await JournalLoss(error: error, engine: engine, journal: journal).tell(run: summary.id)
            case .interrupted(let signal):
                // Whoever stops the command stops the run that it has not begun yet.
                throw CommandFailure(
                    Int32(RunVerdict.exitCode(ofStop: signal)),
                    "interrupted by \(signal) while run \(summary.id) was being read; the new run was not begun and sent "
                        + "nothing")
            case .broken(let violation):
                throw CommandFailure(
                    1, "run \(summary.id), left unfinished, cannot be closed: \(violation). Nothing was sent")
            case .invalid, .refused, .keptOut, .unreachable, .preview:
                // What is wrong with the old run's accounts is no fault of the new one, which checks its own.
                Output.note("warning: run \(summary.id) could not be closed and is left as it is")
            }
        }
    }

    /// A run that cannot be folded stops only those that share an account with it.
    private func foldable(
        _ summary: RunSummary, _ history: RunHistory, _ names: Set<String>
    ) throws -> RunMachine? {
        do {
            return try history.machine(of: summary.id)
        } catch let failure as CommandFailure where failure.exitCode == 1 {
            guard case .opened(let header)? = try journal.entries(of: summary.id).first?.event,
                !header.accounts.contains(where: { names.contains($0.account.name) })
            else { throw failure }
            Output.note("warning: \(failure.message); it shares no account with this plan and is left as it is")
            return nil
        }
    }

    /// - Parameter mode: `run` goes on, `reconcile` only reads.
    func finish(
        _ summary: RunSummary, mode: EngineMode, machine: RunMachine
    ) async throws -> (end: EngineEnd, engine: Engine) {
        guard var header = machine.header else { throw CommandFailure(1, "run \(summary.id) has no head") }
        header.holder = RunLauncher.holder
        let options = launcher.options
        // Nothing was sent yet and nobody agreed yet: the question is still open.
        let mustAsk =
            mode == .run && machine.callOrder.isEmpty && header.isConfirmed != true && !options.isConfirmed
        if mustAsk, isatty(0) != 1 || isatty(2) != 1 {
            throw CommandFailure(13, "run \(summary.id) was not confirmed yet: resume it with --yes; nothing was sent")
        }
        var launcher = launcher
        for name in machine.accountOrder where machine.accounts[name]?.verdict == nil {
            guard launcher.workspace.credentials[name] == nil, launcher.workspace.unusable[name] == nil else {
                continue
            }
            // Another plan's account: without its key there is nothing to wait for.
            launcher.workspace.unusable[name] = AccountVerdict(
                account: name, state: .unknown, reason: "left by run \(summary.id); its key is not at hand now")
        }
        return try await launcher.drive(
            mode: mode, header: header, epoch: summary.lastEpoch + 1, resuming: machine, journal: journal,
            confirm: mustAsk, progress: ProgressPrinter(options))
    }
}
