import FlatbookCore
import FlatbookPlanner

struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

func ms(_ n: Int64) -> Instant { Instant(nanoseconds: n * 1_000_000) }

/// Bitget's close methods: flash close by product, symbol or side (hedge mode), reduce-only order in one-way mode.
let flash = "flash"
let order = "order"
let bitgetMethods = [
    CloseMethod(operation: flash, reach: .product, isSized: false, modes: [.oneWay, .hedge], guaranteesSide: false),
    CloseMethod(operation: flash, reach: .symbol, isSized: false, modes: [.oneWay, .hedge], guaranteesSide: false),
    CloseMethod(operation: flash, reach: .side, isSized: false, modes: [.hedge], guaranteesSide: true),
    CloseMethod(operation: order, reach: .leg, isSized: true, modes: [.oneWay], guaranteesSide: true),
]

func position(
    _ account: String, _ instrument: String, _ side: Side, mode: PositionMode = .hedge,
    margin: MarginMode = .cross, notional: Int = 100, product: String = "USDT-FUTURES"
) -> Position {
    Position(
        key: LegKey(
            account: account, product: product, instrument: instrument, side: side, marginMode: margin,
            marginCurrency: "USDT"),
        symbol: instrument.replacing("USDT", with: "/USDT:USDT"), quantity: Amount(2), notional: Amount(notional),
        mode: mode)
}

func planned(
    _ name: String, _ positions: [Position], symbols: [String] = ["*"], sides: [Side] = [.long, .short],
    granularity: PlanDocument.Granularity = .auto, sequence: PlanDocument.Sequence = .exposure,
    methods: [CloseMethod] = bitgetMethods, legByLeg: Bool = false, perUID: Int = 1, perIP: Int? = nil,
    outside: [Position] = []
) -> PlannedAccount {
    var costs = [
        BucketCost(
            key: BucketKey(limit: "close", scope: "route=close,uid=\(name)"), weight: 1, capacity: perUID,
            window: .seconds(1))
    ]
    if let perIP {
        costs.append(
            BucketCost(
                key: BucketKey(limit: "ip", scope: "ip=default"), weight: 1, capacity: perIP, window: .seconds(1))
        )
    }
    return PlannedAccount(
        account: Account(name: name, exchange: ExchangeID("bitget"), environment: .simulated),
        selection: SymbolSelection(patterns: symbols.map { Pattern($0) }, sides: sides), positions: positions,
        granularity: granularity, sequence: sequence, methods: methods, legByLeg: legByLeg,
        costs: [flash: costs, order: costs], outside: outside)
}
