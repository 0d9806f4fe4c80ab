/// What the exchange serves, with its own numbers (sheet §3.1, read from the documentation, not from the product).
enum OKXRoute: String, CaseIterable, Sendable {
    case time = "/api/v5/public/time"
    case status = "/api/v5/system/status"
    case instruments = "/api/v5/public/instruments"
    case markPrice = "/api/v5/public/mark-price"
    case priceLimit = "/api/v5/public/price-limit"
    case tickers = "/api/v5/market/tickers"
    case ticker = "/api/v5/market/ticker"
    case config = "/api/v5/account/config"
    case accountInstruments = "/api/v5/account/instruments"
    case balance = "/api/v5/account/balance"
    case positions = "/api/v5/account/positions"
    case risk = "/api/v5/account/account-position-risk"
    case positionHistory = "/api/v5/account/positions-history"
    case pending = "/api/v5/trade/orders-pending"
    case algos = "/api/v5/trade/orders-algo-pending"
    case order = "/api/v5/trade/order"
    case history = "/api/v5/trade/orders-history"
    case fills = "/api/v5/trade/fills"
    case closePosition = "/api/v5/trade/close-position"
    case cancelOrder = "/api/v5/trade/cancel-order"
    case cancelBatch = "/api/v5/trade/cancel-batch-orders"
    case cancelAlgos = "/api/v5/trade/cancel-algos"

    enum Scope: Sendable { case address, addressAndType, user, userAndType, userAndInstrument }

    var isPublic: Bool {
        switch self {
        case .time, .status, .instruments, .markPrice, .priceLimit, .tickers, .ticker: true
        default: false
        }
    }

    /// Paths that take POST; `/trade/order` takes both.
    var takesPost: Bool {
        switch self {
        case .order, .closePosition, .cancelOrder, .cancelBatch, .cancelAlgos: true
        default: false
        }
    }

    var takesGet: Bool { self == .order || !takesPost }

    /// Requests in two seconds; for batches, the items of them.
    func perTwoSeconds(isPost: Bool) -> Int {
        switch self {
        case .status: 1
        case .config: 5
        case .time, .markPrice, .positions, .risk, .positionHistory, .balance: 10
        case .instruments, .accountInstruments, .priceLimit, .tickers, .ticker, .algos, .closePosition: 20
        case .cancelAlgos: 20
        case .history: 40
        case .pending, .fills, .cancelOrder, .order: 60
        case .cancelBatch: 300
        }
    }

    var scope: Scope {
        switch self {
        case .time, .status, .priceLimit, .tickers, .ticker, .markPrice: .address
        case .instruments: .addressAndType
        case .accountInstruments: .userAndType
        case .config, .balance, .positions, .risk, .positionHistory, .pending, .algos, .history, .fills: .user
        case .order, .closePosition, .cancelOrder, .cancelBatch, .cancelAlgos: .userAndInstrument
        }
    }

    /// Routes that change modes, borrow or move money: a flattener that calls one is wrong.
    static let never: Set<String> = [
        "/api/v5/account/set-position-mode", "/api/v5/account/set-leverage", "/api/v5/account/set-isolated-mode",
        "/api/v5/account/set-account-level", "/api/v5/account/position/margin-balance", "/api/v5/asset/transfer",
        "/api/v5/asset/withdrawal", "/api/v5/account/borrow-repay", "/api/v5/trade/cancel-all-after",
        "/api/v5/trade/order-algo", "/api/v5/trade/batch-orders",
    ]
}
