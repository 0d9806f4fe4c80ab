/// How much one close call can touch, widest last.
public enum Reach: Int, Hashable, Sendable, Codable, Comparable {
    case leg, side, symbol, product
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// One way an exchange offers to close: data, declared by its plugin.
public struct CloseMethod: Hashable, Sendable, Codable {
    /// The operation as reports name it, e.g. `bitget.close-positions`.
    public var operation: String
    public var reach: Reach
    /// Whether the size stands in the request. An explicit one is never sent again before the lost request is dead.
    public var isSized: Bool
    /// Position modes in which the reach is exact. At Bitget `holdSide` is ignored in one-way mode.
    public var modes: Set<PositionMode>
    /// Whether the exchange refuses it when the position has flipped to the other side meanwhile.
    public var guaranteesSide: Bool
    public var silo: Silo
    /// Products it closes; nil = all.
    public var products: Set<String>?
    /// Whether the call can cancel, at the exchange and only for the position it closes, the close orders that hold it.
    public var canFreeHeldSize: Bool?
    /// Whether it is only for positions that the exchange finds too large to be closed at once.
    public var isForParts: Bool?

    public init(
        operation: String, reach: Reach, isSized: Bool, modes: Set<PositionMode>, guaranteesSide: Bool,
        silo: Silo = .normal, products: Set<String>? = nil, canFreeHeldSize: Bool? = nil, isForParts: Bool? = nil
    ) {
        self.operation = operation
        self.reach = reach
        self.isSized = isSized
        self.modes = modes
        self.guaranteesSide = guaranteesSide
        self.silo = silo
        self.products = products
        self.canFreeHeldSize = canFreeHeldSize
        self.isForParts = isForParts
    }
}

/// One close to be made: which method, at what, and which legs it is expected to close.
public struct CloseCall: Hashable, Sendable, Codable {
    public var account: String
    public var method: CloseMethod
    public var product: String
    /// Nil for a product-wide reach.
    public var instrument: String?
    /// Nil where the reach covers both sides.
    public var side: Side?
    /// The legs known to lie within the reach, all inside the selection. Not empty.
    public var legs: [LegKey]
    /// For a sized call: how much, in the exchange's unit; and what the request must say.
    public var quantity: Amount?
    public var marginMode: MarginMode?
    public var marginCurrency: String?
    public var mode: PositionMode
    /// For display and priority: the sum over `legs`, USD.
    public var notional: Amount
    /// Whether the exchange shall cancel the close orders that hold the position: only where the plan lets them go.
    public var freesHeldSize: Bool?
    /// 32 hexadecimal digits, unique to this attempt; what an exchange's client order id is made from. The engine sets it.
    public var attemptID: String?

    public init(
        account: String, method: CloseMethod, product: String, instrument: String? = nil, side: Side? = nil,
        legs: [LegKey], quantity: Amount? = nil, marginMode: MarginMode? = nil, marginCurrency: String? = nil,
        mode: PositionMode, notional: Amount, freesHeldSize: Bool? = nil, attemptID: String? = nil
    ) {
        self.account = account
        self.method = method
        self.product = product
        self.instrument = instrument
        self.side = side
        self.legs = legs
        self.quantity = quantity
        self.marginMode = marginMode
        self.marginCurrency = marginCurrency
        self.mode = mode
        self.notional = notional
        self.freesHeldSize = freesHeldSize
        self.attemptID = attemptID
    }

    /// What the reports show as target, e.g. `USDT-FUTURES`, `BTCUSDT`, `BTCUSDT long`.
    public var target: String {
        [instrument ?? product, side?.rawValue].compactMap(\.self).joined(separator: " ")
    }
}

/// Resting orders of one list to be cancelled by id.
public struct CancelCall: Hashable, Sendable, Codable {
    public var account: String
    public var operation: String
    public var product: String
    public var instrument: String
    /// The list that the orders stand in (``RestingOrder/list``).
    public var list: String
    public var orderIDs: [String]
    public var marginCurrency: String?

    public init(
        account: String, operation: String, product: String, instrument: String, list: String, orderIDs: [String],
        marginCurrency: String? = nil
    ) {
        self.account = account
        self.operation = operation
        self.product = product
        self.instrument = instrument
        self.list = list
        self.orderIDs = orderIDs
        self.marginCurrency = marginCurrency
    }

    public var target: String { "\(instrument) \(orderIDs.count) orders" }
}

/// What one call changes.
public enum Mutation: Hashable, Sendable, Codable {
    case close(CloseCall)
    case cancel(CancelCall)

    public var account: String {
        switch self {
        case .close(let call): call.account
        case .cancel(let call): call.account
        }
    }
    public var operation: String {
        switch self {
        case .close(let call): call.method.operation
        case .cancel(let call): call.operation
        }
    }
    public var target: String {
        switch self {
        case .close(let call): call.target
        case .cancel(let call): call.target
        }
    }
    public var priority: CallPriority {
        switch self {
        case .close: .close
        case .cancel: .cancel
        }
    }
}

/// One thing to ask an exchange. A read changes nothing.
public enum Read: Hashable, Sendable, Codable {
    case serverTime
    /// Whose key it is; with what the exchange says in the same answer.
    case identity
    /// What the key may do, where ``identity`` does not say it. For `accounts check` only.
    case permissions
    /// Position mode and kind of the account, where ``identity`` does not say it. For `accounts check` only.
    case settings
    /// Public list of one product; `cursor` nil for the first page.
    case instruments(product: String, cursor: String?)
    case positions(product: String, cursor: String?)
    /// One list of resting orders (a plugin names its lists), one page.
    case orders(product: String, list: String, cursor: String?)
    /// Positive control: proves that the query can see this account's product at all.
    case control(product: String)
    /// Positions that the exchange closed by itself lately, where it tells.
    case endings(product: String)
    /// What orders filled, one page. For the report only.
    case executions(ExecutionQuery)

    public var isPublic: Bool {
        switch self {
        case .serverTime, .instruments: true
        case .identity, .permissions, .settings, .positions, .orders, .control, .endings, .executions: false
        }
    }
}
