import ExchangeKit
public import FlatbookCore

extension OKX {
    /// §3.1: closed positions of all types, newest first; one page holds more than a run can miss.
    public func endingReads(of account: Account, products: Set<String>) -> [Read] {
        partitions(of: account).map { .endings(product: $0.id) }
    }

    /// §3.3: `type` 3 and 4 are liquidations, 5 and 6 auto-deleveraging. What was closed by an order, or delivered, shows
    /// as 1 or 2 and says nothing here.
    static func endings(_ rows: [ReplyRow]) throws(MalformedReply) -> [PositionEnding] {
        var endings: [PositionEnding] = []
        for row in rows {
            let by: Closer
            switch try row.optionalText("type") {
            case "3", "4": by = .liquidation
            case "5", "6": by = .adl
            default: continue
            }
            // In net mode `posSide` says nothing of the direction; the position's id does.
            let side = try row.optionalText("direction").flatMap { Side(rawValue: $0.lowercased()) }
            endings.append(
                PositionEnding(
                    instrument: try row.text("instId"), side: side, positionID: try row.optionalText("posId"), by: by,
                    at: try row.optionalTime("uTime")))
        }
        return endings
    }
}
