/// `close-position` (sheet §3.5, §7, §9 #17–#29).
extension ExchangeSimulation {
    mutating func closePosition(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        guard let id = call.field("instId") else { return .failure("50014", "Parameter instId can not be empty.") }
        guard let mode = call.field("mgnMode") else { return .failure("50014", "Parameter mgnMode can not be empty.") }
        guard mode == "cross" || mode == "isolated" else { return .failure("51000", "Parameter mgnMode error") }
        if let refusal = identifiers(call) { return refusal }
        guard let product = okxProduct(id) else { return .failure("51001") }
        if let code = okxBar(id, product) { return .failure(code) }
        world.beforeClose(index, atNs: call.ns)
        let account = world.states[index].account
        let side: PositionSide?
        switch (account.isHedge && (product == "SWAP" || product == "FUTURES"), call.field("posSide")) {
        case (true, "long"): side = .long
        case (true, "short"): side = .short
        case (true, nil): return .failure("50014", "Parameter posSide can not be empty.")
        case (false, nil), (false, "net"): side = nil
        default: return .failure("51000", "Parameter posSide error")
        }
        if mode == "isolated", ["3", "4"].contains(account.okx.accountLevel) { return .failure("51010") }
        let needsCurrency = product == "MARGIN" && mode == "cross" && account.okx.accountLevel == "2"
        if needsCurrency, call.field("ccy") == nil { return .failure("50014", "Parameter ccy can not be empty.") }
        let found = account.positions.first {
            $0.product == product && $0.symbol == id && ($0.marginMode == "isolated") == (mode == "isolated")
                && (side == nil || $0.side == side) && (!needsCurrency || $0.marginCoin == call.field("ccy"))
        }
        guard let position = found else {
            return .failure(mode == "isolated" ? okx.isolatedFlatCode : "51023")
        }
        return close(position, call, index)
    }

    private mutating func close(_ position: SimulatedPosition, _ call: OKXCall, _ index: Int) -> OKXAnswer {
        let free =
            position.quantity
            - world.inFlight(index, position.product, position.symbol, position.side, id: position.id)
        guard free > .zero else { return .failure(okx.runningCode) }
        let closers = world.states[index].account.resting.filter { closes($0, position) }
        if !closers.isEmpty, !call.isTrue("autoCxl") { return .failure("51115") }
        if let cap = world.instrument(position.symbol, position.product)?.maxMarketQuantity, free > cap {
            return .failure(okx.tooLargeCode)
        }
        if position.product == "OPTION", okx.optionClose == .refused { return .failure("51066") }
        if let client = call.field("clOrdId"), isPending(client, index) { return .failure(okx.duplicateIDCode) }
        if let refusal = scripted(position, index, call) { return refusal }
        // Only the orders that close this position go; entry orders and algos stay.
        let gone = Set(closers.map(\.id))
        world.states[index].account.resting.removeAll { gone.contains($0.id) }
        if !okx.algosRemain {
            world.states[index].account.plans.removeAll { $0.symbol == position.symbol && $0.closes }
        }
        let shown = call.field("posSide") ?? "net"
        let ack = Wire.object([
            ("clOrdId", .text(call.field("clOrdId") ?? "")), ("instId", .text(position.symbol)),
            ("posSide", .text(shown)), ("tag", .text(call.field("tag") ?? "")),
        ])
        if okx.marginAckDoesNothing, position.product == "MARGIN" { return .success([ack], isStamped: false) }
        accept(position, size: free, kind: .flashClose, call, index)
        return .success([ack], executed: true)
    }

    private func closes(_ order: RestingOrder, _ position: SimulatedPosition) -> Bool {
        order.closes && order.symbol == position.symbol && order.product == position.product
            && order.leg == position.side
    }

    @discardableResult
    mutating func accept(
        _ position: SimulatedPosition, size: Fixed, kind: ClientOrder.Kind, _ call: OKXCall, _ index: Int
    ) -> String {
        let made = world.takeID(index).order
        let client = call.field("clOrdId") ?? ""
        let one = world.instrument(position.symbol, position.product)
        var order = ClientOrder(
            id: made, clientOid: client, product: position.product, symbol: position.symbol,
            marginCoin: position.marginCoin, kind: kind, leg: position.side, size: size,
            price: one?.price ?? position.openPrice, acceptedNs: call.ns, createdMs: call.ms)
        if kind != .open { order.positionID = position.id }
        let step = one?.step ?? .zero
        let part = size.scaled(1, over: 2).floored(to: step)
        if okx.remainder != .none, kind != .open, part > .zero {
            order.size = part
            if okx.remainder == .rests {
                world.states[index].account.resting.append(
                    RestingOrder(
                        id: world.takeID(index).order, clientOid: client, product: position.product,
                        symbol: position.symbol, marginCoin: position.marginCoin, leg: position.side, closes: true,
                        size: size - part, price: order.price, createdMs: call.ms))
            }
        }
        world.accept(order, index, atNs: call.ns)
        return made
    }

    /// Client ids: letters and digits, at most 32; tags at most 16 (sheet §3.5).
    func identifiers(_ call: OKXCall) -> OKXAnswer? {
        for (name, most) in [("clOrdId", 32), ("tag", 16)] {
            guard let text = call.field(name) else { continue }
            let isPlain = text.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
            }
            guard isPlain, text.utf8.count <= most else { return .failure("51000", "Parameter \(name) error") }
        }
        return nil
    }

    /// Unique among pending orders only: after a fill an id may come again (sheet §7.6).
    func isPending(_ client: String, _ index: Int) -> Bool {
        world.states[index].orders.contains { $0.clientOid == client && !$0.isDone }
            || world.states[index].account.resting.contains { $0.clientOid == client }
    }

    func okxProduct(_ id: String) -> String? {
        Self.okxTypes.sorted().first { world.instrument(id, $0) != nil }
    }

    /// Why an instrument cannot be traded now; nil: it can.
    func okxBar(_ id: String, _ product: String) -> String? {
        switch world.instrument(id, product)?.status {
        case "maintain": "51022"
        case "listed": "51021"
        case "off": "51001"
        case "restrictedAPI": "51028"
        default: world.instrument(id, product)?.deliveryStatus == "delivery_period" ? "51028" : nil
        }
    }

    private mutating func scripted(_ position: SimulatedPosition, _ index: Int, _ call: OKXCall) -> OKXAnswer? {
        let key = position.product + " " + position.symbol + " " + position.side.rawValue
        let count = world.states[index].legFailures[key, default: 0]
        if let failure = okx.failures[position.symbol], failure.times.map({ count < $0 }) ?? true {
            world.states[index].legFailures[key] = count + 1
            return item(failure.code)
        }
        let faults = configuration.faults
        let rate = faults.legFailurePerMille + faults.legOmittedPerMille
        guard rate > 0, count < faults.maxFailuresPerLeg,
            faults.quietAfterMs.map({ call.arrival.elapsedMs < $0 }) ?? true
        else { return nil }
        var random = call.arrival.random(configuration.seed, "leg " + key)
        guard random.chance(perMille: rate) else { return nil }
        world.states[index].legFailures[key] = count + 1
        return item(["51022", "51030", "50018", "51113", "51116"][random.below(5)])
    }

    private func item(_ code: String) -> OKXAnswer {
        guard okx.errorsInItems else { return .failure(code) }
        var answer = OKXAnswer(code: "1", message: "All operations failed")
        answer.data = [.object([("sCode", .text(code)), ("sMsg", .text("close failed"))])]
        return answer
    }
}
