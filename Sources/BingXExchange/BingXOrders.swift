import ExchangeKit
import FlatbookCore

extension BingX {
    /// §3.2: `{"orders":[…]}` with all types in it, triggers included. The list is not paged.
    ///
    /// The shape of the TWAP list is in no document at hand: a list under `list` or `orders`, or `data` itself, is
    /// taken, and a `total` beyond the list makes it no read.
    static func orders(
        _ data: JSONValue, product: String, list: String, book: InstrumentBook
    ) throws(MalformedReply) -> [RestingOrder] {
        let isTWAP = list == twap
        let elements: [JSONValue]
        switch (data, data["orders"] ?? (isTWAP ? data["list"] : nil)) {
        case (.array(let all), _) where isTWAP: elements = all
        case (.object, .array(let all)?): elements = all
        // §5: list fields may be null; `data` itself may not.
        case (.object, .null?): elements = []
        default: throw MalformedReply("the list of orders is missing")
        }
        if case .object = data, let total = try ReplyRow(data).optionalText("total") {
            guard let count = Int(total), count <= elements.count else {
                throw MalformedReply("the list of orders is not complete")
            }
        }
        var seen: Set<String> = []
        var orders: [RestingOrder] = []
        for row in try ReplyRow.rows(.array(elements)) {
            let order = try order(row, product: product, list: list, book: book)
            guard seen.insert(order.id).inserted else { throw MalformedReply("two rows of one order") }
            orders.append(order)
        }
        return orders
    }

    private static func order(
        _ row: ReplyRow, product: String, list: String, book: InstrumentBook
    ) throws(MalformedReply) -> RestingOrder {
        let names = list == twap ? ["mainOrderId", "orderId", "orderID"] : ["orderId", "orderID"]
        guard let id = try row.optionalID(anyOf: names) else { throw MalformedReply("an order has no id") }
        let native = try row.text("symbol").uppercased()
        let instrument = book.find(nativeID: native, product: product)
        let (side, effect) = try exposure(row)
        return RestingOrder(
            id: id, product: product, instrument: instrument?.nativeID ?? native,
            symbol: instrument?.symbol ?? canonical(native, product: product), side: side, effect: effect, list: list,
            protective: effect == .closes ? try isProtective(row) : false)
    }

    /// What executing an order would do, and to which side of the position.
    ///
    /// Hedge mode says it in `side` against `positionSide`; one-way mode in `reduceOnly` alone. An order that nothing
    /// marks as closing can open a position and counts as an opener.
    private static func exposure(_ row: ReplyRow) throws(MalformedReply) -> (Side, RestingOrder.Effect) {
        let buys: Bool
        switch try row.text("side").uppercased() {
        case "BUY", "BID": buys = true
        case "SELL", "ASK": buys = false
        default: throw MalformedReply("side is unknown")
        }
        let reduces = [try row.optionalFlag("reduceOnly"), try row.optionalFlag("closePosition")].contains(true)
        let isNet = try row.optionalFlag("onlyOnePosition") == true
        switch try row.optionalText("positionSide")?.uppercased() {
        case "LONG" where !isNet: return (.long, reduces || !buys ? .closes : .opens)
        case "SHORT" where !isNet: return (.short, reduces || buys ? .closes : .opens)
        case nil, "BOTH", "LONG", "SHORT":
            return reduces ? (buys ? .short : .long, .closes) : (buys ? .long : .short, .opens)
        default: throw MalformedReply("positionSide is unknown")
        }
    }

    /// TP/SL of a position (§3.2): it closes, by its trigger or in whole.
    private static func isProtective(_ row: ReplyRow) throws(MalformedReply) -> Bool {
        if try row.optionalFlag("closePosition") == true { return true }
        let type = try row.optionalText("type")?.uppercased() ?? ""
        return type.hasPrefix("STOP") || type.hasPrefix("TAKE_PROFIT") || type == "TRAILING_TP_SL"
    }
}
