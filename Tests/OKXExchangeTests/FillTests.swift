import ExchangeKit
import FlatbookCore
import FlatbookTestKit
import OKXExchange
import Testing

private let since = WallTime(milliseconds: 1_790_000_000_000)
private let until = WallTime(milliseconds: 1_790_000_005_000)

private func query(_ product: String = "SWAP", cursor: String? = nil) -> ExecutionQuery {
    ExecutionQuery(product: product, since: since, until: until, cursor: cursor)
}

/// The order of `okx.md` §3.5, as the history lists it.
@Suite("What OKX says that was filled")
struct FillTests {
    private static let order =
        #"{"instType":"SWAP","instId":"BTC-USDT-SWAP","ordId":"680800019749904384","clOrdId":"flt1","ordType":"market","#
        + #""side":"buy","posSide":"net","tdMode":"cross","sz":"0.6","accFillSz":"0.6","avgPx":"60091.2","#
        + #""state":"filled","fee":"-0.18027","feeCcy":"USDT","rebate":"0","pnl":"-0.0536","category":"normal","#
        + #""uTime":"1790000001104"}"#

    private static func lines(_ reply: VenueReply, _ query: ExecutionQuery = query()) -> [String]? {
        let result = okx.answer(
            to: .executions(query), in: reply, account: account(), instruments: InstrumentBook())
        guard case .answer(let answer) = result else { return nil }
        return ContractText.lines(answer)
    }

    @Test(
        "reads the totals of a completed order, and nothing of any other",
        arguments: [
            (
                "", "",
                "680800019749904384 as flt1 BTC-USDT-SWAP short 0.6 at 60091.2 fee 0.18027 USDT pnl -0.0536 final"
            ),
            (
                #""posSide":"net""#, #""posSide":"long""#,
                "680800019749904384 as flt1 BTC-USDT-SWAP long 0.6 at 60091.2 fee 0.18027 USDT pnl -0.0536 final"
            ),
            (
                #""fee":"-0.18027""#, #""fee":"0.01""#,
                "680800019749904384 as flt1 BTC-USDT-SWAP short 0.6 at 60091.2 fee -0.01 USDT pnl -0.0536 final"
            ),
            (
                #""feeCcy":"USDT""#, #""feeCcy":"""#,
                "680800019749904384 as flt1 BTC-USDT-SWAP short 0.6 at 60091.2 fee - pnl -0.0536 final"
            ),
            (
                #""rebate":"0""#, #""rebate":"0.1""#,
                "680800019749904384 as flt1 BTC-USDT-SWAP short 0.6 at 60091.2 fee - pnl -0.0536 final"
            ),
            (
                #""pnl":"-0.0536""#, #""pnl":"""#,
                "680800019749904384 as flt1 BTC-USDT-SWAP short 0.6 at 60091.2 fee 0.18027 USDT pnl - final"
            ),
            (
                #""avgPx":"60091.2""#, #""avgPx":"""#,
                "680800019749904384 as flt1 BTC-USDT-SWAP short 0.6 at - fee 0.18027 USDT pnl -0.0536 final"
            ),
            (#""state":"filled""#, #""state":"partially_filled""#, nil),
            (#""accFillSz":"0.6""#, #""accFillSz":"0""#, nil),
            (#""category":"normal""#, #""category":"full_liquidation""#, nil),
        ] as [(String, String, String?)])
    func totals(old: String, new: String, means: String?) {
        #expect(old.isEmpty || Self.order.contains(old))
        let row = old.isEmpty ? Self.order : Self.order.replacing(old, with: new)
        #expect(Self.lines(list(row)) == [means].compactMap(\.self))
    }

    @Test(
        "an odd order makes the page no answer",
        arguments: [
            (#""side":"buy""#, #""side":"both""#), (#""posSide":"net""#, #""posSide":"up""#),
            (#""accFillSz":"0.6""#, #""accFillSz":"-0.6""#), (#""avgPx":"60091.2""#, #""avgPx":"-1""#),
            (#""ordId":"680800019749904384","#, ""), (#""instType":"SWAP""#, #""instType":"FUTURES""#),
            (#""fee":"-0.18027""#, #""fee":"x""#), (#""state":"filled","#, ""),
        ])
    func odd(old: String, new: String) {
        #expect(Self.lines(list(Self.order, Self.order.replacing(old, with: new))) == nil)
    }

    @Test("a full page has another one behind it, and each instrument type is asked once")
    func pages() {
        #expect(Self.lines(list()) == [])
        let rows = (1...100).map { Self.order.replacing("680800019749904384", with: String($0)) }
        #expect(Self.lines(list(rows.joined(separator: ",")))?.last == "next 100")
        #expect(Self.lines(list(rows.joined(separator: ",")), query(cursor: "100"))?.last?.hasPrefix("next") == false)
        let request = okx.request(for: .executions(query(cursor: "100")), account: account())
        #expect(request.path == "/api/v5/trade/orders-history")
        #expect(request.rawQuery == "instType=SWAP&begin=1790000000000&after=100&limit=100")
        let closes = [close(), close("ETH-USDT-SWAP"), close("BTC-USDT", "MARGIN")].map {
            ExecutedClose(call: $0, orderIDs: [])
        }
        #expect(
            okx.executionReads(of: closes, since: since, until: until, account: account())
                == [query(), query("MARGIN")])
    }
}
