import ExchangeKit

/// What the exchange answers, before it becomes bytes.
struct OKXAnswer: Sendable {
    var code = "0"
    var message = ""
    /// nil: the field is absent.
    var data: Wire? = .list([])
    var status = 200
    /// Whether something changed, or an order was accepted.
    var executed = false
    /// Order endpoints tell when they began and ended.
    var isTimed = false
    var isThrottle = false
    /// The code as a number, as some answers had it.
    var isNumeric = false
    /// An error whose `data` varies.
    var varies = false
    /// Sent instead of an envelope.
    var page: GatewayAnswer?

    static func success(_ rows: [Wire], executed: Bool = false, isTimed: Bool = false) -> OKXAnswer {
        OKXAnswer(data: .list(rows), executed: executed, isTimed: isTimed)
    }

    /// A refusal of the call as a whole.
    static func failure(_ code: String, _ message: String? = nil) -> OKXAnswer {
        OKXAnswer(
            code: code, message: message ?? OKXMessages.text(code), status: OKXMessages.status(code), varies: true)
    }

    /// As the gateway refuses, before any business: without `data`.
    static func gateway(_ code: String, _ message: String? = nil) -> OKXAnswer {
        OKXAnswer(
            code: code, message: message ?? OKXMessages.text(code), data: nil, status: OKXMessages.status(code))
    }

    static func html(_ status: Int, _ title: String) -> OKXAnswer {
        OKXAnswer(code: "", status: status, page: .html(status, title))
    }
}

extension Wire {
    /// An object of texts only, as nearly everything of this exchange is.
    static func texts(_ pairs: KeyValuePairs<String, String>, _ more: [(String, Wire)] = []) -> Wire {
        .object(pairs.map { ($0.key, .text($0.value)) } + more)
    }
}

/// Texts and HTTP statuses of the codes that the simulator sends (sheet §5, §6).
enum OKXMessages {
    static func text(_ code: String) -> String { table[code] ?? "Error " + code }

    static func status(_ code: String) -> Int {
        switch code {
        case "50101"..."50114", "50119": 401
        case "50000", "50002", "50004", "50006", "50014", "50015", "50016", "50024", "50025", "50036", "50100",
            "51000", "51111", "51406":
            400
        case "50115": 405
        case "50011", "50013", "51113", "51115": 429
        case "50026", "51054", "51149": 500
        case "50001": 503
        case "50035": 403
        case "50005": 410
        default: 200
        }
    }

    private static let table: [String: String] = [
        "50000": "Body for POST request can not be empty.", "50001": "Service temporarily unavailable.",
        "50002": "JSON syntax error", "50004": "Endpoint request timeout (does not mean success or failure).",
        "50006": "Invalid Content-Type, please use the application/json format.",
        "50007": "User blocked.", "50009": "User lifecycle restricted.", "50011": "Too Many Requests",
        "50013": "Systems are busy. Please try again later.", "50017": "Position frozen due to ADL.",
        "50020": "Position frozen due to liquidation.", "50026": "System error. Try again later.",
        "50036": "The expTime can't be earlier than the current system time.",
        "50061": "Sub-account rate limit exceeded.",
        "50100": "API frozen, please contact customer service.",
        "50101": "APIKey does not match current environment.", "50102": "Timestamp request expired",
        "50103": "Request header OK-ACCESS-KEY cannot be empty.",
        "50104": "Request header OK-ACCESS-PASSPHRASE cannot be empty.",
        "50105": "Request header OK-ACCESS-PASSPHRASE incorrect.",
        "50106": "Request header OK-ACCESS-SIGN cannot be empty.",
        "50107": "Request header OK-ACCESS-TIMESTAMP cannot be empty.", "50111": "Invalid OK-ACCESS-KEY",
        "50112": "Invalid OK-ACCESS-TIMESTAMP", "50113": "Invalid Sign", "50115": "Invalid request method",
        "50119": "API key doesn't exist", "50120": "This API key doesn't have permission to use this function",
        "51001": "Instrument ID doesn't exist.", "51008": "Order failed. Insufficient margin in account.",
        "51010": "You can't complete this request under your current account mode.",
        "51016": "Duplicated client order ID.", "51020": "Your order should meet or exceed the minimum order amount.",
        "51021": "Contract to be listed.", "51022": "Contract suspended.", "51023": "Position doesn't exist.",
        "51027": "Contract expired.", "51028": "Contract under delivery.", "51029": "Contract is being settled.",
        "51030": "Funding fee is being settled.", "51032": "Closing position at market price.",
        "51043": "This isolated position doesn't exist.", "51054": "Request timed out. Please try again.",
        "51066": "Market order unavailable for options trading. Place limit order to close position.",
        "51108": "Positions exceed the limit for closing out with the market price.",
        "51111": "Maximum quantity of orders exceeded.", "51112": "Close order size exceeds available size.",
        "51113": "Market-price liquidation requests too frequent.",
        "51115": "Cancel all pending close-orders before liquidation.", "51116": "Order price out of range.",
        "51121": "Order quantity must be a multiple of the lot size.", "51149": "Order timed out. Please try again.",
        "51168": "Existing reduce-only orders interfere.", "51169": "You don't have any positions to reduce.",
        "51170": "Your order side is the same as the position's.", "51202": "Market order amount exceeds the maximum.",
        "51342": "Closing order already exists.", "51400": "Order cancellation failed: filled, canceled or not found.",
        "51406": "Maximum number of orders exceeded.", "51603": "Order does not exist",
        "59500": "Only the API key of the main account has permission.",
    ]
}

/// From an answer to bytes.
extension ExchangeSimulation {
    var okx: OKXSwitches { configuration.okx }

    func throttledOKX(_ call: OKXCall) -> OKXAnswer {
        var form = okx.throttle
        if okx.drawsReplyVariants {
            var random = call.arrival.random(configuration.seed, "throttle form")
            form = OKXThrottleForm.allCases[random.below(OKXThrottleForm.allCases.count)]
        }
        var answer = OKXAnswer.gateway("50011")
        answer.isThrottle = true
        switch form {
        case .status429: break
        case .numericCode:
            answer.message = "Requests too frequent."
            answer.isNumeric = true
        case .status200:
            answer.message = "Rate limit reached. Please refer to API documentation and throttle requests accordingly"
            answer.data = .list([])
            answer.status = 200
        }
        return answer
    }

    func gatewayAnswer(_ answer: OKXAnswer, _ call: OKXCall) -> GatewayAnswer {
        if let page = answer.page { return page }
        var data = answer.data
        if answer.varies {
            var form = okx.errorData
            if okx.drawsReplyVariants {
                var random = call.arrival.random(configuration.seed, "error data")
                form = OKXErrorData.allCases[random.below(OKXErrorData.allCases.count)]
            }
            switch form {
            case .emptyList: data = .list([])
            case .absent: data = nil
            case .emptyObject: data = .object([])
            }
        }
        let code: Wire = answer.isNumeric ? .bare(answer.code) : .text(answer.code)
        var fields: [(String, Wire)]
        if let data {
            fields = [("code", code), ("data", data), ("msg", .text(answer.message))]
        } else {
            fields = [("msg", .text(answer.message)), ("code", code)]
        }
        if answer.isTimed {
            fields.append(("inTime", .text(String(call.ms * 1_000 + 112))))
            fields.append(("outTime", .text(String(call.ms * 1_000 + 906))))
        }
        var reply = GatewayAnswer.page(answer.status, "application/json", "").reply
        reply.body = Wire.object(fields).bytes
        return GatewayAnswer(
            reply: reply, code: answer.code, executed: answer.executed,
            isRejection: answer.code != "0" && !answer.isThrottle)
    }

    static func voice(_ call: OKXCall) -> GatewayVoice {
        func draw(_ codes: [String]) -> GatewayVoice.Drawn {
            { exchange, random in exchange.gatewayAnswer(.failure(codes[random.below(codes.count)]), call) }
        }
        return GatewayVoice(
            tooMany: { $0.gatewayAnswer($0.throttledOKX(call), call) },
            spurious: draw(["50001", "50004", "50013", "50026"]),
            systemError: draw(["50004", "50026", "51149", "51054"]),
            failedRead: { _, random in
                switch random.below(6) {
                case 0: .html(503, "Service Unavailable")
                case 1: .page(200, "application/json", #"{"code":"0","msg":"","data":{}}"#)
                case 2: .page(200, "application/json", "")
                case 3:
                    .page(
                        500, "application/json",
                        #"{"code":500,"data":{},"detailMsg":"","error_code":"500","#
                            + #""error_message":"Internal Server Error","msg":"Internal Server Error"}"#)
                case 4: .page(200, "application/json", #"{"code":"0","msg":""}"#)
                default: .page(200, "text/html", "<html><body>Just a moment...</body></html>")
                }
            })
    }
}
