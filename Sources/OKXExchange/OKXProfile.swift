import ExchangeKit
import FlatbookCore

extension OKX {
    static let instrumentTypes = ["SWAP", "FUTURES", "MARGIN", "OPTION"]

    /// Rows a page of a list holds at most (§3.1).
    static let pageSize = 100

    static let pendingOrders = "pending"

    /// All new orders of one sub-account together (§4.2); close-position is not counted there.
    static let newOrders = "okx.new-orders"

    /// The algo list takes one type at a time; only these two may be asked together (§3.4).
    static let algoLists = [
        "conditional,oco", "trigger", "move_order_stop", "chase", "iceberg", "twap", "smart_iceberg",
    ]

    /// Types that some sites do not list (§3.4): a refusal of the parameter means that there are none.
    static let uncertainAlgoLists: Set<String> = ["chase", "iceberg", "twap", "smart_iceberg"]

    static func makeProfile() -> ExchangeProfile {
        var cancels = [pendingOrders: OKXRoute.cancelOrders]
        for list in algoLists { cancels[list] = OKXRoute.cancelAlgos }
        var profile = ExchangeProfile(
            id: ExchangeID("okx"),
            // A simulated account names its endpoint; the site of an account chooses among the others (§1).
            hosts: [.production: "https://openapi.okx.com", .demo: "https://openapi.okx.com"],
            credentialFields: ["key", "secret", "passphrase"],
            options: [
                ExchangeProfile.OptionRule(name: "instrumentTypes", allowed: instrumentTypes, isList: true),
                ExchangeProfile.OptionRule(name: "site", allowed: ["global", "eea", "us", "tr"], isList: false),
            ],
            limits: endpoints.map(\.limit) + [
                RateLimit(
                    id: newOrders, scope: [.uid], capacity: 1000, window: .seconds(2),
                    source: "OKX API documentation, sub-account rate limit, 2026-07 (okx.md §4.2)",
                    readOn: "2026-11-20")
            ],
            routes: endpoints.map(\.route),
            products: instrumentTypes,
            orderLists: [pendingOrders] + algoLists,
            closeMethods: closeMethods,
            maxCancelsPerCall: 20,
            cancelOperations: cancels,
            signatureLife: .seconds(30),
            notRead: [
                ExchangeProfile.NotRead(
                    silo: "bots, spreads, copy trading", reason: "positions of bots and event contracts are not listed")
            ])
        // Order cancels take twenty, algo cancels ten (§3.1).
        profile.cancelLimits = [OKXRoute.cancelAlgos: 10]
        profile.signatureCodes = ["50113"]
        return profile
    }

    /// §3.5, §7.1. `close-position` names the position, not a size: instrument, margin mode, and the side in long/short mode.
    /// In net mode it closes whatever the position is by then, so one side alone goes by a reduce-only order (§7.4).
    private static let closeMethods = [
        CloseMethod(
            operation: OKXRoute.closePosition, reach: .leg, isSized: false, modes: [.hedge], guaranteesSide: true,
            canFreeHeldSize: true),
        CloseMethod(
            operation: OKXRoute.closePosition, reach: .leg, isSized: false, modes: [.oneWay], guaranteesSide: false,
            canFreeHeldSize: true),
        CloseMethod(
            operation: OKXRoute.order, reach: .leg, isSized: true, modes: [.oneWay], guaranteesSide: true,
            products: ["SWAP", "FUTURES"]),
        // §7.4: a closing order of long/short mode is reduce-only by nature; only for what 51108 or 51207 refused whole.
        CloseMethod(
            operation: OKXRoute.order, reach: .leg, isSized: true, modes: [.hedge], guaranteesSide: true,
            products: ["SWAP", "FUTURES"], isForParts: true),
    ]

    /// One endpoint with the limit it has alone (§3.1, §4.1); all windows are two seconds.
    private struct Endpoint {
        var id: String
        var path: String
        var isMutation = false
        var perTwoSeconds: Int
        /// Whose calls count together, besides the route.
        var scope: Set<ScopeDimension>
        var countsItems = false

        var limit: RateLimit {
            RateLimit(
                id: id, scope: scope.union([.route]), capacity: perTwoSeconds, window: .seconds(2),
                source: "OKX API documentation of \(path), 2026-07 (okx.md §3.1)", readOn: "2026-11-20")
        }

        var route: ExchangeProfile.Route {
            var route = ExchangeProfile.Route(
                id: id, path: path, isMutation: isMutation, costs: [(limit: id, weight: 1)])
            if countsItems { route.countsItems = [id] }
            if id == OKXRoute.order { route.costs.append((limit: newOrders, weight: 1)) }
            return route
        }
    }

    private static let endpoints = [
        Endpoint(id: OKXRoute.serverTime, path: "/api/v5/public/time", perTwoSeconds: 10, scope: [.ip]),
        Endpoint(
            id: OKXRoute.instruments, path: "/api/v5/public/instruments", perTwoSeconds: 20, scope: [.ip, .product]),
        Endpoint(id: OKXRoute.config, path: "/api/v5/account/config", perTwoSeconds: 5, scope: [.uid]),
        Endpoint(id: OKXRoute.positions, path: "/api/v5/account/positions", perTwoSeconds: 10, scope: [.uid]),
        Endpoint(
            id: OKXRoute.risk, path: "/api/v5/account/account-position-risk", perTwoSeconds: 10, scope: [.uid]),
        Endpoint(
            id: OKXRoute.history, path: "/api/v5/account/positions-history", perTwoSeconds: 10, scope: [.uid]),
        Endpoint(id: OKXRoute.orders, path: "/api/v5/trade/orders-pending", perTwoSeconds: 60, scope: [.uid]),
        Endpoint(id: OKXRoute.algos, path: "/api/v5/trade/orders-algo-pending", perTwoSeconds: 20, scope: [.uid]),
        Endpoint(
            id: OKXRoute.closePosition, path: "/api/v5/trade/close-position", isMutation: true, perTwoSeconds: 20,
            scope: [.uid, .instrument]),
        // Lead traders have 4 in 2 s for their lead instruments (§3.1); this tool closes no lead positions.
        Endpoint(
            id: OKXRoute.order, path: "/api/v5/trade/order", isMutation: true, perTwoSeconds: 60,
            scope: [.uid, .instrument]),
        Endpoint(
            id: OKXRoute.cancelOrder, path: "/api/v5/trade/cancel-order", isMutation: true, perTwoSeconds: 60,
            scope: [.uid, .instrument]),
        Endpoint(
            id: OKXRoute.cancelOrders, path: "/api/v5/trade/cancel-batch-orders", isMutation: true,
            perTwoSeconds: 300, scope: [.uid, .instrument], countsItems: true),
        Endpoint(
            id: OKXRoute.cancelAlgos, path: "/api/v5/trade/cancel-algos", isMutation: true, perTwoSeconds: 20,
            scope: [.uid, .instrument], countsItems: true),
        Endpoint(id: OKXRoute.orderHistory, path: "/api/v5/trade/orders-history", perTwoSeconds: 40, scope: [.uid]),
    ]

    static func path(_ route: String) -> String { endpoints.first { $0.id == route }?.path ?? "" }
}
