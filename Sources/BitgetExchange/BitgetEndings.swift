import ExchangeKit
public import FlatbookCore

extension Bitget {
    /// §3.3: the newest orders of each plain product. Copied positions and unified accounts have no call for it in the sheet.
    public func endingReads(of account: Account, products: Set<String>) -> [Read] {
        guard BitgetFamily.of(account) == .classic else { return [] }
        return products.filter { !$0.hasPrefix(Self.copyPrefix) }.sorted().map { .endings(product: $0) }
    }

    /// §3.3: `tradeSide` tells whose order it was: `reduce_*` and `burst_*` liquidate, `dte_sys_adl_*` deleverages,
    /// `delivery_*` settles. That such orders stand in this list is [U]: without them the report says `other`.
    static func endings(_ data: JSONValue) throws(MalformedReply) -> [PositionEnding] {
        let rows: [ReplyRow]
        switch try ReplyRow(data).value["entrustedList"] {
        case .null?: rows = []
        case .array(let elements)?: rows = try ReplyRow.rows(.array(elements))
        default: throw MalformedReply("entrustedList is missing or no list")
        }
        var endings: [PositionEnding] = []
        for row in rows {
            guard let word = try row.optionalText("tradeSide")?.lowercased(), let by = closer(word) else { continue }
            let side: Side?
            if word.hasSuffix("_long") || word.hasSuffix("_short") {
                side = word.hasSuffix("_long") ? .long : .short
            } else {
                side = try row.optionalText("posSide").flatMap { Side(rawValue: $0.lowercased()) }
            }
            let updated = try row.optionalTime("uTime")
            let created = try row.optionalTime("cTime")
            endings.append(
                PositionEnding(instrument: try row.text("symbol"), side: side, by: by, at: updated ?? created))
        }
        return endings
    }

    private static func closer(_ tradeSide: String) -> Closer? {
        if tradeSide.hasPrefix("burst_") || tradeSide.hasPrefix("reduce_") { return .liquidation }
        if tradeSide.hasPrefix("dte_sys_adl_") { return .adl }
        return tradeSide.hasPrefix("delivery_") ? .delivery : nil
    }
}
