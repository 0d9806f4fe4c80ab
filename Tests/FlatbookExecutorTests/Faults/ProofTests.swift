import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import Testing

@Suite("Faults of positions, orders and reads: proof of flat", .serialized)
struct ProofTests {
    /// A bot: opens the leg again between the first and the second read that show it closed, so many times.
    private func bot(_ bench: FaultBench, _ name: String, times: Int) throws {
        let venue = try #require(SimulatedVenue(rawValue: String(name.prefix { $0 != "-" })))
        let contract = try #require(FaultFleet.contracts[venue])
        var left = times
        var firstZeroMs: Int64?
        bench.road = { passing in
            guard isPositions(passing), left > 0, !bench.mutations(name).isEmpty else { return .open }
            // Fills are due between requests too.
            bench.simulation.advance(toNs: bench.nowNs)
            guard bench.open(name).isEmpty else {
                firstZeroMs = nil
                return .open
            }
            guard let first = firstZeroMs else {
                firstZeroMs = passing.atMs
                return .open
            }
            guard passing.atMs - first > 500 else { return .open }
            left -= 1
            bench.simulation.perform(
                .open(product: contract.product, symbol: contract.symbol, side: .long, quantity: Fixed(2)),
                uid: bench.uid(name), atNs: bench.nowNs)
            return .open
        }
    }

    private func single(_ name: String) -> FaultFleet {
        FaultFleet(
            bitget: name.hasPrefix("bitget") ? 1 : 0, okx: name.hasPrefix("okx") ? 1 : 0,
            bingx: name.hasPrefix("bingx") ? 1 : 0)
    }

    @Test(
        "F52: a leg that a bot opens without end is closed rounds times more, counted and told",
        arguments: FaultFleet.names)
    func reopened(name: String) throws {
        let bench = FaultBench(single(name).configuration())
        try bot(bench, name, times: 100)
        try bench.play()
        // Where positions have ids, each opening is a leg of its own that goes on counting.
        let leg = try #require(try bench.report().legs.last)
        #expect(leg.state == .residual, "\(bench.reasons)")
        #expect(leg.reason?.contains("opened again") == true && leg.reopened == 4, "\(leg.reopened)")
        // The first close and three rounds (`verify.rounds`). At OKX each opening has a position id of its own, so no close
        // meets one that is still running there (okx.md §7, #7), and none is asked again.
        #expect(bench.mutations(name).count == 4, "\(bench.mutations(name).map(\.code))")
        #expect(bench.outcomes(name).map(\.outcome.effect) == Array(repeating: .executed, count: 4))
        #expect(try bench.report().run.exitCode == 10)
    }

    @Test("F52: a leg that comes back once is closed again and proven flat", arguments: FaultFleet.names)
    func reopenedOnce(name: String) throws {
        let bench = FaultBench(single(name).configuration())
        try bot(bench, name, times: 1)
        try bench.play()
        let legs = try bench.report().legs
        let reopened = legs.map(\.reopened).max()
        #expect(legs.allSatisfy { $0.state == .flat } && reopened == 1, "\(bench.reasons)")
        #expect(bench.open(name).isEmpty)
        #expect(bench.mutations(name).count == 2)
    }

    @Test(
        "F54: hedge mode where the plan's file knows nothing of it: both sides are closed by what the rows say",
        arguments: FaultFleet.names)
    func hedge(name: String) throws {
        var fleet = FaultFleet(
            bitget: name.hasPrefix("bitget") ? 1 : 0, okx: name.hasPrefix("okx") ? 1 : 0,
            bingx: name.hasPrefix("bingx") ? 1 : 0, hedge: true)
        let venue = try #require(SimulatedVenue(rawValue: String(name.prefix { $0 != "-" })))
        let contract = try #require(FaultFleet.contracts[venue])
        fleet.position(name, contract.symbol, product: contract.product, side: .short)
        let bench = FaultBench(fleet.configuration())
        try bench.play()
        #expect(try bench.report().run.exitCode == 0, "\(bench.reasons)")
        #expect(bench.open(name).isEmpty)
        try bench.expectHonest()
    }

    @Test(
        "F55: a success with failure rows, and a position in neither list, are read again and closed",
        arguments: [SymbolFailure.Form.row, .omitted])
    func failureRows(form: SymbolFailure.Form) throws {
        var fleet = FaultFleet(bitget: 1)
        fleet.position("bitget-001", "SOLUSDT")
        let bench = FaultBench(
            fleet.configuration { $0.switches.failures = ["SOLUSDT": SymbolFailure(form, code: "45001", times: 1)] })
        try bench.play()
        #expect(try bench.report().run.exitCode == 0, "\(bench.reasons)")
        #expect(bench.open("bitget-001").isEmpty)
    }

    private func isPositions(_ passing: FaultBench.Passing) -> Bool {
        ["all-position", "account/positions", "user/positions"].contains { passing.path.hasSuffix($0) }
    }

    @Test(
        "F56: reads that are stale for ten seconds give no false flat and no second close", arguments: FaultFleet.names)
    func staleReads(name: String) throws {
        let fleet = FaultFleet(
            bitget: name.hasPrefix("bitget") ? 1 : 0, okx: name.hasPrefix("okx") ? 1 : 0,
            bingx: name.hasPrefix("bingx") ? 1 : 0)
        let bench = FaultBench(fleet.configuration { $0.readLagMs = 10_000 })
        try bench.play()
        try bench.expectHonest()
        #expect(bench.open(name).isEmpty)
        let state = try bench.account(name).state
        #expect([.flat, .residual].contains(state), "\(bench.reasons)")
    }

    @Test("F56: a reply that is older than its request is no read, whatever it shows")
    func oldReplies() throws {
        let bench = FaultBench(single("bitget-001").configuration())
        let old = FaultBench.wallStart - 5_000
        bench.road = { passing in
            guard isPositions(passing), passing.atMs < 5_000, !bench.mutations("bitget-001").isEmpty else {
                return .open
            }
            let text = #"{"code":"00000","msg":"success","requestTime":\#(old),"data":[]}"#
            return .answered(.text(200, text))
        }
        try bench.play()
        let reads = bench.durable.compactMap { if case .observed(let read) = $0.event { read.receivedAt } else { nil } }
        let since = Instant(nanoseconds: FaultBench.startNs + 5_000_000_000)
        #expect(reads.count >= 2 && reads.allSatisfy { $0 >= since }, "\(reads)")
        #expect(try bench.report().run.exitCode == 0, "\(bench.reasons)")
    }

    static let empty = [
        "bitget-001": #"{"code":"00000","msg":"success","requestTime":1700000000000,"data":[]}"#,
        "okx-001": #"{"code":"0","msg":"","data":[]}"#, "bingx-001": #"{"code":0,"msg":"","data":[]}"#,
    ]

    @Test(
        "F56: position reads that show nothing although something is open never end as flat",
        arguments: FaultFleet.names)
    func cachedEmpty(name: String) throws {
        let fleet = FaultFleet(
            bitget: name.hasPrefix("bitget") ? 1 : 0, okx: name.hasPrefix("okx") ? 1 : 0,
            bingx: name.hasPrefix("bingx") ? 1 : 0)
        let text = try #require(Self.empty[name])
        let bench = FaultBench(fleet.configuration())
        bench.road = { isPositions($0) ? .answered(.text(200, text)) : .open }
        try bench.play()
        let account = try bench.account(name)
        let isFalse = account.state == .flat || account.state == .alreadyFlat
        #expect(!isFalse, "\(bench.reasons)")
        #expect(bench.open(name).count == 1)
    }

    @Test("F57: two rows of one position in one reply make it no read", arguments: FaultFleet.names)
    func duplicateRows(name: String) throws {
        let fleet = FaultFleet(
            bitget: name.hasPrefix("bitget") ? 1 : 0, okx: name.hasPrefix("okx") ? 1 : 0,
            bingx: name.hasPrefix("bingx") ? 1 : 0)
        let bench = FaultBench(fleet.configuration())
        bench.road = { passing in
            guard isPositions(passing) else { return .open }
            return .rewritten { reply in
                let text = String(decoding: reply.body, as: UTF8.self)
                guard let open = text.firstIndex(of: "["), let close = text.lastIndex(of: "]"),
                    text.index(after: open) < close
                else { return reply }
                let rows = text[text.index(after: open)..<close]
                var twice = reply
                twice.body = Array((text[...open] + rows + "," + rows + text[close...]).utf8)
                return twice
            }
        }
        try bench.play()
        #expect(try bench.account(name).state == .unknown, "\(bench.reasons)")
        #expect(bench.mutations(name).isEmpty)
    }

    @Test("protective orders stay until the close is proven; orphans are swept then")
    func protective() throws {
        var fleet = FaultFleet(bitget: 1)
        let slot = try #require(fleet.slots["bitget-001"])
        fleet.builder.plan(slot, "ETHUSDT", type: "pos_loss", leg: .long, closes: true, size: .zero)
        let bench = FaultBench(fleet.configuration { $0.switches.attachedTriggersRemain = true })
        try bench.play()
        let routes = bench.mutations("bitget-001").map(\.route)
        let close = routes.firstIndex { $0.hasSuffix("close-positions") }
        let sweep = routes.firstIndex { $0.contains("cancel") }
        #expect(try bench.report().run.exitCode == 0, "\(bench.reasons)")
        #expect(close != nil && (sweep.map { $0 > (close ?? 0) } ?? false), "\(routes)")
    }

    @Test("F57: pages without end are given up, delay no close and end the read")
    func endlessPages() throws {
        var fleet = FaultFleet(okx: 1)
        let slot = try #require(fleet.slots["okx-001"])
        let id = fleet.builder.resting(
            slot, "ETH-USDT-SWAP", product: "SWAP", leg: .long, closes: false, size: Fixed(1))
        var served = 0
        let bench = FaultBench(fleet.configuration(), plan: .whole { $0.guards.deadline = .seconds(120) })
        bench.road = { passing in
            guard passing.path.hasSuffix("orders-pending") else { return .open }
            return .rewritten { reply in
                let text = String(decoding: reply.body, as: UTF8.self)
                guard let open = text.firstIndex(of: "["), let close = text.lastIndex(of: "]"),
                    text.index(after: open) < close
                else { return reply }
                // Each page with another id, all larger than the real one, so that something always comes after it.
                served += 1
                let row = text[text.index(after: open)..<close].replacing(
                    id, with: "\(9_000_000_000_000_000_000 - served)")
                var full = reply
                full.body = Array((text[...open] + row + text[close...]).utf8)
                return full
            }
        }
        try bench.play()
        let pages = bench.sent.count { $0.path.hasSuffix("orders-pending") }
        // Five hundred a look: the first, one before each of three sweeps, and the last.
        #expect(pages == 2_500, "\(pages) pages")
        let looks = bench.sent.count { $0.path.hasSuffix("orders-pending") && !$0.query.contains("after=") }
        #expect(looks == 5, "\(looks) looks")
        let close = try #require(bench.sent.first { $0.path.hasSuffix("close-position") })
        #expect(close.atMs < 3_000)
        #expect(bench.open("okx-001").isEmpty && bench.end != nil)
        try bench.expectHonest()
    }
}
