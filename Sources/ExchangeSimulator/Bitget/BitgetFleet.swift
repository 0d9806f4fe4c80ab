extension FleetBuilder {
    /// What an account of a random fleet has besides its contracts: nothing. Followers and unified accounts are asked
    /// for by name, so that the fleets of a seed stay as they are.
    mutating func finishBitget(_ slot: Int, _ random: inout SplitMix64) {}

    /// The same account, copying two traders, with so many copied positions. Unified accounts copy nobody.
    package mutating func makeFollower(_ slot: Int, copies: Int, seed: UInt64) {
        guard !accounts[slot].isUnified else { return }
        var random = SplitMix64(seed, "follower", ordinal: slot)
        var listed = instruments(of: .bitget).filter { $0.product == "USDT-FUTURES" }
        listed.shuffle(using: &random)
        follow(slot)
        guard !listed.isEmpty else { return }
        var sides: [String: PositionSide] = [:]
        for count in 0..<max(0, copies) {
            // Some symbols carry several copies.
            let instrument = listed[random.chance(perMille: 250) ? 0 : count % listed.count]
            var side: PositionSide = random.chance(perMille: 500) ? .long : .short
            let trader = random.chance(perMille: 600) ? "8100000001" : "8100000002"
            let size = Self.size(worth: 100 + random.below(5_000), of: instrument)
            let mode = random.chance(perMille: 350) ? "isolated" : "crossed"
            // One-way: copies of one symbol stand on one side.
            if !accounts[slot].isHedge { side = sides[instrument.symbol] ?? side }
            sides[instrument.symbol] = side
            copy(slot, instrument.symbol, side: side, quantity: size, trader: trader, marginMode: mode)
        }
    }

    /// Lets an account copy traders, with the rights to it.
    package mutating func follow(_ slot: Int) {
        edit(slot) { account in
            account.isFollower = true
            for right in ["ttor", "ttow"] where !account.authorities.contains(right) {
                account.authorities.append(right)
            }
        }
    }

    /// A copied position; returns its tracking number. The account becomes a follower.
    @discardableResult
    package mutating func copy(
        _ slot: Int, _ symbol: String, product: String = "USDT-FUTURES", side: PositionSide, quantity: Fixed,
        trader: String = "8100000001", marginMode: String = "crossed"
    ) -> String {
        follow(slot)
        let place = accounts[slot].positions.count { $0.isCopy }
        let number = String(1_230_000_000_000_000_000 + Int64(slot) * 1_000_000 + Int64(place) * 17)
        position(
            slot, symbol, product: BitgetCopy.prefix + product, side: side, quantity: quantity, marginMode: marginMode,
            id: number)
        edit(slot) { $0.bitget.traders[number] = trader }
        return number
    }

    /// Makes an account a unified one; what it holds stays. Copies are of the classic kind only: none remain.
    package mutating func makeUnified(_ slot: Int) {
        edit(slot) { account in
            account.isUnified = true
            account.isFollower = false
            account.bitget.traders = [:]
            account.positions.removeAll { $0.isCopy }
        }
    }
}
