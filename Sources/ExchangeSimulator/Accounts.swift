/// A position's direction.
package enum PositionSide: String, Hashable, Sendable, CaseIterable {
    case long, short
    package var opposite: PositionSide { self == .long ? .short : .long }
}

/// An open position. In one-way mode there is at most one per symbol.
package struct SimulatedPosition: Hashable, Sendable {
    /// The exchange's id of it; empty where it has none.
    package var id = ""
    package var product: String
    package var symbol: String
    package var side: PositionSide
    /// In base coin, or in contracts of the instrument.
    package var quantity: Fixed
    package var openPrice: Fixed
    package var marginCoin: String
    /// `crossed` or `isolated`.
    package var marginMode: String
    package var leverage: Int
    package var openedAtMs: Int64

    package init(
        product: String, symbol: String, side: PositionSide, quantity: Fixed, openPrice: Fixed, marginCoin: String,
        marginMode: String = "crossed", leverage: Int = 10, openedAtMs: Int64 = 1_780_000_000_000
    ) {
        self.product = product
        self.symbol = symbol
        self.side = side
        self.quantity = quantity
        self.openPrice = openPrice
        self.marginCoin = marginCoin
        self.marginMode = marginMode
        self.leverage = leverage
        self.openedAtMs = openedAtMs
    }

    func isLeg(_ product: String, _ symbol: String, _ side: PositionSide) -> Bool {
        self.symbol == symbol && self.side == side && self.product == product
    }
}

/// An order waiting in the book.
package struct RestingOrder: Hashable, Sendable {
    package var id: String
    package var clientOid: String
    package var product: String
    package var symbol: String
    package var marginCoin: String
    /// The leg that it would open, or that it closes.
    package var leg: PositionSide
    package var closes: Bool
    package var size: Fixed
    package var filled: Fixed = .zero
    package var price: Fixed
    package var createdMs: Int64

    var remaining: Fixed { size - filled }
    var status: String { filled > .zero ? "partially_filled" : "live" }
}

/// A trigger order: its own namespace on this exchange.
package struct PlanOrder: Hashable, Sendable {
    package var id: String
    package var clientOid: String
    /// `normal_plan`, `track_plan`, `profit_plan`, `loss_plan`, `pos_profit`, `pos_loss` or `moving_plan`.
    package var planType: String
    package var product: String
    package var symbol: String
    package var marginCoin: String
    package var leg: PositionSide
    package var closes: Bool
    package var size: Fixed
    package var triggerPrice: Fixed
    package var createdMs: Int64
}

/// An order that a client sent and the exchange accepted.
package struct ClientOrder: Hashable, Sendable {
    package enum Kind: Hashable, Sendable { case flashClose, reduce, open }
    package var id: String
    package var clientOid: String
    package var product: String
    package var symbol: String
    package var marginCoin: String
    package var kind: Kind
    /// The leg that it closes or opens.
    package var leg: PositionSide
    /// The position it closes, where several stand on one side of a symbol.
    package var positionID: String?
    package var size: Fixed
    package var filled: Fixed = .zero
    package var profit: Fixed = .zero
    package var price: Fixed
    package var acceptedNs: Int64
    package var createdMs: Int64
    package var isDone = false
    package var isOrphaned = false
    package var fills: [Fill] = []

    package struct Fill: Hashable, Sendable {
        package var id: String
        package var quantity: Fixed
        package var price: Fixed
        package var profit: Fixed
        package var atMs: Int64
    }
}

/// When a scripted change happens.
package enum ScriptTrigger: Hashable, Sendable {
    /// Milliseconds after the first request that the simulation saw.
    case at(ms: Int64)
    /// When the account's n-th close call (1 is the first) arrives, just before it is executed: between read and close.
    case beforeClose(Int)
    /// Milliseconds after a leg of the symbol was closed to zero, at most once.
    case afterClosed(symbol: String, ms: Int64)
}

/// Why the exchange itself closes a position.
package enum VenueEnding: String, Hashable, Sendable, CaseIterable { case liquidation, adl, delivery }

/// A position, or a part of one, that the exchange closed by itself.
struct EndedPosition: Sendable {
    var leg: SimulatedPosition
    var quantity: Fixed
    var isWhole: Bool
    var by: VenueEnding
    var id: String
    var atMs: Int64
}

/// What a scripted change does. None of these count as the client's doing.
package enum ScriptAction: Hashable, Sendable {
    case open(product: String, symbol: String, side: PositionSide, quantity: Fixed)
    /// The leg becomes its opposite, with this size.
    case flip(product: String, symbol: String, quantity: Fixed)
    /// Gone, and nothing the exchange shows says why.
    case remove(product: String, symbol: String)
    /// Liquidation, ADL or settlement, which the exchange's history tells; nil: all of it.
    case end(product: String, symbol: String, by: VenueEnding, quantity: Fixed?)
    /// Other caps of one order and of one whole-position close; nil: none.
    case setCap(product: String, symbol: String, market: Fixed?, whole: Fixed?)
    /// A resting or trigger order of the symbol that opens, if there still is one.
    case fireOpener(symbol: String)
    case setStatus(product: String, symbol: String, status: String)
    case setDelivery(product: String, symbol: String, status: String)
    /// The account becomes one of the unified API.
    case unify
}

package struct Script: Hashable, Sendable {
    package var trigger: ScriptTrigger
    package var action: ScriptAction
    package init(_ trigger: ScriptTrigger, _ action: ScriptAction) {
        self.trigger = trigger
        self.action = action
    }
}

/// One sub-account with its key. The credentials are invented.
package struct SimulatedAccount: Sendable {
    package enum Environment: String, Sendable { case live, demo }

    package var venue: SimulatedVenue = .bitget
    package var name: String
    package var uid: String
    package var key: String
    package var secret: String
    package var passphrase: String
    package var environment: Environment = .live
    package var isHedge: Bool
    package var isUnified = false
    package var parentUID: Int64 = 8_000_000_000
    package var authorities = ["coor", "coow", "cpor", "cpow", "stor", "ttor"]
    /// Addresses the key is bound to; empty: any.
    package var boundAddresses: [String] = []
    package var positions: [SimulatedPosition] = []
    package var resting: [RestingOrder] = []
    package var plans: [PlanOrder] = []
    package var scripts: [Script] = []
    /// What only Bitget accounts have.
    package var bitget = BitgetTraits()
    /// What only OKX accounts have.
    package var okx = OKXTraits()
    /// What only BingX accounts have.
    package var bingx = BingXTraits()

    package init(
        name: String, uid: String, key: String, secret: String, passphrase: String, isHedge: Bool = false
    ) {
        self.name = name
        self.uid = uid
        self.key = key
        self.secret = secret
        self.passphrase = passphrase
        self.isHedge = isHedge
    }

    /// Quantity of a leg that the account's own resting close orders hold.
    func locked(_ position: SimulatedPosition) -> Fixed {
        let held = resting.reduce(Fixed.zero) {
            $1.closes && $1.leg == position.side && $1.symbol == position.symbol && $1.product == position.product
                ? $0 + $1.remaining : $0
        }
        return min(held, position.quantity)
    }
}
