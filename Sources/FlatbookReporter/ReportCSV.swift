package import FlatbookCore

/// The same fields as `report.json`, one header row, RFC 4180, in the contract's order (§6).
package enum ReportCSV {
    package static func legs(_ report: RunReport) -> String {
        table(report.legs.map(ReportJSON.leg), columns: ReportJSON.leg(Self.noLeg).map(\.name))
    }

    package static func calls(_ report: RunReport) -> String {
        table(report.calls.map(ReportJSON.call), columns: ReportJSON.call(Self.noCall).map(\.name))
    }

    package static func accounts(_ report: RunReport) -> String {
        table(report.accounts.map(ReportJSON.account), columns: ReportJSON.account(Self.noAccount).map(\.name))
    }

    /// Rows only lend their column names, so that an empty report has its header.
    private static let noLeg = RunReport.LegRow(
        key: LegKey(account: "", product: "", instrument: "", side: .long, marginMode: .cross, marginCurrency: ""),
        exchange: ExchangeID(""), symbol: "", quantityBefore: .zero, notionalBefore: .zero, entryPrice: nil,
        markPrice: nil, state: .unknown, reason: nil, closedBy: nil, reopened: 0, quantityAfter: nil, firstCallAt: nil,
        flatProvenAt: nil, proof: [], error: nil)
    private static let noCall = RunReport.CallRow(
        id: "", account: "", operation: "", target: "", plannedAt: nil, sentAt: nil, answeredAt: nil, attempt: 0,
        effect: .none, errorClass: .ok, exchangeCode: "", message: "", orderIDs: [], limitWait: .zero)
    private static let noAccount = RunReport.AccountRow(
        name: "", exchange: ExchangeID(""), uid: nil, state: .unknown, reason: nil, positionMode: nil, evidence: nil,
        read: [], notRead: [], legs: 0, notionalBefore: .zero, notionalAfter: .zero, timeToFlat: nil,
        openersRemain: 0, error: nil, isDisabled: false)

    private static func table(_ rows: [[JSONValue.Member]], columns: [String]) -> String {
        ([columns] + rows.map { $0.map { cell($0.value) } }).map { row in
            row.map(quoted).joined(separator: ",") + "\r\n"
        }.joined()
    }

    private static func cell(_ value: JSONValue) -> String {
        switch value {
        case .null: ""
        case .bool(let flag): flag ? "true" : "false"
        case .number(let text): text
        case .string(let text): harmless(safe(text))
        case .array, .object: harmless(value.serialized())
        }
    }

    /// A text that a spreadsheet would take for a formula gets a leading quote; a plain number stays one.
    static func harmless(_ text: String) -> String {
        // Some programs trim blanks first, and take the wide forms for the narrow ones.
        guard let first = text.unicodeScalars.first(where: { $0 != " " }), triggers.contains(first) else { return text }
        return (try? Amount(text)) == nil ? "'" + text : text
    }

    private static let triggers = "=+-@\t\r\n\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}".unicodeScalars

    /// Files are also looked at with `cat`: no controls but line breaks and tabs, and nothing that reorders letters.
    private static func safe(_ text: String) -> String {
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x09, 0x0A, 0x0D: out.append(scalar)
            case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF:
                out.append("\u{FFFD}")
            default: out.append(scalar)
            }
        }
        return String(out)
    }

    private static func quoted(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { ",\"\r\n".unicodeScalars.contains($0) }) else { return text }
        // By scalars: a quote with a combining mark is one Character and would be passed over.
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar == "\"" { out.append(scalar) }
            out.append(scalar)
        }
        return "\"" + String(out) + "\""
    }
}
