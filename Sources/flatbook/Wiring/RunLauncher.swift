import ExchangeKit
import FlatbookConfiguration
import FlatbookCore
import FlatbookCrypto
import FlatbookExecutor
import FlatbookHTTP
import FlatbookHost
import FlatbookJournal
import FlatbookPlanner
import FlatbookReporter
import Foundation

/// Puts an engine together with this host's clocks, ledgers, locks, transport and journal, and drives it to its end.
struct RunLauncher {
    let options: CommonOptions
    var workspace: Workspace
    let host: HostDirectory
    let clock = SystemRunClock()

    init(options: CommonOptions, workspace: Workspace) throws {
        self.options = options
        self.workspace = workspace
        host = try Self.hostDirectory()
    }

    /// - Throws: exit 74 where this user's state folder cannot be used.
    static func hostDirectory() throws -> HostDirectory {
        do {
            return try HostDirectory(environment: ProcessInfo.processInfo.environment)
        } catch {
            throw CommandFailure(74, "\(error)")
        }
    }

    /// `20261120T205500Z-eod-flatten-7f3a`.
    static func makeRunID(_ plans: [PlanDocument], now: Now) -> String {
        let suffix = (0..<4).map { _ in String(UInt8.random(in: 0..<16), radix: 16) }.joined()
        return "\(now.wall.compact)-\(plans.map(\.name).joined(separator: "+"))-\(suffix)"
    }

    /// The head of a new run, from what was selected.
    func header(id: String, onlyLegs: [String: [LegKey]]? = nil, startedAt: Now) throws -> RunHeader {
        let deadline = workspace.plans.map(\.guards.deadline).min() ?? .seconds(900)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let canonical = try encoder.encode(workspace.plans)
        var accounts: [RunHeader.RunAccount] = []
        for (account, plan) in workspace.selected {
            var listed = account
            // Credentials stay references, and a literal is none: it never reaches the journal (I13).
            listed.credentials = listed.credentials.filter { if case .literal = $0.value { false } else { true } }
            accounts.append(.init(account: listed, plan: plan, onlyLegs: onlyLegs.map { $0[account.name] ?? [] }))
        }
        var header = RunHeader(
            id: id, plans: workspace.plans, planDigest: Self.digest([UInt8](canonical)),
            environment: workspace.selected.first?.account.environment ?? .simulated, accounts: accounts,
            deadline: startedAt.instant + deadline, deadlineWall: startedAt.wall + deadline,
            startedWall: startedAt.wall, holder: Self.holder)
        header.isConfirmed = options.isConfirmed
        return header
    }

    static var holder: RunHolder {
        RunHolder(host: hostName(), pid: Int(getpid()), bootID: bootID(), version: Version.text)
    }

    static let digest: @Sendable ([UInt8]) -> String = { "sha256:" + Hex.encode(sha256($0)) }

    /// Drives one engine.
    ///
    /// - Parameters:
    ///   - resuming: the fold of an earlier process's entries.
    ///   - journal: nil for a preview.
    func drive(
        mode: EngineMode, header: RunHeader, epoch: Int, resuming: RunMachine? = nil, journal: SQLiteJournal?,
        confirm: Bool = false, allowNoMatch: Bool = false, progress: ProgressPrinter
    ) async throws -> (end: EngineEnd, engine: Engine) {
        // A terminal that goes away ends no run.
        signal(SIGHUP, SIG_IGN)
        let halt = Halt(directory: host)
        if mode == .run { try HaltWatch.refuseStart(halt) }
        let accounts = workspace.selected.map(\.account)
        let card = LockCard(
            id: "\(header.id)-\(getpid())", run: header.id, plan: header.plans.map(\.name).joined(separator: "+"),
            host: hostName(), pid: Int(getpid()), since: clock.now().wall.rfc3339, operation: mode.rawValue,
            version: Version.text)
        let locks = HostLocks(directory: host, card: card)
        let ledgers = HostLedgers(host: host, clock: clock)
        let plans = header.plans
        let exchanges = Array(Set(accounts.map(\.exchange))).sorted()
        let mostInFlight = try FileDescriptors.maximumInFlight(
            accounts: accounts.count,
            exchanges: Set(accounts.map { "\($0.exchange) \($0.endpoint ?? "") \($0.egress)" }).count)
        let configuration = EngineConfiguration(
            mode: mode, header: header, epoch: epoch, plugins: Exchanges.byID, ledger: { ledgers.ledger($0) },
            planner: { FlatteningPlanner() }, locks: locks, digest: Self.digest, unusable: workspace.unusable,
            keyDigests: workspace.keyDigests, needsConfirmation: confirm,
            checkInstruments: { listed in
                plans.flatMap {
                    SymbolCheck.check(
                        plan: $0, exchanges: exchanges, answered: Set(listed.keys), instruments: listed,
                        allowNoMatch: allowNoMatch)
                }
            },
            lowerBound: { LowerBound.ofCloses($0) }, maximumInFlight: mostInFlight)
        let engine = Engine(configuration, resuming: resuming, now: clock.now())
        try ledgers.checkUsable()
        let transport = try HTTPTransport()
        let client = VenueClient(
            plugins: Exchanges.byID, accounts: accounts, credentials: workspace.credentials, reading: transport,
            mutating: mode == .run ? transport : nil, clock: clock, isFenced: locks.fence,
            isHalted: { halt.isRaised })
        let driver = RunDriver(
            client: client, journal: journal, clock: clock, confirming: TerminalConfirmation(options: options),
            onNotice: { progress.notice($0, now: $1) }, onStep: { progress.step($0, now: $1) })
        let end = await driver.run(engine, signals: Signals.stream(watching: mode == .run ? halt : nil))
        progress.finish()
        try? await transport.shutdown()
        return (end, engine)
    }
}

/// The process's clocks, for the driver.
struct SystemRunClock: RunClock {
    private let clock = SystemClock()

    func now() -> Now { clock.now() }

    func asleep() -> TimeSpan { clock.asleep() }

    func sleep(until instant: Instant) async { try? await clock.sleep(until: instant) }
}

/// Asks on the terminal before the first call.
struct TerminalConfirmation: Confirming {
    let options: CommonOptions

    func confirm(_ work: PlannedWork) async -> Bool {
        let outside = work.items.reduce(0) { $0 + $1.outside.count }
        let environment = work.items.first?.account.environment.rawValue ?? ""
        let flags = work.items.filter { $0.verdict != nil }.count
        var lines = [
            "",
            "\(environment.uppercased()): \(work.calls) calls will close \(work.legs) positions of "
                + "\(work.items.filter { !$0.selected.isEmpty }.count) accounts, \(work.notional) USD.",
        ]
        if outside > 0 { lines.append("\(outside) open positions are outside this plan and stay.") }
        if flags > 0 { lines.append("\(flags) accounts take no part; the report will say why.") }
        Output.note(lines.joined(separator: "\n"))
        StandardStreams.note("Type yes to go on: ")
        // Asked for without blocking, so that a signal or the deadline ends the wait.
        while !Task.isCancelled {
            var input = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
            if poll(&input, 1, 0) > 0 { return readLine(strippingNewline: true) == "yes" }
            let clock = SystemRunClock()
            await clock.sleep(until: clock.now().instant + .milliseconds(100))
        }
        return false
    }
}
