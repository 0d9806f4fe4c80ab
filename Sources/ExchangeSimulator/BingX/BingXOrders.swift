/// Orders of the client (sheet §3.5).
extension ExchangeSimulation {
    private struct BingXTicket {
        var instrument: SimulatedInstrument
        var leg: PositionSide
        var closes: Bool
        var size: Fixed
        var type: String
        var positionID: String?
    }

    mutating func placeOrder(_ call: BingXCall, _ index: Int, isTest: Bool) -> BingXAnswer {
        guard let symbol = call.symbol, let instrument = world.instrument(symbol, call.product) else {
            return failure(call.symbol == nil ? .badParameter("symbol is required") : .unknownSymbol, call)
        }
        if let error = bingxBar(symbol, call.product) { return failure(error, call) }
        let type = call.field("type")?.uppercased() ?? ""
        guard let side = call.field("side")?.uppercased(), side == "BUY" || side == "SELL", isServed(type) else {
            return failure(.badParameter("side or type is invalid"), call)
        }
        let account = world.states[index].account
        let reduceOnly = call.field("reduceOnly")?.lowercased() == "true"
        // Without it: the long position of hedge mode (sheet §3.5).
        let positionSide = call.field("positionSide")?.uppercased() ?? "LONG"
        let leg: PositionSide
        let closes: Bool
        if account.isHedge {
            guard positionSide == "LONG" || positionSide == "SHORT" else {
                return failure(
                    .modeMismatch("In the Hedge mode, the 'PositionSide' field can only be set to LONG or SHORT."), call
                )
            }
            guard call.field("reduceOnly") == nil || !reduceOnly else {
                return failure(
                    .modeMismatch("In the Hedge mode, the 'ReduceOnly' field can not be filled."), call)
            }
            leg = positionSide == "LONG" ? .long : .short
            closes = (side == "BUY") != (leg == .long)
        } else {
            guard positionSide == "BOTH" else {
                return failure(
                    .modeMismatch("In the One-way mode, the 'PositionSide' field can only be set to BOTH."), call)
            }
            closes = reduceOnly
            leg = (side == "BUY") != closes ? .long : .short
        }
        guard let wanted = call.field("quantity").flatMap(Self.amount), wanted > .zero else {
            return failure(.badParameter("quantity is invalid"), call)
        }
        // Over-precise sizes are cut silently.
        let size = wanted.floored(to: instrument.step)
        let ticket = BingXTicket(
            instrument: instrument, leg: leg, closes: closes, size: size, type: type,
            positionID: call.field("positionId"))
        if closes, !isTest { world.beforeClose(index, atNs: call.ns) }
        if closes, !isTest {
            noteSize(size, world.position(index, call.product, symbol, leg, id: ticket.positionID), index)
        }
        if let error = refusal(of: ticket, call, index) { return failure(error, call) }
        return accept(ticket, call, index, isTest: isTest)
    }

    /// An amount with as many decimals as a client likes; what is beyond the simulator's own is cut.
    private static func amount(_ text: String) -> Fixed? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return Fixed(text) }
        guard parts[1].utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Fixed(parts[0] + "." + parts[1].prefix(Fixed.places))
    }

    private func isServed(_ type: String) -> Bool {
        ["MARKET", "LIMIT", "STOP_MARKET", "TAKE_PROFIT_MARKET", "TRIGGER_MARKET"].contains(type)
    }

    private func refusal(of ticket: BingXTicket, _ call: BingXCall, _ index: Int) -> BingXError? {
        let account = world.states[index].account
        if let id = call.clientOrderID {
            guard (1...40).contains(id.utf8.count) else { return .badParameter("clientOrderID is invalid") }
            guard !world.states[index].clientOids.contains(id) else { return .duplicateID }
        }
        let step = ticket.instrument.step.description
        guard ticket.size > .zero else { return .tooSmall(step) }
        guard ticket.size >= ticket.instrument.smallest else {
            return .tooSmall(ticket.instrument.smallest.description)
        }
        if ticket.type == "MARKET", let cap = ticket.instrument.maxMarketQuantity, ticket.size > cap {
            return .tooLarge(cap.description)
        }
        guard ticket.closes else { return nil }
        let legs = account.positions.filter {
            $0.isLeg(ticket.instrument.product, ticket.instrument.symbol, ticket.leg)
        }
        if account.bingx.marginType == "SEPARATE_ISOLATED", ticket.positionID == nil {
            return .badParameter("positionId is required in separate isolated mode")
        }
        let named = legs.first { ticket.positionID == nil || $0.id == ticket.positionID }
        guard let leg = named else {
            if ticket.positionID != nil { return .positionMissing }
            return account.isHedge ? .noPosition : .reduceOnly
        }
        guard ticket.type == "MARKET" || ticket.type == "LIMIT" else { return nil }
        let free = leg.quantity - world.inFlight(index, leg.product, leg.symbol, leg.side, id: leg.id)
        guard free > .zero else { return account.isHedge ? .noPosition : .reduceOnly }
        let held = heldByClosers(index)[leg.id] ?? .zero
        return ticket.size > free - held ? .unavailable : nil
    }

    private mutating func accept(
        _ ticket: BingXTicket, _ call: BingXCall, _ index: Int, isTest: Bool
    ) -> BingXAnswer {
        let instrument = ticket.instrument
        let client = call.clientOrderID ?? ""
        let id = isTest ? "0" : world.takeBingXID(index)
        let price = call.field("price").flatMap { Fixed($0) } ?? instrument.price
        if !isTest {
            if !ticket.closes { world.truth.unprotectedOrders += 1 }
            if !client.isEmpty { world.states[index].clientOids.insert(client) }
            book(ticket, id, client, price, call, index)
        }
        let done = world.states[index].orders.last { $0.id == id }
        let isFilled = done.map { $0.isDone && $0.filled > .zero } ?? false
        let order = Wire.object([
            ("orderId", .id(id)), ("orderID", .text(id)), ("symbol", .text(instrument.symbol)),
            ("positionSide", .text(call.field("positionSide")?.uppercased() ?? "LONG")),
            ("side", .text(call.field("side")?.uppercased() ?? "")), ("type", .text(ticket.type)),
            ("price", ticket.type == "LIMIT" ? .amount(price) : .number(0)), ("quantity", .amount(ticket.size)),
            ("stopPrice", .bare(call.field("stopPrice").flatMap { Fixed($0) }?.description ?? "0")),
            ("workingType", .text("MARK_PRICE")), ("clientOrderID", .text(client)), ("clientOrderId", .text(client)),
            ("timeInForce", .text("GTC")), ("status", .text(isFilled ? "FILLED" : "NEW")),
            ("avgPrice", .decimal(isFilled ? instrument.price : .zero)),
            ("executedQty", .decimal(done?.filled ?? .zero)), ("reduceOnly", .flag(call.field("reduceOnly") == "true")),
        ])
        // The coin-margined family puts the order at the top.
        return .success(call.product == "cswap" ? order : .object([("order", order)]), executed: !isTest)
    }

    private mutating func book(
        _ ticket: BingXTicket, _ id: String, _ client: String, _ price: Fixed, _ call: BingXCall, _ index: Int
    ) {
        let instrument = ticket.instrument
        switch ticket.type {
        case "MARKET":
            let side = world.position(
                index, instrument.product, instrument.symbol, ticket.leg, id: ticket.positionID)
            let position = ticket.closes ? side.map { world.states[index].account.positions[$0].id } : nil
            world.accept(
                ClientOrder(
                    id: id, clientOid: client, product: instrument.product, symbol: instrument.symbol,
                    marginCoin: instrument.marginCoin, kind: ticket.closes ? .reduce : .open, leg: ticket.leg,
                    positionID: position, size: ticket.size, price: instrument.price, acceptedNs: call.ns,
                    createdMs: call.ms),
                index, atNs: call.ns)
        case "LIMIT":
            world.states[index].account.resting.append(
                RestingOrder(
                    id: id, clientOid: client, product: instrument.product, symbol: instrument.symbol,
                    marginCoin: instrument.marginCoin, leg: ticket.leg, closes: ticket.closes, size: ticket.size,
                    price: price, createdMs: call.ms))
        default:
            let trigger = call.field("stopPrice").flatMap { Fixed($0) } ?? price
            world.states[index].account.plans.append(
                PlanOrder(
                    id: id, clientOid: client, planType: ticket.type, product: instrument.product,
                    symbol: instrument.symbol, marginCoin: instrument.marginCoin, leg: ticket.leg,
                    closes: ticket.closes, size: ticket.size, triggerPrice: trigger, createdMs: call.ms))
        }
    }
}
