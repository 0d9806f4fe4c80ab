import Foundation
import Testing

/// One exchange is slow to answer at first: the others go on without it (decision 23), and nothing false is said of it.
@Suite struct SlowExchangeTests {
    @Test(
        "patterns of an exchange that has not answered yet are no mistake, and hold once it has",
        arguments: ["!bitget:BTCUSDT", "!bitget:ETH*", "!bitget:*USDT"])
    func patternsOfTheSlow(pattern: String) async throws {
        try await Desk.open(fleet: "bitget=2,okx=1,bingx=1", positions: 3) { desk in
            let passing = AnswerFault(description: "none", end: .keepOpen) { body, _ in
                AnswerFault.head("200 OK", ["content-type: application/json"], length: body.count) + body
            }
            let relay = try FaultyRelay(to: desk.port, passing, silence: 3.5)
            defer { relay.stop() }
            try desk.replace(
                "accounts/simulated.yaml", "exchange: bitget,",
                "exchange: bitget, endpoint: \"http://127.0.0.1:\(relay.port)\",")
            let plan = try desk.plan(symbols: "[\"*\", \"\(pattern)\"]")
            let outcome = try await desk.flatbook("run", plan, "--yes", "--progress", "none")
            #expect(outcome.code == 0, "\(outcome.all)")
            let state = try await desk.state()
            let name = pattern.drop { $0 != ":" }.dropFirst()
            let kept = state.positions.filter { Self.matches($0.symbol, String(name)) && $0.name.hasPrefix("bitget") }
            #expect(kept.count == state.positions.count, "\(state.positions)")
            #expect(try desk.report().accounts.allSatisfy { ["flat", "already-flat"].contains($0.state) })
        }
    }

    private static func matches(_ symbol: String, _ pattern: String) -> Bool {
        if pattern.hasPrefix("*") { return symbol.hasSuffix(pattern.dropFirst()) }
        if pattern.hasSuffix("*") { return symbol.hasPrefix(pattern.dropLast()) }
        return symbol == pattern
    }
}
