import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import FlatbookSimulation
import Testing

@Suite("Positions larger than one close may be", .serialized)
struct SizeCapTests {
    struct Case: CustomTestStringConvertible {
        var venue: SimulatedVenue
        var isHedge: Bool
        var isIsolated: Bool
        var side: ExchangeSimulator.PositionSide
        var testDescription: String {
            "\(venue.rawValue) \(isHedge ? "hedge" : "one-way") \(isIsolated ? "isolated" : "cross") \(side.rawValue)"
        }
    }

    static let cases = SimulatedVenue.allCases.flatMap { venue in
        [(false, false), (false, true), (true, false), (true, true)].flatMap { hedge, isolated in
            ExchangeSimulator.PositionSide.allCases.map {
                Case(venue: venue, isHedge: hedge, isIsolated: isolated, side: $0)
            }
        }
    }

    private func stage(_ test: Case) -> ResidualStage {
        var stage = ResidualStage(test.venue)
        (stage.isHedge, stage.isIsolated, stage.side) = (test.isHedge, test.isIsolated, test.side)
        return stage
    }

    /// No order beyond the open size, all of them whole steps, at most the cap; together exactly the position.
    private func check(_ run: SimulatedRun, _ stage: ResidualStage, orders: ClosedRange<Int>) throws {
        let closes = stage.closes(run)
        #expect(run.simulation.isFlat)
        #expect(orders.contains(closes.count), "\(closes)")
        #expect(closes.allSatisfy { $0.isMultiple(of: stage.step) && $0 <= stage.cap ?? $0 }, "\(closes)")
        #expect(run.simulation.truth.oversizedCloses == 0, "an order beyond the open size")
        #expect(closes.reduce(.zero, +) == stage.quantity.floored(to: stage.step))
        let report = try #require(try run.report)
        #expect(report.run.exitCode == 0, "\(report.run.status) \(report.legs.map { $0.reason ?? "" })")
        #expect(report.legs.first?.closedBy == "us")
        expectKept(run, stage.seed)
    }

    @Test("3.5 times the cap ends flat by four orders with exact steps", arguments: cases)
    func splits(test: Case) throws {
        let stage = stage(test)
        let run = try stage.play()
        // Where no cap is listed it is found by halving, in smaller parts.
        try check(run, stage, orders: test.venue == .bingx ? 4...8 : 4...4)
        let sizes = ResidualStage.sizes(run)
        switch test.venue {
        case .bitget: #expect(sizes == ["1.2345", "1.2345", "1.2345", "0.6174"])
        case .okx: #expect(sizes == ["1.23", "1.23", "1.23", "0.63"])
        case .bingx: #expect(sizes.first == "2.1604")
        }
        // The whole-position close was tried first, once.
        #expect(run.simulation.truth.rejections.values.reduce(0, +) <= (test.venue == .bingx ? 4 : 1))
    }

    @Test("a reply that is lost in the middle of a split is settled before the next part", arguments: cases)
    func lostReply(test: Case) throws {
        var stage = stage(test)
        stage.configure = {
            $0.faults.perMille = [.cutAfter: 120, .cutBefore: 120, .lateExecution: 120]
            $0.faults.quietAfterMs = 20_000
        }
        for seed in 1...4 as ClosedRange<UInt64> {
            stage.seed = seed
            let run = try stage.play()
            try check(run, stage, orders: test.venue == .bingx ? 4...12 : 4...5)
        }
    }

    @Test("a process that dies in the middle of a split goes on with what is open then", arguments: cases)
    func crashes(test: Case) throws {
        var stage = stage(test)
        stage.weather.crashes = 3
        for seed in 1...3 as ClosedRange<UInt64> {
            stage.seed = seed
            try check(try stage.play(), stage, orders: test.venue == .bingx ? 4...12 : 4...5)
        }
    }

    @Test("a cap that falls in the middle is met by halves", arguments: cases)
    func capFalls(test: Case) throws {
        var stage = stage(test)
        stage.scripts = [
            Script(
                .beforeClose(3),
                .setCap(product: stage.product, symbol: stage.symbol, market: "0.5", whole: "0.5"))
        ]
        try check(try stage.play(), stage, orders: 7...16)
    }

    @Test("an unknown cap is found by halving, within a bound", arguments: SimulatedVenue.allCases)
    func neverFits(venue: SimulatedVenue) throws {
        var stage = ResidualStage(venue)
        stage.configure = { configuration in
            let wanted = SymbolFailure(.row, code: venue == .bitget ? "40888" : venue == .okx ? "51108" : "109400")
            configuration.switches.failures[stage.symbol] = wanted
            configuration.okx.failures[stage.symbol] = wanted
        }
        stage.edit = { $0.maxMarketQuantity = "0.00001" }
        let run = try stage.play()
        #expect(run.simulation.openPositionCount == 1)
        let leg = try #require(try run.leg)
        #expect(leg.state == .residual || leg.state == .refused)
        #expect(leg.reason?.hasPrefix("larger than one close may be") == true, "\(leg.reason ?? "")")
        #expect(leg.error?.action.isEmpty == false)
        #expect(ResidualStage.sizes(run).count <= 20)
        expectKept(run, stage.seed)
    }

    @Test("fills in two steps and reads that lag never make a part larger than what is open", arguments: cases)
    func lagging(test: Case) throws {
        var stage = stage(test)
        stage.configure = {
            $0.readLagMs = 1_700
            $0.switches.fillsInTwoSteps = true
            $0.fillDelayMs = 300...900
        }
        let run = try stage.play()
        #expect(run.simulation.isFlat)
        #expect(try run.report?.run.exitCode == 0)
        expectKept(run, stage.seed)
    }

    @Test("with one side selected the parts keep to it, and a flip in the middle is left alone", arguments: cases)
    func flip(test: Case) throws {
        guard !test.isHedge else { return }
        var stage = stage(test)
        stage.plan.sides = [test.side == .long ? .long : .short]
        stage.scripts = [Script(.beforeClose(3), .flip(product: stage.product, symbol: stage.symbol, quantity: "3"))]
        let run = try stage.play()
        #expect(run.simulation.openPositionCount == 1)
        #expect(run.simulation.openPositions.first?.positions.first?.side == test.side.opposite)
        #expect(run.simulation.openPositions.first?.positions.first?.quantity == "3")
        expectKept(run, stage.seed)
    }

    @Test("neighbours of a split leg are closed meanwhile, by calls that do not touch it", arguments: cases)
    func neighbours(test: Case) throws {
        var stage = stage(test)
        let other = stage.venue == .bitget ? "ETHUSDT" : stage.venue == .okx ? "ETH-USDT-SWAP" : "ETH-USDT"
        let product = stage.product
        stage.more = { $0.position($1, other, product: product, side: .short, quantity: "2") }
        stage.scripts = [
            Script(.beforeClose(4), .open(product: product, symbol: other, side: .short, quantity: "1"))
        ]
        let run = try stage.play()
        #expect(run.simulation.isFlat)
        let closes = stage.closes(run)
        #expect(closes.allSatisfy { $0 <= stage.cap ?? $0 })
        #expect(try run.report?.run.exitCode == 0)
        expectKept(run, stage.seed)
    }

    @Test("an account that has no safe order for parts is told so", arguments: [true, false])
    func noSafeOrder(isUnified: Bool) throws {
        var stage = ResidualStage(isUnified ? .bitget : .okx)
        stage.more = { builder, slot in
            if isUnified { builder.makeUnified(slot) } else { builder.edit(slot) { $0.okx.accountLevel = "4" } }
        }
        let run = try stage.play()
        #expect(run.simulation.openPositionCount == 1)
        let leg = try #require(try run.leg)
        #expect(leg.state == .refused)
        #expect(leg.reason?.contains("no order of this account could close it in parts") == true)
        #expect(leg.error?.action.contains("in parts") == true)
        #expect(try run.report?.run.exitCode == 10)
        expectKept(run, stage.seed)
    }
}
