/// An order about to be accepted.
struct OKXDraft: Sendable {
    var listed: SimulatedInstrument
    /// The leg that it closes or opens.
    var leg: PositionSide
    var positionID: String?
    var kind: ClientOrder.Kind
    var size: Fixed
    var item: OKXItem
    var tradeMode: String
    var orderType: String
    var reduceOnly: Bool
    var openPrice: Fixed
}

/// Orders of the client (sheet §7.4, §9 #16, #26, #32).
extension ExchangeSimulation {
    /// Takes a market order on; it fills later.
    @discardableResult
    mutating func accept(_ draft: OKXDraft, _ index: Int, _ call: OKXCall) -> String {
        let id = world.takeID(index).order
        let listed = draft.listed
        let client = draft.item.field("clOrdId") ?? ""
        var note = OKXOrderNote(
            tag: draft.item.field("tag") ?? "", tradeMode: draft.tradeMode, orderType: draft.orderType,
            full: draft.size, reduceOnly: draft.reduceOnly, openPrice: draft.openPrice,
            positionID: draft.positionID ?? "", isClosePosition: draft.kind == .flashClose)
        var order = ClientOrder(
            id: id, clientOid: client, product: listed.product, symbol: listed.symbol, marginCoin: listed.marginCoin,
            kind: draft.kind, leg: draft.leg, positionID: draft.positionID, size: draft.size, price: listed.price,
            acceptedNs: call.ns, createdMs: call.ms)
        if meetsSibling(draft, index) {
            note.cancelSource = "32"
            order.isDone = true
            let slot = world.states[index].orders.count
            world.states[index].okx.notes[id] = note
            world.states[index].orders.append(order)
            world.states[index].orderIndex[id] = slot
            return id
        }
        if draft.kind == .flashClose, let half = firstPart(draft, index) {
            order.size = half
            if okx.remainder == .cancelled {
                note.cancelSource = "27"
            } else {
                world.states[index].account.resting.append(
                    RestingOrder(
                        id: id, clientOid: client, product: listed.product, symbol: listed.symbol,
                        marginCoin: listed.marginCoin, leg: draft.leg, closes: true, size: draft.size, filled: half,
                        price: listed.price, createdMs: call.ms))
            }
        }
        world.states[index].okx.notes[id] = note
        world.accept(order, index, atNs: call.ns)
        return id
    }

    /// What fills of the first close of a position that the switch names; nil: all of it.
    private mutating func firstPart(_ draft: OKXDraft, _ index: Int) -> Fixed? {
        let key = "partial " + (draft.positionID ?? "")
        guard okx.partialSymbols.contains(draft.listed.symbol), world.states[index].legFailures[key] == nil else {
            return nil
        }
        world.states[index].legFailures[key] = 1
        let half = draft.size.scaled(1, over: 2).floored(to: draft.listed.step)
        return half > .zero ? half : nil
    }

    /// Whether self-trade prevention cancels the order: a sibling's resting order is on the other side (sheet §7.12).
    private func meetsSibling(_ draft: OKXDraft, _ index: Int) -> Bool {
        guard world.states[index].account.okx.selfTradeMode != "cancel_maker" else { return false }
        let buys = (draft.leg == .long) == (draft.kind == .open)
        return world.states.enumerated().contains { slot, other in
            slot != index && other.account.venue == .okx
                && other.account.resting.contains {
                    $0.symbol == draft.listed.symbol && $0.product == draft.listed.product
                        && (($0.leg == .long) != $0.closes) != buys
                }
        }
    }

    mutating func placeOrders(_ call: OKXCall, _ route: OKXRoute, _ index: Int) -> OKXAnswer {
        // The deadline of a request is checked here and at no close (sheet §2.1).
        if let deadline = call.request.header("exptime").flatMap({ Int64($0) }), deadline < call.ms {
            return .failure("50036")
        }
        let items = call.items
        guard !items.isEmpty else { return .failure("50014") }
        guard items.count <= route.maxItems ?? 1 else { return .failure(okx.tooManyItemsCode ?? "51111") }
        if route == .placeOrder, let item = items.first, let refusal = badOrder(item) { return refusal }
        var rows: [Wire] = []
        var failed = 0
        for item in items {
            let id: String
            var code = "0"
            switch place(item, index, call) {
            case .accepted(let order): id = order
            case .refused(let reason):
                (id, code) = ("", reason)
                failed += 1
            }
            rows.append(
                .texts([
                    "clOrdId": item.field("clOrdId") ?? "", "ordId": id, "tag": item.field("tag") ?? "",
                    "ts": String(call.ms), "sCode": code,
                    "sMsg": code == "0" ? "Order placed" : OKXMessages.text(code), "subCode": "",
                ]))
        }
        return combined(rows, failed: failed)
    }

    private func badOrder(_ item: OKXItem) -> OKXAnswer? {
        for name in ["instId", "tdMode", "side", "ordType", "sz"] where item.field(name) == nil {
            return .failure("50014", "Parameter \(name) can not be empty")
        }
        return nil
    }

    private enum OKXPlacing {
        case accepted(String)
        case refused(String)
    }

    private static let orderTypes: Set<String> = ["market", "limit", "post_only", "fok", "ioc", "optimal_limit_ioc"]

    private mutating func place(_ item: OKXItem, _ index: Int, _ call: OKXCall) -> OKXPlacing {
        guard badOrder(item) == nil else { return .refused("50014") }
        guard let type = item.field("ordType"), Self.orderTypes.contains(type),
            let mode = item.field("tdMode"), ["cross", "isolated"].contains(mode), let side = item.field("side"),
            side == "buy" || side == "sell", let asked = item.field("sz").flatMap({ Fixed($0) }), asked > .zero,
            item.isPlain("clOrdId", most: 32), item.isPlain("tag", most: 16), let reduces = item.flag("reduceOnly")
        else { return .refused("51000") }
        guard let listed = world.okxInstrument(item.field("instId")) else { return .refused("51001") }
        if let code = listed.okxBar { return .refused(code) }
        let isMarket = type == "market" || type == "optimal_limit_ioc"
        if listed.product == "OPTION", isMarket { return .refused("51066") }
        guard isMarket || item.field("px").flatMap({ Fixed($0) }) != nil else { return .refused("51000") }
        guard let meaning = meaning(of: item, side: side, reduces: reduces, listed, index) else {
            return .refused("51000")
        }
        if meaning.closes { world.beforeClose(index, atNs: call.ns) }
        // A market order that buys a pair on margin counts in quote coin (sheet §7.10).
        let isQuoted =
            listed.product == "MARGIN" && side == "buy" && type == "market" && item.field("tgtCcy") != "base_ccy"
        let size = isQuoted ? asked.okxOver(listed.price).floored(to: listed.step) : asked
        guard size >= listed.smallest else { return .refused("51020") }
        guard size.isMultiple(of: listed.step) else { return .refused("51121") }
        if isMarket, let cap = listed.maxMarketQuantity, size > cap { return .refused("51202") }
        if let client = item.field("clOrdId"), isPending(client, index) { return .refused(okx.duplicateCode) }
        var draft = OKXDraft(
            listed: listed, leg: meaning.leg, positionID: nil, kind: meaning.closes ? .reduce : .open, size: size,
            item: item, tradeMode: mode, orderType: type, reduceOnly: reduces, openPrice: listed.price)
        let rests = type == "limit" || type == "post_only"
        if meaning.closes {
            switch aim(&draft, index, rests: rests) {
            case nil: break
            case let code?: return .refused(code)
            }
        } else {
            noteUnprotected(draft, index)
        }
        return .accepted(rests ? rest(draft, index, call) : accept(draft, index, call))
    }

    /// Which leg an order means, and whether it can only close it; nil: it does not fit the account's mode.
    private func meaning(
        of item: OKXItem, side: String, reduces: Bool, _ listed: SimulatedInstrument, _ index: Int
    ) -> (leg: PositionSide, closes: Bool)? {
        let traded: PositionSide = side == "buy" ? .long : .short
        let account = world.states[index].account
        if world.okxHasSides(index, listed.product) {
            guard let leg = item.field("posSide").flatMap(PositionSide.init(rawValue:)) else { return nil }
            return (leg, leg != traded)
        }
        guard (item.field("posSide") ?? "net") == "net" else { return nil }
        // Portfolio margin ignores the flag, and options do not have it (sheet §7.4).
        let heeds = reduces && account.okx.accountLevel != "4" && listed.product != "OPTION"
        return heeds ? (traded.opposite, true) : (traded, false)
    }

    /// Ties a closing order to its position; returns the code that refuses it.
    private mutating func aim(_ draft: inout OKXDraft, _ index: Int, rests: Bool) -> String? {
        let listed = draft.listed
        let positions = world.states[index].account.positions.filter {
            $0.symbol == listed.symbol && $0.product == listed.product && $0.okxMode == draft.tradeMode
        }
        guard let leg = positions.first(where: { $0.side == draft.leg }) else {
            return positions.isEmpty || world.okxHasSides(index, listed.product) ? "51169" : "51170"
        }
        if draft.size > leg.quantity { world.truth.oversizedCloses += 1 }
        let flying = world.inFlight(index, leg.product, leg.symbol, leg.side, id: leg.id)
        guard leg.quantity > flying else { return "51169" }
        let free = leg.quantity - flying - world.states[index].account.locked(leg)
        guard free > .zero else { return "51168" }
        if draft.size > free, world.okxHasSides(index, listed.product) { return "51112" }
        draft.size = min(draft.size, free)
        draft.positionID = leg.id
        draft.openPrice = leg.openPrice
        return nil
    }

    /// Counts what could have opened something: an order without the flag, unless it is an option's and only reduces.
    private mutating func noteUnprotected(_ draft: OKXDraft, _ index: Int) {
        if draft.reduceOnly { return }
        let held = world.states[index].account.positions.first {
            $0.symbol == draft.listed.symbol && $0.product == "OPTION" && $0.side == draft.leg.opposite
        }
        if let held, held.quantity >= draft.size { return }
        world.truth.unprotectedOrders += 1
    }

    private mutating func rest(_ draft: OKXDraft, _ index: Int, _ call: OKXCall) -> String {
        let id = world.takeID(index).order
        let listed = draft.listed
        world.states[index].okx.notes[id] = OKXOrderNote(
            tag: draft.item.field("tag") ?? "", tradeMode: draft.tradeMode, orderType: draft.orderType,
            full: draft.size, reduceOnly: draft.reduceOnly, openPrice: draft.openPrice,
            positionID: draft.positionID ?? "", isClosePosition: false)
        world.states[index].account.resting.append(
            RestingOrder(
                id: id, clientOid: draft.item.field("clOrdId") ?? "", product: listed.product, symbol: listed.symbol,
                marginCoin: listed.marginCoin, leg: draft.leg, closes: draft.kind == .reduce, size: draft.size,
                price: draft.item.field("px").flatMap { Fixed($0) } ?? listed.price, createdMs: call.ms))
        return id
    }
}
