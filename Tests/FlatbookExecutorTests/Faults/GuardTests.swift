import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import Testing

@Suite("Deadline, afterDeadline and maxFailures, as the contract writes them", .serialized)
struct GuardTests {
    private func chain() -> FaultFleet {
        var fleet = FaultFleet(bitget: 1)
        for symbol in ["SOLUSDT", "XRPUSDT", "BNBUSDT", "ADAUSDT", "LTCUSDT"] { fleet.position("bitget-001", symbol) }
        return fleet
    }

    @Test(
        "a deadline that falls on the very millisecond of a call keeps it back; one later lets it go",
        arguments: [0, 2] as [Int64])
    func edge(after: Int64) throws {
        let free = FaultBench(chain().configuration(), plan: .whole { $0.granularity = .symbol })
        try free.play()
        let calls = free.intents("bitget-001").count
        let third = try #require(
            free.durable.filter { if case .intent = $0.event { true } else { false } }.dropFirst(2).first)
        let deadline = (third.at.nanoseconds - FaultBench.startNs) / 1_000_000 + after
        let bench = FaultBench(
            chain().configuration(),
            plan: .whole {
                $0.granularity = .symbol
                $0.guards.deadline = .milliseconds(deadline)
            })
        try bench.play()
        #expect(calls == 6 && bench.mutations("bitget-001").count == (after == 0 ? 2 : 3))
        #expect(try bench.report().run.exitCode == 15)
    }

    @Test("afterDeadline: continue closes all, and the run still ends with 15")
    func continues() throws {
        let bench = FaultBench(
            chain().configuration(),
            plan: .whole {
                $0.granularity = .symbol
                $0.guards.deadline = .milliseconds(1_500)
                $0.guards.afterDeadline = .continue
            })
        try bench.play()
        let report = try bench.report()
        #expect(bench.open("bitget-001").isEmpty && report.run.exitCode == 15 && report.run.status == "deadline")
        #expect(report.accounts.first?.state == .flat)
    }

    /// So many of five accounts get an answer that no table has.
    private func unmapped(_ count: Int, of accounts: Int, percent: Int) throws -> FaultBench {
        let bench = FaultBench(
            FaultFleet(bitget: accounts).configuration(), plan: .whole { $0.guards.maxFailuresPercent = percent })
        let odd = Set((1...accounts).prefix(count).map { "bitget-00\($0)" })
        bench.road = { passing in
            // The others come later, so that they are new when the odd answers are known.
            guard let name = passing.account else { return .open }
            if !odd.contains(name), !passing.isMutation, passing.ordinal == 1 { return .delayed(out: 0, back: 400) }
            guard odd.contains(name), passing.isMutation else { return .open }
            return .answered(.text(400, #"{"code":"49999","msg":"?","data":null,"requestTime":1}"#))
        }
        try bench.play()
        return bench
    }

    @Test("maxFailures at its edge: more than the share of at least five accounts pauses those that have not begun")
    func maxFailures() throws {
        let paused = try unmapped(2, of: 5, percent: 20)
        let states = try (3...5).map { try paused.account("bitget-00\($0)").state }
        #expect(states == [.refused, .refused, .refused], "\(paused.reasons)")
        #expect(paused.warnings.contains { $0.contains("maxFailures") })
        for (count, accounts, percent) in [(1, 5, 20), (2, 5, 40), (2, 4, 20)] {
            let bench = try unmapped(count, of: accounts, percent: percent)
            for index in (count + 1)...accounts {
                let state = try bench.account("bitget-00\(index)").state
                #expect(state == .flat, "\(count) of \(accounts), \(percent) %: \(bench.reasons)")
            }
        }
    }

    @Test("maxFailures counts neither timeouts nor 5xx")
    func maxFailuresIgnoresTrouble() throws {
        let bench = FaultBench(
            FaultFleet(bitget: 5).configuration(), plan: .whole { $0.guards.maxFailuresPercent = 20 })
        bench.road = { passing in
            if !passing.isMutation, passing.ordinal == 1, passing.account?.hasSuffix("005") == true {
                return .delayed(out: 0, back: 400)
            }
            return passing.isMutation && passing.ordinal == 1 ? .rewritten { _ in .text(502, "<html>") } : .open
        }
        try bench.play()
        #expect(try bench.report().run.exitCode == 0, "\(bench.reasons)")
        #expect(!bench.warnings.contains { $0.contains("maxFailures") })
    }
}
