import Foundation

/// A request taken apart.
struct BitgetCall: Sendable {
    var arrival: Arrival
    /// Decoded, in the order received.
    var query: [(name: String, value: String)]
    var fields: [String: String] = [:]
    var orderIDs: [(orderID: String, clientOid: String)] = []

    init(_ arrival: Arrival) {
        self.arrival = arrival
        query = arrival.pairs
        for (name, value) in query { fields[name] = value }
    }

    var request: SimulatedRequest { arrival.request }
    var path: String { arrival.path }
    var ns: Int64 { arrival.ns }
    var ms: Int64 { arrival.ms }
    var elapsedMs: Int64 { arrival.elapsedMs }
    var scope: String { arrival.scope }
    var ordinal: Int { arrival.ordinal }
    var key: String? { request.header("access-key") }
    var route: BitgetRoute? { BitgetRoute(rawValue: path) }
    var label: String { arrival.label }
    /// The query as the gateway signs it again.
    var decodedQuery: String { query.map { $0.name + "=" + $0.value }.joined(separator: "&") }
    /// A parameter; nil where it is missing or empty.
    func field(_ name: String) -> String? { fields[name].flatMap { $0.isEmpty ? nil : $0 } }
    var product: String { (field(isUnified ? "category" : "productType") ?? "").uppercased() }
    /// Of the family of unified accounts.
    var isUnified: Bool { path.hasPrefix("/api/v3/") }

    /// A generator of this call's own.
    func random(_ seed: UInt64, _ purpose: String) -> SplitMix64 { arrival.random(seed, purpose) }

    /// Reads the body of a POST; false where it is not an object.
    mutating func readBody() -> Bool {
        let body = try? JSONSerialization.jsonObject(with: Data(request.body))
        fields = [:]
        if path == BitgetRoute.unifiedCancelBatch.rawValue, let rows = body as? [[String: String]] {
            orderIDs = rows.map { ($0["orderId"] ?? "", $0["clientOid"] ?? "") }
            fields = rows.first?.filter { $0.key == "category" || $0.key == "symbol" } ?? [:]
            return true
        }
        guard let object = body as? [String: Any] else { return false }
        for (name, value) in object {
            switch value {
            case let text as String: fields[name] = text
            case let list as [Any] where name == "orderIdList":
                orderIDs = list.compactMap { $0 as? [String: Any] }
                    .map { ($0["orderId"] as? String ?? "", $0["clientOid"] as? String ?? "") }
            case let number as NSNumber: fields[name] = number.stringValue
            default: continue
            }
        }
        return true
    }
}

/// What the exchange answers, before it becomes bytes.
struct BitgetAnswer: Sendable {
    var code = "00000"
    var message = "success"
    var data: Wire = .null
    /// nil: 200 for success, the configured status for an error.
    var status: Int?
    /// Whether something changed, or an order was accepted.
    var executed = false
    var remaining: Int?
    /// Sent instead of an envelope.
    var page: (status: Int, type: String, text: String)?

    static func failure(_ code: String, _ message: String? = nil, status: Int? = nil) -> BitgetAnswer {
        BitgetAnswer(code: code, message: message ?? BitgetMessages.text(code), status: status)
    }

    static func html(_ status: Int, _ title: String) -> BitgetAnswer {
        let text =
            "<html>\r\n<head><title>\(status) \(title)</title></head>\r\n<body><h1>\(title)</h1></body>\r\n</html>\r\n"
        return BitgetAnswer(code: "", page: (status, "text/html", text))
    }
}

/// Texts of the codes that the simulator sends (sheet §6).
enum BitgetMessages {
    static func text(_ code: String) -> String { table[code] ?? "Error " + code }

    private static let table: [String: String] = [
        "24056": "Close failed", "25102": "This symbol is under maintenance", "25104": "The symbol is delisted",
        "25204": "Order does not exist", "25208": "The maximum size is exceeded", "25209": "Insufficient liquidity",
        "25212": "Duplicate clientOid", "25225": "Insufficient available position", "25227": "No position to close",
        "25236": "posSide does not match the position mode", "25239": "Close failed, please try again",
        "31057": "You are not following", "40115": "The account is being switched",
        "40866": "Close at the copy endpoint",
        "400172": "Parameter verification failed", "40894": "The copy close has been processed",
        "43065": "The tracking order does not exist", "50066": "The position is being closed",
        "22001": "No order to cancel", "22002": "No position to close", "22010": "Please bind ip whitelist address",
        "22012": "symbol is not exist in this productType", "22037": "This symbol is restricted from API trading",
        "22041": "The contract is about to be delivered, closing is not allowed",
        "22044": "ADL is in progress, flash close is not supported", "22045": "Insufficient liquidity",
        "40002": "Header ACCESS_SIGN is required", "40005": "Invalid ACCESS_TIMESTAMP", "40006": "Invalid ACCESS_KEY",
        "40007": "Invalid Content_Type, please use application/json format", "40008": "Request timestamp expired",
        "40009": "sign signature error", "40010": "Request timed out", "40011": "Header ACCESS_PASSPHRASE is required",
        "40012": "apikey/password is incorrect", "40015": "System release, please try again later",
        "40017": "Parameter verification failed", "40018": "Invalid IP", "40019": "Parameter cannot be empty",
        "40020": "Parameter error", "40034": "Parameter does not exist", "40036": "passphrase is incorrect",
        "40037": "Apikey does not exist", "40085": "You are in Unified Account mode",
        "40084": "You are in Classic Account mode, and the Unified Account API is not supported",
        "40099": "exchange environment is incorrect", "40109": "The data of the order cannot be found",
        "40309": "The contract has been removed", "40404": "Request URL NOT FOUND", "40725": "service return an error",
        "40755": "Not enough open positions are available.", "40768": "Order does not exist",
        "40774": "The order type for unilateral position must also be the unilateral position type.",
        "40786": "Duplicate clientOid", "40808": "Parameter verification exception size checkBDScale",
        "40844": "This contract is under temporary maintenance", "40859": "The order is being closed",
        "40888": "The maximum size for a single flash close is 1", "40931": "Risk control, closing is not allowed",
        "43118": "clientOrderId duplicate ", "45001": "Unknown error", "45111": "less than the minimum order quantity",
        "45112": "exceeds the maximum order quantity",
        "45129": "Cancel order is too frequent, the same orderId is only allowed to be canceled once in a second",
        "429": "Too Many Requests",
    ]
}
