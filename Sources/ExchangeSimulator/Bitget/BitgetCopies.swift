/// Copied positions stand among the others under a product of their own, so that fills, lags and the judge see them.
enum BitgetCopy {
    static let prefix = "copy:"

    /// The product of the contract: without the mark of a copy.
    static func plain(_ product: String) -> String {
        product.hasPrefix(prefix) ? String(product.dropFirst(prefix.count)) : product
    }
}

extension SimulatedPosition {
    /// Opened by copying a trader. Its ``id`` is the tracking number, its ``product`` carries `copy:`.
    package var isCopy: Bool { product.hasPrefix(BitgetCopy.prefix) }
}

/// A position that copies a trader's.
package struct CopiedPosition: Hashable, Sendable {
    package var trackingNo: String
    package var traderID: String
    package var product: String
    package var symbol: String
    package var side: PositionSide
    /// In base coin.
    package var size: Fixed
    package var openPrice: Fixed
    /// `crossed` or `isolated`; the copy endpoints say `cross` (sheet §3.6).
    package var marginMode: String
    package var leverage: Int
    package var openTimeMs: Int64
}

/// What only accounts of this exchange have.
package struct BitgetTraits: Sendable {
    /// Whether the account copies traders.
    package var isFollower = false
    /// Trader ids by tracking number.
    package var traders: [String: String] = [:]
    /// The account is being made a unified one; nil: it is not.
    package var upgrade: BitgetUpgrade?
    package init() {}
}

/// A change from classic to unified that is under way (sheet §3.10).
package struct BitgetUpgrade: Hashable, Sendable {
    package var code = "40115"
    /// Milliseconds after the first request; nil: it never ends.
    package var endsMs: Int64?
    package init(endsMs: Int64? = nil) { self.endsMs = endsMs }
}

/// What the sheet leaves open of copy trading.
package struct BitgetCopySwitches: Sendable {
    /// The open copies as an array, as documented, or as an object with `trackingList`, as seen live.
    package var listAsArray = false
    /// The plain lists show copies too; plain closes of them answer `40866`.
    package var inPlainLists = false
    /// A close without tracking number and symbol closes every copy of the product; off: `40019`.
    package var closesWholeProduct = true
    package var missingHoldSideCode = "40019"
    package var mismatchCode = "40017"
    /// What accounts answer that copy nobody; nil: an empty list.
    package var nonFollowerCode: String?
    /// No key has the right to any of it.
    package var isForbidden = false
    package init() {}
}

extension SimulatedAccount {
    package var isFollower: Bool {
        get { bitget.isFollower }
        set { bitget.isFollower = newValue }
    }

    /// The positions that copy a trader's.
    package var copies: [CopiedPosition] {
        positions.filter(\.isCopy).map {
            CopiedPosition(
                trackingNo: $0.id, traderID: trader(of: $0.id), product: BitgetCopy.plain($0.product),
                symbol: $0.symbol, side: $0.side, size: $0.quantity, openPrice: $0.openPrice,
                marginMode: $0.marginMode, leverage: $0.leverage, openTimeMs: $0.openedAtMs)
        }
    }

    /// A copy that opened by itself is of the first trader.
    func trader(of trackingNo: String) -> String {
        bitget.traders[trackingNo] ?? bitget.traders.values.min() ?? "8100000001"
    }
}

/// Copy trading, the follower's side (sheet §3.6, §9 #29).
extension ExchangeSimulation {
    private var copy: BitgetCopySwitches { configuration.switches.copy }

    // MARK: Where the plain routes meet copies

    /// What the plain routes show: one row per leg, copies in it only by switch.
    func plainView(_ index: Int, atNs ns: Int64) -> [SimulatedPosition] {
        let all = world.visiblePositions(index, atNs: ns)
        guard copy.inPlainLists else { return all }
        var rows: [SimulatedPosition] = []
        for var leg in all {
            leg.product = BitgetCopy.plain(leg.product)
            if let row = rows.firstIndex(where: { $0.isLeg(leg.product, leg.symbol, leg.side) }) {
                rows[row].quantity += leg.quantity
            } else {
                rows.append(leg)
            }
        }
        return rows
    }

    /// Copies that a plain close would mean, one per leg.
    func visibleCopies(
        _ call: BitgetCall, _ index: Int, symbol: String?, side: PositionSide?
    ) -> [SimulatedPosition] {
        guard copy.inPlainLists else { return [] }
        var legs: [SimulatedPosition] = []
        for leg in world.states[index].account.positions
        where leg.isCopy && BitgetCopy.plain(leg.product) == call.product
            && (symbol == nil || leg.symbol.uppercased() == symbol) && (side == nil || leg.side == side)
            && !legs.contains(where: { $0.isLeg(leg.product, leg.symbol, leg.side) })
        {
            legs.append(leg)
        }
        return legs
    }

    func showsCopy(_ index: Int, _ instrument: SimulatedInstrument, _ side: PositionSide) -> Bool {
        let product = BitgetCopy.prefix + instrument.product
        return copy.inPlainLists && world.position(index, product, instrument.symbol, side) != nil
    }

    // MARK: Lists

    private func stranger(_ index: Int) -> BitgetAnswer? {
        guard !world.states[index].account.isFollower else { return nil }
        return copy.nonFollowerCode.map { .failure($0) }
    }

    func openCopies(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        if let refusal = stranger(index) { return refusal }
        let account = world.states[index].account
        let product = BitgetCopy.prefix + call.product
        let rows = world.visiblePositions(index, atNs: call.ns).filter {
            $0.product == product && isWanted(call, $0.symbol, account.trader(of: $0.id), $0.openedAtMs)
        }
        return trackingPage(rows.map { ($0.id, trackingRow($0, account)) }, call, asArray: style(call).listAsArray)
    }

    func closedCopies(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        if let refusal = stranger(index) { return refusal }
        let state = world.states[index]
        let product = BitgetCopy.prefix + call.product
        let rows: [(String, Wire)] = state.orders.compactMap { order in
            guard let number = order.positionID, order.product == product, let last = order.fills.last,
                isWanted(call, order.symbol, state.account.trader(of: number), last.atMs),
                call.ns - order.acceptedNs >= configuration.switches.fillsHiddenMs * 1_000_000
            else { return nil }
            let trader = state.account.trader(of: number)
            return (
                number,
                .object([
                    ("trackingNo", .text(number)), ("traderId", .text(trader)),
                    ("traderName", .text("trader-" + trader)), ("closeOrderId", .text(order.id)),
                    ("symbol", .text(order.symbol)), ("posSide", .text(order.leg.rawValue)),
                    ("closeAvgPrice", .decimal(order.average)), ("closeSize", .decimal(order.filled)),
                    ("achievedPL", .decimal(order.profit)), ("closeTime", .text(String(last.atMs))),
                ])
            )
        }
        return trackingPage(rows, call, asArray: false)
    }

    func followedTraders(_ index: Int) -> BitgetAnswer {
        if let refusal = stranger(index) { return refusal }
        let traders = Set(world.states[index].account.bitget.traders.values).sorted()
        return BitgetAnswer(
            data: .list(
                traders.map {
                    .object([("traderId", .text($0)), ("traderName", .text("trader-" + $0)), ("isRemove", .text("no"))])
                }))
    }

    private func isWanted(_ call: BitgetCall, _ symbol: String, _ trader: String, _ ms: Int64) -> Bool {
        (call.field("symbol").map { $0.uppercased() == symbol.uppercased() } ?? true)
            && (call.field("traderId").map { $0 == trader } ?? true)
            && ms >= (call.field("startTime").flatMap { Int64($0) } ?? Int64.min)
            && ms <= (call.field("endTime").flatMap { Int64($0) } ?? Int64.max)
    }

    /// Newest first; `idLessThan` is the last tracking number of the page before.
    private func trackingPage(_ rows: [(String, Wire)], _ call: BitgetCall, asArray: Bool) -> BitgetAnswer {
        guard let limit = Int(call.field("limit") ?? "20"), (1...100).contains(limit) else {
            return .failure("40020", "Parameter limit error")
        }
        let below = call.field("idLessThan").flatMap { Int64($0) } ?? Int64.max
        let above = call.field("idGreaterThan").flatMap { Int64($0) } ?? Int64.min
        let chosen = rows.compactMap { row in Int64(row.0).map { (id: $0, row: row.1) } }
            .filter { above < $0.id && $0.id < below }.sorted { $0.id > $1.id }.prefix(limit)
        let list = Wire.list(chosen.map(\.row))
        if asArray { return BitgetAnswer(data: list) }
        let isNull = chosen.isEmpty && style(call).nullLists
        let end: Wire = chosen.last.map { .text(String($0.id)) } ?? (isNull ? .null : .text(""))
        return BitgetAnswer(data: .object([("trackingList", isNull ? .null : list), ("endId", end)]))
    }

    private func trackingRow(_ leg: SimulatedPosition, _ account: SimulatedAccount) -> Wire {
        let trader = account.trader(of: leg.id)
        let margin = leg.openPrice.scaled(1, over: max(1, leg.leverage)) * leg.quantity
        return .object([
            ("trackingNo", .text(leg.id)), ("traderId", .text(trader)), ("traderName", .text("trader-" + trader)),
            ("openOrderId", .text(leg.id + "1")), ("closeOrderId", .text("")), ("symbol", .text(leg.symbol)),
            ("posSide", .text(leg.side.rawValue)), ("openLeverage", .text(String(leg.leverage))),
            ("openAvgPrice", .decimal(leg.openPrice)), ("openTime", .text(String(leg.openedAtMs))),
            ("openSize", .decimal(leg.quantity)), ("openMarginSz", .decimal(margin)), ("closeAvgPrice", .text("")),
            ("closeSize", .text("0")), ("closeTime", .text("0")),
        ])
    }

    // MARK: Close

    mutating func closeCopies(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        if let refusal = stranger(index) { return refusal }
        let hedge = world.states[index].account.isHedge
        let side = call.field("holdSide").flatMap { PositionSide(rawValue: $0.lowercased()) }
        if hedge {
            guard call.field("holdSide") != nil else {
                return .failure(copy.missingHoldSideCode, "Parameter holdSide cannot be empty")
            }
            guard side != nil else { return .failure("40020", "Parameter holdSide error") }
        }
        if let mode = call.field("marginMode"), mode != "isolated", mode != "cross" {
            return .failure("40020", "Parameter marginMode error")
        }
        world.beforeClose(index, atNs: call.ns)
        let product = BitgetCopy.prefix + call.product
        let copies = world.states[index].account.positions.filter { $0.product == product }
        func fits(_ leg: SimulatedPosition) -> Bool {
            (call.field("symbol").map { $0.uppercased() == leg.symbol.uppercased() } ?? true)
                && (call.field("marginCoin").map { $0.uppercased() == leg.marginCoin.uppercased() } ?? true)
                && (call.field("marginMode").map { ($0 == "cross") == (leg.marginMode == "crossed") } ?? true)
                && (!hedge || side == leg.side)
        }
        if let number = call.field("trackingNo") {
            guard let leg = copies.first(where: { $0.id == number }) else { return .failure("43065") }
            guard fits(leg) else { return .failure(copy.mismatchCode) }
            return close([leg], index, call, gone: "43065")
        }
        if call.field("symbol") == nil, !copy.closesWholeProduct {
            return .failure("40019", "Parameter symbol cannot be empty")
        }
        return close(copies.filter(fits), index, call, gone: "22002")
    }

    /// The reply has no rows of failures: what is not closed is not named, unless nothing is.
    private mutating func close(
        _ legs: [SimulatedPosition], _ index: Int, _ call: BitgetCall, gone: String
    ) -> BitgetAnswer {
        var verdicts: [(SimulatedPosition, LegVerdict)] = []
        for leg in legs {
            guard let verdict = judgeClose(leg, index, call) else { continue }
            if case .failCall(let code) = verdict { return .failure(code) }
            verdicts.append((leg, verdict))
        }
        var ids: [Wire] = []
        var refusal: String?
        for (leg, verdict) in verdicts {
            switch verdict {
            case .close(let quantity): ids.append(.text(acceptClose(leg, quantity, index, call).order))
            case .fail(let code): refusal = refusal ?? (code == "43118" ? "40894" : code)
            case .omit, .failCall: continue
            }
        }
        if ids.isEmpty, let refusal { return .failure(refusal) }
        if verdicts.isEmpty, gone != "22002" || !configuration.switches.flatCloseIsEmpty { return .failure(gone) }
        let isNull = ids.isEmpty && style(call).nullLists
        return BitgetAnswer(
            data: .object([("orderIdList", isNull ? .null : .list(ids))]), executed: !ids.isEmpty)
    }
}
