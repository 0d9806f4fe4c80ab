import ExchangeSimulator
import FlatbookCore
import Testing

/// Orders of every kind that each exchange knows (`reliability.md` §1.5; contract §3, Openers).
@Suite("Resting orders of every kind", .serialized)
struct OrderKindTests {
    private static let settings: [PlanDocument.Orders] = [.cancelOpeners, .cancelAll, .keep]

    @Test(
        "one that opens is cancelled before the close, or told as remaining", arguments: OrderKind.opening, settings)
    func opening(kind: OrderKind, orders: PlanDocument.Orders) throws {
        let stage = try OrderStage(kind, closes: false, orders: orders)
        #expect(stage.remaining == 1)
        try stage.bench.play()
        try stage.bench.expectHonest()
        let account = try stage.bench.account(kind.account)
        #expect(account.state == .flat, "\(stage.bench.reasons)")
        guard orders != .keep, kind.mayCancel else {
            #expect(stage.remaining == 1 && account.openersRemain == 1)
            #expect(stage.cancels == 0)
            return
        }
        #expect(stage.remaining == 0 && account.openersRemain == 0)
        let (cancel, close) = (try #require(stage.firstCancel), try #require(stage.firstClose))
        #expect(cancel < close && stage.cancels == 1)
    }

    @Test("TP/SL stay until the close is proven and are swept then", arguments: OrderKind.stops, settings)
    func stops(kind: OrderKind, orders: PlanDocument.Orders) throws {
        try expectSweep(of: kind, orders, isSwept: orders != .keep)
    }

    @Test(
        "other orders that close go only where all of the selection is to go, and after the proof",
        arguments: OrderKind.closing, settings)
    func closing(kind: OrderKind, orders: PlanDocument.Orders) throws {
        try expectSweep(of: kind, orders, isSwept: orders == .cancelAll)
    }

    private func expectSweep(of kind: OrderKind, _ orders: PlanDocument.Orders, isSwept: Bool) throws {
        let stage = try OrderStage(kind, closes: true, orders: orders)
        #expect(stage.remaining == 1)
        try stage.bench.play()
        try stage.bench.expectHonest()
        let account = try stage.bench.account(kind.account)
        #expect(account.state == .flat, "\(stage.bench.reasons)")
        // Nothing that can only close counts as what can open.
        #expect(account.openersRemain == 0)
        guard isSwept, kind.mayCancel else {
            #expect(stage.remaining == 1 && stage.cancels == 0)
            return
        }
        #expect(stage.remaining == 0 && stage.cancels == 1)
        #expect(stage.readsBeforeSweep >= 2 && stage.readsAfterSweep >= 1)
    }

    @Test(
        "a leg that cannot be closed keeps what protects it, also where everything is to go",
        arguments: OrderKind.stops,
        [PlanDocument.Orders.cancelOpeners, .cancelAll])
    func unproven(kind: OrderKind, orders: PlanDocument.Orders) throws {
        let stage = try OrderStage(kind, closes: true, orders: orders) {
            // Acknowledged, and nothing happens.
            let failure = [kind.contract.symbol: SymbolFailure(.omitted)]
            $0.switches.failures = failure
            $0.okx.failures = failure
            $0.bingx.failures = failure
        }
        try stage.bench.play()
        #expect(try stage.bench.account(kind.account).state == .residual, "\(stage.bench.reasons)")
        #expect(stage.bench.open(kind.account).count == 1 && stage.firstClose != nil)
        #expect(stage.remaining == 1 && stage.cancels == 0)
    }

    @Test("TP/SL of a leg that we did not close stay, unless everything is to go", arguments: OrderKind.stops)
    func foreign(kind: OrderKind) throws {
        for orders in [PlanDocument.Orders.cancelOpeners, .cancelAll] {
            let stage = try OrderStage(kind, closes: true, orders: orders, hasPosition: false)
            try stage.bench.play()
            #expect(try stage.bench.account(kind.account).state == .alreadyFlat, "\(stage.bench.reasons)")
            let stays = orders == .cancelOpeners || !kind.mayCancel
            #expect(stage.remaining == (stays ? 1 : 0), "\(orders)")
        }
    }

    @Test("a list that can never be read is no proof that nothing in it opens", arguments: OrderKind.opening)
    func unreadable(kind: OrderKind) throws {
        let stage = try OrderStage(kind, closes: false)
        stage.failList()
        try stage.bench.play()
        try stage.bench.expectHonest()
        #expect(stage.remaining == 1 && stage.cancels == 0)
        let account = try stage.bench.account(kind.account)
        // Positions decide; of the orders it says that nobody knows.
        #expect(account.state == .flat && stage.bench.open(kind.account).isEmpty, "\(stage.bench.reasons)")
        #expect(account.reason?.contains("orders") == true, "\(account.reason ?? "no reason")")
    }

    @Test(
        "an order that was seen counts until its cancel is answered or its list is read again",
        arguments: OrderKind.opening, [true, false])
    func unreadableLater(kind: OrderKind, isAnswered: Bool) throws {
        let stage = try OrderStage(kind, closes: false)
        stage.failList(after: 1, mutingCancels: !isAnswered)
        try stage.bench.play()
        try stage.bench.expectHonest()
        let account = try stage.bench.account(kind.account)
        #expect(account.state == .flat, "\(stage.bench.reasons)")
        #expect(account.openersRemain == (isAnswered && kind.mayCancel ? 0 : 1))
        #expect(account.reason?.contains("orders") == true, "\(account.reason ?? "no reason")")
        #expect(stage.remaining == (kind.mayCancel ? 0 : 1))
    }

    @Test(
        "under keep the count waits for lists that are slow, and says where they cannot be read",
        arguments: [true, false])
    func slowUnderKeep(isReadable: Bool) throws {
        for kind in OrderKind.opening where kind.place == .book {
            let stage = try OrderStage(kind, closes: false, orders: .keep)
            let path = kind.list.path
            stage.bench.road = { passing in
                guard passing.path.hasSuffix(path) else { return .open }
                return isReadable ? .delayed(out: 4_500, back: 0) : .answered(.text(500, "<html>"))
            }
            try stage.bench.play()
            let account = try stage.bench.account(kind.account)
            #expect(account.state == .flat, "\(stage.bench.reasons)")
            #expect(account.openersRemain == (isReadable ? 1 : 0), "\(kind.testDescription)")
            #expect((account.reason == nil) == isReadable, "\(account.reason ?? "no reason")")
            #expect(stage.remaining == 1 && stage.cancels == 0)
        }
    }
}
