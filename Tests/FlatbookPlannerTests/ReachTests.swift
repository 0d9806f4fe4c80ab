import FlatbookCore
import FlatbookPlanner
import Testing

@Suite struct ReachTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var symbols = ["*"]
        var sides: [Side] = [.long, .short]
        var mode = PositionMode.hedge
        var granularity = PlanDocument.Granularity.auto
        var legByLeg = false
        var expected: [String]
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "everything goes by product", expected: ["product USDT-FUTURES"]),
        Case(name: "everything in one-way mode goes by product", mode: .oneWay, expected: ["product USDT-FUTURES"]),
        Case(
            name: "an exclusion forbids the product", symbols: ["*", "!DOGE/USDT:USDT"],
            expected: ["symbol BTCUSDT", "symbol ETHUSDT"]),
        Case(
            name: "names forbid the product", symbols: ["BTC/USDT:USDT", "ETH/USDT:USDT"], mode: .oneWay,
            expected: ["symbol BTCUSDT", "symbol ETHUSDT"]),
        Case(
            name: "one side goes by side in hedge mode", sides: [.long],
            expected: ["side BTCUSDT long", "side ETHUSDT long"]),
        Case(
            name: "one side goes by reduce-only order in one-way mode", sides: [.long], mode: .oneWay,
            expected: ["leg BTCUSDT long", "leg ETHUSDT long"]),
        Case(
            name: "granularity symbol narrows", granularity: .symbol, expected: ["symbol BTCUSDT", "symbol ETHUSDT"]),
        Case(
            name: "granularity side narrows", granularity: .side, expected: ["side BTCUSDT long", "side ETHUSDT long"]),
        Case(
            name: "granularity side in one-way mode is an order", mode: .oneWay, granularity: .side,
            expected: ["leg BTCUSDT long", "leg ETHUSDT long"]),
        Case(
            name: "granularity account never widens", symbols: ["*", "!DOGE/USDT:USDT"], granularity: .account,
            expected: ["symbol BTCUSDT", "symbol ETHUSDT"]),
        Case(name: "granularity account is the product", granularity: .account, expected: ["product USDT-FUTURES"]),
        Case(name: "leg by leg in hedge mode", legByLeg: true, expected: ["side BTCUSDT long", "side ETHUSDT long"]),
        Case(
            name: "leg by leg in one-way mode", mode: .oneWay, legByLeg: true,
            expected: ["leg BTCUSDT long", "leg ETHUSDT long"]),
    ]

    @Test("The widest method within the selection is used", arguments: cases)
    func methods(_ example: Case) {
        var planner = FlatteningPlanner()
        let rows = ["BTCUSDT", "ETHUSDT"].map { position("a", $0, .long, mode: example.mode) }
        let (calls, unclosable) = planner.add(
            planned(
                "a", rows, symbols: example.symbols, sides: example.sides, granularity: example.granularity,
                legByLeg: example.legByLeg))
        #expect(calls.map { "\($0.method.reach) \($0.target)" } == example.expected)
        #expect(unclosable == [])
    }

    @Test func aSideThatNoMethodGuaranteesIsNotClosed() {
        var planner = FlatteningPlanner()
        let row = position("a", "BTCUSDT", .long, mode: .oneWay)
        let methods = Array(bitgetMethods.dropLast())
        let (calls, unclosable) = planner.add(planned("a", [row], sides: [.long], methods: methods))
        #expect(calls == [])
        #expect(unclosable == [UnclosableLeg(key: row.key, reason: "side cannot be guaranteed")])
    }

    @Test func aListedLegIsNotClosedTogetherWithAnUnlistedOne() {
        var planner = FlatteningPlanner()
        let listed = position("a", "BTCUSDT", .long)
        let other = position("a", "BTCUSDT", .long, margin: .isolated)
        let (calls, unclosable) = planner.add(planned("a", [listed], legByLeg: true, outside: [other]))
        #expect(calls == [])
        #expect(unclosable.map(\.key) == [listed.key])
        let both = planner.add(planned("a", [listed, other], legByLeg: true))
        #expect(both.calls.map(\.legs.count) == [2])
    }

    @Test func aSizedCallCarriesItsQuantity() throws {
        var planner = FlatteningPlanner()
        let row = position("a", "BTCUSDT", .short, mode: .oneWay)
        let call = try #require(planner.add(planned("a", [row], sides: [.short])).calls.first)
        #expect(call.quantity == Amount(2))
        #expect(call.side == .short)
        #expect(call.marginMode == .cross)
        #expect(call.marginCurrency == "USDT")
    }

    @Test("No call can reach a position outside the selection", arguments: 0..<300)
    func nothingOutside(seed: Int) {
        var random = Seeded(state: UInt64(seed))
        let names = ["BTCUSDT", "ETHUSDT", "DOGEUSDT"]
        let modes: [PositionMode] = [.oneWay, .hedge]
        let mode = modes[Int.random(in: 0..<2, using: &random)]
        let lists = [["*"], ["BTC/*"], ["*", "!ETH/USDT:USDT"], ["bitget:DOGEUSDT"], ["*:USDT"]]
        let sideLists: [[Side]] = [[.long], [.short], [.long, .short]]
        let symbols = lists[Int.random(in: 0..<lists.count, using: &random)]
        let sides = sideLists[Int.random(in: 0..<3, using: &random)]
        let selection = SymbolSelection(patterns: symbols.map { Pattern($0) }, sides: sides)
        let all = names.flatMap { name in
            Side.allCases.map { side in position("a", name, side, mode: mode) }
        }
        let exchange = ExchangeID("bitget")
        let open = all.filter { _ in Bool.random(using: &random) }.filter { selection.selects($0, exchange: exchange) }
        let granularities: [PlanDocument.Granularity] = [.auto, .side, .symbol, .account]
        let legByLeg = Bool.random(using: &random)
        var planner = FlatteningPlanner()
        let (calls, unclosable) = planner.add(
            planned(
                "a", open, symbols: symbols, sides: sides,
                granularity: granularities[Int.random(in: 0..<4, using: &random)], legByLeg: legByLeg))
        for call in calls {
            for possible in all where reaches(call, possible) {
                #expect(selection.selects(possible, exchange: exchange), "seed \(seed): \(call.target)")
                if legByLeg { #expect(call.legs.contains(possible.key), "seed \(seed): \(call.target)") }
            }
        }
        // Every leg exactly once.
        #expect((calls.flatMap(\.legs) + unclosable.map(\.key)).sorted() == open.map(\.key).sorted(), "seed \(seed)")
        #expect(unclosable == [], "seed \(seed)")
    }

    /// What the exchange would close, written down anew: the whole product, an instrument, or one side of it. A call that
    /// does not guarantee its side closes a net position whatever its side is by then.
    private func reaches(_ call: CloseCall, _ row: Position) -> Bool {
        guard let instrument = call.instrument else { return true }
        guard row.key.instrument == instrument else { return false }
        return call.method.guaranteesSide ? row.key.side == call.side : true
    }
}
