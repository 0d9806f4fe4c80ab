/// What the sheet leaves open of unified accounts (§3.10).
package struct BitgetUnifiedSwitches: Sendable {
    /// What the row of a close that succeeded says in `code`.
    package enum RowCode: CaseIterable, Hashable, Sendable { case zeros, empty, absent }
    package var rowCode = RowCode.zeros
    /// A position side in one-way mode is ignored; off: `25236`.
    package var oneWayIgnoresSide = false
    /// Cancels answer with `list` and a code in each row, or with the two lists of the classic family.
    package var cancelsAsRows = false
    /// A cancel of nothing succeeds; off: `25204`.
    package var emptyCancelSucceeds = false
    /// Lists of strategy orders heed the `type` that is asked for; off: they show all, without it.
    package var strategiesHaveTypes = true
    package init() {}
}

/// Unified accounts: who they are, what they hold, how it closes (sheet §3.10, §9 #12, #38).
extension ExchangeSimulation {
    private var unified: BitgetUnifiedSwitches { configuration.switches.unified }

    // MARK: Checks

    /// Why a call is not of the account's family; nil: it is.
    mutating func wrongFamily(_ call: BitgetCall, _ index: Int) -> BitgetAnswer? {
        if let upgrade = world.states[index].account.bitget.upgrade {
            if let end = upgrade.endsMs, call.elapsedMs >= end {
                world.states[index].account.bitget.upgrade = nil
                world.states[index].account.isUnified = true
            } else {
                return call.route == .unifiedSettings ? nil : .failure(upgrade.code)
            }
        }
        let isUnified = world.states[index].account.isUnified
        if call.isUnified == isUnified { return nil }
        return .failure(isUnified ? "40085" : "40084")
    }

    func grants(_ account: SimulatedAccount, _ authority: String) -> Bool {
        if configuration.switches.copy.isForbidden, authority == "ttor" || authority == "ttow" { return false }
        return account.authorities.contains(authority)
    }

    /// Keys of unified accounts have two rights only (sheet §2).
    static func named(_ authority: String, _ route: BitgetRoute) -> String {
        guard route.isUnified else { return authority }
        return route.rawValue.hasPrefix("/api/v3/account/") ? "uta_mgt" : "uta_trade"
    }

    func unifiedParameters(_ call: inout BitgetCall, _ route: BitgetRoute) -> BitgetAnswer? {
        if route.method == "POST" {
            let type = call.request.header("content-type")?.lowercased() ?? ""
            guard type.hasPrefix("application/json") else { return .failure("40007") }
            guard call.readBody() else { return .failure("400172") }
        }
        for name in route.required where call.field(name) == nil {
            return .failure("400172", "Parameter \(name) cannot be empty")
        }
        guard call.field("category") != nil else { return nil }
        guard BitgetRoute.products.contains(call.product) else {
            return .failure("400172", "Parameter category error")
        }
        guard let symbol = call.field("symbol"), world.instrument(symbol, call.product) == nil else { return nil }
        return .failure("400172", "Parameter symbol error")
    }

    // MARK: Reads

    func unifiedSettings(_ index: Int) -> BitgetAnswer {
        let account = world.states[index].account
        return BitgetAnswer(
            data: .object([
                ("uid", .text(account.uid)),
                ("accountMode", .text(account.bitget.upgrade == nil ? "unified" : "upgrading")),
                ("assetMode", .text("single")), ("holdMode", .text(bitgetMode(index))), ("stpMode", .text("none")),
                ("symbolConfigList", .null), ("coinConfigList", .null),
            ]))
    }

    func unifiedAssets(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        let legs = world.visiblePositions(index, atNs: call.ns)
        let profit = legs.reduce(Fixed.zero) { $0 + bitgetProfit($1) }
        let coin = Wire.object([
            ("coin", .text("USDT")), ("equity", .text("25000.5")), ("usdValue", .text("25000.5")),
            ("balance", .text("25000.5")), ("available", .text("24000")), ("debt", .text("0")), ("locked", .text("0")),
        ])
        return BitgetAnswer(
            data: .object([
                ("accountEquity", .text("25000.5")), ("usdtEquity", .text("25000.5")),
                ("btcEquity", .text("0.2544")), ("unrealisedPnl", .decimal(profit)),
                ("usdtUnrealisedPnl", .decimal(profit)), ("effEquity", .text("25000.5")), ("mmr", .text("0")),
                ("imr", .text("0")), ("mgnRatio", .text("0.01")), ("assets", .list([coin])),
            ]))
    }

    func unifiedPositions(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        var legs = chosen(world.visiblePositions(index, atNs: call.ns), call)
        if configuration.switches.listsZeroPositions, legs.isEmpty,
            let first = world.instruments.first(where: { $0.product == call.product })
        {
            legs = [
                SimulatedPosition(
                    product: first.product, symbol: first.symbol, side: .long, quantity: .zero, openPrice: .zero,
                    marginCoin: first.marginCoin)
            ]
        }
        return BitgetAnswer(data: .object([("list", rows(legs.map { unifiedRow($0, index) }, call))]))
    }

    private func chosen(_ legs: [SimulatedPosition], _ call: BitgetCall) -> [SimulatedPosition] {
        let side = call.field("posSide").flatMap { PositionSide(rawValue: $0.lowercased()) }
        return legs.filter { leg in
            leg.product == call.product && (side == nil || leg.side == side)
                && (call.field("symbol").map { $0.uppercased() == leg.symbol.uppercased() } ?? true)
        }
    }

    private func rows(_ rows: [Wire], _ call: BitgetCall) -> Wire {
        rows.isEmpty && style(call).nullLists ? .null : .list(rows)
    }

    private func unifiedRow(_ leg: SimulatedPosition, _ index: Int) -> Wire {
        let price = world.instrument(leg.symbol, leg.product)?.price ?? leg.openPrice
        let frozen = world.states[index].account.locked(leg)
        let stamp = Wire.text(String(leg.openedAtMs))
        return .object([
            ("category", .text(leg.product)), ("symbol", .text(leg.symbol)), ("marginCoin", .text(leg.marginCoin)),
            ("holdMode", .text(bitgetMode(index))), ("posSide", .text(leg.side.rawValue)),
            ("marginMode", .text(leg.marginMode)), ("total", .decimal(leg.quantity)),
            ("available", .decimal(leg.quantity - frozen)), ("frozen", .decimal(frozen)),
            ("leverage", .text(String(leg.leverage))), ("avgPrice", .decimal(leg.openPrice)),
            ("markPrice", .decimal(price)), ("positionStatus", .text("normal")),
            ("unrealisedPnl", .decimal(bitgetProfit(leg))), ("curRealisedPnl", .text("0")),
            ("liquidationPrice", .text("")), ("breakEvenPrice", .decimal(leg.openPrice)), ("createdTime", stamp),
            ("updatedTime", stamp),
        ])
    }

    // MARK: Close

    mutating func unifiedClose(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        var call = call
        if let text = call.field("posSide") {
            guard PositionSide(rawValue: text.lowercased()) != nil else {
                return .failure("400172", "Parameter posSide error")
            }
            if !world.states[index].account.isHedge {
                guard unified.oneWayIgnoresSide else { return .failure("25236") }
                call.fields["posSide"] = nil
            }
        }
        world.beforeClose(index, atNs: call.ns)
        var verdicts: [(SimulatedPosition, LegVerdict)] = []
        for leg in chosen(world.states[index].account.positions, call) {
            guard let verdict = judgeClose(leg, index, call) else { continue }
            if case .failCall(let code) = verdict { return .failure(code) }
            verdicts.append((leg, verdict))
        }
        if verdicts.isEmpty, !configuration.switches.flatCloseIsEmpty { return .failure("25227") }
        var list: [Wire] = []
        var accepted = 0
        for (leg, verdict) in verdicts {
            switch verdict {
            case .close(let quantity):
                list.append(unifiedDone(acceptClose(leg, quantity, index, call), call))
                accepted += 1
            case .fail(let code): list.append(unifiedFailed(world.takeID(index), Self.unifiedCode(code), call))
            case .omit, .failCall: continue
            }
        }
        return BitgetAnswer(data: .object([("list", rows(list, call))]), executed: accepted > 0)
    }

    func unifiedDone(_ id: (order: String, client: String), _ call: BitgetCall) -> Wire {
        var fields: [(String, Wire)] = [("orderId", .text(id.order)), ("clientOid", .text(id.client))]
        switch style(call).rowCode {
        case .zeros: fields += [("code", .text("00000")), ("msg", .text("success"))]
        case .empty: fields += [("code", .text("")), ("msg", .text(""))]
        case .absent: break
        }
        return .object(fields)
    }

    func unifiedFailed(_ id: (order: String, client: String), _ code: String, _ call: BitgetCall) -> Wire {
        let text = style(call).chinese ? "操作失败" : BitgetMessages.text(code)
        return .object([
            ("orderId", .text(id.order)), ("clientOid", .text(id.client)), ("code", .text(code)), ("msg", .text(text)),
        ])
    }

    /// The code of this family for what the classic family calls otherwise (sheet §6).
    private static func unifiedCode(_ code: String) -> String {
        switch code {
        case "43118": "25212"
        case "40859": "50066"
        case "40755": "25225"
        case "40844": "25102"
        case "40309": "25104"
        case "40888": "25208"
        case "22045": "25209"
        default: code
        }
    }

    /// Codes that a failed leg of a unified account may carry.
    static let unifiedLegCodes = ["24056", "25209", "25239", "25102", "40931", "25208"]
}
