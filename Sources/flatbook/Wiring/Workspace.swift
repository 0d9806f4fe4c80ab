import ExchangeKit
import FlatbookConfiguration
import FlatbookCore
import FlatbookCredentials
import FlatbookCrypto
import FlatbookHost
import FlatbookPlanner
import Foundation

/// What a command works on: selected accounts with their plans and credentials, checked before anything is sent.
struct Workspace {
    var plans: [PlanDocument]
    var selected: [(account: Account, plan: Int)]
    var credentials: [String: AccountCredentials]
    /// Accounts that cannot take part: their credentials could not be resolved.
    var unusable: [String: AccountVerdict]
    var keyDigests: [String: String]

    /// Reads accounts and plans and selects. All problems of all files come in one failure.
    static func select(
        plans paths: [String], options: CommonOptions, only: [String] = []
    ) throws -> (plans: [PlanDocument], selected: [(account: Account, plan: Int)]) {
        let loader = ConfigurationLoader(exchanges: Exchanges.descriptions)
        let (accounts, accountProblems) = loader.loadAccounts(directory: options.accountsDirectory)
        let (plans, planProblems) = loader.loadPlans(paths: paths)
        let problems = accountProblems + planProblems
        // A selection over broken files would only add confusion.
        guard !problems.contains(where: { $0.severity == .error }) else { throw CommandFailure.invalid(problems) }
        for warning in problems { Output.note("warning: \(warning)") }
        let (selection, selectionProblems, refusal) = AccountSelection.resolve(
            plans: plans, accounts: accounts, only: only.map { Pattern($0) })
        let more = selectionProblems + plans.flatMap { SymbolCheck.granularity(plan: $0) }
        guard !more.contains(where: { $0.severity == .error }) else { throw CommandFailure.invalid(more) }
        if let refusal { throw CommandFailure(13, refusal) }
        return (plans, selection.accounts)
    }

    /// All accounts of the files, for commands that need no plan.
    static func allAccounts(_ options: CommonOptions) throws -> [Account] {
        let (accounts, problems) = ConfigurationLoader(exchanges: Exchanges.descriptions)
            .loadAccounts(directory: options.accountsDirectory)
        guard !problems.contains(where: { $0.severity == .error }) else { throw CommandFailure.invalid(problems) }
        return accounts
    }

    /// Resolves credentials once; a problem takes its account out, or with `--strict` stops everything.
    static func resolve(
        plans: [PlanDocument], selected: [(account: Account, plan: Int)], options: CommonOptions
    ) async throws -> Workspace {
        let usable = selected.map(\.account).filter(\.enabled)
        let resolver = CredentialResolver(environment: ProcessInfo.processInfo.environment)
        let resolved = await resolver.resolve(usable) { Exchanges.byID[$0]?.profile.credentialFields ?? [] }
        var workspace = Workspace(plans: plans, selected: selected, credentials: [:], unusable: [:], keyDigests: [:])
        var secrets: [String: [String: Secret]] = [:]
        var problems: [Diagnostic] = []
        for account in usable {
            switch resolved[account.name] {
            case .success(let fields):
                secrets[account.name] = fields
                workspace.credentials[account.name] = try AccountCredentials(fields)
                workspace.keyDigests[account.name] = fields["key"].map { key in
                    "key-" + key.withBytes { String(Hex.encode(sha256(Array($0))).prefix(16)) }
                }
            case .failure(let problem):
                problems.append(
                    Diagnostic(
                        file: account.source.file, line: account.source.line,
                        key: "\(account.name).credentials.\(problem.field)", problem.message, hint: problem.hint))
                workspace.unusable[account.name] = AccountVerdict(
                    account: account.name, state: .skipped, reason: "credentials: \(problem.message)",
                    error: ErrorNote(
                        errorClass: "fatalAccount", exchangeCode: "credentials", message: problem.message,
                        action: problem.hint ?? ""),
                    cause: .credentials)
            case nil: continue
            }
        }
        if options.isStrict, !problems.isEmpty { throw CommandFailure.invalid(problems) }
        for problem in problems.prefix(10) { Output.note("warning: \(problem) This account is skipped.") }
        if problems.count > 10 { Output.note("warning: … and \(problems.count - 10) more accounts are skipped") }
        let twins = CredentialResolver.duplicateKeys(in: secrets, of: usable)
        if !twins.isEmpty {
            throw CommandFailure.invalid(
                twins.map { twin in
                    let second = usable.first { $0.name == twin.second }
                    return Diagnostic(
                        file: second?.source.file, line: second?.source.line, key: "\(twin.second).credentials.key",
                        "accounts \(twin.first) and \(twin.second) have the same API key",
                        hint: "Remove one of them.")
                })
        }
        return workspace
    }
}
