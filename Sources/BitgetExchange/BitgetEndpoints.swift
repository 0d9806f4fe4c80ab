import ExchangeKit
import FlatbookCore

extension Bitget {
    /// One endpoint with its own limit, counted independently of the others, per second (§3, §4).
    struct Endpoint {
        var id: String
        var path: String
        var isMutation = false
        var isPublic = false
        var perSecond: Int
        var section: String

        var limit: RateLimit {
            RateLimit(
                id: id, scope: [isPublic ? .ip : .uid, .route], capacity: perSecond, window: .seconds(1),
                source: "Bitget API documentation of \(path) (bitget.md \(section))", readOn: "2026-11-20")
        }

        var route: ExchangeProfile.Route {
            ExchangeProfile.Route(
                id: id, path: path, isMutation: isMutation,
                costs: [(limit: id, weight: 1), (limit: BitgetRoute.ipLimit, weight: 1)])
        }
    }

    static let endpoints = [
        Endpoint(
            id: BitgetRoute.serverTime, path: "/api/v2/public/time", isPublic: true, perSecond: 20, section: "§3.1"),
        Endpoint(
            id: BitgetRoute.instruments, path: "/api/v2/mix/market/contracts", isPublic: true, perSecond: 20,
            section: "§3.1"),
        Endpoint(id: BitgetRoute.identity, path: "/api/v2/spot/account/info", perSecond: 1, section: "§3.9"),
        Endpoint(
            id: BitgetRoute.positions, path: "/api/v2/mix/position/all-position", perSecond: 5, section: "§3.2"),
        Endpoint(id: BitgetRoute.control, path: "/api/v2/mix/account/accounts", perSecond: 10, section: "§3.2"),
        Endpoint(id: BitgetRoute.orders, path: "/api/v2/mix/order/orders-pending", perSecond: 10, section: "§3.3"),
        Endpoint(
            id: BitgetRoute.planOrders, path: "/api/v2/mix/order/orders-plan-pending", perSecond: 10, section: "§3.3"),
        Endpoint(
            id: BitgetRoute.orderHistory, path: "/api/v2/mix/order/orders-history", perSecond: 10, section: "§3.3"),
        Endpoint(
            id: BitgetRoute.flashClose, path: "/api/v2/mix/order/close-positions", isMutation: true, perSecond: 1,
            section: "§3.4"),
        Endpoint(
            id: BitgetRoute.placeOrder, path: "/api/v2/mix/order/place-order", isMutation: true, perSecond: 10,
            section: "§3.3"),
        Endpoint(
            id: BitgetRoute.cancelOrders, path: "/api/v2/mix/order/batch-cancel-orders", isMutation: true,
            perSecond: 10, section: "§3.3"),
        Endpoint(
            id: BitgetRoute.cancelPlan, path: "/api/v2/mix/order/cancel-plan-order", isMutation: true, perSecond: 10,
            section: "§3.3"),
        Endpoint(id: BitgetRoute.settings, path: "/api/v2/mix/account/account", perSecond: 10, section: "§3.2"),
        Endpoint(
            id: BitgetRoute.copyPositions, path: "/api/v2/copy/mix-follower/query-current-orders", perSecond: 5,
            section: "§3.6"),
        Endpoint(
            id: BitgetRoute.followerClose, path: "/api/v2/copy/mix-follower/close-positions", isMutation: true,
            perSecond: 5, section: "§3.6"),
        Endpoint(
            id: BitgetRoute.unifiedSettings, path: "/api/v3/account/settings", perSecond: 20, section: "§3.10"),
        Endpoint(
            id: BitgetRoute.unifiedPositions, path: "/api/v3/position/current-position", perSecond: 20,
            section: "§3.10"),
        Endpoint(
            id: BitgetRoute.unifiedClose, path: "/api/v3/trade/close-positions", isMutation: true, perSecond: 5,
            section: "§3.10"),
        // Not in the sheet's table [U]: the path is that of common clients, the rate that of its neighbours there.
        Endpoint(
            id: BitgetRoute.unifiedOrders, path: "/api/v3/trade/unfilled-orders", perSecond: 20,
            section: "§3.10, by analogy"),
        Endpoint(
            id: BitgetRoute.unifiedStrategyOrders, path: "/api/v3/trade/unfilled-strategy-orders", perSecond: 20,
            section: "§3.10"),
        // [U] as well; the lowest rate of a mutation there.
        Endpoint(
            id: BitgetRoute.unifiedCancelOrders, path: "/api/v3/trade/cancel-batch", isMutation: true, perSecond: 5,
            section: "§3.10, by analogy"),
        Endpoint(
            id: BitgetRoute.unifiedCancelStrategy, path: "/api/v3/trade/cancel-strategy-order", isMutation: true,
            perSecond: 10, section: "§3.10"),
        Endpoint(id: BitgetRoute.fills, path: "/api/v2/mix/order/fills", perSecond: 10, section: "§3.3"),
        Endpoint(
            id: BitgetRoute.copyHistory, path: "/api/v2/copy/mix-follower/query-history-orders", perSecond: 5,
            section: "§3.6"),
        Endpoint(
            id: BitgetRoute.unifiedOrderInfo, path: "/api/v3/trade/order-info", perSecond: 20, section: "§3.10"),
    ]

    static func path(_ route: String) -> String { endpoints.first { $0.id == route }?.path ?? "" }
}
