/// Public routes (sheet §3.2).
extension ExchangeSimulation {
    func publicAnswer(_ call: OKXCall, _ route: OKXRoute) -> OKXAnswer {
        switch route {
        case .time: .success([.texts(["ts": String(call.ms)])])
        case .status: systemStatus(call)
        case .instruments: listedInstruments(call)
        case .underlying: underlyings(call)
        case .markPrice: markPrices(call)
        case .tickers: tickers(call)
        case .ticker: ticker(call)
        case .priceLimit: priceLimit(call)
        default: .html(404, "Not Found")
        }
    }

    private func systemStatus(_ call: OKXCall) -> OKXAnswer {
        guard okx.isUnderMaintenance, (call.field("state") ?? "ongoing") == "ongoing" else { return .success([]) }
        return .success([
            .texts([
                "title": "Trading account system upgrade", "state": "ongoing", "begin": String(call.ms - 60_000),
                "end": String(call.ms + 60_000), "preOpenBegin": "", "href": "", "serviceType": "5",
                "system": "unified", "scheDesc": "", "maintType": "1", "env": "1",
            ])
        ])
    }

    func listedInstruments(_ call: OKXCall) -> OKXAnswer {
        guard let type = call.field("instType") else { return .failure("50014", "Parameter instType can not be empty") }
        let family = call.field("instFamily") ?? call.field("uly")
        if type == "OPTION", family == nil {
            return .failure("50014", "Either parameter uly or instFamily is required")
        }
        let symbol = call.field("instId")
        let listed = world.instruments.filter {
            $0.product == type && $0.okxState != nil && (family == nil || $0.family == family)
                && (symbol == nil || $0.symbol == symbol)
        }
        if symbol != nil, listed.isEmpty, SimulatedInstrument.okxProducts.contains(type) { return .failure("51001") }
        return .success(listed.map(Self.instrumentRow))
    }

    private static func instrumentRow(_ listed: SimulatedInstrument) -> Wire {
        let isPair = listed.product == "MARGIN"
        let isOption = listed.product == "OPTION"
        let terms = listed.symbol.split(separator: "-").map(String.init)
        let tick = Fixed(units: 1, places: listed.pricePlace).description
        let value = isPair ? "" : (isOption ? "1" : listed.contractValue.description)
        let type = isPair || isOption ? "" : (listed.isInverse ? "inverse" : "linear")
        let cap = isPair ? SimulatedInstrument.okxMarginCap : listed.maxMarketQuantity
        return .texts(
            [
                "instType": listed.product, "instId": listed.symbol, "instFamily": isPair ? "" : listed.family,
                "uly": isPair ? "" : listed.family, "baseCcy": isPair ? listed.baseCoin : "",
                "quoteCcy": isPair ? listed.quoteCoin : "", "settleCcy": listed.settleCoin, "ctVal": value,
                "ctMult": isPair ? "" : (isOption ? "0.01" : "1"),
                "ctValCcy": isPair ? "" : (listed.isInverse ? "USD" : listed.baseCoin), "ctType": type,
                "optType": isOption ? terms.last ?? "" : "", "stk": isOption && terms.count > 3 ? terms[3] : "",
                "alias": listed.product == "FUTURES" ? "quarter" : "", "lotSz": listed.step.description,
                "minSz": listed.smallest.description, "tickSz": tick, "maxMktSz": cap?.description ?? "",
                "maxLmtSz": "100000000", "maxMktAmt": isPair ? "1000000" : "", "maxLmtAmt": isPair ? "20000000" : "",
                "maxTwapSz": "100000000", "maxIcebergSz": "100000000", "maxTriggerSz": "100000000",
                "maxStopSz": cap?.description ?? "", "state": listed.okxState ?? "", "ruleType": "normal",
                "expTime": listed.okxExpiry.map { String($0) } ?? "", "listTime": "1573557408000",
                "lever": isOption ? "" : (isPair ? "10" : "100"), "category": "1",
            ], [("instIdCode", .number(10_459)), ("upcChg", .list([]))])
    }

    private func underlyings(_ call: OKXCall) -> OKXAnswer {
        let families = Set(world.instruments.filter { $0.product == call.field("instType") }.map(\.family))
        return .success([.list(families.sorted().map { .text($0) })])
    }

    private func chosen(_ call: OKXCall, _ product: String) -> [SimulatedInstrument] {
        world.instruments.filter {
            $0.product == product && $0.okxState != nil
                && (call.field("instId").map { [symbol = $0.symbol] wanted in symbol == wanted } ?? true)
                && (call.field("instFamily").map { [family = $0.family] wanted in family == wanted } ?? true)
        }
    }

    private func markPrices(_ call: OKXCall) -> OKXAnswer {
        guard let type = call.field("instType") else { return .failure("50014", "Parameter instType can not be empty") }
        let rows = chosen(call, type)
        if call.field("instId") != nil, rows.isEmpty { return .failure("51001") }
        return .success(
            rows.map {
                .texts([
                    "instType": type, "instId": $0.symbol, "markPx": $0.price.description, "ts": String(call.ms),
                ])
            })
    }

    /// Margin pairs are listed as spot here.
    private func tickers(_ call: OKXCall) -> OKXAnswer {
        guard let type = call.field("instType") else { return .failure("50014", "Parameter instType can not be empty") }
        guard ["SPOT", "SWAP", "FUTURES", "OPTION"].contains(type) else {
            return .failure("51000", "Parameter instType error")
        }
        let rows = chosen(call, type == "SPOT" ? "MARGIN" : type)
        return .success(rows.map { Self.tickerRow($0, type, call.ms) })
    }

    private func ticker(_ call: OKXCall) -> OKXAnswer {
        guard let symbol = call.field("instId") else { return .failure("50014", "Parameter instId can not be empty") }
        guard let listed = world.okxInstrument(symbol) else { return .failure("51001") }
        return .success([Self.tickerRow(listed, listed.product == "MARGIN" ? "SPOT" : listed.product, call.ms)])
    }

    private static func tickerRow(_ listed: SimulatedInstrument, _ type: String, _ ms: Int64) -> Wire {
        let price = listed.price.description
        return .texts([
            "instType": type, "instId": listed.symbol, "last": price, "lastSz": listed.step.description,
            "askPx": price, "askSz": "100", "bidPx": price, "bidSz": "100", "open24h": price, "high24h": price,
            "low24h": price, "volCcy24h": "1000", "vol24h": "1000", "ts": String(ms), "sodUtc0": price,
            "sodUtc8": price,
        ])
    }

    private func priceLimit(_ call: OKXCall) -> OKXAnswer {
        guard let symbol = call.field("instId") else { return .failure("50014", "Parameter instId can not be empty") }
        guard let listed = world.okxInstrument(symbol) else { return .failure("51001") }
        let tick = Fixed(units: 1, places: listed.pricePlace)
        return .success([
            .texts(
                [
                    "instType": listed.product, "instId": symbol,
                    "buyLmt": listed.price.scaled(102, over: 100).floored(to: tick).description,
                    "sellLmt": listed.price.scaled(98, over: 100).floored(to: tick).description,
                    "ts": String(call.ms),
                ], [("enabled", .flag(true))])
        ])
    }
}

extension SimulatedInstrument {
    /// As listed: `live`, `suspend`, `preopen` or `test`; nil: it is gone from the list.
    ///
    /// `status` is one of these, a code of five digits that closes of it answer, or a word of the other exchanges.
    var okxState: String? {
        switch status {
        case "suspend", "maintain", "51022": "suspend"
        case "preopen", "listed", "51021": "preopen"
        case "test": "test"
        case "off", "expired", "51001", "51027": nil
        default: "live"
        }
    }

    /// Why nothing can be traded now; nil: it can.
    var okxBar: String? {
        switch status {
        case "suspend", "maintain", "restrictedAPI": "51022"
        case "preopen", "listed", "test": "51021"
        case "off", "expired": "51027"
        case let code where code.utf8.count == 5 && code.utf8.allSatisfy { (48...57).contains($0) }: code
        default:
            switch deliveryStatus {
            case "delivery_period", "51028": "51028"
            case "settling", "51030": "51030"
            case "51029": "51029"
            default: nil
            }
        }
    }
}

extension World {
    /// The instrument of an id; nil: the exchange has none of this name.
    func okxInstrument(_ symbol: String?) -> SimulatedInstrument? {
        guard let symbol else { return nil }
        for product in SimulatedInstrument.okxProducts {
            if let found = instrument(symbol, product), found.symbol == symbol { return found }
        }
        return nil
    }
}
