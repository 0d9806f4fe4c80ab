/// What the exchange serves, with its own numbers (sheet §3, §10, read from the documentation).
enum BingXRoute: String, CaseIterable, Sendable {
    case time = "GET /openApi/swap/v2/server/time"
    case contracts = "GET /openApi/swap/v2/quote/contracts"
    case tradingRules = "GET /openApi/swap/v1/tradingRules"
    case premiumIndex = "GET /openApi/swap/v2/quote/premiumIndex"
    case ticker = "GET /openApi/swap/v2/quote/ticker"
    case spotSymbols = "GET /openApi/spot/v1/common/symbols"
    case coinContracts = "GET /openApi/cswap/v1/market/contracts"
    case coinPremiumIndex = "GET /openApi/cswap/v1/market/premiumIndex"
    case coinTicker = "GET /openApi/cswap/v1/market/ticker"

    case positions = "GET /openApi/swap/v2/user/positions"
    case balance = "GET /openApi/swap/v3/user/balance"
    case oldBalance = "GET /openApi/swap/v2/user/balance"
    case positionMode = "GET /openApi/swap/v1/positionSide/dual"
    case marginType = "GET /openApi/swap/v2/trade/marginType"
    case openOrders = "GET /openApi/swap/v2/trade/openOrders"
    case cancelAll = "DELETE /openApi/swap/v2/trade/allOpenOrders"
    case cancelOne = "DELETE /openApi/swap/v2/trade/order"
    case cancelBatch = "DELETE /openApi/swap/v2/trade/batchOrders"
    case closeAll = "POST /openApi/swap/v2/trade/closeAllPositions"
    case closeOne = "POST /openApi/swap/v1/trade/closePosition"
    case placeOrder = "POST /openApi/swap/v2/trade/order"
    case testOrder = "POST /openApi/swap/v2/trade/order/test"
    case detail = "GET /openApi/swap/v2/trade/order"
    case allOrders = "GET /openApi/swap/v2/trade/allOrders"
    case fullOrders = "GET /openApi/swap/v1/trade/fullOrder"
    case fillHistory = "GET /openApi/swap/v2/trade/fillHistory"
    case allFills = "GET /openApi/swap/v2/trade/allFillOrders"
    case positionHistory = "GET /openApi/swap/v1/trade/positionHistory"
    case twaps = "GET /openApi/swap/v1/twap/openOrders"
    case cancelTwap = "POST /openApi/swap/v1/twap/cancelOrder"

    case uid = "GET /openApi/account/v1/uid"
    case restrictions = "GET /openApi/v1/account/apiRestrictions"
    case permissions = "GET /openApi/v1/account/apiPermissions"
    case subAccounts = "GET /openApi/subAccount/v1/list"
    case coins = "GET /openApi/wallets/v1/capital/config/getall"

    case coinPositions = "GET /openApi/cswap/v1/user/positions"
    case coinBalance = "GET /openApi/cswap/v1/user/balance"
    case coinOpenOrders = "GET /openApi/cswap/v1/trade/openOrders"
    case coinCancelAll = "POST /openApi/cswap/v1/trade/allOpenOrders"
    /// As one client library calls it.
    case coinCancelAllDelete = "DELETE /openApi/cswap/v1/trade/allOpenOrders"
    case coinCancelOne = "DELETE /openApi/cswap/v1/trade/cancelOrder"
    case coinCloseAll = "POST /openApi/cswap/v1/trade/closeAllPositions"
    case coinPlaceOrder = "POST /openApi/cswap/v1/trade/order"
    case coinDetail = "GET /openApi/cswap/v1/trade/orderDetail"
    case coinFills = "GET /openApi/cswap/v1/trade/allFillOrders"

    var product: String { isCoinMargined ? "cswap" : "swap" }

    private var isCoinMargined: Bool {
        // By its place: a search through the text would cost more than the rest of a request.
        rawValue.utf8.drop { $0 != UInt8(ascii: "/") }.starts(with: "/openApi/cswap/".utf8)
    }

    /// Group of the address's limits: 1 market data, 2 and 3 account and trade (sheet §3, §4).
    var group: Int {
        switch self {
        case .time, .contracts, .tradingRules, .premiumIndex, .ticker, .spotSymbols, .coinContracts,
            .coinPremiumIndex, .coinTicker:
            1
        case .positions, .balance, .oldBalance, .openOrders, .cancelOne, .cancelBatch, .placeOrder, .allOrders: 3
        default: 2
        }
    }

    var isPublic: Bool { group == 1 }

    var isMutation: Bool {
        switch self {
        case .testOrder: false
        default: !rawValue.hasPrefix("GET")
        }
    }

    /// Requests a second of one uid: the lower and the higher number that the sources give.
    var perSecond: (low: Int, high: Int) {
        switch self {
        case .positions, .cancelOne, .placeOrder, .uid: (5, 10)
        case .positionMode, .marginType, .twaps, .cancelTwap: (2, 2)
        case .detail: (5, 30)
        case .permissions: (2, 5)
        case .subAccounts: (1, 5)
        default: (5, 5)
        }
    }

    /// The permission that the key must have: 2 read, 3 perpetual futures.
    var permission: Int {
        switch self {
        case .positionMode, .openOrders, .allOrders, .allFills, .testOrder: 3
        default: isMutation ? 3 : 2
        }
    }

    /// Calls that change modes, move money or set the kill switch: a flattener that makes one is wrong.
    static func isForbidden(_ label: String) -> Bool {
        never.contains(label)
            || ["POST /openApi/wallets/", "POST /openApi/account/transfer/", "POST /openApi/subAccount/"].contains {
                label.hasPrefix($0)
            }
    }

    private static let never: Set<String> = [
        "POST /openApi/swap/v1/positionSide/dual", "POST /openApi/swap/v2/trade/marginType",
        "POST /openApi/swap/v2/trade/leverage", "POST /openApi/swap/v2/trade/positionMargin",
        "POST /openApi/swap/v2/trade/cancelAllAfter", "POST /openApi/swap/v2/trade/getVst",
        "POST /openApi/swap/v1/trade/getVst", "POST /openApi/cswap/v1/trade/leverage",
        "POST /openApi/cswap/v1/trade/marginType", "POST /openApi/cswap/v1/trade/positionMargin",
        "POST /openApi/api/v3/post/asset/transfer", "POST /openApi/api/asset/v1/transfer",
        "POST /openApi/swap/v1/trade/reverse", "POST /openApi/swap/v1/trade/assetMode",
    ]
}
