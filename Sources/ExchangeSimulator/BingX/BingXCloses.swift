/// Closes of whole positions (sheet §3.3, §3.4, §9, §10).
extension ExchangeSimulation {
    private enum BingXVerdict {
        case close(Fixed)
        case fail(BingXError)
        case omit
        case failCall(BingXError)
    }

    mutating func closeAll(_ call: BingXCall, _ index: Int) -> BingXAnswer {
        if let symbol = call.symbol, world.instrument(symbol, call.product) == nil {
            return failure(.unknownSymbol, call)
        }
        if let refusal = repeated(call, index, target: call.product + " " + (call.symbol ?? "")) { return refusal }
        world.beforeClose(index, atNs: call.ns)
        let legs = world.states[index].account.positions.filter {
            $0.product == call.product && (call.symbol == nil || $0.symbol == call.symbol)
                && !(call.symbol == nil && bingx.closeAllLeavesUSDC && $0.marginCoin == "USDC")
        }
        var verdicts: [(leg: SimulatedPosition, verdict: BingXVerdict)] = []
        for leg in legs {
            guard let verdict = judge(leg, index, call) else { continue }
            if case .failCall(let error) = verdict { return failure(error, call) }
            verdicts.append((leg, verdict))
        }
        guard !verdicts.isEmpty else { return flatAnswer(call) }
        var closed: [(order: String, leg: SimulatedPosition)] = []
        var failed: [(leg: SimulatedPosition, error: BingXError)] = []
        for (leg, verdict) in verdicts {
            switch verdict {
            case .close(let quantity): closed.append((acceptClose(of: leg, quantity, index, call), leg))
            case .fail(let error): failed.append((leg, error))
            case .omit, .failCall: continue
            }
        }
        return listed(closed, failed, call)
    }

    private func flatAnswer(_ call: BingXCall) -> BingXAnswer {
        switch bingx.flatAnswer {
        case .emptyList: .success(.object([("success", .list([])), ("failed", .null)]))
        case .null: .success(.object([("success", .null), ("failed", .null)]))
        case .noPosition: failure(.noPosition, call)
        case .positionMissing: failure(.positionMissing, call)
        }
    }

    private func listed(
        _ closed: [(order: String, leg: SimulatedPosition)], _ failed: [(leg: SimulatedPosition, error: BingXError)],
        _ call: BingXCall
    ) -> BingXAnswer {
        var (successForm, failedForm) = (bingx.closeSuccess, bingx.closeFailed)
        if bingx.drawsReplyVariants {
            var random = call.arrival.random(configuration.seed, "style")
            let successForms: [BingXListForm] = [.numbers, .texts]
            let failedForms: [BingXListForm] = [.numbers, .texts, .objects]
            successForm = successForms[random.below(successForms.count)]
            failedForm = failedForms[random.below(failedForms.count)]
        }
        // Ids of the coin-margined family are strings (sheet §10).
        if call.product == "cswap", successForm == .numbers { successForm = .texts }
        let succeeded = Self.list(closed.map(\.order), successForm) { .text(closed[$0].order) }
        // A null or empty list beside failures would hide them: the forms apply where there are none.
        if !failed.isEmpty, failedForm == .null || failedForm == .emptyList { failedForm = .objects }
        let failures = Self.list(failed.map(\.leg.id), failedForm) { slot in
            let answer = failure(failed[slot].error, call)
            return .object([
                ("positionId", .text(failed[slot].leg.id)), ("errCode", .number(answer.code)),
                ("errorMsg", .text(answer.message)),
            ])
        }
        var answer = BingXAnswer.success(
            .object([("success", succeeded), ("failed", failures)]), executed: !closed.isEmpty)
        if call.product == "cswap" { answer.extra = [("timestamp", .number(call.ms))] }
        return answer
    }

    private static func list(_ ids: [String], _ form: BingXListForm, _ object: (Int) -> Wire) -> Wire {
        switch form {
        case .numbers: ids.isEmpty ? .null : .list(ids.map { .id($0) })
        case .texts: ids.isEmpty ? .null : .list(ids.map { .text($0) })
        case .objects: ids.isEmpty ? .null : .list(ids.indices.map(object))
        case .emptyList: .list([])
        case .null: .null
        }
    }

    mutating func closeOne(_ call: BingXCall, _ index: Int) -> BingXAnswer {
        guard let id = call.field("positionId") else {
            return failure(.badParameter("positionId is required"), call)
        }
        if let refusal = repeated(call, index, target: id) { return refusal }
        world.beforeClose(index, atNs: call.ns)
        guard
            let leg = world.states[index].account.positions.first(where: { $0.id == id && $0.product == call.product }),
            let verdict = judge(leg, index, call)
        else { return failure(.positionMissing, call) }
        let quantity: Fixed
        switch verdict {
        case .close(let free): quantity = free
        case .fail(let error), .failCall(let error): return failure(error, call)
        // One position is never passed over.
        case .omit: return failure(.busy, call)
        }
        let order = acceptClose(of: leg, quantity, index, call)
        let isHedge = world.states[index].account.isHedge
        var answer = BingXAnswer.success(
            .object([
                ("orderId", .id(order)), ("positionId", .text(id)), ("symbol", .text(leg.symbol)),
                ("side", .text(leg.side == .long ? "Ask" : "Bid")), ("type", .text("MARKET")),
                ("positionSide", .text(isHedge ? (leg.side == .long ? "Long" : "Short") : "BOTH")),
                ("origQty", .decimal(quantity)),
            ]), executed: true)
        answer.extra = [("timestamp", .number(call.ms))]
        return answer
    }

    private mutating func repeated(_ call: BingXCall, _ index: Int, target: String) -> BingXAnswer? {
        guard bingx.refusesRepeats else { return nil }
        if let before = world.states[index].bingx.closes[target], call.ns - before < 1_000_000_000 {
            return failure(.repeated, call)
        }
        world.states[index].bingx.closes[target] = call.ns
        return nil
    }

    private mutating func acceptClose(
        of leg: SimulatedPosition, _ quantity: Fixed, _ index: Int, _ call: BingXCall
    ) -> String {
        let id = world.takeBingXID(index)
        var size = quantity
        let key = "band " + leg.id
        if bingx.bandSymbols.contains(leg.symbol), world.states[index].legFailures[key] == nil {
            world.states[index].legFailures[key] = 1
            let step = world.instrument(leg.symbol, leg.product)?.step ?? .zero
            let half = quantity.scaled(1, over: 2).floored(to: step)
            if half > .zero { size = half }
        }
        world.accept(
            ClientOrder(
                id: id, clientOid: "", product: leg.product, symbol: leg.symbol, marginCoin: leg.marginCoin,
                kind: .flashClose, leg: leg.side, positionID: leg.id, size: size,
                price: world.instrument(leg.symbol, leg.product)?.price ?? leg.openPrice, acceptedNs: call.ns,
                createdMs: call.ms),
            index, atNs: call.ns)
        return id
    }

    /// What becomes of one position; nil: the exchange takes it for gone already.
    private mutating func judge(_ leg: SimulatedPosition, _ index: Int, _ call: BingXCall) -> BingXVerdict? {
        let free = leg.quantity - world.inFlight(index, leg.product, leg.symbol, leg.side, id: leg.id)
        guard free > .zero else { return nil }
        if let error = bingxBar(leg.symbol, leg.product) { return .fail(error) }
        if let listed = world.instrument(leg.symbol, leg.product) {
            if let cap = listed.maxFlashClose, free > cap { return .fail(.tooLarge(cap.description)) }
            if listed.isDust(free) { return .fail(.tooSmall(listed.smallest.description)) }
        }
        if bingx.twapBlocksCloses, world.states[index].account.bingx.twaps.contains(where: { $0.symbol == leg.symbol })
        {
            return .fail(.pendingTwap)
        }
        if let scripted = scripted(leg, index) { return scripted }
        if let drawn = drawn(leg, index, call) { return drawn }
        let held = min(heldByClosers(index)[leg.id] ?? .zero, free)
        guard held > .zero else { return .close(free) }
        switch bingx.held {
        case .closesWhole: return .close(free)
        case .refuses: return .fail(.unavailable)
        case .closesAvailable: return free > held ? .close(free - held) : .fail(.unavailable)
        }
    }

    /// Why the exchange does not let a position of the contract be closed now; nil: it does.
    func bingxBar(_ symbol: String, _ product: String) -> BingXError? {
        guard let instrument = world.instrument(symbol, product) else { return .unknownSymbol }
        return switch instrument.status {
        case "maintain": .paused
        case "restrictedAPI": .noAPI
        case "off": .offline
        case "listed": .unknownSymbol
        default: nil
        }
    }

    private mutating func scripted(_ leg: SimulatedPosition, _ index: Int) -> BingXVerdict? {
        guard let wanted = bingx.failures[leg.symbol] else { return nil }
        let key = "scripted " + leg.id
        let count = world.states[index].legFailures[key, default: 0]
        if let times = wanted.times, count >= times { return nil }
        world.states[index].legFailures[key] = count + 1
        return switch wanted.form {
        case .row: .fail(.other(wanted.code))
        case .call: .failCall(.other(wanted.code))
        case .omitted: .omit
        }
    }

    private mutating func drawn(_ leg: SimulatedPosition, _ index: Int, _ call: BingXCall) -> BingXVerdict? {
        let faults = configuration.faults
        guard faults.legFailurePerMille + faults.legOmittedPerMille > 0 else { return nil }
        if let quiet = faults.quietAfterMs, call.arrival.elapsedMs >= quiet { return nil }
        let key = leg.product + " " + leg.id
        let count = world.states[index].legFailures[key, default: 0]
        guard count < faults.maxFailuresPerLeg else { return nil }
        var random = SplitMix64(
            configuration.seed, "leg", call.arrival.scope, key, call.arrival.path, ordinal: call.arrival.ordinal)
        let failed = random.chance(perMille: faults.legFailurePerMille)
        guard failed || random.chance(perMille: faults.legOmittedPerMille) else { return nil }
        world.states[index].legFailures[key] = count + 1
        let errors: [BingXError] = [.busy, .unavailable, .paused, .other("101514"), .other("109403"), .other("101219")]
        return failed ? .fail(errors[random.below(errors.count)]) : .omit
    }
}

extension World {
    /// Ids above 2^60 that differ in their last digits only.
    mutating func takeBingXID(_ index: Int) -> String {
        states[index].bingx.orderSteps += 1
        return String(1_735_924_831_603_391_122 + Int64(index) * 10_000_000_000 + states[index].bingx.orderSteps * 3)
    }
}
