import BitgetExchange
import ExchangeKit
import FlatbookCore
import Testing

@Suite("Positions that Bitget closed itself")
struct EndingTests {
    private let read = Read.endings(product: usdt)

    private func envelope(_ data: String) -> VenueReply { reply(#"{"code":"00000","requestTime":1,"data":\#(data)}"#) }

    @Test(
        "tradeSide tells whose order it was",
        arguments: [
            ("burst_close_long", "liquidation", Side.long), ("reduce_close_short", "liquidation", .short),
            ("dte_sys_adl_close_long", "adl", .long), ("delivery_close_short", "delivery", .short),
            ("burst_buy_single", "liquidation", nil), ("close", nil, nil), ("sell_single", nil, nil), ("", nil, nil),
        ] as [(String, String?, Side?)])
    func sides(word: String, by: String?, side: Side?) {
        let row = #"{"symbol":"BTCUSDT","posSide":"net","tradeSide":"\#(word)","cTime":"1790000000000","uTime":""}"#
        let answer = answer(read, envelope(#"{"entrustedList":[\#(row)],"endId":"1"}"#))
        guard case .answer(.endings(let endings)) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(endings.map(\.by.rawValue) == [by].compactMap(\.self))
        #expect(endings.first?.side == side)
        #expect(by == nil || endings.first?.at == WallTime(milliseconds: 1_790_000_000_000))
    }

    @Test("an empty list is an answer, a missing one is none")
    func lists() {
        #expect(answer(read, envelope(#"{"entrustedList":null,"endId":null}"#)) == .answer(.endings([])))
        guard case .failed = answer(read, envelope("{}")) else {
            Issue.record("an answer was read from nothing")
            return
        }
    }

    @Test("asks each plain product of a classic account, and nothing of a unified one")
    func reads() {
        let products: Set<String> = ["USDT-FUTURES", "COIN-FUTURES", "copy:USDT-FUTURES"]
        #expect(
            Bitget().endingReads(of: account(), products: products)
                == [.endings(product: "COIN-FUTURES"), .endings(product: "USDT-FUTURES")])
        #expect(Bitget().endingReads(of: unified, products: products).isEmpty)
    }
}
