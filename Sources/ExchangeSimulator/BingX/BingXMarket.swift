/// Public routes (sheet §3.1, §10).
extension ExchangeSimulation {
    func publicAnswer(_ call: BingXCall, _ route: BingXRoute) -> BingXAnswer {
        switch route {
        case .time: return .success(.object([("serverTime", .number(call.ms))]))
        case .spotSymbols: return .success(.object([("symbols", .list([]))]))
        case .coinContracts where bingx.coinContractsNeedTimestamp && call.field("timestamp") == nil:
            var answer = BingXAnswer(code: 100_400, message: "timestamp is required")
            answer.status = 400
            return answer
        default: break
        }
        let listed = world.instruments.filter {
            $0.product == call.product && (call.symbol == nil || $0.symbol == call.symbol)
        }
        if call.symbol != nil, listed.isEmpty { return failure(.unknownSymbol, call) }
        switch route {
        case .contracts: return .success(.list(listed.map(Self.contract)))
        case .coinContracts: return .success(.list(listed.map(Self.coinContract)))
        default: break
        }
        // What takes no new positions has no market data either (sheet §3.1).
        let trading = listed.filter { $0.status == "normal" || $0.status == "restrictedAPI" }
        if call.symbol != nil, trading.isEmpty { return failure(.paused, call) }
        let rows = trading.map { marketRow($0, route, call.ms) }
        if call.symbol != nil, call.product == "swap", let row = rows.first { return .success(row) }
        return .success(.list(rows))
    }

    private static func number(of status: String) -> Int64 {
        switch status {
        case "limit_open": 25
        case "listed": 5
        case "off": 0
        default: 1
        }
    }

    private static func contract(_ instrument: SimulatedInstrument) -> Wire {
        let status = instrument.status
        return .object([
            ("contractId", .text("100")), ("symbol", .text(instrument.symbol)),
            ("size", .decimal(instrument.step)), ("quantityPrecision", .number(Int64(instrument.volumePlace))),
            ("pricePrecision", .number(Int64(instrument.pricePlace))), ("feeRate", .bare("0.0005")),
            ("makerFeeRate", .bare("0.0002")), ("takerFeeRate", .bare("0.0005")), ("tradeMinLimit", .number(0)),
            ("tradeMinQuantity", .amount(instrument.smallest)), ("tradeMinUSDT", .number(2)),
            ("currency", .text(instrument.marginCoin)), ("asset", .text(instrument.baseCoin)),
            ("status", .number(number(of: status))),
            ("apiStateOpen", .text(status == "normal" ? "true" : "false")),
            ("apiStateClose", .text(status == "restrictedAPI" ? "false" : "true")), ("ensureTrigger", .flag(true)),
            ("launchTime", .number(1_586_275_200_000)),
            ("maintainTime", .number(status == "maintain" ? 1_780_000_000_000 : 0)), ("offTime", .number(0)),
            ("displayName", .text(instrument.symbol)),
        ])
    }

    private static func coinContract(_ instrument: SimulatedInstrument) -> Wire {
        .object([
            ("symbol", .text(instrument.symbol)), ("pricePrecision", .number(Int64(instrument.pricePlace))),
            ("minTickSize", .decimal(instrument.contractValue)),
            ("minTradeValue", .decimal(instrument.contractValue)), ("minQty", .text("1.00000000")),
            ("status", .number(number(of: instrument.status))), ("timeOnline", .number(1_710_738_000_000)),
        ])
    }

    private func marketRow(_ instrument: SimulatedInstrument, _ route: BingXRoute, _ ms: Int64) -> Wire {
        let price = Wire.decimal(instrument.price)
        let symbol: (String, Wire) = ("symbol", .text(instrument.symbol))
        switch route {
        case .premiumIndex, .coinPremiumIndex:
            return .object([
                symbol, ("markPrice", price), ("indexPrice", price), ("lastFundingRate", .text("0.00010000")),
                ("nextFundingTime", .number((ms / 28_800_000 + 1) * 28_800_000)),
            ])
        case .tradingRules:
            return .object([
                symbol, ("minSizeCoin", .decimal(instrument.step)), ("minSizeUsd", .text("2")),
                ("maxMumOrder", .text("200")), ("protectionThreshold", .text("0.05")),
                ("buyMaxPrice", .text("0.02")), ("buyMinPrice", .text("0.02")), ("sellMaxPrice", .text("0.02")),
                ("sellMinPrice", .text("0.02")), ("marketRatio", .text("0.02")),
            ])
        default:
            return .object([
                symbol, ("priceChange", .text("0")), ("priceChangePercent", .text("0")), ("lastPrice", price),
                ("lastQty", .text("1")), ("highPrice", price), ("lowPrice", price), ("openPrice", price),
                ("volume", .text("1000")), ("quoteVolume", .text("1000")), ("openTime", .number(ms - 86_400_000)),
                ("closeTime", .number(ms)), ("bidPrice", price), ("bidQty", .text("1")), ("askPrice", price),
                ("askQty", .text("1")),
            ])
        }
    }
}
