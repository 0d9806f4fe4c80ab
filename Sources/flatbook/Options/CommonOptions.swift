import ArgumentParser
import Foundation

/// Options of every command. `FLATBOOK_ACCOUNTS` and the like give the same settings; a flag wins.
struct CommonOptions: ParsableArguments {
    @Option(name: .long, help: "Folder of the accounts files. (default: accounts)")
    var accounts: String?

    @Option(name: .long, help: "Folder of the reports. (default: reports)")
    var reports: String?

    @Option(name: .long, help: "The journal. (default: REPORTS/journal.sqlite)")
    var journal: String?

    @Option(name: .long, help: "table or json; for report also csv.")
    var format: String?

    @Option(name: .long, help: "auto, plain, json or none.")
    var progress: String?

    @Option(name: .long, help: "trace, debug, info, notice, warning, error or critical. (default: warning)")
    var logLevel: String?

    @Flag(name: .long, help: "No colours; also NO_COLOR.")
    var noColor = false

    @Flag(name: .long, help: "Do not ask before the first call.")
    var yes = false

    @Flag(name: .long, help: "A credential that cannot be resolved is an error for all.")
    var strict = false

    func validate() throws {
        try Self.check(progressMode, in: ["auto", "plain", "json", "none"], option: "--progress")
        try Self.check(
            level, in: ["trace", "debug", "info", "notice", "warning", "error", "critical"], option: "--log-level")
    }

    static func check(_ value: String, in allowed: [String], option: String) throws {
        guard allowed.contains(value) else {
            throw ValidationError("\(option) is \"\(value)\"; it takes \(allowed.joined(separator: ", ")).")
        }
    }

    private func setting(_ flag: String?, _ name: String, _ fallback: String) -> String {
        flag ?? ProcessInfo.processInfo.environment["FLATBOOK_\(name)"] ?? fallback
    }

    private func isSet(_ flag: Bool, _ name: String) -> Bool {
        flag
            || ["1", "true", "yes"].contains(
                ProcessInfo.processInfo.environment["FLATBOOK_\(name)"]?.lowercased() ?? "")
    }

    var accountsDirectory: String { setting(accounts, "ACCOUNTS", "accounts") }
    var reportsDirectory: String { setting(reports, "REPORTS", "reports") }
    var journalURL: String { setting(journal, "JOURNAL", reportsDirectory + "/journal.sqlite") }
    var outputFormat: String { setting(format, "FORMAT", "table") }
    var progressMode: String { setting(progress, "PROGRESS", "auto") }
    var level: String { setting(logLevel, "LOG_LEVEL", "warning") }
    var isConfirmed: Bool { isSet(yes, "YES") }
    var isStrict: Bool { isSet(strict, "STRICT") }

    var wantsColor: Bool {
        !isSet(noColor, "NO_COLOR") && ProcessInfo.processInfo.environment["NO_COLOR"] == nil && isatty(1) == 1
    }

    /// The format, where a command knows `table` and `json` only.
    func tableOrJSON() throws -> Bool {
        try Self.check(outputFormat, in: ["table", "json"], option: "--format")
        return outputFormat == "json"
    }
}
