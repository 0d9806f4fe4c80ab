import ArgumentParser
import ExchangeKit
import FlatbookCore
import FlatbookJournal
import FlatbookReporter
import Foundation

struct RunsCommand: ParsableCommand, ExecutableCommand {
    static let configuration = CommandConfiguration(commandName: "runs", abstract: "List runs, newest first.")

    @OptionGroup var options: CommonOptions

    func execute() async throws -> Int32 {
        let asJSON = try options.tableOrJSON()
        let location = try JournalAccess(options: options).location()
        var runs: [RunSummary] = []
        if FileManager.default.fileExists(atPath: location.path) {
            runs = try RunHistory(try JournalAccess(options: options).openForReading()).summaries()
        }
        Output(wantsJSON: asJSON).result(asJSON ? RunsTable.json(runs) : RunsTable.render(runs))
        return 0
    }
}

struct ReportCommand: ParsableCommand, ExecutableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Render a run again from the journal, byte for byte.")

    @Argument(help: "The run, or an unambiguous part of its id.")
    var run: String

    @Option(name: .long, help: "For --format csv: legs, calls or accounts.")
    var part = "legs"

    @OptionGroup var options: CommonOptions

    func execute() async throws -> Int32 {
        let format = options.outputFormat
        if ["html", "markdown"].contains(format) {
            throw CommandFailure(64, "--format \(format) is not supported yet")
        }
        try CommonOptions.check(format, in: ["table", "json", "csv"], option: "--format")
        try CommonOptions.check(part, in: ["legs", "calls", "accounts"], option: "--part")
        let report = try RunHistory(try JournalAccess(options: options).openForReading()).report(of: run)
        let output = Output(wantsJSON: format == "json")
        switch (format, part) {
        case ("json", _): output.result(ReportJSON.render(report))
        case ("csv", "calls"): output.result(ReportCSV.calls(report))
        case ("csv", "accounts"): output.result(ReportCSV.accounts(report))
        case ("csv", _): output.result(ReportCSV.legs(report))
        default: output.result(ReportTable.render(report, width: terminalWidth(), color: options.wantsColor))
        }
        return 0
    }
}

struct LimitsCommand: ParsableCommand, ExecutableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits", abstract: "Every limit with scope, source and date.")

    @Argument(help: "One exchange; default: all.")
    var exchange: String?

    @OptionGroup var options: CommonOptions

    func execute() async throws -> Int32 {
        let asJSON = try options.tableOrJSON()
        let plugins = Exchanges.all.filter { exchange == nil || $0.profile.id.rawValue == exchange }
        guard !plugins.isEmpty else {
            let known = Exchanges.all.map(\.profile.id.rawValue).joined(separator: ", ")
            throw CommandFailure(64, "there is no exchange \"\(exchange ?? "")\"; this version knows \(known)")
        }
        let limits = plugins.flatMap(\.profile.limits)
        Output(wantsJSON: asJSON).result(asJSON ? LimitsTable.json(limits) : LimitsTable.render(limits))
        return 0
    }
}

struct AccountsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accounts", abstract: "The accounts of the files.",
        subcommands: [
            AccountsListCommand.self, AccountsCheckCommand.self,
        ])
}

struct AccountsListCommand: ParsableCommand, ExecutableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the accounts of the files. Asks no exchange, resolves no credential.")

    @OptionGroup var options: CommonOptions

    func execute() async throws -> Int32 {
        let asJSON = try options.tableOrJSON()
        let accounts = try Workspace.allAccounts(options)
        Output(wantsJSON: asJSON).result(asJSON ? AccountsTable.json(accounts) : AccountsTable.render(accounts))
        return 0
    }
}
