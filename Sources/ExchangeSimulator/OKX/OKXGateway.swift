import ExchangeKit

/// The gateway: the order of checks of the sheet (§9), which is fixed here.
extension ExchangeSimulation {
    mutating func serveOKX(_ arrival: Arrival) -> SimulatedDelivery {
        let call = OKXCall(arrival)
        let mutation = call.route?.isMutation ?? (call.request.method != "GET")
        let uid = uid(forKey: call.key)
        let voice = Self.voice(call)
        func done(_ answer: OKXAnswer, _ fault: FaultKind?) -> SimulatedDelivery {
            deliver(gatewayAnswer(answer, call), arrival, uid: uid, mutation: mutation, fault: fault, voice: voice)
        }
        if limiter.isLocked("ip " + call.request.clientAddress, at: call.ns), okx.enforcesLimits {
            world.truth.rateLimitRejections += 1
            return done(throttledOKX(call), nil)
        }
        var (fault, random) = drawFault(arrival, mutation: mutation)
        if let fault,
            let delivery = preempt(fault, arrival, uid: uid, mutation: mutation, voice: voice, &random)
        {
            return delivery
        }
        if penaltyBox(arrival, uid: uid) {
            world.truth.injectedRejections += 1
            return done(throttledOKX(call), nil)
        }
        switch check(call) {
        case .refused(let refusal): return done(refusal, fault)
        case .passed(let route, let account):
            if fault == .lateExecution, let account {
                return putOff(arrival, account: account, uid: uid, &random)
            }
            return done(execute(call, route, account), fault)
        }
    }

    mutating func executeLateOKX(_ arrival: Arrival, account: Int) -> Bool {
        let call = OKXCall(arrival)
        guard let route = call.route else { return false }
        return execute(call, route, account).executed
    }

    // MARK: Checks

    private enum OKXChecked {
        case refused(OKXAnswer)
        case passed(OKXRoute, account: Int?)
    }

    private mutating func check(_ call: OKXCall) -> OKXChecked {
        if call.request.method == "POST", OKXRoute.isForbidden(call.arrival.path) {
            world.truth.neverCalls.append(call.arrival.label)
            return .refused(.failure("50120"))
        }
        guard let route = call.route else {
            let other = OKXRoute.allCases.contains { $0.rawValue.hasSuffix(" " + call.arrival.path) }
            return .refused(other ? .gateway("50115") : .html(404, "Not Found"))
        }
        if route.isPublic { return limit(route, nil, call) }
        if route.isMutation, let refusal = malformed(call, route) { return .refused(refusal) }
        switch authenticate(call, route) {
        case .failure(let refusal):
            world.truth.refusedByAuth[refusal.code, default: 0] += 1
            return .refused(refusal)
        case .success(let index):
            let blocked = world.states[index].account.okx.blockedCode
            if route.isMutation, !blocked.isEmpty { return .refused(.failure(blocked)) }
            if route.isMutation, okx.isUnderMaintenance { return .refused(.failure("50001")) }
            return limit(route, index, call)
        }
    }

    private func malformed(_ call: OKXCall, _ route: OKXRoute) -> OKXAnswer? {
        let type = call.request.header("content-type")?.lowercased() ?? ""
        guard type.hasPrefix("application/json") else { return .gateway("50006") }
        switch call.body {
        case .none, .empty: return .gateway("50000")
        case .invalid: return .gateway("50002")
        case .object: return route.maxItems == nil ? nil : .gateway("50002")
        case .list: return route.maxItems == nil ? .gateway("50002") : nil
        }
    }

    private enum OKXAuthentication {
        case success(Int)
        case failure(OKXAnswer)
        static func refuse(_ code: String, _ text: String? = nil) -> Self { .failure(.gateway(code, text)) }
    }

    private func authenticate(_ call: OKXCall, _ route: OKXRoute) -> OKXAuthentication {
        func header(_ name: String) -> String? { call.request.header(name).flatMap { $0.isEmpty ? nil : $0 } }
        guard let key = header("ok-access-key") else { return .refuse("50103") }
        guard let passphrase = header("ok-access-passphrase") else { return .refuse("50104") }
        guard let sign = header("ok-access-sign") else { return .refuse("50106") }
        guard let stamp = header("ok-access-timestamp") else { return .refuse("50107") }
        guard let stamped = OKXClock.milliseconds(stamp) else { return .refuse("50112") }
        guard abs(stamped - call.ms) <= 30_000 else { return .refuse("50102") }
        guard key.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else { return .refuse("50111") }
        guard let index = world.account(forKey: key), world.states[index].account.venue == .okx,
            !world.states[index].account.okx.isOtherSite
        else {
            var refusal = OKXAnswer.gateway("50119")
            refusal.status = okx.unknownKeyStatus
            return .failure(refusal)
        }
        let account = world.states[index].account
        let wantsDemo = header("x-simulated-trading") == "1"
        guard wantsDemo == (account.environment == .demo) else { return .refuse("50101") }
        let address = call.request.clientAddress
        let bound = account.boundAddresses
        guard bound.isEmpty || bound.contains(where: { OKXAddress.matches($0, address) }) else {
            return .refuse("50110", "Your IP \(address) is not included in your API key's IP whitelist.")
        }
        guard passphrase == account.passphrase else { return .refuse("50105") }
        guard OKXSignature.isRight(sign, for: call.request, timestamp: stamp, secret: account.secret) else {
            return .refuse("50113")
        }
        guard !account.okx.isFrozen else { return .refuse("50100") }
        guard account.okx.permissions.contains(route.isMutation ? "trade" : "read_only") else {
            return .failure(.failure("50120"))
        }
        guard !route.needsMaster || account.okx.isMaster else { return .failure(.failure("59500")) }
        return .success(index)
    }

    // MARK: Limits

    private mutating func limit(_ route: OKXRoute, _ index: Int?, _ call: OKXCall) -> OKXChecked {
        let parts = budgets(route, index, call)
        for part in parts {
            let verdict = limiter.take(
                CounterKey(scope: part.scope, route: part.route.rawValue), capacity: capacity(part.route.limit.count),
                window: part.route.limit.seconds * 1_000_000_000, kind: okx.window, at: call.ns,
                countRefused: okx.refusedRequestsCount, count: part.items)
            guard verdict == .refused else { continue }
            violate(part.scope, call.arrival)
            guard okx.enforcesLimits else { continue }
            world.truth.rateLimitRejections += 1
            return .refused(throttledOKX(call))
        }
        if let index, let refusal = orderLimit(route, index, call) { return .refused(refusal) }
        return .passed(route, account: index)
    }

    /// What a call costs: usually one request; of a list, its items, for each instrument of its own (sheet §4.1).
    private func budgets(
        _ route: OKXRoute, _ index: Int?, _ call: OKXCall
    ) -> [(scope: String, route: OKXRoute, items: Int)] {
        let user = "okx user " + (index.map { world.states[$0].account.uid } ?? "")
        let address = "okx ip " + call.request.clientAddress
        func one(_ scope: String) -> [(scope: String, route: OKXRoute, items: Int)] { [(scope, route, 1)] }
        switch route.limit.scope {
        case .address: return one(address)
        case .addressType: return one(address + " " + (call.field("instType") ?? ""))
        case .addressInstrument: return one(address + " " + (call.field("instId") ?? ""))
        case .user:
            let items = route.maxItems == nil ? 1 : max(1, call.items.count)
            return [(user, route, items)]
        case .userType: return one(user + " " + (call.field("instType") ?? ""))
        case .userTag: return one(user + " " + (call.field("tag") ?? ""))
        case .userInstrument:
            guard route.maxItems != nil else { return one(user + " " + group(call.field("instId"))) }
            if call.items.count == 1 { return [(user + " " + group(call.field("instId")), route.single, 1)] }
            var counts: [String: Int] = [:]
            for item in call.items { counts[group(item.field("instId")), default: 0] += 1 }
            return counts.sorted { $0.key < $1.key }.map { (user + " " + $0.key, route, $0.value) }
        }
    }

    /// Options share the budget of their family.
    private func group(_ symbol: String?) -> String {
        guard let symbol else { return "" }
        return world.instrument(symbol, "OPTION")?.family ?? symbol
    }

    /// A thousand new orders in two seconds for each account; spot and margin are exempt (sheet §4.2).
    private mutating func orderLimit(_ route: OKXRoute, _ index: Int, _ call: OKXCall) -> OKXAnswer? {
        guard route.places || (route == .closePosition && okx.closesCountAsOrders) else { return nil }
        let items =
            route.places ? call.items.filter { world.okxInstrument($0.field("instId"))?.product != "MARGIN" } : []
        let count = route.places ? items.count : 1
        guard count > 0 else { return nil }
        let scope = "okx orders " + world.states[index].account.uid
        let verdict = limiter.take(
            CounterKey(scope: scope, route: ""), capacity: capacity(1_000), window: 2_000_000_000, kind: okx.window,
            at: call.ns, countRefused: okx.refusedRequestsCount, count: count)
        guard verdict == .refused else { return nil }
        violate(scope, call.arrival)
        guard okx.enforcesLimits else { return nil }
        world.truth.rateLimitRejections += 1
        var answer = OKXAnswer.failure("50061")
        answer.isThrottle = true
        return answer
    }

    // MARK: The routes' work

    /// For a call that passed every check.
    mutating func execute(_ call: OKXCall, _ route: OKXRoute, _ account: Int?) -> OKXAnswer {
        guard let account else { return publicAnswer(call, route) }
        fireTimers(account, atNs: call.ns)
        return switch route {
        case .accountInstruments: listedInstruments(call)
        case .config: accountConfig(account)
        case .positions: positionList(call, account)
        case .risk: positionRisk(call, account)
        case .positionHistory: closedPositions(call, account)
        case .balance: balance(call, account)
        case .currencies: .success([])
        case .ordersPending: pendingOrders(call, account)
        case .algosPending: pendingAlgos(call, account)
        case .order: orderDetail(call, account)
        case .orderHistory, .orderArchive: orderHistory(call, account)
        case .fills, .fillArchive: orderFills(call, account)
        case .rateLimit:
            .success([
                .texts([
                    "accRateLimit": "1000", "fillRatio": "", "mainFillRatio": "", "nextAccRateLimit": "",
                    "ts": String(call.ms),
                ])
            ])
        case .cancelOrder: cancelOne(call, account)
        case .cancelBatch: cancelBatch(call, account)
        case .cancelAlgos, .cancelAdvanced: cancelAlgos(call, account)
        case .cancelAfter: cancelAfter(call, account)
        case .closePosition: closePosition(call, account)
        case .placeOrder, .placeBatch: placeOrders(call, route, account)
        case .subAccounts: subAccounts(call, account)
        case .subBalance, .subFunding: subBalance(call)
        case .subKey: subKey(call)
        default: publicAnswer(call, route)
        }
    }
}
