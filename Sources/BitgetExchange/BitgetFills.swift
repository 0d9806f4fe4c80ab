import ExchangeKit
public import FlatbookCore

/// What closes filled: trades of classic accounts, closed copies of followers, order details of unified accounts.
extension Bitget {
    /// Classic: the trades of a product (§3.3), and the closed copies of one (§3.6); one read each, whatever was closed.
    /// Unified: the sheet has no list of fills, so one read for each order (§3.10).
    public func executionReads(
        of closes: [ExecutedClose], since: WallTime, until: WallTime, account: Account
    ) -> [ExecutionQuery] {
        var queries: [ExecutionQuery] = []
        for close in closes where !close.orderIDs.isEmpty {
            if close.call.method.operation == BitgetRoute.unifiedClose {
                queries += close.orderIDs.map {
                    ExecutionQuery(product: close.call.product, orderID: $0, since: since, until: until)
                }
            } else {
                queries.append(ExecutionQuery(product: close.call.product, since: since, until: until))
            }
        }
        var seen: Set<ExecutionQuery> = []
        return queries.filter { seen.insert($0).inserted }
    }

    static func fillsRoute(_ query: ExecutionQuery) -> String {
        if query.product.hasPrefix(copyPrefix) { return BitgetRoute.copyHistory }
        return query.orderID == nil ? BitgetRoute.fills : BitgetRoute.unifiedOrderInfo
    }

    /// `startTime` alone bounds the list: what an exchange does with an end in its future is [U].
    static func fillsQuery(_ query: ExecutionQuery) -> [String: String] {
        if let order = query.orderID { return ["orderId": order] }
        var parameters = [
            "productType": productType(query.product), "limit": String(pageSize),
            "startTime": String(query.since.milliseconds),
        ]
        parameters["idLessThan"] = query.cursor
        return parameters
    }

    static func fills(
        _ data: JSONValue, query: ExecutionQuery, route: String
    ) throws(MalformedReply) -> ReadAnswer {
        switch route {
        case BitgetRoute.unifiedOrderInfo:
            let order = try ReplyRow(data)
            return .executions(try unifiedTotals(order, of: query).map { [$0] } ?? [], next: nil)
        case BitgetRoute.copyHistory:
            return try page(data, list: "trackingList", query: query) { row throws(MalformedReply) in try copied(row) }
        default:
            return try page(data, list: "fillList", query: query) { row throws(MalformedReply) in try trade(row) }
        }
    }

    /// `{"fillList":[…]|null,"endId":…}`; a full page has one after it.
    private static func page(
        _ data: JSONValue, list: String, query: ExecutionQuery,
        _ read: (ReplyRow) throws(MalformedReply) -> Execution?
    ) throws(MalformedReply) -> ReadAnswer {
        let page = try ReplyRow(data)
        let rows: [ReplyRow]
        switch page.value[list] {
        case .null?: rows = []
        case .array(let elements)?: rows = try ReplyRow.rows(.array(elements))
        default: throw MalformedReply("\(list) is missing or no list")
        }
        var executions: [Execution] = []
        for row in rows { if let execution = try read(row) { executions.append(execution) } }
        let end = try page.optionalText("endId")
        let isMore = rows.count >= pageSize && end != nil && end != query.cursor
        return .executions(executions, next: isMore ? end : nil)
    }

    /// One trade. In hedge mode `side` names the position, in one-way mode the trade (§3.5); `tradeSide` tells which, and
    /// also whether the exchange did it by itself (`burst_…`, `reduce_…`, `dte_sys_adl_…`): those are no closes of ours.
    private static func trade(_ row: ReplyRow) throws(MalformedReply) -> Execution? {
        guard let size = try row.filled("baseVolume") else { return nil }
        let isBuy: Bool
        switch try row.text("side").lowercased() {
        case "buy": isBuy = true
        case "sell": isBuy = false
        default: throw MalformedReply("side is unknown")
        }
        let side: Side
        switch try row.text("tradeSide").lowercased() {
        case "close": side = isBuy ? .long : .short
        case "buy_single", "sell_single": side = isBuy ? .short : .long
        default: return nil
        }
        return Execution(
            orderID: try row.text("orderId"), tradeID: try row.text("tradeId"),
            instrument: try row.text("symbol").uppercased(), side: side, quantity: size,
            turnover: try row.turnover(of: size, at: "price"), fees: try tradeFees(row),
            realizedPnl: try row.optionalAmount("profit"), at: try row.optionalTime("cTime"), isFinal: false)
    }

    /// §3.3: negative when paid. Where another coin paid (`deduction`), what it paid is `totalDeductionFee`, and the row
    /// does not say in which coin: no fee then.
    private static func tradeFees(_ row: ReplyRow) throws(MalformedReply) -> [CoinAmount]? {
        guard case .array(let elements)? = row.value["feeDetail"], !elements.isEmpty else { return nil }
        var fees: [CoinAmount] = []
        for detail in try ReplyRow.rows(.array(elements)) {
            guard try detail.optionalText("deduction")?.lowercased() != "yes",
                let amount = try detail.optionalAmount("totalFee"), let coin = try detail.optionalText("feeCoin")
            else { return nil }
            fees.append(CoinAmount(amount.negated, coin: coin.uppercased()))
        }
        return fees
    }

    /// §3.6: a closed copy names its closing order and the average price. Neither fee nor profit are documented.
    private static func copied(_ row: ReplyRow) throws(MalformedReply) -> Execution? {
        guard let order = try row.optionalText("closeOrderId"), order != "0",
            let size = try row.filled("closeSize"), try row.optionalTime("closeTime") != nil,
            let side = Side(rawValue: try row.text("posSide").lowercased())
        else { return nil }
        let number = try row.text("trackingNo")
        // One order may close several copies; each has a row of its own.
        return Execution(
            orderID: order, tradeID: number, instrument: try row.text("symbol").uppercased(), side: side,
            positionID: number, quantity: size, turnover: try row.turnover(of: size, at: "closeAvgPrice"),
            at: try row.optionalTime("closeTime"), isFinal: false)
    }

    /// §3.10. Only a terminal order has its final totals.
    private static func unifiedTotals(
        _ row: ReplyRow, of query: ExecutionQuery
    ) throws(MalformedReply) -> Execution? {
        let id = try row.text("orderId")
        guard id == query.orderID else { throw MalformedReply("the reply is of another order") }
        guard ["filled", "cancelled", "canceled"].contains(try row.text("orderStatus").lowercased()) else { return nil }
        guard let size = try row.filled("cumExecQty") else { return nil }
        let side: Side
        // `side` is always the trade (``unifiedExposure``): a close of a long sells.
        switch try row.text("side").lowercased() {
        case "buy": side = .short
        case "sell": side = .long
        default: throw MalformedReply("side is unknown")
        }
        return Execution(
            orderID: id, instrument: try row.text("symbol").uppercased(), side: side, quantity: size,
            turnover: try row.turnover(of: size, at: "avgPrice"), fees: try unifiedFees(row),
            realizedPnl: try row.optionalAmount("totalProfit"), at: try row.optionalTime("updatedTime"), isFinal: true)
    }

    /// The sign is [U]: both are seen. A market order takes, and a taker pays here, so the size of it is what was paid.
    private static func unifiedFees(_ row: ReplyRow) throws(MalformedReply) -> [CoinAmount]? {
        guard case .array(let elements)? = row.value["feeDetail"], !elements.isEmpty else { return nil }
        guard try row.optionalText("orderType")?.lowercased() == "market" else { return nil }
        var fees: [CoinAmount] = []
        for detail in try ReplyRow.rows(.array(elements)) {
            guard let amount = try detail.optionalAmount("fee"), let coin = try detail.optionalText("feeCoin")
            else { return nil }
            fees.append(CoinAmount(amount.magnitude, coin: coin.uppercased()))
        }
        return fees
    }
}
