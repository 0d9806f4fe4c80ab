import FlatbookCore
@testable import FlatbookReporter

extension FuzzTarget {
    /// Any texts and numbers in a report: CSV keeps its rows and holds no formula, JSON keeps the text, nothing steers a terminal.
    static let report = FuzzTarget("report", maximumLength: 2048, dictionary: "names") {
        { bytes in
            var chooser = Chooser(bytes)
            let report = made(&chooser)
            for (csv, rows) in [
                (ReportCSV.legs(report), report.legs.count), (ReportCSV.calls(report), report.calls.count),
                (ReportCSV.accounts(report), report.accounts.count),
            ] {
                guard let table = CSV.parse(csv) else { broken("the CSV does not parse") }
                promise(table.count == rows + 1, "\(rows) rows became \(table.count - 1)")
                for row in table {
                    promise(row.count == table[0].count, "a row of \(row.count) cells under \(table[0].count)")
                    for cell in row { promise(CSV.isHarmless(cell), "a formula: \(cell)") }
                }
                checkPrinted(csv)
            }
            let text = ReportJSON.render(report)
            guard let value = try? JSONValue.parse(Array(text.utf8)) else { broken("the report is no JSON") }
            promise(
                value["calls"]?.elements?.first?["message"]?.text == report.calls[0].message, "the message is changed")
            checkPrinted(text)
            checkPrinted(ReportTable.render(report, width: 80, color: false))
            checkPrinted(ReportTable.headline(report))
        }
    }

    private static func checkPrinted(_ text: String) {
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x0A, 0x0D, 0x09: continue
            case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E...0x200F, 0x202A...0x202E, 0x2066...0x2069:
                broken("a report holds U+\(String(scalar.value, radix: 16))")
            default: continue
            }
        }
    }

    private static func made(_ chooser: inout Chooser) -> RunReport {
        let amount = (try? Amount(chooser.text())) ?? .zero
        let (a, b) = (chooser.text(), chooser.text())
        let (wall, span) = (WallTime(milliseconds: chooser.number()), TimeSpan(nanoseconds: chooser.number()))
        let c = String(decoding: chooser.bytes, as: UTF8.self)
        let note = ErrorNote(errorClass: a, exchangeCode: b, message: c, action: a)
        let key = LegKey(
            account: a, product: b, instrument: c, side: .long, marginMode: .cross, marginCurrency: b, positionID: c)
        var totals = RunReport.Totals()
        totals.notionalBefore = amount
        totals.timeToFlat = span
        return RunReport(
            run: RunReport.Run(
                id: a, plans: [b, c], planDigest: c, environment: .production, status: a, exitCode: 11, startedAt: wall,
                finishedAt: wall, deadline: wall, host: b, version: c, journalHead: a, lateCloseUntil: wall),
            totals: totals,
            accounts: [
                RunReport.AccountRow(
                    name: a, exchange: ExchangeID(b), uid: c, state: .residual, reason: c, positionMode: .hedge,
                    evidence: a, read: [b, c], notRead: [.init(silo: a, reason: c)], legs: 1, notionalBefore: amount,
                    notionalAfter: amount, timeToFlat: span, openersRemain: 1, error: note, isDisabled: false)
            ],
            legs: [
                RunReport.LegRow(
                    key: key, exchange: ExchangeID(a), symbol: b, quantityBefore: amount, notionalBefore: amount,
                    entryPrice: amount, markPrice: nil, state: .unknown, reason: c, closedBy: a, reopened: 1,
                    quantityAfter: amount, firstCallAt: wall, flatProvenAt: wall,
                    proof: [.init(sentAt: wall, serverTime: wall, digest: c)], error: note)
            ],
            calls: [
                RunReport.CallRow(
                    id: a, account: b, operation: c, target: a, plannedAt: span, sentAt: wall, answeredAt: wall,
                    attempt: 1, effect: .unknown, errorClass: .unknown, exchangeCode: b, message: c, orderIDs: [a, b],
                    limitWait: span)
            ], limits: [])
    }
}

/// RFC 4180, read back.
enum CSV {
    static func parse(_ text: String) -> [[String]]? {
        var rows: [[String]] = []
        var row: [String] = []
        var cell = String.UnicodeScalarView()
        var isQuoted = false
        var scalars = text.unicodeScalars[...]
        while let scalar = scalars.popFirst() {
            if isQuoted {
                guard scalar == "\"" else {
                    cell.append(scalar)
                    continue
                }
                if scalars.first == "\"" { cell.append(scalars.removeFirst()) } else { isQuoted = false }
                continue
            }
            switch scalar {
            case "\"" where cell.isEmpty: isQuoted = true
            case ",":
                row.append(String(cell))
                cell = String.UnicodeScalarView()
            case "\r":
                guard scalars.popFirst() == "\n" else { return nil }
                rows.append(row + [String(cell)])
                (row, cell) = ([], String.UnicodeScalarView())
            case "\n": return nil
            default: cell.append(scalar)
            }
        }
        return isQuoted || !row.isEmpty || !cell.isEmpty ? nil : rows
    }

    static func isHarmless(_ cell: String) -> Bool {
        guard let first = cell.unicodeScalars.first(where: { $0 != " " }) else { return true }
        return !"=+-@\t\r\n".unicodeScalars.contains(first) || (try? Amount(cell)) != nil
    }
}
