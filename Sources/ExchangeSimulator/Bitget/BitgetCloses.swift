/// Flash close (sheet §3.4, §9 #17–#22).
extension ExchangeSimulation {
    enum LegVerdict {
        case close(Fixed)
        case fail(String)
        case omit
        case failCall(String)
    }

    mutating func flashClose(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        if let side = call.field("holdSide"), PositionSide(rawValue: side.lowercased()) == nil {
            return .failure("40020", "Parameter holdSide error")
        }
        world.beforeClose(index, atNs: call.ns)
        let account = world.states[index].account
        let symbol = call.field("symbol")?.uppercased()
        let side = account.isHedge ? call.field("holdSide").flatMap { PositionSide(rawValue: $0.lowercased()) } : nil
        let legs = account.positions.filter {
            $0.product == call.product && (symbol == nil || $0.symbol.uppercased() == symbol)
                && (side == nil || $0.side == side)
        }
        let copies = visibleCopies(call, index, symbol: symbol, side: side)
        // Copies are closed at an endpoint of their own (sheet §6, copy trading).
        if legs.isEmpty, !copies.isEmpty { return .failure("40866") }
        var succeeded: [Wire] = []
        var failed: [Wire] = []
        var omitted = false
        let style = style(call)
        var verdicts: [(SimulatedPosition, LegVerdict)] = []
        for leg in legs {
            guard let verdict = judgeClose(leg, index, call) else { continue }
            if case .failCall(let code) = verdict { return .failure(code) }
            verdicts.append((leg, verdict))
        }
        for (leg, verdict) in verdicts {
            switch verdict {
            case .close(let quantity):
                let id = acceptClose(leg, quantity, index, call)
                succeeded.append(row(id, leg, style))
            case .fail(let code): failed.append(row(world.takeID(index), leg, style, code: code))
            case .omit, .failCall: omitted = true
            }
        }
        for copy in copies { failed.append(row(world.takeID(index), copy, style, code: "40866")) }
        if succeeded.isEmpty, failed.isEmpty, !omitted, !configuration.switches.flatCloseIsEmpty {
            return .failure("22002")
        }
        func list(_ rows: [Wire]) -> Wire { rows.isEmpty && style.nullLists ? .null : .list(rows) }
        var data: [(String, Wire)] = [("successList", list(succeeded)), ("failureList", list(failed))]
        if style.resultFalse { data.append(("result", .flag(false))) }
        return BitgetAnswer(data: .object(data), executed: !succeeded.isEmpty)
    }

    private func row(
        _ id: (order: String, client: String), _ leg: SimulatedPosition, _ style: Style, code: String? = nil
    ) -> Wire {
        var fields: [(String, Wire)] = [("orderId", .text(id.order)), ("clientOid", .text(id.client))]
        if style.rowsWithSymbol { fields.append(("symbol", .text(leg.symbol))) }
        if let code {
            let text = style.chinese ? "平仓失败" : BitgetMessages.text(code)
            fields += [("errorMsg", .text(text)), ("errorCode", .text(code))]
        }
        return .object(fields)
    }

    mutating func acceptClose(
        _ leg: SimulatedPosition, _ quantity: Fixed, _ index: Int, _ call: BitgetCall
    ) -> (order: String, client: String) {
        if configuration.switches.locked == .cancelsClosers {
            world.states[index].account.resting.removeAll {
                $0.closes && $0.symbol == leg.symbol && $0.product == leg.product && $0.leg == leg.side
            }
        }
        let id = world.takeID(index)
        let price = world.instrument(leg.symbol, leg.product)?.price ?? leg.openPrice
        world.accept(
            ClientOrder(
                id: id.order, clientOid: id.client, product: leg.product, symbol: leg.symbol,
                marginCoin: leg.marginCoin, kind: .flashClose, leg: leg.side,
                positionID: leg.isCopy ? leg.id : nil, size: quantity, price: price,
                acceptedNs: call.ns, createdMs: call.ms),
            index, atNs: call.ns)
        return id
    }

    /// What becomes of one leg; nil: the exchange takes it for gone already.
    mutating func judgeClose(_ leg: SimulatedPosition, _ index: Int, _ call: BitgetCall) -> LegVerdict? {
        let switches = configuration.switches
        let free =
            leg.quantity
            - world.inFlight(
                index, leg.product, leg.symbol, leg.side, id: leg.isCopy ? leg.id : nil)
        guard free > .zero else {
            return switch switches.closing {
            case .noPosition: nil
            case .duplicateRow: .fail("43118")
            case .closingRow: .fail("40859")
            }
        }
        if let code = barred(leg.product, leg.symbol) { return .fail(code) }
        if let scripted = scriptedFailure(leg, index) { return scripted }
        if let drawn = drawnFailure(leg, index, call) { return drawn }
        if let cap = world.instrument(leg.symbol, leg.product)?.maxFlashClose, free > cap { return .fail("40888") }
        if world.instrument(leg.symbol, leg.product)?.isDust(free) == true { return .fail("45111") }
        let locked = world.states[index].account.locked(leg)
        guard locked > .zero else { return .close(free) }
        switch switches.locked {
        case .cancelsClosers: return .close(free)
        case .refuses: return .fail("40755")
        case .closesAvailable: return free > locked ? .close(free - locked) : .fail("40755")
        }
    }

    /// Why the exchange does not trade a contract now; nil: it does.
    func barred(_ product: String, _ symbol: String) -> String? {
        guard let instrument = world.instrument(symbol, product) else { return "40034" }
        if instrument.deliveryStatus == "delivery_period" { return "22041" }
        return switch instrument.status {
        case "maintain": "40844"
        case "restrictedAPI": "22037"
        case "off": "40309"
        case "listed": "40034"
        default: nil
        }
    }

    private mutating func scriptedFailure(_ leg: SimulatedPosition, _ index: Int) -> LegVerdict? {
        guard let failure = configuration.switches.failures[leg.symbol] else { return nil }
        let key = "scripted " + leg.symbol + " " + leg.side.rawValue
        let count = world.states[index].legFailures[key, default: 0]
        if let times = failure.times, count >= times { return nil }
        world.states[index].legFailures[key] = count + 1
        return switch failure.form {
        case .row: .fail(failure.code)
        case .call: .failCall(failure.code)
        case .omitted: .omit
        }
    }

    private mutating func drawnFailure(_ leg: SimulatedPosition, _ index: Int, _ call: BitgetCall) -> LegVerdict? {
        let faults = configuration.faults
        guard faults.legFailurePerMille + faults.legOmittedPerMille > 0 else { return nil }
        if let quiet = faults.quietAfterMs, call.elapsedMs >= quiet { return nil }
        let key = leg.product + " " + leg.symbol + " " + leg.side.rawValue
        let count = world.states[index].legFailures[key, default: 0]
        guard count < faults.maxFailuresPerLeg else { return nil }
        var random = SplitMix64(configuration.seed, "leg", call.scope, key, call.path, ordinal: call.ordinal)
        let failed = random.chance(perMille: faults.legFailurePerMille)
        guard failed || random.chance(perMille: faults.legOmittedPerMille) else { return nil }
        world.states[index].legFailures[key] = count + 1
        let codes = call.isUnified ? Self.unifiedLegCodes : FaultPlan.legCodes
        return failed ? .fail(codes[random.below(codes.count)]) : .omit
    }
}
