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
        case .string(let text): harmless(text)
        case .array, .object: harmless(value.serialized())
        }
    }

    /// A text that a spreadsheet would take for a formula gets a leading quote; a plain number stays one.
    static func harmless(_ text: String) -> String {
        guard let first = text.unicodeScalars.first, "=+-@\t\r\n".unicodeScalars.contains(first) else { return text }
        return (try? Amount(text)) == nil ? "'" + text : text
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
