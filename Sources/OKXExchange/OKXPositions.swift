import ExchangeKit
import FlatbookCore

extension OKX {
    /// §3.3: every open row of the types asked for. Flat rows, of which nearly every other field is empty, and types that
    /// are no positions of ours (`EVENTS`) are left out.
    static func positions(
        _ rows: [ReplyRow], account: String, types: [String], book: InstrumentBook
    ) throws(MalformedReply) -> [Position] {
        var seen: Set<[String]> = []
        var ids: Set<String> = []
        var positions: [Position] = []
        for row in rows where !isZero(row) {
            let type = try row.instrumentType()
            guard types.contains(type) else { continue }
            let id = try row.text("instId")
            guard let size = try size(row) else { continue }
            let identity = [
                type, id.uppercased(), try row.text("mgnMode"), try row.text("posSide"),
                try row.optionalText("ccy") ?? "",
            ]
            guard seen.insert(identity).inserted else { throw MalformedReply("two rows of one position") }
            if let positionID = try row.optionalText("posId"), !ids.insert(positionID).inserted {
                throw MalformedReply("two rows of one posId")
            }
            positions.append(try position(row, type: type, id: id, size: size, account: account, book: book))
        }
        return positions
    }

    /// A size of zero is flat whatever else the row says or lacks, its type included (§3.3).
    private static func isZero(_ row: ReplyRow) -> Bool { (try? row.amount("pos"))?.isZero == true }

    /// Nil for a flat row. Nothing else of it is looked at: nearly all of it is empty (§3.3).
    ///
    /// An empty `pos` is flat only where every other sign of a position is empty too; a missing one proves nothing.
    private static func size(_ row: ReplyRow) throws(MalformedReply) -> Amount? {
        if row.value["pos"] == .string("") {
            for name in ["avgPx", "notionalUsd", "upl", "imr"] {
                if let sign = try row.optionalAmount(name), !sign.isZero { throw MalformedReply("pos is empty") }
            }
            return nil
        }
        let size = try row.amount("pos")
        return size.isZero ? nil : size
    }

    /// `ccy` is the margin's currency; without one the leg has none: a wrong one in a close would be refused (§3.5).
    private static func position(
        _ row: ReplyRow, type: String, id: String, size: Amount, account: String, book: InstrumentBook
    ) throws(MalformedReply) -> Position {
        let marginMode: MarginMode
        switch try row.text("mgnMode") {
        // Bought options of a spot-level account are held in cash (§7.11); they are closed as cross.
        case "cross", "cash": marginMode = .cross
        case "isolated": marginMode = .isolated
        default: throw MalformedReply("mgnMode is unknown")
        }
        let (side, mode) = try direction(row, type: type, id: id, size: size)
        let instrument = book.find(nativeID: id, product: type)
        let mark = try row.optionalUnsigned("markPx").flatMap { $0.isZero ? nil : $0 }
        let entry = try row.optionalUnsigned("avgPx").flatMap { $0.isZero ? nil : $0 }
        // An option's own price is a premium in coins: what it stands for is priced by its index (§3.2).
        let price = type == "OPTION" ? try row.optionalUnsigned("idxPx") : mark ?? entry
        let notional = try value(row, type: type, size: size, price: price, instrument: instrument)
        var key = LegKey(
            account: account, product: type, instrument: id, side: side, marginMode: marginMode,
            marginCurrency: try row.optionalText("ccy") ?? "")
        key.positionID = try row.optionalText("posId")
        return Position(
            key: key, symbol: instrument?.symbol ?? symbol(id, type: type), quantity: size.magnitude,
            notional: notional, entryPrice: entry, markPrice: mark, mode: mode, openedAt: try row.optionalTime("cTime"))
    }

    /// §3.3: the sign in net mode, `posSide` in long/short mode, and for margin the coin that is held.
    private static func direction(
        _ row: ReplyRow, type: String, id: String, size: Amount
    ) throws(MalformedReply) -> (Side, PositionMode) {
        switch try row.text("posSide") {
        case "long":
            guard !size.isNegative else { throw MalformedReply("a long leg of negative size") }
            return (.long, .hedge)
        case "short":
            // Positive as documented; a minus sign says the same.
            return (.short, .hedge)
        case "net":
            guard type == "MARGIN" else { return (size.isNegative ? .short : .long, .oneWay) }
            let held = try row.text("posCcy")
            let coins = id.split(separator: "-").map(String.init)
            guard coins.count == 2, coins.contains(held) else { throw MalformedReply("posCcy is unknown") }
            return (held == coins[0] ? .long : .short, .oneWay)
        default: throw MalformedReply("posSide is unknown")
        }
    }

    /// In USD: as the exchange says it, else contracts times their value (§3.2).
    private static func value(
        _ row: ReplyRow, type: String, size: Amount, price: Amount?, instrument: Instrument?
    ) throws(MalformedReply) -> Amount {
        if let said = try row.optionalAmount("notionalUsd") { return said.magnitude }
        guard let unit = type == "MARGIN" ? Amount(1) : instrument?.contractValue else { return .zero }
        do {
            let worth = try size.magnitude.multiplied(by: unit)
            // An inverse contract is worth so many dollars whatever the price; one of an option is always in coins.
            let isInverse =
                type != "OPTION" && instrument?.symbol.contains("/USD:") == true
                && instrument?.symbol.contains(":USD") == false
            guard !isInverse, type != "MARGIN" || price != nil else { return isInverse ? worth : .zero }
            return try price.map { try worth.multiplied(by: $0) } ?? .zero
        } catch {
            throw MalformedReply("the value of the position is beyond all measure")
        }
    }

    /// Whether the risk snapshot shows nothing open in the types asked for. A reply without its list proves nothing.
    static func isConsistentWithFlat(_ rows: [ReplyRow], types: [String]) throws(MalformedReply) -> Bool {
        guard rows.count == 1, let row = rows.first else { throw MalformedReply("the snapshot is no single row") }
        for position in try ReplyRow.rows(row.value["posData"]) {
            guard types.contains(try position.instrumentType()) else { continue }
            if try size(position) != nil { return false }
        }
        return true
    }
}
