import ExchangeKit

/// The gateway: the order of checks of the sheet (§9), which is fixed here.
extension ExchangeSimulation {
    mutating func serveBingX(_ arrival: Arrival) -> SimulatedDelivery {
        let call = BingXCall(arrival)
        let mutation = call.route?.isMutation ?? (call.request.method != "GET")
        let uid = uid(forKey: call.key)
        let voice = Self.voice(call)
        func done(_ answer: BingXAnswer, _ fault: FaultKind?) -> SimulatedDelivery {
            deliver(gatewayAnswer(answer), arrival, uid: uid, mutation: mutation, fault: fault, voice: voice)
        }
        if let refused = bingxAddressBox(call) { return done(refused, nil) }
        var (fault, random) = drawFault(arrival, mutation: mutation)
        if let fault,
            let delivery = preempt(fault, arrival, uid: uid, mutation: mutation, voice: voice, &random)
        {
            return delivery
        }
        if penaltyBox(arrival, uid: uid) {
            world.truth.injectedRejections += 1
            return done(throttled("rate limited"), nil)
        }
        switch check(call) {
        case .refused(let refusal): return done(refusal, fault)
        case .passed(let route, let account, let remaining):
            if fault == .lateExecution, let account {
                return putOff(arrival, account: account, uid: uid, &random)
            }
            var served = execute(call, route, account)
            served.remaining = remaining
            if let account { countError(served, route, account, call) }
            return done(served, fault)
        }
    }

    mutating func executeLateBingX(_ arrival: Arrival, account: Int) -> Bool {
        let call = BingXCall(arrival)
        guard let route = call.route else { return false }
        return execute(call, route, account).executed
    }

    // MARK: Checks

    private enum BingXChecked {
        case refused(BingXAnswer)
        case passed(BingXRoute, account: Int?, remaining: (count: Int, ms: Int64))
    }

    private mutating func check(_ call: BingXCall) -> BingXChecked {
        if BingXRoute.isForbidden(call.label) {
            world.truth.neverCalls.append(call.label)
            return .refused(.gateway(100_004, Self.lacksPermission, at: call.ms))
        }
        guard let route = call.route else {
            return .refused(BingXAnswer(code: 100_400, message: "this api is not exist"))
        }
        if route.isPublic { return publicLimit(route, call) }
        switch authenticate(call, route) {
        case .failure(let refusal):
            world.truth.refusedByAuth[String(refusal.code), default: 0] += 1
            return .refused(refusal)
        case .success(let index): return limit(route, index, call)
        }
    }

    private enum BingXAuthentication {
        case success(Int)
        case failure(BingXAnswer)
    }

    private static let lacksPermission = "Permission denied, the API key was created without the permission"

    private func authenticate(_ call: BingXCall, _ route: BingXRoute) -> BingXAuthentication {
        func refuse(_ code: Int64, _ text: String, success: Bool = false) -> BingXAuthentication {
            .failure(.gateway(code, text, success: success, at: call.ms))
        }
        guard let key = call.key, let index = world.account(forKey: key),
            world.states[index].account.venue == .bingx, !world.states[index].account.bingx.isFrozen
        else { return refuse(100_413, "Incorrect apiKey") }
        let account = world.states[index].account
        let bound = account.boundAddresses
        guard bound.isEmpty || bound.contains(call.request.clientAddress) else {
            return refuse(100_419, "IP does not match IP whitelist", success: true)
        }
        guard isTimely(call) else {
            return bingx.timestampIs109400
                ? .failure(BingXAnswer(code: 109_400, message: "timestamp is invalid"))
                : refuse(100_421, "Null timestamp or timestamp mismatch")
        }
        guard call.field("signature") != nil else { return refuse(100_412, "Null signature") }
        guard call.isSigned(with: account.secret) else {
            return refuse(100_001, "Signature verification failed due to signature mismatch", success: true)
        }
        guard account.bingx.permissions.contains(route.permission) else {
            return refuse(100_004, Self.lacksPermission)
        }
        return .success(index)
    }

    private func isTimely(_ call: BingXCall) -> Bool {
        guard let stamp = call.whole("timestamp") else { return false }
        let wanted = call.field("recvWindow").map { Int64($0) ?? 0 } ?? 0
        let window = wanted > 0 ? min(wanted, 5_000) : 5_000
        return stamp.subtractingReportingOverflow(call.ms).partialValue.magnitude <= window.magnitude
    }

    // MARK: Boxes and limits

    private mutating func bingxAddressBox(_ call: BingXCall) -> BingXAnswer? {
        guard bingx.enforcesLimits else { return nil }
        let address = call.request.clientAddress
        if limiter.isLocked("ip " + address, at: call.ns) {
            world.truth.rateLimitRejections += 1
            return .html(403, "Forbidden")
        }
        guard limiter.isLocked("bingx ban " + address, at: call.ns) else { return nil }
        world.truth.rateLimitRejections += 1
        return BingXAnswer(
            code: bingx.throttleCode, message: "IP banned", status: 418, remaining: (0, 1_000), isThrottle: true)
    }

    private mutating func take(_ scope: String, _ route: String, _ base: Int, seconds: Int64, _ ns: Int64) -> Int? {
        let verdict = limiter.take(
            CounterKey(scope: scope, route: route), capacity: capacity(base), window: seconds * 1_000_000_000,
            kind: bingx.window, at: ns, countRefused: bingx.refusedRequestsCount)
        return if case .allowed(let left) = verdict { left } else { nil }
    }

    private func msLeft(_ ns: Int64, seconds: Int64) -> Int64 {
        seconds * 1_000 - ns / 1_000_000 % (seconds * 1_000)
    }

    private mutating func publicLimit(_ route: BingXRoute, _ call: BingXCall) -> BingXChecked {
        let scope = "bingx ip " + call.request.clientAddress
        let left = take(scope, "group 1 10s", 500, seconds: 10, call.ns)
        // A call that the shorter window refuses does not count in the longer one.
        let minute = left == nil ? nil : take(scope, "group 1 60s", 1_000, seconds: 60, call.ns)
        if left == nil || minute == nil, let refusal = refuseAddress(scope, call) { return .refused(refusal) }
        return .passed(route, account: nil, remaining: (min(left ?? 0, minute ?? 0), msLeft(call.ns, seconds: 10)))
    }

    private mutating func limit(_ route: BingXRoute, _ index: Int, _ call: BingXCall) -> BingXChecked {
        if let refusal = boxed(world.states[index].bingx.frequencyBoxes[route.rawValue], call) {
            return .refused(refusal)
        }
        let uid = world.states[index].account.uid
        let rate = route.perSecond
        let left = take(
            "bingx " + uid, route.rawValue, bingx.usesHigherLimits ? rate.high : rate.low, seconds: 1, call.ns)
        if left == nil {
            violate("uid " + uid, call.arrival)
            if bingx.enforcesLimits {
                world.truth.rateLimitRejections += 1
                enterFrequencyBox(route, index, call)
                return .refused(throttled("rate limited"))
            }
        }
        let scope = "bingx ip " + call.request.clientAddress
        let onRoute = take(scope, route.rawValue, 300, seconds: 10, call.ns)
        let inGroup = onRoute == nil ? nil : take(scope, "group \(route.group)", 2_000, seconds: 10, call.ns)
        if onRoute == nil || inGroup == nil, let refusal = refuseAddress(scope, call) { return .refused(refusal) }
        if let refusal = boxed(world.states[index].bingx.errorBoxes[route.rawValue], call) {
            return .refused(refusal)
        }
        return .passed(route, account: index, remaining: (left ?? 0, msLeft(call.ns, seconds: 1)))
    }

    /// 429; an address that goes on is banned (sheet §4).
    private mutating func refuseAddress(_ scope: String, _ call: BingXCall) -> BingXAnswer? {
        violate(scope, call.arrival)
        guard bingx.enforcesLimits else { return nil }
        world.truth.rateLimitRejections += 1
        if take(scope, "patience", 5, seconds: 10, call.ns) == nil {
            limiter.lock(
                "bingx ban " + call.request.clientAddress, until: call.ns + configuration.addressLockMs * 1_000_000)
        }
        return throttled("rate limited", status: bingx.addressThrottleStatus)
    }

    private mutating func enterFrequencyBox(_ route: BingXRoute, _ index: Int, _ call: BingXCall) {
        guard bingx.refusalsUntilBox > 0 else { return }
        let name = route.rawValue
        var recent = world.states[index].bingx.refusals[name, default: []]
            .filter { call.ns - $0 < 10_000_000_000 }
        recent.append(call.ns)
        world.states[index].bingx.refusals[name] = recent
        guard recent.count >= bingx.refusalsUntilBox else { return }
        world.states[index].bingx.refusals[name] = nil
        world.states[index].bingx.frequencyBoxes[name] = BingXMemory.Box(
            untilNs: call.ns + bingx.frequencyBoxMs * 1_000_000, error: nil)
    }

    private mutating func boxed(_ box: BingXMemory.Box?, _ call: BingXCall) -> BingXAnswer? {
        guard let box, call.ns < box.untilNs, bingx.enforcesLimits else { return nil }
        world.truth.rateLimitRejections += 1
        let until = call.ms + (box.untilNs - call.ns + 999_999) / 1_000_000
        guard let error = box.error else {
            return throttled(
                "code:\(bingx.throttleCode):The endpoint trigger frequency limit rule is currently in the disabled "
                    + "period and will be unblocked after \(until)")
        }
        return throttled(
            "over \(bingx.forgivenErrors) error code:\(error) requests within 480000 ms for this api, "
                + "please verify and fix it ,can retry after time: \(until)")
    }

    /// The same error too often closes the endpoint for the account.
    private mutating func countError(_ answer: BingXAnswer, _ route: BingXRoute, _ index: Int, _ call: BingXCall) {
        guard answer.code != 0, !answer.isThrottle else { return }
        let key = route.rawValue + " " + String(answer.code)
        var recent = world.states[index].bingx.errors[key, default: []].filter { call.ns - $0 < 480_000_000_000 }
        recent.append(call.ns)
        world.states[index].bingx.errors[key] = recent
        guard recent.count > bingx.forgivenErrors else { return }
        world.states[index].bingx.errors[key] = nil
        world.states[index].bingx.errorBoxes[route.rawValue] = BingXMemory.Box(
            untilNs: call.ns + bingx.errorBoxMs * 1_000_000, error: String(answer.code))
    }

    // MARK: The routes' work

    /// For a call that passed every check.
    mutating func execute(_ call: BingXCall, _ route: BingXRoute, _ account: Int?) -> BingXAnswer {
        guard let account else { return publicAnswer(call, route) }
        return switch route {
        case .positions, .coinPositions: positions(call, account)
        case .balance, .oldBalance, .coinBalance: balance(call, route, account)
        case .positionMode:
            .success(.object([("dualSidePosition", .text(String(world.states[account].account.isHedge)))]))
        case .marginType: marginType(call, account)
        case .openOrders, .coinOpenOrders: openOrders(call, account)
        case .cancelAll, .coinCancelAll, .coinCancelAllDelete: cancelAll(call, account)
        case .cancelOne, .coinCancelOne: cancelOne(call, account)
        case .cancelBatch: cancelBatch(call, account)
        case .closeAll, .coinCloseAll: closeAll(call, account)
        case .closeOne: closeOne(call, account)
        case .placeOrder, .coinPlaceOrder: placeOrder(call, account, isTest: false)
        case .testOrder: placeOrder(call, account, isTest: true)
        case .detail, .coinDetail: orderDetail(call, account)
        case .allOrders, .fullOrders: allOrders(call, account)
        case .fillHistory, .allFills, .coinFills: fills(call, route, account)
        case .positionHistory: positionHistory(call, account)
        case .twaps: twaps(call, account)
        case .cancelTwap: cancelTwap(call, account)
        case .uid, .restrictions, .permissions, .subAccounts, .coins: identity(call, route, account)
        default: publicAnswer(call, route)
        }
    }
}
