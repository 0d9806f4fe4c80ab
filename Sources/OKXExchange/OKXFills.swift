import ExchangeKit
public import FlatbookCore

/// What closes filled: the totals of completed orders (§3.1, §3.5). `close-position` names no order, so its client id,
/// fresh for each attempt, is the link.
extension OKX {
    /// One read for each instrument type, whatever was closed: the history holds completed orders with their totals.
    public func executionReads(
        of closes: [ExecutedClose], since: WallTime, until: WallTime, account: Account
    ) -> [ExecutionQuery] {
        let types = Set(closes.map(\.call.product))
        return Self.instrumentTypes.filter(types.contains).map {
            ExecutionQuery(product: $0, since: since, until: until)
        }
    }

    /// `begin` alone bounds the list, by creation (§3.1).
    static func historyQuery(_ query: ExecutionQuery) -> [VenueRequest.QueryItem] {
        var items = [
            VenueRequest.QueryItem("instType", query.product),
            VenueRequest.QueryItem("begin", String(query.since.milliseconds)),
        ]
        if let cursor = query.cursor { items.append(.init("after", cursor)) }
        return items + [.init("limit", String(pageSize))]
    }

    static func executions(_ rows: [ReplyRow], query: ExecutionQuery) throws(MalformedReply) -> ReadAnswer {
        var executions: [Execution] = []
        var last: String?
        for row in rows {
            last = try row.text("ordId")
            if let execution = try totals(row, type: query.product) { executions.append(execution) }
        }
        // A short page is the last one: nothing is proven by these, so a hint is enough (§3.1, pagination).
        let isMore = rows.count >= pageSize && last != query.cursor
        return .executions(executions, next: isMore ? last : nil)
    }

    /// Nil for orders that are not over, filled nothing, or were not the client's own doing (`category`, §3.5).
    private static func totals(_ row: ReplyRow, type: String) throws(MalformedReply) -> Execution? {
        guard try row.instrumentType() == type else { throw MalformedReply("an order of another type") }
        guard ["filled", "canceled", "mmp_canceled"].contains(try row.text("state")),
            try row.optionalText("category") ?? "normal" == "normal", let size = try row.filled("accFillSz")
        else { return nil }
        let isBuy: Bool
        switch try row.text("side") {
        case "buy": isBuy = true
        case "sell": isBuy = false
        default: throw MalformedReply("side is unknown")
        }
        let side: Side
        switch try row.optionalText("posSide") ?? "net" {
        case "long": side = .long
        case "short": side = .short
        case "net": side = isBuy ? .short : .long
        default: throw MalformedReply("posSide is unknown")
        }
        return Execution(
            orderID: try row.text("ordId"), clientOrderID: try row.optionalText("clOrdId"),
            instrument: try row.text("instId"), side: side, quantity: size,
            turnover: try row.turnover(of: size, at: "avgPx"), fees: try fees(row),
            realizedPnl: try row.optionalAmount("pnl"), at: try row.optionalTime("uTime"), isFinal: true)
    }

    /// §3.5: negative = paid, positive = rebate, which comes in a currency of its own.
    private static func fees(_ row: ReplyRow) throws(MalformedReply) -> [CoinAmount]? {
        guard let fee = try row.optionalAmount("fee"), let coin = try row.optionalText("feeCcy") else { return nil }
        var fees = [CoinAmount(fee.negated, coin: coin)]
        if let rebate = try row.optionalAmount("rebate"), !rebate.isZero {
            guard let coin = try row.optionalText("rebateCcy") else { return nil }
            fees.append(CoinAmount(rebate.magnitude.negated, coin: coin))
        }
        return fees
    }
}
