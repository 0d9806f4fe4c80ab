/// What the exchange serves, with its own numbers (sheet §3.1, read from the sheet, not from the product).
enum OKXRoute: String, CaseIterable, Sendable {
    case time = "GET /api/v5/public/time"
    case status = "GET /api/v5/system/status"
    case instruments = "GET /api/v5/public/instruments"
    case underlying = "GET /api/v5/public/underlying"
    case markPrice = "GET /api/v5/public/mark-price"
    case tickers = "GET /api/v5/market/tickers"
    case ticker = "GET /api/v5/market/ticker"
    case priceLimit = "GET /api/v5/public/price-limit"
    case accountInstruments = "GET /api/v5/account/instruments"
    case config = "GET /api/v5/account/config"
    case positions = "GET /api/v5/account/positions"
    case risk = "GET /api/v5/account/account-position-risk"
    case positionHistory = "GET /api/v5/account/positions-history"
    case balance = "GET /api/v5/account/balance"
    case currencies = "GET /api/v5/asset/currencies"
    case ordersPending = "GET /api/v5/trade/orders-pending"
    case algosPending = "GET /api/v5/trade/orders-algo-pending"
    case order = "GET /api/v5/trade/order"
    case orderHistory = "GET /api/v5/trade/orders-history"
    case orderArchive = "GET /api/v5/trade/orders-history-archive"
    case fills = "GET /api/v5/trade/fills"
    case fillArchive = "GET /api/v5/trade/fills-history"
    case rateLimit = "GET /api/v5/trade/account-rate-limit"
    case cancelOrder = "POST /api/v5/trade/cancel-order"
    case cancelBatch = "POST /api/v5/trade/cancel-batch-orders"
    case cancelAlgos = "POST /api/v5/trade/cancel-algos"
    case cancelAdvanced = "POST /api/v5/trade/cancel-advance-algos"
    case cancelAfter = "POST /api/v5/trade/cancel-all-after"
    case closePosition = "POST /api/v5/trade/close-position"
    case placeOrder = "POST /api/v5/trade/order"
    case placeBatch = "POST /api/v5/trade/batch-orders"
    // With the key of the main account only (sheet §3.6).
    case subAccounts = "GET /api/v5/users/subaccount/list"
    case subBalance = "GET /api/v5/account/subaccount/balances"
    case subFunding = "GET /api/v5/asset/subaccount/balances"
    case subKey = "GET /api/v5/users/subaccount/apikey"

    enum Scope: Sendable { case address, addressType, addressInstrument, user, userInstrument, userType, userTag }

    var isMutation: Bool { rawValue.hasPrefix("POST") }

    var isPublic: Bool {
        switch self {
        case .time, .status, .instruments, .underlying, .markPrice, .tickers, .ticker, .priceLimit: true
        default: false
        }
    }

    var needsMaster: Bool {
        switch self {
        case .subAccounts, .subBalance, .subFunding, .subKey: true
        default: false
        }
    }

    /// Whose body is an array, and of how many items at most.
    var maxItems: Int? {
        switch self {
        case .cancelBatch, .placeBatch: 20
        case .cancelAlgos, .cancelAdvanced: 10
        default: nil
        }
    }

    /// Whether an order that arrives here could open something.
    var places: Bool { self == .placeOrder || self == .placeBatch }

    /// Whose budget an array of one uses.
    var single: OKXRoute {
        switch self {
        case .cancelBatch: .cancelOrder
        case .placeBatch: .placeOrder
        default: self
        }
    }

    /// Requests, or items, in so many seconds.
    var limit: (count: Int, seconds: Int64, scope: Scope) {
        switch self {
        case .time: (10, 2, .address)
        case .status: (1, 5, .address)
        case .instruments, .underlying: (20, 2, .addressType)
        case .markPrice: (10, 2, .addressInstrument)
        case .tickers, .ticker, .priceLimit: (20, 2, .address)
        case .accountInstruments: (20, 2, .userType)
        case .config: (5, 2, .user)
        case .positions, .risk, .positionHistory, .balance: (10, 2, .user)
        case .currencies: (12, 2, .user)
        case .ordersPending, .fills: (60, 2, .user)
        case .algosPending, .orderArchive: (20, 2, .user)
        case .order, .cancelOrder, .placeOrder: (60, 2, .userInstrument)
        case .orderHistory: (40, 2, .user)
        case .fillArchive: (10, 2, .user)
        case .rateLimit: (1, 1, .user)
        case .cancelBatch, .placeBatch: (300, 2, .userInstrument)
        case .cancelAlgos, .closePosition: (20, 2, .userInstrument)
        case .cancelAdvanced: (20, 2, .user)
        case .cancelAfter: (1, 1, .userTag)
        // The sheet has 20 and 2 for the list; the smaller is the one that a client must live with.
        case .subAccounts, .subKey: (2, 2, .user)
        case .subBalance, .subFunding: (6, 2, .user)
        }
    }

    /// Paths that change modes or settings, move money or create orders that wait: a flattener that calls one is wrong.
    static func isForbidden(_ path: String) -> Bool {
        never.contains(path) || neverFamilies.contains { path.hasPrefix($0) }
    }

    private static let never: Set<String> = Set(
        [
            "account/set-position-mode", "account/set-leverage", "account/set-account-level",
            "account/set-isolated-mode", "account/set-greeks", "account/set-auto-loan", "account/set-collateral-assets",
            "account/set-riskOffset-type", "account/set-riskOffset-amt", "account/set-settle-currency",
            "account/activate-option", "account/position/margin-balance", "account/borrow-repay",
            "account/spot-manual-borrow-repay", "account/quick-margin-borrow-repay", "account/move-positions",
            "account/mmp-config", "account/mmp-reset", "asset/transfer", "asset/withdrawal",
            "asset/withdrawal-lightning", "asset/cancel-withdrawal", "asset/convert-dust-assets",
            "asset/convert/trade", "asset/subaccount/transfer", "users/subaccount/modify-apikey",
            "users/subaccount/create-subaccount", "users/subaccount/apikey-delete",
            "users/subaccount/set-transfer-out", "trade/order-algo", "trade/amend-order", "trade/amend-batch-orders",
            "trade/amend-algos", "trade/easy-convert", "trade/one-click-repay", "trade/one-click-repay-v2",
        ].map { "/api/v5/" + $0 })
    private static let neverFamilies = ["/api/v5/tradingBot/", "/api/v5/finance/", "/api/v5/fiat/"]
}
