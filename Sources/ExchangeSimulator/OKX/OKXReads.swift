/// What an account shows of itself (sheet §3.3).
extension ExchangeSimulation {
    func config(_ index: Int) -> OKXAnswer {
        let account = world.states[index].account
        return .success([
            .object([
                ("acctLv", .text(account.okx.accountLevel)), ("acctStpMode", .text(account.okx.selfTradeMode)),
                ("posMode", .text(account.isHedge ? "long_short_mode" : "net_mode")), ("uid", .text(account.uid)),
                ("mainUid", .text(account.okx.mainUID)), ("type", .text("1")),
                ("perm", .text(account.okx.permissions.sorted().joined(separator: ","))),
                ("ip", .text(account.boundAddresses.joined(separator: ","))), ("label", .text("flatten")),
                ("roleType", .text("0")), ("spotRoleType", .text("0")), ("ctIsoMode", .text("automatic")),
                ("mgnIsoMode", .text("automatic")), ("opAuth", .text("1")), ("level", .text("Lv1")),
                ("kycLv", .text("3")), ("autoLoan", .flag(false)), ("enableSpotBorrow", .flag(false)),
                ("stgyType", .text("0")), ("traderInsts", .list([])), ("settleCcy", .text("")),
                ("settleCcyList", .list([])),
            ])
        ])
    }

    func balance(_ index: Int) -> OKXAnswer {
        let isFlat = world.states[index].account.positions.isEmpty
        return .success([
            .object([
                ("totalEq", .text("10000")), ("adjEq", .text("10000")), ("upl", .text(isFlat ? "0" : "12.5")),
                ("imr", .text(isFlat ? "0" : "310")), ("mmr", .text("0")), ("notionalUsd", .text("0")),
                ("isoEq", .text("0")), ("ordFroz", .text("0")), ("uTime", .text("1739332269934")),
                (
                    "details",
                    .list([
                        .object([
                            ("ccy", .text("USDT")), ("eq", .text("10000")), ("cashBal", .text("10000")),
                            ("availBal", .text("10000")), ("availEq", .text("10000")), ("frozenBal", .text("0")),
                            ("ordFrozen", .text("0")), ("liab", .text("0")), ("upl", .text("0")),
                            ("uTime", .text("1663854334734")),
                        ])
                    ])
                ),
            ])
        ])
    }

    func positions(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        let ids = call.field("instId")?.split(separator: ",").map(String.init)
        let wanted = call.field("posId")?.split(separator: ",").map(String.init)
        let shown = world.visiblePositions(index, atNs: call.ns).filter { position in
            (call.field("instType") == nil || position.product == call.field("instType"))
                && (ids?.contains(position.symbol) ?? true) && (wanted?.contains(position.id) ?? true)
        }
        var rows = shown.reversed().map { row($0, index) }
        // A named instrument that is flat still has a row, nearly empty (sheet §3.3).
        let flat = ids ?? (okx.listsZeroRows ? ["BTC-USDT-SWAP", "ETH-USDT-SWAP"] : [])
        for id in flat where !shown.contains(where: { $0.symbol == id }) {
            guard let one = world.instruments.first(where: { $0.symbol == id && Self.okxTypes.contains($0.product) })
            else { continue }
            rows.append(zeroRow(one))
        }
        return .success(rows)
    }

    private func zeroRow(_ one: SimulatedInstrument) -> Wire {
        let empty = [
            "availPos", "posCcy", "avgPx", "markPx", "lever", "liqPx", "imr", "margin", "mgnRatio", "mmr",
            "notionalUsd", "upl", "uplRatio", "ccy", "cTime", "uTime", "posId",
        ]
        return .object(
            [
                ("instType", .text(one.product)), ("instId", .text(one.symbol)), ("mgnMode", .text("cross")),
                ("posSide", .text("net")), ("pos", .text("0")),
            ] + empty.map { ($0, .text("")) })
    }

    private func row(_ position: SimulatedPosition, _ index: Int) -> Wire {
        let account = world.states[index].account
        let one = world.instrument(position.symbol, position.product)
        let price = one?.price ?? position.openPrice
        let isMargin = position.product == "MARGIN"
        let isNet = !account.isHedge || isMargin || position.product == "OPTION"
        let sign = isNet && !isMargin && position.side == .short
        let unit = one?.contractValue ?? Fixed(1)
        let inverse = one?.isInverse == true
        let notional = inverse ? position.quantity * unit : position.quantity * unit * price
        let gain =
            (position.side == .long ? price - position.openPrice : position.openPrice - price)
            * position.quantity * (inverse ? Fixed(1) : unit)
        var held = ""
        if isMargin { held = position.side == .long ? one?.baseCoin ?? "" : one?.quoteCoin ?? "" }
        let available = isMargin || position.product == "OPTION"
        return .object([
            ("instType", .text(position.product)), ("instId", .text(position.symbol)),
            ("mgnMode", .text(position.marginMode == "isolated" ? "isolated" : "cross")),
            ("posId", .text(position.id)), ("posSide", .text(isNet ? "net" : position.side.rawValue)),
            ("pos", .decimal(sign ? -position.quantity : position.quantity)),
            ("availPos", available ? .decimal(position.quantity) : .text("")), ("posCcy", .text(held)),
            ("ccy", .text(position.marginCoin)), ("avgPx", .decimal(position.openPrice)),
            ("bePx", .decimal(position.openPrice)), ("markPx", .decimal(price)), ("last", .decimal(price)),
            ("idxPx", .decimal(price)), ("lever", .text(String(position.leverage))), ("liqPx", .text("")),
            ("imr", .text("12.01758")), ("margin", .text("")), ("mgnRatio", .text("")), ("mmr", .text("")),
            ("notionalUsd", .decimal(notional)), ("upl", .decimal(gain)), ("uplRatio", .text("-0.00281")),
            ("realizedPnl", .text("-0.04085")), ("fee", .text("-0.04085")), ("fundingFee", .text("0")),
            ("liqPenalty", .text("0")), ("pnl", .text("0")), ("adl", .text("1")), ("liab", .text("")),
            ("liabCcy", .text("")), ("interest", .text("")), ("optVal", .text("")), ("closeOrderAlgo", .list([])),
            ("bizRefId", .text("")), ("bizRefType", .text("")), ("tradeId", .text("1234")), ("usdPx", .text("1")),
            ("cTime", .text(String(position.openedAtMs))), ("uTime", .text(String(position.openedAtMs))),
        ])
    }

    /// Balances and positions of one moment: the read that shows whether a positions list hides something.
    func risk(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        let rows = world.visiblePositions(index, atNs: call.ns)
            .filter { call.field("instType") == nil || $0.product == call.field("instType") }
        return .success([
            .object([
                ("adjEq", .text("10000")),
                (
                    "balData",
                    .list([.object([("ccy", .text("USDT")), ("disEq", .text("10000")), ("eq", .text("10000"))])])
                ), ("posData", .list(rows.map { row($0, index) })), ("ts", .text(String(call.ms))),
            ])
        ])
    }
}
