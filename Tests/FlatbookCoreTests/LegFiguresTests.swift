import FlatbookCore
import Foundation
import Testing

@Suite("Average price, slippage, fee and profit of a leg")
struct LegFiguresTests {
    private static func number(_ text: String) -> Amount { (try? Amount(text)) ?? Amount(-1) }

    private static func fill(
        _ quantity: String, at price: String, order: String = "1", trade: String? = nil, fee: String = "0.5",
        coin: String? = "USDT", profit: String? = "-2", side: Side? = .long, instrument: String = "BTCUSDT"
    ) -> Execution {
        Execution(
            orderID: order, tradeID: trade, instrument: instrument, side: side, quantity: number(quantity),
            turnover: try? number(quantity).multiplied(by: number(price)),
            fees: [CoinAmount(number(fee), coin: coin)], realizedPnl: profit.map(number), isFinal: trade == nil)
    }

    /// One leg of size 1 with the mark at 100, closed by order 1; the fills as they were read.
    private func leg(
        _ fills: [Execution], orders: [String] = ["1"], effect: Effect = .executed, mark: String? = "100"
    ) throws -> RunReport.LegRow {
        var story = Story()
        let row = Position(
            key: story.long, symbol: "BTC/USDT:USDT", quantity: Amount(1), notional: Amount(100),
            markPrice: mark.map(Self.number), mode: .oneWay)
        story.add(
            .snapshot(
                AccountSnapshot(
                    account: "a", positions: [row], read: ["USDT-FUTURES"], orders: [], sentAt: story.now,
                    receivedAt: story.now, serverTime: nil, digest: "d")))
        story.intend("a/1")
        let outcome = Outcome(effect: effect, errorClass: effect == .unknown ? .unknown : .ok, orderIDs: orders)
        story.add(
            .outcome(
                CallResult(
                    id: "a/1", account: "a", outcome: outcome, sentAt: story.now, answeredAt: story.now,
                    serverTime: nil, deadAt: effect == .unknown ? story.now + .milliseconds(1) : nil)))
        story.wait(1500)
        story.observe([])
        if effect == .unknown {
            story.add(
                .resolved(CallResolution(id: "a/1", account: "a", verdict: .executed, evidence: "gone")))
        }
        story.wait(1500)
        story.observe([])
        story.wait(1500)
        story.observe([])
        story.add(
            .accountEnded(
                AccountVerdict(account: "a", state: .flat, legs: [.init(key: story.long, state: .flat)])))
        if !fills.isEmpty {
            story.add(.executed(AccountExecutions(account: "a", orders: Execution.byOrder(fills))))
        }
        let report = ReportBuilder(try story.fold(), journalHead: "h").report()
        return try #require(report?.legs.first)
    }

    @Test("trades of our order are weighed by their sizes; a worse price than the mark is positive")
    func figures() throws {
        let row = try leg([Self.fill("0.25", at: "99", trade: "t1"), Self.fill("0.75", at: "98", trade: "t2")])
        #expect(row.averagePrice == Self.number("98.25"))
        #expect(row.slippageBps == Self.number("175"))
        #expect(row.fee == Amount(1))
        #expect(row.realizedPnl == Amount(-4))
        #expect(row.state == .flat && row.closedBy == "us" && row.proof.count == 2)
    }

    @Test(
        "what is missing, foreign or could be read in two ways gives no figure",
        arguments: [
            // A trade is not listed yet.
            [Self.fill("0.25", at: "99", trade: "t1")],
            // More than the leg held.
            [Self.fill("1.5", at: "99", trade: "t1")],
            // Another order.
            [Self.fill("1", at: "99", order: "2")],
            // Another instrument, or the other side, under our order's id.
            [Self.fill("1", at: "99", instrument: "ETHUSDT")], [Self.fill("1", at: "99", side: .short)],
            // The same trade twice, and differently.
            [Self.fill("1", at: "99", trade: "t1"), Self.fill("1", at: "98", trade: "t1")],
            // Totals and a trade of one order.
            [Self.fill("0.5", at: "99"), Self.fill("0.5", at: "99", trade: "t1")],
            [],
        ])
    func nothing(fills: [Execution]) throws {
        let row = try leg(fills)
        #expect(row.averagePrice == nil && row.slippageBps == nil && row.fee == nil && row.realizedPnl == nil)
        #expect(row.state == .flat)
    }

    @Test("each figure stands for itself: a fee in another coin, no profit or no mark leave the others")
    func partly() throws {
        let foreign = try leg([Self.fill("1", at: "99", coin: "BGB")])
        #expect(foreign.fee == nil && foreign.averagePrice == Amount(99) && foreign.realizedPnl == Amount(-2))
        let unnamed = try leg([Self.fill("1", at: "99", coin: nil)])
        #expect(unnamed.fee == Self.number("0.5"), "the margin's coin")
        let silent = try leg([Self.fill("1", at: "99", profit: nil)])
        #expect(silent.realizedPnl == nil && silent.fee == Self.number("0.5"))
        let markless = try leg([Self.fill("1", at: "99")], mark: nil)
        #expect(markless.slippageBps == nil && markless.averagePrice == Amount(99))
    }

    @Test("the same row on two pages counts once")
    func twice() throws {
        let trade = Self.fill("1", at: "99", trade: "t1")
        #expect(try leg([trade, trade]).averagePrice == Amount(99))
    }

    @Test(
        "the totals of an order count whatever the size was, an order that the only close names and nobody lists does not matter"
    )
    func totals() throws {
        #expect(try leg([Self.fill("0.7", at: "99")]).averagePrice == Amount(99))
        #expect(try leg([Self.fill("0.7", at: "99")], orders: ["1", "9"]).averagePrice == nil)
        #expect(try leg([Self.fill("1", at: "99")], orders: ["1", "9"]).averagePrice == Amount(99))
    }

    @Test("a close whose answer was lost has no figures, for nothing names its order")
    func lost() throws {
        #expect(try leg([Self.fill("1", at: "99")], orders: [], effect: .unknown).averagePrice == nil)
    }

    @Test(
        "quotients are rounded half away from zero",
        arguments: [
            ("1", "3", 4, "0.3333"), ("2", "3", 4, "0.6667"), ("-2", "3", 4, "-0.6667"), ("1", "8", 2, "0.13"),
            ("-1", "8", 2, "-0.13"), ("10", "4", 0, "3"), ("98250.4", "1", 18, "98250.4"), ("0", "7", 2, "0"),
            ("1", "0", 2, nil), ("99999999999999999999", "0.00000000000000001", 18, nil),
        ] as [(String, String, Int, String?)])
    func quotient(dividend: String, divisor: String, decimals: Int, quotient: String?) {
        let found = Self.number(dividend).divided(by: Self.number(divisor), decimals: decimals)
        #expect(found?.description == quotient)
    }

    @Test("entries of a journal written before fills were read open and fold as they are")
    func oldEntries() throws {
        let old = [
            #"{"at":5,"epoch":1,"event":{"controlled":{"account":"a","products":["USDT-FUTURES"]}},"run":"r","wall":7}"#,
            #"{"at":5,"epoch":1,"event":{"outcome":{"_0":{"id":"a/1","account":"a","answeredAt":5,"outcome":"#
                + #"{"effect":"executed","errorClass":"ok","code":"0","message":"","orderIDs":["1"],"rows":[]}}}},"#
                + #""run":"r","wall":7}"#,
            #"{"at":5,"epoch":1,"event":{"accountEnded":{"_0":{"account":"a","state":"flat","legs":[],"#
                + #""openersRemain":0}}},"run":"r","wall":7}"#,
        ]
        for text in old {
            let entry = try JSONDecoder().decode(JournalEntry.self, from: Data(text.utf8))
            let again = try JSONDecoder().decode(JournalEntry.self, from: try JSONEncoder().encode(entry))
            #expect(again == entry)
        }
        let row = try leg([])
        #expect(row.state == .flat && row.averagePrice == nil)
    }

    @Test("fills of an account without a verdict, and after the end of the run, are refused")
    func order() throws {
        var story = Story()
        story.snapshot([story.long])
        story.add(.executed(AccountExecutions(account: "a", orders: [])))
        #expect(throws: InvariantViolation.self) { try story.fold() }
    }
}
