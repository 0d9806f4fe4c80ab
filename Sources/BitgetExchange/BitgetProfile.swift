import ExchangeKit
import FlatbookCore

extension Bitget {
    static let products = ["USDT-FUTURES", "COIN-FUTURES", "USDC-FUTURES"]

    /// Rows a page of an order list holds at most (§3.3).
    static let pageSize = 100

    /// The regular list has one query per status: without `status` only `live` rows come (§3.3). `live` is read first,
    /// so that an order which fills in part between the two reads is seen at least once.
    static let regularLists = ["normal/live": "live", "normal/partially_filled": "partially_filled"]

    /// The three queries of trigger orders (§3.3); `profit_loss` stands for TP/SL of five row types.
    static let planLists = ["normal_plan", "track_plan", "profit_loss"]

    /// Row types that `cancel-plan-order` takes one by one (§3.3).
    static let planTypes = [
        "normal_plan", "track_plan", "profit_plan", "loss_plan", "pos_profit", "pos_loss", "moving_plan",
    ]

    static func makeProfile() -> ExchangeProfile {
        var cancels = ["normal": BitgetRoute.cancelOrders]
        for list in regularLists.keys { cancels[list] = BitgetRoute.cancelOrders }
        for list in planLists + planTypes { cancels[list] = BitgetRoute.cancelPlan }
        var profile = ExchangeProfile(
            id: ExchangeID("bitget"),
            // Demo is the same host with the header `paptrading: 1` (§1.1); a simulated account names its endpoint.
            hosts: [.production: "https://api.bitget.com", .demo: "https://api.bitget.com"],
            credentialFields: ["key", "secret", "passphrase"],
            options: [
                ExchangeProfile.OptionRule(name: "products", allowed: products, isList: true),
                ExchangeProfile.OptionRule(name: "api", allowed: ["auto", "classic"], isList: false),
                ExchangeProfile.OptionRule(name: "role", allowed: ["normal"], isList: false),
            ],
            limits: endpoints.map(\.limit) + [
                RateLimit(
                    id: BitgetRoute.ipLimit, scope: [.ip], capacity: 6000, window: .seconds(60),
                    source: "Bitget changelog 2025-08-11 and FAQ (bitget.md §4)", readOn: "2026-11-20")
            ],
            routes: endpoints.map(\.route),
            products: products,
            orderLists: ["normal/live", "normal/partially_filled"] + planLists,
            closeMethods: closeMethods,
            maxCancelsPerCall: 50,
            cancelOperations: cancels,
            signatureLife: .seconds(30),
            notRead: [
                ExchangeProfile.NotRead(silo: "copy", reason: "not supported by this version")
            ])
        profile.protectiveLists = ["profit_loss"]
        return profile
    }

    /// Widest first (§3.4, §3.5). `holdSide` is ignored in one-way mode, so the side reach is exact in hedge mode only;
    /// there one side of a net position is closed by a sized, reduce-only market order.
    private static let closeMethods = [
        CloseMethod(
            operation: BitgetRoute.flashClose, reach: .product, isSized: false, modes: [.oneWay, .hedge],
            guaranteesSide: false),
        CloseMethod(
            operation: BitgetRoute.flashClose, reach: .symbol, isSized: false, modes: [.oneWay, .hedge],
            guaranteesSide: false),
        CloseMethod(
            operation: BitgetRoute.flashClose, reach: .side, isSized: false, modes: [.hedge], guaranteesSide: true),
        CloseMethod(
            operation: BitgetRoute.placeOrder, reach: .leg, isSized: true, modes: [.oneWay], guaranteesSide: true),
    ]

    /// One endpoint with its own limit, counted independently of the others, per second (§3, §4).
    private struct Endpoint {
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

    private static let endpoints = [
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
    ]

    static func path(_ route: String) -> String { endpoints.first { $0.id == route }?.path ?? "" }
}
