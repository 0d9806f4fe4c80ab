public import ExchangeKit
public import FlatbookCore

/// OKX API v5: positions in SWAP, FUTURES, MARGIN and OPTION, closed by `POST /api/v5/trade/close-position`.
///
/// One unfiltered read shows all of an account's positions, and one call closes exactly one of them: instrument, margin
/// mode, side in long/short mode, currency for cross margin. Facts and their sources: the exchange sheet `okx.md`, named by
/// its sections.
public struct OKX: ExchangePlugin {
    public let profile = OKX.makeProfile()

    public init() {}

    /// `inTime` or `outTime` of order replies (µs, §2.3) and `data[0].ts` of the time call. Other `ts` members are times of prices.
    public func serverTime(in reply: VenueReply) -> WallTime? {
        guard let envelope = try? OKXEnvelope(reply) else { return nil }
        if let stamp = envelope.stamp { return stamp }
        guard let only = envelope.items.first, envelope.items.count == 1, only.members?.count == 1,
            let text = only["ts"]?.text
        else { return nil }
        return ReplyText.time(text)
    }

    /// §2.2: timestamp, method, path with the query as it is sent, and the very bytes of the body.
    public func signing(of request: VenueRequest, at timestamp: WallTime, account: Account) -> SigningRecipe {
        let stamp = timestamp.rfc3339
        var message = stamp + request.method.rawValue + request.path
        if !request.query.isEmpty { message += "?" + request.encodedQuery }
        return SigningRecipe(
            message: Array(message.utf8) + request.body, encoding: .base64,
            headers: [
                (name: "OK-ACCESS-KEY", value: .credential("key")),
                (name: "OK-ACCESS-SIGN", value: .signature),
                (name: "OK-ACCESS-TIMESTAMP", value: .text(stamp)),
                (name: "OK-ACCESS-PASSPHRASE", value: .credential("passphrase")),
            ])
    }

    /// §1: an account lives on the host of the site it was registered at; demo trading is the same host with a header.
    public func host(for account: Account) -> String? {
        guard account.environment != .simulated else { return nil }
        return Self.hosts[account.options["site"]?.first ?? "global"]
    }

    static let hosts = [
        "global": "https://openapi.okx.com", "eea": "https://eea.okx.com", "us": "https://us.okx.com",
        "tr": "https://tr.okx.com",
    ]

    /// §3.3: one reply holds every open position, so one read covers all types that the account's options name.
    public func partitions(of account: Account) -> [Partition] {
        let types = Self.types(of: account)
        return [
            Partition(
                id: types == Self.instrumentTypes ? "all" : types.joined(separator: ","), covers: types,
                instruments: types, orderLists: profile.orderLists)
        ]
    }

    static func types(of account: Account) -> [String] {
        let wanted = Set(account.options["instrumentTypes"] ?? Self.instrumentTypes)
        return Self.instrumentTypes.filter(wanted.contains)
    }

    /// The reduce-only order guarantees a side only in account levels 2 and 3: portfolio margin ignores `reduceOnly` (§7.4).
    public func closeMethods(for account: Account) -> [CloseMethod] {
        let honoursReduceOnly = ["2", "3"].contains(account.facts[OKXFact.accountLevel])
        return profile.closeMethods.filter {
            $0.operation != OKXRoute.order || honoursReduceOnly || !$0.modes.contains(.oneWay)
        }
    }
}

/// What the account's configuration tells and later requests need (``Account/facts``).
enum OKXFact {
    static let accountLevel = "acctLv"
    static let positionMode = "posMode"
}

/// Names that requests, replies and the profile share.
enum OKXRoute {
    static let serverTime = "okx.time"
    static let instruments = "okx.instruments"
    static let config = "okx.account-config"
    static let positions = "okx.positions"
    static let risk = "okx.account-position-risk"
    static let history = "okx.positions-history"
    static let orders = "okx.orders-pending"
    static let algos = "okx.orders-algo-pending"
    static let closePosition = "okx.close-position"
    static let order = "okx.order"
    static let orderHistory = "okx.orders-history"
    static let cancelOrder = "okx.cancel-order"
    static let cancelOrders = "okx.cancel-batch-orders"
    static let cancelAlgos = "okx.cancel-algos"
}
