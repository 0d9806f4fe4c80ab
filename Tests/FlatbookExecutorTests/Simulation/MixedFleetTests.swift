import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import FlatbookSimulation
import Testing

@Suite("A fleet on three exchanges, one scenario each")
struct MixedFleetTests {
    /// Two accounts of each exchange with one open contract each, named `bitget-001` … `bingx-002`.
    private func configuration(
        _ edit: (inout FleetBuilder, [String: Int]) -> Void = { _, _ in }
    ) -> SimulationConfiguration {
        var builder = FleetBuilder(seed: 9)
        var slots: [String: Int] = [:]
        let contracts: [SimulatedVenue: (String, String)] = [
            .bitget: ("ETHUSDT", "USDT-FUTURES"), .okx: ("ETH-USDT-SWAP", "SWAP"), .bingx: ("ETH-USDT", "swap"),
        ]
        for venue in SimulatedVenue.allCases {
            for identity in FleetBuilder.identities(venue: venue, count: 2, seed: 9) {
                let slot = builder.add(identity)
                slots[identity.name] = slot
                guard let (symbol, product) = contracts[venue] else { continue }
                builder.position(slot, symbol, product: product, side: .long, quantity: Fixed(2))
            }
        }
        edit(&builder, slots)
        return SimulationConfiguration(seed: 9, accounts: builder.accounts)
    }

    private func play(
        _ configuration: SimulationConfiguration,
        plan: PlanDocument = PlanDocument(name: "x", accounts: [Pattern("*")]),
        options: [String: [String: [String]]] = [:]
    ) throws -> (run: SimulatedRun, report: RunReport) {
        let run = SimulatedRun(seed: 9, plan: plan, configuration: configuration) { account in
            account.options.merge(options[account.name] ?? [:]) { _, new in new }
        }
        try run.run()
        return (run, try #require(try Scenario.report(run)))
    }

    /// One account ends as said, all others flat.
    private func expect(
        _ report: RunReport, _ name: String, _ state: FinalState, code: String, action: String,
        sourceLocation: Testing.SourceLocation = #_sourceLocation
    ) {
        for account in report.accounts where account.name != name {
            #expect(account.state == .flat, "\(account.name) \(account.reason ?? "")", sourceLocation: sourceLocation)
        }
        let account = report.accounts.first { $0.name == name }
        #expect(account?.state == state, "\(account?.reason ?? "")", sourceLocation: sourceLocation)
        #expect(account?.error?.exchangeCode == code, sourceLocation: sourceLocation)
        #expect(
            account?.error?.action.contains(action) == true, "\(account?.error?.action ?? "")",
            sourceLocation: sourceLocation)
    }

    @Test(
        "a key of the other environment, the wrong site or a wrong secret stops its own account only",
        arguments: [
            ("bitget-001", "demo", "40099", "environment"), ("okx-001", "demo", "50101", "environment"),
            ("okx-001", "site", "50119", "options.site"), ("okx-001", "secret", "50113", "secret"),
            ("bingx-001", "secret", "100001", "secret"), ("bingx-001", "frozen", "100413", "key"),
            ("bitget-001", "secret", "40009", "secret"),
        ])
    func refused(name: String, defect: String, code: String, action: String) throws {
        let configuration = configuration { builder, slots in
            builder.edit(slots[name] ?? 0) { account in
                switch defect {
                case "demo": account.environment = .demo
                case "site": account.okx.isOtherSite = true
                case "frozen": account.bingx.isFrozen = true
                default: account.boundAddresses = account.boundAddresses
                }
            }
        }
        var known = configuration
        if defect == "secret" {
            let index = try #require(known.accounts.firstIndex { $0.name == name })
            known.accounts[index].secret += "-rotated"
        }
        // The client signs with what its file says; the exchange knows another secret.
        let run = SimulatedRun(
            seed: 9, plan: PlanDocument(name: "x", accounts: [Pattern("*")]), configuration: known,
            signingAs: configuration.accounts)
        try run.run()
        let report = try #require(try Scenario.report(run))
        expect(report, name, .refused, code: code, action: action)
        #expect(report.run.exitCode == 10)
        #expect(run.simulation.positions(ofUID: uid(name, configuration)).count == 1)
    }

    private func uid(_ name: String, _ configuration: SimulationConfiguration) -> String {
        configuration.accounts.first { $0.name == name }?.uid ?? ""
    }

    @Test(
        "an exchange's clock that is 45 s off is measured, and every account is flattened",
        arguments: [-45_000, 45_000])
    func clockOff(offset: Int64) throws {
        var configuration = configuration()
        configuration.clockOffsetMs = offset
        let (_, report) = try play(configuration)
        #expect(report.run.exitCode == 0, "\(report.accounts.map(\.reason))")
    }

    @Test(
        "a suspended instrument stays residual with its reason, the other accounts go on",
        arguments: [
            ("bitget-001", "USDT-FUTURES", "ETHUSDT", "maintain"), ("okx-001", "SWAP", "ETH-USDT-SWAP", "suspend"),
            ("bingx-001", "swap", "ETH-USDT", "maintain"),
        ])
    func suspended(name: String, product: String, symbol: String, status: String) throws {
        let configuration = configuration { builder, slots in
            builder.edit(slots[name] ?? 0) {
                $0.scripts = [Script(.at(ms: 1), .setStatus(product: product, symbol: symbol, status: status))]
            }
        }
        var plan = PlanDocument(name: "x", accounts: [Pattern("*")])
        plan.guards.deadline = .seconds(40)
        let (_, report) = try play(configuration, plan: plan)
        let venue = name.prefix { $0 != "-" }
        for leg in report.legs {
            let isHere = leg.key.account.hasPrefix(venue)
            #expect(leg.state == (isHere ? .residual : .flat), "\(leg.key.account) \(leg.state) \(leg.reason ?? "")")
            if isHere { #expect(leg.error?.errorClass == ErrorClass.market.rawValue, "\(leg.error?.message ?? "")") }
        }
        #expect([10, 15].contains(report.run.exitCode))
    }

    @Test("reads of one exchange that stay busy make its accounts unknown, never flat; the others go on")
    func busyReads() throws {
        var configuration = configuration()
        configuration.bingx.busyReads = 1...100_000
        var plan = PlanDocument(name: "x", accounts: [Pattern("*")])
        plan.guards.deadline = .seconds(30)
        plan.verify.timeout = .seconds(10)
        let (_, report) = try play(configuration, plan: plan)
        for account in report.accounts {
            let isBusy = account.name.hasPrefix("bingx")
            #expect(account.state == (isBusy ? .unknown : .flat), "\(account.name) \(account.state)")
        }
        #expect(report.run.exitCode == 11)
    }

    @Test("api: auto learns the family once, and never closes through the wrong one")
    func learnsOnce() throws {
        let configuration = configuration { builder, slots in builder.makeUnified(slots["bitget-002"] ?? 0) }
        let (run, report) = try play(configuration)
        #expect(report.run.exitCode == 0, "\(report.accounts.map(\.reason))")
        let lessons = run.durable.filter { if case .learned = $0.event { true } else { false } }
        #expect(lessons.count == 1)
        let uid = uid("bitget-002", configuration)
        let closes = run.simulation.truth.receipts.filter { $0.uid == uid && $0.isMutation }.map(\.route)
        #expect(closes == ["POST /api/v3/trade/close-positions"])
    }

    @Test("an account kind without any control call is unknown where control is required")
    func controlRequired() throws {
        let configuration = configuration { builder, slots in builder.makeUnified(slots["bitget-002"] ?? 0) }
        var plan = PlanDocument(name: "x", accounts: [Pattern("*")], symbols: [Pattern("*")])
        plan.verify.control = .required
        let (_, report) = try play(configuration, plan: plan)
        for account in report.accounts {
            let isUnified = account.name == "bitget-002"
            #expect(account.state == (isUnified ? .unknown : .flat), "\(account.name) \(account.reason ?? "")")
            if !isUnified { #expect(account.evidence == "controlled") }
        }
    }

    @Test(
        "an account that turns unified in the middle is closed through its own API, and nothing goes the wrong way twice"
    )
    func turnsUnified() throws {
        let configuration = configuration { builder, slots in
            let slot = slots["bitget-001"] ?? 0
            for product in ["USDC-FUTURES", "COIN-FUTURES"] {
                builder.position(
                    slot, product == "USDC-FUTURES" ? "ETHPERP" : "ETHUSD", product: product, side: .long,
                    quantity: Fixed(1))
            }
            // The first close still goes through; what is queued behind it would not.
            builder.edit(slot) { $0.scripts = [Script(.beforeClose(1), .unify)] }
        }
        let (run, report) = try play(configuration)
        let uid = uid("bitget-001", configuration)
        let wrong = run.simulation.truth.receipts.filter {
            $0.uid == uid && $0.isMutation && $0.route.contains("/api/v2/") && $0.code == "40085"
        }
        #expect(wrong.count == 1, "\(wrong.map(\.route))")
        #expect(run.simulation.positions(ofUID: uid).isEmpty)
        let copies = report.legs.filter { $0.key.account == "bitget-001" && $0.state == .flat && $0.key.silo == .copy }
        #expect(copies.isEmpty)
    }

    @Test("an explicit family that is wrong refuses the account and names the option")
    func wrongFamily() throws {
        let configuration = configuration { builder, slots in builder.makeUnified(slots["bitget-002"] ?? 0) }
        let (run, report) = try play(configuration, options: ["bitget-002": ["api": ["classic"]]])
        expect(report, "bitget-002", .refused, code: "40085", action: "options.api")
        #expect(
            run.simulation.truth.receipts.allSatisfy { $0.uid != uid("bitget-002", configuration) || !$0.isMutation })
    }

    @Test("copied positions are closed by the follower's own call, its plain ones as usual")
    func follower() throws {
        let configuration = configuration { builder, slots in
            builder.makeFollower(slots["bitget-001"] ?? 0, copies: 3, seed: 9)
        }
        let (run, report) = try play(configuration)
        #expect(report.run.exitCode == 0, "\(report.accounts.map(\.reason))")
        let legs = report.legs.filter { $0.key.account == "bitget-001" }
        #expect(legs.count { $0.key.silo == .copy } == 3 && legs.count == 4)
        let routes = Set(
            run.simulation.truth.receipts.filter { $0.uid == uid("bitget-001", configuration) && $0.isMutation }
                .map(\.route))
        #expect(
            routes == [
                "POST /api/v2/mix/order/close-positions", "POST /api/v2/copy/mix-follower/close-positions",
            ])
    }

    @Test("copied positions of an account that is no follower by its file are refused and left alone")
    func notAFollower() throws {
        let configuration = configuration { builder, slots in
            builder.makeFollower(slots["bitget-001"] ?? 0, copies: 2, seed: 9)
        }
        let (run, report) = try play(configuration, options: ["bitget-001": ["role": ["normal"]]])
        let copied = report.legs.filter { $0.key.silo == .copy }
        #expect(
            copied.count == 2
                && copied.allSatisfy { $0.state == .refused && $0.reason?.contains("options.role") == true })
        #expect(run.simulation.truth.calls["POST /api/v2/copy/mix-follower/close-positions"] == nil)
        #expect(report.run.exitCode == 10)
    }

    @Test("a key without the right to copy trading leaves that silo unread, and says so; a follower is refused")
    func noRightToCopy() throws {
        var configuration = configuration()
        configuration.switches.copy.isForbidden = true
        let (_, report) = try play(configuration)
        #expect(report.run.exitCode == 0, "\(report.accounts.map(\.reason))")
        let account = try #require(report.accounts.first { $0.name == "bitget-001" })
        #expect(account.notRead.map(\.silo) == ["copy"] && account.notRead[0].reason.contains("40014"))
        let (_, strict) = try play(configuration, options: ["bitget-001": ["role": ["copy-follower"]]])
        #expect(strict.accounts.first { $0.name == "bitget-001" }?.state == .refused)
    }

    @Test("one side of several positions on one side of a symbol: each is closed by its id, the other side stays")
    func positionIDs() throws {
        let configuration = configuration { builder, slots in
            let slot = slots["bingx-001"] ?? 0
            builder.edit(slot) {
                $0.isHedge = true
                $0.bingx.marginType = "SEPARATE_ISOLATED"
            }
            builder.position(slot, "BTC-USDT", product: "swap", side: .long, quantity: Fixed(1), marginMode: "isolated")
            builder.position(slot, "BTC-USDT", product: "swap", side: .long, quantity: Fixed(3), marginMode: "isolated")
            builder.position(
                slot, "BTC-USDT", product: "swap", side: .short, quantity: Fixed(2), marginMode: "isolated")
        }
        let plan = PlanDocument(name: "x", accounts: [Pattern("bingx-001")], sides: [.long])
        let (run, _) = try play(configuration, plan: plan)
        let left = run.simulation.positions(ofUID: uid("bingx-001", configuration))
        #expect(left.map { "\($0.symbol) \($0.side.rawValue)" } == ["BTC-USDT short"])
        #expect(run.simulation.truth.calls["POST /openApi/swap/v2/trade/closeAllPositions"] == nil)
    }
}
