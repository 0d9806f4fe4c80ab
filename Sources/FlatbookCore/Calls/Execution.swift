/// An amount of one coin.
public struct CoinAmount: Hashable, Sendable, Codable {
    /// As the exchange names it, e.g. `USDT`; nil where it does not: then it is the margin's.
    public var coin: String?
    public var amount: Amount
    public init(_ amount: Amount, coin: String? = nil) {
        self.coin = coin
        self.amount = amount
    }
}

/// What an order filled, or one trade of it, as the exchange tells.
///
/// A figure that the exchange does not give, or gives in a form that could be read in two ways, is nil.
public struct Execution: Hashable, Sendable, Codable {
    public var orderID: String
    /// The id that we gave the order, where the exchange repeats it.
    public var clientOrderID: String?
    /// Nil for the totals of an order.
    public var tradeID: String?
    /// The exchange's own id.
    public var instrument: String
    /// The side of the position that it closed; nil where the row does not say it.
    public var side: Side?
    /// The position it closed, where the exchange gives positions ids.
    public var positionID: String?
    /// In the exchange's unit for this instrument, unsigned.
    public var quantity: Amount
    /// Σ price × quantity; nil where no price is told.
    public var turnover: Amount?
    /// Positive = paid, negative = received; nil where it is not told.
    public var fees: [CoinAmount]?
    /// Of the closing trades, without fees and funding, in the coin that the contract settles in; nil where it is not told.
    public var realizedPnl: Amount?
    /// On the exchange's clock.
    public var at: WallTime?
    /// The totals of an order that fills no more. Of trades, others may not be listed yet.
    public var isFinal: Bool

    public init(
        orderID: String, clientOrderID: String? = nil, tradeID: String? = nil, instrument: String, side: Side?,
        positionID: String? = nil, quantity: Amount, turnover: Amount?, fees: [CoinAmount]? = nil,
        realizedPnl: Amount? = nil, at: WallTime? = nil, isFinal: Bool
    ) {
        self.orderID = orderID
        self.clientOrderID = clientOrderID
        self.tradeID = tradeID
        self.instrument = instrument
        self.side = side
        self.positionID = positionID
        self.quantity = quantity
        self.turnover = turnover
        self.fees = fees
        self.realizedPnl = realizedPnl
        self.at = at
        self.isFinal = isFinal
    }
}

extension Execution {
    /// Trades put together by order and position; totals as they are. An order whose rows contradict each other is left out.
    public static func byOrder(_ rows: [Execution]) -> [Execution] {
        struct Key: Hashable {
            var order: String
            var instrument: String
            var side: Side?
            var position: String?
        }
        var seen: [String: Execution] = [:]
        var sums: [Key: Execution] = [:]
        var order: [Key] = []
        var odd: Set<String> = []
        for row in rows {
            let identity = row.orderID + "\u{1F}" + (row.tradeID ?? "")
            if let earlier = seen[identity] {
                // The same row on two pages is one row; another one under its id is none of them.
                if earlier != row { odd.insert(row.orderID) }
                continue
            }
            seen[identity] = row
            let key = Key(order: row.orderID, instrument: row.instrument, side: row.side, position: row.positionID)
            guard let sum = sums[key] else {
                var first = row
                first.tradeID = nil
                sums[key] = first
                order.append(key)
                continue
            }
            if sum.isFinal || row.isFinal { odd.insert(row.orderID) }
            if let both = sum.adding(row) { sums[key] = both } else { odd.insert(row.orderID) }
        }
        return order.compactMap { sums[$0] }.filter { !odd.contains($0.orderID) }
    }

    /// Both together; a figure that one of them lacks is lacking. Nil where the sum does not fit.
    public func adding(_ other: Execution) -> Execution? {
        var both = self
        guard let quantity = try? quantity.adding(other.quantity) else { return nil }
        both.quantity = quantity
        both.turnover = Self.sum(turnover, other.turnover)
        both.realizedPnl = Self.sum(realizedPnl, other.realizedPnl)
        both.fees = Self.sum(fees, other.fees)
        both.at = Self.later(at, other.at)
        both.isFinal = isFinal && other.isFinal
        return both
    }

    private static func later(_ a: WallTime?, _ b: WallTime?) -> WallTime? {
        guard let a, let b else { return a ?? b }
        return a.milliseconds > b.milliseconds ? a : b
    }

    private static func sum(_ a: Amount?, _ b: Amount?) -> Amount? {
        guard let a, let b else { return nil }
        return try? a.adding(b)
    }

    private static func sum(_ a: [CoinAmount]?, _ b: [CoinAmount]?) -> [CoinAmount]? {
        guard var sums = a, let b else { return nil }
        for fee in b {
            guard let slot = sums.firstIndex(where: { $0.coin == fee.coin }) else {
                sums.append(fee)
                continue
            }
            guard let amount = try? sums[slot].amount.adding(fee.amount) else { return nil }
            sums[slot].amount = amount
        }
        return sums
    }
}

/// What is asked when fills are read.
public struct ExecutionQuery: Hashable, Sendable, Codable {
    /// As in the closes, e.g. `USDT-FUTURES`.
    public var product: String
    /// Nil = all instruments of the product.
    public var instrument: String?
    /// Nil = all orders.
    public var orderID: String?
    /// The time to look at, on the exchange's clock.
    public var since: WallTime
    public var until: WallTime
    /// Nil for the first page.
    public var cursor: String?

    public init(
        product: String, instrument: String? = nil, orderID: String? = nil, since: WallTime, until: WallTime,
        cursor: String? = nil
    ) {
        self.product = product
        self.instrument = instrument
        self.orderID = orderID
        self.since = since
        self.until = until
        self.cursor = cursor
    }
}

/// A close whose fills are asked for: it was accepted, or it may have been.
public struct ExecutedClose: Hashable, Sendable {
    public var call: CloseCall
    /// The orders that its own answer names.
    public var orderIDs: [String]
    public init(call: CloseCall, orderIDs: [String]) {
        self.call = call
        self.orderIDs = orderIDs
    }
}

/// What was read of the orders of an account's closes: for the report, and for nothing else.
public struct AccountExecutions: Hashable, Sendable, Codable {
    public var account: String
    /// One for each order and position; orders of others are left out.
    public var orders: [Execution]
    public init(account: String, orders: [Execution]) {
        self.account = account
        self.orders = orders
    }
}
