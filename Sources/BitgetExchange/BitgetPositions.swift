import ExchangeKit
import FlatbookCore

extension Bitget {
    /// §3.2. One row per symbol, margin coin, side and margin mode; rows of size zero are flat and left out.
    static func positions(
        _ rows: [ReplyRow], account: String, product: String, book: InstrumentBook
    ) throws(MalformedReply) -> [Position] {
        var seen: Set<[String]> = []
        var positions: [Position] = []
        for row in rows {
            let identity = [
                try row.text("symbol").uppercased(), try row.optionalText("holdSide") ?? "",
                try row.optionalText("marginCoin") ?? "", try row.optionalText("marginMode") ?? "",
            ]
            guard seen.insert(identity).inserted else { throw MalformedReply("two rows of one position") }
            if let position = try position(row, account: account, product: product, book: book) {
                positions.append(position)
            }
        }
        return positions
    }

    private static func position(
        _ row: ReplyRow, account: String, product: String, book: InstrumentBook
    ) throws(MalformedReply) -> Position? {
        let total = try row.amount("total")
        guard !total.isNegative else { throw MalformedReply("total is negative") }
        guard !total.isZero else { return nil }
        guard let side = Side(rawValue: try row.text("holdSide").lowercased()) else {
            throw MalformedReply("holdSide is unknown")
        }
        let marginMode: MarginMode
        switch try row.text("marginMode") {
        case "crossed", "cross": marginMode = .cross
        case "isolated": marginMode = .isolated
        default: throw MalformedReply("marginMode is unknown")
        }
        let mode: PositionMode
        switch try row.text("posMode") {
        case "one_way_mode": mode = .oneWay
        case "hedge_mode": mode = .hedge
        default: throw MalformedReply("posMode is unknown")
        }
        let native = try row.text("symbol")
        let instrument = book.find(nativeID: native, product: product)
        let entry = try row.optionalUnsigned("openPriceAvg").flatMap { $0.isZero ? nil : $0 }
        let mark = try row.optionalUnsigned("markPrice").flatMap { $0.isZero ? nil : $0 }
        guard let price = mark ?? entry else { throw MalformedReply("neither markPrice nor openPriceAvg") }
        let notional: Amount
        // Sizes are in base coin for all three products, prices in USD or a dollar coin.
        do { notional = try total.multiplied(by: price) } catch { throw MalformedReply("notional is out of range") }
        return Position(
            key: LegKey(
                account: account, product: product, instrument: instrument?.nativeID ?? native.uppercased(),
                side: side, marginMode: marginMode, marginCurrency: try row.text("marginCoin").uppercased()),
            symbol: instrument?.symbol ?? native.uppercased(), quantity: total, notional: notional, entryPrice: entry,
            markPrice: mark, heldByOrders: try row.optionalUnsigned("locked") ?? .zero, mode: mode,
            openedAt: try row.optionalTime("cTime"))
    }
}
