import ExchangeKit

/// From an answer to bytes, and what the network does with them.
extension ExchangeSimulation {
    /// The reply variants of one call (sheet §9 #15).
    struct Style {
        var timeAsText: Bool
        var rowsWithSymbol: Bool
        var resultFalse: Bool
        var nullLists: Bool
        var chinese: Bool
        var listAsArray: Bool
        var rowCode: BitgetUnifiedSwitches.RowCode
        var cancelsAsRows: Bool
    }

    func style(_ call: BitgetCall) -> Style {
        let switches = configuration.switches
        guard switches.drawsReplyVariants else {
            return Style(
                timeAsText: switches.requestTimeAsText, rowsWithSymbol: switches.rowsWithSymbol,
                resultFalse: switches.resultFalse, nullLists: switches.nullLists, chinese: switches.chineseMessages,
                listAsArray: switches.copy.listAsArray, rowCode: switches.unified.rowCode,
                cancelsAsRows: switches.unified.cancelsAsRows)
        }
        var random = call.random(configuration.seed, "style")
        return Style(
            timeAsText: random.chance(perMille: 400), rowsWithSymbol: random.chance(perMille: 500),
            resultFalse: random.chance(perMille: 400), nullLists: random.chance(perMille: 300),
            chinese: random.chance(perMille: 250),
            listAsArray: random.chance(perMille: 500),
            rowCode: BitgetUnifiedSwitches.RowCode.allCases[random.below(3)],
            cancelsAsRows: random.chance(perMille: 500))
    }

    func gatewayAnswer(_ answer: BitgetAnswer, _ call: BitgetCall) -> GatewayAnswer {
        GatewayAnswer(
            reply: reply(answer, call), code: answer.code, executed: answer.executed,
            isRejection: answer.code != "00000" && !answer.code.isEmpty && answer.code != "429")
    }

    static func voice(_ call: BitgetCall) -> GatewayVoice {
        func draw(_ codes: [String]) -> GatewayVoice.Drawn {
            { exchange, random in
                let code = codes[random.below(codes.count)]
                return exchange.gatewayAnswer(.failure(code, status: code == "40725" ? 500 : 400), call)
            }
        }
        return GatewayVoice(
            tooMany: { $0.gatewayAnswer(Self.tooMany, call) },
            spurious: draw(["45001", "40725", "40808", "40015"]),
            systemError: draw(["40725", "45001", "40015", "40010"]),
            failedRead: { exchange, random in
                switch random.below(6) {
                case 0: .html(503, "Service Unavailable")
                case 1: exchange.gatewayAnswer(BitgetAnswer(data: .null), call)
                case 2: .page(200, "application/json", "")
                case 3: .page(200, "application/json", "{\"code\":1,\"message\":\"System error\"}")
                case 4: exchange.gatewayAnswer(.failure("45001"), call)
                default: .page(200, "text/html", "<html><body>Just a moment...</body></html>")
                }
            })
    }

    private func reply(_ answer: BitgetAnswer, _ call: BitgetCall) -> VenueReply {
        if let page = answer.page {
            return VenueReply(
                status: page.status, headers: [VenueRequest.Header("content-type", page.type)],
                body: Array(page.text.utf8))
        }
        let style = style(call)
        let succeeded = answer.code == "00000"
        var message = answer.message
        if style.chinese { message = succeeded ? "成功" : "操作失败，请稍后重试" }
        let body = Wire.object([
            ("code", .text(answer.code)), ("msg", .text(message)),
            ("requestTime", style.timeAsText ? .text(String(call.ms)) : .number(call.ms)), ("data", answer.data),
        ])
        var headers = [VenueRequest.Header("content-type", "application/json;charset=UTF-8")]
        if let remaining = answer.remaining {
            headers.append(VenueRequest.Header("x-mbx-used-remain-limit", String(remaining)))
        }
        // Sheet §3.10.
        if call.isUnified {
            for name in ["x-bg-request-accept-time", "x-bg-response-complete-time"] {
                headers.append(VenueRequest.Header(name, String(call.ms)))
            }
        }
        let status = answer.status ?? (succeeded ? 200 : configuration.switches.businessErrorStatus)
        return VenueReply(status: status, headers: headers, body: body.bytes)
    }

    /// The routes' work, for a call that passed every check.
    mutating func execute(_ call: BitgetCall, _ route: BitgetRoute, _ account: Int?) -> BitgetAnswer {
        var call = call
        if call.fields.isEmpty, route.method == "POST" { _ = call.readBody() }
        guard let account else { return publicAnswer(call, route) }
        return switch route {
        case .accountInfo: accountInfo(account)
        case .accounts: accountList(call, account)
        case .account: oneAccount(call, account)
        case .allPosition, .singlePosition: positions(call, account, single: route == .singlePosition)
        case .ordersPending: pendingOrders(call, account)
        case .plansPending: pendingPlans(call, account)
        case .detail: orderDetail(call, account)
        case .fills: orderFills(call, account)
        case .ordersHistory: orderHistory(call, account)
        case .cancelAll: cancelAll(call, account)
        case .cancelBatch: cancelBatch(call, account)
        case .cancelOne: cancelOne(call, account)
        case .cancelPlan: cancelPlans(call, account)
        case .closePositions: flashClose(call, account)
        case .placeOrder: placeOrder(call, account)
        case .time, .contracts, .tickers, .ticker, .symbolPrice: publicAnswer(call, route)
        case .copies: openCopies(call, account)
        case .copyHistory: closedCopies(call, account)
        case .traders: followedTraders(account)
        case .closeCopies: closeCopies(call, account)
        case .unifiedPositions: unifiedPositions(call, account)
        case .unifiedSettings: unifiedSettings(account)
        case .unifiedAssets: unifiedAssets(call, account)
        case .unifiedOrders: unifiedOrders(call, account)
        case .unifiedStrategies: unifiedStrategies(call, account)
        case .unifiedDetail: unifiedDetail(call, account)
        case .unifiedClose: unifiedClose(call, account)
        case .unifiedCancelSymbol: unifiedCancelSymbol(call, account)
        case .unifiedCancelBatch: unifiedCancelBatch(call, account)
        case .unifiedCancelOne: unifiedCancelOne(call, account)
        case .unifiedCancelStrategy: unifiedCancelStrategy(call, account)
        }
    }
}
