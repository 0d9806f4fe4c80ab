import ExchangeKit

/// What the exchange answers, before it becomes bytes.
struct OKXAnswer: Sendable {
    var code = "0"
    var message = ""
    var data: [Wire] = []
    /// nil: 200 for success and business errors.
    var status = 200
    var executed = false
    /// Order routes stamp when they took the call.
    var isStamped = false
    var isThrottle = false
    var page: GatewayAnswer?

    static func success(_ rows: [Wire], executed: Bool = false, isStamped: Bool = false) -> OKXAnswer {
        OKXAnswer(data: rows, executed: executed, isStamped: isStamped)
    }

    static func failure(_ code: String, _ message: String? = nil, status: Int? = nil) -> OKXAnswer {
        let known = OKXMessages.table[code]
        return OKXAnswer(
            code: code, message: message ?? known?.text ?? "Error \(code)", status: status ?? known?.status ?? 200)
    }

    static func html(_ status: Int, _ title: String) -> OKXAnswer {
        OKXAnswer(code: "", status: status, page: .html(status, title))
    }
}

/// Texts of the codes that the simulator sends, with the HTTP status they come with (sheet §6).
enum OKXMessages {
    static let table: [String: (status: Int, text: String)] = [
        "50000": (400, "Body for POST request cannot be empty."), "50002": (400, "JSON syntax error"),
        "50006": (400, "Content-Type must be application/json"), "50014": (400, "Parameter can not be empty."),
        "50011": (429, "Too Many Requests"), "50061": (200, "Sub-account order rate limit exceeded."),
        "50001": (503, "Service temporarily unavailable. Try again later"), "50004": (400, "Endpoint request timeout."),
        "50026": (500, "System error. Try again later"), "50013": (429, "Systems are busy. Please try again later."),
        "51149": (500, "Order timed out. Please try again later."), "50100": (400, "API frozen"),
        "50101": (401, "APIKey does not match current environment."), "50102": (401, "Timestamp request expired"),
        "50103": (401, "Request header OK-ACCESS-KEY can not be empty."),
        "50104": (401, "Request header OK-ACCESS-PASSPHRASE can not be empty."),
        "50105": (401, "Request header OK-ACCESS-PASSPHRASE incorrect."),
        "50106": (401, "Request header OK-ACCESS-SIGN can not be empty."),
        "50107": (401, "Request header OK-ACCESS-TIMESTAMP can not be empty."),
        "50112": (401, "Invalid OK-ACCESS-TIMESTAMP"), "50113": (401, "Invalid Sign"),
        "50115": (405, "Invalid request method."), "50119": (401, "API key doesn't exist"),
        "50120": (200, "This API key doesn't have permission to use this function"),
        "51000": (400, "Parameter error"),
        "51001": (200, "Instrument ID, Instrument ID code, or Spread ID doesn't exist."),
        "51010": (200, "You can't complete this request under your current account mode."),
        "51015": (200, "Instrument ID doesn't match instrument type"),
        "51016": (200, "Client order ID already exists."),
        "51021": (200, "Contract to be listed"), "51022": (200, "Contract suspended"),
        "51023": (200, "Position doesn't exist."), "51027": (200, "Contract expired"),
        "51028": (200, "Contract under delivery"), "51032": (200, "Closing all the positions at the market price."),
        "51043": (200, "This isolated position doesn't exist."),
        "51066": (200, "Market order unavailable for options trading. Place a limit order to close position."),
        "51108": (200, "Positions exceed the limit for closing out with the market price."),
        "51111": (400, "Maximum orders exceeded."),
        "51115": (429, "Cancel all pending close-orders before liquidation."),
        "51121": (200, "Order quantity must be a multiple of the lot size."),
        "51169": (200, "Order failed because you don't have any positions in this direction."),
        "51400": (200, "Cancellation failed as the order has been filled, canceled or does not exist."),
        "51406": (400, "Canceled - order count exceeds the limit"), "51603": (200, "Order does not exist"),
    ]
}

extension ExchangeSimulation {
    var okx: OKXSwitches { configuration.okx }

    var okxThrottled: OKXAnswer {
        var answer = OKXAnswer.failure("50011", status: okx.throttle == .status200 ? 200 : 429)
        answer.isThrottle = true
        return answer
    }

    func gatewayAnswer(_ answer: OKXAnswer, _ call: OKXCall) -> GatewayAnswer {
        if let page = answer.page { return page }
        let isError = answer.code != "0"
        var fields: [(String, Wire)] = []
        if answer.isThrottle, okx.throttle != .status200 {
            // As seen live: no data, and once the code as a number (sheet §4.3).
            let code: Wire = okx.throttle == .numericCode ? .number(50_011) : .text("50011")
            fields = [("msg", .text(answer.message)), ("code", code)]
        } else if answer.status == 401 {
            fields = [("msg", .text(answer.message)), ("code", .text(answer.code))]
        } else {
            fields = [("code", .text(answer.code))]
            if !isError || okx.errorsHaveData || !answer.data.isEmpty { fields.append(("data", .list(answer.data))) }
            fields.append(("msg", .text(answer.message)))
            if answer.isStamped {
                fields.append(("inTime", .text(String(call.ms * 1_000 + 213))))
                fields.append(("outTime", .text(String(call.ms * 1_000 + 911))))
            }
        }
        let headers = [VenueRequest.Header("content-type", "application/json")]
        return GatewayAnswer(
            reply: VenueReply(status: answer.status, headers: headers, body: Wire.object(fields).bytes),
            code: answer.code, executed: answer.executed, isRejection: isError && !answer.isThrottle)
    }

    func voice(_ call: OKXCall) -> GatewayVoice {
        func draw(_ random: inout SplitMix64, _ codes: [String]) -> GatewayAnswer {
            gatewayAnswer(.failure(codes[random.below(codes.count)]), call)
        }
        return GatewayVoice(
            tooMany: { gatewayAnswer(okxThrottled, call) },
            spurious: { draw(&$0, ["50001", "50013", "50026", "50004"]) },
            systemError: { draw(&$0, ["50026", "50004", "51149"]) },
            failedRead: { random in
                switch random.below(6) {
                case 0: .html(503, "Service Unavailable")
                case 1: .page(200, "application/json", "{\"code\":\"0\",\"msg\":\"\"}")
                case 2: .page(200, "application/json", "")
                case 3:
                    .page(
                        200, "application/json",
                        "{\"code\":500,\"data\":{},\"error_code\":\"500\",\"error_message\":\"Internal Server Error\"}")
                case 4: gatewayAnswer(.failure("50026"), call)
                default: .page(200, "text/html", "<html><body>Just a moment...</body></html>")
                }
            })
    }
}
