import BingXExchange
import ExchangeKit
import FlatbookCore
import Testing

@Suite("BingX's replies")
struct ReadingTests {
    private let swap = Read.positions(product: "swap", cursor: nil)

    private func row(_ changes: [String: String?] = [:]) -> String {
        var fields: [String: String] = [
            "positionId": #""1792480725958881280""#, "symbol": #""BTC-USDT""#, "currency": #""USDT""#,
            "positionAmt": #""0.3""#, "availableAmt": #""0.1""#, "positionSide": #""LONG""#, "isolated": "false",
            "avgPrice": #""83.53""#, "markPrice": #""73.14""#, "positionValue": #""21.9""#, "onlyOnePosition": "false",
        ]
        for (name, value) in changes { fields[name] = value }
        return "{" + fields.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    private func rows(_ read: Read, _ texts: String...) -> [Position]? {
        guard case .answer(.positions(let rows, nil)) = answer(read, success("[" + texts.joined(separator: ",") + "]"))
        else { return nil }
        return rows
    }

    @Test("of positions give each position id as a leg of its own, exact beyond 2^53")
    func positions() throws {
        let read = try #require(
            rows(
                swap, row(), row(["positionId": "1792480725958881281"]),
                row(["positionId": "7", "positionSide": #""Short""#, "onlyOnePosition": "true", "isolated": "true"]),
                row(["positionId": "8", "positionAmt": #""0.000""#])))
        #expect(read.map(\.key.positionID) == ["1792480725958881280", "1792480725958881281", "7"])
        #expect(read.map(\.key.side) == [.long, .long, .short])
        #expect(read.map(\.mode) == [.hedge, .hedge, .oneWay])
        #expect(read.map(\.key.marginMode) == [.cross, .cross, .isolated])
        #expect(read.map(\.heldByOrders.description) == ["0.2", "0.2", "0.2"])
        #expect(read.map(\.notional.description) == ["21.9", "21.9", "21.9"])
        #expect(rows(swap) == [])
    }

    @Test("of coin-margined positions are worth their contracts")
    func coin() throws {
        let read = try #require(
            rows(
                .positions(product: "cswap", cursor: nil),
                row(["symbol": #""BTC-USD""#, "positionAmt": #""3""#, "currency": nil, "onlyOnePosition": nil])))
        #expect(read.map(\.notional.description) == ["300"])
        #expect(read.map(\.key.marginCurrency) == ["BTC"])
        #expect(read.map(\.symbol) == ["BTC/USD:BTC"])
    }

    @Test("of positions that are not whole are no reads, and never flat")
    func notFlat() {
        for data in ["null", "{}", #""""#, "0", "[null]", "[1]", "[[]]"] {
            #expect(failure(swap, success(data))?.code == "malformed-reply", "\(data)")
        }
        let wrong: [String: [String?]] = [
            "symbol": [nil, #""""#, "1.5e400x"], "positionAmt": [nil, #""x""#, "null", "true", #""-1""#],
            "positionSide": [nil, #""NET""#], "isolated": [nil, "1", #""maybe""#], "onlyOnePosition": ["1"],
            "positionId": ["1.79e18", "{}"], "availableAmt": [#""x""#], "markPrice": [#""-1""#],
        ]
        for (name, values) in wrong {
            for value in values { #expect(rows(swap, row([name: value])) == nil, "\(name): \(value ?? "missing")") }
        }
        #expect(rows(swap, row(), row()) == nil)
        #expect(rows(swap, row(), row(["positionId": nil]), row(["positionId": nil])) == nil)
        #expect(failure(swap, refusal("109500", "The current system is busy"))?.errorClass == .retry)
    }

    @Test(
        "of orders tell openers from closers",
        arguments: [
            (#""side":"SELL","positionSide":"LONG","type":"LIMIT""#, Side.long, RestingOrder.Effect.closes, false),
            (#""side":"BUY","positionSide":"LONG","type":"LIMIT""#, .long, .opens, false),
            (#""side":"BUY","positionSide":"SHORT","type":"STOP_MARKET""#, .short, .closes, true),
            (#""side":"SELL","positionSide":"SHORT","type":"TRIGGER_MARKET""#, .short, .opens, false),
            (#""side":"SELL","positionSide":"BOTH","type":"LIMIT""#, .short, .opens, false),
            (#""side":"SELL","positionSide":"BOTH","reduceOnly":true,"type":"LIMIT""#, .long, .closes, false),
            (#""side":"BUY","positionSide":"BOTH","closePosition":"true","type":"X""#, .short, .closes, true),
            (#""side":"SELL","positionSide":"BOTH","type":"TAKE_PROFIT_MARKET""#, .short, .opens, false),
            (#""side":"SELL","positionSide":"LONG","onlyOnePosition":true,"type":"LIMIT""#, .short, .opens, false),
        ])
    func orders(fields: String, side: Side, effect: RestingOrder.Effect, protective: Bool) {
        let read = Read.orders(product: "swap", list: "orders", cursor: nil)
        let text = #"{"orders":[{"orderId":1735924831603391122,"symbol":"BTC-USDT",\#(fields)}]}"#
        guard case .answer(.orders(let list, nil)) = answer(read, success(text)) else {
            Issue.record("no answer")
            return
        }
        #expect(list.map(\.id) == ["1735924831603391122"])
        #expect(list.map(\.side) == [side])
        #expect(list.map(\.effect) == [effect])
        #expect(list.map(\.protective) == [protective])
    }

    @Test("to a close of everything say what was closed")
    func closedAll() {
        let done = outcome(closeAll, success(#"{"success":[1727686766700486656,"1727686767048613889"],"failed":null}"#))
        #expect(done.effect == .executed && done.orderIDs == ["1727686766700486656", "1727686767048613889"])
        for data in [#"{"success":[],"failed":[]}"#, #"{"success":null,"failed":null}"#] {
            let flat = outcome(closeAll, success(data))
            #expect(flat.effect == Effect.none && flat.errorClass == .alreadyFlat)
        }
        for failed in ["[7]", #"["7"]"#, #"[{"positionId":"7","errCode":109500,"errorMsg":"busy"}]"#] {
            let partial = outcome(closeCoin, success(#"{"success":["1"],"failed":\#(failed)}"#))
            #expect(partial.effect == .partial && partial.rows.count == 2, "\(failed)")
            #expect(outcome(closeAll, success(#"{"success":null,"failed":\#(failed)}"#)).effect == .unknown)
        }
        let named = outcome(
            closeAll,
            success(#"{"success":[1],"failed":[{"symbol":"btc-usdt","errorCode":101212,"errorMessage":"x"}]}"#))
        #expect(named.rows.last?.instrument == "BTC-USDT" && named.rows.last?.errorClass == .conflict)
        for data in ["{}", "[]", "1", #"{"success":{}}"#, #"{"success":[{}]}"#, #"{"success":[1.5]}"#] {
            #expect(outcome(closeAll, success(data)).effect == .unknown, "\(data)")
        }
    }

    @Test("to a close of one position count only for that position")
    func closedOne() {
        let good = #"{"orderId":1770656007907930112,"positionId":"1769649551460794368","side":"Ask"}"#
        #expect(outcome(closeOne, success(good)).orderIDs == ["1770656007907930112"])
        for data in ["null", "{}", #"{"positionId":"1769649551460794368"}"#, #"{"orderId":1,"positionId":2}"#] {
            #expect(outcome(closeOne, success(data)).effect == .unknown, "\(data)")
        }
    }

    @Test("to cancels prove only what they name")
    func cancels() {
        let one = #"{"success":[{"orderId":1735924831603391122}],"failed":null}"#
        #expect(outcome(cancelTwo, success(one)).effect == .partial)
        #expect(outcome(cancelTwo, success(#"{"success":[{"orderId":9}]}"#)).effect == .unknown)
        #expect(outcome(cancelTwo, success(#"{"success":[],"failed":[]}"#)).effect == .unknown)
        #expect(outcome(cancelTWAP, success(#"{"mainOrderId":"5596903086063901779"}"#)).effect == .executed)
        #expect(outcome(cancelTWAP, success(#"{"mainOrderId":"1"}"#)).effect == .unknown)
        let several = outcome(cancel(["1", "2"], list: "twap"), success("{}"))
        #expect(several.effect == .partial && several.rows.map(\.errorClass) == [.ok, .retry])
    }

    @Test("that are cut at any byte, named twice or no JSON are never accepted")
    func hostile() {
        let whole = Array(#"{"code":0,"msg":"","data":{"success":[1727686766700486656],"failed":null}}"#.utf8)
        for length in 0..<whole.count {
            let cut = VenueReply(status: 200, body: Array(whole.prefix(length)))
            for mutation in everyMutation { #expect(outcome(mutation, cut).effect == .unknown) }
            for read in everyRead { #expect(failure(read, cut) != nil) }
        }
        let deep = String(repeating: "[", count: 9000)
        for body in [
            "<html></html>", "null", "[]", #"{"data":[]}"#, #"{"code":null,"data":[]}"#,
            #"{"code":0,"code":0,"data":[]}"#,
            #"{"code":0,"success":false,"data":[]}"#, #"{"code":0.0,"data":[]}"#, #"{"code":0,"data":\#(deep)}"#,
        ] {
            for mutation in everyMutation { #expect(outcome(mutation, reply(body)).effect == .unknown, "\(body)") }
            for read in everyRead { #expect(failure(read, reply(body)) != nil, "\(body.prefix(40))") }
        }
    }

    @Test("of the small reads say what they know")
    func smallReads() {
        #expect(answer(.identity, success(#"{"uid":16844999}"#)) == .answer(.identity(Identity(uid: "16844999"))))
        #expect(
            answer(.settings, success(#"{"dualSidePosition":"true"}"#))
                == .answer(.identity(Identity(positionMode: .hedge))))
        #expect(
            answer(.permissions, reply(#"{"ipRestrict":false,"enableFutures":true,"enableReading":true}"#))
                == .answer(.identity(Identity(mayTrade: true, boundIPs: []))))
        #expect(
            answer(.permissions, reply(#"{"code":0,"permissions":[2,3,5],"ipAddresses":["203.0.113.7"]}"#))
                == .answer(.identity(Identity(mayTrade: true, mayWithdraw: true, boundIPs: ["203.0.113.7"]))))
        func asset(_ profit: String, _ margin: String) -> String {
            #"[{"asset":"VST","unrealizedProfit":"\#(profit)","usedMargin":"\#(margin)","frozenMargin":"1"}]"#
        }
        let control = Read.control(product: "swap")
        #expect(answer(control, success(asset("0.00", "0"))) == .answer(.control(consistentWithFlat: true)))
        #expect(answer(control, success(asset("0", "0.1"))) == .answer(.control(consistentWithFlat: false)))
        #expect(answer(control, success(asset("-1e-8", ""))) == .answer(.control(consistentWithFlat: false)))
        #expect(failure(control, success("[]")) != nil)
        #expect(bingx.serverTime(in: reply(#"{"code":0,"timestamp":0}"#)) == nil)
        #expect(bingx.serverTime(in: success(#"{"serverTime":1675319535362}"#))?.milliseconds == 1_675_319_535_362)
    }

    @Test("of contracts give symbols, steps and whether they can be closed")
    func contracts() {
        let linear =
            #"[{"symbol":"BTC-USDT","size":"0.0001","quantityPrecision":4,"tradeMinQuantity":0.0001,"status":1,"#
            + #""apiStateOpen":"true","apiStateClose":"true"},{"symbol":"X-USDC","status":25,"apiStateClose":"true"},"#
            + #"{"symbol":"Y-USDT","status":1,"apiStateClose":"false"},{"symbol":"Z-USDT","status":0}]"#
        guard
            case .answer(.instruments(let list, nil)) = answer(
                .instruments(product: "swap", cursor: nil), success(linear))
        else {
            Issue.record("no answer")
            return
        }
        #expect(list.map(\.symbol) == ["BTC/USDT:USDT", "X/USDC:USDC", "Y/USDT:USDT", "Z/USDT:USDT"])
        #expect(list.map(\.trading) == [.open, .closeOnly, .suspended, .delisted])
        #expect(list.first?.quantityStep?.description == "0.0001")
        let coin = success(#"[{"symbol":"BTC-USD","minTickSize":"100","minQty":"1.00","status":1}]"#)
        guard case .answer(.instruments(let coins, nil)) = answer(.instruments(product: "cswap", cursor: nil), coin)
        else {
            Issue.record("no answer")
            return
        }
        #expect(coins.map(\.symbol) == ["BTC/USD:BTC"] && coins.map(\.contractValue) == [Amount(100)])
    }
}
