import BitgetExchange
import ExchangeKit
import FlatbookCore
import FlatbookTestKit
import Testing

private let since = WallTime(milliseconds: 1_767_685_000_000)
private let until = WallTime(milliseconds: 1_767_685_381_615)

private func query(_ product: String = usdt, order: String? = nil, cursor: String? = nil) -> ExecutionQuery {
    ExecutionQuery(product: product, orderID: order, since: since, until: until, cursor: cursor)
}

private let trades = Read.executions(query())
private let copies = Read.executions(query(copyUSDT))
private let detail = Read.executions(query(order: "1190384645049036801"))
let everyFillRead = [trades, copies, detail]

/// Shapes of `bitget.md` §3.3, §3.6 and §3.10; ids and amounts are invented there.
@Suite("What Bitget says that was filled")
struct FillTests {
    private static func trade(_ changes: (String, String)...) -> String {
        var row =
            #"{"tradeId":"77","symbol":"BTCUSDT","orderId":"1120923953904893955","price":"98250.4","baseVolume":"0.5","#
            + #""quoteVolume":"49125.2","profit":"-12.5","side":"buy","tradeSide":"close","posMode":"hedge_mode","#
            + #""tradeScope":"taker","feeDetail":[{"feeCoin":"USDT","deduction":"no","totalDeductionFee":"0","#
            + #""totalFee":"-29.47512"}],"cTime":"1767685381600"}"#
        for (old, new) in changes { row = row.replacing(old, with: new) }
        return row
    }

    private static func page(_ rows: String..., end: String = #""77""#) -> VenueReply {
        reply(
            #"{"code":"00000","msg":"success","requestTime":1767685381615,"data":{"fillList":[\#(rows.joined(separator: ","))],"#
                + #""endId":\#(end)}}"#)
    }

    private static func lines(_ read: Read, _ reply: VenueReply, of owner: Account = account()) -> [String]? {
        guard case .answer(let found) = answer(read, reply, of: owner) else { return nil }
        return ContractText.lines(found)
    }

    @Test(
        "reads a trade of a close in either mode, and none of anything else",
        arguments: [
            (
                [], ["1120923953904893955 77 BTCUSDT long 0.5 at 98250.4 fee 29.47512 USDT pnl -12.5"]
            ),
            (
                [(#""side":"buy","tradeSide":"close""#, #""side":"buy","tradeSide":"buy_single""#)],
                ["1120923953904893955 77 BTCUSDT short 0.5 at 98250.4 fee 29.47512 USDT pnl -12.5"]
            ),
            (
                [(#""deduction":"no""#, #""deduction":"yes""#)],
                ["1120923953904893955 77 BTCUSDT long 0.5 at 98250.4 fee - pnl -12.5"]
            ),
            (
                [(#""totalFee":"-29.47512""#, #""totalFee":"3""#)],
                ["1120923953904893955 77 BTCUSDT long 0.5 at 98250.4 fee -3 USDT pnl -12.5"]
            ),
            (
                [(#""profit":"-12.5""#, #""profit":"""#)],
                ["1120923953904893955 77 BTCUSDT long 0.5 at 98250.4 fee 29.47512 USDT pnl -"]
            ),
            (
                [(#""price":"98250.4""#, #""price":"0""#)],
                ["1120923953904893955 77 BTCUSDT long 0.5 at - fee 29.47512 USDT pnl -12.5"]
            ),
            ([(#""tradeSide":"close""#, #""tradeSide":"burst_close_long""#)], []),
            ([(#""tradeSide":"close""#, #""tradeSide":"open""#)], []),
            ([(#""baseVolume":"0.5""#, #""baseVolume":"0""#)], []),
        ] as [([(String, String)], [String])])
    func readsTrade(changes: [(String, String)], means: [String]) {
        var row = Self.trade()
        for (old, new) in changes {
            #expect(row.contains(old))
            row = row.replacing(old, with: new)
        }
        #expect(Self.lines(trades, Self.page(row)) == means)
    }

    @Test(
        "an odd trade makes the page no answer",
        arguments: [
            (#""price":"98250.4""#, #""price":"-1""#), (#""baseVolume":"0.5""#, #""baseVolume":"-0.5""#),
            (#""baseVolume":"0.5""#, #""baseVolume":"half""#), (#""side":"buy""#, #""side":"both""#),
            (#""orderId":"1120923953904893955","#, ""), (#""tradeId":"77","#, ""), (#""symbol":"BTCUSDT","#, ""),
            (#""totalFee":"-29.47512""#, #""totalFee":"much""#), (#""profit":"-12.5""#, #""profit":"x""#),
        ])
    func oddTrade(old: String, new: String) {
        #expect(failure(answer(trades, Self.page(Self.trade(), Self.trade((old, new)))))?.code == "malformed-reply")
    }

    @Test("an empty list is null, and only a full page has another one behind it")
    func pages() {
        let empty = reply(#"{"code":"00000","msg":"success","data":{"fillList":null,"endId":null}}"#)
        #expect(Self.lines(trades, empty) == [])
        #expect(failure(answer(trades, reply(#"{"code":"00000","msg":"success","data":{}}"#))) != nil)
        let rows = (1...100).map { Self.trade((#""tradeId":"77""#, #""tradeId":"\#($0)""#)) }.joined(separator: ",")
        #expect(Self.lines(trades, Self.page(rows))?.last == "next 77")
        let second = Read.executions(query(cursor: "77"))
        #expect(Self.lines(second, Self.page(rows))?.last?.hasPrefix("next") == false, "the same page again")
        let request = bitget.request(for: second, account: account())
        #expect(
            request.rawQuery
                == "idLessThan=77&limit=100&productType=USDT-FUTURES&startTime=1767685000000")
    }

    @Test("a closed copy names its closing order and its price, nothing more")
    func copied() {
        let row =
            #"{"trackingNo":"500","traderId":"8","closeOrderId":"900","symbol":"ETHUSDT","posSide":"short","#
            + #""closeAvgPrice":"3412.5","closeSize":"2","closeTime":"1767685381600"}"#
        func page(_ row: String) -> VenueReply {
            reply(#"{"code":"00000","msg":"success","data":{"trackingList":[\#(row)],"endId":"500"}}"#)
        }
        #expect(
            Self.lines(copies, page(row), of: follower)
                == ["900 500 ETHUSDT short of 500 2 at 3412.5 fee - pnl -"])
        #expect(
            Self.lines(copies, page(row.replacing(#""closeTime":"1767685381600""#, with: #""closeTime":"0""#))) == [])
        #expect(failure(answer(copies, page(row.replacing(#""trackingNo":"500","#, with: "")))) != nil)
        #expect(bitget.request(for: copies, account: follower).path.hasSuffix("mix-follower/query-history-orders"))
    }

    private static let order =
        #"{"category":"USDT-FUTURES","symbol":"BTCUSDT","orderId":"1190384645049036801","qty":"0.5","cumExecQty":"0.5","#
        + #""cumExecValue":"49125.2","avgPrice":"98250.4","orderStatus":"filled","orderType":"market","side":"sell","#
        + #""totalProfit":"-12.5","feeDetail":[{"feeCoin":"USDT","fee":"-29.4"}],"updatedTime":"1767685381600"}"#

    @Test(
        "a unified order tells its totals once it is over, its fee under either sign",
        arguments: [
            ("", "", ["1190384645049036801 BTCUSDT long 0.5 at 98250.4 fee 29.4 USDT pnl -12.5 final"]),
            (
                #""fee":"-29.4""#, #""fee":"29.4""#,
                ["1190384645049036801 BTCUSDT long 0.5 at 98250.4 fee 29.4 USDT pnl -12.5 final"]
            ),
            (
                #""orderType":"market""#, #""orderType":"limit""#,
                ["1190384645049036801 BTCUSDT long 0.5 at 98250.4 fee - pnl -12.5 final"]
            ),
            (#""orderStatus":"filled""#, #""orderStatus":"partially_filled""#, []),
            (#""cumExecQty":"0.5""#, #""cumExecQty":"0""#, []),
        ])
    func unifiedOrder(old: String, new: String, means: [String]) {
        let body = old.isEmpty ? Self.order : Self.order.replacing(old, with: new)
        let data = reply(#"{"code":"00000","msg":"success","data":\#(body)}"#)
        #expect(Self.lines(detail, data, of: unified) == means)
        let other = reply(#"{"code":"00000","msg":"success","data":\#(body.replacing("036801", with: "036802"))}"#)
        #expect(failure(answer(detail, other, of: unified)) != nil, "the answer to another order")
    }

    @Test("asks once for a product, once for a unified order, and nothing of an answer that names no order")
    func reads() {
        func closed(_ call: CloseCall, _ ids: [String]) -> ExecutedClose { ExecutedClose(call: call, orderIDs: ids) }
        let plain = [closed(close(.product), ["1", "2"]), closed(close(.symbol), ["3"])]
        #expect(bitget.executionReads(of: plain, since: since, until: until, account: account()) == [query()])
        let both = plain + [closed(followerClose(number: "5"), ["4"])]
        #expect(
            bitget.executionReads(of: both, since: since, until: until, account: follower)
                == [query(), query(copyUSDT)])
        #expect(
            bitget.executionReads(
                of: [closed(unifiedClose(.product), ["1", "2"])], since: since, until: until, account: unified)
                == [query(order: "1"), query(order: "2")])
        #expect(
            bitget.executionReads(of: [closed(close(.product), [])], since: since, until: until, account: account())
                .isEmpty)
    }
}
