/// Market close of a whole position (sheet §3.5, §7, §9 #17–#29).
extension ExchangeSimulation {
    mutating func closePosition(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        if let refusal = badClose(call) { return refusal }
        world.beforeClose(index, atNs: call.ns)
        guard let symbol = call.field("instId"), let listed = world.okxInstrument(symbol) else {
            return closeError("51001", call)
        }
        if let code = listed.okxBar { return closeError(code, call) }
        if let refusal = wrongMode(call, listed, index) { return refusal }
        guard let leg = target(call, listed, index) else {
            return closeError(call.field("mgnMode") == "isolated" ? okx.isolatedGoneCode : "51023", call)
        }
        let free = leg.quantity - world.inFlight(index, leg.product, leg.symbol, leg.side, id: leg.id)
        let isClosing = world.states[index].orders.contains {
            !$0.isDone && $0.kind == .flashClose && $0.positionID == leg.id
        }
        guard free > .zero, !isClosing else { return closeError(okx.runningCode, call) }
        if let failure = wantedFailure(leg, index, call) { return failure }
        let cancels = call.item.flag("autoCxl") ?? false
        if !cancels, hasClosers(leg, index) { return closeError("51115", call) }
        if let cap = listed.maxFlashClose ?? listed.maxMarketQuantity, free > cap {
            return closeError(okx.overSizeCode, call)
        }
        if listed.isDust(free) { return closeError("51020", call) }
        if listed.product == "OPTION", !okx.optionsClose { return closeError("51066", call) }
        if let client = call.field("clOrdId"), isPending(client, index) { return closeError(okx.duplicateCode, call) }
        if listed.product == "MARGIN", leg.okxMode == "cross", okx.marginClosesDoNothing {
            return acknowledged(call, leg, index)
        }
        if cancels { cancelClosers(leg, index, call) }
        accept(
            OKXDraft(
                listed: listed, leg: leg.side, positionID: leg.id, kind: .flashClose, size: free, item: call.item,
                tradeMode: leg.okxMode, orderType: "market", reduceOnly: true, openPrice: leg.openPrice),
            index, call)
        var answer = acknowledged(call, leg, index)
        answer.executed = true
        return answer
    }

    /// The acknowledgement: no order id, no size, no price.
    private func acknowledged(_ call: OKXCall, _ leg: SimulatedPosition, _ index: Int) -> OKXAnswer {
        .success([
            .texts([
                "clOrdId": call.field("clOrdId") ?? "", "instId": leg.symbol,
                "posSide": world.okxHasSides(index, leg.product) ? leg.side.rawValue : "net",
                "tag": call.field("tag") ?? "",
            ])
        ])
    }

    func closeError(_ code: String, _ call: OKXCall, _ text: String? = nil) -> OKXAnswer {
        guard okx.closeErrorsAsItems else { return .failure(code, text) }
        var answer = OKXAnswer.success([
            .texts([
                "clOrdId": call.field("clOrdId") ?? "", "instId": call.field("instId") ?? "",
                "posSide": call.field("posSide") ?? "", "tag": call.field("tag") ?? "", "sCode": code,
                "sMsg": text ?? OKXMessages.text(code),
            ])
        ])
        answer.code = "1"
        answer.message = "All operations failed"
        return answer
    }

    // MARK: What the call says

    private func badClose(_ call: OKXCall) -> OKXAnswer? {
        for name in ["instId", "mgnMode"] where call.field(name) == nil {
            return .failure("50014", "Parameter \(name) can not be empty")
        }
        func wrong(_ name: String) -> OKXAnswer { .failure("51000", "Parameter \(name) error") }
        guard ["cross", "isolated"].contains(call.field("mgnMode")) else { return wrong("mgnMode") }
        guard ["long", "short", "net"].contains(call.field("posSide") ?? "net") else { return wrong("posSide") }
        guard call.item.isPlain("clOrdId", most: 32) else { return wrong("clOrdId") }
        guard call.item.isPlain("tag", most: 16) else { return wrong("tag") }
        return call.item.flag("autoCxl") == nil ? wrong("autoCxl") : nil
    }

    private func wrongMode(_ call: OKXCall, _ listed: SimulatedInstrument, _ index: Int) -> OKXAnswer? {
        let account = world.states[index].account
        let side = call.field("posSide")
        if world.okxHasSides(index, listed.product) {
            guard let side else { return closeError(okx.missingPosSideCode, call, "Parameter posSide error") }
            guard side != "net" else { return closeError("51000", call, "Parameter posSide error") }
        } else if side == "long" || side == "short" {
            return closeError("51000", call, "Parameter posSide error")
        }
        let isIsolated = call.field("mgnMode") == "isolated"
        // An isolated position of earlier times can still be closed at the higher levels.
        let holds = account.positions.contains { $0.symbol == listed.symbol && $0.okxMode == "isolated" }
        let level = account.okx.accountLevel
        if level == "1" && listed.product != "OPTION" { return closeError("51010", call) }
        if isIsolated, level != "2", !holds { return closeError("51010", call) }
        if needsCoin(call, listed, index), call.field("ccy") == nil {
            return closeError("50014", call, "Parameter ccy can not be empty")
        }
        return nil
    }

    /// Cross margin in futures mode has a position for each margin coin.
    private func needsCoin(_ call: OKXCall, _ listed: SimulatedInstrument, _ index: Int) -> Bool {
        listed.product == "MARGIN" && call.field("mgnMode") == "cross"
            && world.states[index].account.okx.accountLevel == "2"
    }

    private func target(_ call: OKXCall, _ listed: SimulatedInstrument, _ index: Int) -> SimulatedPosition? {
        let isSided = world.okxHasSides(index, listed.product)
        let coin = needsCoin(call, listed, index) ? call.field("ccy") : nil
        return world.states[index].account.positions.first {
            $0.product == listed.product && $0.symbol == listed.symbol && $0.okxMode == call.field("mgnMode")
                && (!isSided || $0.side.rawValue == call.field("posSide")) && (coin == nil || $0.marginCoin == coin)
        }
    }

    // MARK: What stands in the way

    private static func isCloser(_ order: RestingOrder, of leg: SimulatedPosition) -> Bool {
        order.closes && order.symbol == leg.symbol && order.product == leg.product && order.leg == leg.side
    }

    private func hasClosers(_ leg: SimulatedPosition, _ index: Int) -> Bool {
        let account = world.states[index].account
        if account.resting.contains(where: { Self.isCloser($0, of: leg) }) { return true }
        return okx.algos == .blocks
            && account.plans.contains {
                $0.closes && $0.symbol == leg.symbol && $0.product == leg.product && $0.leg == leg.side
            }
    }

    private mutating func cancelClosers(_ leg: SimulatedPosition, _ index: Int, _ call: OKXCall) {
        withdraw(index, atNs: call.ns) { Self.isCloser($0, of: leg) }
        guard okx.algos != .untouched else { return }
        world.states[index].account.plans.removeAll {
            $0.closes && $0.symbol == leg.symbol && $0.product == leg.product && $0.leg == leg.side
        }
    }

    /// Whether an order with this id of the client's is waiting; afterwards the id may be used again.
    func isPending(_ client: String, _ index: Int) -> Bool {
        let state = world.states[index]
        return state.account.resting.contains { $0.clientOid == client }
            || state.orders.contains { $0.clientOid == client && !$0.isDone }
    }

    /// A failure that a test or a fault plan wants.
    private mutating func wantedFailure(_ leg: SimulatedPosition, _ index: Int, _ call: OKXCall) -> OKXAnswer? {
        if let wanted = okx.failures[leg.symbol] {
            let key = "scripted " + leg.id
            let count = world.states[index].legFailures[key, default: 0]
            guard wanted.times.map({ count < $0 }) ?? true else { return nil }
            world.states[index].legFailures[key] = count + 1
            switch wanted.form {
            case .call: return .failure(wanted.code)
            case .omitted: return acknowledged(call, leg, index)
            case .row:
                var answer = OKXAnswer.success([
                    .texts([
                        "clOrdId": call.field("clOrdId") ?? "", "instId": leg.symbol, "posSide": "net", "tag": "",
                        "sCode": wanted.code, "sMsg": OKXMessages.text(wanted.code),
                    ])
                ])
                answer.code = "1"
                answer.message = "All operations failed"
                return answer
            }
        }
        let faults = configuration.faults
        guard faults.legFailurePerMille + faults.legOmittedPerMille > 0 else { return nil }
        if let quiet = faults.quietAfterMs, call.arrival.elapsedMs >= quiet { return nil }
        let key = leg.product + " " + leg.id
        let count = world.states[index].legFailures[key, default: 0]
        guard count < faults.maxFailuresPerLeg else { return nil }
        var random = SplitMix64(
            configuration.seed, "leg", call.arrival.scope, key, call.arrival.path, ordinal: call.arrival.ordinal)
        let failed = random.chance(perMille: faults.legFailurePerMille)
        guard failed || random.chance(perMille: faults.legOmittedPerMille) else { return nil }
        world.states[index].legFailures[key] = count + 1
        let codes = ["51113", "50013", "51030", "51029", "50017", "51116", "50020"]
        return failed ? .failure(codes[random.below(codes.count)]) : acknowledged(call, leg, index)
    }
}
