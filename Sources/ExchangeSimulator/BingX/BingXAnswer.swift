import ExchangeKit

/// What is wrong with a call, apart from how the exchange numbers it (sheet §6).
enum BingXError: Sendable {
    case badParameter(String)
    case modeMismatch(String)
    case busy
    case orderMissing
    case positionMissing
    case noPosition
    case unavailable
    case reduceOnly
    case repeated
    case duplicateID
    case tooSmall(String)
    /// No document names such a cap or its code (sheet §3.1, §11): a test may want one.
    case tooLarge(String)
    case unknownSymbol
    case paused
    case offline
    case noAPI
    case pendingTwap
    case notMaster
    /// A failure that a test or a fault wants, by its code.
    case other(String)

    /// Code since October 2025, code before, text.
    var entry: (new: Int64, old: Int64, text: String) {
        switch self {
        case .badParameter(let text): (109_400, 80_014, text)
        case .modeMismatch(let text): (109_400, 109_414, text)
        case .busy: (109_500, 80_012, "The current system is busy, please try again later")
        case .orderMissing: (109_421, 80_016, "order does not exist")
        case .positionMissing: (109_420, 80_017, "position not exist")
        case .noPosition: (101_205, 101_205, "No position to close")
        case .unavailable: (110_424, 101_212, "The available amount is insufficient")
        case .reduceOnly: (101_290, 101_290, "The Reduce Only order can only decrease the position")
        case .repeated: (109_201, 109_201, "The same order number is only allowed to be submitted once within 1 second")
        case .duplicateID: (101_400, 101_400, "clientOrderID unique check failed")
        case .tooSmall(let step): (110_422, 101_400, "The minimum order amount is \(step)")
        case .tooLarge(let cap): (109_400, 80_014, "The maximum order amount is \(cap)")
        case .unknownSymbol: (109_425, 80_014, "symbol not exist")
        case .paused: (109_415, 109_415, "the symbol is currently in pause trading state")
        case .offline: (109_418, 109_418, "the symbol is offline")
        case .noAPI: (101_415, 101_415, "this trading pair is suspended from trading by API")
        case .pendingTwap: (109_430, 109_430, "there are pending TWAP orders")
        case .notMaster: (100_403, 100_403, "not the main account")
        case .other(let code): (Int64(code) ?? 109_500, Int64(code) ?? 80_012, "close position failed")
        }
    }
}

/// What the exchange answers, before it becomes bytes.
struct BingXAnswer: Sendable {
    var code: Int64 = 0
    var message = ""
    var data: Wire? = .object([])
    /// Fields beside `data`.
    var extra: [(String, Wire)] = []
    var status = 200
    /// Whether something changed, or an order was accepted.
    var executed = false
    /// Requests left, and milliseconds left in the window.
    var remaining: (count: Int, ms: Int64)?
    var isThrottle = false
    /// Sent instead of an envelope.
    var page: GatewayAnswer?

    static func success(_ data: Wire?, executed: Bool = false) -> BingXAnswer {
        BingXAnswer(data: data, executed: executed)
    }

    /// As the gateway refuses, before any business.
    static func gateway(_ code: Int64, _ message: String, success: Bool = false, at ms: Int64) -> BingXAnswer {
        let flag: [(String, Wire)] = success ? [("success", .flag(false))] : []
        return BingXAnswer(code: code, message: message, data: nil, extra: flag + [("timestamp", .number(ms))])
    }

    static func html(_ status: Int, _ title: String) -> BingXAnswer {
        BingXAnswer(data: nil, status: status, page: .html(status, title))
    }
}

extension Wire {
    /// A number without quotes, all its digits.
    static func id(_ text: String) -> Wire { .bare(text) }
    static func amount(_ value: Fixed) -> Wire { .bare(value.description) }
}

/// From an answer to bytes.
extension ExchangeSimulation {
    var bingx: BingXSwitches { configuration.bingx }

    func failure(_ error: BingXError, _ call: BingXCall) -> BingXAnswer {
        let entry = error.entry
        let isNew =
            switch bingx.numbering {
            case .new: true
            case .old: false
            case .mixed:
                {
                    var random = call.arrival.random(configuration.seed, "numbering")
                    return random.chance(perMille: 500)
                }()
            }
        return BingXAnswer(code: isNew ? entry.new : entry.old, message: entry.text)
    }

    func throttled(_ text: String, status: Int = 200) -> BingXAnswer {
        BingXAnswer(
            code: bingx.throttleCode, message: text, status: status, remaining: (0, 1_000), isThrottle: true)
    }

    func gatewayAnswer(_ answer: BingXAnswer) -> GatewayAnswer {
        if let page = answer.page { return page }
        let code = answer.code
        var fields: [(String, Wire)] = [
            ("code", bingx.codesAsText ? .text(String(code)) : .number(code)), ("msg", .text(answer.message)),
        ]
        fields += answer.extra
        if let data = answer.data { fields.append(("data", data)) }
        var reply = GatewayAnswer.page(answer.status, "application/json; charset=utf-8", "").reply
        reply.body = Wire.object(fields).bytes
        if !bingx.omitsLimitHeaders, let remaining = answer.remaining {
            reply.headers.append(.init("x-ratelimit-requests-remain", String(remaining.count)))
            reply.headers.append(.init("x-ratelimit-requests-expire", String(remaining.ms)))
        }
        return GatewayAnswer(
            reply: reply, code: String(code), executed: answer.executed,
            isRejection: code != 0 && !answer.isThrottle)
    }

    static func voice(_ call: BingXCall) -> GatewayVoice {
        let unclear: [(Int64, String)] = [
            (109_500, "The current system is busy, please try again later"), (100_500, "Internal system error"),
            (100_400, "Gateway timeout"), (101_500, "RPC timeout"), (80_012, "service unavailable"),
        ]
        let draw: GatewayVoice.Drawn = { exchange, random in
            let chosen = unclear[random.below(unclear.count)]
            return exchange.gatewayAnswer(BingXAnswer(code: chosen.0, message: chosen.1))
        }
        return GatewayVoice(
            tooMany: { $0.gatewayAnswer($0.throttled("rate limited")) },
            spurious: draw, systemError: draw,
            failedRead: { exchange, random in
                switch random.below(6) {
                case 0: .html(503, "Service Unavailable")
                case 1: exchange.gatewayAnswer(.success(.null))
                case 2: .page(200, "application/json", "")
                case 3: exchange.gatewayAnswer(BingXAnswer(code: unclear[0].0, message: unclear[0].1))
                case 4: exchange.gatewayAnswer(.success(nil))
                default: .page(200, "text/html", "<html><body>Just a moment...</body></html>")
                }
            })
    }
}
