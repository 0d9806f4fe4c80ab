public enum Side: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
    case long, short
    public var opposite: Side { self == .long ? .short : .long }
    public static func < (a: Side, b: Side) -> Bool { a == .long && b == .short }
}

public enum MarginMode: String, Hashable, Sendable, Codable { case cross, isolated }

/// Whether an account holds one net position per instrument or a long and a short one.
public enum PositionMode: String, Hashable, Sendable, Codable {
    case oneWay = "one-way"
    case hedge
}

/// Which of an exchange's books a position stands in.
public enum Silo: String, Hashable, Sendable, Codable { case normal, copy }

/// What makes one row of the exchange that row: account × silo × instrument × side × margin mode × margin currency × position id.
public struct LegKey: Hashable, Sendable, Codable, Comparable {
    public var account: String
    public var silo: Silo
    /// The partition, e.g. `USDT-FUTURES`.
    public var product: String
    /// The exchange's own id of the instrument.
    public var instrument: String
    public var side: Side
    public var marginMode: MarginMode
    public var marginCurrency: String
    /// Null where the exchange has none.
    public var positionID: String?

    public init(
        account: String, silo: Silo = .normal, product: String, instrument: String, side: Side,
        marginMode: MarginMode, marginCurrency: String, positionID: String? = nil
    ) {
        self.account = account
        self.silo = silo
        self.product = product
        self.instrument = instrument
        self.side = side
        self.marginMode = marginMode
        self.marginCurrency = marginCurrency
        self.positionID = positionID
    }

    /// A total order with no meaning but stability.
    public static func < (a: LegKey, b: LegKey) -> Bool { a.sortKey.lexicographicallyPrecedes(b.sortKey) }

    private var sortKey: [String] {
        [
            account, silo.rawValue, product, instrument, side.rawValue, marginMode.rawValue, marginCurrency,
            positionID ?? "",
        ]
    }
}

/// One open row as an exchange reported it. Rows of quantity zero are flat and are left out by the plugin.
public struct Position: Hashable, Sendable, Codable {
    public var key: LegKey
    /// Canonical symbol; the native id where the instrument list does not know it.
    public var symbol: String
    /// Unsigned, in the exchange's unit for this instrument; for display, splitting and change detection.
    public var quantity: Amount
    /// Unsigned value in USD at the mark price.
    public var notional: Amount
    public var entryPrice: Amount?
    public var markPrice: Amount?
    /// The part held by the account's own resting close orders.
    public var heldByOrders: Amount
    public var mode: PositionMode
    /// When this row was opened, in the exchange's clock, where it says so.
    public var openedAt: WallTime?

    public init(
        key: LegKey, symbol: String, quantity: Amount, notional: Amount, entryPrice: Amount? = nil,
        markPrice: Amount? = nil, heldByOrders: Amount = .zero, mode: PositionMode, openedAt: WallTime? = nil
    ) {
        self.key = key
        self.symbol = symbol
        self.quantity = quantity
        self.notional = notional
        self.entryPrice = entryPrice
        self.markPrice = markPrice
        self.heldByOrders = heldByOrders
        self.mode = mode
        self.openedAt = openedAt
    }
}

/// A resting order of an account.
public struct RestingOrder: Hashable, Sendable, Codable {
    /// What executing it would do to exposure.
    public enum Effect: String, Hashable, Sendable, Codable {
        /// It can open or increase a position: an *opener*.
        case opens
        /// Reduce-only or close-side.
        case closes
    }

    public var id: String
    public var product: String
    public var instrument: String
    public var symbol: String
    /// The side of the position it opens or closes.
    public var side: Side
    public var effect: Effect
    /// The list it stands in, e.g. `normal`, or a plan type of the exchange: needed to cancel it.
    public var list: String
    /// Whether it is a TP/SL attached to a position.
    public var protective: Bool
    public var marginCurrency: String?

    public init(
        id: String, product: String, instrument: String, symbol: String, side: Side, effect: Effect, list: String,
        protective: Bool = false, marginCurrency: String? = nil
    ) {
        self.id = id
        self.product = product
        self.instrument = instrument
        self.symbol = symbol
        self.side = side
        self.effect = effect
        self.list = list
        self.protective = protective
        self.marginCurrency = marginCurrency
    }
}
