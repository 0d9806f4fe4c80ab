import ExchangeKit
public import FlatbookCore

/// What closes filled: the totals of orders (§3.2, §3.6, §10).
extension BingX {
    /// `swap`: one order by its id, several by the account's order history. `cswap`: by id, it has no history (§10).
    public func executionReads(
        of closes: [ExecutedClose], since: WallTime, until: WallTime, account: Account
    ) -> [ExecutionQuery] {
        var named: [(order: String, call: CloseCall)] = []
        for close in closes { named += close.orderIDs.map { (order: $0, call: close.call) } }
        let coin = named.filter { $0.call.product == cswapName }
        let linear = named.filter { $0.call.product != cswapName }
        let isList = linear.count > 1 || linear.contains { Self.instrument(of: $0.call) == nil }
        let single = (isList ? [] : linear) + coin
        var queries = single.map { order, call in
            ExecutionQuery(
                product: call.product, instrument: Self.instrument(of: call), orderID: order, since: since, until: until
            )
        }
        if isList { queries.append(ExecutionQuery(product: Self.swap, since: since, until: until)) }
        return queries
    }

    private var cswapName: String { Self.cswap }

    /// The symbol, where the close can have been of one only.
    private static func instrument(of call: CloseCall) -> String? {
        let symbols = Set(call.legs.map(\.instrument))
        return call.instrument ?? (call.method.reach == .product || symbols.count != 1 ? nil : symbols.first)
    }

    static func fillsRoute(_ query: ExecutionQuery) -> String {
        if query.product == cswap { return BingXRoute.cswapOrderDetail }
        return query.orderID == nil ? BingXRoute.orderHistory : BingXRoute.orderDetail
    }

    /// §3.6: at most seven days of history, a thousand orders a page; order detail by symbol and id.
    static func fillsParameters(_ query: ExecutionQuery) -> [String: String] {
        var parameters: [String: String] = [:]
        if let order = query.orderID {
            parameters["orderId"] = order
            parameters["symbol"] = query.instrument
        } else {
            let week = WallTime(milliseconds: query.until.milliseconds - 6 * 86_400_000)
            parameters["startTime"] = String(max(query.since.milliseconds, week.milliseconds))
            parameters["endTime"] = String(query.until.milliseconds)
            parameters["limit"] = "1000"
        }
        return parameters
    }

    static func executions(_ data: JSONValue, query: ExecutionQuery) throws(MalformedReply) -> ReadAnswer {
        let page = try ReplyRow(data)
        if let wanted = query.orderID {
            // Not there yet: an error, or a null in place of the order (§3.6).
            guard let order = page.value["order"], !order.isNull else {
                guard page.value["order"] != nil else { throw MalformedReply("order is missing") }
                return .executions([], next: nil)
            }
            let row = try ReplyRow(order)
            guard try row.optionalID(anyOf: ["orderID", "orderId"]) == wanted else {
                throw MalformedReply("the reply is of another order")
            }
            return .executions(try totals(row).map { [$0] } ?? [], next: nil)
        }
        switch page.value["orders"] {
        case .null?: return .executions([], next: nil)
        case .array(let elements)?:
            var executions: [Execution] = []
            for row in try ReplyRow.rows(.array(elements)) {
                if let execution = try totals(row) { executions.append(execution) }
            }
            return .executions(executions, next: nil)
        default: throw MalformedReply("orders is missing or no list")
        }
    }

    /// Nil for orders that are not over or filled nothing.
    private static func totals(_ row: ReplyRow) throws(MalformedReply) -> Execution? {
        let over: Set<String> = ["FILLED", "CANCELED", "CANCELLED", "FAILED", "EXPIRED"]
        guard over.contains(try row.text("status").uppercased()), let size = try row.filled("executedQty")
        else { return nil }
        guard let id = try row.optionalID(anyOf: ["orderID", "orderId"]) else { throw MalformedReply("no order id") }
        return Execution(
            orderID: id, clientOrderID: try row.optionalText(anyOf: ["clientOrderID", "clientOrderId"]),
            instrument: try row.text("symbol").uppercased(), side: try closedSide(row),
            positionID: try row.optionalID(anyOf: ["positionID", "positionId"]), quantity: size,
            turnover: try row.turnover(of: size, at: "avgPrice"), fees: try fees(row),
            realizedPnl: try row.optionalAmount("profit"),
            at: try row.optionalTime("updateTime"), isFinal: true)
    }

    /// The position's side where the row names it, else the opposite of the trade's: `BUY`, or `Bid` (§3.4), closes a short.
    private static func closedSide(_ row: ReplyRow) throws(MalformedReply) -> Side {
        switch try row.optionalText("positionSide")?.uppercased() {
        case "LONG"?: return .long
        case "SHORT"?: return .short
        case nil, "BOTH"?: break
        default: throw MalformedReply("positionSide is unknown")
        }
        switch try row.text("side").uppercased() {
        case "BUY", "BID": return .short
        case "SELL", "ASK": return .long
        default: throw MalformedReply("side is unknown")
        }
    }

    /// Negative = paid: said of fills (§3.6), shown so by orders. A market order only takes, and a taker is paid nothing
    /// here: a positive one could mean either, so it is no figure. The coin is the margin's.
    private static func fees(_ row: ReplyRow) throws(MalformedReply) -> [CoinAmount]? {
        guard let commission = try row.optionalAmount("commission"), commission.isNegative || commission.isZero
        else { return nil }
        return [CoinAmount(commission.negated)]
    }
}
