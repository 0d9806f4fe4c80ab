import FlatbookCore
import FlatbookExecutor
import FlatbookHost
import FlatbookJournal
import FlatbookReporter
import Foundation

/// `run`: selects, opens the journal, drives the engine, writes the reports and tells the result.
struct Running {
    let request: RunRequest
    var options: CommonOptions { request.options }
    let clock = SystemRunClock()

    init(_ request: RunRequest) { self.request = request }

    func run(asJSON: Bool) async throws -> Int32 {
        let started = clock.now()
        var (plans, selected) = try Workspace.select(
            plans: request.plans, options: options, only: request.only)
        let isTerminal = isatty(0) == 1 && isatty(2) == 1
        guard options.isConfirmed || isTerminal else {
            throw CommandFailure(13, "this is no terminal to ask on: confirm with --yes; nothing was sent")
        }
        let onlyLegs = try request.onlyOpenOf.map { try openLegs(of: $0, selected: &selected) }
        try HaltWatch.refuseStart(Halt(directory: try RunLauncher.hostDirectory()))
        let simulator = try await EmbeddedSimulator.start(for: &selected)
        let workspace = try await Workspace.resolve(plans: plans, selected: selected, options: options)
        plans = workspace.plans
        let launcher = try RunLauncher(options: options, workspace: workspace)
        let header = try launcher.header(
            id: RunLauncher.makeRunID(plans, now: started), onlyLegs: onlyLegs, startedAt: started)
        let access = JournalAccess(options: options)
        let journal = try await access.openForWriting(run: header.id, until: header.deadline)
        do throws(JournalError) {
            try journal.requireSpace(accounts: header.accounts.count)
        } catch {
            throw JournalAccess.failure(error)
        }
        try await Reconciling(launcher: launcher, journal: journal).closeStaleRuns(of: selected.map(\.account))
        let progress = ProgressPrinter(options)
        let (end, engine) = try await launcher.drive(
            mode: .run, header: header, epoch: 1, journal: journal, confirm: !options.isConfirmed,
            allowNoMatch: request.allowNoMatch, progress: progress)
        let code = try await RunEnding(options: options, journal: journal, clock: clock)
            .tell(end, run: header.id, engine: engine, asJSON: asJSON)
        journal.close()
        await simulator?.stop()
        return code
    }

    /// The legs that a run left open; narrows the selection to their accounts.
    private func openLegs(
        of run: String, selected: inout [(account: Account, plan: Int)]
    ) throws -> [String: [LegKey]] {
        let journal = try JournalAccess(options: options).openForReading()
        let machine = try RunHistory(journal).machine(of: run)
        var open: [String: [LegKey]] = [:]
        for name in machine.accountOrder {
            guard let state = machine.accounts[name] else { continue }
            let legs = state.legOrder.filter { key in
                guard let verdict = state.verdict?.legs.first(where: { $0.key == key }) else { return true }
                return verdict.state != .flat && verdict.state != .alreadyFlat
            }
            if !legs.isEmpty { open[name] = legs }
            if state.snapshot == nil, state.listed.account.enabled {
                Output.note("warning: \(name) was never read by run \(run): run its plan to see what it holds")
            }
        }
        guard !open.isEmpty else { throw CommandFailure(64, "run \(run) left no leg open") }
        selected.removeAll { open[$0.account.name] == nil }
        guard !selected.isEmpty else {
            throw CommandFailure(
                78, "the plan selects none of the accounts that run \(run) left open; nothing was sent")
        }
        return open
    }
}

/// What every end of an engine says, and its exit code.
struct RunEnding {
    let options: CommonOptions
    let journal: SQLiteJournal
    let clock: SystemRunClock

    func tell(_ end: EngineEnd, run: String, engine: Engine, asJSON: Bool) async throws -> Int32 {
        switch end {
        case .closed(let verdict):
            try report(run, asJSON: asJSON)
            if options.progressMode == "json" {
                Output.line(ProgressJSON.runEnd(status: verdict.status, exitCode: verdict.exitCode, now: clock.now()))
            }
            return Int32(verdict.exitCode)
        case .interrupted(let signal):
            let code = Int32(RunVerdict.exitCode(ofStop: signal))
            guard (try? RunHistory(journal).find(run)) != nil else {
                throw CommandFailure(code, "interrupted by \(signal) before anything was read")
            }
            try report(run, asJSON: asJSON)
            let first = signal == RunVerdict.halt ? "`flatbook halt --release`, then " : ""
            Output.note("interrupted by \(signal); \(first)`flatbook resume` goes on within 15 minutes")
            return code
        case .invalid(let problems): throw CommandFailure.invalid(problems)
        case .refused(let reason): throw CommandFailure(13, reason)
        case .keptOut(let reason):
            throw CommandFailure(
                14, "\(reason). Nothing was sent; `flatbook limits` shows the limits, run again when the ban is over")
        case .unreachable(let reason):
            throw CommandFailure(
                75,
                "no exchange could be reached: \(reason). Nothing was sent; check network and endpoint, then run again")
        case .journalFailed(let error):
            throw await JournalLoss(error: error, engine: engine, journal: journal).tell(run: run)
        case .broken(let violation):
            throw CommandFailure(1, "\(violation). Nothing more was sent; `flatbook abandon \(run)` reads what is open")
        case .preview: throw CommandFailure(1, "a run ended as a preview")
        }
    }

    /// From the journal and from nothing else: `flatbook report` gives the same bytes again.
    private func report(_ run: String, asJSON: Bool) throws {
        let report = try RunHistory(journal).report(of: run)
        let directory = options.reportsDirectory + "/" + run
        let formats = (try RunHistory(journal).machine(of: run)).header?.plans.flatMap(\.reportFormats) ?? []
        do {
            try ReportWriter.write(report, formats: Set(formats), directory: directory)
        } catch {
            Output.note("the report could not be written: \(error); `flatbook report \(run)` prints it")
        }
        if asJSON {
            Output(wantsJSON: true).result(ReportJSON.render(report))
        } else {
            Output(wantsJSON: false).result(
                ReportTable.render(report, width: terminalWidth(), color: options.wantsColor))
            Output(wantsJSON: false).result("report: \(directory)")
        }
    }
}

/// Columns of stdout; 100 where it is no terminal.
func terminalWidth() -> Int {
    var size = winsize()
    return ioctl(1, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 100
}
