/// What the journal says of one account. A value: folding the same entries gives the same state.
public struct AccountState: Hashable, Sendable {
    public let listed: RunHeader.RunAccount
    public let plan: PlanDocument
    public internal(set) var identity: Identity?
    public internal(set) var snapshot: AccountSnapshot?
    public internal(set) var legs: [LegKey: LegState] = [:]
    /// Keys of `legs` in the order they were found.
    public internal(set) var legOrder: [LegKey] = []
    /// Open rows outside the selection at the last complete read.
    public internal(set) var outside: [Position] = []
    /// Close calls without a definite or resolved end.
    public internal(set) var unresolved: [String] = []
    /// Cancels without an answer.
    public internal(set) var cancelsInFlight: Set<String> = []
    /// The last definite reply to a mutation.
    public internal(set) var lastDefiniteAt: Instant?
    public internal(set) var lastIntentAt: Instant?
    /// Qualifying reads in a row without any selected row: the proof of an account that had none.
    public internal(set) var cleanReads: [ReadProof] = []
    public internal(set) var lastQualifyingReceipt: Instant?
    public internal(set) var lastObservation: Observation?
    /// Products that showed a row in this run, or whose control call was well-formed.
    public internal(set) var controlled: Set<String> = []
    public internal(set) var observations = 0
    /// Another process took over: what it knows is old, and nothing is closed before a read of its own.
    public internal(set) var needsFreshRead = false
    public internal(set) var ordersCancelled = 0
    public internal(set) var nextCallNumber = 1
    public internal(set) var verdict: AccountVerdict?
    public internal(set) var verdictWall: WallTime?
    /// What its closes filled, where that was read.
    public internal(set) var executions: AccountExecutions?
    public internal(set) var positionMode: PositionMode?
    /// What the exchange said of the account (``Account/facts``).
    public internal(set) var facts: [String: String] = [:]

    init(listed: RunHeader.RunAccount, plan: PlanDocument) {
        self.listed = listed
        self.plan = plan
    }

    public var name: String { listed.account.name }
    public var selection: SymbolSelection { SymbolSelection(patterns: plan.symbols, sides: plan.sides) }

    /// Whether the run may close this row: selected as written, and named where the run is restricted to legs.
    public func isSelected(_ position: Position) -> Bool {
        if let only = listed.onlyLegs, !only.contains(position.key) { return false }
        return selection.selects(position, exchange: listed.account.exchange)
    }

    /// Selected rows that the last complete read showed.
    public var openLegs: [LegKey] { legOrder.filter { legs[$0]?.current != nil } }
}

extension AccountState {
    mutating func apply(snapshot: AccountSnapshot, wall: WallTime) {
        self.snapshot = snapshot
        record(rows: snapshot.positions, covered: Set(snapshot.read), isSnapshot: true)
        if !snapshot.positions.contains(where: isSelected) {
            let proof = ReadProof(
                sentAt: wall + (snapshot.sentAt - snapshot.receivedAt), serverTime: snapshot.serverTime,
                digest: snapshot.digest, receivedAt: snapshot.receivedAt, receivedWall: wall)
            cleanReads = [proof]
            lastQualifyingReceipt = snapshot.receivedAt
        }
    }

    /// Folds one complete read: open rows, proofs of zero, reopened legs.
    mutating func apply(observation: Observation, wall: WallTime, calls: [String: CallRecord]) {
        observations += 1
        needsFreshRead = false
        controlled.formUnion(observation.controlled)
        let covered = Set(observation.read)
        record(rows: observation.positions, covered: covered, isSnapshot: false)
        lastObservation = observation
        countOpenReads(observation, calls: calls)
        guard qualifies(observation, calls: calls) else { return }
        let proof = ReadProof(
            sentAt: wall + (observation.sentAt - observation.receivedAt), serverTime: observation.serverTime,
            digest: observation.digest, receivedAt: observation.receivedAt, receivedWall: wall)
        lastQualifyingReceipt = observation.receivedAt
        for key in legOrder {
            // What a read does not cover it does not prove.
            guard var leg = legs[key], covered.contains(key.product) else { continue }
            if leg.current == nil { leg.proofs.append(proof) } else { leg.proofs = [] }
            legs[key] = leg
        }
        // Nor is an account proven by reads that cover less than its snapshot did.
        guard covered.isSuperset(of: snapshot?.read ?? []) else { return }
        cleanReads = openLegs.isEmpty ? cleanReads + [proof] : []
    }

    /// The evidence rule (`reliability.md` §1.5 a): sent after the last definite reply, and after every unknown sized call
    /// is dead, and at least the interval after the last qualifying read's reply.
    private func qualifies(_ observation: Observation, calls: [String: CallRecord]) -> Bool {
        if let last = lastDefiniteAt, observation.sentAt < last { return false }
        // Its answer is still to come, and this read was sent before it.
        if !cancelsInFlight.isEmpty { return false }
        for id in unresolved {
            guard let call = calls[id], case .close(let close) = call.intent.mutation else { continue }
            switch call.stage {
            case .intended: return false
            case .unknown(let deadAt):
                if close.method.isSized, observation.sentAt < deadAt { return false }
                if let answered = call.result?.answeredAt, observation.sentAt < answered { return false }
            case .definite, .resolved: continue
            }
        }
        if let last = lastQualifyingReceipt, observation.sentAt - last < plan.verify.interval { return false }
        return true
    }

    private mutating func countOpenReads(_ observation: Observation, calls: [String: CallRecord]) {
        for key in legOrder {
            guard var leg = legs[key], leg.current != nil, observation.read.contains(key.product) else { continue }
            if let last = leg.calls.last, let call = calls[last] {
                guard let ended = call.result?.answeredAt, observation.sentAt >= ended else { continue }
            }
            if let previous = leg.openReads.last, observation.sentAt - previous < plan.verify.interval { continue }
            leg.openReads.append(observation.sentAt)
            // A part that was done is progress: the rounds are for closes that do nothing.
            if leg.sizing.isInParts, leg.hasShrunk { leg.rounds = 0 }
            legs[key] = leg
        }
    }

    private mutating func record(rows: [Position], covered: Set<String>, isSnapshot: Bool) {
        let selected = rows.filter(isSelected)
        outside = rows.filter { !isSelected($0) }
        controlled.formUnion(rows.map(\.key.product))
        if positionMode == nil { positionMode = rows.first?.mode }
        let open = Dictionary(selected.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        for row in selected where legs[row.key] == nil {
            let before = isSnapshot ? [] : predecessors(of: row.key, open: open)
            legs[row.key] = LegState(row)
            legOrder.append(row.key)
            guard !isSnapshot else { continue }
            // Under a new position id it is the same leg opened again: its rounds go on, so that nobody chases it for ever.
            legs[row.key]?.reopened = 1 + (before.map(\.reopened).max() ?? 0)
            legs[row.key]?.rounds = before.map(\.rounds).max() ?? 0
        }
        // A leg outside of what was read stays as it was last seen: no row is no evidence there.
        for key in legOrder where covered.contains(key.product) || open[key] != nil {
            guard var leg = legs[key] else { continue }
            let row = open[key]
            if row != nil, leg.sawZero, leg.current == nil { leg.reopened += 1 }
            if row == nil {
                leg.sawZero = true
                leg.openReads = []
            } else {
                leg.proofs = []
            }
            leg.noteGrowth(to: row?.quantity)
            leg.current = row
            legs[key] = leg
        }
        if !open.isEmpty { cleanReads = [] }
    }

    /// Legs that are gone and differ from this one in nothing but the exchange's position id.
    private func predecessors(of key: LegKey, open: [LegKey: Position]) -> [LegState] {
        guard key.positionID != nil else { return [] }
        return legOrder.compactMap { old -> LegState? in
            var same = old
            same.positionID = key.positionID
            return same == key && old != key && open[old] == nil ? legs[old] : nil
        }
    }

    /// Another process, perhaps another boot, goes on: its clock counts from now, and it reads before it acts.
    mutating func handOver(at now: Instant) {
        forgetProofs()
        lastDefiniteAt = nil
        lastIntentAt = nil
        lastObservation = nil
        if var old = snapshot {
            old.receivedAt = now
            snapshot = old
            needsFreshRead = true
        }
        for key in legOrder {
            guard var leg = legs[key] else { continue }
            leg.openReads = []
            leg.blockedUntil = nil
            legs[key] = leg
        }
    }

    mutating func learn(_ facts: [String: String]) { self.facts.merge(facts) { _, new in new } }

    /// A new mutation: nothing read before it proves anything.
    mutating func forgetProofs() {
        for key in legOrder { legs[key]?.proofs = [] }
        cleanReads = []
        lastQualifyingReceipt = nil
    }
}
