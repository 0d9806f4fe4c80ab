import ExchangeKit
import FlatbookCore
import OKXExchange
import Testing

@Suite("OKX's resting orders")
struct OrderTests {
    private func row(_ members: String, id: String = "11", name: String = "ordId") -> String {
        #"{"instType":"SWAP","instId":"BTC-USDT-SWAP","\#(name)":"\#(id)",\#(members)}"#
    }

    private func only(_ members: String, list name: String = "pending") -> RestingOrder? {
        let idName = name == "pending" ? "ordId" : "algoId"
        let rows = orders(answer(readOrders(name), list(row(members, name: idName))))
        return rows?.count == 1 ? rows?.first : nil
    }

    @Test(
        "open or close, on the side of the position",
        arguments: [
            (#""side":"buy","posSide":"net","reduceOnly":"false""#, Side.long, RestingOrder.Effect.opens),
            (#""side":"sell","posSide":"net","reduceOnly":"false""#, .short, .opens),
            (#""side":"sell","posSide":"","reduceOnly":"""#, .short, .opens),
            (#""side":"buy","posSide":"net","reduceOnly":"true""#, .short, .closes),
            (#""side":"sell","posSide":"net","reduceOnly":true"#, .long, .closes),
            (#""side":"sell","posSide":"net","closeFraction":"1""#, .long, .closes),
            (#""side":"buy","posSide":"long","reduceOnly":"false""#, .long, .opens),
            (#""side":"sell","posSide":"long","reduceOnly":"false""#, .long, .closes),
            (#""side":"sell","posSide":"short""#, .short, .opens),
            (#""side":"buy","posSide":"short""#, .short, .closes),
        ])
    func effect(members: String, side: Side, effect: RestingOrder.Effect) {
        let order = only(members)
        #expect(order?.side == side && order?.effect == effect)
        #expect(order?.id == "11" && order?.list == "pending" && order?.protective == false)
        #expect(order?.symbol == "BTC/USDT:USDT")
    }

    @Test("protect a position only where they are TP/SL that close")
    func protective() {
        let closing = #""side":"sell","posSide":"net","reduceOnly":"true""#
        let opening = #""side":"sell","posSide":"net","reduceOnly":"false""#
        #expect(only(closing, list: "conditional,oco")?.protective == true)
        #expect(only(opening, list: "conditional,oco")?.protective == false)
        #expect(only(opening, list: "conditional,oco")?.effect == .opens)
        #expect(only(closing, list: "trigger")?.protective == false)
        // So no list holds nothing but TP/SL.
        #expect(okx.profile.protectiveLists.isEmpty)
        #expect(okx.partitions(of: account()).allSatisfy { $0.protectiveLists.isEmpty })
    }

    @Test("of spot, and of types that the options leave out, are passed over")
    func others() {
        let spot = #"{"instType":"SPOT","instId":"BTC-USDT","ordId":"11","side":"buy"}"#
        #expect(orders(answer(readOrders(), list(spot))) == [])
        let swap = list(row(#""side":"buy","posSide":"net""#))
        #expect(orders(answer(readOrders(), swap, of: account(types: ["MARGIN"]))) == [])
        #expect(orders(answer(readOrders(), swap, of: account(types: ["SWAP"])))?.count == 1)
    }

    private func next(_ result: ReadResult) -> String?? {
        guard case .answer(.orders(_, let next)) = result else { return nil }
        return .some(next)
    }

    @Test("come in pages until an empty one; a page that comes again is no read")
    func pages() {
        let page = list(
            row(#""side":"buy","posSide":"net""#, id: "12"), row(#""side":"buy","posSide":"net""#, id: "11"))
        #expect(next(answer(readOrders(), page)) == .some("11"))
        // A page of passed-over rows still has a successor.
        let spot = list(#"{"instType":"SPOT","instId":"BTC-USDT","ordId":"5","side":"buy"}"#)
        #expect(next(answer(readOrders(), spot)) == .some("5"))
        #expect(next(answer(readOrders(after: "11"), list())) == .some(nil))
        #expect(failure(answer(readOrders(after: "11"), page)) != nil)
    }

    @Test("of types that a site does not list are none; other lists fail then")
    func unlistedTypes() {
        for code in ["51000", "50016"] {
            for name in ["chase", "iceberg", "twap", "smart_iceberg"] {
                #expect(orders(answer(readOrders(name), refusal(code, status: 400))) == [])
                #expect(failure(answer(readOrders(name), refusal(code, status: 503))) != nil)
            }
            for name in ["pending", "conditional,oco", "trigger", "move_order_stop"] {
                #expect(failure(answer(readOrders(name), refusal(code, status: 400))) != nil)
            }
        }
        #expect(failure(answer(readOrders("chase"), refusal("50014", status: 400))) != nil)
    }

    @Test(
        "with a wrong field are no read",
        arguments: [
            #""side":"","posSide":"net""#, #""side":"hold","posSide":"net""#, #""posSide":"net""#,
            #""side":"buy","posSide":"both""#, #""side":"buy","posSide":[]"#, #""side":1"#,
        ])
    func wrong(members: String) { #expect(failure(answer(readOrders(), list(row(members)))) != nil) }

    @Test("without an id are no read")
    func noID() {
        for name in ["pending", "trigger"] {
            let bare = #"{"instType":"SWAP","instId":"BTC-USDT-SWAP","side":"buy","posSide":"net"}"#
            #expect(failure(answer(readOrders(name), list(bare))) != nil)
        }
    }
}
