import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import FlatbookSimulation
import Testing

@Suite("What closes filled, against the exchange's truth", .serialized)
struct ExecutionTests {
    /// A drawn fleet whose closes fill worse than the mark, in one step or two, and show late.
    private func scenario(_ seed: UInt64) -> Scenario {
        var scenario = Scenario(seed: seed, faults: .none)
        scenario.configuration.closeSlippageBps = [0, 7, 25][Int(seed % 3)]
        scenario.configuration.switches.fillsInTwoSteps = seed % 2 == 0
        let hidden = Int64(seed % 4) * 450
        scenario.configuration.switches.fillsHiddenMs = hidden
        scenario.configuration.switches.detailHiddenMs = hidden
        scenario.configuration.okx.orderHiddenMs = hidden
        scenario.configuration.bingx.orderHiddenMs = hidden
        return scenario
    }

    @Test("every leg that we closed has the average price, fee and profit of its fills, exactly", arguments: 1...60)
    func figures(seed: UInt64) throws {
        let run = try scenario(seed).play()
        let report = try #require(try Scenario.report(run))
        let closed = report.legs.filter { $0.state == .flat && $0.closedBy == "us" }
        for leg in closed {
            let truth = try #require(Truths(run).of(leg), "seed \(seed): \(leg.key) has no order")
            let say: Comment = "seed \(seed): \(leg.key)"
            let average = try #require(leg.averagePrice, say)
            #expect(try truth.isAverage(average), say)
            // Copies name neither, and the mark is not in their rows.
            let isCopy = leg.key.silo == .copy
            #expect(leg.fee == (isCopy ? nil : truth.fee), say)
            #expect(leg.realizedPnl == (isCopy ? nil : truth.profit), say)
            #expect(try leg.slippageBps == truth.slippage(of: leg), say)
        }
        #expect(report.legs.allSatisfy { $0.closedBy == "us" || $0.averagePrice == nil }, "seed \(seed)")
        expectKept(run, seed)
    }

    @Test("a figure that is told under faults and crashes is the truth, whatever was lost", arguments: 1...120)
    func stormy(seed: UInt64) throws {
        var random = TestRandom(seed: seed &+ 4711)
        var scenario = scenario(seed)
        scenario.configuration.faults = .named(random.pick(FaultProfile.allCases), seed: seed)
        scenario.configuration.faults.quietAfterMs = 60_000
        scenario.weather.lostRequestPerMille = Int(random.next(in: 0...40))
        scenario.weather.crashes = Int(random.next(in: 0...2))
        let run = try scenario.play()
        // No exchange answered, or a guard refused: then nothing was journaled.
        guard let report = try Scenario.report(run) else {
            #expect(run.durable.isEmpty && run.mutationReceipts.isEmpty, "seed \(seed)")
            return
        }
        for leg in report.legs {
            guard let average = leg.averagePrice else {
                #expect(leg.slippageBps == nil && leg.fee == nil && leg.realizedPnl == nil, "seed \(seed)")
                continue
            }
            // The exchange's orders do not say which of two margin modes they were of.
            let twins = report.legs.count { Truths.isTwin($0.key, leg.key) }
            if twins > 1 { continue }
            let truth = try #require(Truths(run).of(leg), "seed \(seed): \(leg.key) has no order")
            #expect(try truth.isAverage(average), "seed \(seed): \(leg.key)")
            if let fee = leg.fee { #expect(fee == truth.fee, "seed \(seed): \(leg.key)") }
            if let profit = leg.realizedPnl { #expect(profit == truth.profit, "seed \(seed): \(leg.key)") }
        }
        expectKept(run, seed)
    }

    @Test("fills that are never listed cost two seconds, a warning and no verdict", arguments: [1, 2, 3] as [UInt64])
    func hidden(seed: UInt64) throws {
        var scenario = scenario(seed)
        let plain = try scenario.play()
        scenario.configuration.switches.fillsHiddenMs = 3_600_000
        scenario.configuration.switches.detailHiddenMs = 3_600_000
        scenario.configuration.okx.orderHiddenMs = 3_600_000
        scenario.configuration.bingx.orderHiddenMs = 3_600_000
        let run = try scenario.play()
        let report = try #require(try Scenario.report(run))
        let before = try #require(try Scenario.report(plain))
        #expect(report.legs.map(\.state) == before.legs.map(\.state))
        #expect(report.legs.allSatisfy { $0.averagePrice == nil && $0.fee == nil && $0.realizedPnl == nil })
        #expect(report.run.exitCode == before.run.exitCode)
        let last = run.durable.last { if case .accountEnded = $0.event { true } else { false } }
        let end = run.durable.last { if case .closed = $0.event { true } else { false } }
        let waited = try #require(end).at - #require(last).at
        #expect(waited <= .milliseconds(2100), "\(waited.milliseconds) ms")
    }

    @Test("what is asked after the verdicts changes none, and costs one read for a product or an order")
    func cost() throws {
        let scenario = scenario(3)
        let run = try scenario.play()
        let machine = try RunMachine(folding: run.durable)
        var without = RunMachine()
        for entry in run.durable {
            if case .executed = entry.event { continue }
            try without.apply(entry)
        }
        for name in machine.accountOrder {
            #expect(machine.accounts[name]?.verdict == without.accounts[name]?.verdict)
            #expect(machine.accounts[name]?.legs == without.accounts[name]?.legs)
            #expect(machine.accounts[name]?.cleanReads == without.accounts[name]?.cleanReads)
        }
    }
}

/// The exchange's own record of the orders that closed something.
private struct Truths {
    let run: SimulatedRun
    init(_ run: SimulatedRun) { self.run = run }

    struct Leg {
        var orders: [ExecutedOrder]
        private func sum(_ of: (ExecutedOrder.Fill) -> Fixed) -> Fixed {
            orders.flatMap(\.fills).reduce(.zero) { $0 + of($1) }
        }
        var fee: Amount? { try? Amount(sum(\.fee).description) }
        var profit: Amount? { try? Amount(sum(\.profit).description) }

        /// Whether average × quantity gives the turnover, to half a digit of the eighteenth place for each unit.
        func isAverage(_ average: Amount) throws -> Bool {
            let quantity = try Amount(sum(\.quantity).description)
            var turnovers = [try Amount(sum { $0.price * $0.quantity }.description)]
            // Order rows show an average that is cut to twelve decimals.
            turnovers.append(
                try orders.reduce(Amount.zero) { total, order in
                    let size = order.fills.reduce(Fixed.zero) { $0 + $1.quantity }
                    return try total.adding(
                        Amount(order.average.description).multiplied(by: Amount(size.description)))
                })
            return try turnovers.contains { turnover in
                let difference = try average.multiplied(by: quantity).adding(turnover.negated).magnitude
                return try difference <= quantity.multiplied(by: Amount("0.000000000000000001"))
            }
        }

        func slippage(of leg: RunReport.LegRow) throws -> Amount? {
            guard let mark = leg.markPrice, let average = leg.averagePrice, leg.reopened == 0 else { return nil }
            let worse =
                leg.key.side == .long ? mark.approximate - average.approximate : average.approximate - mark.approximate
            // Two decimals of a hundredth of a percent: what remains between them is rounding.
            let expected = worse / mark.approximate * 10_000
            let told = leg.slippageBps?.approximate ?? .infinity
            return abs(told - expected) <= 0.0051 ? leg.slippageBps : Amount(-999_999)
        }
    }

    /// The same but for the margin mode and its currency.
    static func isTwin(_ a: FlatbookCore.LegKey, _ b: FlatbookCore.LegKey) -> Bool {
        a.account == b.account && a.product == b.product && a.instrument == b.instrument && a.side == b.side
            && a.positionID == b.positionID
    }

    func of(_ leg: RunReport.LegRow) -> Leg? {
        guard let uid = run.accounts.first(where: { $0.name == leg.key.account })?.uid else { return nil }
        let orders = run.simulation.closingOrders(ofUID: uid).filter { order in
            order.product == leg.key.product && order.symbol.uppercased() == leg.key.instrument.uppercased()
                && order.side.rawValue == leg.key.side.rawValue
                && (leg.key.positionID == nil || order.positionID == nil || order.positionID == leg.key.positionID)
        }
        return orders.isEmpty ? nil : Leg(orders: orders)
    }
}
