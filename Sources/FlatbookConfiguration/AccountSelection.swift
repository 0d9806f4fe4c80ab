package import FlatbookCore

/// The accounts that the plans of one run select, after `--only`.
package struct AccountSelection: Sendable {
    /// In the order of the plans, then of the files; `plan` is an index into the plans. Disabled accounts are in it,
    /// because every report lists them.
    package var accounts: [(account: Account, plan: Int)]

    package init(accounts: [(account: Account, plan: Int)] = []) { self.accounts = accounts }

    /// Those that a run may touch.
    package var enabled: [(account: Account, plan: Int)] { accounts.filter { $0.account.enabled } }

    /// Selects the accounts of each plan and checks what the contract (§3) demands of a selection.
    ///
    /// - Parameter only: the patterns of `--only`; with exclusions alone they narrow to everything else.
    /// - Returns: the selection; every problem found (exit 78); and why a guard refuses, if one does (exit 13).
    package static func resolve(
        plans: [PlanDocument], accounts: [Account], only: [Pattern]
    ) -> (selection: AccountSelection, diagnostics: [Diagnostic], guardRefusal: String?) {
        var selection = AccountSelection()
        var diagnostics: [Diagnostic] = []
        var refusals: [String] = []
        for (index, pattern) in only.enumerated() where !accounts.contains(where: { matches(pattern, $0) }) {
            // A shell has no lines: the position says which one it was.
            let key = only.count == 1 ? "--only" : "--only \(index + 1)"
            diagnostics.append(unmatched(pattern, file: nil, key: key, accounts: accounts))
        }
        for (index, plan) in plans.enumerated() {
            for (place, pattern) in plan.accounts.enumerated() where !accounts.contains(where: { matches(pattern, $0) })
            {
                diagnostics.append(
                    unmatched(pattern, file: plan.source.file, key: "accounts[\(place)]", accounts: accounts))
            }
            let chosen = accounts.filter { selects(plan.accounts, $0) && narrows(only, $0) }
            diagnostics += [emptiness(plan, chosen), environmentGuard(plan, chosen), interval(plan, chosen)]
                .compactMap { $0 }
            if let refusal = tooMany(plan, chosen) { refusals.append(refusal) }
            selection.accounts += chosen.map { (account: $0, plan: index) }
        }
        diagnostics += shared(plans, selection)
        if let mixed = mixture(plans, selection) { diagnostics.append(mixed) }
        return (selection, diagnostics, refusals.isEmpty ? nil : refusals.joined(separator: "; "))
    }

    /// Whether the pattern, its `!` aside, names the account: a glob over names, `tag:`, `exchange:` or `environment:`.
    package static func matches(_ pattern: Pattern, _ account: Account) -> Bool {
        guard let colon = pattern.text.firstIndex(of: ":") else {
            return Pattern.glob(pattern.text, matches: account.name)
        }
        let value = pattern.text[pattern.text.index(after: colon)...]
        return switch pattern.text[..<colon] {
        case "tag": account.tags.contains { Pattern.glob(value, matches: $0) }
        case "exchange": Pattern.glob(value, matches: account.exchange.rawValue)
        case "environment": Pattern.glob(value, matches: account.environment.rawValue)
        default: false
        }
    }

    /// Whether an endpoint stays on this host: `localhost`, `127.0.0.0/8` or `[::1]`.
    package static func isLoopback(_ endpoint: String) -> Bool {
        guard let scheme = endpoint.firstRange(of: "://") else { return false }
        let authority = endpoint[scheme.upperBound...].prefix { !"/?#\\".contains($0) }
        // What stands before an @ is a user name and can look like a loopback address.
        guard !authority.contains("@") else { return false }
        if authority == "[::1]" || authority.hasPrefix("[::1]:") { return true }
        let host = authority.prefix { $0 != ":" }
        if host.lowercased() == "localhost" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    private static func selects(_ patterns: [Pattern], _ account: Account) -> Bool {
        let hits = patterns.filter { matches($0, account) }
        return !hits.isEmpty && hits.allSatisfy { !$0.isExclusion }
    }

    private static func narrows(_ only: [Pattern], _ account: Account) -> Bool {
        if only.allSatisfy(\.isExclusion) { return !only.contains { matches($0, account) } }
        return selects(only, account)
    }
}

// MARK: - The checks of one plan

extension AccountSelection {
    private static func emptiness(_ plan: PlanDocument, _ chosen: [Account]) -> Diagnostic? {
        if chosen.isEmpty {
            return problem(
                plan, "accounts", "selects no account.", "Nothing would be closed; check accounts and --only.")
        }
        guard chosen.allSatisfy({ !$0.enabled }) else { return nil }
        return problem(
            plan, "accounts", "selects only disabled accounts: \(list(chosen)).",
            "Set enabled: true where that is meant.")
    }

    private static func environmentGuard(_ plan: PlanDocument, _ chosen: [Account]) -> Diagnostic? {
        guard let wanted = plan.guards.environment else { return nil }
        let others = chosen.filter { $0.enabled && $0.environment != wanted }
        guard !others.isEmpty else { return nil }
        let named = others.prefix(3).map { "\($0.name) (\($0.environment.rawValue))" }.joined(separator: ", ")
        let more = others.count > 3 ? " and \(others.count - 3) more" : ""
        return problem(
            plan, "guards.environment", "is \(wanted.rawValue), but the plan selects \(named)\(more).",
            "Exclude them, or add \"environment:\(wanted.rawValue)\" to --only.")
    }

    private static func interval(_ plan: PlanDocument, _ chosen: [Account]) -> Diagnostic? {
        guard plan.verify.interval < .seconds(1) else { return nil }
        let real = chosen.filter {
            $0.enabled && $0.environment != .simulated && !($0.endpoint.map(isLoopback) ?? false)
        }
        guard !real.isEmpty else { return nil }
        return problem(
            plan, "verify.interval",
            "is \(plan.verify.interval.milliseconds)ms, but below 1s it is for simulated or loopback accounts only: "
                + "\(list(real)).", "Set 1s or more.")
    }

    private static func tooMany(_ plan: PlanDocument, _ chosen: [Account]) -> String? {
        let count = chosen.count { $0.enabled }
        guard let most = plan.guards.maxAccounts, count > most else { return nil }
        return "plan \(plan.name) selects \(count) accounts, guards.maxAccounts is \(most)"
    }

    private static func problem(_ plan: PlanDocument, _ key: String, _ message: String, _ hint: String) -> Diagnostic {
        let line = key == "accounts" ? plan.accounts.first?.line ?? 0 : 0
        return Diagnostic(
            file: plan.source.file, line: line > 0 ? line : plan.source.line, key: key, message, hint: hint)
    }

    fileprivate static func list(_ accounts: [Account]) -> String {
        let names = accounts.prefix(3).map(\.name).joined(separator: ", ")
        return accounts.count > 3 ? "\(names) and \(accounts.count - 3) more" : names
    }
}

// MARK: - The checks over all plans

extension AccountSelection {
    /// One account under two plans would be closed under two sets of guards.
    private static func shared(_ plans: [PlanDocument], _ selection: AccountSelection) -> [Diagnostic] {
        var first: [String: Int] = [:]
        var found: [Pair: [Account]] = [:]
        for entry in selection.accounts {
            if let earlier = first[entry.account.name] {
                found[Pair(first: earlier, second: entry.plan), default: []].append(entry.account)
            } else {
                first[entry.account.name] = entry.plan
            }
        }
        return found.sorted { ($0.key.second, $0.key.first) < ($1.key.second, $1.key.first) }.map { pair, accounts in
            problem(
                plans[pair.second], "accounts",
                "plans \(plans[pair.first].name) and \(plans[pair.second].name) both select \(list(accounts)).",
                "Exclude it in one of them, or run one plan after the other.")
        }
    }

    private struct Pair: Hashable {
        var first: Int
        var second: Int
    }

    /// A run has one environment.
    private static func mixture(_ plans: [PlanDocument], _ selection: AccountSelection) -> Diagnostic? {
        // Where a plan's own guard already objects, the same accounts need no second message.
        let entries = selection.enabled.filter { entry in
            plans[entry.plan].guards.environment.map { $0 == entry.account.environment } ?? true
        }
        let groups = Dictionary(grouping: entries) { $0.account.environment }
        guard groups.count > 1 else { return nil }
        let named = groups.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { "\($0.key.rawValue) (\(list($0.value.map(\.account))))" }.joined(separator: " and ")
        guard let plan = entries.first(where: { plans[$0.plan].guards.environment == nil })?.plan ?? entries.first?.plan
        else { return nil }
        return problem(
            plans[plan], "guards.environment", "a run has one environment, but \(named) are selected.",
            "Select one with \"environment:…\" in accounts, and name it in guards.environment.")
    }
}

// MARK: - Spelling

extension AccountSelection {
    private static func unmatched(
        _ pattern: Pattern, file: String?, key: String, accounts: [Account]
    ) -> Diagnostic {
        let meant = suggestion(pattern.text, accounts).map { (pattern.isExclusion ? "!" : "") + $0 }
        return Diagnostic(
            file: file, line: pattern.line > 0 ? pattern.line : nil, key: key,
            "\"\(pattern)\" matches no account of the files.", hint: meant.map { "Did you mean \"\($0)\"?" })
    }

    private static func suggestion(_ text: String, _ accounts: [Account]) -> String? {
        let names = accounts.map(\.name)
        let selectors =
            Set(accounts.flatMap(\.tags)).map { "tag:" + $0 }
            + Set(accounts.map(\.exchange.rawValue)).map { "exchange:" + $0 }
            + Set(accounts.map(\.environment.rawValue)).map { "environment:" + $0 }
        if text.contains(":") { return nearest(text, in: selectors.sorted()) }
        // `desk-a` is often a tag whose `tag:` was forgotten.
        if let selector = selectors.sorted().first(where: { $0.hasSuffix(":" + text) }) { return selector }
        if text.hasSuffix("*") {
            let stem = text.dropLast()
            guard !stem.contains(where: { $0 == "*" || $0 == "?" }) else { return nil }
            let stems = Set(names.map { String($0.prefix(stem.count)) }).sorted()
            return nearest(String(stem), in: stems).map { $0 + "*" }
        }
        return nearest(text, in: names)
    }
}
