/// Orders of unified accounts (sheet §3.10). Where the sheet is silent, as in the classic family.
extension ExchangeSimulation {
    // MARK: Reads

    func unifiedOrders(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        let orders = world.states[index].account.resting.filter { isMeant(call, $0.product, $0.symbol) }
        return unifiedPage(
            orders.map { order in
                let stamp = Wire.text(String(order.createdMs))
                return (
                    order.id,
                    .object(
                        [
                            ("category", .text(order.product)), ("symbol", .text(order.symbol)),
                            ("orderId", .text(order.id)), ("clientOid", .text(order.clientOid)),
                            ("qty", .decimal(order.size)), ("price", .decimal(order.price)),
                            ("cumExecQty", .decimal(order.filled)), ("avgPrice", .text("")),
                            ("orderStatus", .text(order.status)), ("orderType", .text("limit")),
                            ("timeInForce", .text("gtc")), ("marginCoin", .text(order.marginCoin)),
                        ] + unifiedSides(index, order.leg, closes: order.closes)
                            + [("createdTime", stamp), ("updatedTime", stamp)])
                )
            }, call)
    }

    func unifiedStrategies(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        let hasTypes = configuration.switches.unified.strategiesHaveTypes
        let type = hasTypes ? call.field("type") : nil
        let orders = world.states[index].account.plans.filter {
            isMeant(call, $0.product, $0.symbol) && (call.field("planType") ?? $0.planType) == $0.planType
                && (type ?? Self.strategyType($0)) == Self.strategyType($0)
        }
        return unifiedPage(
            orders.map { order in
                let stamp = Wire.text(String(order.createdMs))
                return (
                    order.id,
                    .object(
                        [
                            ("category", .text(order.product)), ("symbol", .text(order.symbol)),
                            ("orderId", .text(order.id)), ("clientOid", .text(order.clientOid)),
                            ("planType", .text(order.planType)), ("qty", .decimal(order.size)),
                            ("triggerPrice", .decimal(order.triggerPrice)), ("status", .text("live")),
                        ] + (hasTypes ? [("type", .text(Self.strategyType(order)))] : [])
                            + unifiedSides(index, order.leg, closes: order.closes)
                            + [("createdTime", stamp), ("updatedTime", stamp)])
                )
            }, call)
    }

    /// `tpsl` for TP/SL of a position, by the row types of the classic family, else `trigger`.
    private static func strategyType(_ order: PlanOrder) -> String {
        ["normal_plan", "track_plan", "trigger"].contains(order.planType) ? "trigger" : "tpsl"
    }

    func unifiedDetail(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        let hidden = configuration.switches.detailHiddenMs * 1_000_000
        guard let order = bitgetOrder(call, index), call.ns - order.acceptedNs >= hidden,
            isMeant(call, order.product, order.symbol)
        else { return .failure("25204") }
        var status = order.filled > .zero ? "partially_filled" : "new"
        if order.isDone { status = order.filled > .zero ? "filled" : "cancelled" }
        let paid = Wire.object([
            ("feeCoin", .text(order.marginCoin)), ("fee", .decimal(-world.fee(of: order, index))),
        ])
        let stamp = Wire.text(String(order.createdMs))
        return BitgetAnswer(
            data: .object(
                [
                    ("category", .text(order.product)), ("symbol", .text(order.symbol)), ("orderId", .text(order.id)),
                    ("clientOid", .text(order.clientOid)), ("qty", .decimal(order.size)),
                    ("cumExecQty", .decimal(order.filled)), ("cumExecValue", .decimal(order.turnover)),
                    ("avgPrice", .text(order.filled > .zero ? order.average.description : "")),
                    ("orderStatus", .text(status)), ("orderType", .text("market")),
                    ("totalProfit", .decimal(order.profit)), ("feeDetail", .list([paid])), ("cancelReason", .text("")),
                ] + unifiedSides(index, order.leg, closes: order.kind != .open)
                    + [("createdTime", stamp), ("updatedTime", stamp)]))
    }

    /// What a call names by category and symbol; either may be missing.
    private func isMeant(_ call: BitgetCall, _ product: String, _ symbol: String) -> Bool {
        (call.product.isEmpty || call.product == product)
            && (call.field("symbol").map { $0.uppercased() == symbol.uppercased() } ?? true)
    }

    /// The side is that of the trade, in both modes.
    private func unifiedSides(_ index: Int, _ leg: PositionSide, closes: Bool) -> [(String, Wire)] {
        let isHedge = world.states[index].account.isHedge
        return [
            ("side", .text((leg == .long) != closes ? "buy" : "sell")), ("posSide", .text(leg.rawValue)),
            ("holdMode", .text(bitgetMode(index))), ("tradeSide", .text(closes ? "close" : "open")),
            ("reduceOnly", .text(!isHedge && closes ? "YES" : "NO")),
        ]
    }

    /// Newest first; `cursor` or `idLessThan` is the last id of the page before.
    private func unifiedPage(_ rows: [(String, Wire)], _ call: BitgetCall) -> BitgetAnswer {
        guard let limit = Int(call.field("limit") ?? "100"), (1...100).contains(limit) else {
            return .failure("400172", "Parameter limit error")
        }
        let bound = (call.field("cursor") ?? call.field("idLessThan")).flatMap { Int64($0) } ?? Int64.max
        let chosen = rows.compactMap { row in Int64(row.0).map { (id: $0, row: row.1) } }
            .filter { $0.id < bound }.sorted { $0.id > $1.id }.prefix(limit)
        let isNull = chosen.isEmpty && style(call).nullLists
        let end: Wire = chosen.last.map { .text(String($0.id)) } ?? (isNull ? .null : .text(""))
        return BitgetAnswer(
            data: .object([
                ("list", isNull ? .null : .list(chosen.map(\.row))), ("cursor", end), ("endId", end),
            ]))
    }

    // MARK: Cancels

    mutating func unifiedCancelSymbol(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        let chosen = world.states[index].account.resting.filter { isMeant(call, $0.product, $0.symbol) }
        if chosen.isEmpty, !configuration.switches.unified.emptyCancelSucceeds { return .failure("25204") }
        return dropped(chosen.map { ($0.id, $0.clientOid) }, [], index, call)
    }

    mutating func unifiedCancelBatch(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        let resting = world.states[index].account.resting.filter { isMeant(call, $0.product, $0.symbol) }
        return cancelNamed(call, index, among: resting.map { ($0.id, $0.clientOid) })
    }

    mutating func unifiedCancelOne(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        let resting = world.states[index].account.resting.filter { isMeant(call, $0.product, $0.symbol) }
        return cancelSingle(call, index, among: resting.map { ($0.id, $0.clientOid) })
    }

    mutating func unifiedCancelStrategy(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        let plans = world.states[index].account.plans.filter { isMeant(call, $0.product, $0.symbol) }
        let ids = plans.map { ($0.id, $0.clientOid) }
        return call.orderIDs.isEmpty ? cancelSingle(call, index, among: ids) : cancelNamed(call, index, among: ids)
    }

    private mutating func cancelSingle(
        _ call: BitgetCall, _ index: Int, among orders: [(String, String)]
    ) -> BitgetAnswer {
        let (id, client) = (call.field("orderId"), call.field("clientOid"))
        guard id != nil || client != nil else { return .failure("400172", "Parameter orderId cannot be empty") }
        guard let found = orders.first(where: { id == nil ? $0.1 == client : $0.0 == id }) else {
            return .failure(unifiedRefusal(id ?? "", index, call))
        }
        _ = dropped([found], [], index, call)
        return BitgetAnswer(
            data: .object([("orderId", .text(found.0)), ("clientOid", .text(found.1))]), executed: true)
    }

    private mutating func cancelNamed(
        _ call: BitgetCall, _ index: Int, among orders: [(String, String)]
    ) -> BitgetAnswer {
        guard !call.orderIDs.isEmpty else { return .failure("400172", "Parameter orderIdList cannot be empty") }
        guard call.orderIDs.count <= 50 else { return .failure("40912", "Batch processing supports up to 50") }
        var found: [(String, String)] = []
        var missing: [(String, String, String)] = []
        for named in call.orderIDs {
            if let order = orders.first(where: {
                named.orderID.isEmpty ? $0.1 == named.clientOid : $0.0 == named.orderID
            }) {
                found.append(order)
            } else {
                missing.append((named.orderID, named.clientOid, unifiedRefusal(named.orderID, index, call)))
            }
        }
        return dropped(found, missing, index, call)
    }

    private func unifiedRefusal(_ id: String, _ index: Int, _ call: BitgetCall) -> String {
        guard let before = world.states[index].cancelledAt[id], call.ns - before < 1_000_000_000 else { return "25204" }
        return "45129"
    }

    /// Takes orders out of the book and says so.
    private mutating func dropped(
        _ done: [(String, String)], _ missing: [(String, String, String)], _ index: Int, _ call: BitgetCall
    ) -> BitgetAnswer {
        let ids = Set(done.map(\.0))
        world.states[index].account.resting.removeAll { ids.contains($0.id) }
        world.states[index].account.plans.removeAll { ids.contains($0.id) }
        for id in ids { world.states[index].cancelledAt[id] = call.ns }
        guard !style(call).cancelsAsRows else {
            let rows =
                done.map { unifiedDone((order: $0.0, client: $0.1), call) }
                + missing.map { unifiedFailed((order: $0.0, client: $0.1), $0.2, call) }
            return BitgetAnswer(data: .object([("list", .list(rows))]), executed: !done.isEmpty)
        }
        let rows = done.map { Wire.object([("orderId", .text($0.0)), ("clientOid", .text($0.1))]) }
        let failed = missing.map {
            Wire.object([
                ("orderId", .text($0.0)), ("clientOid", .text($0.1)), ("errorMsg", .text(BitgetMessages.text($0.2))),
                ("errorCode", .text($0.2)),
            ])
        }
        return BitgetAnswer(
            data: .object([("successList", .list(rows)), ("failureList", .list(failed))]), executed: !done.isEmpty)
    }
}
