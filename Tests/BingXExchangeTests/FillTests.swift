import BingXExchange
import ExchangeKit
import FlatbookCore
import FlatbookTestKit
import Testing

private let since = WallTime(milliseconds: 1_790_000_000_000)
private let until = WallTime(milliseconds: 1_790_000_005_000)

private func query(_ product: String = "swap", _ instrument: String? = nil, order: String? = nil) -> ExecutionQuery {
    ExecutionQuery(product: product, instrument: instrument, orderID: order, since: since, until: until)
}

/// The order object of `bingx.md` §3.2; ids are bare numbers beyond 2^53.
@Suite("What BingX says that was filled")
struct FillTests {
    private static let order =
        #"{"symbol":"BTC-USDT","orderId":1735924831603391122,"side":"SELL","positionSide":"LONG","type":"MARKET","#
        + #""origQty":"0.5","executedQty":"0.5","avgPrice":"98241.2","profit":"-12.5","commission":"-24.5603","#
        + #""status":"FILLED","updateTime":1790000001104,"clientOrderId":"","positionID":1792480725958881280}"#
    private static let means =
        "1735924831603391122 BTC-USDT long of 1792480725958881280 0.5 at 98241.2 fee 24.5603 pnl -12.5 final"

    private static func lines(_ query: ExecutionQuery, _ data: String) -> [String]? {
        guard case .answer(let found) = answer(.executions(query), success(data)) else { return nil }
        return ContractText.lines(found)
    }

    @Test(
        "reads the totals of an order that is over, in a list and alone",
        arguments: [
            ("", "", means), (#""positionSide":"LONG""#, #""positionSide":"BOTH""#, means),
            (
                #""side":"SELL","positionSide":"LONG""#, #""side":"Bid","positionSide":"BOTH""#,
                means.replacing(" long ", with: " short ")
            ),
            (#""commission":"-24.5603""#, #""commission":"24.5603""#, means.replacing("fee 24.5603", with: "fee -")),
            (#""commission":"-24.5603""#, #""commission":"""#, means.replacing("fee 24.5603", with: "fee -")),
            (#""profit":"-12.5""#, #""profit":"""#, means.replacing("pnl -12.5", with: "pnl -")),
            (#""status":"FILLED""#, #""status":"PARTIALLY_FILLED""#, nil),
            (#""executedQty":"0.5""#, #""executedQty":"0""#, nil),
        ] as [(String, String, String?)])
    func totals(old: String, new: String, means: String?) {
        #expect(old.isEmpty || Self.order.contains(old))
        let row = old.isEmpty ? Self.order : Self.order.replacing(old, with: new)
        let expected = [means].compactMap(\.self)
        #expect(Self.lines(query(), #"{"orders":[\#(row)]}"#) == expected)
        #expect(Self.lines(query("swap", "BTC-USDT", order: "1735924831603391122"), #"{"order":\#(row)}"#) == expected)
        #expect(Self.lines(query("cswap", order: "1735924831603391122"), #"{"order":\#(row)}"#) == expected)
    }

    @Test(
        "an odd order, or the order of another question, is no answer",
        arguments: [
            (#""side":"SELL","positionSide":"LONG""#, #""side":"UP","positionSide":"BOTH""#),
            (#""positionSide":"LONG""#, #""positionSide":"UP""#), (#""executedQty":"0.5""#, #""executedQty":"-1""#),
            (#""avgPrice":"98241.2""#, #""avgPrice":"-1""#), (#""commission":"-24.5603""#, #""commission":"x""#),
            (#""orderId":1735924831603391122,"#, ""), (#""status":"FILLED","#, ""),
            (#""orderId":1735924831603391122"#, #""orderId":1.735924831603391e18"#),
        ])
    func odd(old: String, new: String) {
        #expect(Self.order.contains(old))
        let row = Self.order.replacing(old, with: new)
        #expect(Self.lines(query(), #"{"orders":[\#(Self.order),\#(row)]}"#) == nil)
        #expect(Self.lines(query("swap", order: "1735924831603391122"), #"{"order":\#(row)}"#) == nil)
        #expect(Self.lines(query("swap", order: "1735924831603391123"), #"{"order":\#(Self.order)}"#) == nil)
    }

    @Test("no order yet is an empty answer, no list at all is none")
    func missing() {
        #expect(Self.lines(query("swap", order: "1"), #"{"order":null}"#) == [])
        #expect(Self.lines(query("swap", order: "1"), "{}") == nil)
        #expect(Self.lines(query(), #"{"orders":null}"#) == [])
        #expect(Self.lines(query(), "{}") == nil && Self.lines(query(), "[]") == nil)
    }

    @Test("asks for one order by its id, for several by the history, and coin-margined ones each")
    func reads() {
        func reads(_ closes: [(Mutation, [String])]) -> [ExecutionQuery] {
            bingx.executionReads(
                of: closes.compactMap { mutation, ids in
                    guard case .close(let call) = mutation else { return nil }
                    return ExecutedClose(call: call, orderIDs: ids)
                }, since: since, until: until, account: account())
        }
        #expect(reads([(closeSymbol, ["1"])]) == [query("swap", "BTC-USDT", order: "1")])
        #expect(reads([(closeAll, ["1"])]) == [query()], "its symbol is not known")
        #expect(reads([(closeAll, ["1", "2"]), (closeSymbol, ["3"])]) == [query()])
        #expect(reads([(closeCoin, ["7", "8"])]).map(\.orderID) == ["7", "8"])
        #expect(reads([(closeAll, [])]).isEmpty)
        let list = bingx.request(for: .executions(query()), account: account())
        #expect(list.path == "/openApi/swap/v2/trade/allOrders")
        #expect(list.rawQuery == "endTime=1790000005000&limit=1000&recvWindow=5000&startTime=1790000000000")
        let one = bingx.request(for: .executions(query("swap", "BTC-USDT", order: "1")), account: account())
        #expect(one.path == "/openApi/swap/v2/trade/order" && one.method == .get)
        #expect(one.rawQuery == "orderId=1&recvWindow=5000&symbol=BTC-USDT")
    }
}
