import ExchangeKit

/// The gateway: limits, faults, the order of checks, the envelope (sheet §5, §9 #1–#16, #31–#33).
extension ExchangeSimulation {
    mutating func serve(_ call: BitgetCall) -> SimulatedDelivery {
        var call = call
        let mutation = call.route?.isMutation ?? (call.request.method == "POST")
        let uid = uid(forKey: call.key)
        let voice = Self.voice(call)
        func done(_ answer: BitgetAnswer, _ fault: FaultKind?) -> SimulatedDelivery {
            deliver(gatewayAnswer(answer, call), call.arrival, uid: uid, mutation: mutation, fault: fault, voice: voice)
        }
        if let refused = addressCheck(call) { return done(refused, nil) }
        var (fault, random) = drawFault(call.arrival, mutation: mutation)
        if let fault,
            let delivery = preempt(fault, call.arrival, uid: uid, mutation: mutation, voice: voice, &random)
        {
            return delivery
        }
        if penaltyBox(call.arrival, uid: uid) {
            world.truth.injectedRejections += 1
            return done(Self.tooMany, nil)
        }
        switch check(&call) {
        case .refused(let refusal): return done(refusal, fault)
        case .passed(let route, let account, let remaining):
            if fault == .lateExecution, let account {
                return putOff(call.arrival, account: account, uid: uid, &random)
            }
            var served = execute(call, route, account)
            served.remaining = remaining
            return done(served, fault)
        }
    }

    mutating func executeLateBitget(_ arrival: Arrival, account: Int) -> Bool {
        let call = BitgetCall(arrival)
        guard let route = call.route else { return false }
        return execute(call, route, account).executed
    }

    // MARK: The edge

    private mutating func addressCheck(_ call: BitgetCall) -> BitgetAnswer? {
        let scope = "ip " + call.request.clientAddress
        let page = configuration.switches.ipLockIsHTML
        if limiter.isLocked(scope, at: call.ns) {
            if configuration.switches.enforcesLimits {
                world.truth.rateLimitRejections += 1
                return page ? .html(429, "Too Many Requests") : Self.tooMany
            }
        }
        let verdict = limiter.take(
            CounterKey(scope: scope, route: ""), capacity: capacity(6_000), window: 60_000_000_000, kind: .sliding,
            at: call.ns, countRefused: configuration.switches.refusedRequestsCount)
        guard verdict == .refused else { return nil }
        violate(scope, call.arrival)
        guard configuration.switches.enforcesLimits else { return nil }
        limiter.lock(scope, until: call.ns + configuration.addressLockMs * 1_000_000)
        world.truth.rateLimitRejections += 1
        return page ? .html(429, "Too Many Requests") : Self.tooMany
    }

    static var tooMany: BitgetAnswer {
        var answer = BitgetAnswer.failure("429", status: 429)
        answer.remaining = 0
        return answer
    }

    // MARK: Checks in the exchange's order

    private enum Checked {
        case refused(BitgetAnswer)
        case passed(BitgetRoute, account: Int?, remaining: Int)
    }

    private mutating func check(_ call: inout BitgetCall) -> Checked {
        if BitgetRoute.never.contains(call.path) {
            world.truth.neverCalls.append(call.label)
            return .refused(.failure("40014", "Incorrect permissions"))
        }
        guard call.path.hasPrefix("/api/v2/") || call.path.hasPrefix("/api/v3/") else {
            return .refused(.html(404, "Not Found"))
        }
        let route = call.route
        if call.path.hasPrefix("/api/v2/") {
            guard let route, route.method == call.request.method else { return .refused(.failure("40404")) }
            if route.isPublic { return limit(route, scope: "ip " + call.request.clientAddress, nil, &call) }
        }
        switch authenticate(call) {
        case .failure(let refusal):
            world.truth.refusedByAuth[refusal.code, default: 0] += 1
            return .refused(refusal)
        case .success(let index):
            if let refusal = wrongFamily(call, index) { return .refused(refusal) }
            guard let route, route.method == call.request.method else { return .refused(.failure("40404")) }
            let account = world.states[index].account
            if let authority = route.authority, !grants(account, authority) {
                world.truth.refusedByAuth["40014", default: 0] += 1
                return .refused(
                    .failure("40014", "Incorrect permissions, need \(Self.named(authority, route)) permissions"))
            }
            return limit(route, scope: account.uid, index, &call)
        }
    }

    private mutating func limit(
        _ route: BitgetRoute, scope: String, _ index: Int?, _ call: inout BitgetCall
    ) -> Checked {
        let verdict = limiter.take(
            CounterKey(scope: scope, route: route.rawValue), capacity: capacity(route.perSecond),
            window: 1_000_000_000, kind: configuration.switches.window, at: call.ns,
            countRefused: configuration.switches.refusedRequestsCount)
        var left = 0
        switch verdict {
        case .allowed(let remaining): left = remaining
        case .refused:
            violate(scope, call.arrival)
            if configuration.switches.enforcesLimits {
                world.truth.rateLimitRejections += 1
                return .refused(Self.tooMany)
            }
        }
        if let refusal = parameters(&call, route) { return .refused(refusal) }
        return .passed(route, account: index, remaining: left)
    }

    private enum Authentication {
        case success(Int)
        case failure(BitgetAnswer)
    }

    private func authenticate(_ call: BitgetCall) -> Authentication {
        guard let key = call.key, !key.isEmpty else { return .failure(.failure("40006")) }
        guard let sign = call.request.header("access-sign"), !sign.isEmpty else { return .failure(.failure("40002")) }
        guard let stamp = call.request.header("access-timestamp"), !stamp.isEmpty else {
            return .failure(.failure("40005"))
        }
        guard let passphrase = call.request.header("access-passphrase"), !passphrase.isEmpty else {
            return .failure(.failure("40011"))
        }
        guard let index = world.account(forKey: key) else { return .failure(.failure("40037")) }
        let account = world.states[index].account
        let wantsDemo = call.request.header("paptrading") == "1"
        guard wantsDemo == (account.environment == .demo) else { return .failure(.failure("40099")) }
        let bound = account.boundAddresses
        guard bound.isEmpty || bound.contains(call.request.clientAddress) else { return .failure(.failure("40018")) }
        guard stamp.utf8.allSatisfy({ (48...57).contains($0) }), let stamped = Int64(stamp) else {
            return .failure(.failure("40005"))
        }
        guard abs(stamped.subtractingReportingOverflow(call.ms).partialValue) <= 30_000 else {
            return .failure(.failure("40008"))
        }
        let message = BitgetSignature.prehash(
            timestamp: stamp, method: call.request.method, path: call.path, query: call.decodedQuery,
            body: call.request.body)
        guard BitgetSignature.sign(message, secret: account.secret) == sign else {
            return .failure(.failure("40009"))
        }
        guard passphrase == account.passphrase else {
            return .failure(.failure(configuration.switches.wrongPassphraseCode))
        }
        return .success(index)
    }

    private func parameters(_ call: inout BitgetCall, _ route: BitgetRoute) -> BitgetAnswer? {
        if route.isUnified { return unifiedParameters(&call, route) }
        if route.method == "POST" {
            let type = call.request.header("content-type")?.lowercased() ?? ""
            guard type.hasPrefix("application/json") else { return .failure("40007") }
            guard call.readBody() else { return .failure("40017") }
        }
        for name in route.required where call.field(name) == nil {
            return .failure("40019", "Parameter \(name) cannot be empty")
        }
        guard route.required.contains("productType") else { return nil }
        // The old demo products are gone; their list of contracts still answers, with nothing in it (sheet §1.1).
        if route == .contracts, BitgetRoute.retiredProducts.contains(call.product) { return nil }
        guard BitgetRoute.products.contains(call.product) else {
            return .failure("40020", "Parameter productType error")
        }
        guard let symbol = call.field("symbol") else { return nil }
        if world.instrument(symbol, call.product) != nil { return nil }
        let elsewhere = BitgetRoute.products.contains { world.instrument(symbol, $0) != nil }
        return elsewhere ? .failure("22012") : .failure("40034", "Parameter \(symbol) does not exist")
    }
}
