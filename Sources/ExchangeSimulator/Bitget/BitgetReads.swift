/// Account, positions and orders as the exchange shows them (sheet §3.2, §3.3, §3.9, §11).
extension ExchangeSimulation {
    func accountInfo(_ index: Int) -> BitgetAnswer {
        let account = world.states[index].account
        return BitgetAnswer(
            data: .object([
                ("userId", .text(account.uid)), ("inviterId", .text("")),
                ("ips", .text(account.boundAddresses.joined(separator: ","))),
                ("authorities", .list(account.authorities.map { .text($0) })),
                ("parentId", .number(account.parentUID)), ("traderType", .text("not_trader")),
                ("channelCode", .text("")), ("channel", .text("")), ("regisTime", .text("1740000000000")),
            ]))
    }

    func accountList(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        let seen = plainView(index, atNs: call.ns).filter { $0.product == call.product }
        var coins: [String] =
            switch call.product {
            case "USDT-FUTURES": ["USDT"]
            case "USDC-FUTURES": ["USDC"]
            default: ["BTC", "ETH", "XRP", "SOL"]
            }
        for leg in seen where !coins.contains(leg.marginCoin) { coins.append(leg.marginCoin) }
        return BitgetAnswer(data: .list(coins.map { coin in row(coin, seen.filter { $0.marginCoin == coin }, index) }))
    }

    func oneAccount(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        let coin = (call.field("marginCoin") ?? "").uppercased()
        let seen = plainView(index, atNs: call.ns)
        let legs = seen.filter { $0.product == call.product && $0.marginCoin == coin }
        guard case .object(var fields) = row(coin, legs, index) else { return .failure("40725") }
        fields += [
            ("posMode", .text(bitgetMode(index))), ("marginMode", .text("crossed")), ("assetMode", .text("single")),
            ("crossedMarginLeverage", .number(10)), ("isolatedMargin", .null),
        ]
        return BitgetAnswer(data: .object(fields))
    }

    private func row(_ coin: String, _ legs: [SimulatedPosition], _ index: Int) -> Wire {
        func profit(_ mode: String?) -> Wire {
            let chosen = legs.filter { mode == nil || $0.marginMode == mode }
            if chosen.isEmpty { return mode == nil ? .text("0") : .null }
            return .decimal(chosen.reduce(Fixed.zero) { $0 + bitgetProfit($1) })
        }
        return .object([
            ("marginCoin", .text(coin)), ("locked", .text("0")), ("available", .text("25000.5")),
            ("crossedMaxAvailable", .text("24000")), ("isolatedMaxAvailable", .text("24000")),
            ("maxTransferOut", .text("20000")), ("accountEquity", .text("25000.5")), ("usdtEquity", .text("25000.5")),
            ("btcEquity", .text("0.2544")), ("crossedRiskRate", .text("0.01")), ("unrealizedPL", profit(nil)),
            ("coupon", .text("0")), ("crossedUnrealizedPL", profit("crossed")),
            ("isolatedUnrealizedPL", profit("isolated")),
        ])
    }

    func bitgetMode(_ index: Int) -> String {
        world.states[index].account.isHedge ? "hedge_mode" : "one_way_mode"
    }

    func bitgetProfit(_ leg: SimulatedPosition) -> Fixed {
        let price = world.instrument(leg.symbol, leg.product)?.price ?? leg.openPrice
        return (leg.side == .long ? price - leg.openPrice : leg.openPrice - price) * leg.quantity
    }

    func positions(_ call: BitgetCall, _ index: Int, single: Bool) -> BitgetAnswer {
        let coin = call.field("marginCoin")?.uppercased()
        let symbol = single ? call.field("symbol")?.uppercased() : nil
        var legs = plainView(index, atNs: call.ns).filter {
            $0.product == call.product && (coin == nil || $0.marginCoin == coin)
                && (symbol == nil || $0.symbol.uppercased() == symbol)
        }
        if configuration.switches.listsZeroPositions, legs.isEmpty,
            let first = world.instruments.first(where: { $0.product == call.product })
        {
            legs = [
                SimulatedPosition(
                    product: first.product, symbol: first.symbol, side: .long, quantity: .zero, openPrice: .zero,
                    marginCoin: first.marginCoin)
            ]
        }
        return BitgetAnswer(data: .list(legs.map { positionRow($0, index) }))
    }

    private func positionRow(_ leg: SimulatedPosition, _ index: Int) -> Wire {
        let price = world.instrument(leg.symbol, leg.product)?.price ?? leg.openPrice
        let locked = world.states[index].account.locked(leg)
        let margin = leg.openPrice.scaled(1, over: max(1, leg.leverage)) * leg.quantity
        let stamp = Wire.text(String(leg.openedAtMs))
        return .object([
            ("marginCoin", .text(leg.marginCoin)), ("symbol", .text(leg.symbol)),
            ("holdSide", .text(leg.side.rawValue)), ("openDelegateSize", .text("0")), ("marginSize", .decimal(margin)),
            ("available", .decimal(leg.quantity - locked)), ("locked", .decimal(locked)),
            ("total", .decimal(leg.quantity)), ("leverage", .text(String(leg.leverage))),
            ("achievedProfits", .text("0")), ("openPriceAvg", .decimal(leg.openPrice)),
            ("marginMode", .text(leg.marginMode)), ("posMode", .text(bitgetMode(index))),
            ("unrealizedPL", .decimal(bitgetProfit(leg))),
            ("liquidationPrice", .decimal(price.scaled(leg.side == .long ? 1 : 3, over: 2))),
            ("keepMarginRate", .text("0.004")), ("markPrice", .decimal(price)), ("marginRatio", .text("0.01")),
            ("breakEvenPrice", .decimal(leg.openPrice)), ("totalFee", .text("")), ("deductedFee", .text("0.87")),
            ("takeProfit", .text("")), ("stopLoss", .text("")), ("takeProfitId", .text("")), ("stopLossId", .text("")),
            ("grant", .text("")), ("assetMode", .text("single")), ("autoMargin", .text("off")), ("cTime", stamp),
            ("uTime", stamp),
        ])
    }

    // MARK: Orders

    func pendingOrders(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        let status = call.field("status") ?? "live"
        guard status == "live" || status == "partially_filled" else {
            return .failure("40020", "Parameter status error")
        }
        let rows = world.states[index].account.resting.filter {
            $0.product == call.product && $0.status == status && matches(call, $0.symbol, $0.id, $0.clientOid)
        }
        return page(rows.map { (id: $0.id, row: restingRow($0, index)) }, call)
    }

    func pendingPlans(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        let types: Set<String>
        switch call.field("planType") ?? "" {
        case "normal_plan": types = ["normal_plan"]
        case "track_plan": types = ["track_plan"]
        case "profit_loss": types = ["profit_plan", "loss_plan", "pos_profit", "pos_loss", "moving_plan"]
        default: return .failure("40020", "Parameter planType error")
        }
        let rows = world.states[index].account.plans.filter {
            $0.product == call.product && types.contains($0.planType) && matches(call, $0.symbol, $0.id, $0.clientOid)
        }
        return page(rows.map { (id: $0.id, row: planRow($0, index)) }, call)
    }

    private func matches(_ call: BitgetCall, _ symbol: String, _ id: String, _ clientOid: String) -> Bool {
        (call.field("symbol").map { $0.uppercased() == symbol.uppercased() } ?? true)
            && (call.field("orderId").map { $0 == id } ?? true)
            && (call.field("clientOid").map { $0 == clientOid } ?? true)
    }

    /// Newest first; `idLessThan` is the last id of the page before (sheet §9 #26).
    private func page(_ rows: [(id: String, row: Wire)], _ call: BitgetCall) -> BitgetAnswer {
        guard let limit = Int(call.field("limit") ?? "100"), (1...100).contains(limit) else {
            return .failure("40020", "Parameter limit error")
        }
        let bound = call.field("idLessThan").flatMap { Int64($0) } ?? Int64.max
        let chosen = rows.compactMap { row in Int64(row.id).map { (id: $0, row: row.row) } }
            .filter { $0.id < bound }.sorted { $0.id > $1.id }.prefix(limit)
        guard let last = chosen.last else {
            return BitgetAnswer(data: .object([("entrustedList", .null), ("endId", .null)]))
        }
        return BitgetAnswer(
            data: .object([
                ("entrustedList", .list(chosen.map(\.row))), ("endId", .text(String(last.id))),
            ]))
    }

    private func sides(_ index: Int, _ leg: PositionSide, closes: Bool) -> [(String, Wire)] {
        let hedge = world.states[index].account.isHedge
        // One-way: the side of the trade. Hedge: the side names the position (sheet §3.5).
        let buys = hedge ? leg == .long : (leg == .long) != closes
        let side = buys ? "buy" : "sell"
        return [
            ("side", .text(side)), ("posSide", .text(hedge ? leg.rawValue : "net")),
            ("tradeSide", .text(hedge ? (closes ? "close" : "open") : side + "_single")),
            ("posMode", .text(bitgetMode(index))), ("reduceOnly", .text(!hedge && closes ? "YES" : "NO")),
        ]
    }

    private func restingRow(_ order: RestingOrder, _ index: Int) -> Wire {
        let stamp = Wire.text(String(order.createdMs))
        return .object(
            [
                ("symbol", .text(order.symbol)), ("size", .decimal(order.size)), ("orderId", .text(order.id)),
                ("clientOid", .text(order.clientOid)), ("baseVolume", .decimal(order.filled)), ("fee", .text("0")),
                ("price", .decimal(order.price)), ("priceAvg", .text("")), ("status", .text(order.status)),
                ("force", .text("gtc")), ("marginCoin", .text(order.marginCoin)), ("leverage", .text("10")),
                ("marginMode", .text("crossed")), ("orderType", .text("limit")), ("orderSource", .text("normal")),
            ] + sides(index, order.leg, closes: order.closes) + [("cTime", stamp), ("uTime", stamp)])
    }

    private func planRow(_ order: PlanOrder, _ index: Int) -> Wire {
        let stamp = Wire.text(String(order.createdMs))
        return .object(
            [
                ("planType", .text(order.planType)), ("symbol", .text(order.symbol)), ("size", .decimal(order.size)),
                ("orderId", .text(order.id)), ("clientOid", .text(order.clientOid)), ("price", .text("")),
                ("executePrice", .text("0")), ("callbackRatio", .text("")),
                ("triggerPrice", .decimal(order.triggerPrice)), ("triggerType", .text("mark_price")),
                ("planStatus", .text("live")), ("marginCoin", .text(order.marginCoin)),
                ("marginMode", .text("crossed")), ("enterPointSource", .text("API")), ("orderType", .text("market")),
            ] + sides(index, order.leg, closes: order.closes) + [("cTime", stamp), ("uTime", stamp)])
    }

    // MARK: Orders of the client

    func bitgetOrder(_ call: BitgetCall, _ index: Int) -> ClientOrder? {
        let state = world.states[index]
        if let id = call.field("orderId") { return state.orderIndex[id].map { state.orders[$0] } }
        guard let clientOid = call.field("clientOid") else { return nil }
        return state.orders.last { $0.clientOid == clientOid }
    }

    func orderDetail(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        let hidden = configuration.switches.detailHiddenMs * 1_000_000
        guard let order = bitgetOrder(call, index), call.ns - order.acceptedNs >= hidden,
            order.symbol == call.field("symbol"), order.product == call.product
        else { return .failure("40109") }
        var state = order.filled > .zero ? "partially_filled" : "live"
        if order.isDone { state = order.filled > .zero ? "filled" : "canceled" }
        let stamp = Wire.text(String(order.createdMs))
        return BitgetAnswer(
            data: .object(
                [
                    ("symbol", .text(order.symbol)), ("size", .decimal(order.size)), ("orderId", .text(order.id)),
                    ("clientOid", .text(order.clientOid)), ("baseVolume", .decimal(order.filled)),
                    ("priceAvg", .text(order.filled > .zero ? order.average.description : "")),
                    ("fee", .decimal(-world.fee(of: order, index))), ("price", .text("")),
                    ("state", .text(state)),
                    ("force", .text("gtc")), ("totalProfits", .decimal(order.profit)),
                    ("quoteVolume", .decimal(order.turnover)), ("leverage", .text("10")),
                    ("marginCoin", .text(order.marginCoin)), ("marginMode", .text("crossed")),
                    ("orderType", .text("market")), ("orderSource", .text("market")), ("cancelReason", .text("")),
                ] + sides(index, order.leg, closes: order.kind != .open) + [("cTime", stamp), ("uTime", stamp)]))
    }

    func orderFills(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        let bound = call.field("idLessThan").flatMap { Int64($0) } ?? Int64.max
        let from = call.field("startTime").flatMap { Int64($0) } ?? 0
        let until = call.field("endTime").flatMap { Int64($0) } ?? Int64.max
        let limit = min(100, max(1, call.field("limit").flatMap { Int($0) } ?? 100))
        var rows: [(id: Int64, row: Wire)] = []
        for order in world.states[index].orders
        where order.product == call.product && matches(call, order.symbol, order.id, order.clientOid)
            && call.ns - order.acceptedNs >= configuration.switches.fillsHiddenMs * 1_000_000
        {
            for fill in order.fills where (from...max(from, until)).contains(fill.atMs) {
                guard let id = Int64(fill.id), id < bound else { continue }
                rows.append((id, fillRow(fill, order, index)))
            }
        }
        let chosen = rows.sorted { $0.id > $1.id }.prefix(limit)
        guard let last = chosen.last else {
            return BitgetAnswer(data: .object([("fillList", .null), ("endId", .null)]))
        }
        return BitgetAnswer(
            data: .object([("fillList", .list(chosen.map(\.row))), ("endId", .text(String(last.id)))]))
    }

    private func fillRow(_ fill: ClientOrder.Fill, _ order: ClientOrder, _ index: Int) -> Wire {
        let paid = Wire.object([
            ("deduction", .text("no")), ("feeCoin", .text(order.marginCoin)), ("totalDeductionFee", .text("0")),
            ("totalFee", .decimal(-world.fee(fill, of: order, .bitget))),
        ])
        return .object(
            [
                ("tradeId", .text(fill.id)), ("symbol", .text(order.symbol)), ("orderId", .text(order.id)),
                ("price", .decimal(fill.price)), ("baseVolume", .decimal(fill.quantity)), ("feeDetail", .list([paid])),
                ("quoteVolume", .decimal(fill.quantity * fill.price)), ("profit", .decimal(fill.profit)),
                ("enterPointSource", .text("api")), ("marginCoin", .text(order.marginCoin)),
                ("tradeScope", .text("taker")),
            ] + sides(index, order.leg, closes: order.kind != .open) + [("cTime", .text(String(fill.atMs)))])
    }
}
