/// What will happen later, in nanoseconds of the monotonic clock.
struct PendingEvent: Sendable {
    enum Kind: Sendable {
        case fill(account: Int, order: Int, final: Bool)
        case script(account: Int, action: ScriptAction)
        case reopen(account: Int, leg: SimulatedPosition)
        case execute(account: Int, request: LateRequest)
    }
    var atNs: Int64
    var sequence: Int
    var kind: Kind
}

/// A request that passed every check and whose execution the exchange put off.
struct LateRequest: Sendable {
    var request: SimulatedRequest
    /// Its place in ``Truth/receipts``.
    var receipt: Int
}

/// An account with everything that the exchange remembers of it.
struct AccountState: Sendable {
    var account: SimulatedAccount
    var orders: [ClientOrder] = []
    var orderIndex: [String: Int] = [:]
    var clientOids: Set<String> = []
    /// Earlier positions, oldest first, each with the time at which it ended.
    var history: [(endedNs: Int64, positions: [SimulatedPosition])] = []
    var readLagNs: Int64 = 0
    var idSteps: Int64 = 0
    var closeCalls = 0
    var reopens = 0
    var legFailures: [String: Int] = [:]
    var cancelledAt: [String: Int64] = [:]
    var callOrdinals: [String: Int] = [:]
    var pendingScripts: [Script] = []
    var positionSteps: Int64 = 0
    /// Oldest first.
    var ended: [EndedPosition] = []
    /// What only BingX remembers.
    var bingx = BingXMemory()
    /// What only OKX remembers.
    var okx = OKXMemory()
}

/// The exchange's books: positions, orders and what changes them.
struct World: Sendable {
    var states: [AccountState]
    var instruments: [SimulatedInstrument]
    var events: [PendingEvent] = []
    var truth = Truth()
    let configuration: SimulationConfiguration
    private var sequence = 0
    private var byKey: [String: Int] = [:]
    private var instrumentIndex: [String: Int] = [:]
    private var notional = Fixed.zero
    /// Milliseconds since 1970 minus monotonic milliseconds, from the last request.
    var epochShiftMs: Int64 = 0

    init(_ configuration: SimulationConfiguration) {
        self.configuration = configuration
        instruments = configuration.instruments
        states = []
        for (index, instrument) in instruments.enumerated() {
            instrumentIndex[instrument.product + " " + instrument.symbol.uppercased()] = index
        }
        for (index, client) in configuration.accounts.enumerated() {
            var account = client
            var random = SplitMix64(configuration.seed, "account", client.uid)
            if random.chance(perMille: configuration.faults.brokenKeyPerMille) {
                KeyDefect.allCases[random.below(KeyDefect.allCases.count)].apply(to: &account)
            }
            var state = AccountState(account: account)
            let lag = configuration.faults.readLagMs.map { random.inside($0) } ?? configuration.readLagMs
            state.readLagNs = lag * 1_000_000
            state.pendingScripts = account.scripts
            states.append(state)
            byKey[account.key] = index
        }
        for (index, state) in states.enumerated() {
            for position in state.account.positions {
                notional += worth(position, position.quantity)
                truth.noteInitial(
                    LegKey(
                        uid: state.account.uid, product: position.product, symbol: position.symbol, side: position.side),
                    position.quantity)
                noteLeg(index, position.product, position.symbol, position.side, atNs: .min)
            }
        }
    }

    func account(forKey key: String) -> Int? { byKey[key] }

    func instrument(_ symbol: String, _ product: String) -> SimulatedInstrument? {
        instrumentIndex[BitgetCopy.plain(product) + " " + symbol.uppercased()].map { instruments[$0] }
    }

    func milliseconds(_ ns: Int64) -> Int64 { ns / 1_000_000 + epochShiftMs }

    private func worth(_ position: SimulatedPosition, _ quantity: Fixed) -> Fixed {
        guard let instrument = instrument(position.symbol, position.product) else {
            return position.openPrice * quantity
        }
        let unit = instrument.isInverse ? Fixed(1) : instrument.price
        return unit * quantity * instrument.contractValue
    }

    // MARK: Time

    mutating func schedule(_ kind: PendingEvent.Kind, atNs: Int64) {
        sequence += 1
        let event = PendingEvent(atNs: atNs, sequence: sequence, kind: kind)
        // Kept sorted, last first; equal times keep the order in which they were scheduled.
        var low = 0
        var high = events.count
        while low < high {
            let middle = (low + high) / 2
            if events[middle].atNs > atNs { low = middle + 1 } else { high = middle }
        }
        events.insert(event, at: low)
    }

    mutating func nextEvent(upTo ns: Int64) -> PendingEvent? {
        guard let last = events.last, last.atNs <= ns else { return nil }
        return events.removeLast()
    }

    // MARK: Identifiers

    /// Order id and the exchange's client id: above 2^53, near each other, without a fixed relation (sheet §9 #17).
    mutating func takeID(_ index: Int) -> (order: String, client: String) {
        states[index].idSteps += 1
        var random = SplitMix64(configuration.seed, "id", ordinal: index &* 1_000_003 &+ Int(states[index].idSteps))
        let base = 1_120_953_923_904_893_955 + Int64(index) * 10_000_000_000 + states[index].idSteps * 16
        return (String(base + random.inside(0...7)), String(base + 8 + random.inside(0...7)))
    }

    /// The id of a position that opens, where the exchange gives positions ids.
    mutating func takePositionID(_ index: Int) -> String {
        states[index].positionSteps += 1
        var random = SplitMix64(configuration.seed, "position", states[index].account.uid)
        return String(1_725_119_205_811_617_792 + random.inside(0...900_000_000_000) + states[index].positionSteps)
    }

    // MARK: Positions

    /// - Parameter id: of the position, where several stand on one side of a symbol.
    func position(
        _ index: Int, _ product: String, _ symbol: String, _ side: PositionSide, id: String? = nil
    ) -> Int? {
        states[index].account.positions.firstIndex {
            $0.isLeg(product, symbol, side) && (id == nil || $0.id == id)
        }
    }

    /// What a read at `ns` shows: the state `lag` ago.
    func visiblePositions(_ index: Int, atNs ns: Int64) -> [SimulatedPosition] {
        let state = states[index]
        if showsEmptyCache(state.account.uid, atNs: ns) { return [] }
        guard state.readLagNs > 0 else { return state.account.positions }
        let seen = ns - state.readLagNs
        return state.history.first { $0.endedNs > seen }?.positions ?? state.account.positions
    }

    /// A cache that answers with nothing for a moment, well-formed: a read that shows less than there is (F56). Once per
    /// account, and shorter than the pause between two proofs: an exchange that lies for longer has no proof to offer.
    private func showsEmptyCache(_ uid: String, atNs ns: Int64) -> Bool {
        guard let length = configuration.faults.emptyCacheMs else { return false }
        var random = SplitMix64(configuration.seed, "cache", uid)
        let start = random.inside(1_200...15_000) * 1_000_000
        return ns >= start && ns < start + random.inside(length) * 1_000_000
    }

    /// What the judge knows of a leg: its whole quantity after every change.
    private mutating func noteLeg(
        _ index: Int, _ product: String, _ symbol: String, _ side: PositionSide, atNs ns: Int64
    ) {
        let account = states[index].account
        let quantity = account.positions.reduce(Fixed.zero) {
            $1.isLeg(product, symbol, side) ? $0 + $1.quantity : $0
        }
        truth.noteLeg(
            LegKey(uid: account.uid, product: product, symbol: symbol, side: side), quantity, atNs: ns)
    }

    private mutating func remember(_ index: Int, atNs ns: Int64) {
        let lag = states[index].readLagNs
        guard lag > 0 else { return }
        states[index].history.removeAll { $0.endedNs <= ns - lag }
        states[index].history.append((ns, states[index].account.positions))
    }

    private mutating func recount(_ change: Fixed, atNs ns: Int64) {
        notional += change
        truth.noteExposure(notional, atNs: ns)
    }

    /// Makes a leg larger or opens it.
    mutating func grow(_ index: Int, _ leg: SimulatedPosition, by quantity: Fixed, atNs ns: Int64) {
        guard quantity > .zero else { return }
        remember(index, atNs: ns)
        let id = leg.id.isEmpty ? nil : leg.id
        // Every copy is a position of its own.
        if !(leg.isCopy && id == nil), let found = position(index, leg.product, leg.symbol, leg.side, id: id) {
            states[index].account.positions[found].quantity += quantity
        } else {
            var opened = leg
            opened.quantity = quantity
            opened.openedAtMs = milliseconds(ns)
            if opened.id.isEmpty, states[index].account.venue != .bitget || leg.isCopy {
                opened.id = takePositionID(index)
            }
            states[index].account.positions.append(opened)
        }
        recount(worth(leg, quantity), atNs: ns)
        noteLeg(index, leg.product, leg.symbol, leg.side, atNs: ns)
    }

    /// Makes a leg smaller, at most to zero; returns what was taken and the profit.
    mutating func shrink(
        _ index: Int, _ product: String, _ symbol: String, _ side: PositionSide, id: String? = nil,
        by quantity: Fixed, at price: Fixed? = nil, atNs ns: Int64
    ) -> (taken: Fixed, profit: Fixed, closed: SimulatedPosition?) {
        guard let found = position(index, product, symbol, side, id: id), quantity > .zero else {
            return (.zero, .zero, nil)
        }
        remember(index, atNs: ns)
        let leg = states[index].account.positions[found]
        let taken = min(quantity, leg.quantity)
        let gain = gain(leg, taken, at: price ?? instrument(symbol, product)?.price ?? leg.openPrice)
        recount(-worth(leg, taken), atNs: ns)
        defer { noteLeg(index, product, symbol, side, atNs: ns) }
        guard taken == leg.quantity else {
            states[index].account.positions[found].quantity -= taken
            return (taken, gain, nil)
        }
        states[index].account.positions.remove(at: found)
        dropAttachments(index, of: leg)
        return (taken, gain, leg)
    }

    /// Closers and attached triggers of a leg that is gone (sheet §9 #24).
    private mutating func dropAttachments(_ index: Int, of leg: SimulatedPosition) {
        let venue = states[index].account.venue
        if venue == .bingx, configuration.bingx.ordersOutliveTheirPosition { return }
        // Cross and isolated of one side share their orders here: they go with the last.
        if venue == .okx, position(index, leg.product, leg.symbol, leg.side) != nil { return }
        states[index].account.resting.removeAll {
            $0.closes && $0.leg == leg.side && $0.symbol == leg.symbol && $0.product == leg.product
        }
        guard !configuration.switches.attachedTriggersRemain else { return }
        if venue == .okx, configuration.okx.algosOutliveTheirPosition { return }
        states[index].account.plans.removeAll {
            $0.closes && $0.leg == leg.side && $0.symbol == leg.symbol && $0.product == leg.product
        }
    }

    /// Quantity of a leg that accepted closes will still take.
    func inFlight(
        _ index: Int, _ product: String, _ symbol: String, _ side: PositionSide, id: String? = nil
    ) -> Fixed {
        states[index].orders.reduce(Fixed.zero) {
            !$1.isDone && $1.kind != .open && $1.leg == side && $1.symbol == symbol && $1.product == product
                && (id == nil || $1.positionID == nil || $1.positionID == id)
                ? $0 + ($1.size - $1.filled) : $0
        }
    }
}
