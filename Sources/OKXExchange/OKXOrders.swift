import ExchangeKit
import FlatbookCore

extension OKX {
    /// One page of the pending or of an algo list (§3.4). Only an empty page is the end (§3.1, pagination).
    static func orders(
        _ rows: [ReplyRow], list: String, cursor: String?, types: [String], book: InstrumentBook
    ) throws(MalformedReply) -> ReadAnswer {
        let isAlgo = list != pendingOrders
        var orders: [RestingOrder] = []
        var last: String?
        for row in rows {
            last = try row.text(isAlgo ? "algoId" : "ordId")
            if let order = try order(row, list: list, isAlgo: isAlgo, types: types, book: book) { orders.append(order) }
        }
        guard let last else { return .orders([], next: nil) }
        if last == cursor { throw MalformedReply("the page after \(ReplyText.code(last)) is the same page") }
        return .orders(orders, next: last)
    }

    /// Nil for orders of markets without positions (spot), and of types that the account's options leave out.
    private static func order(
        _ row: ReplyRow, list: String, isAlgo: Bool, types: [String], book: InstrumentBook
    ) throws(MalformedReply) -> RestingOrder? {
        let type = try row.instrumentType()
        guard types.contains(type) else { return nil }
        let id = try row.text("instId")
        let isBuy: Bool
        switch try row.text("side") {
        case "buy": isBuy = true
        case "sell": isBuy = false
        default: throw MalformedReply("side is unknown")
        }
        let closes: Bool
        let side: Side
        switch try row.optionalText("posSide") ?? "net" {
        case "long": (side, closes) = (.long, !isBuy)
        case "short": (side, closes) = (.short, isBuy)
        case "net":
            // In net mode only the flag says whether it can open (§7.4).
            let reduces = row.value["reduceOnly"]?.isTrue == true || row.value["closeFraction"]?.text == "1"
            closes = reduces
            // A reduce-only buy closes a short.
            side = isBuy != reduces ? .long : .short
        default: throw MalformedReply("posSide is unknown")
        }
        let instrument = book.find(nativeID: id, product: type)
        return RestingOrder(
            id: try row.text(isAlgo ? "algoId" : "ordId"), product: type, instrument: id,
            symbol: instrument?.symbol ?? symbol(id, type: type), side: side, effect: closes ? .closes : .opens,
            list: list, protective: closes && isAlgo && list.hasPrefix("conditional"),
            marginCurrency: try row.optionalText("ccy"))
    }
}
