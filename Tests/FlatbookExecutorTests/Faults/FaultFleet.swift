import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import Testing

/// Small fleets whose every position a test knows.
struct FaultFleet {
    var builder = FleetBuilder(seed: 9)
    private(set) var slots: [String: Int] = [:]

    static let contracts: [SimulatedVenue: (symbol: String, product: String)] = [
        .bitget: ("ETHUSDT", "USDT-FUTURES"), .okx: ("ETH-USDT-SWAP", "SWAP"), .bingx: ("ETH-USDT", "swap"),
    ]
    static let names = ["bitget-001", "okx-001", "bingx-001"]

    /// So many accounts of each exchange, each with one long contract of ETH.
    init(
        bitget: Int = 0, okx: Int = 0, bingx: Int = 0, hedge: Bool = false, quantity: Fixed = Fixed(2),
        hasPosition: Bool = true
    ) {
        for (venue, count) in [(SimulatedVenue.bitget, bitget), (.okx, okx), (.bingx, bingx)] {
            for identity in FleetBuilder.identities(venue: venue, count: count, seed: 9) {
                let slot = builder.add(identity, isHedge: hedge)
                slots[identity.name] = slot
                guard hasPosition, let contract = Self.contracts[venue] else { continue }
                builder.position(slot, contract.symbol, product: contract.product, side: .long, quantity: quantity)
            }
        }
    }

    mutating func edit(_ name: String, _ change: (inout SimulatedAccount) -> Void) {
        if let slot = slots[name] { builder.edit(slot, change) }
    }

    mutating func position(
        _ name: String, _ symbol: String, product: String = "USDT-FUTURES",
        side: ExchangeSimulator.PositionSide = .long, quantity: Fixed = Fixed(2)
    ) {
        if let slot = slots[name] {
            builder.position(slot, symbol, product: product, side: side, quantity: quantity)
        }
    }

    mutating func script(_ name: String, _ trigger: ScriptTrigger, _ action: ScriptAction) {
        edit(name) { $0.scripts.append(Script(trigger, action)) }
    }

    func configuration(_ edit: (inout SimulationConfiguration) -> Void = { _ in }) -> SimulationConfiguration {
        var configuration = SimulationConfiguration(seed: 9, accounts: builder.accounts)
        configuration.fillDelayMs = 40...40
        edit(&configuration)
        return configuration
    }
}

extension PlanDocument {
    /// Everything of every account, changed as a test needs it.
    static func whole(_ edit: (inout PlanDocument) -> Void = { _ in }) -> PlanDocument {
        var plan = PlanDocument(name: "f", accounts: [Pattern("*")])
        edit(&plan)
        return plan
    }
}

extension FaultBench {
    func report() throws -> RunReport {
        let machine = try RunMachine(folding: durable)
        return try #require(ReportBuilder(machine, journalHead: "sha256:test").report())
    }

    /// For a failed expectation: every account's state and reason.
    var reasons: String {
        guard let report = try? report() else { return "no report, ended with \(String(describing: end))" }
        return report.accounts.map { "\($0.name) \($0.state) \($0.reason ?? "")" }.joined(separator: "; ")
    }

    func account(_ name: String) throws -> RunReport.AccountRow {
        try #require(try report().accounts.first { $0.name == name })
    }

    func uid(_ name: String) -> String { accounts.first { $0.name == name }?.uid ?? "" }

    /// What is open at the exchange, as it knows it.
    func open(_ name: String) -> [String] {
        simulation.positions(ofUID: uid(name)).map { "\($0.symbol) \($0.side.rawValue)" }.sorted()
    }

    func mutations(_ name: String) -> [Receipt] {
        simulation.truth.receipts.filter { $0.uid == uid(name) && $0.isMutation }
    }

    func outcomes(_ name: String) -> [CallResult] {
        durable.compactMap { entry in
            if case .outcome(let result) = entry.event, result.account == name { result } else { nil }
        }
    }

    func intents(_ name: String) -> [CallIntent] {
        durable.compactMap { entry in
            if case .intent(let intent) = entry.event, intent.mutation.account == name { intent } else { nil }
        }
    }

    var warnings: [String] {
        notices.compactMap { if case .warning(let text) = $0.notice { text } else { nil } }
    }

    /// Judged on the exchange's truth: nothing opened, grown, flipped or sent too often; no false flat.
    func expectHonest(sourceLocation: Testing.SourceLocation = #_sourceLocation) throws {
        let truth = simulation.truth
        #expect(truth.exposureIncreases == 0, "an order increased exposure", sourceLocation: sourceLocation)
        #expect(truth.unprotectedOrders == 0, "an order could open", sourceLocation: sourceLocation)
        #expect(truth.limitViolations.isEmpty, "\(truth.limitViolations.prefix(2))", sourceLocation: sourceLocation)
        #expect(truth.neverCalls.isEmpty, "\(truth.neverCalls)", sourceLocation: sourceLocation)
        let machine = try RunMachine(folding: durable)
        guard machine.closing != nil else { return }
        for account in try report().accounts where account.state == .flat || account.state == .alreadyFlat {
            let opened = truth.venueOpenings.filter { $0.uid == account.uid }
            let left = simulation.positions(ofUID: account.uid ?? "").filter { row in
                !opened.contains { $0.symbol == row.symbol && $0.product == row.product }
            }
            #expect(left.isEmpty, "\(account.name) is called flat and holds \(left)", sourceLocation: sourceLocation)
        }
    }

    /// Every account but those named is flat, proven.
    func expectOthersFlat(
        but names: Set<String>, sourceLocation: Testing.SourceLocation = #_sourceLocation
    ) throws {
        for account in try report().accounts where !names.contains(account.name) {
            #expect(
                account.state == .flat, "\(account.name) \(account.state) \(account.reason ?? "")",
                sourceLocation: sourceLocation)
            #expect(open(account.name).isEmpty, sourceLocation: sourceLocation)
        }
    }
}
