import ExchangeKit

/// The gateway: limits, faults, the order of checks, the envelope (sheet §5, §9 #1–#16, #31–#33).
extension ExchangeSimulation {
    mutating func serve(_ call: BitgetCall) -> SimulatedDelivery {
        var call = call
        let mutation = call.route?.isMutation ?? (call.request.method == "POST")
        if let refused = addressCheck(call) { return finish(refused, call, mutation: mutation, fault: nil) }
        var random = call.random(configuration.seed, "fault")
        let fault = configuration.faults.fault(mutation: mutation, elapsedMs: call.elapsedMs, random: &random)
        if let fault, let delivery = before(fault, call, mutation: mutation, &random) { return delivery }
        if let boxed = penalty(call) {
            world.truth.injectedRejections += 1
            return finish(boxed, call, mutation: mutation, fault: nil)
        }
        let answer: BitgetAnswer
        switch check(&call) {
        case .refused(let refusal): answer = refusal
        case .passed(let route, let account, let remaining):
            if fault == .lateExecution, let account {
                return putOff(call, route, account, &random)
            }
            var served = execute(call, route, account)
            served.remaining = remaining
            answer = served
        }
        return finish(answer, call, mutation: mutation, fault: fault)
    }

    private mutating func putOff(
        _ call: BitgetCall, _ route: BitgetRoute, _ account: Int, _ random: inout SplitMix64
    ) -> SimulatedDelivery {
        let late = LateRequest(request: call.request, route: route, receipt: world.truth.receipts.count)
        let delay = random.inside(300...5_000) * 1_000_000
        world.schedule(.execute(account: account, request: late), atNs: call.ns + delay)
        note(call, mutation: true, executed: false, status: 0, code: "")
        return SimulatedDelivery(reply: nil, delayMs: 0, fate: .cutBeforeExecution, executed: false)
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
        violate(scope, call)
        guard configuration.switches.enforcesLimits else { return nil }
        limiter.lock(scope, until: call.ns + configuration.addressLockMs * 1_000_000)
        world.truth.rateLimitRejections += 1
        return page ? .html(429, "Too Many Requests") : Self.tooMany
    }

    private mutating func violate(_ scope: String, _ call: BitgetCall) {
        guard world.truth.limitViolations.count < Truth.receiptLimit else { return }
        world.truth.limitViolations.append(LimitViolation(scope: scope, route: call.label, arrivalNs: call.ns))
    }

    private func capacity(_ base: Int) -> Int { max(1, Int(Double(base) * configuration.limitsScale)) }

    private static var tooMany: BitgetAnswer {
        var answer = BitgetAnswer.failure("429", status: 429)
        answer.remaining = 0
        return answer
    }

    private mutating func penalty(_ call: BitgetCall) -> BitgetAnswer? {
        let faults = configuration.faults
        guard faults.penaltyPerMille > 0, call.key != nil else { return nil }
        let scope = "penalty " + call.scope
        if limiter.isLocked(scope, at: call.ns) { return Self.tooMany }
        if let quiet = faults.quietAfterMs, call.elapsedMs >= quiet { return nil }
        var random = call.random(configuration.seed, "penalty")
        guard random.chance(perMille: faults.penaltyPerMille) else { return nil }
        limiter.lock(scope, until: call.ns + random.inside(faults.penaltyMs) * 1_000_000)
        return Self.tooMany
    }

    private mutating func before(
        _ fault: FaultKind, _ call: BitgetCall, mutation: Bool, _ random: inout SplitMix64
    ) -> SimulatedDelivery? {
        switch fault {
        case .tooMany:
            world.truth.injectedRejections += 1
            return finish(Self.tooMany, call, mutation: mutation, fault: nil)
        case .serverError:
            let pages: [(Int, String)] = [
                (500, "Internal Server Error"), (502, "Bad Gateway"), (503, "Service Unavailable"), (520, "Unknown"),
            ]
            let page = pages[random.below(pages.count)]
            return finish(.html(page.0, page.1), call, mutation: mutation, fault: nil)
        case .edgeBlock:
            let empty = BitgetAnswer(code: "", page: (403, "text/plain", ""))
            return finish(empty, call, mutation: mutation, fault: nil)
        case .cutBefore, .hangBefore:
            note(call, mutation: mutation, executed: false, status: 0, code: "")
            let fate: SimulatedDelivery.Fate = fault == .hangBefore ? .hang : .cutBeforeExecution
            return SimulatedDelivery(reply: nil, delayMs: 0, fate: fate, executed: false)
        case .releaseWindow:
            let code = ["45001", "40725", "40808", "40015"][random.below(4)]
            let status = code == "40725" ? 500 : 400
            return finish(.failure(code, status: status), call, mutation: mutation, fault: nil)
        default: return nil
        }
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
            let account = world.states[index].account
            guard let route else { return .refused(.failure(account.isUnified ? "40404" : "40084")) }
            if let authority = route.authority, !account.authorities.contains(authority) {
                world.truth.refusedByAuth["40014", default: 0] += 1
                return .refused(.failure("40014", "Incorrect permissions, need \(authority) permissions"))
            }
            if account.isUnified { return .refused(.failure("40085")) }
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
            violate(scope, call)
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
        if route.method == "POST" {
            let type = call.request.header("content-type")?.lowercased() ?? ""
            guard type.hasPrefix("application/json") else { return .failure("40007") }
            guard call.readBody() else { return .failure("40017") }
        }
        for name in route.required where call.field(name) == nil {
            return .failure("40019", "Parameter \(name) cannot be empty")
        }
        guard route.required.contains("productType") else { return nil }
        guard BitgetRoute.products.contains(call.product) else {
            return .failure("40020", "Parameter productType error")
        }
        guard let symbol = call.field("symbol") else { return nil }
        if world.instrument(symbol, call.product) != nil { return nil }
        let elsewhere = BitgetRoute.products.contains { world.instrument(symbol, $0) != nil }
        return elsewhere ? .failure("22012") : .failure("40034", "Parameter \(symbol) does not exist")
    }
}
