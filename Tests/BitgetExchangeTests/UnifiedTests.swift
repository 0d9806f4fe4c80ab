import BitgetExchange
import ExchangeKit
import FlatbookCore
import Testing

@Suite("Bitget's unified accounts")
struct UnifiedTests {
    private func envelope(_ data: String) -> VenueReply { reply(#"{"code":"00000","requestTime":1,"data":\#(data)}"#) }

    private func body(_ mutation: Mutation) -> String {
        String(decoding: bitget.request(for: mutation, account: unified).body, as: UTF8.self)
    }

    private static let good = [
        "symbol": #""BTCUSDT""#, "posSide": #""long""#, "total": #""1""#, "holdMode": #""hedge_mode""#,
        "markPrice": #""10""#, "avgPrice": #""9""#, "frozen": #""0""#,
    ]

    private func row(_ changes: [String: String?]) -> String {
        var fields = Self.good
        for (name, value) in changes { fields[name] = value }
        return "{" + fields.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    private func positions(_ rows: String...) -> ReadResult {
        answer(
            .positions(product: usdt, cursor: nil), envelope(#"{"list":["# + rows.joined(separator: ",") + "]}"),
            of: unified)
    }

    private func orders(_ rows: String, list: String = "unfilled", cursor: String? = nil) -> ReadResult {
        answer(.orders(product: usdt, list: list, cursor: cursor), envelope(rows), of: unified)
    }

    @Test(
        "ask by category",
        arguments: [
            (.identity, "/api/v3/account/settings", ""), (.permissions, "/api/v3/account/settings", ""),
            (.settings, "/api/v3/account/settings", ""),
            (
                .positions(product: "COIN-FUTURES", cursor: nil), "/api/v3/position/current-position",
                "category=COIN-FUTURES"
            ),
            (
                .orders(product: usdt, list: "unfilled", cursor: "7"), "/api/v3/trade/unfilled-orders",
                "category=USDT-FUTURES&cursor=7&limit=100"
            ),
            (
                .orders(product: usdt, list: "strategy/tpsl", cursor: nil), "/api/v3/trade/unfilled-strategy-orders",
                "category=USDT-FUTURES&type=tpsl"
            ),
            (
                .orders(product: usdt, list: "strategy/trigger", cursor: nil),
                "/api/v3/trade/unfilled-strategy-orders", "category=USDT-FUTURES&type=trigger"
            ),
        ] as [(Read, String, String)])
    func queries(read: Read, path: String, query: String) {
        let request = bitget.request(for: read, account: unified)
        #expect(request.path == path && request.rawQuery == query && request.method == .get && request.body.isEmpty)
    }

    @Test("ask a classic account's settings of one contract")
    func classicSettings() {
        let request = bitget.request(for: .settings, account: account())
        #expect(request.rawQuery == "marginCoin=USDT&productType=USDT-FUTURES&symbol=BTCUSDT")
        #expect(bitget.request(for: .permissions, account: account()).path == "/api/v2/spot/account/info")
    }

    @Test(
        "close exactly what the reach says",
        arguments: [
            (unifiedClose(.product), #"{"category":"USDT-FUTURES"}"#),
            (unifiedClose(.symbol, side: .long), #"{"category":"USDT-FUTURES","symbol":"BTCUSDT"}"#),
            (
                unifiedClose(.side, side: .short),
                #"{"category":"USDT-FUTURES","symbol":"BTCUSDT","posSide":"short"}"#
            ),
        ])
    func closes(call: CloseCall, expected: String) {
        #expect(body(.close(call)) == expected)
    }

    @Test("never widen a call that lacks its target")
    func neverWider() {
        var call = unifiedClose(.side, side: .long)
        call.legs = []
        call.instrument = nil
        call.side = nil
        #expect(body(.close(call)) == #"{"category":"USDT-FUTURES","symbol":"MISSING","posSide":"MISSING"}"#)
        #expect(body(.cancel(unifiedCancel([]))).contains(#""orderId":"0""#))
        #expect(body(.cancel(unifiedCancel([], list: "strategy/tpsl"))) == #"{"orderId":"0"}"#)
    }

    @Test("cancel by id, each order with its contract")
    func cancels() {
        let head = #"{"category":"USDT-FUTURES","symbol":"BTCUSDT","orderId":"#
        #expect(body(cancelUnified) == "[" + head + #""11"},"# + head + #""12"}]"#)
        #expect(body(.cancel(unifiedCancel(["11", "12"], list: "strategy/trigger"))) == #"{"orderId":"11"}"#)
        #expect(bitget.request(for: cancelUnified, account: unified).path == "/api/v3/trade/cancel-batch")
        #expect(bitget.request(for: cancelStrategy, account: unified).path == "/api/v3/trade/cancel-strategy-order")
    }

    @Test("with one wrong field in a position are no read")
    func wrongField() {
        #expect(failure(positions(row([:]))) == nil)
        let wrong: [String: [String?]] = [
            "symbol": [nil, "\"\"", "{}"], "posSide": [nil, "\"\"", "\"net\""],
            "total": [nil, "null", "\"\"", "\"x\"", "\"-1\""], "holdMode": [nil, "\"\"", "\"net\""],
            "markPrice": ["\"x\"", "\"-1\""], "frozen": ["\"-1\"", "\"x\""], "marginMode": ["\"portfolio\""],
            "createdTime": ["\"x\""], "category": ["\"COIN-FUTURES\"", "{}"], "marginCoin": ["{}"],
        ]
        for (name, values) in wrong {
            for value in values {
                #expect(
                    failure(positions(row([name: value])))?.code == "malformed-reply", "\(name): \(value ?? "missing")")
            }
        }
        #expect(failure(positions(row(["markPrice": "\"\"", "avgPrice": "\"0\""]))) != nil)
        #expect(failure(positions(row([:]), row(["symbol": #""btcusdt""#]))) != nil, "two rows of one position")
        #expect(failure(positions(row([:]), row(["posSide": #""short""#]))) == nil)
        #expect(failure(positions(row(["category": #""usdt-futures""#]))) == nil)
    }

    @Test(
        "answered in no known shape are no read",
        arguments: [
            "null", "{}", "1", #""success""#, #"{"list":{}}"#, #"{"list":""}"#, #"{"list":[1]}"#, "[1]",
            #"{"entrustedList":[]}"#,
        ])
    func odd(data: String) {
        for read in everyUnifiedRead {
            let failed = failure(answer(read, envelope(data), of: unified))
            #expect(failed?.code == "malformed-reply" && failed?.effect == Effect.none, "\(read)")
        }
        for mutation in [closeUnified, cancelUnified] {
            #expect(outcome(mutation, envelope(data), of: unified).effect == .unknown)
        }
    }

    @Test("take a list of positions for nothing else")
    func positionsAreNoBareList() {
        #expect(failure(answer(.positions(product: usdt, cursor: nil), envelope("[]"), of: unified)) != nil)
    }

    @Test(
        "count an order as an opener unless it is marked as closing",
        arguments: [
            (#""side":"sell","posSide":"long","holdMode":"hedge_mode""#, Side.long, RestingOrder.Effect.closes),
            (#""side":"buy","posSide":"short","holdMode":"hedge_mode","reduceOnly":"NO""#, .short, .closes),
            (#""side":"buy","posSide":"long","holdMode":"hedge_mode""#, .long, .opens),
            (#""side":"sell","posSide":"short","holdMode":"hedge_mode""#, .short, .opens),
            (#""side":"sell","posSide":"long""#, .short, .opens),
            (#""side":"sell","posSide":"long","holdMode":"one_way_mode""#, .short, .opens),
            (#""side":"sell","posSide":"","holdMode":"one_way_mode","reduceOnly":"YES""#, .long, .closes),
            (#""side":"buy","reduceOnly":"yes""#, .short, .closes), (#""side":"buy","reduceOnly":null"#, .long, .opens),
            (#""posSide":"short""#, .short, .opens),
        ])
    func exposure(fields: String, side: Side, effect: RestingOrder.Effect) {
        let data = #"{"list":[{"orderId":"1","symbol":"BTCUSDT",\#(fields)}],"cursor":"1"}"#
        guard case .answer(.orders(let found, nil)) = orders(data) else {
            Issue.record("no answer")
            return
        }
        #expect(found.map(\.side) == [side] && found.map(\.effect) == [effect])
        #expect(found.map(\.list) == ["unfilled"] && found.allSatisfy { !$0.protective })
    }

    @Test("know no side from an order that names none")
    func sideless() {
        for fields in ["", #","side":"both""#, #","posSide":"net""#] {
            #expect(failure(orders(#"{"list":[{"orderId":"1","symbol":"BTCUSDT"\#(fields)}]}"#)) != nil)
        }
        let twice = #"{"orderId":"1","symbol":"BTCUSDT","side":"buy"}"#
        #expect(failure(orders("[\(twice),\(twice)]")) != nil)
    }

    @Test("page their orders until a short page")
    func paging() {
        let rows = (1...100).map { #"{"orderId":"\#($0)","symbol":"BTCUSDT","side":"buy","posSide":"long"}"# }
        let list = "[" + rows.joined(separator: ",") + "]"
        guard case .answer(.orders(let found, "9")) = orders(#"{"list":\#(list),"cursor":"9"}"#) else {
            Issue.record("no next page")
            return
        }
        #expect(found.count == 100)
        #expect(failure(orders(#"{"list":\#(list),"cursor":"9"}"#, cursor: "9")) != nil)
        #expect(failure(orders(#"{"list":\#(list),"cursor":null}"#)) != nil)
        #expect(failure(orders(list)) != nil)
        // Strategy orders have no pages.
        guard case .answer(.orders(let all, nil)) = orders(list, list: "strategy/tpsl") else {
            Issue.record("no answer")
            return
        }
        #expect(all.count == 100 && all.allSatisfy(\.protective))
    }

    @Test(
        "prove of a cancel only what its reply names",
        arguments: [
            (#"[{"orderId":"11"}]"#, Effect.partial), (#"[{"orderId":"11"},{"orderId":12}]"#, .executed),
            (#"[{"orderId":"99"}]"#, .unknown), ("[]", .unknown), (#"[{"code":"00000"}]"#, .unknown),
            (#"[{"orderId":"11","code":"25204"},{"orderId":"12","code":"25204"}]"#, Effect.none),
        ])
    func cancelled(data: String, effect: Effect) {
        #expect(outcome(cancelUnified, envelope(data), of: unified).effect == effect)
    }

    @Test(
        "accept no row that says something else than success",
        arguments: [
            (#"{"orderId":"1"}"#, Effect.executed), (#"{"orderId":"1","code":null,"msg":""}"#, .executed),
            (#"{"orderId":"1","code":"","msg":"success"}"#, .executed), (#"{"orderId":"1","code":0}"#, .executed),
            (#"{"orderId":"1","code":null,"msg":"no"}"#, .unknown), (#"{"orderId":"1","code":"1"}"#, .unknown),
            (#"{"orderId":"","code":"0"}"#, .unknown), (#"{"orderId":"1","code":{}}"#, .unknown),
        ])
    func rows(row: String, effect: Effect) {
        #expect(outcome(closeUnified, envelope(#"{"list":[\#(row)]}"#), of: unified).effect == effect)
    }

    @Test("cancel strategy orders one by one: the others of a call are still there")
    func strategyCancels() {
        let call = Mutation.cancel(unifiedCancel(["11", "12", "13"], list: "strategy/tpsl"))
        let done = outcome(call, envelope("null"), of: unified)
        #expect(done.effect == .partial && done.errorClass == .ok && done.orderIDs == ["11"])
        #expect(done.rows.filter { $0.errorClass != .ok }.compactMap(\.orderID) == ["12", "13"])
        let gone = outcome(call, refusal("25204"), of: unified)
        #expect(gone.errorClass == .notFound && gone.rows.compactMap(\.orderID) == ["12", "13"])
        #expect(
            outcome(cancelStrategy, envelope(#"{"orderId":"11","clientOid":"a"}"#), of: unified).effect == .executed)
        #expect(outcome(cancelStrategy, envelope(#""success""#), of: unified).effect == .executed)
        for data in [#"{"orderId":"99"}"#, "[]", "1"] {
            #expect(outcome(cancelStrategy, envelope(data), of: unified).effect == .unknown)
        }
        #expect(outcome(cancelStrategy, reply(#"{"code":"00000"}"#), of: unified).effect == .unknown)
    }

    @Test(
        "read their own codes",
        arguments: [
            ("25227", ErrorClass.alreadyFlat, Effect.none), ("25004", .rateLimited, .none), ("25003", .retry, .none),
            ("25209", .market, .none), ("25236", .adapt, .none), ("400172", .fatalCall, .none),
            ("25225", .conflict, .none), ("25000", .unknown, .unknown), ("25001", .unknown, .unknown),
            ("24056", .unknown, .unknown), ("25006", .fatalAccount, .none),
        ])
    func codes(code: String, errorClass: ErrorClass, effect: Effect) {
        let whole = outcome(closeUnified, refusal(code), of: unified)
        #expect(whole.errorClass == errorClass && whole.effect == effect)
        let inRow = outcome(closeUnified, envelope(#"{"list":[{"code":"\#(code)","msg":"x"}]}"#), of: unified)
        #expect(inRow.errorClass == errorClass && inRow.rows.map(\.errorClass) == [errorClass])
        #expect((whole.penalty?.limit == "bitget.v3-close-positions") == (errorClass == .rateLimited))
    }

    @Test("close although the key may neither read nor cancel orders")
    func missingRight() throws {
        for mutation in [cancelUnified, cancelStrategy] {
            #expect(outcome(mutation, refusal("40014"), of: unified).errorClass == .fatalCall)
        }
        for list in ["unfilled", "strategy/tpsl"] {
            let read = Read.orders(product: usdt, list: list, cursor: nil)
            #expect(failure(answer(read, refusal("40014"), of: unified))?.errorClass == .fatalCall)
        }
        #expect(answer(.identity, refusal("40014"), of: unified) == .answer(.identity(Identity())))
        #expect(failure(answer(.settings, refusal("40014"), of: unified))?.refusal == .permission)
        #expect(outcome(closeUnified, refusal("40014"), of: unified).errorClass == .fatalAccount)
    }
}
