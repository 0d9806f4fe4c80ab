import ExchangeKit
import FlatbookCore

/// Resting orders of unified accounts. The sheet (§3.10) names the strategy calls but not their rows, and the calls of
/// ordinary orders not at all; shapes and parameters are those of common clients [U], so every variant is accepted.
extension Bitget {
    static let unifiedRegularList = "unfilled"

    /// Strategy orders by the `type` they are asked with.
    static let unifiedStrategyLists = ["strategy/tpsl": "tpsl", "strategy/trigger": "trigger"]

    static let unifiedLists = [unifiedRegularList, "strategy/tpsl", "strategy/trigger"]
    static let unifiedProtectiveLists: Set<String> = ["strategy/tpsl"]

    static func isUnified(list: String) -> Bool { unifiedLists.contains(list) }

    /// One page: a list, or an object with `list` and `cursor`. Strategy orders come whole, without pages.
    static func unifiedOrders(
        _ data: JSONValue, product: String, list: String, cursor: String?, book: InstrumentBook
    ) throws(MalformedReply) -> ReadAnswer {
        let rows: [ReplyRow]
        if let elements = data.elements {
            rows = try ReplyRow.rows(.array(elements))
        } else {
            rows = try unifiedRows(data)
        }
        var seen: Set<String> = []
        var orders: [RestingOrder] = []
        for row in rows {
            let order = try unifiedOrder(row, product: product, list: list, book: book)
            guard seen.insert(order.id).inserted else { throw MalformedReply("two rows of one order") }
            orders.append(order)
        }
        guard list == unifiedRegularList, rows.count >= pageSize else { return .orders(orders, next: nil) }
        guard let next = data["cursor"]?.text, !next.isEmpty, next != cursor else {
            throw MalformedReply("a full page without the next one")
        }
        return .orders(orders, next: next)
    }

    private static func unifiedOrder(
        _ row: ReplyRow, product: String, list: String, book: InstrumentBook
    ) throws(MalformedReply) -> RestingOrder {
        let native = try row.text("symbol")
        let instrument = book.find(nativeID: native, product: product)
        let isProtective = try isProtective(row, list: list)
        let (side, effect) = try unifiedExposure(row, isProtective: isProtective)
        return RestingOrder(
            id: try row.text("orderId"), product: product, instrument: instrument?.nativeID ?? native.uppercased(),
            symbol: instrument?.symbol ?? native.uppercased(), side: side, effect: effect, list: list,
            protective: isProtective, marginCurrency: try row.optionalText("marginCoin")?.uppercased())
    }

    /// Whether it is a TP/SL of a position. An exchange that does not heed `type` may list a trigger order among them.
    private static func isProtective(_ row: ReplyRow, list: String) throws(MalformedReply) -> Bool {
        guard list != unifiedRegularList else { return false }
        if let type = try row.optionalText("type") { return type.lowercased() == "tpsl" }
        let triggers = try row.optionalText("triggerPrice") != nil
        return unifiedProtectiveLists.contains(list) && !triggers
    }

    /// What executing an order would do. Unlike in API v2, `side` is always the trade and `posSide` the position.
    ///
    /// An order that nothing marks as closing can open a position and counts as an opener.
    private static func unifiedExposure(
        _ row: ReplyRow, isProtective: Bool
    ) throws(MalformedReply) -> (Side, RestingOrder.Effect) {
        let named = try row.optionalText("posSide").flatMap { Side(rawValue: $0.lowercased()) }
        let buys: Bool?
        switch try row.optionalText("side")?.lowercased() {
        case "buy": buys = true
        case "sell": buys = false
        case nil: buys = nil
        default: throw MalformedReply("side is unknown")
        }
        let isHedge = try row.optionalText("holdMode") == "hedge_mode"
        let opposes = isHedge && named != nil && buys.map { ($0 ? Side.long : .short) != named } == true
        let saysReduce = try row.optionalText("reduceOnly")?.lowercased() == "yes"
        let effect: RestingOrder.Effect = isProtective || saysReduce || opposes ? .closes : .opens
        // In one-way mode the trade decides; a `posSide` there, where there is one, repeats it or the position.
        if let named, isHedge || buys == nil || isProtective { return (named, effect) }
        guard let buys else { throw MalformedReply("neither posSide nor side names a side") }
        return (buys == (effect == .opens) ? .long : .short, effect)
    }

    /// By id only: `cancel-symbol-order` would take orders that were not asked for. An empty list names no order.
    static func unifiedCancel(_ call: CancelCall) -> [[(String, RequestBody.Value)]] {
        (call.orderIDs.isEmpty ? ["0"] : call.orderIDs).map { id in
            [
                ("category", .text(call.product)),
                ("symbol", .text(call.instrument.isEmpty ? refused : call.instrument)), ("orderId", .text(id)),
            ]
        }
    }

    /// `cancel-strategy-order` takes one id.
    static func unifiedCancelStrategy(_ call: CancelCall) -> [(String, RequestBody.Value)] {
        [("orderId", .text(call.orderIDs.first ?? "0"))]
    }

    /// Rows with a code each, bare or under `list`, or the two lists of API v2 [U]. Proof of a cancel is the order's id in a row without refusal.
    static func unifiedCancelled(_ envelope: BitgetEnvelope, _ call: CancelCall) throws(MalformedReply) -> Outcome {
        let data = envelope.data ?? .null
        if data["list"] == nil, data["successList"] != nil || data["failureList"] != nil {
            return try BitgetTargets(envelope, route: BitgetRoute.unifiedCancelOrders)
                .outcome(cancelling: call.orderIDs)
        }
        let rows: [ReplyRow]
        if data.elements != nil { rows = try ReplyRow.rows(data) } else { rows = try unifiedRows(data) }
        let targets = try BitgetTargets(rows: rows, of: envelope, route: BitgetRoute.unifiedCancelOrders)
        return try targets.outcome(cancelling: call.orderIDs)
    }

    /// The envelope's success stands for the one order; an id in the reply must be its own.
    static func unifiedStrategyCancelled(
        _ envelope: BitgetEnvelope, _ call: CancelCall
    ) throws(MalformedReply) -> Outcome {
        guard let data = envelope.data, let id = call.orderIDs.first else { throw MalformedReply("no order is named") }
        switch data {
        case .null, .string: break
        case .object:
            if let other = try ReplyRow(data).optionalText("orderId"), other != id {
                throw MalformedReply("an order is named that was not asked for")
            }
        default: throw MalformedReply("data is neither an order nor nothing")
        }
        return Outcome(
            effect: .executed, errorClass: .ok, code: envelope.code, orderIDs: [id],
            rows: [Outcome.Row(orderID: id, errorClass: .ok)])
    }

    /// Where a call names one order of several, the others are still there and must not count as gone.
    static func namingUnasked(_ outcome: Outcome, _ call: CancelCall) -> Outcome {
        guard call.orderIDs.count > 1 else { return outcome }
        var outcome = outcome
        if outcome.effect == .executed { outcome.effect = .partial }
        outcome.rows += call.orderIDs.dropFirst().map {
            Outcome.Row(orderID: $0, errorClass: .retry, code: "one-per-call", message: "not asked for yet")
        }
        return outcome
    }
}
