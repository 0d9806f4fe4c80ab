import ExchangeKit

/// The gateway: the order of checks of the sheet (§9 #1–#16), which is fixed here.
extension ExchangeSimulation {
    mutating func serveOKX(_ arrival: Arrival) -> SimulatedDelivery {
        let call = OKXCall(arrival)
        let mutation = call.isPost
        let uid = uid(forKey: call.key)
        let voice = voice(call)
        func done(_ answer: OKXAnswer, _ fault: FaultKind?) -> SimulatedDelivery {
            deliver(gatewayAnswer(answer, call), arrival, uid: uid, mutation: mutation, fault: fault, voice: voice)
        }
        if let refused = okxAddressBox(call) { return done(refused, nil) }
        var (fault, random) = drawFault(arrival, mutation: mutation)
        if let fault,
            let delivery = preempt(fault, arrival, uid: uid, mutation: mutation, voice: voice, &random)
        {
            return delivery
        }
        if penaltyBox(arrival, uid: uid) {
            world.truth.injectedRejections += 1
            return done(okxThrottled, nil)
        }
        switch check(call) {
        case .refused(let refusal): return done(refusal, fault)
        case .passed(let route, let account):
            if fault == .lateExecution, mutation, let account {
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

    /// A lock of the whole address, as a fault plan sets it; the exchange documents none.
    private mutating func okxAddressBox(_ call: OKXCall) -> OKXAnswer? {
        guard okx.enforcesLimits, limiter.isLocked("ip " + call.request.clientAddress, at: call.ns) else { return nil }
        world.truth.rateLimitRejections += 1
        return okxThrottled
    }

    // MARK: Checks

    private enum OKXChecked {
        case refused(OKXAnswer)
        case passed(OKXRoute, account: Int?)
    }

    private mutating func check(_ call: OKXCall) -> OKXChecked {
        if OKXRoute.never.contains(call.arrival.path) {
            world.truth.neverCalls.append(call.arrival.label)
            return .refused(.failure("50120"))
        }
        guard let route = call.route else { return .refused(.html(404, "Not Found")) }
        guard call.isPost ? route.takesPost : call.request.method == "GET" && route.takesGet else {
            return .refused(.failure("50115"))
        }
        if route.isPublic {
            if let refusal = limit(route, nil, call) { return .refused(refusal) }
            return .passed(route, account: nil)
        }
        if call.isPost {
            let type = call.request.header("content-type")?.lowercased() ?? ""
            guard type.hasPrefix("application/json") else { return .refused(.failure("50006")) }
            guard !call.request.body.isEmpty else { return .refused(.failure("50000")) }
            guard call.isReadable else { return .refused(.failure("50002")) }
        }
        switch authenticate(call) {
        case .failure(let refusal):
            world.truth.refusedByAuth[refusal.code, default: 0] += 1
            return .refused(refusal)
        case .success(let index):
            let account = world.states[index].account
            guard account.okx.permissions.contains(call.isPost ? "trade" : "read_only") else {
                world.truth.refusedByAuth["50120", default: 0] += 1
                return .refused(.failure("50120"))
            }
            if call.isPost, let code = account.okx.blockedCode { return .refused(.failure(code)) }
            if let refusal = limit(route, index, call) { return .refused(refusal) }
            return .passed(route, account: index)
        }
    }

    private enum OKXAuthentication {
        case success(Int)
        case failure(OKXAnswer)
    }

    private func authenticate(_ call: OKXCall) -> OKXAuthentication {
        func header(_ name: String) -> String? {
            call.request.header(name).flatMap { $0.isEmpty ? nil : $0 }
        }
        guard let key = header("ok-access-key") else { return .failure(.failure("50103")) }
        guard let passphrase = header("ok-access-passphrase") else { return .failure(.failure("50104")) }
        guard header("ok-access-sign") != nil else { return .failure(.failure("50106")) }
        guard let stamp = header("ok-access-timestamp") else { return .failure(.failure("50107")) }
        guard let stamped = OKXCall.milliseconds(stamp) else { return .failure(.failure("50112")) }
        guard abs(stamped - call.ms) <= 30_000 else { return .failure(.failure("50102")) }
        guard let index = world.account(forKey: key), world.states[index].account.venue == .okx,
            !world.states[index].account.okx.isOtherSite
        else { return .failure(.failure("50119", status: okx.unknownKeyStatus)) }
        let account = world.states[index].account
        let wantsDemo = call.request.header("x-simulated-trading") == "1"
        guard wantsDemo == (account.environment == .demo) else { return .failure(.failure("50101")) }
        let address = call.request.clientAddress
        guard account.boundAddresses.isEmpty || OKXAddress.isListed(address, in: account.boundAddresses) else {
            return .failure(
                .failure("50110", "Your IP \(address) is not included in your API key's IP whitelist", status: 401))
        }
        guard passphrase == account.passphrase else { return .failure(.failure("50105")) }
        guard call.isSigned(with: account.secret) else { return .failure(.failure("50113")) }
        return account.okx.isFrozen ? .failure(.failure("50100")) : .success(index)
    }

    // MARK: Limits

    /// Takes the permits of a call in its exact scope; a refusal where there are not enough (sheet §9 #15).
    private mutating func limit(_ route: OKXRoute, _ index: Int?, _ call: OKXCall) -> OKXAnswer? {
        let user = index.map { world.states[$0].account.uid } ?? ""
        let address = "okx ip " + call.request.clientAddress
        let scopes: [(String, Int)]
        switch route.scope {
        case .address: scopes = [(address, 1)]
        case .addressAndType: scopes = [(address + " " + (call.field("instType") ?? ""), 1)]
        case .user: scopes = [("okx " + user, 1)]
        case .userAndType: scopes = [("okx " + user + " " + (call.field("instType") ?? ""), 1)]
        case .userAndInstrument: scopes = byInstrument(call).map { ("okx " + user + " " + $0.key, $0.value) }
        }
        // A batch of one counts as the single call.
        let counted: OKXRoute = route == .cancelBatch && call.items.count == 1 ? .cancelOrder : route
        var isRefused = false
        for (scope, items) in scopes.sorted(by: { $0.0 < $1.0 }) {
            for _ in 0..<items {
                let verdict = limiter.take(
                    CounterKey(scope: scope, route: counted.rawValue),
                    capacity: capacity(counted.perTwoSeconds(isPost: call.isPost)), window: 2_000_000_000,
                    kind: okx.window, at: call.ns, countRefused: okx.refusedRequestsCount)
                guard verdict == .refused else { continue }
                violate(scope, call.arrival)
                isRefused = true
            }
        }
        guard isRefused, okx.enforcesLimits else { return nil }
        world.truth.rateLimitRejections += 1
        return okxThrottled
    }

    /// Items by instrument, for options by their family.
    private func byInstrument(_ call: OKXCall) -> [String: Int] {
        let items = call.items.isEmpty ? [["instId": call.instrument]] : call.items
        var counts: [String: Int] = [:]
        for item in items {
            let id = item["instId"] ?? ""
            let option = world.instrument(id, "OPTION")
            counts[option?.family ?? id, default: 0] += 1
        }
        return counts
    }

    /// The routes' work, for a call that passed every check.
    mutating func execute(_ call: OKXCall, _ route: OKXRoute, _ account: Int?) -> OKXAnswer {
        guard let account else { return publicAnswer(call, route) }
        switch route {
        case .config: return config(account)
        case .accountInstruments: return publicAnswer(call, .instruments)
        case .balance: return balance(account)
        case .positions: return positions(call, account)
        case .risk: return risk(call, account)
        case .positionHistory: return .success([])
        case .pending: return pendingOrders(call, account)
        case .algos: return pendingAlgos(call, account)
        case .order: return call.isPost ? place(call, account) : orderDetail(call, account)
        case .history: return orderHistory(call, account)
        case .fills: return orderFills(call, account)
        case .closePosition: return closePosition(call, account)
        case .cancelOrder, .cancelBatch: return cancelOrders(call, account, isBatch: route == .cancelBatch)
        case .cancelAlgos: return cancelAlgos(call, account)
        case .time, .status, .instruments, .markPrice, .priceLimit, .tickers, .ticker:
            return publicAnswer(call, route)
        }
    }
}
