package import FlatbookCore

/// The report for a terminal: what matters first, then what is not flat and why, then the rest.
package enum ReportTable {
    /// Flat accounts that are listed one by one.
    private static let mostFlatRows = 30
    private static let mostOpenRows = 60

    package static func render(_ report: RunReport, width: Int, color: Bool) -> String {
        var out = paint(headline(report), report.run.exitCode == 0 ? "32" : "31", color) + "\n\n"
        let open = report.accounts.filter { $0.state != .flat && $0.state != .alreadyFlat }
        let flat = report.accounts.filter { $0.state == .flat || $0.state == .alreadyFlat }
        if !open.isEmpty { out += openAccounts(open, report, width: width) + "\n" }
        if !flat.isEmpty { out += flatAccounts(flat, width: width) + "\n" }
        return out + totals(report)
    }

    /// `214 of 214 accounts flat, proven; 3 accounts hold 41 positions outside this plan`.
    package static func headline(_ report: RunReport) -> String {
        let totals = report.totals
        var parts = ["\(totals.accountsFlat) of \(totals.accounts) accounts flat, proven"]
        if totals.accountsFlat < totals.accounts {
            let counted = report.accounts.filter { !$0.isDisabled }
            for state in [FinalState.unknown, .residual, .refused, .skipped, .dust] {
                let count = counted.count { $0.state == state }
                if count > 0 { parts.append("\(count) \(state.rawValue)") }
            }
            if !totals.notionalAfter.isZero { parts.append("\(money(totals.notionalAfter)) USD still open") }
        }
        let outside = totals.openOutsideSelection
        if outside.legs > 0 {
            parts.append(
                "\(outside.accounts) account\(outside.accounts == 1 ? " holds" : "s hold") \(outside.legs) "
                    + "position\(outside.legs == 1 ? "" : "s") outside this plan")
        }
        let openers = report.accounts.map(\.openersRemain).reduce(0, +)
        if openers > 0 { parts.append("\(openers) resting orders can open positions again") }
        switch report.run.status {
        case "deadline": parts.insert("DEADLINE PASSED", at: 0)
        case "interrupted": parts.insert("INTERRUPTED", at: 0)
        case "unknown": parts.insert("NOT PROVEN", at: 0)
        case "failed": parts.insert("FAILED", at: 0)
        default: break
        }
        return parts.joined(separator: "; ")
    }

    private static func openAccounts(_ rows: [RunReport.AccountRow], _ report: RunReport, width: Int) -> String {
        var table = TextTable([
            ("NOT FLAT", .left), ("WHAT", .left), ("STATE", .left), ("OPEN USD", .right),
            ("REASON, AND WHAT TO DO", .left),
        ])
        var shown = 0
        for row in rows {
            let legs = report.legs.filter {
                $0.key.account == row.name && $0.state != .flat && $0.state != .alreadyFlat
            }
            if legs.isEmpty {
                shown += 1
                if shown <= mostOpenRows {
                    table.add([row.name, "account", row.state.rawValue, "", reason(row.reason, row.error)])
                }
            }
            for leg in legs {
                shown += 1
                guard shown <= mostOpenRows else { continue }
                let open = leg.state == .unknown ? "?" : money(leg.notionalAfter ?? leg.notionalBefore)
                table.add([
                    row.name, "\(leg.symbol) \(leg.key.side.rawValue)", leg.state.rawValue, open,
                    reason(leg.reason ?? row.reason, leg.error ?? row.error),
                ])
            }
        }
        let more = shown > mostOpenRows ? "… and \(shown - mostOpenRows) more, see legs.csv\n" : ""
        return table.render(width: max(width, 200)) + more
    }

    private static func reason(_ reason: String?, _ error: ErrorNote?) -> String {
        let text = reason ?? error?.message ?? ""
        guard let action = error?.action, !action.isEmpty else { return text }
        return text.isEmpty ? action : "\(text): \(action)"
    }

    private static func flatAccounts(_ rows: [RunReport.AccountRow], width: Int) -> String {
        var table = TextTable([
            ("FLAT", .left), ("STATE", .left), ("LEGS", .right), ("CLOSED USD", .right), ("SECONDS", .right),
            ("EVIDENCE", .left),
        ])
        for row in rows.prefix(mostFlatRows) {
            table.add([
                row.name, row.state.rawValue, String(row.legs), money(row.notionalBefore),
                row.timeToFlat.map { ReportJSON.milliseconds($0.milliseconds) } ?? "", row.evidence ?? "",
            ])
        }
        let more = rows.count > mostFlatRows ? "… and \(rows.count - mostFlatRows) more, see accounts.csv\n" : ""
        return table.render(width: width) + more
    }

    private static func totals(_ report: RunReport) -> String {
        let totals = report.totals
        var lines = [
            "\(totals.legsFlat) of \(totals.legs) legs closed, \(money(totals.notionalBefore)) USD; "
                + "\(totals.attempts) calls, \(totals.reads) reads, \(totals.ordersCancelled) orders cancelled, "
                + "\(totals.rateLimitRejections) rejected by limits"
        ]
        if let time = totals.timeToFlat {
            let bound = totals.lowerBound.map {
                ", limits allow \(ReportJSON.milliseconds($0.milliseconds)) s for the calls"
            }
            lines.append("proven flat after \(ReportJSON.milliseconds(time.milliseconds)) s\(bound ?? "")")
        }
        if let late = report.run.lateCloseUntil {
            lines.append(
                "a lost close may still execute until \(late.rfc3339); it can only close what this plan selects")
        }
        let silos = Set(report.accounts.flatMap { $0.notRead.map(\.silo) }).sorted()
        if !silos.isEmpty { lines.append("not read by this version: \(silos.joined(separator: ", "))") }
        lines.append("run \(report.run.id): \(report.run.status), exit code \(report.run.exitCode)")
        return lines.map(printable).joined(separator: "\n") + "\n"
    }

    private static func paint(_ text: String, _ code: String, _ color: Bool) -> String {
        color ? "\u{1B}[1;\(code)m\(printable(text))\u{1B}[0m" : printable(text)
    }
}
