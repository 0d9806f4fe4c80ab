public import ExchangeKit
public import FlatbookCore

/// An exchange's simulator, as cases 10 to 19 use it. The embedded one has ``EmbeddedStage``; a newcomer may bring any other.
public protocol ContractStage: Sendable {
    /// Accounts with open positions: one in one-way and one in hedge mode at least, where the exchange has both, and one of
    /// each further kind. Every account holds two instruments at least; a hedge account both sides of one.
    var seats: [ContractSeat] { get }

    /// Starts an exchange with these accounts, all of them on one address.
    func open(_ scene: ContractScene) async throws -> any ContractWire
}

/// One simulated account and what it holds.
public struct ContractSeat: Sendable, CustomStringConvertible {
    public var account: Account
    public var mode: PositionMode
    public var legs: [ContractLeg]
    /// Resting orders that open, spread over the instruments of ``legs``.
    public var orders: Int

    public init(_ account: Account, mode: PositionMode, legs: [ContractLeg], orders: Int = 0) {
        self.account = account
        self.mode = mode
        self.legs = legs
        self.orders = orders
    }

    public var description: String { "\(account.name) (\(mode.rawValue))" }
}

/// One position in the exchange's own terms.
public struct ContractLeg: Hashable, Sendable {
    public var product: String
    /// The exchange's own id of the instrument.
    public var instrument: String
    public var side: Side
    public var quantity: Amount
    public var marginMode: MarginMode

    public init(
        _ product: String, _ instrument: String, _ side: Side, _ quantity: Amount, marginMode: MarginMode = .cross
    ) {
        self.product = product
        self.instrument = instrument
        self.side = side
        self.quantity = quantity
        self.marginMode = marginMode
    }
}

/// What is to be played.
public struct ContractScene: Sendable {
    public enum Trouble: Hashable, Sendable {
        /// Reads of positions answer success without rows, or nonsense.
        case readsFail
        /// Each leg's first close is refused or left out.
        case legsFailOnce
        /// The account's position in the instrument flips to the other side just before the first close is executed.
        case flips(account: String, instrument: String)
    }

    public var seats: [ContractSeat]
    public var troubles: Set<Trouble>

    public init(_ seats: [ContractSeat], _ troubles: Set<Trouble> = []) {
        self.seats = seats
        self.troubles = troubles
    }
}

/// The way to one started exchange, and the view behind it.
public protocol ContractWire: Sendable {
    /// Scheme, host and port.
    var base: String { get }
    /// What the exchange knows the account by.
    func credentials(of account: String) -> [String: String]
    /// The exchange's time, for timestamps.
    func time() async -> WallTime
    /// - Returns: nil where no reply came.
    func send(_ request: SignedRequest) async throws -> VenueReply?
    /// Lets time pass: orders fill, windows end.
    func pass(_ span: TimeSpan) async
    func truth() async -> ContractTruth
    func end() async
}

/// What the exchange knows, whatever it answered.
public struct ContractTruth: Hashable, Sendable {
    /// By account.
    public var open: [String: [ContractLeg]]
    /// What closes of the client took from each leg, by account.
    public var closed: [String: [ContractLeg]]
    /// Client orders that opened something.
    public var exposureIncreases: Int
    /// Requests refused for a limit.
    public var rateLimitRejections: Int

    public init(
        open: [String: [ContractLeg]], closed: [String: [ContractLeg]], exposureIncreases: Int, rateLimitRejections: Int
    ) {
        self.open = open
        self.closed = closed
        self.exposureIncreases = exposureIncreases
        self.rateLimitRejections = rateLimitRejections
    }
}
