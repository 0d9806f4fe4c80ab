/// What the exchange serves, with its own numbers (sheet §3, read from the documentation, not from the product).
enum BitgetRoute: String, CaseIterable, Sendable {
    case time = "/api/v2/public/time"
    case contracts = "/api/v2/mix/market/contracts"
    case tickers = "/api/v2/mix/market/tickers"
    case ticker = "/api/v2/mix/market/ticker"
    case symbolPrice = "/api/v2/mix/market/symbol-price"
    case accountInfo = "/api/v2/spot/account/info"
    case accounts = "/api/v2/mix/account/accounts"
    case account = "/api/v2/mix/account/account"
    case allPosition = "/api/v2/mix/position/all-position"
    case singlePosition = "/api/v2/mix/position/single-position"
    case ordersPending = "/api/v2/mix/order/orders-pending"
    case plansPending = "/api/v2/mix/order/orders-plan-pending"
    case detail = "/api/v2/mix/order/detail"
    case fills = "/api/v2/mix/order/fills"
    case ordersHistory = "/api/v2/mix/order/orders-history"
    case cancelAll = "/api/v2/mix/order/cancel-all-orders"
    case cancelBatch = "/api/v2/mix/order/batch-cancel-orders"
    case cancelOne = "/api/v2/mix/order/cancel-order"
    case cancelPlan = "/api/v2/mix/order/cancel-plan-order"
    case closePositions = "/api/v2/mix/order/close-positions"
    case placeOrder = "/api/v2/mix/order/place-order"
    // Copy trading, follower (sheet §3.6).
    case copies = "/api/v2/copy/mix-follower/query-current-orders"
    case copyHistory = "/api/v2/copy/mix-follower/query-history-orders"
    case traders = "/api/v2/copy/mix-follower/query-traders"
    case closeCopies = "/api/v2/copy/mix-follower/close-positions"
    // Unified accounts (sheet §3.10).
    case unifiedPositions = "/api/v3/position/current-position"
    case unifiedSettings = "/api/v3/account/settings"
    case unifiedAssets = "/api/v3/account/assets"
    case unifiedOrders = "/api/v3/trade/unfilled-orders"
    case unifiedStrategies = "/api/v3/trade/unfilled-strategy-orders"
    case unifiedDetail = "/api/v3/trade/order-info"
    case unifiedClose = "/api/v3/trade/close-positions"
    case unifiedCancelSymbol = "/api/v3/trade/cancel-symbol-order"
    case unifiedCancelBatch = "/api/v3/trade/cancel-batch"
    case unifiedCancelOne = "/api/v3/trade/cancel-order"
    case unifiedCancelStrategy = "/api/v3/trade/cancel-strategy-order"

    /// Whether only unified accounts have it.
    var isUnified: Bool { rawValue.hasPrefix("/api/v3/") }

    var isPublic: Bool {
        switch self {
        case .time, .contracts, .tickers, .ticker, .symbolPrice: true
        default: false
        }
    }

    var isMutation: Bool {
        switch self {
        case .cancelAll, .cancelBatch, .cancelOne, .cancelPlan, .closePositions, .placeOrder,
            .closeCopies, .unifiedClose, .unifiedCancelSymbol, .unifiedCancelBatch, .unifiedCancelOne,
            .unifiedCancelStrategy:
            true
        default: false
        }
    }

    var method: String { isMutation ? "POST" : "GET" }

    /// Requests a second: per address where public, else per account.
    var perSecond: Int {
        switch self {
        case .time, .contracts, .tickers, .ticker, .symbolPrice: 20
        case .accountInfo, .closePositions: 1
        case .allPosition, .copies, .copyHistory, .traders, .closeCopies, .unifiedClose, .unifiedCancelSymbol: 5
        case .unifiedPositions, .unifiedSettings, .unifiedAssets, .unifiedOrders, .unifiedStrategies, .unifiedDetail: 20
        default: 10
        }
    }

    /// The authority that the key must have.
    var authority: String? {
        switch self {
        case .time, .contracts, .tickers, .ticker, .symbolPrice: nil
        case .accountInfo: "stor"
        case .accounts, .account, .allPosition, .singlePosition: "cpor"
        case .ordersPending, .plansPending, .detail, .fills, .ordersHistory: "coor"
        case .cancelAll, .cancelBatch, .cancelOne, .cancelPlan, .placeOrder: "coow"
        case .closePositions: "cpow"
        case .copies, .copyHistory, .traders: "ttor"
        case .closeCopies: "ttow"
        case .unifiedPositions, .unifiedSettings, .unifiedAssets: "cpor"
        case .unifiedOrders, .unifiedStrategies, .unifiedDetail: "coor"
        case .unifiedCancelSymbol, .unifiedCancelBatch, .unifiedCancelOne, .unifiedCancelStrategy: "coow"
        case .unifiedClose: "cpow"
        }
    }

    /// Parameters that must be there and not be empty.
    var required: [String] {
        switch self {
        case .time, .accountInfo: []
        case .contracts, .tickers, .accounts, .allPosition, .ordersPending, .fills, .ordersHistory, .closePositions:
            ["productType"]
        case .ticker, .symbolPrice: ["productType", "symbol"]
        case .account, .singlePosition: ["productType", "symbol", "marginCoin"]
        case .plansPending: ["productType", "planType"]
        case .detail: ["productType", "symbol"]
        case .cancelAll, .cancelPlan, .cancelBatch: ["productType"]
        case .cancelOne: ["productType", "symbol"]
        case .placeOrder:
            ["symbol", "productType", "marginMode", "marginCoin", "size", "side", "orderType"]
        case .copies, .copyHistory, .closeCopies: ["productType"]
        case .unifiedPositions, .unifiedClose, .unifiedCancelSymbol, .unifiedOrders, .unifiedStrategies: ["category"]
        case .traders, .unifiedSettings, .unifiedAssets, .unifiedDetail, .unifiedCancelBatch, .unifiedCancelOne,
            .unifiedCancelStrategy:
            []
        }
    }

    /// Routes that change modes, reverse positions or move money: a flattener that calls one is wrong (sheet §7).
    static let never: Set<String> = [
        "/api/v2/mix/account/set-position-mode", "/api/v2/mix/account/set-margin-mode",
        "/api/v2/mix/account/set-leverage", "/api/v2/mix/account/set-asset-mode",
        "/api/v2/mix/account/union-convert", "/api/v2/mix/order/click-backhand", "/api/v2/spot/account/upgrade",
        "/api/v2/spot/wallet/transfer", "/api/v2/spot/wallet/subaccount-transfer", "/api/v2/spot/wallet/withdrawal",
        "/api/v2/copy/mix-follower/cancel-trader", "/api/v3/account/set-hold-mode", "/api/v3/account/set-leverage",
        "/api/v3/account/switch", "/api/v3/account/transfer", "/api/v3/account/sub-transfer",
        "/api/v3/account/withdraw",
    ]

    static let products: Set<String> = ["USDT-FUTURES", "COIN-FUTURES", "USDC-FUTURES"]
    static let retiredProducts: Set<String> = ["SUSDT-FUTURES", "SCOIN-FUTURES", "SUSDC-FUTURES"]
}
