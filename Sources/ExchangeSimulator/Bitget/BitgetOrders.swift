/// Market orders (sheet §3.5, §9 #28).
extension ExchangeSimulation {
    mutating func placeOrder(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        guard let symbol = call.field("symbol"), let instrument = world.instrument(symbol, call.product),
            let size = call.field("size").flatMap({ Fixed($0) }), size > .zero
        else { return .failure("40020", "Parameter size error") }
        guard let side = call.field("side")?.lowercased(), side == "buy" || side == "sell",
            ["isolated", "crossed"].contains(call.field("marginMode") ?? ""),
            ["market", "limit"].contains(call.field("orderType") ?? "")
        else { return .failure("40020") }
        guard call.field("marginCoin")?.uppercased() == instrument.marginCoin.uppercased() else {
            return .failure("40020", "Parameter marginCoin error")
        }
        if let code = barred(call.product, symbol) { return .failure(code) }
        // An order that closes is a close call as well: the position may move between the client's read and this.
        if call.field("reduceOnly")?.uppercased() == "YES" || call.field("tradeSide")?.lowercased() == "close" {
            world.beforeClose(index, atNs: call.ns)
        }
        let hedge = world.states[index].account.isHedge
        let tradeSide = call.field("tradeSide")?.lowercased()
        guard hedge ? (tradeSide == "open" || tradeSide == "close") : (tradeSide == nil) else {
            return .failure("40774")
        }
        if let clientOid = call.field("clientOid") {
            guard Self.isClientOid(clientOid) else { return .failure("40304", "clientOid or orderId illegal") }
            guard !world.states[index].clientOids.contains(clientOid) else {
                return .failure(configuration.switches.duplicateClientOidCode)
            }
        }
        let closes = hedge ? tradeSide == "close" : call.field("reduceOnly")?.uppercased() == "YES"
        // In hedge mode the side names the position; one-way, a sell reduces a long.
        let named: PositionSide = side == "buy" ? .long : .short
        let leg = closes && !hedge ? named.opposite : named
        if let code = refusal(of: size, instrument, leg, closes: closes, index) { return .failure(code) }
        if closes { noteSize(size, world.position(index, call.product, instrument.symbol, leg), index) }
        if !closes { world.truth.unprotectedOrders += 1 }
        return accept(call, index, instrument, leg: leg, closes: closes, size: size)
    }

    /// - Parameter slot: of the position that the order names; nil: there is none.
    mutating func noteSize(_ size: Fixed, _ slot: Int?, _ index: Int) {
        let open = slot.map { world.states[index].account.positions[$0].quantity } ?? .zero
        if size > open { world.truth.oversizedCloses += 1 }
    }

    private static func isClientOid(_ text: String) -> Bool {
        text.utf8.count < 50
            && text.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                    || "-+_#".utf8.contains($0)
            }
    }

    private func refusal(
        of size: Fixed, _ instrument: SimulatedInstrument, _ leg: PositionSide, closes: Bool, _ index: Int
    ) -> String? {
        let held =
            world.position(index, instrument.product, instrument.symbol, leg)
            .map { world.states[index].account.positions[$0].quantity } ?? .zero
        if closes, held - world.inFlight(index, instrument.product, instrument.symbol, leg) <= .zero {
            return showsCopy(index, instrument, leg) ? "40866" : "22002"
        }
        // The whole of what is left may be closed whatever its size.
        if closes, size == held, !instrument.isDust(size) {
            return instrument.maxMarketQuantity.flatMap { size > $0 ? "45112" : nil }
        }
        if !size.isMultiple(of: instrument.step) { return "40808" }
        if let cap = instrument.maxMarketQuantity, size > cap { return "45112" }
        return size < instrument.smallest ? "45111" : nil
    }

    private mutating func accept(
        _ call: BitgetCall, _ index: Int, _ instrument: SimulatedInstrument, leg: PositionSide, closes: Bool,
        size: Fixed
    ) -> BitgetAnswer {
        let id = world.takeID(index)
        let clientOid = call.field("clientOid") ?? id.client
        let data = Wire.object([("orderId", .text(id.order)), ("clientOid", .text(clientOid))])
        guard call.field("orderType") == "market" else {
            let price = call.field("price").flatMap { Fixed($0) } ?? instrument.price
            world.states[index].clientOids.insert(clientOid)
            world.states[index].account.resting.append(
                RestingOrder(
                    id: id.order, clientOid: clientOid, product: instrument.product, symbol: instrument.symbol,
                    marginCoin: instrument.marginCoin, leg: leg, closes: closes, size: size, price: price,
                    createdMs: call.ms))
            return BitgetAnswer(data: data, executed: true)
        }
        var trimmed = size
        if closes, let slot = world.position(index, instrument.product, instrument.symbol, leg) {
            let held = world.states[index].account.positions[slot]
            var free = held.quantity - world.inFlight(index, held.product, held.symbol, leg)
            let locked = world.states[index].account.locked(held)
            // Hedge: only the unlocked rest, unless all of it is locked, which cancels the closers (CL 2025-07-31).
            if world.states[index].account.isHedge, locked > .zero, locked < free {
                free -= locked
            } else if locked > .zero {
                world.states[index].account.resting.removeAll {
                    $0.closes && $0.symbol == held.symbol && $0.product == held.product && $0.leg == leg
                }
            }
            trimmed = min(size, free)
        }
        world.accept(
            ClientOrder(
                id: id.order, clientOid: clientOid, product: instrument.product, symbol: instrument.symbol,
                marginCoin: instrument.marginCoin, kind: closes ? .reduce : .open, leg: leg, size: trimmed,
                price: instrument.price, acceptedNs: call.ns, createdMs: call.ms),
            index, atNs: call.ns)
        return BitgetAnswer(data: data, executed: true)
    }
}
