/// Orders and fills as the exchange shows them (sheet §3.1, §3.4, §3.5).
extension ExchangeSimulation {
    /// Newest first; `after` asks for older ones, `before` for newer ones, both without the named one.
    func page(_ rows: [(id: Int64, row: Wire)], _ call: OKXCall) -> OKXAnswer {
        guard let limit = Int(call.field("limit") ?? "100"), (1...100).contains(limit) else {
            return .failure("51000", "Parameter limit error")
        }
        let older = call.field("after").flatMap { Int64($0) } ?? Int64.max
        let newer = call.field("before").flatMap { Int64($0) } ?? Int64.min
        let chosen = rows.filter { $0.id < older && $0.id > newer }.sorted { $0.id > $1.id }
        return .success(chosen.prefix(limit).map(\.row))
    }

    func matches(_ call: OKXCall, _ product: String, _ symbol: String) -> Bool {
        if let type = call.field("instType"), type != product { return false }
        if let wanted = call.field("instId"), wanted != symbol { return false }
        guard let family = call.field("instFamily") ?? call.field("uly") else { return true }
        return world.instrument(symbol, product)?.family == family
    }

    func pendingOrders(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        let state = world.states[index]
        let types = call.field("ordType").map { $0.split(separator: ",").map(String.init) }
        let rows = state.account.resting.filter { order in
            matches(call, order.product, order.symbol)
                && (types?.contains(state.okx.notes[order.id]?.orderType ?? "limit") ?? true)
                && (call.field("state").map { $0 == order.status } ?? true)
        }
        return page(rows.map { (Int64($0.id) ?? 0, restingRow($0, index)) }, call)
    }

    func pendingAlgos(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        guard let asked = call.field("ordType") else { return .failure("50014", "Parameter ordType can not be empty") }
        let types = asked.split(separator: ",").map(String.init)
        // Only these two may be asked for together.
        guard types.count == 1 || Set(types) == ["conditional", "oco"], types.allSatisfy(okx.algoTypes.contains) else {
            return .failure("51000", "Parameter ordType error")
        }
        let rows = world.states[index].account.plans.filter {
            types.contains($0.planType) && matches(call, $0.product, $0.symbol)
        }
        return page(rows.map { (Int64($0.id) ?? 0, algoRow($0, index)) }, call)
    }

    // MARK: Rows

    private func sides(_ index: Int, _ product: String, _ leg: PositionSide, closes: Bool) -> [(String, Wire)] {
        let isSided = world.okxHasSides(index, product)
        return [
            ("side", .text((leg == .long) != closes ? "buy" : "sell")),
            ("posSide", .text(isSided ? leg.rawValue : "net")),
        ]
    }

    private func mode(_ index: Int, _ product: String, _ symbol: String, _ leg: PositionSide) -> String {
        world.position(index, product, symbol, leg).map { world.states[index].account.positions[$0].okxMode } ?? "cross"
    }

    private func restingRow(
        _ order: RestingOrder, _ index: Int, cancelledMs: Int64? = nil
    ) -> Wire {
        let note = world.states[index].okx.notes[order.id]
        let stamp = String(order.createdMs)
        let isSided = world.okxHasSides(index, order.product)
        let reduces = note?.reduceOnly ?? (order.closes && !isSided)
        return .texts(
            [
                "instType": order.product, "instId": order.symbol, "ordId": order.id, "clOrdId": order.clientOid,
                "tag": note?.tag ?? "", "ordType": note?.orderType ?? "limit",
                "tdMode": note?.tradeMode ?? mode(index, order.product, order.symbol, order.leg),
                "px": note?.orderType == "market" ? "" : order.price.description, "sz": order.size.description,
                "accFillSz": order.filled.description,
                "avgPx": order.filled > .zero ? order.price.description : "", "fillPx": "", "fillSz": "0",
                "fillTime": "", "tradeId": "", "state": cancelledMs == nil ? order.status : "canceled", "fee": "0",
                "feeCcy": order.marginCoin, "rebate": "0", "rebateCcy": order.marginCoin, "pnl": "0",
                "reduceOnly": String(reduces), "category": "normal", "source": "", "tgtCcy": "",
                "cancelSource": cancelledMs == nil ? "" : "1", "cancelSourceReason": "", "lever": "10",
                "ccy": "", "quickMgnType": "", "stpMode": "cancel_maker", "algoId": "", "algoClOrdId": "",
                "cTime": stamp, "uTime": cancelledMs.map { String($0) } ?? stamp,
            ],
            sides(index, order.product, order.leg, closes: order.closes) + [("attachAlgoOrds", .list([]))])
    }

    private func algoRow(_ order: PlanOrder, _ index: Int) -> Wire {
        let stamp = String(order.createdMs)
        let isSided = world.okxHasSides(index, order.product)
        let isStop = order.planType == "conditional" || order.planType == "oco"
        return .texts(
            [
                "instType": order.product, "instId": order.symbol, "ordType": order.planType, "algoId": order.id,
                "algoClOrdId": order.clientOid, "clOrdId": "", "ordId": "", "state": "live",
                "tdMode": mode(index, order.product, order.symbol, order.leg), "sz": order.size.description,
                "closeFraction": order.size == .zero ? "1" : "", "reduceOnly": String(order.closes && !isSided),
                "triggerPx": isStop ? "" : order.triggerPrice.description, "triggerPxType": "last", "ordPx": "-1",
                "slTriggerPx": isStop ? order.triggerPrice.description : "", "slOrdPx": isStop ? "-1" : "",
                "tpTriggerPx": "", "tpOrdPx": "", "lever": "10", "ccy": "", "tag": "", "actualSz": "0",
                "actualPx": "", "callbackRatio": order.planType == "move_order_stop" ? "0.01" : "", "cTime": stamp,
                "uTime": stamp,
            ], sides(index, order.product, order.leg, closes: order.closes))
    }

    private func state(of order: ClientOrder, _ index: Int) -> String {
        let full = world.states[index].okx.notes[order.id]?.full ?? order.size
        if order.filled > .zero, order.filled >= full { return "filled" }
        let rests = world.states[index].account.resting.contains { $0.id == order.id }
        if order.isDone, !rests { return "canceled" }
        return order.filled > .zero ? "partially_filled" : "live"
    }

    private func shownID(_ order: ClientOrder, _ index: Int) -> String {
        let isClose = world.states[index].okx.notes[order.id]?.isClosePosition ?? false
        return isClose && !okx.attachesClientIDs ? "" : order.clientOid
    }

    private func orderRow(_ order: ClientOrder, _ index: Int) -> Wire {
        let note = world.states[index].okx.notes[order.id]
        let state = state(of: order, index)
        let last = order.fills.last
        let source = state == "canceled" ? note?.cancelSource ?? "" : ""
        return .texts(
            [
                "instType": order.product, "instId": order.symbol, "ordId": order.id,
                "clOrdId": shownID(order, index), "tag": note?.tag ?? "", "ordType": note?.orderType ?? "market",
                "tdMode": note?.tradeMode ?? "cross", "px": "", "sz": (note?.full ?? order.size).description,
                "accFillSz": order.filled.description, "avgPx": last == nil ? "" : order.average.description,
                "fillPx": last?.price.description ?? "", "fillSz": last?.quantity.description ?? "0",
                "fillTime": last.map { String($0.atMs) } ?? "", "tradeId": last?.id ?? "", "state": state,
                "fee": (-world.fee(of: order, index)).description, "feeCcy": order.marginCoin, "rebate": "0",
                "rebateCcy": order.marginCoin, "pnl": order.kind == .open ? "0" : order.profit.description,
                "reduceOnly": String(note?.reduceOnly ?? false), "category": "normal", "source": "",
                "cancelSource": source.isEmpty && state == "canceled" ? "17" : source, "cancelSourceReason": "",
                "lever": "10", "ccy": "", "tgtCcy": "", "quickMgnType": "", "stpMode": "cancel_maker",
                "algoId": "", "algoClOrdId": "", "cTime": String(order.createdMs),
                "uTime": String(last?.atMs ?? order.createdMs),
            ],
            sides(index, order.product, order.leg, closes: order.kind != .open) + [("attachAlgoOrds", .list([]))])
    }

    // MARK: One order, and what is over

    func orderDetail(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        guard let symbol = call.field("instId") else { return .failure("50014", "Parameter instId can not be empty") }
        guard let listed = world.okxInstrument(symbol), listed.okxState != nil else { return .failure("51001") }
        let id = call.field("ordId")
        let client = call.field("clOrdId")
        guard id != nil || client != nil else {
            return .failure("50014", "Either parameter ordId or clOrdId is required")
        }
        let state = world.states[index]
        let hiddenNs = okx.orderHiddenMs * 1_000_000
        let order = state.orders.last {
            $0.symbol == symbol && (id.map { [own = $0.id] in own == $0 } ?? (shownID($0, index) == client))
        }
        let resting = state.account.resting.last {
            $0.symbol == symbol && (id.map { [own = $0.id] in own == $0 } ?? ($0.clientOid == client))
        }
        // With an id that was used again the newest counts.
        if let order, (Int64(order.id) ?? 0) >= (resting.flatMap { Int64($0.id) } ?? 0) {
            guard call.ns - order.acceptedNs >= hiddenNs else { return .failure("51603") }
            return .success([orderRow(order, index)])
        }
        if let resting { return .success([restingRow(resting, index)]) }
        let gone = state.okx.cancelled.last {
            $0.order.symbol == symbol && call.ns - $0.atNs < 7_200_000_000_000
                && (id.map { [own = $0.order.id] in own == $0 } ?? ($0.order.clientOid == client))
        }
        guard let gone else { return .failure("51603") }
        return .success([restingRow(gone.order, index, cancelledMs: world.milliseconds(gone.atNs))])
    }

    private func isInside(_ ms: Int64, _ call: OKXCall) -> Bool {
        ms >= (call.field("begin").flatMap { Int64($0) } ?? Int64.min)
            && ms <= (call.field("end").flatMap { Int64($0) } ?? Int64.max)
    }

    func orderHistory(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        guard call.field("instType") != nil else { return .failure("50014", "Parameter instType can not be empty") }
        let known = world.states[index]
        let hiddenNs = okx.orderHiddenMs * 1_000_000
        var rows: [(id: Int64, row: Wire)] = []
        for order in known.orders where matches(call, order.product, order.symbol) && isInside(order.createdMs, call) {
            let reached = state(of: order, index)
            let type = known.okx.notes[order.id]?.orderType ?? "market"
            guard reached == "filled" || reached == "canceled", call.ns - order.acceptedNs >= hiddenNs,
                call.field("state").map({ $0 == reached }) ?? true, call.field("ordType").map({ $0 == type }) ?? true,
                order.filled > .zero || call.ns - order.acceptedNs < 7_200_000_000_000
            else { continue }
            rows.append((Int64(order.id) ?? 0, orderRow(order, index)))
        }
        for gone in known.okx.cancelled
        where matches(call, gone.order.product, gone.order.symbol) && isInside(gone.order.createdMs, call)
            && call.ns - gone.atNs < 7_200_000_000_000
        {
            guard call.field("state").map({ $0 == "canceled" }) ?? true,
                call.field("ordType").map({ $0 == "limit" }) ?? true
            else { continue }
            let row = restingRow(gone.order, index, cancelledMs: world.milliseconds(gone.atNs))
            rows.append((Int64(gone.order.id) ?? 0, row))
        }
        return page(rows, call)
    }

    func orderFills(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        var rows: [(id: Int64, row: Wire)] = []
        for order in world.states[index].orders
        where matches(call, order.product, order.symbol) && (call.field("ordId").map { $0 == order.id } ?? true) {
            for fill in order.fills where isInside(fill.atMs, call) {
                rows.append((Int64(fill.id) ?? 0, fillRow(fill, order, index)))
            }
        }
        return page(rows, call)
    }

    private func fillRow(_ fill: ClientOrder.Fill, _ order: ClientOrder, _ index: Int) -> Wire {
        let note = world.states[index].okx.notes[order.id]
        let closes = order.kind != .open
        let isLong = order.leg == .long
        let subType =
            world.okxHasSides(index, order.product)
            ? (closes ? (isLong ? "5" : "6") : (isLong ? "3" : "4")) : (isLong != closes ? "1" : "2")
        return .texts(
            [
                "instType": order.product, "instId": order.symbol, "tradeId": fill.id, "billId": fill.id,
                "ordId": order.id, "clOrdId": shownID(order, index), "tag": note?.tag ?? "",
                "fillPx": fill.price.description, "fillSz": fill.quantity.description,
                "fillPnl": closes ? fill.profit.description : "0", "fillIdxPx": order.price.description,
                "fillMarkPx": order.price.description, "execType": "T", "subType": subType,
                "fee": (-world.fee(fill, of: order, .okx)).description, "feeCcy": order.marginCoin,
                "feeRate": "-0.0005",
                "fillTime": String(fill.atMs), "ts": String(fill.atMs),
            ], sides(index, order.product, order.leg, closes: closes))
    }
}
