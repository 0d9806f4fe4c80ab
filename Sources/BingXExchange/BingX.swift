public import ExchangeKit
public import FlatbookCore

/// BingX perpetual futures: `swap` (margined in USDT and USDC) and `cswap` (margined in coins), production and demo.
///
/// Standard futures, copy-trading sub-positions and grid bots have no endpoints for closing and are not read. Facts and
/// their sources: the exchange sheet `bingx.md`, named by its sections.
public struct BingX: ExchangePlugin {
    public let profile = BingX.makeProfile()

    public init() {}

    /// The envelope's `timestamp`, which may be 0 for none, or the `serverTime` of the public clock (§2, §5).
    public func serverTime(in reply: VenueReply) -> WallTime? {
        guard let envelope = try? BingXEnvelope(reply) else { return nil }
        return envelope.timestamp ?? (envelope.data?["serverTime"]?.text).flatMap(ReplyText.time)
    }

    /// §2: every parameter but the signature, sorted by name, joined raw; the signature goes behind them on the wire.
    ///
    /// Method and path are not signed, and bodies are empty. A value that could end a parameter in the signed text is
    /// replaced by one that the exchange refuses (``BingXText/harmless(_:)``).
    public func signing(of request: VenueRequest, at timestamp: WallTime, account: Account) -> SigningRecipe {
        var query = request.query.filter { $0.name != "timestamp" && $0.name != "signature" }
        query.append(VenueRequest.QueryItem("timestamp", String(timestamp.milliseconds)))
        query = query.map { VenueRequest.QueryItem($0.name, BingXText.harmless($0.value)) }
        query.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let message = query.map { $0.name + "=" + $0.value }.joined(separator: "&")
        return SigningRecipe(
            message: Array(message.utf8), encoding: .lowercaseHex,
            headers: [(name: "X-BX-APIKEY", value: .credential("key"))], signatureQueryName: "signature", query: query)
    }

    /// One unfiltered read each. A list of resting orders is named by its product where cancelling differs.
    public func partitions(of account: Account) -> [Partition] {
        (account.options["products"] ?? Self.products).map { product in
            Partition(
                id: product, covers: [product], instruments: [product],
                orderLists: product == Self.cswap ? [Self.cswapOrders] : [Self.orders, Self.twap])
        }
    }
}

/// Names that requests, replies and the profile share.
enum BingXRoute {
    static let serverTime = "bingx.time"
    static let contracts = "bingx.contracts"
    static let identity = "bingx.uid"
    static let permissions = "bingx.api-restrictions"
    static let settings = "bingx.position-mode"
    static let positions = "bingx.positions"
    static let balance = "bingx.balance"
    static let openOrders = "bingx.open-orders"
    static let twapOrders = "bingx.twap-open-orders"
    static let closeAll = "bingx.close-all-positions"
    static let closePosition = "bingx.close-position"
    static let order = "bingx.order"
    static let cancelOrders = "bingx.cancel-orders"
    static let cancelTWAP = "bingx.cancel-twap"
    static let orderHistory = "bingx.all-orders"
    static let orderDetail = "bingx.order-detail"
    static let cswapOrderDetail = "bingx.cswap-order-detail"
    static let cswapContracts = "bingx.cswap-contracts"
    static let cswapPositions = "bingx.cswap-positions"
    static let cswapBalance = "bingx.cswap-balance"
    static let cswapOpenOrders = "bingx.cswap-open-orders"
    static let cswapCloseAll = "bingx.cswap-close-all-positions"

    /// The whole address: what an HTTP 429, 418 or 403 closes.
    static let address = "bingx.address"
    static let marketGroup = "bingx.ip-group-1"
    static let marketGroupPerMinute = "bingx.ip-group-1-minute"
    static let sameTarget = "bingx.same-target"
    static func group(_ number: Int) -> String { "bingx.ip-group-\(number)" }
    static func perAddress(_ route: String) -> String { route + ".ip" }
}
