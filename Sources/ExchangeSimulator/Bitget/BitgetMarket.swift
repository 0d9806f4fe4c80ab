/// Public routes: time, contracts, prices (sheet §3.1).
extension ExchangeSimulation {
    func publicAnswer(_ call: BitgetCall, _ route: BitgetRoute) -> BitgetAnswer {
        if route == .time {
            return BitgetAnswer(data: .object([("serverTime", .text(String(call.ms)))]))
        }
        let symbol = call.field("symbol")?.uppercased()
        let listed = world.instruments.filter {
            $0.product == call.product && (symbol == nil || $0.symbol.uppercased() == symbol)
        }
        return BitgetAnswer(
            data: .list(listed.map { route == .contracts ? Self.contract($0) : Self.ticker($0, call.ms) }))
    }

    private static func contract(_ instrument: SimulatedInstrument) -> Wire {
        let step = instrument.step.description
        let cap = instrument.maxMarketQuantity?.description ?? ""
        return .object([
            ("symbol", .text(instrument.symbol)), ("baseCoin", .text(instrument.baseCoin)),
            ("quoteCoin", .text(instrument.quoteCoin)), ("buyLimitPriceRatio", .text("0.05")),
            ("sellLimitPriceRatio", .text("0.05")), ("feeRateUpRatio", .text("0.005")),
            ("makerFeeRate", .text("0.0002")), ("takerFeeRate", .text("0.0006")),
            ("openCostUpRatio", .text("0.01")),
            ("supportMarginCoins", .list([.text(instrument.marginCoin)])),
            ("minTradeNum", .decimal(instrument.smallest)),
            ("priceEndStep", .text("1")), ("volumePlace", .text(String(instrument.volumePlace))),
            ("pricePlace", .text(String(instrument.pricePlace))), ("sizeMultiplier", .text(step)),
            ("symbolType", .text("perpetual")), ("minTradeUSDT", .text("5")), ("maxSymbolOrderNum", .text("200")),
            ("maxProductOrderNum", .text("400")), ("maxPositionNum", .text("150")),
            ("symbolStatus", .text(instrument.status)), ("offTime", .text("-1")), ("limitOpenTime", .text("-1")),
            ("deliveryTime", .text("")), ("deliveryStartTime", .text("")), ("deliveryPeriod", .text("")),
            ("launchTime", .text("")), ("fundInterval", .text("8")), ("minLever", .text("1")),
            ("maxLever", .text("125")), ("posLimit", .text("0.05")), ("maintainTime", .text("")),
            ("maxMarketOrderQty", .text(cap)), ("maxOrderQty", .text(cap)),
        ])
    }

    private static func ticker(_ instrument: SimulatedInstrument, _ ms: Int64) -> Wire {
        let price = Wire.decimal(instrument.price)
        return .object([
            ("symbol", .text(instrument.symbol)), ("lastPr", price), ("price", price), ("askPr", price),
            ("bidPr", price), ("ts", .text(String(ms))), ("indexPrice", price), ("markPrice", price),
            ("fundingRate", .text("0.0001")), ("deliveryStartTime", .null), ("deliveryTime", .null),
            ("deliveryStatus", .text(instrument.deliveryStatus)),
        ])
    }
}
