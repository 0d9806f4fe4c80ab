/// Public data (sheet §3.1, §3.2).
extension ExchangeSimulation {
    static let okxTypes: Set<String> = ["SWAP", "FUTURES", "MARGIN", "OPTION"]

    func publicAnswer(_ call: OKXCall, _ route: OKXRoute) -> OKXAnswer {
        switch route {
        case .time: return .success([.object([("ts", .text(String(call.ms)))])])
        case .status: return .success([])
        case .instruments: return instrumentList(call)
        default:
            let chosen = listed(call)
            if let id = call.field("instId"), chosen.isEmpty {
                return .failure("51001", "Instrument ID \(id) does not exist.")
            }
            return .success(chosen.map { price($0, route, call.ms) })
        }
    }

    private func listed(_ call: OKXCall) -> [SimulatedInstrument] {
        let type = call.field("instType")
        let family = call.field("instFamily") ?? call.field("uly")
        return world.instruments.filter { one in
            Self.okxTypes.contains(one.product) && (type == nil || one.product == type) && one.status != "off"
                && (family == nil || one.family == family)
                && (call.field("instId") == nil || one.symbol == call.field("instId"))
        }
    }

    private func instrumentList(_ call: OKXCall) -> OKXAnswer {
        guard let type = call.field("instType") else {
            return .failure("50014", "Parameter instType can not be empty.")
        }
        if type == "OPTION", call.field("instFamily") == nil, call.field("uly") == nil {
            return .failure("50014", "Either parameter uly or instFamily is required.")
        }
        let rows = listed(call)
        if call.field("instId") != nil, rows.isEmpty, Self.okxTypes.contains(type) { return .failure("51001") }
        return .success(rows.map(row))
    }

    private func row(_ one: SimulatedInstrument) -> Wire {
        let isContract = one.product != "MARGIN"
        let parts = one.symbol.split(separator: "-").map(String.init)
        let state: [String: String] = ["normal": "live", "maintain": "suspend", "listed": "preopen"]
        var kind = ""
        if one.product == "SWAP" || one.product == "FUTURES" { kind = one.isInverse ? "inverse" : "linear" }
        let unit = isContract ? Wire.decimal(one.contractValue) : .text("")
        // Options split their unit: the documented value is 1 and the multiple 0.01.
        let isOption = one.product == "OPTION"
        return .object([
            ("alias", .text("")), ("baseCcy", .text(isContract ? "" : one.baseCoin)),
            ("quoteCcy", .text(isContract ? "" : one.quoteCoin)),
            ("settleCcy", .text(isContract ? one.settleCoin : "")), ("instType", .text(one.product)),
            ("instId", .text(one.symbol)), ("instFamily", .text(one.family)), ("uly", .text(one.family)),
            ("ctVal", isOption ? .text("1") : unit), ("ctMult", isOption ? unit : .text(isContract ? "1" : "")),
            ("ctValCcy", .text(isContract ? (one.isInverse ? "USD" : one.baseCoin) : "")), ("ctType", .text(kind)),
            ("optType", .text(isOption ? parts.last ?? "" : "")), ("stk", .text(isOption ? parts[3] : "")),
            ("lotSz", .decimal(one.step)), ("minSz", .decimal(one.step)),
            ("tickSz", .decimal(Fixed(units: 1, places: one.pricePlace))),
            ("maxMktSz", one.maxMarketQuantity.map { .decimal($0) } ?? .text("")), ("maxLmtSz", .text("100000000")),
            ("maxMktAmt", .text("")), ("state", .text(state[one.status] ?? "live")), ("ruleType", .text("normal")),
            ("expTime", .text(parts.count > 2 && parts[2] != "SWAP" ? "1806048000000" : "")),
            ("listTime", .text("1573557408000")), ("lever", .text(isOption ? "" : "50")), ("category", .text("1")),
        ])
    }

    private func price(_ one: SimulatedInstrument, _ route: OKXRoute, _ ms: Int64) -> Wire {
        let head: [(String, Wire)] = [("instType", .text(one.product)), ("instId", .text(one.symbol))]
        let stamp: [(String, Wire)] = [("ts", .text(String(ms)))]
        switch route {
        case .markPrice: return .object(head + [("markPx", .decimal(one.price))] + stamp)
        case .priceLimit:
            return .object(
                head + [
                    ("buyLmt", .decimal(one.price.scaled(102, over: 100))),
                    ("sellLmt", .decimal(one.price.scaled(98, over: 100))), ("enabled", .flag(true)),
                ] + stamp)
        default:
            return .object(
                head + [
                    ("last", .decimal(one.price)), ("lastSz", .decimal(one.step)), ("askPx", .decimal(one.price)),
                    ("askSz", .text("100")), ("bidPx", .decimal(one.price)), ("bidSz", .text("100")),
                    ("open24h", .decimal(one.price)), ("high24h", .decimal(one.price)),
                    ("low24h", .decimal(one.price)), ("volCcy24h", .text("0")), ("vol24h", .text("0")),
                ] + stamp)
        }
    }
}
