import BitgetExchange
import ExchangeKit
import FlatbookCore
import Testing

@Suite("Bitget's requests")
struct RequestTests {
    private func body(_ mutation: Mutation) -> String {
        String(decoding: bitget.request(for: mutation, account: account()).body, as: UTF8.self)
    }

    @Test(
        "ask with sorted keys and nothing that narrows the answer",
        arguments: [
            (.serverTime, ""), (.identity, ""), (.instruments(product: usdt, cursor: nil), "productType=USDT-FUTURES"),
            (.positions(product: "COIN-FUTURES", cursor: nil), "productType=COIN-FUTURES"),
            (.control(product: usdt), "productType=USDT-FUTURES"),
            (
                .orders(product: usdt, list: "normal/live", cursor: nil),
                "limit=100&productType=USDT-FUTURES&status=live"
            ),
            (
                .orders(product: usdt, list: "normal/partially_filled", cursor: "77"),
                "idLessThan=77&limit=100&productType=USDT-FUTURES&status=partially_filled"
            ),
            (
                .orders(product: usdt, list: "profit_loss", cursor: "77"),
                "idLessThan=77&limit=100&planType=profit_loss&productType=USDT-FUTURES"
            ),
        ] as [(Read, String)])
    func queries(read: Read, expected: String) {
        let request = bitget.request(for: read, account: account())
        #expect(request.rawQuery == expected)
        #expect(request.method == .get)
        #expect(request.body.isEmpty)
    }

    @Test("mark private calls of demo accounts, and no others")
    func paperTrading() {
        for environment in TradingEnvironment.allCases {
            for read in everyRead {
                let headers = bitget.request(for: read, account: account(environment)).headers
                let isMarked = headers.contains(VenueRequest.Header("paptrading", "1"))
                #expect(isMarked == (environment == .demo && !read.isPublic))
                #expect(headers.contains(VenueRequest.Header("Content-Type", "application/json")))
                #expect(headers.contains(VenueRequest.Header("locale", "en-US")))
            }
            for mutation in everyMutation {
                let headers = bitget.request(for: mutation, account: account(environment)).headers
                #expect(headers.contains(VenueRequest.Header("paptrading", "1")) == (environment == .demo))
            }
        }
    }

    @Test(
        "close exactly what the reach says",
        arguments: [
            (close(.product), #"{"productType":"USDT-FUTURES"}"#),
            (close(.symbol), #"{"productType":"USDT-FUTURES","symbol":"BTCUSDT"}"#),
            // A side that the call knows must not narrow a symbol-wide close.
            (close(.symbol, side: .long), #"{"productType":"USDT-FUTURES","symbol":"BTCUSDT"}"#),
            (close(.side, side: .short), #"{"productType":"USDT-FUTURES","symbol":"BTCUSDT","holdSide":"short"}"#),
        ])
    func flashClose(call: CloseCall, expected: String) {
        #expect(body(.close(call)) == expected)
    }

    @Test("never widen a call that lacks its target")
    func neverWider() {
        var call = close(.side, side: .long)
        call.instrument = nil
        call.side = nil
        #expect(body(.close(call)) == #"{"productType":"USDT-FUTURES","symbol":"BTCUSDT","holdSide":"long"}"#)
        call.legs = []
        #expect(body(.close(call)) == #"{"productType":"USDT-FUTURES","symbol":"MISSING","holdSide":"MISSING"}"#)
        call.instrument = ""
        call.method.reach = .symbol
        #expect(body(.close(call)) == #"{"productType":"USDT-FUTURES","symbol":"MISSING"}"#)
        #expect(body(.cancel(cancel([]))).contains(#""orderIdList":[{"orderId":"0"}]"#))
    }

    @Test(
        "place the market order that each mode wants",
        arguments: [
            (PositionMode.oneWay, Side.long, #""side":"sell","orderType":"market","reduceOnly":"YES"}"#),
            (.oneWay, .short, #""side":"buy","orderType":"market","reduceOnly":"YES"}"#),
            // In hedge mode `side` names the position (§3.5).
            (.hedge, .long, #""side":"buy","tradeSide":"close","orderType":"market"}"#),
            (.hedge, .short, #""side":"sell","tradeSide":"close","orderType":"market"}"#),
        ])
    func placeOrder(mode: PositionMode, side: Side, tail: String) throws {
        let size = try Amount("0.0155")
        let crossed = body(.close(close(.leg, side: side, mode: mode, quantity: size)))
        let head = #"{"symbol":"BTCUSDT","productType":"USDT-FUTURES","marginMode":"#
        #expect(crossed == head + #""crossed","marginCoin":"USDT","size":"0.0155","# + tail)
        let isolated = body(.close(close(.leg, side: side, mode: mode, quantity: size, marginMode: .isolated)))
        #expect(isolated == head + #""isolated","marginCoin":"USDT","size":"0.0155","# + tail)
    }

    @Test("never guess a size")
    func noSize() {
        #expect(!body(.close(close(.leg, side: .long, mode: .oneWay))).contains("size"))
    }

    @Test("cancel by id, trigger orders with their own type")
    func cancels() {
        let ids = #""orderIdList":[{"orderId":"11"},{"orderId":"12"}]}"#
        let head = #"{"productType":"USDT-FUTURES","symbol":"BTCUSDT","marginCoin":"USDT","#
        #expect(body(.cancel(cancel())) == head + ids)
        #expect(body(.cancel(cancel(list: "pos_loss"))) == head + #""planType":"pos_loss","# + ids)
        #expect(
            bitget.request(for: .cancel(cancel(list: "track_plan")), account: account()).path.hasSuffix("plan-order"))
    }

    @Test("escape what JSON must escape and leave the rest as it is")
    func escaping() {
        var call = close(.symbol)
        call.instrument = "龙\"\\\u{01}$"
        #expect(body(.close(call)) == #"{"productType":"USDT-FUTURES","symbol":"龙\"\\\u0001$"}"#)
    }

    @Test("are the same bytes for the same call")
    func deterministic() {
        for read in everyRead {
            #expect(bitget.request(for: read, account: account()) == Bitget().request(for: read, account: account()))
        }
        for mutation in everyMutation {
            let (a, b) = (
                bitget.request(for: mutation, account: account()), Bitget().request(for: mutation, account: account())
            )
            #expect(a == b)
            #expect(!a.body.isEmpty)
        }
    }
}
