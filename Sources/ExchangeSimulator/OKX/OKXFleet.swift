extension FleetBuilder {
    /// One contract of a random fleet: a position and perhaps orders. No options: whether they close is unverified.
    mutating func openOKX(_ slot: Int, _ instrument: SimulatedInstrument, _ random: inout SplitMix64) {
        guard instrument.product != "OPTION" else { return }
        if accounts[slot].positions.isEmpty {
            let draw = random.below(10)
            // Portfolio margin knows no sides.
            let level = draw < 7 ? "2" : (draw < 9 || accounts[slot].isHedge ? "3" : "4")
            edit(slot) { $0.okx.accountLevel = level }
        }
        let side: PositionSide = random.chance(perMille: 500) ? .long : .short
        let size = Self.size(worth: 200 + random.below(40_000), of: instrument)
        let (symbol, product) = (instrument.symbol, instrument.product)
        let hasIsolated = accounts[slot].okx.accountLevel == "2"
        let mode = hasIsolated && random.chance(perMille: 350) ? "isolated" : "cross"
        position(slot, symbol, product: product, side: side, quantity: size, marginMode: mode)
        if accounts[slot].isHedge, product != "MARGIN", random.chance(perMille: 300) {
            let other = Self.size(worth: 200 + random.below(9_000), of: instrument)
            position(slot, symbol, product: product, side: side.opposite, quantity: other, marginMode: mode)
        }
        // Clients that load no spot markets do not know the pair of such an order and could not cancel it.
        guard product != "MARGIN" else { return }
        let part = max(instrument.step, size.scaled(1, over: 3).floored(to: instrument.step))
        if random.chance(perMille: 120) {
            resting(slot, symbol, product: product, leg: side, closes: false, size: part)
        }
        if random.chance(perMille: 120) { resting(slot, symbol, product: product, leg: side, closes: true, size: part) }
        let triggers: [(type: String, closes: Bool, rate: Int)] = [
            ("trigger", false, 80), ("conditional", true, 80), ("oco", true, 80), ("move_order_stop", true, 40),
        ]
        for trigger in triggers where random.chance(perMille: trigger.rate) {
            // A stop of the whole position carries a fraction instead of a size.
            let isWhole = trigger.type == "conditional" && random.chance(perMille: 500)
            plan(
                slot, symbol, product: product, type: trigger.type, leg: side, closes: trigger.closes,
                size: isWhole ? .zero : part)
        }
    }

    /// What an account has besides.
    mutating func finishOKX(_ slot: Int, _ random: inout SplitMix64) {
        // A limit order of a contract without a position is what is left behind most often.
        guard random.chance(perMille: 150) else { return }
        let held = Set(accounts[slot].positions.map(\.symbol))
        let free = instruments(of: .okx).filter { !held.contains($0.symbol) && $0.product == "SWAP" }
        guard !free.isEmpty else { return }
        let chosen = free[random.below(free.count)]
        resting(slot, chosen.symbol, product: chosen.product, leg: .long, closes: false, size: chosen.step)
    }
}
