import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import Testing

@Suite("Proof at the end of time, and what stands beside the selection", .serialized)
struct LateProofTests {
    private func single(_ name: String) -> FaultFleet {
        FaultFleet(
            bitget: name.hasPrefix("bitget") ? 1 : 0, okx: name.hasPrefix("okx") ? 1 : 0,
            bingx: name.hasPrefix("bingx") ? 1 : 0)
    }

    private func isPositions(_ passing: FaultBench.Passing) -> Bool {
        ["all-position", "account/positions", "user/positions"].contains { passing.path.hasSuffix($0) }
    }

    /// The account's own figures, which the proof is controlled with.
    private func isControl(_ passing: FaultBench.Passing) -> Bool {
        ["account/accounts", "account/account-position-risk", "user/balance"].contains { passing.path.hasSuffix($0) }
    }

    @Test("control that limits keep back until the last instant is none: unknown where control is required")
    func controlNeverCame() throws {
        for required in [true, false] {
            let bench = FaultBench(
                single("bitget-001").configuration(),
                plan: .whole {
                    $0.guards.deadline = .seconds(5)
                    $0.verify.timeout = .seconds(5)
                    if required { $0.verify.control = .required }
                })
            let text = #"{"code":"429","msg":"Too Many Requests","requestTime":1,"data":null}"#
            bench.road = { isControl($0) ? .answered(.text(429, text)) : .open }
            try bench.play()
            let account = try bench.account("bitget-001")
            #expect(bench.sent.contains { isControl($0) })
            #expect((20_000...20_100).contains(bench.endedMs), "\(bench.endedMs)")
            #expect(account.state == (required ? .unknown : .flat), "\(bench.reasons)")
            #expect(bench.open("bitget-001").isEmpty)
        }
    }

    @Test(
        "an account whose own figures showed open profit once is not flat because they cannot be read again",
        arguments: ["okx-001", "bingx-001"])
    func controlFailsAfterDoubt(name: String) throws {
        let text = try #require(ProofTests.empty[name])
        let bench = FaultBench(single(name).configuration())
        var (asked, failed) = (0, 0)
        var firstMs: Int64?
        bench.road = { passing in
            if isPositions(passing) { return .answered(.text(200, text)) }
            guard isControl(passing) else { return .open }
            asked += 1
            let first = firstMs ?? passing.atMs
            firstMs = first
            guard passing.atMs > first + 700 else { return .open }
            failed += 1
            return .answered(.text(503, ""))
        }
        try bench.play()
        let state = try bench.account(name).state
        #expect(state == .unknown, "\(bench.reasons)")
        #expect(bench.open(name).count == 1 && failed > 1, "\(asked) \(failed) \(bench.reasons)")
    }

    @Test("afterDeadline: continue: what was flat before the deadline is flat, however long its fills are waited for")
    func flatInTime() throws {
        let free = FaultBench(single("bitget-001").configuration())
        try free.play()
        let proven = try #require(
            free.durable.first { if case .accountEnded = $0.event { true } else { false } })
        let provenMs = (proven.at.nanoseconds - FaultBench.startNs) / 1_000_000
        for (afterMs, code) in [(300 as Int64, 0), (-300, 15)] {
            let bench = FaultBench(
                single("bitget-001").configuration(),
                plan: .whole {
                    $0.guards.deadline = .milliseconds(provenMs + afterMs)
                    $0.guards.afterDeadline = .continue
                })
            bench.road = { $0.path.hasSuffix("order/fills") ? .lost : .open }
            try bench.play()
            let run = try bench.report().run
            #expect(bench.endedMs > provenMs + 1_000 && run.exitCode == code, "\(run.exitCode) \(bench.reasons)")
        }
    }

    @Test("reading an old run of a dead exchange ends after ten seconds: a new run may be waiting for it")
    func reconcilingDeadExchange() throws {
        let fleet = FaultFleet(bitget: 1, okx: 1)
        let first = FaultBench(fleet.configuration())
        first.signals = [(600, "SIGTERM")]
        try first.play()
        #expect(!first.mutations("okx-001").isEmpty)
        for dies in [FaultBench.Road.refused(.refused), .lost] {
            let second = FaultBench(fleet.configuration())
            second.mode = .reconcile
            second.follow(first)
            let began = second.nowMs
            second.road = { $0.exchange.rawValue == "okx" ? dies : .open }
            try second.play(resuming: first.durable)
            #expect((8_000...20_000).contains(second.endedMs - began), "\(second.endedMs - began) ms")
            guard case .closed = second.end else {
                Issue.record("ended with \(String(describing: second.end))")
                continue
            }
            #expect(try second.account("okx-001").state == .unknown)
            #expect(try second.report().run.status == "interrupted")
        }
    }

    @Test(
        "where one leg of two on one side is meant, stops of the other stay",
        arguments: [PlanDocument.Orders.cancelOpeners, .cancelAll])
    func stopOfTheOtherLeg(orders: PlanDocument.Orders) throws {
        for isOtherOpen in [true, false] {
            var fleet = FaultFleet(okx: 1, hedge: true, hasPosition: false)
            let slot = try #require(fleet.slots["okx-001"])
            fleet.edit("okx-001") { $0.okx.accountLevel = "2" }
            for mode in isOtherOpen ? ["cross", "isolated"] : ["cross"] {
                fleet.builder.position(
                    slot, "ETH-USDT-SWAP", product: "SWAP", side: .long, quantity: Fixed(2), marginMode: mode)
            }
            fleet.builder.plan(
                slot, "ETH-USDT-SWAP", product: "SWAP", type: "conditional", leg: .long, closes: true, size: Fixed(2))
            let seen = FaultBench(fleet.configuration { $0.switches.attachedTriggersRemain = true })
            seen.mode = .preview
            try seen.play()
            guard case .preview(let work) = seen.end else {
                Issue.record("ended with \(String(describing: seen.end))")
                return
            }
            let rows = work.items.flatMap(\.selected).map(\.key)
            let named = try #require(rows.first { $0.marginMode == .cross })
            let bench = FaultBench(
                fleet.configuration { $0.switches.attachedTriggersRemain = true },
                plan: .whole { $0.orders = orders }, onlyLegs: ["okx-001": [named]])
            try bench.play()
            #expect(try bench.report().run.exitCode == 0, "\(bench.reasons)")
            #expect(bench.open("okx-001").count == (isOtherOpen ? 1 : 0))
            let cancels = bench.mutations("okx-001").count { $0.route.contains("cancel") }
            #expect(cancels == (isOtherOpen ? 0 : 1), "\(bench.mutations("okx-001").map(\.route))")
        }
    }
}
