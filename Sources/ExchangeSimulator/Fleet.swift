/// Makes the accounts of a simulation.
package struct FleetBuilder: Sendable {
    package private(set) var accounts: [SimulatedAccount] = []
    private let seed: UInt64
    private let instruments: [SimulatedInstrument]
    private var nextID: Int64 = 1_100_000_000_000_000_001

    package init(seed: UInt64, instruments: [SimulatedInstrument] = SimulatedInstrument.everything) {
        self.seed = seed
        self.instruments = instruments
    }

    /// Name and credentials of one account, as an accounts file carries them.
    package struct Identity: Hashable, Sendable {
        package var venue: SimulatedVenue
        package var name: String
        package var uid: String
        package var key: String
        package var secret: String
        package var passphrase: String
        package init(
            venue: SimulatedVenue = .bitget, name: String, uid: String, key: String, secret: String, passphrase: String
        ) {
            self.venue = venue
            self.name = name
            self.uid = uid
            self.key = key
            self.secret = secret
            self.passphrase = passphrase
        }
    }

    /// `bitget-001` … with credentials from the seed.
    package static func identities(
        venue: SimulatedVenue = .bitget, count: Int, seed: UInt64
    ) -> [Identity] {
        // Every exchange has uids of its own, so that a judge can tell accounts by them alone.
        let firstUID: Int64 =
            switch venue {
            case .bitget: 7_000_000_001
            case .okx: 44_705_892_343_600_001
            case .bingx: 16_844_001
            }
        let purpose = venue == .bitget ? "identity" : "identity " + venue.rawValue
        return (0..<max(0, count)).map { index in
            var random = SplitMix64(seed, purpose, ordinal: index)
            let number = String(index + 1)
            let padded = String(repeating: "0", count: max(0, 3 - number.count)) + number
            func hex(_ count: Int) -> String {
                String((0..<count).map { _ in Array("0123456789abcdef")[random.below(16)] })
            }
            return Identity(
                venue: venue, name: venue.rawValue + "-" + padded, uid: String(firstUID + Int64(index)),
                key: (venue == .bitget ? "bg_" : "") + hex(32), secret: hex(64), passphrase: "Sim" + hex(12))
        }
    }

    /// A mixed fleet: one-way and hedge, three products, cross and isolated, about one in six already flat, some with
    /// resting openers, closers and trigger orders. The same seed gives the same fleet.
    package static func random(accounts count: Int, positionsPerAccount: Int, seed: UInt64) -> FleetBuilder {
        random(identities(count: count, seed: seed), positionsPerAccount: positionsPerAccount, seed: seed)
    }

    /// A mixed fleet for accounts that exist already, e.g. those of an accounts file.
    package static func random(
        _ identities: [Identity], positionsPerAccount: Int, seed: UInt64
    ) -> FleetBuilder {
        var builder = FleetBuilder(seed: seed)
        for (index, identity) in identities.enumerated() {
            let purpose = identity.venue == .bitget ? "fleet" : "fleet " + identity.venue.rawValue
            var random = SplitMix64(seed, purpose, ordinal: index)
            // Every sixth, at a phase from the seed, so that small fleets have a flat account as well.
            let isFlat = (index + Int(seed % 6)) % 6 == 5
            let slot = builder.add(identity, isHedge: random.chance(perMille: 500))
            guard !isFlat else { continue }
            var symbols = builder.instruments(of: identity.venue)
            symbols.shuffle(using: &random)
            let legs = max(1, positionsPerAccount)
            for instrument in symbols.prefix(legs) {
                switch identity.venue {
                case .bitget: builder.open(slot, instrument, &random)
                case .okx: builder.openOKX(slot, instrument, &random)
                case .bingx: builder.openBingX(slot, instrument, &random)
                }
            }
            builder.finish(slot, &random)
        }
        return builder
    }

    /// Every account: one-way, exactly `symbols` contracts in USDT, one long position each.
    package static func uniform(accounts count: Int, symbols: Int, seed: UInt64) -> FleetBuilder {
        var builder = FleetBuilder(seed: seed)
        let listed = builder.instruments(of: .bitget).filter {
            $0.product == "USDT-FUTURES" && $0.symbol.utf8.allSatisfy { $0 < 128 }
        }
        for identity in identities(count: count, seed: seed) {
            let slot = builder.add(identity)
            for instrument in listed.prefix(symbols) {
                builder.position(
                    slot, instrument.symbol, product: instrument.product, side: .long,
                    quantity: Self.size(worth: 900, of: instrument))
            }
        }
        return builder
    }

    /// Adds an account without positions; returns its index.
    @discardableResult
    package mutating func add(_ identity: Identity, isHedge: Bool = false) -> Int {
        accounts.append(
            SimulatedAccount(
                name: identity.name, uid: identity.uid, key: identity.key, secret: identity.secret,
                passphrase: identity.passphrase, isHedge: isHedge))
        accounts[accounts.count - 1].venue = identity.venue
        return accounts.count - 1
    }

    /// What is listed at one exchange.
    func instruments(of venue: SimulatedVenue) -> [SimulatedInstrument] {
        let products = Set(SimulatedInstrument.catalogue(of: venue).map(\.product))
        return instruments.filter { products.contains($0.product) }
    }

    /// What an account of a random fleet has besides the positions of its contracts.
    private mutating func finish(_ slot: Int, _ random: inout SplitMix64) {
        switch accounts[slot].venue {
        case .bitget: finishBitget(slot, &random)
        case .okx: finishOKX(slot, &random)
        case .bingx: finishBingX(slot, &random)
        }
    }

    /// Changes an account as a test needs it.
    package mutating func edit(_ slot: Int, _ change: (inout SimulatedAccount) -> Void) { change(&accounts[slot]) }

    package mutating func position(
        _ slot: Int, _ symbol: String, product: String = "USDT-FUTURES", side: PositionSide, quantity: Fixed,
        marginMode: String = "crossed", id: String = ""
    ) {
        guard let instrument = instrument(symbol, product) else { return }
        // Away from the price, so that the account's unrealised profit is never zero by chance.
        let open = instrument.price.scaled(side == .long ? 985 : 1_012, over: 1_000)
        var position = SimulatedPosition(
            product: product, symbol: symbol, side: side, quantity: quantity, openPrice: open,
            marginCoin: instrument.marginCoin, marginMode: marginMode)
        position.id = id
        if id.isEmpty, accounts[slot].venue != .bitget {
            nextID += 16
            position.id = String(600_000_000_000_000_000 + nextID)
        }
        accounts[slot].positions.append(position)
    }

    /// A limit order in the book; returns its id.
    @discardableResult
    package mutating func resting(
        _ slot: Int, _ symbol: String, product: String = "USDT-FUTURES", leg: PositionSide, closes: Bool, size: Fixed
    ) -> String {
        guard let instrument = instrument(symbol, product) else { return "" }
        let id = takeID(at: slot)
        let price = instrument.price.scaled((leg == .long) != closes ? 930 : 1_070, over: 1_000)
        accounts[slot].resting.append(
            RestingOrder(
                id: id.order, clientOid: id.client, product: product, symbol: symbol, marginCoin: instrument.marginCoin,
                leg: leg, closes: closes, size: size, price: price, createdMs: 1_780_000_100_000))
        return id.order
    }

    /// A trigger order; returns its id.
    @discardableResult
    package mutating func plan(
        _ slot: Int, _ symbol: String, product: String = "USDT-FUTURES", type: String, leg: PositionSide, closes: Bool,
        size: Fixed
    ) -> String {
        guard let instrument = instrument(symbol, product) else { return "" }
        let id = takeID(at: slot)
        accounts[slot].plans.append(
            PlanOrder(
                id: id.order, clientOid: id.client, planType: type, product: product, symbol: symbol,
                marginCoin: instrument.marginCoin, leg: leg, closes: closes, size: size,
                triggerPrice: instrument.price.scaled(960, over: 1_000), createdMs: 1_780_000_200_000))
        return id.order
    }

    func instrument(_ symbol: String, _ product: String) -> SimulatedInstrument? {
        instruments.first { $0.symbol == symbol && $0.product == BitgetCopy.plain(product) }
    }

    mutating func takeID() -> (order: String, client: String) {
        nextID += 16
        return (String(nextID), String(nextID + 3))
    }

    /// Ids of BingX are larger than 2^60 (its sheet, §9).
    mutating func takeID(at slot: Int) -> (order: String, client: String) {
        let id = takeID()
        guard accounts[slot].venue == .bingx else { return id }
        return (String(nextID + 600_000_000_000_000_000), "c" + id.client)
    }

    /// About `worth` quote coin of the contract, at least one step.
    package static func size(worth: Int, of instrument: SimulatedInstrument) -> Fixed {
        let unit = instrument.isInverse ? instrument.contractValue : instrument.price * instrument.contractValue
        let exact = Fixed(raw: Fixed(worth).raw * Fixed.unit / max(unit.raw, 1))
        return max(instrument.step, exact.floored(to: instrument.step))
    }

    private mutating func open(_ slot: Int, _ instrument: SimulatedInstrument, _ random: inout SplitMix64) {
        let side: PositionSide = random.chance(perMille: 500) ? .long : .short
        let size = Self.size(worth: 200 + random.below(40_000), of: instrument)
        let mode = random.chance(perMille: 350) ? "isolated" : "crossed"
        let (symbol, product) = (instrument.symbol, instrument.product)
        position(slot, symbol, product: product, side: side, quantity: size, marginMode: mode)
        if accounts[slot].isHedge, random.chance(perMille: 300) {
            let other = Self.size(worth: 200 + random.below(9_000), of: instrument)
            position(slot, symbol, product: product, side: side.opposite, quantity: other, marginMode: mode)
        }
        let part = max(instrument.step, size.scaled(1, over: 3).floored(to: instrument.step))
        if random.chance(perMille: 120) {
            resting(slot, symbol, product: product, leg: side, closes: false, size: part)
        }
        if random.chance(perMille: 120) { resting(slot, symbol, product: product, leg: side, closes: true, size: part) }
        if random.chance(perMille: 100) {
            plan(slot, symbol, product: product, type: "normal_plan", leg: side, closes: false, size: part)
        }
        if random.chance(perMille: 100) {
            plan(slot, symbol, product: product, type: "pos_loss", leg: side, closes: true, size: .zero)
        }
        if random.chance(perMille: 50) {
            plan(slot, symbol, product: product, type: "track_plan", leg: side, closes: false, size: part)
        }
    }
}
