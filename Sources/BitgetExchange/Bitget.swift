public import ExchangeKit
public import FlatbookCore

/// Bitget futures (USDT-M, COIN-M and USDC-M) of classic accounts (API v2) and unified ones (API v3), production and demo.
///
/// Which kind an account is says `options.api`, or with `auto` the exchange itself: code 40085 teaches "unified". The
/// copied positions of a classic account are read for every account and closed where `options.role` is `copy-follower`.
/// Facts and their sources: the exchange sheet `bitget.md`, named by its sections; [U] marks what is unverified there.
public struct Bitget: ExchangePlugin {
    public let profile = Bitget.makeProfile()

    public init() {}

    public func serverTime(in reply: VenueReply) -> WallTime? {
        (try? BitgetEnvelope(reply))?.requestTime
    }

    /// The prehash of §2.2: timestamp, method, path, decoded query in the order sent, and the very bytes of the body.
    public func signing(of request: VenueRequest, at timestamp: WallTime, account: Account) -> SigningRecipe {
        let stamp = String(timestamp.milliseconds)
        var message = stamp + request.method.rawValue + request.path
        if !request.query.isEmpty { message += "?" + request.rawQuery }
        return SigningRecipe(
            message: Array(message.utf8) + request.body, encoding: .base64,
            headers: [
                (name: "ACCESS-KEY", value: .credential("key")),
                (name: "ACCESS-SIGN", value: .signature),
                (name: "ACCESS-TIMESTAMP", value: .text(stamp)),
                (name: "ACCESS-PASSPHRASE", value: .credential("passphrase")),
            ])
    }
}

/// Names that requests, replies and the profile share.
enum BitgetRoute {
    static let serverTime = "bitget.time"
    static let identity = "bitget.account-info"
    static let instruments = "bitget.contracts"
    static let positions = "bitget.all-position"
    static let orders = "bitget.orders-pending"
    static let planOrders = "bitget.orders-plan-pending"
    static let orderHistory = "bitget.orders-history"
    static let control = "bitget.accounts"
    static let flashClose = "bitget.close-positions"
    static let placeOrder = "bitget.place-order"
    static let cancelOrders = "bitget.batch-cancel-orders"
    static let cancelPlan = "bitget.cancel-plan-order"
    static let settings = "bitget.account"
    static let copyPositions = "bitget.follower-current-orders"
    static let followerClose = "bitget.follower-close-positions"
    static let unifiedSettings = "bitget.v3-settings"
    static let unifiedPositions = "bitget.v3-current-position"
    static let unifiedClose = "bitget.v3-close-positions"
    static let unifiedOrders = "bitget.v3-unfilled-orders"
    static let unifiedStrategyOrders = "bitget.v3-unfilled-strategy-orders"
    static let unifiedCancelOrders = "bitget.v3-cancel-batch"
    static let unifiedCancelStrategy = "bitget.v3-cancel-strategy-order"
    static let fills = "bitget.fills"
    static let copyHistory = "bitget.follower-history-orders"
    static let unifiedOrderInfo = "bitget.v3-order-info"
    static let ipLimit = "bitget.ip"

    static let closes: Set<String> = [flashClose, placeOrder, followerClose, unifiedClose]
    static let cancels: Set<String> = [cancelOrders, cancelPlan, unifiedCancelOrders, unifiedCancelStrategy]
    /// Reads and cancels of resting orders: they help, but no close hangs on them.
    static let ofOrders: Set<String> = cancels.union([orders, planOrders, unifiedOrders, unifiedStrategyOrders])
}
