/// What the planner knows of one account when it adds its calls.
public struct PlannedAccount: Hashable, Sendable {
    public var account: Account
    public var selection: SymbolSelection
    /// Open rows inside the selection that are to be closed now.
    public var positions: [Position]
    public var granularity: PlanDocument.Granularity
    public var sequence: PlanDocument.Sequence
    public var methods: [CloseMethod]
    /// Restricts reach to single legs whatever the selection says (`--only-open-of`).
    public var legByLeg: Bool
    /// Bucket costs of a close at this account, by ``costKey(operation:instrument:)``; an operation alone stands for all
    /// instruments.
    public var costs: [String: [BucketCost]]
    /// What happens to resting orders: decides whether a call may free the size they hold.
    public var orders: PlanDocument.Orders
    /// What the operator is told of positions in a silo without any method.
    public var unclosable: [Silo: String]
    /// Open rows that must stay open, as last read. They can only forbid a call, never allow one.
    public var outside: [Position]
    /// How much of a leg one sized order may close; a leg that is not named has no known limit.
    public var sizes: [LegKey: SizeLimit] = [:]
    /// Legs that go by sized orders only: the exchange finds the whole too large for one close.
    public var inParts: Set<LegKey> = []
    /// Legs that go by the narrowest reach, so that an answer is about them alone.
    public var alone: Set<LegKey> = []

    public init(
        account: Account, selection: SymbolSelection, positions: [Position], granularity: PlanDocument.Granularity,
        sequence: PlanDocument.Sequence, methods: [CloseMethod], legByLeg: Bool, costs: [String: [BucketCost]],
        outside: [Position] = [], orders: PlanDocument.Orders = .cancelOpeners, unclosable: [Silo: String] = [:]
    ) {
        self.account = account
        self.selection = selection
        self.positions = positions
        self.granularity = granularity
        self.sequence = sequence
        self.methods = methods
        self.legByLeg = legByLeg
        self.costs = costs
        self.outside = outside
        self.orders = orders
        self.unclosable = unclosable
    }

    /// Limits may count by instrument, so costs are kept for each.
    public static func costKey(operation: String, instrument: String?) -> String {
        instrument.map { operation + "\u{1F}" + $0 } ?? operation
    }

    public func costs(of call: CloseCall) -> [BucketCost] {
        let operation = call.method.operation
        return costs[Self.costKey(operation: operation, instrument: call.instrument)] ?? costs[operation] ?? []
    }
}

/// A leg that no method may close under the selection as written.
public struct UnclosableLeg: Hashable, Sendable {
    public var key: LegKey
    /// e.g. `side cannot be guaranteed`.
    public var reason: String
    public init(key: LegKey, reason: String) {
        self.key = key
        self.reason = reason
    }
}

/// Chooses methods and order. Incremental: accounts are added as their snapshots end, calls are taken as limits allow.
public protocol CallPlanner {
    /// Adds the calls of one account; replaces what it still had queued. Returns the calls in the account's order, and what cannot be closed.
    mutating func add(_ account: PlannedAccount) -> (calls: [CloseCall], unclosable: [UnclosableLeg])
    /// Drops what an account still has queued.
    mutating func remove(account: String)
    /// Takes the best call that `admits` grants now. At most one call of an account is out at a time: the engine calls
    /// ``ready(account:)`` when the account's last call is answered.
    mutating func next(at now: Instant, admits: (CloseCall) -> Admission) -> PlannerStep
    /// The account's call was answered: its next one may go.
    mutating func ready(account: String)
    /// Calls queued for an account.
    func queued(account: String) -> Int
}

public enum PlannerStep: Hashable, Sendable {
    case call(CloseCall, Permit)
    /// Nothing can go before `until`, nil where that hangs on an answer; `binding` names the bucket that binds.
    case wait(until: Instant?, binding: BucketKey?)
    /// Nothing is queued that could go.
    case idle
}
