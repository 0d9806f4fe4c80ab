import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import FlatbookSimulation
import Testing

/// One account with one position of a contract whose sizes the test sets, at any exchange and in any mode.
struct ResidualStage {
    var venue: SimulatedVenue
    var isHedge = false
    var isIsolated = false
    var quantity: Fixed = "4.3209"
    var side = ExchangeSimulator.PositionSide.long
    /// Most in one order, and most in one whole-position close.
    var cap: Fixed? = "1.23456"
    var scripts: [Script] = []
    var plan = PlanDocument(name: "residual", accounts: [Pattern("*")])
    var weather = SimulatedRun.Weather()
    var seed: UInt64 = 11
    var edit: (inout SimulatedInstrument) -> Void = { _ in }
    var configure: (inout SimulationConfiguration) -> Void = { _ in }
    /// Other positions of the account.
    var more: (inout FleetBuilder, Int) -> Void = { _, _ in }

    init(_ venue: SimulatedVenue) { self.venue = venue }

    var product: String {
        switch venue {
        case .bitget: "USDT-FUTURES"
        case .okx: "SWAP"
        case .bingx: "swap"
        }
    }
    var symbol: String {
        switch venue {
        case .bitget: "BTCUSDT"
        case .okx: "BTC-USDT-SWAP"
        case .bingx: "BTC-USDT"
        }
    }
    /// The contract's step, as its list says it.
    var step: Fixed { venue == .okx ? "0.01" : "0.0001" }

    func play(_ adjust: (SimulatedRun) -> Void = { _ in }) throws -> SimulatedRun {
        var builder = FleetBuilder(seed: seed)
        for identity in FleetBuilder.identities(venue: venue, count: 1, seed: seed) {
            let slot = builder.add(identity, isHedge: isHedge)
            builder.position(
                slot, symbol, product: product, side: side, quantity: quantity.floored(to: step),
                marginMode: isIsolated ? "isolated" : "crossed")
            more(&builder, slot)
            builder.edit(slot) { $0.scripts = scripts }
        }
        var instruments = SimulatedInstrument.everything
        for slot in instruments.indices where instruments[slot].symbol == symbol && instruments[slot].product == product
        {
            instruments[slot].maxMarketQuantity = cap
            instruments[slot].maxFlashClose = cap
            edit(&instruments[slot])
        }
        var configuration = SimulationConfiguration(seed: seed, accounts: builder.accounts, instruments: instruments)
        configure(&configuration)
        let run = SimulatedRun(seed: seed, plan: plan, configuration: configuration, weather: weather)
        adjust(run)
        try run.run()
        return run
    }

    /// What the client's orders took of the leg, in order.
    func closes(_ run: SimulatedRun) -> [Fixed] {
        run.simulation.truth.executedCloses.filter { $0.key.symbol == symbol }.flatMap(\.value).map(\.quantity)
    }

    /// The sizes of the orders that were intended, in order.
    static func sizes(_ run: SimulatedRun) -> [String] {
        run.durable.compactMap { entry in
            guard case .intent(let intent) = entry.event, case .close(let close) = intent.mutation else { return nil }
            return close.quantity?.description
        }
    }
}

extension SimulatedRun {
    var report: RunReport? { get throws { try Scenario.report(self) } }

    /// The one leg of the report.
    var leg: RunReport.LegRow? { get throws { try Scenario.report(self)?.legs.first } }
}
