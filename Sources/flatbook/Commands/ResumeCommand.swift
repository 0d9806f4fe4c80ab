import ArgumentParser
import FlatbookConfiguration
import FlatbookCore
import FlatbookExecutor
import FlatbookJournal

struct ResumeCommand: ParsableCommand, ExecutableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Finish an interrupted run; one that is too old is only read, reported and closed.")

    @Argument(help: "The run; default: the newest unfinished one.")
    var run: String?

    @Option(name: .long, help: "A run whose last entry is older is only reconciled, e.g. 15m.")
    var maxAge = "15m"

    @OptionGroup var options: CommonOptions

    func execute() async throws -> Int32 {
        let asJSON = try options.tableOrJSON()
        guard let age = duration(maxAge) else { throw ValidationError("--max-age is \"\(maxAge)\"; write 90s or 15m.") }
        return try await Taking(options: options).take(run, age: age, onlyReconcile: false, asJSON: asJSON)
    }

    /// `90s`, `15m`, `1h`.
    private func duration(_ text: String) -> TimeSpan? {
        guard let unit = text.last, let number = Int(text.dropLast()), number >= 0, number <= 1_000_000 else {
            return nil
        }
        switch unit {
        case "s": return .seconds(number)
        case "m": return .seconds(number * 60)
        case "h": return .seconds(number * 3600)
        default: return nil
        }
    }
}

struct AbandonCommand: ParsableCommand, ExecutableCommand {
    static let configuration = CommandConfiguration(
        commandName: "abandon", abstract: "Read what an unfinished run left open, report it and close the run.")

    @Argument(help: "The run.")
    var run: String

    @OptionGroup var options: CommonOptions

    func execute() async throws -> Int32 {
        try await Taking(options: options).take(
            run, age: .zero, onlyReconcile: true, asJSON: try options.tableOrJSON())
    }
}

/// Takes over a run of another process.
struct Taking {
    let options: CommonOptions
    let clock = SystemRunClock()

    func take(_ name: String?, age: TimeSpan, onlyReconcile: Bool, asJSON: Bool) async throws -> Int32 {
        let access = JournalAccess(options: options)
        _ = try access.openForReading()
        let journal = try await access.openForWriting(
            run: name ?? "resume", until: clock.now().instant + .seconds(10))
        let history = RunHistory(journal)
        let summary: RunSummary
        if let name {
            summary = try history.find(name)
            guard !summary.isClosed else {
                throw CommandFailure(
                    64, "run \(summary.id) has ended: \(summary.status ?? ""); there is nothing to resume")
            }
        } else {
            guard let newest = try history.summaries().first(where: { !$0.isClosed }) else {
                throw CommandFailure(64, "there is no unfinished run")
            }
            summary = newest
        }
        let machine = try history.machine(of: summary.id)
        guard let header = machine.header else { throw CommandFailure(1, "run \(summary.id) has no head") }
        let now = clock.now()
        // In one boot the boot clock counts, whatever was done to the wall clock since.
        let boot = RunLauncher.holder.bootID
        let idle =
            machine.bootID == boot
            ? now.instant - machine.lastEntryAt
            : .milliseconds(now.wall.milliseconds - summary.lastEntryAt.milliseconds)
        let deadline = RunMachine.deadline(of: header, bootID: boot, at: now)
        let isAtHome = try isAtHome(summary.id, journal)
        let isFresh = idle <= age && now.instant < deadline && !onlyReconcile && isAtHome
        if !isAtHome, !onlyReconcile {
            Output.note(
                "this journal was copied, moved or restored after run \(summary.id) began, and may lack what happened "
                    + "since: the run is read and closed")
        } else if !isFresh, !onlyReconcile {
            Output.note(
                "run \(summary.id) is too old to go on (last entry \(summary.lastEntryAt.rfc3339)): it is read and closed"
            )
        }
        let workspace = try await workspace(header)
        let launcher = try RunLauncher(options: options, workspace: workspace)
        let (end, engine) = try await Reconciling(launcher: launcher, journal: journal)
            .finish(summary, mode: isFresh ? .run : .reconcile, machine: machine)
        let code = try await RunEnding(options: options, journal: journal, clock: clock)
            .tell(end, run: summary.id, engine: engine, asJSON: asJSON)
        journal.close()
        return code
    }

    private func isAtHome(_ run: String, _ journal: SQLiteJournal) throws -> Bool {
        do { return try journal.isAtHome(run) } catch { throw JournalAccess.failure(error) }
    }

    /// The run goes by its journaled plans and accounts; only credentials come from the files of now.
    private func workspace(_ header: RunHeader) async throws -> Workspace {
        let current = Dictionary(
            try Workspace.allAccounts(options).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let selected = header.accounts.map { listed -> (account: Account, plan: Int) in
            var account = listed.account
            account.credentials = current[account.name]?.credentials ?? account.credentials
            return (account, listed.plan)
        }
        return try await Workspace.resolve(plans: header.plans, selected: selected, options: options)
    }
}
