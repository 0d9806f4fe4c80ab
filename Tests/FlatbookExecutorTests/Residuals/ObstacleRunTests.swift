import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import FlatbookSimulation
import Testing

@Suite("Legs that cannot be closed, or that go by themselves", .serialized)
struct ObstacleRunTests {
    private static let venues = SimulatedVenue.allCases

    /// A position without any cap.
    private func stage(_ venue: SimulatedVenue, isHedge: Bool = false) -> ResidualStage {
        var stage = ResidualStage(venue)
        stage.isHedge = isHedge
        stage.cap = nil
        return stage
    }

    private func expectFlat(_ run: SimulatedRun, by closer: String, _ stage: ResidualStage) throws {
        let leg = try #require(try run.leg)
        #expect(leg.state == .flat, "\(leg.state) \(leg.reason ?? "")")
        #expect(leg.closedBy == closer)
        #expect(try run.report?.run.exitCode == 0)
        expectKept(run, stage.seed)
    }

    // MARK: Dust

    @Test(
        "a position below what the exchange lets anyone close is dust, with its value",
        arguments: venues, [PlanDocument.Dust.report, .accept])
    func dust(venue: SimulatedVenue, policy: PlanDocument.Dust) throws {
        for isHedge in [false, true] {
            var stage = stage(venue, isHedge: isHedge)
            stage.quantity = venue == .okx ? "0.02" : "0.0002"
            stage.edit = {
                $0.minQuantity = "0.5"
                $0.closesBelowMinimum = false
            }
            stage.plan.verify.dust = policy
            let run = try stage.play()
            #expect(run.simulation.openPositionCount == 1)
            let report = try #require(try run.report)
            let leg = try #require(report.legs.first)
            #expect(leg.state == .dust)
            #expect(leg.reason?.hasPrefix("below what the exchange lets anyone close: 0.") == true)
            #expect(leg.reason?.contains("USD") == true && leg.notionalAfter.map { !$0.isZero } == true)
            #expect(leg.error?.action.isEmpty == false)
            #expect(report.accounts.first?.state == .dust)
            #expect(report.run.exitCode == (policy == .accept ? 0 : 10))
            // It is asked once, not until the rounds are used up.
            #expect(run.mutationReceipts.count == 1)
            expectKept(run, stage.seed)
        }
    }

    @Test("a whole-position close takes what is below the smallest order", arguments: venues)
    func exemptDust(venue: SimulatedVenue) throws {
        var stage = stage(venue)
        stage.quantity = venue == .okx ? "0.02" : "0.0002"
        stage.edit = { $0.minQuantity = "0.5" }
        try expectFlat(try stage.play(), by: "us", stage)
    }

    @Test("the last part of a split is never dust", arguments: venues, [false, true])
    func lastPart(venue: SimulatedVenue, isHedge: Bool) throws {
        var stage = stage(venue, isHedge: isHedge)
        stage.cap = "2"
        stage.quantity = "6.1"
        stage.edit = {
            $0.minQuantity = "0.5"
            $0.closesBelowMinimum = false
        }
        let run = try stage.play()
        #expect(stage.closes(run).allSatisfy { $0 >= "0.5" }, "\(stage.closes(run))")
        try expectFlat(run, by: "us", stage)
    }

    @Test("a rest too small for an order, grown out of the split, goes by the whole-position close", arguments: venues)
    func restByNative(venue: SimulatedVenue) throws {
        var stage = stage(venue)
        stage.cap = "2"
        stage.quantity = "5"
        stage.edit = { $0.minQuantity = "0.5" }
        // Deleveraging takes some in the middle, and what is left after the parts is below the smallest order.
        stage.scripts = [
            Script(
                .beforeClose(2),
                .end(product: stage.product, symbol: stage.symbol, by: .adl, quantity: "2.8"))
        ]
        try expectFlat(try stage.play(), by: "us", stage)
    }

    // MARK: Suspended, delisted, delivery

    @Test("a contract that is suspended and resumes before the deadline ends flat", arguments: venues, [60, 500])
    func resumes(venue: SimulatedVenue, seconds: Int64) throws {
        for isHedge in [false, true] { try resumes(venue, after: seconds, isHedge: isHedge) }
    }

    /// In hedge mode there is no second way to close: the one there is must not be given up after twenty tries.
    private func resumes(_ venue: SimulatedVenue, after seconds: Int64, isHedge: Bool) throws {
        var stage = stage(venue, isHedge: isHedge)
        // The back-off of half a minute does not count as waiting for a proof.
        stage.plan.verify.timeout = .seconds(20)
        stage.scripts = [
            Script(.at(ms: 0), .setStatus(product: stage.product, symbol: stage.symbol, status: "maintain")),
            Script(
                .at(ms: seconds * 1000),
                .setStatus(product: stage.product, symbol: stage.symbol, status: "normal")),
        ]
        try expectFlat(try stage.play(), by: "us", stage)
    }

    @Test("one that stays suspended is tried until the deadline, and the report says why", arguments: venues)
    func staysSuspended(venue: SimulatedVenue) throws {
        var stage = stage(venue)
        stage.plan.guards.deadline = .seconds(200)
        stage.scripts = [
            Script(.at(ms: 0), .setStatus(product: stage.product, symbol: stage.symbol, status: "maintain"))
        ]
        let run = try stage.play()
        let report = try #require(try run.report)
        #expect(report.run.exitCode == 15)
        let leg = try #require(report.legs.first)
        #expect(leg.state == .residual)
        #expect(leg.reason == "the deadline passed; trading is suspended")
        #expect(leg.error?.errorClass == "market" && leg.error?.action.isEmpty == false)
        // At most one call in half a minute once it is clear that it lasts.
        #expect((4...12).contains(run.mutationReceipts.count), "\(run.mutationReceipts.count)")
        expectKept(run, stage.seed)
    }

    @Test("one account's suspended contract holds up no other leg", arguments: venues)
    func holdsUpNobody(venue: SimulatedVenue) throws {
        var stage = stage(venue)
        let other = venue == .bitget ? "ETHUSDT" : venue == .okx ? "ETH-USDT-SWAP" : "ETH-USDT"
        let product = stage.product
        stage.more = { $0.position($1, other, product: product, side: .short, quantity: "2") }
        stage.plan.guards.deadline = .seconds(60)
        stage.scripts = [
            Script(.at(ms: 0), .setStatus(product: stage.product, symbol: stage.symbol, status: "maintain"))
        ]
        let run = try stage.play()
        #expect(run.simulation.openPositions.first?.positions.map(\.symbol) == [stage.symbol])
        let report = try #require(try run.report)
        let leg = try #require(report.legs.first { $0.key.instrument == other })
        #expect(leg.state == .flat)
        expectKept(run, stage.seed)
    }

    @Test("a delisted contract is left open with its reason and what to do", arguments: venues)
    func delisted(venue: SimulatedVenue) throws {
        var stage = stage(venue)
        stage.scripts = [
            Script(.at(ms: 0), .setStatus(product: stage.product, symbol: stage.symbol, status: "off"))
        ]
        stage.plan.guards.deadline = .seconds(400)
        let run = try stage.play()
        #expect(run.simulation.openPositionCount == 1)
        let leg = try #require(try run.leg)
        #expect(leg.state == .refused || leg.state == .residual)
        let named = venue == .okx ? "the contract is being delivered" : "the contract is delisted"
        #expect(leg.reason?.contains(named) == true, "\(leg.reason ?? "")")
        #expect(leg.error?.action.contains("settles it") == true || leg.error?.action.contains("site") == true)
        expectKept(run, stage.seed)
    }

    @Test(
        "a contract in delivery is settled by the exchange, and the report says so",
        arguments: [SimulatedVenue.bitget, .okx])
    func delivery(venue: SimulatedVenue) throws {
        var stage = stage(venue)
        stage.scripts = [
            Script(
                .at(ms: 0),
                .setDelivery(product: stage.product, symbol: stage.symbol, status: "delivery_period")),
            Script(
                .at(ms: 90_000), .end(product: stage.product, symbol: stage.symbol, by: .delivery, quantity: nil)),
        ]
        try expectFlat(try stage.play(), by: "delivery", stage)
    }

    @Test("risk control and a closed API are named, and tried for minutes only", arguments: [true, false])
    func barred(isRiskControl: Bool) throws {
        for venue in Self.venues {
            var stage = stage(venue)
            let code =
                switch venue {
                case .bitget: isRiskControl ? "40931" : "22037"
                case .okx: isRiskControl ? "51037" : "50005"
                case .bingx: isRiskControl ? "109403" : "101415"
                }
            stage.configure = { configuration in
                let failure = SymbolFailure(.row, code: code)
                configuration.switches.failures[stage.symbol] = failure
                configuration.okx.failures[stage.symbol] = failure
                configuration.bingx.failures[stage.symbol] = failure
                configuration.bingx.forgivenErrors = 100
            }
            let run = try stage.play()
            let report = try #require(try run.report)
            let leg = try #require(report.legs.first)
            #expect(leg.state == .residual && report.run.exitCode == 10, "\(venue)")
            let named =
                isRiskControl
                ? "the exchange's risk control forbids it" : "the exchange does not let it be closed by API"
            #expect(leg.reason?.hasPrefix(named) == true, "\(venue): \(leg.reason ?? "")")
            #expect(leg.error?.exchangeCode == code && leg.error?.action.isEmpty == false)
            expectKept(run, stage.seed)
        }
    }

    // MARK: What the exchange closes itself

    @Test(
        "a leg that the exchange closes itself is flat by its hand", arguments: venues,
        [VenueEnding.liquidation, .adl])
    func ended(venue: SimulatedVenue, ending: VenueEnding) throws {
        for isHedge in [false, true] {
            for side in ExchangeSimulator.PositionSide.allCases {
                var stage = stage(venue, isHedge: isHedge)
                stage.side = side
                stage.scripts = [
                    Script(
                        .beforeClose(1),
                        .end(product: stage.product, symbol: stage.symbol, by: ending, quantity: nil))
                ]
                // BingX tells nobody.
                try expectFlat(try stage.play(), by: venue == .bingx ? "other" : ending.rawValue, stage)
            }
        }
    }

    @Test("a liquidation of last week says nothing of today's end", arguments: [SimulatedVenue.bitget, .okx])
    func oldHistory(venue: SimulatedVenue) throws {
        var stage = stage(venue)
        stage.scripts = [
            Script(.beforeClose(1), .remove(product: stage.product, symbol: stage.symbol))
        ]
        let run = try stage.play { run in
            let uid = run.accounts.first?.uid ?? ""
            run.simulation.perform(
                .end(product: stage.product, symbol: stage.symbol, by: .liquidation, quantity: "0.5"), uid: uid, atNs: 0
            )
        }
        try expectFlat(run, by: "other", stage)
    }

    @Test("one that is deleveraged in the middle of a split is closed to the end", arguments: venues, [false, true])
    func endedInSplit(venue: SimulatedVenue, isHedge: Bool) throws {
        for ending in [VenueEnding.liquidation, .adl] {
            for quantity in ["0.7", "100"] as [Fixed] {
                var stage = stage(venue, isHedge: isHedge)
                stage.cap = "1"
                // Where the cap is not listed, the first ones only look for it.
                stage.scripts = [
                    Script(
                        .beforeClose(venue == .bingx ? 5 : 3),
                        .end(product: stage.product, symbol: stage.symbol, by: ending, quantity: quantity))
                ]
                // Part of it was ours, so it counts as ours.
                try expectFlat(try stage.play(), by: "us", stage)
            }
        }
    }

    @Test("auto-deleveraging that refuses the close first is waited for", arguments: [SimulatedVenue.bitget, .okx])
    func deleveraging(venue: SimulatedVenue) throws {
        var stage = stage(venue)
        stage.configure = { configuration in
            let failure = SymbolFailure(.row, code: venue == .bitget ? "22044" : "50017")
            configuration.switches.failures[stage.symbol] = failure
            configuration.okx.failures[stage.symbol] = failure
        }
        stage.scripts = [
            Script(.at(ms: 40_000), .remove(product: stage.product, symbol: stage.symbol))
        ]
        // The history does not show it, but the refusals said what was going on.
        try expectFlat(try stage.play(), by: "adl", stage)
    }

    @Test("a history that the key may not read holds nothing up")
    func noHistory() throws {
        var stage = stage(.bitget)
        stage.more = { builder, slot in builder.edit(slot) { $0.authorities.removeAll { $0 == "coor" } } }
        stage.scripts = [
            Script(.beforeClose(1), .end(product: stage.product, symbol: stage.symbol, by: .liquidation, quantity: nil))
        ]
        try expectFlat(try stage.play(), by: "other", stage)
    }
}
