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
        cancels[unifiedRegularList] = BitgetRoute.unifiedCancelOrders
        for list in unifiedStrategyLists.keys { cancels[list] = BitgetRoute.unifiedCancelStrategy }
        var profile = ExchangeProfile(
            id: ExchangeID("bitget"),
            // Demo is the same host with the header `paptrading: 1` (§1.1); a simulated account names its endpoint.
            hosts: [.production: "https://api.bitget.com", .demo: "https://api.bitget.com"],
            credentialFields: ["key", "secret", "passphrase"],
            options: [
                ExchangeProfile.OptionRule(name: "products", allowed: products, isList: true),
                ExchangeProfile.OptionRule(name: "api", allowed: ["auto", "classic", "unified"], isList: false),
                ExchangeProfile.OptionRule(name: "role", allowed: ["normal", "copy-follower"], isList: false),
            ],
            limits: endpoints.map(\.limit) + [
                RateLimit(
                    id: BitgetRoute.ipLimit, scope: [.ip], capacity: 6000, window: .seconds(60),
                    source: "Bitget changelog 2025-08-11 and FAQ (bitget.md §4)", readOn: "2026-11-20")
            ],
            routes: endpoints.map(\.route),
            products: products,
            orderLists: ["normal/live", "normal/partially_filled"] + planLists,
            closeMethods: classicMethods,
            maxCancelsPerCall: 50,
            cancelOperations: cancels,
            signatureLife: .seconds(30))
        profile.cancelLimits = [BitgetRoute.unifiedCancelStrategy: 1]
        profile.protectiveLists = ["profit_loss"]
        profile.checks = [.identity, .settings]
        profile.signatureCodes = ["40009"]
        return profile
    }

    /// Of classic accounts, widest first (§3.4, §3.5). `holdSide` is ignored in one-way mode, so the side reach is exact
    /// in hedge mode only; there one side of a net position is closed by a sized, reduce-only market order.
    private static let classicMethods = [
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
        // `tradeSide: close` closes its leg and nothing else; only for what a flash close finds too large (§7, splitting).
        CloseMethod(
            operation: BitgetRoute.placeOrder, reach: .leg, isSized: true, modes: [.hedge], guaranteesSide: true,
            isForParts: true),
    ]
}
