/// One leg of one account.
package struct LegKey: Hashable, Sendable, Comparable {
    package var uid: String
    package var product: String
    package var symbol: String
    package var side: PositionSide
    package init(uid: String, product: String, symbol: String, side: PositionSide) {
        self.uid = uid
        self.product = product
        self.symbol = symbol
        self.side = side
    }
    package static func < (a: LegKey, b: LegKey) -> Bool {
        (a.uid, a.product, a.symbol, a.side.rawValue) < (b.uid, b.product, b.symbol, b.side.rawValue)
    }
}

/// One request as the exchange received it.
package struct Receipt: Hashable, Sendable {
    /// Empty where the key is unknown or the route needs none.
    package var uid: String
    /// `METHOD /path`.
    package var route: String
    package var clientAddress: String
    /// Monotonic, in nanoseconds.
    package var arrivalNs: Int64
    package var body: [UInt8]
    /// As on the wire, without `?`, the signature's parameters included.
    package var query = ""
    package var isMutation: Bool
    /// Whether it had its effect, at once or later.
    package var executed: Bool
    /// The HTTP status of the reply that was made, also where the network lost it.
    package var status: Int
    /// The exchange's code in that reply; empty where there is none.
    package var code: String
}

/// A request beyond what the exchange allows, refused or not.
package struct LimitViolation: Hashable, Sendable {
    package var scope: String
    package var route: String
    package var arrivalNs: Int64
}

/// A part of a leg that a client's close filled.
package struct ExecutedClose: Hashable, Sendable {
    package var orderID: String
    package var quantity: Fixed
    package var atNs: Int64
}

/// Notional still open, all accounts, in quote coin.
package struct ExposurePoint: Hashable, Sendable {
    package var atNs: Int64
    package var notional: Fixed
}

/// A leg's whole quantity from a moment on.
package struct LegPoint: Hashable, Sendable {
    /// Monotonic; the least number for what was open from the start.
    package var atNs: Int64
    package var quantity: Fixed
}

/// What the exchange knows and the client must not be believed on. Nothing here is ever sent in a reply.
package struct Truth: Sendable {
    /// Oldest first; at most ``receiptLimit``, later ones are only counted.
    package internal(set) var receipts: [Receipt] = []
    package internal(set) var receiptCount = 0
    /// Requests by `METHOD /path`.
    package internal(set) var calls: [String: Int] = [:]
    /// Mutations by uid, then by `METHOD /path`.
    package internal(set) var mutations: [String: [String: Int]] = [:]
    package internal(set) var executedCloses: [LegKey: [ExecutedClose]] = [:]
    /// Every leg that ever was open.
    package internal(set) var books: [LegKey: LegBook] = [:]
    package internal(set) var limitViolations: [LimitViolation] = []
    /// Replies that refused for a limit of the exchange (not injected).
    package internal(set) var rateLimitRejections = 0
    /// 429 replies that a fault plan injected.
    package internal(set) var injectedRejections = 0
    /// Client orders that made a leg larger or opened one: must stay zero.
    package internal(set) var exposureIncreases = 0
    /// Client orders that could have: sent without `reduceOnly` or `tradeSide: close`.
    package internal(set) var unprotectedOrders = 0
    /// Client orders that wanted to close more than was open when they arrived; the exchange cut or refused them.
    package internal(set) var oversizedCloses = 0
    /// Requests to routes that a flattener must never call.
    package internal(set) var neverCalls: [String] = []
    /// Requests that did not pass the key, clock, signature or passphrase checks, by code.
    package internal(set) var refusedByAuth: [String: Int] = [:]
    /// Errors other than those, by code.
    package internal(set) var rejections: [String: Int] = [:]
    /// Positions that opened, grew or flipped by themselves: bots, openers, scripts.
    package internal(set) var venueOpenings: [LegKey] = []
    /// Positions that went without the client.
    package internal(set) var venueClosings: [LegKey] = []
    package internal(set) var exposure: [ExposurePoint] = []
    /// Every leg that was ever open, oldest point first.
    package internal(set) var legs: [LegKey: [LegPoint]] = [:]
    /// Faults that the plan's draws have done so far.
    package internal(set) var faultsDone = 0

    package static let receiptLimit = 100_000

    mutating func note(_ receipt: Receipt) {
        receiptCount += 1
        calls[receipt.route, default: 0] += 1
        if receipt.isMutation { mutations[receipt.uid, default: [:]][receipt.route, default: 0] += 1 }
        if receipts.count < Self.receiptLimit { receipts.append(receipt) }
    }

    mutating func noteLeg(_ leg: LegKey, _ quantity: Fixed, atNs: Int64) {
        legs[leg, default: []].append(LegPoint(atNs: atNs, quantity: quantity))
    }

    mutating func markExecuted(_ receipt: Int) {
        if receipts.indices.contains(receipt) { receipts[receipt].executed = true }
    }

    mutating func noteExposure(_ notional: Fixed, atNs: Int64) {
        guard exposure.count < Self.receiptLimit else { return }
        if exposure.last?.atNs == atNs { exposure.removeLast() }
        exposure.append(ExposurePoint(atNs: atNs, notional: notional))
    }
}
