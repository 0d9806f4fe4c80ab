import FlatbookCore

/// Chooses how an account's legs are closed, under the rule of reach (`contract.md` §3): a method may be used only if
/// every position that *could* exist within its reach lies inside the selection as written.
struct MethodChoice {
    private let account: PlannedAccount

    init(_ account: PlannedAccount) { self.account = account }

    /// The fewest calls, widest reach first; a call without size is preferred to one that states it.
    func calls() -> (calls: [CloseCall], unclosable: [UnclosableLeg]) {
        var calls: [CloseCall] = []
        var unclosable: [UnclosableLeg] = []
        var open = account.positions.sorted { $0.key < $1.key }
        for row in open where account.inParts.contains(row.key) {
            switch part(of: row) {
            case .success(let call): calls.append(call)
            case .failure(let leg): unclosable.append(leg)
            }
        }
        open.removeAll { account.inParts.contains($0.key) }
        let kept = account.positions.filter { account.inParts.contains($0.key) || account.alone.contains($0.key) }
        calls += narrow(kept, leaving: &open)
        for method in candidates() {
            let groups = Dictionary(grouping: open) { Territory(method.reach, $0) }
            var closed: Set<LegKey> = []
            for (territory, rows) in groups.sorted(by: { $0.key < $1.key }) {
                guard rows.allSatisfy({ mayUse(method, for: $0) }), !touchesOutside(territory, method, kept: kept)
                else { continue }
                calls.append(call(method, rows))
                closed.formUnion(rows.map(\.key))
            }
            open.removeAll { closed.contains($0.key) }
        }
        for row in open { unclosable.append(UnclosableLeg(key: row.key, reason: reason(for: row))) }
        return (calls, unclosable)
    }

    /// A sized order for a part of the leg, or for its rest: no call of a whole position takes it any more.
    private func part(of row: Position) -> PartOrNot {
        let reason: String
        if let method = account.methods.first(where: { $0.isSized && $0.reach == .leg && mayUse($0, for: row) }) {
            if account.sizes[row.key]?.part(of: row.quantity) != nil { return .success(call(method, [row])) }
            reason = "no order fits between the contract's smallest and largest one"
        } else {
            reason = "no order of this account could close it in parts without risk"
        }
        return .failure(UnclosableLeg(key: row.key, reason: "\(Obstacle.tooLarge.reason), and \(reason)"))
    }

    private enum PartOrNot {
        case success(CloseCall)
        case failure(UnclosableLeg)
    }

    /// Calls of the narrowest reach; rows that have none stay with the others.
    private func narrow(_ kept: [Position], leaving open: inout [Position]) -> [CloseCall] {
        var calls: [CloseCall] = []
        let methods = candidates().filter { !$0.isSized }.reversed()
        let inParts = kept.filter { account.inParts.contains($0.key) }
        for row in kept where open.contains(where: { $0.key == row.key }) {
            guard let method = methods.first(where: { mayUse($0, for: row) }) else { continue }
            let territory = Territory(method.reach, row)
            guard !touchesOutside(territory, method, kept: inParts) else { continue }
            let rows = open.filter {
                $0.key.silo == row.key.silo && Territory(method.reach, $0) == territory && mayUse(method, for: $0)
            }
            calls.append(call(method, rows))
            open.removeAll { gone in rows.contains { $0.key == gone.key } }
        }
        return calls
    }

    private func candidates() -> [CloseMethod] {
        account.methods.enumerated().filter { $0.element.isForParts != true }.sorted { a, b in
            if a.element.isSized != b.element.isSized { return !a.element.isSized }
            if a.element.reach != b.element.reach { return a.element.reach > b.element.reach }
            return a.offset < b.offset
        }.map(\.element).filter { $0.reach <= widest }
    }

    /// Granularity narrows; what the selection allows is asked separately, so it can never widen.
    private var widest: Reach {
        switch account.granularity {
        case .auto, .account: .product
        case .symbol: .symbol
        case .side: .side
        }
    }

    /// Whether everything that could stand within the method's reach around this row is selected.
    private func mayUse(_ method: CloseMethod, for row: Position) -> Bool {
        guard fits(method, row), isSelected(row) else { return false }
        if mustGuaranteeSide(row), !method.guaranteesSide { return false }
        return switch method.reach {
        case .product: account.selection.isEverything && !account.legByLeg
        case .symbol: account.selection.bothSides && !account.legByLeg
        // Several copies stand on one side, and the trader may open another one at any time.
        case .side: !(account.legByLeg && method.silo == .copy)
        case .leg: true
        }
    }

    private func fits(_ method: CloseMethod, _ row: Position) -> Bool {
        method.modes.contains(row.mode) && method.silo == row.key.silo
            && method.products?.contains(row.key.product) ?? true
    }

    private func isSelected(_ row: Position) -> Bool {
        account.selection.selects(row, exchange: account.account.exchange)
    }

    /// A net position can flip between the read and the close. Where only one side is selected, or only this very leg is
    /// meant, the exchange itself must refuse to close what it became.
    private func mustGuaranteeSide(_ row: Position) -> Bool {
        row.mode == .oneWay && (!account.selection.bothSides || account.legByLeg)
    }

    /// A row that must stay open and that the call would close with the others: the other margin mode of a side, when legs
    /// are named one by one.
    ///
    /// - Parameter kept: rows that are closed in another way and that the call must not touch either.
    private func touchesOutside(_ territory: Territory, _ method: CloseMethod, kept: [Position]) -> Bool {
        (account.outside + kept).contains { $0.key.silo == method.silo && Territory(method.reach, $0) == territory }
    }

    private func call(_ method: CloseMethod, _ rows: [Position]) -> CloseCall {
        let key = rows[0].key
        let currencies = Set(rows.map(\.key.marginCurrency))
        return CloseCall(
            account: account.account.name, method: method, product: key.product,
            instrument: method.reach == .product ? nil : key.instrument,
            side: method.reach <= .side ? key.side : nil, legs: rows.map(\.key),
            quantity: method.isSized ? account.sizes[key]?.part(of: rows[0].quantity) ?? rows[0].quantity : nil,
            marginMode: method.reach == .leg ? key.marginMode : nil,
            marginCurrency: currencies.count == 1 ? key.marginCurrency : nil, mode: rows[0].mode,
            notional: sum(rows.map(\.notional)), freesHeldSize: mayFree(method, rows[0]) ? true : nil)
    }

    /// The close orders that go with the call are those of its position: inside the selection unless the position is a
    /// net one, of which one side alone is selected (contract §3, Reach). `keep` lets none go.
    private func mayFree(_ method: CloseMethod, _ row: Position) -> Bool {
        method.canFreeHeldSize == true && account.orders != .keep && !account.legByLeg
            && (row.mode == .hedge || account.selection.bothSides)
    }

    private func reason(for row: Position) -> String {
        let usable = account.methods.filter { fits($0, row) && $0.isForParts != true }
        if usable.isEmpty, let reason = account.unclosable[row.key.silo] { return reason }
        if usable.isEmpty { return "no close method for \(row.mode.rawValue) mode" }
        if mustGuaranteeSide(row), !usable.contains(where: \.guaranteesSide) { return "side cannot be guaranteed" }
        let allowed = usable.filter { $0.reach <= widest && mayUse($0, for: row) }
        if allowed.isEmpty {
            return "every close method reaches beyond the selection or the granularity \(account.granularity.rawValue)"
        }
        return "a close would also close a leg outside the selection"
    }
}

/// What one call would touch: the part of an account that a reach names around a row.
private struct Territory: Hashable, Comparable {
    private var parts: [String]

    init(_ reach: Reach, _ row: Position) {
        let key = row.key
        parts = [key.silo.rawValue, key.product]
        if reach <= .symbol { parts.append(key.instrument) }
        if reach <= .side { parts.append(key.side.rawValue) }
        if reach == .leg { parts += [key.marginMode.rawValue, key.marginCurrency, key.positionID ?? ""] }
    }

    static func < (a: Self, b: Self) -> Bool { a.parts.lexicographicallyPrecedes(b.parts) }
}

/// A sum for priority and display; a value beyond 38 digits is left out rather than stopping a close.
func sum(_ amounts: [Amount]) -> Amount {
    amounts.reduce(Amount.zero) { total, next in (try? total.adding(next.magnitude)) ?? total }
}
