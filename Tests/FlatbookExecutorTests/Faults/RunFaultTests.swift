import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import Testing

@Suite("Faults around a run: bans, legs that move by themselves, files that change", .serialized)
struct RunFaultTests {
    private func single(_ name: String) -> FaultFleet {
        FaultFleet(
            bitget: name.hasPrefix("bitget") ? 1 : 0, okx: name.hasPrefix("okx") ? 1 : 0,
            bingx: name.hasPrefix("bingx") ? 1 : 0)
    }

    @Test("F14: a box with an end in its text is respected to the millisecond, and the account is closed after it")
    func namedBan() throws {
        let until = FaultBench.wallStart + 30_000
        let text =
            #"{"code":100410,"msg":"code:100410:The endpoint trigger frequency limit rule is currently in the disabled period and will be unblocked after \#(until)","data":{}}"#
        let bench = FaultBench(single("bingx-001").configuration())
        bench.road = { $0.isMutation && $0.ordinal == 1 ? .answered(.text(200, text)) : .open }
        try bench.play()
        let closes = bench.sent.filter(\.isMutation)
        #expect(closes.count == 2 && (closes.last?.atMs ?? 0) >= 30_000, "\(closes.map(\.atMs))")
        #expect(bench.durable.contains { if case .penalty = $0.event { true } else { false } })
        #expect(try bench.report().run.exitCode == 0, "\(bench.reasons)")
    }

    @Test(
        "F17: where somebody else uses half of the limits, refusals are counted, told and survived",
        arguments: ["bitget-001", "okx-001"])
    func foreignTraffic(name: String) throws {
        var fleet = single(name)
        if name == "okx-001" { fleet.position(name, "SOL-USDT-SWAP", product: "SWAP") }
        let bench = FaultBench(fleet.configuration())
        bench.road = { passing in
            guard passing.account != nil, passing.ordinal % 4 == 2 else { return .open }
            let code = name == "okx-001" ? "50011" : "429"
            return .answered(.text(429, #"{"code":"\#(code)","msg":"Too Many Requests","data":[],"requestTime":1}"#))
        }
        try bench.play()
        let report = try bench.report()
        #expect(report.run.exitCode == 0, "\(bench.reasons)")
        #expect(report.totals.rateLimitRejections > 0)
    }

    @Test(
        "F48: a leg that the exchange takes away just before our close ends flat, and nothing is opened",
        arguments: FaultFleet.names)
    func takenAway(name: String) throws {
        var fleet = single(name)
        let venue = try #require(SimulatedVenue(rawValue: String(name.prefix { $0 != "-" })))
        let contract = try #require(FaultFleet.contracts[venue])
        fleet.script(name, .beforeClose(1), .remove(product: contract.product, symbol: contract.symbol))
        let bench = FaultBench(fleet.configuration())
        try bench.play()
        let leg = try #require(try bench.report().legs.first)
        #expect(leg.state == .flat && leg.closedBy != "us", "\(leg.state) \(leg.closedBy ?? "-")")
        try bench.expectHonest()
    }

    @Test("F49: a close that fills only half is made again for what is open then", arguments: ["okx-001", "bingx-001"])
    func partialFill(name: String) throws {
        let bench = FaultBench(
            single(name).configuration {
                $0.okx.partialSymbols = ["ETH-USDT-SWAP"]
                $0.okx.remainder = .cancelled
                $0.bingx.bandSymbols = ["ETH-USDT"]
            })
        try bench.play()
        #expect(try bench.report().run.exitCode == 0, "\(bench.reasons)")
        #expect(bench.open(name).isEmpty && bench.mutations(name).count == 2)
        try bench.expectHonest()
    }

    @Test("F66: a run goes by its journaled plan, whatever the file says when it is resumed")
    func editedPlan() throws {
        var fleet = FaultFleet(bitget: 1)
        fleet.position("bitget-001", "SOLUSDT")
        let first = FaultBench(
            fleet.configuration(), plan: .whole { $0.symbols = [Pattern("*"), Pattern("!SOL/USDT:USDT")] })
        first.signals = [(100, "SIGTERM")]
        try first.play()
        guard case .interrupted = first.end else {
            Issue.record("ended with \(String(describing: first.end))")
            return
        }
        let second = FaultBench(fleet.configuration(), plan: .whole())
        second.follow(first)
        try second.play(resuming: first.durable)
        #expect(second.open("bitget-001") == ["SOLUSDT long"], "\(second.reasons)")
        #expect(try second.report().run.exitCode == 0)
    }
}
