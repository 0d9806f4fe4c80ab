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
    case cancelAll = "/api/v2/mix/order/cancel-all-orders"
    case cancelBatch = "/api/v2/mix/order/batch-cancel-orders"
    case cancelOne = "/api/v2/mix/order/cancel-order"
    case cancelPlan = "/api/v2/mix/order/cancel-plan-order"
    case closePositions = "/api/v2/mix/order/close-positions"
    case placeOrder = "/api/v2/mix/order/place-order"

    var isPublic: Bool {
        switch self {
        case .time, .contracts, .tickers, .ticker, .symbolPrice: true
        default: false
        }
    }

    var isMutation: Bool {
        switch self {
        case .cancelAll, .cancelBatch, .cancelOne, .cancelPlan, .closePositions, .placeOrder: true
        default: false
        }
    }

    var method: String { isMutation ? "POST" : "GET" }

    /// Requests a second: per address where public, else per account.
    var perSecond: Int {
        switch self {
        case .time, .contracts, .tickers, .ticker, .symbolPrice: 20
        case .accountInfo, .closePositions: 1
        case .allPosition: 5
        default: 10
        }
    }

    /// The authority that the key must have.
    var authority: String? {
        switch self {
        case .time, .contracts, .tickers, .ticker, .symbolPrice: nil
        case .accountInfo: "stor"
        case .accounts, .account, .allPosition, .singlePosition: "cpor"
        case .ordersPending, .plansPending, .detail, .fills: "coor"
        case .cancelAll, .cancelBatch, .cancelOne, .cancelPlan, .placeOrder: "coow"
        case .closePositions: "cpow"
        }
    }

    /// Parameters that must be there and not be empty.
    var required: [String] {
        switch self {
        case .time, .accountInfo: []
        case .contracts, .tickers, .accounts, .allPosition, .ordersPending, .fills, .closePositions: ["productType"]
        case .ticker, .symbolPrice: ["productType", "symbol"]
        case .account, .singlePosition: ["productType", "symbol", "marginCoin"]
        case .plansPending: ["productType", "planType"]
        case .detail: ["productType", "symbol"]
        case .cancelAll, .cancelPlan, .cancelBatch: ["productType"]
        case .cancelOne: ["productType", "symbol"]
        case .placeOrder:
            ["symbol", "productType", "marginMode", "marginCoin", "size", "side", "orderType"]
        }
    }

    /// Routes that change modes, reverse positions or move money: a flattener that calls one is wrong (sheet §7).
    static let never: Set<String> = [
        "/api/v2/mix/account/set-position-mode", "/api/v2/mix/account/set-margin-mode",
        "/api/v2/mix/account/set-leverage", "/api/v2/mix/account/set-asset-mode",
        "/api/v2/mix/account/union-convert", "/api/v2/mix/order/click-backhand", "/api/v2/spot/account/upgrade",
        "/api/v2/spot/wallet/transfer", "/api/v2/spot/wallet/subaccount-transfer", "/api/v2/spot/wallet/withdrawal",
        "/api/v2/copy/mix-follower/cancel-trader",
    ]

    static let products: Set<String> = ["USDT-FUTURES", "COIN-FUTURES", "USDC-FUTURES"]
}
