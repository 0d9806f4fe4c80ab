extension FleetBuilder {
    /// One contract of a random fleet: a position and perhaps orders.
    mutating func openBingX(_ slot: Int, _ instrument: SimulatedInstrument, _ random: inout SplitMix64) {
        let side: PositionSide = random.chance(perMille: 500) ? .long : .short
        let size = Self.size(worth: 200 + random.below(40_000), of: instrument)
        let (symbol, product) = (instrument.symbol, instrument.product)
        // One account in eight holds separate positions of one side; there is no such thing in coin.
        if accounts[slot].positions.isEmpty, random.chance(perMille: 125) {
            edit(slot) { $0.bingx.marginType = "SEPARATE_ISOLATED" }
        }
        let isSeparate = accounts[slot].bingx.marginType == "SEPARATE_ISOLATED" && product == "swap"
        let mode = isSeparate || random.chance(perMille: 350) ? "isolated" : "crossed"
        position(slot, symbol, product: product, side: side, quantity: size, marginMode: mode)
        if isSeparate, random.chance(perMille: 500) {
            let second = Self.size(worth: 200 + random.below(9_000), of: instrument)
            position(slot, symbol, product: product, side: side, quantity: second, marginMode: mode)
        } else if accounts[slot].isHedge, random.chance(perMille: 300) {
            let other = Self.size(worth: 200 + random.below(9_000), of: instrument)
            position(slot, symbol, product: product, side: side.opposite, quantity: other, marginMode: mode)
        }
        let part = max(instrument.step, size.scaled(1, over: 3).floored(to: instrument.step))
        if random.chance(perMille: 120) {
            resting(slot, symbol, product: product, leg: side, closes: false, size: part)
        }
        if random.chance(perMille: 120) { resting(slot, symbol, product: product, leg: side, closes: true, size: part) }
        let triggers: [(type: String, closes: Bool, rate: Int)] = [
            ("TRIGGER_MARKET", false, 80), ("STOP_MARKET", true, 80), ("TAKE_PROFIT_MARKET", true, 80),
            ("TRAILING_STOP_MARKET", true, 40),
        ]
        for trigger in triggers where random.chance(perMille: trigger.rate) {
            // A stop of the whole position carries no quantity.
            let isWhole = trigger.type == "STOP_MARKET" && random.chance(perMille: 500)
            plan(
                slot, symbol, product: product, type: trigger.type, leg: side, closes: trigger.closes,
                size: isWhole ? .zero : part)
        }
        if product == "swap", random.chance(perMille: 25) {
            let id = takeID(at: slot).order
            edit(slot) {
                $0.bingx.twaps.append(
                    SimulatedTwap(id: id, symbol: symbol, leg: side, closes: false, size: part))
            }
        }
    }

    /// What an account has besides.
    mutating func finishBingX(_ slot: Int, _ random: inout SplitMix64) {
        // A limit order of a contract without a position is what is left behind most often.
        guard random.chance(perMille: 150) else { return }
        let held = Set(accounts[slot].positions.map(\.symbol))
        let free = instruments(of: .bingx).filter { !held.contains($0.symbol) && $0.product == "swap" }
        guard !free.isEmpty else { return }
        let chosen = free[random.below(free.count)]
        resting(slot, chosen.symbol, product: chosen.product, leg: .long, closes: false, size: chosen.step)
    }
}
