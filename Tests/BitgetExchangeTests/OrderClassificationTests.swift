import BitgetExchange
import ExchangeKit
import FlatbookCore
import Testing

@Suite("Bitget's resting orders")
struct OrderClassificationTests {
    struct Case: Sendable, CustomStringConvertible {
        var list = "normal/live"
        var fields: String
        var side: Side
        var effect: RestingOrder.Effect
        var kind = "normal"
        var description: String { "\(list): \(fields)" }
    }

    private static let oneWay = #""posMode":"one_way_mode","posSide":"net","#
    private static let hedge = #""posMode":"hedge_mode","#

    static let cases = [
        Case(fields: oneWay + #""side":"buy","tradeSide":"buy_single","reduceOnly":"NO""#, side: .long, effect: .opens),
        Case(
            fields: oneWay + #""side":"sell","tradeSide":"sell_single","reduceOnly":"NO""#, side: .short, effect: .opens
        ),
        Case(
            fields: oneWay + #""side":"buy","tradeSide":"buy_single","reduceOnly":"YES""#, side: .short, effect: .closes
        ),
        Case(
            fields: oneWay + #""side":"sell","tradeSide":"sell_single","reduceOnly":"yes""#, side: .long,
            effect: .closes),
        Case(fields: oneWay + #""side":"sell","tradeSide":"close","reduceOnly":"NO""#, side: .short, effect: .opens),
        Case(fields: oneWay + #""side":"sell""#, side: .short, effect: .opens),
        Case(fields: hedge + #""posSide":"long","side":"buy","tradeSide":"open""#, side: .long, effect: .opens),
        Case(
            fields: hedge + #""posSide":"short","side":"sell","tradeSide":"open","reduceOnly":"NO""#, side: .short,
            effect: .opens),
        Case(fields: hedge + #""posSide":"long","side":"sell","tradeSide":"close""#, side: .long, effect: .closes),
        Case(fields: hedge + #""posSide":"long","side":"buy","tradeSide":"close""#, side: .long, effect: .closes),
        Case(fields: hedge + #""posSide":"short","side":"buy","tradeSide":"close""#, side: .short, effect: .closes),
        Case(fields: hedge + #""posSide":"","side":"buy","tradeSide":"close""#, side: .long, effect: .closes),
        Case(fields: hedge + #""side":"sell","tradeSide":"open""#, side: .short, effect: .opens),
        // `reduceOnly` means nothing in hedge mode.
        Case(
            fields: hedge + #""posSide":"long","side":"buy","tradeSide":"open","reduceOnly":"YES""#, side: .long,
            effect: .opens),
        Case(fields: hedge + #""posSide":"long","side":"buy","tradeSide":"novelty""#, side: .long, effect: .opens),
        Case(
            fields: hedge + #""posSide":"long","side":"sell","tradeSide":"reduce_close_long""#, side: .long,
            effect: .closes),
        Case(
            fields: hedge + #""posSide":"short","side":"buy","tradeSide":"burst_close_short""#, side: .short,
            effect: .closes),
        Case(fields: oneWay + #""side":"buy","tradeSide":"dte_sys_adl_buy_single""#, side: .short, effect: .closes),
        Case(
            list: "normal_plan",
            fields: #""planType":"normal_plan","# + hedge + #""posSide":"long","side":"buy","tradeSide":"open""#,
            side: .long, effect: .opens, kind: "normal_plan"),
        Case(
            list: "normal_plan",
            fields: #""planType":"normal_plan","# + oneWay + #""side":"sell","tradeSide":"sell_single""#, side: .short,
            effect: .opens, kind: "normal_plan"),
        Case(
            list: "normal_plan", fields: #""planType":"normal_plan","# + oneWay + #""side":"sell","reduceOnly":"YES""#,
            side: .long, effect: .closes, kind: "normal_plan"),
        Case(
            list: "track_plan",
            fields: #""planType":"track_plan","# + hedge + #""posSide":"short","side":"buy","tradeSide":"close""#,
            side: .short, effect: .closes, kind: "track_plan"),
        Case(
            list: "track_plan", fields: hedge + #""posSide":"short","side":"buy","tradeSide":"open""#, side: .short,
            effect: .opens, kind: "track_plan"),
        Case(
            list: "profit_loss", fields: #""planType":"pos_loss","# + hedge + #""posSide":"long","side":"sell""#,
            side: .long, effect: .closes, kind: "pos_loss"),
        Case(
            list: "profit_loss", fields: #""planType":"moving_plan","# + oneWay + #""side":"buy","reduceOnly":"NO""#,
            side: .short, effect: .closes, kind: "moving_plan"),
        Case(
            list: "profit_loss", fields: #""planType":"brand_new","# + oneWay + #""side":"sell""#, side: .long,
            effect: .closes, kind: "profit_loss"),
    ]

    private func page(_ rows: [String], endID: String = "null") -> VenueReply {
        reply(
            #"{"code":"00000","requestTime":1,"data":{"entrustedList":[\#(rows.joined(separator: ","))],"endId":\#(endID)}}"#
        )
    }

    private func orders(_ list: String, _ reply: VenueReply, cursor: String? = nil) -> ReadResult {
        bitget.answer(
            to: .orders(product: usdt, list: list, cursor: cursor), in: reply, account: account(),
            instruments: InstrumentBook([Instrument(nativeID: "BTCUSDT", symbol: "BTC/USDT:USDT", product: usdt)]))
    }

    @Test("are told into openers and closers, with the side they touch", arguments: cases)
    func classified(row: Case) {
        let body = #"{"symbol":"btcusdt","orderId":"1190384645049036801","marginCoin":"usdt","# + row.fields + "}"
        #expect(
            orders(row.list, page([body]))
                == .answer(
                    .orders(
                        [
                            RestingOrder(
                                id: "1190384645049036801", product: usdt, instrument: "BTCUSDT",
                                symbol: "BTC/USDT:USDT", side: row.side, effect: row.effect, list: row.kind,
                                protective: row.list == "profit_loss", marginCurrency: "USDT")
                        ], next: nil)))
    }

    private func fullPage(_ count: Int, endID: String) -> VenueReply {
        page(
            (0..<count).map { #"{"symbol":"BTCUSDT","orderId":"\#($0)","side":"buy","posSide":"net"}"# }, endID: endID)
    }

    @Test("are paged until a short page")
    func paging() {
        for (count, next) in [(99, nil), (100, "0"), (101, "0")] as [(Int, String?)] {
            guard case .answer(.orders(let rows, let cursor)) = orders("normal/live", fullPage(count, endID: "\"0\""))
            else {
                Issue.record("no answer for \(count) rows")
                continue
            }
            #expect(rows.count == count && cursor == next)
        }
    }

    @Test("prove nothing where a full page does not say how to go on", arguments: ["null", "\"\"", "\"7\"", "{}"])
    func noNextPage(endID: String) {
        let result = orders("normal/live", fullPage(100, endID: endID), cursor: "7")
        #expect(failure(result)?.code == "malformed-reply")
    }

    @Test(
        "prove nothing where a row cannot be read",
        arguments: [
            #"{"symbol":"BTCUSDT","orderId":"1","posSide":"net"}"#,
            #"{"symbol":"BTCUSDT","orderId":"1","side":"hold"}"#, #"{"symbol":"BTCUSDT","side":"buy"}"#,
            #"{"symbol":"","orderId":"1","side":"buy"}"#, #"{"orderId":"1","side":"buy"}"#, "null", "[]", "1",
            #"{"symbol":"BTCUSDT","orderId":{},"side":"buy"}"#, #"{"symbol":"BTCUSDT","orderId":"1","side":true}"#,
            #"{"symbol":"A","orderId":"1","side":"buy"},{"symbol":"A","orderId":"1","side":"buy"}"#,
        ])
    func malformedRow(row: String) {
        #expect(failure(orders("normal/live", page([row])))?.code == "malformed-reply")
    }
}
