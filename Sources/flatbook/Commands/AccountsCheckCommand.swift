import ArgumentParser
import ExchangeKit
import FlatbookConfiguration
import FlatbookCore
import FlatbookExecutor
import FlatbookHTTP
import FlatbookHost
import FlatbookReporter
import Foundation

struct AccountsCheckCommand: ParsableCommand, ExecutableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Ask the exchanges what the keys may do: identity, rights, addresses, clock, mode. Changes nothing.",
        discussion: """
            Exit 0 when every account passed, 77 when any was refused, else 75 when any exchange could not be reached.
            """)

    @Option(
        name: .long, parsing: .upToNextOption, help: "Accounts: name globs, tag:, exchange:, !pattern. (default: all)")
    var only: [String] = []

    @Flag(name: .long, help: "Print the uid lines that pin the accounts.")
    var pin = false

    @Option(
        name: .long, parsing: .upToNextOption, help: "Addresses of this host that the keys must be bound to.")
    var expectIp: [String] = []

    @OptionGroup var options: CommonOptions

    func execute() async throws -> Int32 {
        let asJSON = try options.tableOrJSON()
        var selected = try PositionsCommand.select(only, from: Workspace.allAccounts(options), disabledToo: true)
            .map { (account: $0, plan: 0) }
        let simulator = try await EmbeddedSimulator.start(for: &selected)
        let workspace = try await Workspace.resolve(plans: [], selected: selected, options: options)
        let accounts = workspace.selected.map(\.account)
        let checks = try await check(accounts, workspace)
        await simulator?.stop()
        let code = Self.exitCode(checks)
        Output(wantsJSON: asJSON).result(
            asJSON
                ? AccountCheckTable.json(checks, exitCode: Int(code), pin: pin)
                : AccountCheckTable.render(checks, width: isatty(1) == 1 ? terminalWidth() : 400, pin: pin))
        return code
    }

    private func check(_ accounts: [Account], _ workspace: Workspace) async throws -> [AccountCheck] {
        let clock = SystemRunClock()
        let host: HostDirectory
        do { host = try HostDirectory(environment: ProcessInfo.processInfo.environment) } catch {
            throw CommandFailure(74, "\(error)")
        }
        let ledgers = HostLedgers(host: host, clock: clock)
        for venue in Set(accounts.compactMap({ AccountChecker.venue(of: $0, Exchanges.byID) })) {
            _ = ledgers.ledger(venue)
        }
        try ledgers.checkUsable()
        let transport = try HTTPTransport()
        let client = VenueClient(
            plugins: Exchanges.byID, accounts: accounts, credentials: workspace.credentials, reading: transport,
            mutating: nil, clock: clock)
        let checker = AccountChecker(
            plugins: Exchanges.byID, client: client, clock: clock,
            ledgers: { ledgers.ledger($0) },
            expected: expectIp, keyDigests: workspace.keyDigests)
        let checks = await checker.check(accounts, unusable: workspace.unusable)
        try? await transport.shutdown()
        return checks
    }

    static func exitCode(_ checks: [AccountCheck]) -> Int32 {
        if checks.contains(where: { $0.state == .refused }) { return 77 }
        return checks.contains { $0.state == .unreachable } ? 75 : 0
    }
}
