public import ExchangeKit
public import FlatbookCore

/// Bitget classic futures (API v2 "mix": USDT-M, COIN-M and USDC-M), production and demo.
///
/// This version reads and closes the ordinary positions of classic accounts. The unified account (`api: unified`) and
/// copy trading (`role: copy-follower`) are other endpoints and not offered: an account that turns out to be unified is
/// refused with its exchange code 40085. Facts and their sources: the exchange sheet `bitget.md`, named by its sections.
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
    static let control = "bitget.accounts"
    static let flashClose = "bitget.close-positions"
    static let placeOrder = "bitget.place-order"
    static let cancelOrders = "bitget.batch-cancel-orders"
    static let cancelPlan = "bitget.cancel-plan-order"
    static let ipLimit = "bitget.ip"
}
