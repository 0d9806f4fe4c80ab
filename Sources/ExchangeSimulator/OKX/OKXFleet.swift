extension FleetBuilder {
    /// One instrument of a random fleet: a position and perhaps orders. Options are left out: the exchange refuses their
    /// market close by default.
    mutating func openOKX(_ slot: Int, _ instrument: SimulatedInstrument, _ random: inout SplitMix64) {
        let level = accounts[slot].okx.accountLevel
        guard instrument.product != "OPTION" else { return }
        let side: PositionSide = random.chance(perMille: 500) ? .long : .short
        let size = Self.size(worth: 200 + random.below(40_000), of: instrument)
        let (symbol, product) = (instrument.symbol, instrument.product)
        // Isolated margin exists in futures mode only (sheet §7.11).
        let mode = level == "2" && random.chance(perMille: 300) ? "isolated" : "crossed"
        position(slot, symbol, product: product, side: side, quantity: size, marginMode: mode)
        let isDerivative = product == "SWAP" || product == "FUTURES"
        if accounts[slot].isHedge, isDerivative, random.chance(perMille: 300) {
            let other = Self.size(worth: 200 + random.below(9_000), of: instrument)
            position(slot, symbol, product: product, side: side.opposite, quantity: other, marginMode: mode)
        }
        guard isDerivative else { return }
        let part = max(instrument.step, size.scaled(1, over: 3).floored(to: instrument.step))
        if random.chance(perMille: 120) {
            resting(slot, symbol, product: product, leg: side, closes: false, size: part)
        }
        if random.chance(perMille: 120) {
            resting(slot, symbol, product: product, leg: side, closes: true, size: part)
        }
        let algos: [(type: String, closes: Bool, rate: Int)] = [
            ("trigger", false, 80), ("conditional", true, 80), ("oco", true, 40), ("move_order_stop", false, 40),
        ]
        for algo in algos where random.chance(perMille: algo.rate) {
            plan(
                slot, symbol, product: product, type: algo.type, leg: side, closes: algo.closes,
                size: algo.closes ? .zero : part)
        }
    }

    /// What an account has besides. Portfolio margin and multi-currency hold no isolated positions, so only accounts without
    /// any become one of these; portfolio margin is net only (sheet §3.3).
    mutating func finishOKX(_ slot: Int, _ random: inout SplitMix64) {
        let hasIsolated = accounts[slot].positions.contains { $0.marginMode == "isolated" }
        guard !hasIsolated, random.chance(perMille: 300) else { return }
        let isPortfolio = random.chance(perMille: 300) && !accounts[slot].isHedge
        edit(slot) { $0.okx.accountLevel = isPortfolio ? "4" : "3" }
    }
}
