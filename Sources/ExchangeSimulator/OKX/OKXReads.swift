/// Account and positions as the exchange shows them (sheet §3.3, §3.6).
extension ExchangeSimulation {
    func accountConfig(_ index: Int) -> OKXAnswer {
        let account = world.states[index].account
        let isHedge = account.isHedge
        let granted = ["read_only", "trade", "withdraw"].filter { account.okx.permissions.contains($0) }
        return .success([
            .texts(
                [
                    "acctLv": account.okx.accountLevel, "acctStpMode": account.okx.selfTradeMode,
                    "posMode": isHedge ? "long_short_mode" : "net_mode", "uid": account.uid,
                    "mainUid": account.okx.isMaster ? account.uid : "44705892343600000",
                    "type": account.okx.isMaster ? "0" : "1", "perm": granted.joined(separator: ","),
                    "ip": account.boundAddresses.joined(separator: ","), "label": account.name, "roleType": "0",
                    "spotRoleType": "0", "ctIsoMode": "automatic", "mgnIsoMode": "automatic", "opAuth": "1",
                    "level": "Lv1", "kycLv": "3", "greeksType": "PA", "levelTmp": "", "liquidationGear": "-1",
                    "spotOffsetType": "", "stgyType": "0", "settleCcy": "USDC",
                ],
                [
                    ("autoLoan", .flag(false)), ("enableSpotBorrow", .flag(false)),
                    ("spotBorrowAutoRepay", .flag(false)), ("traderInsts", .list([])),
                    ("spotTraderInsts", .list([])),
                    ("settleCcyList", .list([.text("USD"), .text("USDC"), .text("USDG")])),
                ])
        ])
    }

    // MARK: Positions

    func positionList(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        func list(_ name: String) -> [String]? {
            call.field(name).map { $0.split(separator: ",").map(String.init) }
        }
        let symbols = list("instId")
        let ids = list("posId")
        guard (symbols?.count ?? 0) <= 10 else { return .failure("51000", "Parameter instId error") }
        guard (ids?.count ?? 0) <= 20 else { return .failure("51000", "Parameter posId error") }
        let type = call.field("instType")
        let seen = world.visiblePositions(index, atNs: call.ns).filter {
            (type == nil || $0.product == type) && (symbols?.contains($0.symbol) ?? true)
                && (ids?.contains($0.id) ?? true)
        }
        var rows = seen.sorted { $0.openedAtMs > $1.openedAtMs }.map { positionRow($0, index) }
        for symbol in symbols ?? [] where !seen.contains(where: { $0.symbol == symbol }) {
            guard let listed = world.okxInstrument(symbol), type == nil || listed.product == type else { continue }
            let wasHeld = world.states[index].orders.contains { $0.symbol == symbol && $0.filled > .zero }
            if okx.zeroRows == .always || (okx.zeroRows == .afterClose && wasHeld) { rows.append(Self.zeroRow(listed)) }
        }
        return .success(rows)
    }

    private static func zeroRow(_ listed: SimulatedInstrument) -> Wire {
        let empty = positionFields.map { ($0, Wire.text("")) }
        return .texts(["instType": listed.product, "instId": listed.symbol, "pos": "0"], empty)
    }

    private static let positionFields = [
        "mgnMode", "posId", "posSide", "availPos", "posCcy", "ccy", "avgPx", "bePx", "markPx", "last", "idxPx", "lever",
        "liqPx", "imr", "margin", "mgnRatio", "mmr", "notionalUsd", "upl", "uplRatio", "realizedPnl", "fee",
        "fundingFee", "liqPenalty", "pnl", "adl", "liab", "liabCcy", "interest", "optVal", "bizRefId", "bizRefType",
        "tradeId", "usdPx", "cTime", "uTime",
    ]

    private func positionRow(_ leg: SimulatedPosition, _ index: Int) -> Wire {
        let listed = world.instrument(leg.symbol, leg.product)
        let price = listed?.price ?? leg.openPrice
        let isPair = leg.product == "MARGIN"
        let isSided = world.okxHasSides(index, leg.product)
        let isShort = leg.side == .short
        let size = isShort && !isSided && !isPair ? -leg.quantity : leg.quantity
        let free = isPair || leg.product == "OPTION" ? leg.quantity - world.states[index].account.locked(leg) : nil
        let base = listed?.baseCoin ?? ""
        let quote = listed?.quoteCoin ?? ""
        let debt = isPair ? (isShort ? -leg.quantity : -(leg.quantity * leg.openPrice)).description : ""
        let profit = okxProfit(leg.side, listed, from: leg.openPrice, to: price, leg.quantity)
        let margin = leg.okxMode == "isolated" ? okxNotional(listed, leg.quantity).scaled(1, over: 10).description : ""
        return .texts(
            [
                "instType": leg.product, "instId": leg.symbol, "mgnMode": leg.okxMode, "posId": leg.id,
                "posSide": isSided ? leg.side.rawValue : "net", "pos": size.description,
                "availPos": free?.description ?? "", "posCcy": isPair ? (isShort ? quote : base) : "",
                "ccy": leg.marginCoin, "avgPx": leg.openPrice.description, "bePx": leg.openPrice.description,
                "markPx": price.description, "last": price.description, "idxPx": price.description,
                "lever": String(leg.leverage), "liqPx": "", "imr": "12.01758", "margin": margin,
                "mgnRatio": "", "mmr": "", "notionalUsd": okxNotional(listed, leg.quantity).description,
                "upl": profit.description, "uplRatio": "0.01", "realizedPnl": "-0.04085", "fee": "-0.04085",
                "fundingFee": "0", "liqPenalty": "0", "pnl": "0", "adl": "1", "liab": debt,
                "liabCcy": isPair ? (isShort ? base : quote) : "", "interest": isPair ? "0" : "", "optVal": "",
                "bizRefId": "", "bizRefType": "", "tradeId": "1234", "usdPx": "1", "cTime": String(leg.openedAtMs),
                "uTime": String(leg.openedAtMs),
            ], [("closeOrderAlgo", .list([]))])
    }

    func positionRisk(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        let type = call.field("instType")
        let rows = world.visiblePositions(index, atNs: call.ns).filter { type == nil || $0.product == type }
        return .success([
            .texts(
                ["ts": String(call.ms), "adjEq": "25000.5"],
                [
                    (
                        "balData",
                        .list([.texts(["ccy": "USDT", "eq": "25000.5", "disEq": "25000.5"])])
                    ), ("posData", .list(rows.map { positionRow($0, index) })),
                ])
        ])
    }

    /// Value in US dollars, taking stable coins for one.
    func okxNotional(_ listed: SimulatedInstrument?, _ quantity: Fixed) -> Fixed {
        guard let listed else { return .zero }
        let units = quantity * listed.contractValue
        return listed.isInverse ? units : units * listed.price
    }

    /// In the coin of settlement; inverse contracts pay coin.
    func okxProfit(
        _ side: PositionSide, _ listed: SimulatedInstrument?, from open: Fixed, to price: Fixed, _ quantity: Fixed
    ) -> Fixed {
        let units = quantity * (listed?.contractValue ?? Fixed(1))
        let gain =
            listed?.isInverse == true ? units.okxOver(open) - units.okxOver(price) : (price - open) * units
        return side == .long ? gain : -gain
    }

    func closedPositions(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        let state = world.states[index]
        var rows: [(id: Int64, row: Wire)] = []
        for order in state.orders where order.isDone && order.filled > .zero && order.kind != .open {
            guard let note = state.okx.notes[order.id], matches(call, order.product, order.symbol),
                call.field("posId").map({ $0 == note.positionID }) ?? true,
                call.field("mgnMode").map({ $0 == note.tradeMode }) ?? true
            else { continue }
            let isOpen = state.account.positions.contains { $0.id == note.positionID }
            let type = isOpen ? "1" : "2"
            guard call.field("type").map({ $0 == type }) ?? true else { continue }
            let listed = world.instrument(order.symbol, order.product)
            let gain = order.profit
            let fee = -world.fee(of: order, index)
            let ended = order.fills.last?.atMs ?? order.createdMs
            rows.append(
                (
                    ended,
                    .texts([
                        "instType": order.product, "instId": order.symbol, "mgnMode": note.tradeMode, "type": type,
                        "posId": note.positionID,
                        "posSide": world.okxHasSides(index, order.product) ? order.leg.rawValue : "net",
                        "direction": order.leg.rawValue, "ccy": order.marginCoin,
                        "openAvgPx": note.openPrice.description, "closeAvgPx": order.average.description,
                        "openMaxPos": order.filled.description, "closeTotalPos": order.filled.description,
                        "pnl": gain.description, "realizedPnl": (gain + fee).description, "fee": fee.description,
                        "fundingFee": "0", "liqPenalty": "0", "lever": "10", "pnlRatio": "0.01", "triggerPx": "",
                        "uly": listed?.family ?? "", "cTime": String(order.createdMs), "uTime": String(ended),
                    ])
                ))
        }
        return page(rows + endedRows(call, index), call)
    }

    /// What the exchange closed itself: 3 and 4 liquidation, 5 and 6 auto-deleveraging; a delivery is closed like any other.
    private func endedRows(_ call: OKXCall, _ index: Int) -> [(id: Int64, row: Wire)] {
        world.states[index].ended.compactMap { ended in
            let leg = ended.leg
            let type =
                switch ended.by {
                case .liquidation: ended.isWhole ? "3" : "4"
                case .adl: ended.isWhole ? "6" : "5"
                case .delivery: "2"
                }
            guard matches(call, leg.product, leg.symbol), call.field("posId").map({ $0 == leg.id }) ?? true,
                call.field("type").map({ $0 == type }) ?? true
            else { return nil }
            return (
                ended.atMs,
                .texts([
                    "instType": leg.product, "instId": leg.symbol, "mgnMode": leg.okxMode, "type": type,
                    "posId": leg.id,
                    "posSide": world.okxHasSides(index, leg.product) ? leg.side.rawValue : "net",
                    "direction": leg.side.rawValue, "ccy": leg.marginCoin, "openAvgPx": leg.openPrice.description,
                    "closeAvgPx": leg.openPrice.description, "openMaxPos": leg.quantity.description,
                    "closeTotalPos": ended.quantity.description, "pnl": "0", "realizedPnl": "0", "fee": "0",
                    "fundingFee": "0", "liqPenalty": "0", "lever": "10", "pnlRatio": "0", "triggerPx": "",
                    "uly": "", "cTime": String(leg.openedAtMs), "uTime": String(ended.atMs),
                ])
            )
        }
    }

    // MARK: Balances

    func balance(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        let wanted = call.field("ccy").map { Set($0.split(separator: ",").map(String.init)) }
        return .success([balanceRow(index, call.ms, wanted)])
    }

    private func balanceRow(_ index: Int, _ ms: Int64, _ wanted: Set<String>? = nil) -> Wire {
        let legs = world.states[index].account.positions
        let open = legs.reduce(Fixed.zero) { $0 + okxNotional(world.instrument($1.symbol, $1.product), $1.quantity) }
        var coins = ["USDT"]
        for leg in legs where !coins.contains(leg.marginCoin) { coins.append(leg.marginCoin) }
        let details: [Wire] = coins.filter { wanted?.contains($0) ?? true }.map { coin in
            .texts([
                "ccy": coin, "eq": "25000.5", "cashBal": "25000.5", "availBal": "24000", "availEq": "24000",
                "frozenBal": "1000.5", "ordFrozen": "0", "isoEq": "0", "liab": "0", "crossLiab": "0", "isoLiab": "0",
                "upl": "0", "interest": "0", "disEq": "25000.5", "eqUsd": "25000.5", "uTime": String(ms),
            ])
        }
        return .texts(
            [
                "totalEq": "25000.5", "adjEq": "25000.5", "availEq": "24000", "upl": "0", "imr": "0", "mmr": "0",
                "mgnRatio": "", "notionalUsd": open.description, "isoEq": "0", "ordFroz": "0", "borrowFroz": "0",
                "uTime": String(ms),
            ], [("details", .list(details))])
    }

    // MARK: What the main account sees of the others

    func subAccounts(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        let others = world.states.filter { $0.account.venue == .okx && !$0.account.okx.isMaster }.map(\.account)
        let chosen = others.filter { account in call.field("subAcct").map { $0 == account.name } ?? true }
        return .success(
            chosen.map { account in
                .texts(
                    [
                        "subAcct": account.name, "label": account.name, "uid": account.uid, "type": "1", "mobile": "",
                        "subAcctLv": "1", "firstLvSubAcct": account.name, "ts": "1659334756000",
                    ],
                    [
                        ("enable", .flag(!account.okx.isFrozen)), ("canTransOut", .flag(false)),
                        ("gAuth", .flag(false)), ("ifDma", .flag(false)), ("frozenFunc", .list([])),
                    ])
            })
    }

    func subBalance(_ call: OKXCall) -> OKXAnswer {
        guard let name = call.field("subAcct") else { return .failure("50014", "Parameter subAcct can not be empty") }
        guard let found = world.states.firstIndex(where: { $0.account.name == name && $0.account.venue == .okx }) else {
            return .failure("59510", "Sub-account does not exist")
        }
        return .success([balanceRow(found, call.ms)])
    }

    func subKey(_ call: OKXCall) -> OKXAnswer {
        guard let name = call.field("subAcct") else { return .failure("50014", "Parameter subAcct can not be empty") }
        guard let account = world.states.first(where: { $0.account.name == name && $0.account.venue == .okx })?.account
        else { return .failure("59510", "Sub-account does not exist") }
        return .success([
            .texts([
                "label": account.name, "apiKey": account.key,
                "perm": account.okx.permissions.sorted().joined(separator: ","),
                "ip": account.boundAddresses.joined(separator: ","), "ts": "1597026383085",
            ])
        ])
    }
}

extension SimulatedPosition {
    /// `cross` or `isolated`, whatever word the position was made with.
    var okxMode: String { marginMode == "isolated" ? "isolated" : "cross" }
}

extension Fixed {
    /// The value divided by another; zero where that is zero.
    func okxOver(_ other: Fixed) -> Fixed {
        other == .zero ? .zero : Fixed(raw: raw * Fixed.unit / other.raw)
    }
}

extension World {
    /// Whether the account's rows of a product stand on two sides: the mode is of swaps and dated contracts only.
    func okxHasSides(_ index: Int, _ product: String) -> Bool {
        states[index].account.isHedge && (product == "SWAP" || product == "FUTURES")
    }
}
