/// Cancels (sheet §3, §3.2, §10).
extension ExchangeSimulation {
    mutating func cancelAll(_ call: BingXCall, _ index: Int) -> BingXAnswer {
        if let symbol = call.symbol, world.instrument(symbol, call.product) == nil {
            return failure(.unknownSymbol, call)
        }
        let chosen = pending(call, index)
        take(chosen.map(\.id), index)
        if bingx.cancelAllTakesTwaps, call.product == "swap" {
            world.states[index].account.bingx.twaps.removeAll { call.symbol == nil || $0.symbol == call.symbol }
        }
        return cancelled(chosen, [], call)
    }

    mutating func cancelOne(_ call: BingXCall, _ index: Int) -> BingXAnswer {
        guard call.symbol != nil else { return failure(.badParameter("symbol is required"), call) }
        let found = pending(call, index).first {
            call.field("orderId") == nil ? $0.clientID == call.clientOrderID : $0.id == call.field("orderId")
        }
        guard let found else { return failure(.orderMissing, call) }
        take([found.id], index)
        return .success(.object([("order", Self.orderRow(found, status: "CANCELLED"))]), executed: true)
    }

    mutating func cancelBatch(_ call: BingXCall, _ index: Int) -> BingXAnswer {
        guard call.symbol != nil else { return failure(.badParameter("symbol is required"), call) }
        let ids = call.list("orderIdList")
        guard let named = ids ?? call.list("clientOrderIdList")?.map({ $0.lowercased() }),
            (1...10).contains(named.count)
        else { return failure(.badParameter("orderIdList is invalid"), call) }
        let all = pending(call, index)
        var done: [BingXOrder] = []
        var missing: [String] = []
        for name in named {
            if let found = all.first(where: { ids == nil ? $0.clientID == name : $0.id == name }) {
                done.append(found)
            } else {
                missing.append(name)
            }
        }
        take(done.map(\.id), index)
        return cancelled(done, missing, call)
    }

    private mutating func take(_ ids: [String], _ index: Int) {
        let ids = Set(ids)
        world.states[index].account.resting.removeAll { ids.contains($0.id) }
        world.states[index].account.plans.removeAll { ids.contains($0.id) }
    }

    private func cancelled(_ done: [BingXOrder], _ missing: [String], _ call: BingXCall) -> BingXAnswer {
        let isCoin = call.product == "cswap"
        let reason = failure(.orderMissing, call)
        let failed = missing.map { id in
            let named: Wire = id.utf8.allSatisfy { (48...57).contains($0) } ? .id(id) : .text(id)
            return Wire.object([
                ("orderId", named), (isCoin ? "code" : "errorCode", .number(reason.code)),
                (isCoin ? "msg" : "errorMessage", .text(reason.message)),
            ])
        }
        let rows = done.map { Self.orderRow($0, status: "CANCELLED") }
        return .success(
            .object([
                ("success", rows.isEmpty && bingx.nullOrderLists ? .null : .list(rows)),
                ("failed", failed.isEmpty ? .null : .list(failed)),
            ]), executed: !done.isEmpty)
    }

    // MARK: TWAP

    func twaps(_ call: BingXCall, _ index: Int) -> BingXAnswer {
        let chosen = world.states[index].account.bingx.twaps.filter { call.symbol == nil || $0.symbol == call.symbol }
        return .success(
            .object([
                ("list", .list(chosen.map { twapRow($0, "Running", index) })), ("total", .number(Int64(chosen.count))),
            ]))
    }

    mutating func cancelTwap(_ call: BingXCall, _ index: Int) -> BingXAnswer {
        let id = call.field("mainOrderId")
        guard let slot = world.states[index].account.bingx.twaps.firstIndex(where: { $0.id == id }) else {
            return failure(.orderMissing, call)
        }
        let twap = world.states[index].account.bingx.twaps.remove(at: slot)
        return .success(twapRow(twap, "Cancelled", index), executed: true)
    }

    private func twapRow(_ twap: SimulatedTwap, _ status: String, _ index: Int) -> Wire {
        let isHedge = world.states[index].account.isHedge
        return .object([
            ("symbol", .text(twap.symbol)), ("mainOrderId", .text(twap.id)),
            ("side", .text((twap.leg == .long) != twap.closes ? "BUY" : "SELL")),
            ("positionSide", .text(isHedge ? twap.leg.rawValue.uppercased() : "BOTH")),
            ("priceType", .text("constant")), ("priceVariance", .text("10")), ("triggerPrice", .text("0")),
            ("interval", .number(8)), ("amountPerOrder", .decimal(twap.size)), ("totalAmount", .decimal(twap.size)),
            ("orderStatus", .text(status)), ("executedQty", .text("0")), ("duration", .number(800)),
            ("maxDuration", .number(9_000)), ("createdTime", .number(twap.createdMs)),
            ("updateTime", .number(twap.createdMs)),
        ])
    }
}
