/// Account and positions as the exchange shows them (sheet §3.2, §3.8, §10).
extension ExchangeSimulation {
    func matches(_ leg: SimulatedPosition, _ call: BingXCall) -> Bool {
        leg.product == call.product && (call.symbol == nil || leg.symbol == call.symbol)
            && (call.field("currency") == nil || leg.marginCoin == call.field("currency")?.uppercased())
    }

    func positions(_ call: BingXCall, _ index: Int) -> BingXAnswer {
        let ordinal = call.arrival.ordinal
        if let busy = bingx.busyReads, busy.contains(ordinal) { return failure(.busy, call) }
        if let nulls = bingx.nullReads, nulls.contains(ordinal) { return .success(.null) }
        if call.product == "swap", let symbol = call.symbol, world.instrument(symbol, "swap") == nil {
            return failure(.unknownSymbol, call)
        }
        var legs = world.visiblePositions(index, atNs: call.ns).filter { matches($0, call) }
        if bingx.listsZeroPositions,
            let first = world.instruments.first(where: { instrument in
                instrument.product == call.product && !legs.contains { $0.symbol == instrument.symbol }
            })
        {
            var empty = SimulatedPosition(
                product: first.product, symbol: first.symbol, side: .long, quantity: .zero, openPrice: .zero,
                marginCoin: first.marginCoin)
            empty.id = "1700000000000000001"
            legs.append(empty)
        }
        let held = heldByClosers(index)
        return .success(.list(legs.map { positionRow($0, held[$0.id] ?? .zero, index) }))
    }

    /// By position id: what resting orders that close hold of it. The first of several positions of a side gives first.
    func heldByClosers(_ index: Int) -> [String: Fixed] {
        let account = world.states[index].account
        var held: [String: Fixed] = [:]
        for order in account.resting where order.closes {
            var rest = order.remaining
            for leg in account.positions where leg.isLeg(order.product, order.symbol, order.leg) {
                let part = min(rest, leg.quantity - (held[leg.id] ?? .zero))
                held[leg.id, default: .zero] += part
                rest -= part
            }
        }
        return held
    }

    private func unrealised(_ leg: SimulatedPosition) -> Fixed {
        let price = world.instrument(leg.symbol, leg.product)?.price ?? leg.openPrice
        let gain = leg.side == .long ? price - leg.openPrice : leg.openPrice - price
        guard leg.product == "cswap" else { return gain * leg.quantity }
        // In coin: USD at the opening over the price there, less the same at the price now.
        let unit = world.instrument(leg.symbol, leg.product)?.contractValue ?? Fixed(1)
        guard leg.openPrice > .zero, price > .zero else { return .zero }
        let dollars = unit * leg.quantity
        return Fixed(raw: dollars.raw * gain.raw / leg.openPrice.raw * Fixed.unit / price.raw)
    }

    private func positionRow(_ leg: SimulatedPosition, _ held: Fixed, _ index: Int) -> Wire {
        let instrument = world.instrument(leg.symbol, leg.product)
        let price = instrument?.price ?? leg.openPrice
        let worth = price * leg.quantity
        let margin = worth.scaled(1, over: max(1, leg.leverage))
        let isCoin = leg.product == "cswap"
        let id: Wire = isCoin && bingx.coinPositionIDsAreNumbers ? .id(leg.id) : .text(leg.id)
        var fields: [(String, Wire)] = [
            ("positionId", id), ("symbol", .text(leg.symbol)), ("currency", .text(leg.marginCoin)),
            ("positionAmt", .decimal(leg.quantity)), ("availableAmt", .decimal(leg.quantity - min(held, leg.quantity))),
            ("positionSide", .text(leg.side.rawValue.uppercased())), ("isolated", .flag(leg.marginMode == "isolated")),
            ("avgPrice", .decimal(leg.openPrice)), ("initialMargin", .decimal(margin)), ("margin", .decimal(margin)),
            ("leverage", .number(Int64(leg.leverage))), ("unrealizedProfit", .decimal(unrealised(leg))),
            ("realisedProfit", .text("0.0000")),
        ]
        fields += [
            ("liquidationPrice", .amount(price.scaled(leg.side == .long ? 1 : 3, over: 2))),
            ("pnlRatio", .text("0.0100")), ("maxMarginReduction", .text("0.0000")), ("riskRate", .text("0.0008")),
            ("markPrice", .decimal(price)), ("positionValue", .decimal(isCoin ? leg.quantity : worth)),
        ]
        // Separate positions and hedge mode allow more than one; one-way says there is only this.
        if !isCoin { fields.append(("onlyOnePosition", .flag(!world.states[index].account.isHedge))) }
        fields.append(("updateTime", .number(leg.openedAtMs)))
        return .object(fields)
    }

    func balance(_ call: BingXCall, _ route: BingXRoute, _ index: Int) -> BingXAnswer {
        let account = world.states[index].account
        let seen = world.visiblePositions(index, atNs: call.ns).filter { $0.product == call.product }
        let isDemo = account.environment == .demo
        func row(_ asset: String, _ coin: String, _ amount: Fixed) -> Wire {
            let profit = seen.filter { $0.marginCoin == coin }.reduce(Fixed.zero) { $0 + unrealised($1) }
            return .object([
                ("userId", .text(account.uid.prefix(3) + "***" + account.uid.suffix(3))), ("asset", .text(asset)),
                ("balance", .decimal(amount)), ("equity", .decimal(amount + profit)),
                ("unrealizedProfit", .decimal(profit)), (isDemo ? "realizedProfit" : "realisedProfit", .text("0.0000")),
                ("availableMargin", .decimal(amount.scaled(9, over: 10))), ("usedMargin", .text("0.0000")),
                (isDemo ? "frozenMargin" : "freezedMargin", .text("0.0000")), ("shortUid", .text(account.uid)),
            ])
        }
        let usdt = isDemo ? "VST" : "USDT"
        switch route {
        case .coinBalance:
            var coins = ["BTC"]
            for leg in seen where !coins.contains(leg.marginCoin) { coins.append(leg.marginCoin) }
            return .success(.list(coins.map { row($0, $0, "1.25") }))
        case .oldBalance: return .success(.object([("balance", row(usdt, "USDT", "25000.5"))]))
        default:
            var rows = [row(usdt, "USDT", "25000.5")]
            if seen.contains(where: { $0.marginCoin == "USDC" }) { rows.append(row("USDC", "USDC", "5000")) }
            return .success(.list(rows))
        }
    }

    func marginType(_ call: BingXCall, _ index: Int) -> BingXAnswer {
        guard let symbol = call.symbol else { return failure(.badParameter("symbol is required"), call) }
        guard world.instrument(symbol, "swap") != nil else { return failure(.unknownSymbol, call) }
        let account = world.states[index].account
        var type = account.bingx.marginType
        if type != "SEPARATE_ISOLATED", let leg = account.positions.first(where: { $0.symbol == symbol }) {
            type = leg.marginMode == "isolated" ? "ISOLATED" : "CROSSED"
        }
        return .success(.object([("marginType", .text(type))]))
    }

    // MARK: Identity

    func identity(_ call: BingXCall, _ route: BingXRoute, _ index: Int) -> BingXAnswer {
        let account = world.states[index].account
        let rights = account.bingx.permissions
        switch route {
        case .uid:
            var answer = BingXAnswer.success(.object([("uid", .id(account.uid))]))
            answer.extra = [("timestamp", .number(call.ms))]
            return answer
        case .restrictions:
            var answer = BingXAnswer.success(nil)
            answer.extra = [
                ("ipRestrict", .flag(!account.boundAddresses.isEmpty)), ("createTime", .number(1_740_000_000_000)),
                ("permitsUniversalTransfer", .flag(rights.contains(4))), ("enableReading", .flag(rights.contains(2))),
                ("enableFutures", .flag(rights.contains(3))),
                ("enableSpotAndMarginTrading", .flag(rights.contains(1))),
                ("enableWithdrawals", .flag(rights.contains(5))),
            ]
            return answer
        case .permissions:
            var answer = BingXAnswer.success(nil)
            answer.extra = [
                ("apiKey", .text("")), ("permissions", .list(rights.sorted().map { .number(Int64($0)) })),
                ("ipAddresses", .list(account.boundAddresses.map { .text($0) })), ("note", .text("demo")),
            ]
            return answer
        case .subAccounts: return subAccounts(call, index)
        default: return .success(.list([]))
        }
    }

    private func subAccounts(_ call: BingXCall, _ index: Int) -> BingXAnswer {
        guard world.states[index].account.bingx.isMaster else { return failure(.notMaster, call) }
        guard let page = call.whole("page"), page >= 1, let limit = call.whole("limit"), (1...1_000).contains(limit)
        else { return failure(.badParameter("page and limit are required"), call) }
        let others = world.states.map(\.account).filter { $0.venue == .bingx && !$0.bingx.isMaster }
        let (start, overflow) = (page - 1).multipliedReportingOverflow(by: limit)
        let rows =
            overflow ? [] : others.dropFirst(Int(min(start, Int64(others.count)))).prefix(Int(limit)).map(Self.row)
        var answer = BingXAnswer.success(
            .object([
                ("result", .list(rows)), ("pageId", .number(page)), ("total", .number(Int64(others.count))),
            ]))
        answer.extra = [("timestamp", .number(call.ms))]
        return answer
    }

    private static func row(_ account: SimulatedAccount) -> Wire {
        .object([
            ("subUid", .text(account.uid)), ("subAccountString", .text(account.name)), ("note", .text("")),
            ("freeze", .flag(account.bingx.isFrozen)), ("createTime", .number(1_700_847_351_000)),
        ])
    }
}
