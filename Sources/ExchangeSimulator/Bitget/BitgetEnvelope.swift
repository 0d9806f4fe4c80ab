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
    }

    func style(_ call: BitgetCall) -> Style {
        let switches = configuration.switches
        guard switches.drawsReplyVariants else {
            return Style(
                timeAsText: switches.requestTimeAsText, rowsWithSymbol: switches.rowsWithSymbol,
                resultFalse: switches.resultFalse, nullLists: switches.nullLists, chinese: switches.chineseMessages)
        }
        var random = call.random(configuration.seed, "style")
        return Style(
            timeAsText: random.chance(perMille: 400), rowsWithSymbol: random.chance(perMille: 500),
            resultFalse: random.chance(perMille: 400), nullLists: random.chance(perMille: 300),
            chinese: random.chance(perMille: 250))
    }

    mutating func note(_ call: BitgetCall, mutation: Bool, executed: Bool, status: Int, code: String) {
        let uid = call.key.flatMap { world.account(forKey: $0) }.map { world.states[$0].account.uid } ?? ""
        world.truth.note(
            Receipt(
                uid: uid, route: call.label, clientAddress: call.request.clientAddress, arrivalNs: call.ns,
                body: call.request.body, isMutation: mutation, executed: executed, status: status, code: code))
    }

    mutating func finish(
        _ answer: BitgetAnswer, _ call: BitgetCall, mutation: Bool, fault: FaultKind?
    ) -> SimulatedDelivery {
        let reply = reply(answer, call)
        note(call, mutation: mutation, executed: answer.executed, status: reply.status, code: answer.code)
        let isRefusal = answer.code != "00000" && !answer.code.isEmpty && answer.code != "429"
        if isRefusal { world.truth.rejections[answer.code, default: 0] += 1 }
        var delivery = SimulatedDelivery(reply: reply, delayMs: 0, fate: .deliver, executed: answer.executed)
        guard let fault else { return delivery }
        var random = call.random(configuration.seed, "after")
        let size = reply.body.count
        switch fault {
        case .slow: delivery.delayMs = random.inside(1_500...6_000)
        case .cutAfter: delivery.fate = .cutAfterExecution
        case .hangAfter: delivery.fate = .hang
        case .truncateAfter: delivery.fate = .truncate(bytes: random.below(max(1, size - 1)))
        case .wrongLengthAfter: delivery.fate = .wrongLength(declared: size + 1 + random.below(64))
        case .gatewayAfter:
            delivery.reply = self.reply(
                random.chance(perMille: 500) ? .html(502, "Bad Gateway") : .html(504, "Gateway Time-out"), call)
        case .systemErrorAfter:
            let code = ["40725", "45001", "40015", "40010"][random.below(4)]
            delivery.reply = self.reply(.failure(code, status: code == "40725" ? 500 : 400), call)
        case .failedRead: delivery.reply = failedRead(call, &random)
        default: break
        }
        return delivery
    }

    /// A read that looks alive and says nothing: an account must never be called flat for it.
    private func failedRead(_ call: BitgetCall, _ random: inout SplitMix64) -> VenueReply {
        switch random.below(6) {
        case 0: reply(.html(503, "Service Unavailable"), call)
        case 1: reply(BitgetAnswer(data: .null), call)
        case 2: reply(BitgetAnswer(code: "", page: (200, "application/json", "")), call)
        case 3:
            reply(
                BitgetAnswer(code: "", page: (200, "application/json", "{\"code\":1,\"message\":\"System error\"}")),
                call)
        case 4: reply(.failure("45001"), call)
        default:
            reply(BitgetAnswer(code: "", page: (200, "text/html", "<html><body>Just a moment...</body></html>")), call)
        }
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
        case .cancelAll: cancelAll(call, account)
        case .cancelBatch: cancelBatch(call, account)
        case .cancelOne: cancelOne(call, account)
        case .cancelPlan: cancelPlans(call, account)
        case .closePositions: flashClose(call, account)
        case .placeOrder: placeOrder(call, account)
        case .time, .contracts, .tickers, .ticker, .symbolPrice: publicAnswer(call, route)
        }
    }
}
