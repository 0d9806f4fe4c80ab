/// The name of an exchange, as account files and reports write it: `bitget`, `okx`, `bingx`.
public struct ExchangeID: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    public let rawValue: String
    public init(_ rawValue: String) { self.rawValue = rawValue }
    public init(from decoder: any Decoder) throws { rawValue = try decoder.singleValueContainer().decode(String.self) }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
    public var description: String { rawValue }
    public static func < (a: ExchangeID, b: ExchangeID) -> Bool { a.rawValue < b.rawValue }
}

/// One thing that an exchange lists and a position can be held in.
public struct Instrument: Hashable, Sendable, Codable {
    /// Whether it can be closed through the API now.
    public enum Trading: String, Hashable, Sendable, Codable {
        case open, closeOnly, suspended, delisted
    }

    /// The exchange's own id, e.g. `BTCUSDT`; an opaque string.
    public var nativeID: String
    /// The canonical symbol, e.g. `BTC/USDT:USDT` or `BTC/USD:BTC-260327`.
    public var symbol: String
    /// The partition of the exchange it is read and closed in, e.g. `USDT-FUTURES`.
    public var product: String
    /// The smallest step of a quantity, where the exchange says one.
    public var quantityStep: Amount?
    /// The smallest order, in the unit of quantities.
    public var minimumQuantity: Amount?
    /// The largest market order, in the unit of quantities.
    public var maximumMarketQuantity: Amount?
    public var trading: Trading
    /// What one unit of quantity is worth, where quantities are contracts: base coin of linear contracts, USD of inverse ones.
    public var contractValue: Amount?

    public init(
        nativeID: String, symbol: String, product: String, quantityStep: Amount? = nil,
        minimumQuantity: Amount? = nil, maximumMarketQuantity: Amount? = nil, trading: Trading = .open,
        contractValue: Amount? = nil
    ) {
        self.nativeID = nativeID
        self.symbol = symbol
        self.product = product
        self.quantityStep = quantityStep
        self.minimumQuantity = minimumQuantity
        self.maximumMarketQuantity = maximumMarketQuantity
        self.trading = trading
        self.contractValue = contractValue
    }
}
