extension World {
    /// Accepts a client's order; it fills after the configured delay, at once when that is zero.
    mutating func accept(_ order: ClientOrder, _ index: Int, atNs ns: Int64) {
        let slot = states[index].orders.count
        states[index].orders.append(order)
        states[index].orderIndex[order.id] = slot
        states[index].clientOids.insert(order.clientOid)
        var random = SplitMix64(configuration.seed, "fill", order.id)
        let delay = random.inside(configuration.fillDelayMs) * 1_000_000
        guard delay > 0 else { return fill(index, slot, final: true, atNs: ns) }
        if configuration.switches.fillsInTwoSteps {
            schedule(.fill(account: index, order: slot, final: false), atNs: ns + delay / 2)
        }
        schedule(.fill(account: index, order: slot, final: true), atNs: ns + delay)
    }

    /// Fills an order against what the account holds now, which may be less than when it was accepted.
    mutating func fill(_ index: Int, _ slot: Int, final: Bool, atNs ns: Int64) {
        let order = states[index].orders[slot]
        guard !order.isDone else { return }
        let wanted = final ? order.size - order.filled : halved(order)
        switch order.kind {
        case .flashClose, .reduce: fillClose(index, slot, wanted, atNs: ns)
        case .open: fillOpen(index, slot, wanted, atNs: ns)
        }
        if final { states[index].orders[slot].isDone = true }
    }

    private func halved(_ order: ClientOrder) -> Fixed {
        order.size.scaled(1, over: 2).floored(to: instrument(order.symbol, order.product)?.step ?? .zero)
    }

    private mutating func fillClose(_ index: Int, _ slot: Int, _ wanted: Fixed, atNs ns: Int64) {
        let order = states[index].orders[slot]
        let price = fillPrice(order)
        let done = shrink(
            index, order.product, order.symbol, order.leg, id: order.positionID, by: wanted, at: price, atNs: ns)
        record(index, slot, done.taken, done.profit, at: price, atNs: ns)
        guard done.taken > .zero else { return }
        let uid = states[index].account.uid
        let key = LegKey(uid: uid, product: order.product, symbol: order.symbol, side: order.leg)
        truth.noteClosed(key, done.taken, by: .client)
        truth.executedCloses[key, default: []].append(
            ExecutedClose(orderID: order.id, quantity: done.taken, atNs: ns))
        if let leg = done.closed { afterClosed(index, leg, atNs: ns) }
    }

    /// Whether the two directions of a contract cancel out; margin pairs and options never have sides.
    private func nets(_ index: Int, _ product: String) -> Bool {
        !states[index].account.isHedge || product == "MARGIN" || product == "OPTION"
    }

    /// An order without protection: what it cannot close, it opens on the other side.
    private mutating func fillOpen(_ index: Int, _ slot: Int, _ wanted: Fixed, atNs ns: Int64) {
        let order = states[index].orders[slot]
        var rest = wanted
        var profit = Fixed.zero
        if nets(index, order.product) {
            let done = shrink(index, order.product, order.symbol, order.leg.opposite, by: wanted, atNs: ns)
            let key = LegKey(
                uid: states[index].account.uid, product: order.product, symbol: order.symbol, side: order.leg.opposite)
            truth.noteClosed(key, done.taken, by: .client)
            rest -= done.taken
            profit = done.profit
        }
        record(index, slot, wanted, profit, at: fillPrice(order), atNs: ns)
        guard rest > .zero else { return }
        truth.exposureIncreases += 1
        let leg = SimulatedPosition(
            product: order.product, symbol: order.symbol, side: order.leg, quantity: rest, openPrice: order.price,
            marginCoin: order.marginCoin)
        truth.noteOpened(key(index, leg), rest, by: .client, atNs: ns)
        grow(index, leg, by: rest, atNs: ns)
    }

    private mutating func record(
        _ index: Int, _ slot: Int, _ quantity: Fixed, _ profit: Fixed, at price: Fixed, atNs ns: Int64
    ) {
        guard quantity > .zero else { return }
        let id = takeID(index).order
        states[index].orders[slot].filled += quantity
        states[index].orders[slot].profit += profit
        states[index].orders[slot].fills.append(
            ClientOrder.Fill(id: id, quantity: quantity, price: price, profit: profit, atMs: milliseconds(ns)))
    }

    // MARK: What the client did not do

    private mutating func afterClosed(_ index: Int, _ leg: SimulatedPosition, atNs ns: Int64) {
        for (slot, script) in states[index].pendingScripts.enumerated().reversed() {
            guard case .afterClosed(let symbol, let ms) = script.trigger, symbol == leg.symbol else { continue }
            states[index].pendingScripts.remove(at: slot)
            schedule(.script(account: index, action: script.action), atNs: ns + ms * 1_000_000)
        }
        let faults = configuration.faults
        guard states[index].reopens < faults.maxReopensPerAccount else { return }
        var random = SplitMix64(
            configuration.seed, "reopen", states[index].account.uid, leg.product, leg.symbol,
            ordinal: states[index].reopens)
        guard random.chance(perMille: faults.reopenPerMille) else { return }
        states[index].reopens += 1
        schedule(.reopen(account: index, leg: leg), atNs: ns + random.inside(100...2_500) * 1_000_000)
    }

    /// Before the n-th close call of an account: scripted changes, then drawn ones.
    mutating func beforeClose(_ index: Int, atNs ns: Int64) {
        states[index].closeCalls += 1
        let count = states[index].closeCalls
        for (slot, script) in states[index].pendingScripts.enumerated().reversed()
        where script.trigger == .beforeClose(count) {
            states[index].pendingScripts.remove(at: slot)
            perform(script.action, index, atNs: ns)
        }
        var random = SplitMix64(configuration.seed, "shift", states[index].account.uid, ordinal: count)
        guard random.chance(perMille: configuration.faults.shiftPerMille) else { return }
        let positions = states[index].account.positions
        guard !positions.isEmpty else { return }
        let leg = positions[random.below(positions.count)]
        switch random.below(3) {
        case 0: perform(.remove(product: leg.product, symbol: leg.symbol), index, atNs: ns)
        case 1: perform(.flip(product: leg.product, symbol: leg.symbol, quantity: leg.quantity), index, atNs: ns)
        default:
            perform(
                .open(product: leg.product, symbol: leg.symbol, side: leg.side, quantity: leg.quantity), index, atNs: ns
            )
        }
    }

    mutating func perform(_ action: ScriptAction, _ index: Int, atNs ns: Int64) {
        switch action {
        case .open(let product, let symbol, let side, let quantity):
            venueOpen(index, product, symbol, side, quantity, atNs: ns)
        case .flip(let product, let symbol, let quantity):
            guard
                let leg = states[index].account.positions.first(where: { $0.symbol == symbol && $0.product == product })
            else { return }
            venueRemove(index, leg, atNs: ns)
            venueOpen(index, product, symbol, leg.side.opposite, quantity, atNs: ns)
        case .remove(let product, let symbol):
            for leg in states[index].account.positions where leg.symbol == symbol && leg.product == product {
                venueRemove(index, leg, atNs: ns)
            }
        case .end(let product, let symbol, let ending, let quantity):
            end(index, product, symbol, ending, quantity, atNs: ns)
        case .setCap(let product, let symbol, let market, let whole):
            change(product, symbol) {
                $0.maxMarketQuantity = market
                $0.maxFlashClose = whole
            }
        case .fireOpener(let symbol): fireOpener(index, symbol, atNs: ns)
        case .unify: states[index].account.isUnified = true
        case .setStatus(let product, let symbol, let status):
            change(product, symbol) { $0.status = status }
        case .setDelivery(let product, let symbol, let status):
            change(product, symbol) { $0.deliveryStatus = status }
        }
    }

    private mutating func change(_ product: String, _ symbol: String, _ edit: (inout SimulatedInstrument) -> Void) {
        for slot in instruments.indices where instruments[slot].symbol == symbol && instruments[slot].product == product
        {
            edit(&instruments[slot])
        }
    }

    private mutating func venueRemove(_ index: Int, _ leg: SimulatedPosition, atNs ns: Int64) {
        let id = leg.id.isEmpty ? nil : leg.id
        let done = shrink(index, leg.product, leg.symbol, leg.side, id: id, by: leg.quantity, atNs: ns)
        guard done.taken > .zero else { return }
        truth.noteClosed(key(index, leg), done.taken, by: .venue)
        truth.venueClosings.append(key(index, leg))
    }

    /// The exchange closes a position of its own accord and writes it into its history.
    private mutating func end(
        _ index: Int, _ product: String, _ symbol: String, _ ending: VenueEnding, _ quantity: Fixed?, atNs ns: Int64
    ) {
        for leg in states[index].account.positions where leg.symbol == symbol && leg.product == product {
            let done = shrink(
                index, product, symbol, leg.side, id: leg.id.isEmpty ? nil : leg.id, by: quantity ?? leg.quantity,
                atNs: ns)
            guard done.taken > .zero else { continue }
            truth.venueClosings.append(key(index, leg))
            states[index].ended.append(
                EndedPosition(
                    leg: leg, quantity: done.taken, isWhole: done.closed != nil, by: ending,
                    id: takeID(index).order, atMs: milliseconds(ns)))
        }
    }

    private func key(_ index: Int, _ leg: SimulatedPosition) -> LegKey {
        LegKey(uid: states[index].account.uid, product: leg.product, symbol: leg.symbol, side: leg.side)
    }

    private mutating func venueOpen(
        _ index: Int, _ product: String, _ symbol: String, _ side: PositionSide, _ quantity: Fixed, atNs ns: Int64
    ) {
        guard let instrument = instrument(symbol, product), quantity > .zero else { return }
        var rest = quantity
        if nets(index, product) {
            let taken = shrink(index, product, symbol, side.opposite, by: quantity, atNs: ns).taken
            let key = LegKey(uid: states[index].account.uid, product: product, symbol: symbol, side: side.opposite)
            truth.noteClosed(key, taken, by: .venue)
            rest -= taken
        }
        guard rest > .zero else { return }
        let leg = SimulatedPosition(
            product: product, symbol: symbol, side: side, quantity: rest,
            openPrice: instrument.price.scaled(1_001, over: 1_000), marginCoin: instrument.marginCoin)
        truth.venueOpenings.append(key(index, leg))
        truth.noteOpened(key(index, leg), rest, by: .venue, atNs: ns)
        grow(index, leg, by: rest, atNs: ns)
    }

    /// An order that opens and was not cancelled in time.
    @discardableResult
    private mutating func fireOpener(_ index: Int, _ symbol: String, atNs ns: Int64) -> Bool {
        let account = states[index].account
        if let slot = account.resting.firstIndex(where: { $0.symbol == symbol && !$0.closes }) {
            let order = states[index].account.resting.remove(at: slot)
            venueOpen(index, order.product, symbol, order.leg, order.remaining, atNs: ns)
            return true
        }
        if let slot = account.plans.firstIndex(where: { $0.symbol == symbol && !$0.closes }) {
            let order = states[index].account.plans.remove(at: slot)
            venueOpen(index, order.product, symbol, order.leg, order.size, atNs: ns)
            return true
        }
        return false
    }

    mutating func reopen(_ index: Int, _ leg: SimulatedPosition, atNs ns: Int64) {
        guard !fireOpener(index, leg.symbol, atNs: ns), let instrument = instrument(leg.symbol, leg.product) else {
            return
        }
        let part = max(instrument.step, leg.quantity.scaled(1, over: 2).floored(to: instrument.step))
        venueOpen(index, leg.product, leg.symbol, leg.side, part, atNs: ns)
    }
}
