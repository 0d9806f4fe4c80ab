/// Cancels (sheet §3.3, §9 #25, #27).
extension ExchangeSimulation {
    mutating func cancelAll(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        let coin = call.field("marginCoin")?.uppercased()
        let symbol = call.field("symbol")?.uppercased()
        let chosen = world.states[index].account.resting.filter {
            $0.product == call.product && (coin == nil || $0.marginCoin == coin)
                && (symbol == nil || $0.symbol.uppercased() == symbol)
        }
        guard !chosen.isEmpty else { return .failure("22001") }
        return cancelled(chosen, index, call)
    }

    mutating func cancelBatch(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        guard !call.orderIDs.isEmpty else { return cancelAll(call, index) }
        guard call.orderIDs.count <= 50 else { return .failure("40912", "Batch processing supports up to 50") }
        guard let symbol = call.field("symbol")?.uppercased() else {
            return .failure("40019", "Parameter symbol cannot be empty")
        }
        var chosen: [RestingOrder] = []
        var failed: [Wire] = []
        for named in call.orderIDs {
            let found = world.states[index].account.resting.first {
                $0.product == call.product && $0.symbol.uppercased() == symbol
                    && (named.orderID.isEmpty ? $0.clientOid == named.clientOid : $0.id == named.orderID)
            }
            if let found {
                chosen.append(found)
            } else {
                let code = refusalToCancel(named.orderID, index, call)
                failed.append(Self.failedRow(named.orderID, named.clientOid, code))
            }
        }
        return cancelled(chosen, index, call, failed: failed)
    }

    mutating func cancelOne(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        let symbol = call.field("symbol")?.uppercased()
        let id = call.field("orderId")
        let clientOid = call.field("clientOid")
        let found = world.states[index].account.resting.first {
            $0.product == call.product && $0.symbol.uppercased() == symbol
                && (id == nil ? $0.clientOid == clientOid : $0.id == id)
        }
        guard let found else { return .failure(refusalToCancel(id ?? "", index, call)) }
        _ = cancelled([found], index, call)
        return BitgetAnswer(
            data: .object([("orderId", .text(found.id)), ("clientOid", .text(found.clientOid))]), executed: true)
    }

    private func refusalToCancel(_ id: String, _ index: Int, _ call: BitgetCall) -> String {
        guard let before = world.states[index].cancelledAt[id], call.ns - before < 1_000_000_000 else { return "40768" }
        return "45129"
    }

    private mutating func cancelled(
        _ orders: [RestingOrder], _ index: Int, _ call: BitgetCall, failed: [Wire] = []
    ) -> BitgetAnswer {
        let ids = Set(orders.map(\.id))
        world.states[index].account.resting.removeAll { ids.contains($0.id) }
        for id in ids { world.states[index].cancelledAt[id] = call.ns }
        return lists(orders.map { ($0.id, $0.clientOid) }, failed)
    }

    private func lists(_ done: [(String, String)], _ failed: [Wire]) -> BitgetAnswer {
        let rows = done.map { Wire.object([("orderId", .text($0.0)), ("clientOid", .text($0.1))]) }
        return BitgetAnswer(
            data: .object([("successList", .list(rows)), ("failureList", .list(failed))]), executed: !done.isEmpty)
    }

    private static func failedRow(_ id: String, _ clientOid: String, _ code: String?) -> Wire {
        var fields: [(String, Wire)] = [
            ("orderId", .text(id)), ("clientOid", .text(clientOid)),
            ("errorMsg", .text(code.map(BitgetMessages.text) ?? "notExistend")),
        ]
        if let code { fields.append(("errorCode", .text(code))) }
        return .object(fields)
    }

    mutating func cancelPlans(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        let type = call.field("planType") ?? "normal_plan"
        let symbol = call.field("symbol")?.uppercased()
        let types: Set<String> =
            type == "profit_loss" ? ["profit_plan", "loss_plan", "pos_profit", "pos_loss", "moving_plan"] : [type]
        let matching = world.states[index].account.plans.filter {
            $0.product == call.product && types.contains($0.planType)
                && (symbol == nil || $0.symbol.uppercased() == symbol)
        }
        var chosen = matching
        var failed: [Wire] = []
        if !call.orderIDs.isEmpty {
            guard call.orderIDs.count <= 50 else { return .failure("40912", "Batch processing supports up to 50") }
            chosen = []
            for named in call.orderIDs {
                let found = matching.first {
                    named.orderID.isEmpty ? $0.clientOid == named.clientOid : $0.id == named.orderID
                }
                // Failure rows of this route carry no code (sheet §3.3).
                if let found {
                    chosen.append(found)
                } else {
                    failed.append(Self.failedRow(named.orderID, named.clientOid, nil))
                }
            }
        }
        guard !(chosen.isEmpty && failed.isEmpty) else { return .failure("22001") }
        let ids = Set(chosen.map(\.id))
        world.states[index].account.plans.removeAll { ids.contains($0.id) }
        return lists(chosen.map { ($0.id, $0.clientOid) }, failed)
    }
}
