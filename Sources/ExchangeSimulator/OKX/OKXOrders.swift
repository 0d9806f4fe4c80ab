/// Orders and algos of an account (sheet §3.4, §7.4).
extension ExchangeSimulation {
    mutating func place(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        for name in ["instId", "tdMode", "side", "ordType", "sz"] where call.field(name) == nil {
            return .failure("50014", "Parameter \(name) can not be empty.")
        }
        if let refusal = identifiers(call) { return refusal }
        let account = world.states[index].account
        guard let product = okxProduct(call.instrument), let one = world.instrument(call.instrument, product) else {
            return .failure("51001")
        }
        if let code = okxBar(call.instrument, product) { return rejected(code, call) }
        guard let size = call.field("sz").flatMap({ Fixed($0) }), size > .zero, size.isMultiple(of: one.step) else {
            return rejected("51121", call)
        }
        guard let type = call.field("ordType"), ["market", "limit", "ioc", "optimal_limit_ioc"].contains(type),
            let buys = call.field("side").map({ $0 == "buy" })
        else { return .failure("51000") }
        if product == "OPTION", type == "market" { return rejected("51066", call) }
        if let client = call.field("clOrdId"), isPending(client, index) { return rejected(okx.duplicateIDCode, call) }
        let isHedge = account.isHedge && (product == "SWAP" || product == "FUTURES")
        // Portfolio margin ignores the flag (sheet §7.4).
        let reduces = call.isTrue("reduceOnly") && account.okx.accountLevel != "4"
        var leg: PositionSide = buys ? .long : .short
        var closes = false
        switch (isHedge, call.field("posSide")) {
        case (true, "long"): (leg, closes) = (.long, !buys)
        case (true, "short"): (leg, closes) = (.short, buys)
        case (true, _): return .failure("51000", "Parameter posSide error")
        case (false, nil), (false, "net"):
            closes = reduces
            if reduces { leg = leg.opposite }
        default: return .failure("51000", "Parameter posSide error")
        }
        guard type == "market" || type == "optimal_limit_ioc" else { return rest(call, one, leg, closes, size, index) }
        if closes { return reduce(call, one, leg, size, index) }
        world.truth.unprotectedOrders += 1
        var opened = SimulatedPosition(
            product: product, symbol: one.symbol, side: leg, quantity: size, openPrice: one.price,
            marginCoin: one.marginCoin)
        opened.marginMode = call.field("tdMode") == "isolated" ? "isolated" : "crossed"
        return ordered(accept(opened, size: size, kind: .open, call, index), call, executed: true)
    }

    private mutating func reduce(
        _ call: OKXCall, _ one: SimulatedInstrument, _ leg: PositionSide, _ size: Fixed, _ index: Int
    ) -> OKXAnswer {
        world.beforeClose(index, atNs: call.ns)
        let isIsolated = call.field("tdMode") == "isolated"
        let found = world.states[index].account.positions.first {
            $0.isLeg(one.product, one.symbol, leg) && ($0.marginMode == "isolated") == isIsolated
        }
        guard let position = found else { return rejected("51169", call) }
        let free = position.quantity - world.inFlight(index, one.product, one.symbol, leg, id: position.id)
        guard free > .zero else { return rejected("51169", call) }
        return ordered(accept(position, size: min(size, free), kind: .reduce, call, index), call, executed: true)
    }

    private mutating func rest(
        _ call: OKXCall, _ one: SimulatedInstrument, _ leg: PositionSide, _ closes: Bool, _ size: Fixed, _ index: Int
    ) -> OKXAnswer {
        if !closes { world.truth.unprotectedOrders += 1 }
        let made = world.takeID(index).order
        world.states[index].account.resting.append(
            RestingOrder(
                id: made, clientOid: call.field("clOrdId") ?? "", product: one.product, symbol: one.symbol,
                marginCoin: one.marginCoin, leg: leg, closes: closes, size: size,
                price: call.field("px").flatMap { Fixed($0) } ?? one.price, createdMs: call.ms))
        return ordered(made, call, executed: true)
    }

    private func ordered(_ id: String, _ call: OKXCall, executed: Bool) -> OKXAnswer {
        .success(
            [
                .object([
                    ("ordId", .text(id)), ("clOrdId", .text(call.field("clOrdId") ?? "")),
                    ("tag", .text(call.field("tag") ?? "")), ("ts", .text(String(call.ms))), ("sCode", .text("0")),
                    ("sMsg", .text("Order placed")),
                ])
            ], executed: executed, isStamped: true)
    }

    /// A single rejected order comes as code 1 with the reason in its item (sheet §5).
    private func rejected(_ code: String, _ call: OKXCall) -> OKXAnswer {
        var answer = OKXAnswer(code: "1", message: "All operations failed")
        answer.data = [
            .object([
                ("ordId", .text("")), ("clOrdId", .text(call.field("clOrdId") ?? "")), ("tag", .text("")),
                ("sCode", .text(code)), ("sMsg", .text(OKXMessages.table[code]?.text ?? "rejected")),
            ])
        ]
        answer.isStamped = true
        return answer
    }

    // MARK: Lists

    func pendingOrders(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        let account = world.states[index].account
        let rows = account.resting.filter { order in
            (call.field("instType") == nil || order.product == call.field("instType"))
                && (call.field("instId") == nil || order.symbol == call.field("instId"))
        }
        let page = page(rows.map { ($0.id, orderRow($0, account)) }, call)
        return .success(page)
    }

    func pendingAlgos(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        guard let types = call.field("ordType")?.split(separator: ",").map(String.init) else {
            return .failure("50014", "Parameter ordType can not be empty.")
        }
        let known: Set<String> = ["conditional", "oco", "trigger", "move_order_stop", "chase", "iceberg", "twap"]
        guard types.allSatisfy(known.contains), types.count == 1 || Set(types) == ["conditional", "oco"] else {
            return .failure("51000", "Parameter ordType error")
        }
        let account = world.states[index].account
        let rows = account.plans.filter { plan in
            types.contains(plan.planType) && (call.field("instId") == nil || plan.symbol == call.field("instId"))
        }
        return .success(page(rows.map { ($0.id, algoRow($0, account)) }, call))
    }

    /// Newest first; `after` gives what is older than an id (sheet §3.1).
    private func page(_ rows: [(id: String, row: Wire)], _ call: OKXCall) -> [Wire] {
        let sorted = rows.sorted { (Int64($0.id) ?? 0) > (Int64($1.id) ?? 0) }
        let after = call.field("after").flatMap { Int64($0) } ?? Int64.max
        let most = min(100, call.field("limit").flatMap { Int($0) } ?? 100)
        return sorted.filter { (Int64($0.id) ?? 0) < after }.prefix(most).map(\.row)
    }

    private func sides(_ leg: PositionSide, _ closes: Bool, _ product: String, _ account: SimulatedAccount)
        -> [(String, Wire)]
    {
        let isHedge = account.isHedge && (product == "SWAP" || product == "FUTURES")
        return [
            ("side", .text((leg == .long) != closes ? "buy" : "sell")),
            ("posSide", .text(isHedge ? leg.rawValue : "net")), ("reduceOnly", .text(closes ? "true" : "false")),
        ]
    }

    private func orderRow(_ order: RestingOrder, _ account: SimulatedAccount) -> Wire {
        .object(
            [
                ("instType", .text(order.product)), ("instId", .text(order.symbol)), ("ordId", .text(order.id)),
                ("clOrdId", .text("")), ("tag", .text("")), ("ordType", .text("limit")), ("px", .decimal(order.price)),
                ("sz", .decimal(order.size)), ("accFillSz", .decimal(order.filled)), ("avgPx", .text("")),
                ("state", .text(order.filled > .zero ? "partially_filled" : "live")), ("tdMode", .text("cross")),
                ("lever", .text("10")), ("ccy", .text("")), ("fee", .text("0")), ("feeCcy", .text(order.marginCoin)),
                ("category", .text("normal")), ("cTime", .text(String(order.createdMs))),
                ("uTime", .text(String(order.createdMs))),
            ] + sides(order.leg, order.closes, order.product, account))
    }

    private func algoRow(_ plan: PlanOrder, _ account: SimulatedAccount) -> Wire {
        let isWhole = plan.closes && plan.size == .zero
        return .object(
            [
                ("instType", .text(plan.product)), ("instId", .text(plan.symbol)), ("algoId", .text(plan.id)),
                ("algoClOrdId", .text("")), ("ordType", .text(plan.planType)), ("state", .text("live")),
                ("sz", isWhole ? .text("") : .decimal(plan.size)), ("closeFraction", .text(isWhole ? "1" : "")),
                ("triggerPx", .decimal(plan.triggerPrice)), ("slTriggerPx", .text("")), ("tpTriggerPx", .text("")),
                ("tdMode", .text("cross")), ("cTime", .text(String(plan.createdMs))),
            ] + sides(plan.leg, plan.closes, plan.product, account))
    }

    // MARK: Orders that were

    private func detail(_ order: ClientOrder, _ account: SimulatedAccount) -> Wire {
        let state = order.isDone ? (order.filled > .zero ? "filled" : "canceled") : "live"
        return .object(
            [
                ("instType", .text(order.product)), ("instId", .text(order.symbol)), ("ordId", .text(order.id)),
                ("clOrdId", .text(order.clientOid)), ("ordType", .text("market")), ("px", .text("")),
                ("sz", .decimal(order.size)), ("accFillSz", .decimal(order.filled)), ("avgPx", .decimal(order.price)),
                ("state", .text(state)), ("fee", .text("-0.18")), ("feeCcy", .text(order.marginCoin)),
                ("pnl", .decimal(order.profit)), ("category", .text("normal")), ("cancelSource", .text("")),
                ("tdMode", .text("cross")), ("cTime", .text(String(order.createdMs))),
                ("uTime", .text(String(order.createdMs))),
            ] + sides(order.leg, order.kind != .open, order.product, account))
    }

    func orderDetail(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        let state = world.states[index]
        let found = state.orders.last {
            $0.symbol == call.instrument
                && (call.field("ordId") == $0.id || (!$0.clientOid.isEmpty && call.field("clOrdId") == $0.clientOid))
        }
        guard let order = found, call.ns - order.acceptedNs >= okx.lookupHiddenMs * 1_000_000 else {
            if let resting = state.account.resting.first(where: { $0.id == call.field("ordId") }) {
                return .success([orderRow(resting, state.account)])
            }
            return .failure("51603")
        }
        return .success([detail(order, state.account)])
    }

    func orderHistory(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        let state = world.states[index]
        let rows = state.orders.filter {
            $0.isDone && $0.product == call.field("instType")
                && (call.field("instId") == nil || $0.symbol == call.field("instId"))
        }
        return .success(page(rows.map { ($0.id, detail($0, state.account)) }, call))
    }

    func orderFills(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        let rows = world.states[index].orders.flatMap { order in
            order.fills.map { fill in
                (
                    fill.id,
                    Wire.object([
                        ("instType", .text(order.product)), ("instId", .text(order.symbol)),
                        ("ordId", .text(order.id)), ("clOrdId", .text(order.clientOid)), ("tradeId", .text(fill.id)),
                        ("billId", .text(fill.id)), ("fillPx", .decimal(order.price)),
                        ("fillSz", .decimal(fill.quantity)), ("fillPnl", .decimal(fill.profit)),
                        ("side", .text(order.leg == .long ? "sell" : "buy")), ("fee", .text("-0.18")),
                        ("feeCcy", .text(order.marginCoin)), ("execType", .text("T")),
                        ("ts", .text(String(fill.atMs))), ("fillTime", .text(String(fill.atMs))),
                    ])
                )
            }
        }
        return .success(page(rows, call))
    }

    // MARK: Cancels

    mutating func cancelOrders(_ call: OKXCall, _ index: Int, isBatch: Bool) -> OKXAnswer {
        guard call.items.count <= 20 else { return .failure("51111") }
        var rows: [Wire] = []
        var failures = 0
        for item in call.items {
            let slot = world.states[index].account.resting.firstIndex {
                $0.symbol == item["instId"]
                    && ($0.id == item["ordId"] || (item["ordId"] ?? "").isEmpty && $0.clientOid == item["clOrdId"])
            }
            if let slot {
                world.states[index].account.resting.remove(at: slot)
            } else {
                failures += 1
            }
            rows.append(cancelRow(item, "ordId", isDone: slot != nil, call))
        }
        return mixed(rows, failures)
    }

    mutating func cancelAlgos(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        guard call.items.count <= 10 else { return .failure("51406") }
        var rows: [Wire] = []
        var failures = 0
        for item in call.items {
            let slot = world.states[index].account.plans.firstIndex {
                $0.symbol == item["instId"] && $0.id == item["algoId"]
            }
            if let slot {
                world.states[index].account.plans.remove(at: slot)
            } else {
                failures += 1
            }
            rows.append(cancelRow(item, "algoId", isDone: slot != nil, call))
        }
        return mixed(rows, failures)
    }

    private func cancelRow(_ item: [String: String], _ id: String, isDone: Bool, _ call: OKXCall) -> Wire {
        let reason = OKXMessages.table["51400"]?.text ?? ""
        return .object([
            (id, .text(item[id] ?? "")), (id == "ordId" ? "clOrdId" : "algoClOrdId", .text("")),
            ("ts", .text(String(call.ms))), ("sCode", .text(isDone ? "0" : "51400")),
            ("sMsg", .text(isDone ? "" : reason)),
        ])
    }

    /// Code 2 where some failed, 1 where all did (sheet §5).
    private func mixed(_ rows: [Wire], _ failures: Int) -> OKXAnswer {
        var answer = OKXAnswer.success(rows, executed: failures < rows.count, isStamped: true)
        if failures > 0 {
            answer.code = failures == rows.count ? "1" : "2"
            answer.message = failures == rows.count ? "All operations failed" : "Bulk operation partially succeeded."
        }
        return answer
    }
}
