import ExchangeKit
import FlatbookCore

extension BingX {
    /// One endpoint with its limits (§3, §4, §10).
    struct Endpoint {
        var id: String
        var path: String
        var method = HTTPMethod.get
        /// Calls per second and account, the stricter of the two documented values; nil = public.
        var perSecond: Int?
        /// The group that counts it per address: 1 market data, 2 and 3 account and trade.
        var group: Int
        /// Whether one thing may be closed by it once a second only.
        var closes = false
        var section = "§3"

        var limits: [RateLimit] {
            guard let perSecond else { return [] }
            return [
                RateLimit(
                    id: id, scope: [.uid, .route], capacity: perSecond, window: .seconds(1),
                    source: "BingX API documentation of \(path) (bingx.md \(section))", readOn: BingX.readOn),
                RateLimit(
                    id: BingXRoute.perAddress(id), scope: [.ip, .route], capacity: 300, window: .seconds(10),
                    source: "BingX rate limits of group \(group), each endpoint (bingx.md §4)", readOn: BingX.readOn),
            ]
        }

        var route: ExchangeProfile.Route {
            var costs: [(limit: String, weight: Int)] = limits.map { (limit: $0.id, weight: 1) }
            costs.append((limit: BingXRoute.group(group), weight: 1))
            if group == 1 { costs.append((limit: BingXRoute.marketGroupPerMinute, weight: 1)) }
            costs.append((limit: BingXRoute.address, weight: 1))
            if closes { costs.append((limit: BingXRoute.sameTarget, weight: 1)) }
            return ExchangeProfile.Route(id: id, path: path, isMutation: method != .get, costs: costs)
        }
    }

    static let readOn = "2026-11-20"

    static let limits = endpoints.flatMap(\.limits) + addressLimits + [sameTarget]

    /// §4, last line and §6.2, 109201: one second between two closes of the same thing, whatever it was closed with.
    /// A thing is a product, a symbol or a position id of one account (`ScopeDimension.target` of the request).
    private static let sameTarget = RateLimit(
        id: BingXRoute.sameTarget, scope: [.uid, .target], capacity: 1, window: .seconds(1),
        source: "BingX error 109201, the same order once within 1 second (bingx.md §4, §6.2)", readOn: readOn)

    private static let addressLimits =
        [
            (BingXRoute.marketGroup, 500, 10, "BingX rate limits of group 1, market data (bingx.md §4)"),
            (BingXRoute.marketGroupPerMinute, 1000, 60, "BingX rate limits of group 1, market data (bingx.md §4)"),
            (BingXRoute.group(2), 2000, 10, "BingX rate limits of group 2, account and trade (bingx.md §4)"),
            (BingXRoute.group(3), 2000, 10, "BingX rate limits of group 3, account and trade (bingx.md §4)"),
            // No limit of the exchange: the one bucket that all calls of an address share, so that a refusal of the
            // address can stop them all. Wide enough never to wait by itself.
            (BingXRoute.address, 4500, 10, "the sum of BingX's three groups (bingx.md §4)"),
        ].map { id, capacity, seconds, source in
            RateLimit(
                id: id, scope: [.ip], capacity: capacity, window: .seconds(seconds), source: source, readOn: readOn)
        }

    static let endpoints = [
        Endpoint(id: BingXRoute.serverTime, path: "/openApi/swap/v2/server/time", group: 1),
        Endpoint(id: BingXRoute.contracts, path: "/openApi/swap/v2/quote/contracts", group: 1),
        Endpoint(id: BingXRoute.identity, path: "/openApi/account/v1/uid", perSecond: 5, group: 2),
        Endpoint(id: BingXRoute.permissions, path: "/openApi/v1/account/apiRestrictions", perSecond: 5, group: 2),
        Endpoint(id: BingXRoute.settings, path: "/openApi/swap/v1/positionSide/dual", perSecond: 2, group: 2),
        Endpoint(id: BingXRoute.positions, path: "/openApi/swap/v2/user/positions", perSecond: 5, group: 3),
        Endpoint(id: BingXRoute.balance, path: "/openApi/swap/v3/user/balance", perSecond: 5, group: 3),
        Endpoint(id: BingXRoute.openOrders, path: "/openApi/swap/v2/trade/openOrders", perSecond: 5, group: 3),
        Endpoint(id: BingXRoute.twapOrders, path: "/openApi/swap/v1/twap/openOrders", perSecond: 2, group: 2),
        Endpoint(
            id: BingXRoute.closeAll, path: "/openApi/swap/v2/trade/closeAllPositions", method: .post, perSecond: 5,
            group: 2, closes: true),
        Endpoint(
            id: BingXRoute.closePosition, path: "/openApi/swap/v1/trade/closePosition", method: .post, perSecond: 5,
            group: 2, closes: true),
        Endpoint(
            id: BingXRoute.order, path: "/openApi/swap/v2/trade/order", method: .post, perSecond: 5, group: 3,
            closes: true),
        Endpoint(
            id: BingXRoute.cancelOrders, path: "/openApi/swap/v2/trade/batchOrders", method: .delete, perSecond: 5,
            group: 3),
        Endpoint(
            id: BingXRoute.cancelTWAP, path: "/openApi/swap/v1/twap/cancelOrder", method: .post, perSecond: 2,
            group: 2),
        Endpoint(
            id: BingXRoute.cswapContracts, path: "/openApi/cswap/v1/market/contracts", group: 1, section: "§10"),
        Endpoint(
            id: BingXRoute.cswapPositions, path: "/openApi/cswap/v1/user/positions", perSecond: 5, group: 2,
            section: "§10"),
        Endpoint(
            id: BingXRoute.cswapBalance, path: "/openApi/cswap/v1/user/balance", perSecond: 5, group: 2,
            section: "§10"),
        Endpoint(
            id: BingXRoute.cswapOpenOrders, path: "/openApi/cswap/v1/trade/openOrders", perSecond: 5, group: 2,
            section: "§10"),
        Endpoint(
            id: BingXRoute.cswapCloseAll, path: "/openApi/cswap/v1/trade/closeAllPositions", method: .post,
            perSecond: 5, group: 2, closes: true, section: "§10"),
        Endpoint(id: BingXRoute.orderHistory, path: "/openApi/swap/v2/trade/allOrders", perSecond: 5, group: 3),
        Endpoint(id: BingXRoute.orderDetail, path: "/openApi/swap/v2/trade/order", perSecond: 5, group: 2),
        Endpoint(
            id: BingXRoute.cswapOrderDetail, path: "/openApi/cswap/v1/trade/orderDetail", perSecond: 5, group: 2,
            section: "§10"),
    ]

    static func endpoint(_ route: String) -> Endpoint? { endpoints.first { $0.id == route } }
}
