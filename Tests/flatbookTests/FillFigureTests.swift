import Foundation
import Testing

/// Average price, fee and profit of closes, through the real binary.
@Suite struct FillFigureTests {
    private struct Figures: Decodable {
        struct Leg: Decodable {
            var account: String
            var silo: String
            var state: String
            var closedBy: String?
            var averagePrice: String?
            var slippageBps: String?
            var fee: String?
            var realizedPnl: String?
            var markPrice: String?
        }
        var legs: [Leg]
    }

    @Test("a run over HTTP reports what its closes filled on each exchange, in JSON and in CSV")
    func reports() async throws {
        try await Desk.open(fleet: "bitget=1,bitget-copy=1,bitget-unified=1,okx=1,bingx=1", positions: 4) { desk in
            let outcome = try await desk.run()
            #expect(outcome.code == 0, "\(outcome.all)")
            let state = try await desk.state()
            #expect(state.rateLimitRejections == 0 && state.limitViolations == 0)
            let id = try desk.report().run.id
            let json = try desk.read("reports/\(id)/report.json")
            let legs = try JSONDecoder().decode(Figures.self, from: Data(json.utf8)).legs
            #expect(legs.count >= 5)
            for leg in legs where leg.closedBy == "us" {
                // The simulated market stands still: what is filled is the mark.
                #expect(leg.averagePrice != nil, "\(leg)")
                if leg.silo == "normal" {
                    #expect(leg.averagePrice == leg.markPrice && leg.slippageBps == "0", "\(leg)")
                    #expect(leg.realizedPnl != nil && leg.fee?.hasPrefix("-") == false, "\(leg)")
                }
            }
            let rows = try desk.read("reports/\(id)/legs.csv").split(separator: "\r\n")
            #expect(rows.count == legs.count + 1)
            let column = rows[0].split(separator: ",").firstIndex(of: "averagePrice")
            #expect(column != nil)
        }
    }

    @Test("a preview reads no fills")
    func preview() async throws {
        try await Desk.open(fleet: "okx=1", positions: 2) { desk in
            let outcome = try await desk.run("plans/all.yaml", "--dry-run")
            #expect(outcome.code == 0, "\(outcome.all)")
            #expect(try await desk.state().mutations == 0)
        }
    }
}
