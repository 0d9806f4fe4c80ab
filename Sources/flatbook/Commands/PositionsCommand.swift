import ArgumentParser
import FlatbookConfiguration
import FlatbookCore

struct PositionsCommand: ParsableCommand, ExecutableCommand {
    static let configuration = CommandConfiguration(
        commandName: "positions", abstract: "Show open positions. Changes nothing.")

    @Option(
        name: .long, parsing: .upToNextOption, help: "Accounts: name globs, tag:, exchange:, !pattern. (default: all)")
    var only: [String] = []

    @OptionGroup var options: CommonOptions

    func execute() async throws -> Int32 {
        let asJSON = try options.tableOrJSON()
        let selected = try Self.select(only, from: Workspace.allAccounts(options))
        // Only a vehicle for the reads: nothing is planned.
        let plan = PlanDocument(name: "positions", accounts: [Pattern("*")], orders: .keep)
        let request = RunRequest(plans: [], only: [], onlyOpenOf: nil, allowNoMatch: true, options: options)
        return try await Previewing(request).positions(
            selected: selected.map { ($0, 0) }, plan: plan, asJSON: asJSON)
    }

    /// - Throws: exit 78 where nothing is selected.
    static func select(_ only: [String], from accounts: [Account], disabledToo: Bool = false) throws -> [Account] {
        let patterns = only.isEmpty ? [Pattern("*")] : only.map { Pattern($0) }
        let selected = accounts.filter { account in
            (account.enabled || disabledToo)
                && !patterns.contains { $0.isExclusion && AccountSelection.matches($0, account) }
                && (patterns.allSatisfy(\.isExclusion)
                    || patterns.contains { !$0.isExclusion && AccountSelection.matches($0, account) })
        }
        guard !selected.isEmpty else {
            throw CommandFailure(78, "no enabled account is selected; `flatbook accounts list` shows them")
        }
        return selected
    }
}
