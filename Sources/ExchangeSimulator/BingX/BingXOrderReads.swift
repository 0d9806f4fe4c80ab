/// An order as the exchange shows it, whatever it is.
struct BingXOrder: Sendable {
    var id: String
    var clientID: String
    var symbol: String
    var type: String
    var leg: PositionSide
    var closes: Bool
    var isHedge: Bool
    var size: Fixed
    var filled: Fixed = .zero
    var price: Fixed = .zero
    var stopPrice: Fixed?
    var profit: Fixed = .zero
    var fee: Fixed = .zero
    /// Of what filled.
    var average: Fixed = .zero
    var positionID = ""
    var status: String
    var createdMs: Int64

    var side: String { (leg == .long) != closes ? "BUY" : "SELL" }
    var positionSide: String { isHedge ? leg.rawValue.uppercased() : "BOTH" }
}

/// Orders and fills (sheet §3.2, §3.6).
extension ExchangeSimulation {
    /// What waits: limit orders and trigger orders in one list.
    func pending(_ call: BingXCall, _ index: Int) -> [BingXOrder] {
        let account = world.states[index].account
        let resting = account.resting.filter { $0.product == call.product }.map {
            BingXOrder(
                id: $0.id, clientID: $0.clientOid, symbol: $0.symbol, type: "LIMIT", leg: $0.leg, closes: $0.closes,
                isHedge: account.isHedge, size: $0.size, filled: $0.filled, price: $0.price,
                status: $0.filled > .zero ? "PARTIALLY_FILLED" : "NEW", createdMs: $0.createdMs)
        }
        let plans = account.plans.filter { $0.product == call.product }.map {
            BingXOrder(
                id: $0.id, clientID: "", symbol: $0.symbol, type: $0.planType, leg: $0.leg, closes: $0.closes,
                isHedge: account.isHedge, size: $0.size, stopPrice: $0.triggerPrice, status: "NEW",
                createdMs: $0.createdMs)
        }
        return (resting + plans).filter {
            (call.symbol == nil || $0.symbol == call.symbol)
                && (call.field("type") == nil || $0.type == call.field("type")?.uppercased())
        }
    }

    func openOrders(_ call: BingXCall, _ index: Int) -> BingXAnswer {
        if let symbol = call.symbol, world.instrument(symbol, call.product) == nil {
            return failure(.unknownSymbol, call)
        }
        let rows = pending(call, index).map { order in
            Self.orderRow(order, status: call.product == "cswap" && order.status == "NEW" ? "Pending" : order.status)
        }
        return .success(.object([("orders", rows.isEmpty && bingx.nullOrderLists ? .null : .list(rows))]))
    }

    static func orderRow(_ order: BingXOrder, status: String) -> Wire {
        let stub = Wire.object([
            ("type", .text("")), ("quantity", .number(0)), ("stopPrice", .number(0)), ("price", .number(0)),
            ("workingType", .text("")),
        ])
        let amounts: [(String, Wire)] = [
            ("origQty", .decimal(order.size)), ("price", .decimal(order.price)),
            ("executedQty", .decimal(order.filled)),
            ("avgPrice", .decimal(order.filled > .zero ? order.average : .zero)),
            ("cumQuote", .decimal(order.filled * order.average)),
            ("stopPrice", .text(order.stopPrice?.description ?? "")), ("profit", .decimal(order.profit)),
            ("commission", .decimal(-order.fee)),
        ]
        let head: [(String, Wire)] = [
            ("symbol", .text(order.symbol)), ("orderId", .id(order.id)), ("side", .text(order.side)),
            ("positionSide", .text(order.positionSide)), ("type", .text(order.type)),
        ]
        let tail: [(String, Wire)] = [
            ("status", .text(status)), ("time", .number(order.createdMs)), ("updateTime", .number(order.createdMs)),
            ("clientOrderId", .text(order.clientID)), ("leverage", .text("10X")), ("takeProfit", stub),
            ("stopLoss", stub), ("advanceAttr", .number(0)),
            ("positionID", order.positionID.isEmpty ? .number(0) : .id(order.positionID)),
            ("workingType", .text("MARK_PRICE")), ("reduceOnly", .flag(!order.isHedge && order.closes)),
            // A trigger of the whole position carries no quantity.
            ("closePosition", .text(order.closes && order.size == .zero ? "true" : "false")),
            ("postOnly", .flag(false)), ("triggerOrderId", .number(0)),
        ]
        return .object(head + amounts + tail)
    }

    private func shown(_ order: ClientOrder, _ index: Int) -> BingXOrder {
        var status = order.filled > .zero ? "PARTIALLY_FILLED" : "PENDING"
        if order.isDone { status = order.filled > .zero ? "FILLED" : "CANCELLED" }
        return BingXOrder(
            id: order.id, clientID: order.clientOid, symbol: order.symbol, type: "MARKET", leg: order.leg,
            closes: order.kind != .open, isHedge: world.states[index].account.isHedge, size: order.size,
            filled: order.filled, price: order.price, profit: order.profit,
            fee: world.fee(of: order, index), average: order.average, positionID: order.positionID ?? "",
            status: status, createdMs: order.createdMs)
    }

    private func isListed(_ order: ClientOrder, _ call: BingXCall) -> Bool {
        call.ns - order.acceptedNs >= bingx.orderHiddenMs * 1_000_000
    }

    func orderDetail(_ call: BingXCall, _ index: Int) -> BingXAnswer {
        let id = call.field("orderId")
        let client = call.clientOrderID
        guard id != nil || client != nil else { return failure(.badParameter("orderId is required"), call) }
        let accepted = world.states[index].orders.last {
            $0.product == call.product && isListed($0, call) && (id == nil ? $0.clientOid == client : $0.id == id)
                && (call.symbol == nil || $0.symbol == call.symbol)
        }
        let found =
            accepted.map { shown($0, index) }
            ?? pending(call, index).first { id == nil ? $0.clientID == client : $0.id == id }
        guard let found else {
            return bingx.missingOrderIsNull ? .success(.object([("order", .null)])) : failure(.orderMissing, call)
        }
        return .success(.object([("order", Self.orderRow(found, status: found.status))]))
    }

    func allOrders(_ call: BingXCall, _ index: Int) -> BingXAnswer {
        let limit = Int(min(1_000, max(1, call.whole("limit") ?? 500)))
        let from = call.whole("startTime") ?? 0
        let until = call.whole("endTime") ?? Int64.max
        let orders = world.states[index].orders.filter {
            $0.product == call.product && (call.symbol == nil || $0.symbol == call.symbol) && $0.createdMs >= from
                && $0.createdMs <= until && isListed($0, call)
        }
        let rows = orders.suffix(limit).map { shown($0, index) }.map { Self.orderRow($0, status: $0.status) }
        return .success(.object([("orders", .list(rows))]))
    }

    func fills(_ call: BingXCall, _ route: BingXRoute, _ index: Int) -> BingXAnswer {
        let from = call.whole("startTs") ?? 0
        let until = call.whole("endTs") ?? Int64.max
        if route == .coinFills, call.field("orderId") == nil {
            return failure(.badParameter("orderId is required"), call)
        }
        var rows: [Wire] = []
        for order in world.states[index].orders
        where order.product == call.product && isListed(order, call)
            && (call.symbol == nil || order.symbol == call.symbol)
            && (call.field("orderId") == nil || order.id == call.field("orderId"))
        {
            for fill in order.fills where fill.atMs >= from && fill.atMs <= until {
                rows.append(
                    fillRow(fill, shown(order, index), order.marginCoin, fee: world.fee(fill, of: order, .bingx)))
            }
        }
        let total = rows.count
        let size = Int(min(1_000, max(1, call.whole("pageSize") ?? 50)))
        let page = Int(min(100_000, max(1, call.whole("pageIndex") ?? 1)))
        if route == .fillHistory { rows = Array(rows.dropFirst((page - 1) * size).prefix(size)) }
        let name = route == .fillHistory ? "fill_history_orders" : "fill_orders"
        return .success(.object([(name, .list(rows)), ("total", .number(Int64(total)))]))
    }

    private func fillRow(_ fill: ClientOrder.Fill, _ order: BingXOrder, _ coin: String, fee: Fixed) -> Wire {
        let quote = fill.quantity * fill.price
        return .object([
            ("filledTm", .text(BingXClock.wallTime(fill.atMs + 28_800_000) + "Z")), ("volume", .decimal(fill.quantity)),
            ("price", .decimal(fill.price)), ("qty", .decimal(fill.quantity)), ("quoteQty", .decimal(quote)),
            ("commission", .decimal(-fee)), ("commissionAsset", .text(coin)),
            ("orderId", .text(order.id)), ("tradeId", .text(fill.id)),
            ("filledTime", .text(BingXClock.wallTime(fill.atMs + 28_800_000) + ".000+0800")),
            ("symbol", .text(order.symbol)), ("role", .text("taker")), ("side", .text(order.side.lowercased())),
            ("positionSide", .text(order.positionSide.lowercased())), ("realisedPNL", .decimal(fill.profit)),
        ])
    }

    func positionHistory(_ call: BingXCall, _ index: Int) -> BingXAnswer {
        let closed = world.states[index].orders.filter {
            $0.product == call.product && $0.kind != .open && $0.filled > .zero
                && (call.symbol == nil || $0.symbol == call.symbol)
        }
        let rows = closed.map { order in
            Wire.object([
                ("positionId", .text(order.positionID ?? "")), ("symbol", .text(order.symbol)),
                ("isolated", .flag(false)), ("positionSide", .text(order.leg.rawValue.uppercased())),
                ("openTime", .number(order.createdMs)), ("updateTime", .number(order.fills.last?.atMs ?? 0)),
                ("avgPrice", .decimal(order.price)), ("avgClosePrice", .decimal(order.average)),
                ("realisedProfit", .decimal(order.profit)), ("netProfit", .decimal(order.profit)),
                ("positionAmt", .decimal(order.size)), ("closePositionAmt", .decimal(order.filled)),
                ("leverage", .number(10)), ("closeAllPositions", .flag(true)),
                ("positionCommission", .decimal(-world.fee(of: order, index))),
                ("totalFunding", .text("0")), ("closeTime", .number(order.fills.last?.atMs ?? 0)),
            ])
        }
        return .success(.object([("positionHistory", .list(rows)), ("total", .number(Int64(rows.count)))]))
    }
}

/// Dates of the proleptic Gregorian calendar, without a time zone.
enum BingXClock {
    /// `2023-12-16T20:58:36` of milliseconds since 1970.
    static func wallTime(_ ms: Int64) -> String {
        let seconds = ms / 1_000
        let inDay = seconds % 86_400
        // Days counted from 1 March of year 0, so that the leap day ends its year.
        let days = seconds / 86_400 + 719_468
        let era = days / 146_097
        let ofEra = days % 146_097
        let yearOfEra = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * ofYear + 2) / 153
        let day = ofYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func two(_ value: Int64) -> String { value < 10 ? "0" + String(value) : String(value) }
        return String(year) + "-" + two(month) + "-" + two(day) + "T" + two(inDay / 3_600) + ":"
            + two(inDay / 60 % 60) + ":" + two(inDay % 60)
    }
}
