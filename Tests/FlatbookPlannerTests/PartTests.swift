import FlatbookCore
import FlatbookPlanner
import Testing

@Suite("Closes in parts")
struct PartTests {
    private static let parts =
        bitgetMethods + [
            CloseMethod(
                operation: order, reach: .leg, isSized: true, modes: [.hedge], guaranteesSide: true, isForParts: true)
        ]

    private func calls(
        _ positions: [Position], inParts: [Position] = [], alone: [Position] = [], cap: Int? = nil,
        sides: [Side] = [.long, .short], methods: [CloseMethod] = parts, outside: [Position] = []
    ) -> (calls: [CloseCall], unclosable: [UnclosableLeg]) {
        var account = planned("a", positions, sides: sides, methods: methods, outside: outside)
        for row in positions { account.sizes[row.key] = SizeLimit(cap: cap.map { Amount($0) }, step: Amount(1)) }
        account.inParts = Set(inParts.map(\.key))
        account.alone = Set(alone.map(\.key))
        var planner = FlatteningPlanner()
        return planner.add(account)
    }

    @Test("a leg in parts goes by an order of the cap, its neighbours by calls that leave it alone")
    func part() {
        let (long, short) = (position("a", "BTCUSDT", .long), position("a", "BTCUSDT", .short))
        let other = position("a", "ETHUSDT", .long)
        let made = calls([long, short, other], inParts: [long], cap: 1).calls
        let sized = made.filter(\.method.isSized)
        #expect(sized.map(\.legs) == [[long.key]] && sized.first?.quantity == Amount(1))
        #expect(made.filter { !$0.method.isSized }.flatMap(\.legs).sorted() == [short.key, other.key].sorted())
        #expect(made.allSatisfy { $0.method.isSized || $0.method.reach < .product })
        #expect(!made.contains { $0.method.reach == .symbol && $0.instrument == "BTCUSDT" })
    }

    @Test("the order for parts is used for nothing else")
    func onlyForParts() {
        let row = position("a", "BTCUSDT", .long)
        #expect(calls([row], cap: 1).calls.map(\.method.operation) == [flash])
        let twin = position("a", "BTCUSDT", .long, margin: .isolated)
        // The other margin mode of the side must stay open: no whole close is exact, and none is replaced by an order.
        let refused = calls([row], cap: 1, methods: Self.parts.filter { $0.reach < .symbol }, outside: [twin])
        #expect(refused.calls.isEmpty && refused.unclosable.map(\.key) == [row.key])
    }

    @Test("a sized close never asks for more than the cap, also where only one side is selected")
    func oneSide() {
        let row = position("a", "BTCUSDT", .long, mode: .oneWay)
        let made = calls([row], cap: 1, sides: [.long]).calls
        #expect(made.map(\.quantity) == [Amount(1)] && made.first?.method.guaranteesSide == true)
        #expect(calls([row], cap: 5, sides: [.long]).calls.map(\.quantity) == [Amount(2)])
    }

    @Test("a leg that goes alone goes by the narrowest reach, and the wide call leaves it out")
    func alone() {
        let rows = [position("a", "BTCUSDT", .long), position("a", "ETHUSDT", .long)]
        let made = calls(rows, alone: [rows[0]]).calls
        #expect(made.map(\.method.reach).sorted() == [.side, .symbol])
        #expect(made.allSatisfy { $0.legs.count == 1 })
    }

    @Test("where no order is safe or none fits, the leg is named with the reason")
    func unclosable() {
        let row = position("a", "BTCUSDT", .long)
        let none = calls([row], inParts: [row], cap: 1, methods: bitgetMethods)
        #expect(none.calls.isEmpty)
        #expect(none.unclosable.first?.reason.contains("no order of this account") == true)
        var account = planned("a", [row], methods: Self.parts)
        account.inParts = [row.key]
        account.sizes[row.key] = SizeLimit(cap: Amount(1), step: Amount(5))
        var planner = FlatteningPlanner()
        let unfit = planner.add(account)
        #expect(unfit.calls.isEmpty)
        #expect(unfit.unclosable.first?.reason.contains("no order fits") == true)
    }
}
