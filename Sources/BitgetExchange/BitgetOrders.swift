import ExchangeKit
import FlatbookCore

extension Bitget {
    /// One page of a list (§3.3): `{"entrustedList":[…],"endId":…}`, where the list is null when empty.
    static func orders(
        _ data: JSONValue, product: String, list: String, cursor: String?, book: InstrumentBook
    ) throws(MalformedReply) -> ReadAnswer {
        let page = try ReplyRow(data)
        let rows: [ReplyRow]
        switch page.value["entrustedList"] {
        case .null?: rows = []
        case .array(let elements)?: rows = try ReplyRow.rows(.array(elements))
        default: throw MalformedReply("entrustedList is missing or no list")
        }
        var seen: Set<String> = []
        var orders: [RestingOrder] = []
        for row in rows {
            let order = try order(row, product: product, list: list, book: book)
            guard seen.insert(order.id).inserted else { throw MalformedReply("two rows of one order") }
            orders.append(order)
        }
        let endID = try page.optionalText("endId")
        guard rows.count >= pageSize else { return .orders(orders, next: nil) }
        // A full page without a new place to go on from cannot be known to be the last.
        guard let endID, endID != cursor else { throw MalformedReply("a full page without the next one") }
        return .orders(orders, next: endID)
    }

    private static func order(
        _ row: ReplyRow, product: String, list: String, book: InstrumentBook
    ) throws(MalformedReply) -> RestingOrder {
        let native = try row.text("symbol")
        let instrument = book.find(nativeID: native, product: product)
        let isProtective = list == "profit_loss"
        let (side, effect) = try exposure(row, isProtective: isProtective)
        var kind = "normal"
        if regularLists[list] == nil {
            // A row is cancelled with its own type (§3.3); one that is missing or new, with the type it was listed by.
            let own = try row.optionalText("planType") ?? list
            kind = planTypes.contains(own) ? own : list
        }
        return RestingOrder(
            id: try row.text("orderId"), product: product, instrument: instrument?.nativeID ?? native.uppercased(),
            symbol: instrument?.symbol ?? native.uppercased(), side: side, effect: effect, list: kind,
            protective: isProtective, marginCurrency: try row.optionalText("marginCoin")?.uppercased())
    }

    /// What executing an order would do, and to which side of the position.
    ///
    /// Hedge mode says it in `tradeSide`; one-way mode only in `reduceOnly`. An order that neither marks as closing can
    /// open a position, whatever else is unknown about it, and counts as an opener.
    private static func exposure(
        _ row: ReplyRow, isProtective: Bool
    ) throws(MalformedReply) -> (Side, RestingOrder.Effect) {
        let tradeSide = try row.optionalText("tradeSide")?.lowercased() ?? ""
        let reduceOnly = try row.optionalText("reduceOnly")?.uppercased() ?? ""
        // Orders of the exchange itself: liquidation, netting, delivery, auto-deleveraging.
        let isVenueClose = ["reduce_", "burst_", "offset_", "delivery_", "dte_sys_adl_"].contains {
            tradeSide.hasPrefix($0)
        }
        let posMode = try row.optionalText("posMode") ?? ""
        // Each mode ignores the other one's word, so a word of the wrong mode proves nothing against the right one.
        let saysClose = tradeSide == "close" && !(posMode == "one_way_mode" && reduceOnly == "NO")
        let saysReduce = reduceOnly == "YES" && tradeSide != "open"
        let closes = isProtective || isVenueClose || saysClose || saysReduce
        let effect: RestingOrder.Effect = closes ? .closes : .opens
        if let named = try row.optionalText("posSide")?.lowercased(), let side = Side(rawValue: named) {
            return (side, effect)
        }
        let buys: Bool
        switch try row.optionalText("side")?.lowercased() {
        case "buy": buys = true
        case "sell": buys = false
        default: throw MalformedReply("neither posSide nor side names a side")
        }
        // Without posSide: in hedge mode `side` names the position (§3.5), in one-way mode the trade.
        if posMode == "hedge_mode" || effect == .opens { return (buys ? .long : .short, effect) }
        return (buys ? .short : .long, effect)
    }
}
