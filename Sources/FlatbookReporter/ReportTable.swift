package import FlatbookCore

/// The report for a terminal: what matters first, then what is not flat and why, then the rest.
package enum ReportTable {
    /// Rows of one table; the files have them all.
    private static let mostFlatRows = 30
    private static let mostOpenRows = 60

    package static func render(_ report: RunReport, width: Int, color: Bool) -> String {
        let code = report.run.exitCode == 0 ? "32" : "31"
        // Sentences are left to the terminal to wrap, so that a script finds them in one line.
        let headline = printable(headline(report))
        var out = (color ? "\u{1B}[1;\(code)m\(headline)\u{1B}[0m" : headline) + "\n\n"
        let counted = report.accounts.filter { !$0.isDisabled }
        let open = counted.filter { !isFlat($0.state) }
        let flat = counted.filter { isFlat($0.state) }
        if !open.isEmpty { out += openRows(open, report, width: width) + "\n" }
        if !flat.isEmpty { out += flatAccounts(flat, width: width) + "\n" }
        let disabled = report.accounts.filter(\.isDisabled)
        if !disabled.isEmpty { out += disabledAccounts(disabled, width: width) + "\n" }
        return out + totals(report).map { printable($0) + "\n" }.joined()
    }

    /// `214 of 214 accounts flat, proven; 3 accounts hold 41 positions outside this plan`.
    package static func headline(_ report: RunReport) -> String {
        let totals = report.totals
        var parts: [String] = []
        if totals.accounts == 0 {
            parts.append("no account was selected")
        } else {
            parts.append("\(totals.accountsFlat) of \(count(totals.accounts, "account")) flat, proven")
        }
        if totals.accountsFlat < totals.accounts {
            let counted = report.accounts.filter { !$0.isDisabled }
            let states = severity.compactMap { state -> String? in
                let number = counted.count { $0.state == state }
                return number > 0 ? "\(number) \(state.rawValue)" : nil
            }
            if !states.isEmpty { parts.append(states.joined(separator: ", ")) }
            if !totals.notionalAfter.isZero {
                let amount = money(totals.notionalAfter).replacing("<", with: "less than ")
                let isOld = counted.contains { $0.state == .unknown }
                parts.append("\(amount) USD still open" + (isOld ? " when last seen" : ""))
            }
        }
        let outside = totals.openOutsideSelection
        if outside.legs > 0 {
            parts.append(
                "\(count(outside.accounts, "account")) \(outside.accounts == 1 ? "holds" : "hold") "
                    + "\(count(outside.legs, "position")) outside this plan")
        }
        let openers = report.accounts.map(\.openersRemain).reduce(0, +)
        if openers > 0 {
            parts.append(
                "\(count(openers, "resting order")) can open \(openers == 1 ? "a position" : "positions") again")
        }
        return (alarm(report.run.status).map { $0 + ": " } ?? "") + parts.joined(separator: "; ")
    }

    private static func alarm(_ status: String) -> String? {
        switch status {
        case "deadline": "DEADLINE PASSED"
        case "interrupted": "INTERRUPTED"
        case "unknown": "NOT PROVEN"
        case "failed": "FAILED"
        case "residual": "NOT FLAT"
        case "refused": "REFUSED"
        default: nil
        }
    }

    private static func isFlat(_ state: FinalState) -> Bool { state == .flat || state == .alreadyFlat }

    /// What an operator has to look at first stands first.
    private static let severity: [FinalState] = [.unknown, .residual, .refused, .skipped, .dust]

    private struct OpenRow {
        var state: FinalState
        var account: String
        var what: String
        /// Nil where nothing was read.
        var notional: Amount?
        var why: String

        var rank: Int { severity.firstIndex(of: state) ?? severity.count }
    }

    private static func openRows(_ accounts: [RunReport.AccountRow], _ report: RunReport, width: Int) -> String {
        let legs = Dictionary(grouping: report.legs.filter { !isFlat($0.state) }, by: \.key.account)
        let rows = accounts.flatMap { account -> [OpenRow] in
            guard let open = legs[account.name] else {
                let seen = account.read.isEmpty && account.notionalAfter.isZero ? nil : account.notionalAfter
                return [
                    OpenRow(
                        state: account.state, account: account.name, what: "account", notional: seen,
                        why: reason(account.reason, account.error))
                ]
            }
            return open.map { leg in
                OpenRow(
                    state: leg.state, account: account.name, what: "\(leg.symbol) \(leg.key.side.rawValue)",
                    notional: leg.notionalAfter ?? leg.notionalBefore,
                    why: reason(leg.reason ?? account.reason, leg.error ?? account.error))
            }
        }
        // By rank, then the largest first; equal ones keep their order.
        let sorted = rows.enumerated().sorted { a, b in
            if a.element.rank != b.element.rank { return a.element.rank < b.element.rank }
            let (x, y) = (a.element.notional ?? .zero, b.element.notional ?? .zero)
            return x != y ? y < x : a.offset < b.offset
        }
        var table = TextTable([
            ("NOT FLAT", .left), ("OPEN USD", .right), ("ACCOUNT", .left), ("WHAT", .left),
            ("WHY, AND WHAT TO DO", .left),
        ])
        for (_, row) in sorted.prefix(mostOpenRows) {
            // With a question mark: what was last seen, no evidence since.
            let open = (row.notional.map(money) ?? "") + (row.state == .unknown || row.notional == nil ? "?" : "")
            table.add([row.state.rawValue, open, row.account, row.what, row.why])
        }
        let rest = rows.count - mostOpenRows
        return table.render(width: width, wrapsLast: true)
            + (rest > 0 ? "… and \(rest) more, see accounts.csv and legs.csv\n" : "")
    }

    private static func reason(_ reason: String?, _ error: ErrorNote?) -> String {
        let message = error?.message ?? ""
        let own = reason ?? ""
        // The reason often quotes the exchange's message.
        let text = [own, own.contains(message) ? "" : message].filter { !$0.isEmpty }.joined(separator: ": ")
        guard let action = error?.action, !action.isEmpty else { return text }
        return text.isEmpty ? action : "\(text): \(action)"
    }

    private static func flatAccounts(_ rows: [RunReport.AccountRow], width: Int) -> String {
        var table = TextTable([
            ("FLAT", .left), ("CLOSED USD", .right), ("LEGS", .right), ("SECONDS", .right), ("ACCOUNT", .left),
            ("EVIDENCE", .left),
        ])
        for row in rows.prefix(mostFlatRows) {
            table.add([
                row.state.rawValue, money(row.notionalBefore), String(row.legs),
                row.timeToFlat.map { ReportJSON.milliseconds($0.milliseconds) } ?? "", row.name, row.evidence ?? "",
            ])
        }
        let more = rows.count > mostFlatRows ? "… and \(rows.count - mostFlatRows) more, see accounts.csv\n" : ""
        return table.render(width: width) + more
    }

    private static func disabledAccounts(_ rows: [RunReport.AccountRow], width: Int) -> String {
        var table = TextTable([("NOT COUNTED", .left), ("WHY", .left)])
        for row in rows.prefix(mostFlatRows) { table.add([row.name, row.reason ?? "disabled"]) }
        let more = rows.count > mostFlatRows ? "… and \(rows.count - mostFlatRows) more, see accounts.csv\n" : ""
        return table.render(width: width, wrapsLast: true) + more
    }

    private static func totals(_ report: RunReport) -> [String] {
        let totals = report.totals
        var lines: [String] = []
        let openers = report.accounts.filter { $0.openersRemain > 0 }
        if !openers.isEmpty {
            let names = openers.prefix(mostFlatRows).map { "\($0.name) (\($0.openersRemain))" }
            let more = openers.count > names.count ? ", … see accounts.csv" : ""
            lines.append("resting orders that can open positions again: \(names.joined(separator: ", "))\(more)")
        }
        let unread = report.accounts.filter { ($0.state == .flat || $0.state == .alreadyFlat) && $0.reason != nil }
        if !unread.isEmpty {
            let names = unread.prefix(mostFlatRows).map { "\($0.name): \($0.reason ?? "")" }
            let more = unread.count > names.count ? "; … see accounts.csv" : ""
            lines.append("flat, but \(names.joined(separator: "; "))\(more)")
        }
        if let late = report.run.lateCloseUntil {
            lines.append(
                "a lost close may still execute until \(late.rfc3339); it can only close what this plan selects")
        }
        lines.append(
            "\(totals.legsFlat) of \(count(totals.legs, "position")) closed, of \(money(totals.notionalBefore)) USD; "
                + "\(count(totals.attempts, "call")), \(count(totals.reads, "read")), "
                + "\(count(totals.ordersCancelled, "order")) cancelled, \(totals.rateLimitRejections) rejected by limits"
        )
        if let time = totals.timeToFlat {
            let bound = totals.lowerBound.map {
                "; its calls need at least \(ReportJSON.milliseconds($0.milliseconds)) s within the limits"
            }
            lines.append("proven flat after \(ReportJSON.milliseconds(time.milliseconds)) s\(bound ?? "")")
        }
        let silos = Set(report.accounts.flatMap { $0.notRead.map(\.silo) }).sorted()
        if !silos.isEmpty { lines.append("not read by this version: \(silos.joined(separator: ", "))") }
        let end = report.run.finishedAt.map { "ended \($0.rfc3339)" } ?? "not ended"
        lines.append("\(end), deadline \(report.run.deadline.rfc3339)")
        lines.append("run \(report.run.id): \(report.run.status), exit code \(report.run.exitCode)")
        return lines
    }
}
