import ExchangeKit
import FlatbookCore
import OKXExchange
import Testing

@Suite("OKX's requests")
struct RequestTests {
    private func sent(_ mutation: Mutation, _ owner: Account = account()) -> VenueRequest {
        okx.request(for: mutation, account: owner)
    }

    private func body(_ call: CloseCall, _ owner: Account = account()) -> String {
        text(sent(.close(call), owner).body)
    }

    @Test("close one position by exactly the fields it needs")
    func closes() {
        #expect(body(close()) == #"{"instId":"BTC-USDT-SWAP","mgnMode":"cross","tag":"flatbook"}"#)
        let attempt = "0123456789abcdef0123456789abcdef"
        #expect(
            body(close(mode: .hedge, marginMode: .isolated, frees: true, attempt: attempt))
                == #"{"instId":"BTC-USDT-SWAP","mgnMode":"isolated","posSide":"long","autoCxl":true,"#
                + #""clOrdId":"\#(attempt)","tag":"flatbook"}"#)
        #expect(body(close(side: .short, mode: .hedge)).contains(#""posSide":"short""#))
        let request = sent(closeWhole)
        #expect(request.method == .post && request.path == "/api/v5/trade/close-position")
        #expect(request.scope == [.instrument: "BTC-USDT-SWAP"])
    }

    @Test("let the exchange cancel close orders only where the plan lets them go", arguments: [nil, false])
    func autoCancel(frees: Bool?) {
        #expect(!body(close(frees: frees)).contains("autoCxl"))
    }

    @Test("name the margin currency only for cross margin in futures mode")
    func currency() {
        let margin = close("BTC-USDT", "MARGIN", currency: "USDT")
        #expect(
            body(margin, account(level: "2"))
                == #"{"instId":"BTC-USDT","mgnMode":"cross","ccy":"USDT","tag":"flatbook"}"#)
        for level in ["1", "3", "4", nil] { #expect(!body(margin, account(level: level)).contains("ccy")) }
        let isolated = close("BTC-USDT", "MARGIN", marginMode: .isolated)
        #expect(!body(isolated, account(level: "2")).contains("ccy"))
        #expect(!body(close(), account(level: "2")).contains("ccy"))
        // Nothing to name: a currency that the exchange refuses, never another position.
        let nameless = close("BTC-USDT", "MARGIN", currency: "")
        #expect(body(nameless, account(level: "2")).contains(#""ccy":"MISSING""#))
    }

    @Test(
        "carry client ids of at most 32 letters and digits",
        arguments: [
            ("a-b_c.D9", "abcD9"), (String(repeating: "a", count: 40), String(repeating: "a", count: 32)),
        ])
    func identifiers(attempt: String, id: String) {
        #expect(body(close(attempt: attempt)).contains(#""clOrdId":"\#(id)""#))
    }

    @Test("carry no client id where nothing is left of one", arguments: ["", "-", "é１"])
    func noIdentifier(attempt: String) { #expect(!body(close(attempt: attempt)).contains("clOrdId")) }

    @Test("close one side of a net position by a reduce-only market order against it")
    func order() {
        #expect(
            body(close(sized: try? Amount("0.6")))
                == #"{"instId":"BTC-USDT-SWAP","tdMode":"cross","side":"sell","ordType":"market","sz":"0.6","#
                + #""reduceOnly":true,"tag":"flatbook"}"#)
        #expect(body(close(side: .short, sized: Amount(2))).contains(#""side":"buy""#))
        let request = sent(closeSized)
        #expect(request.path == "/api/v5/trade/order")
        #expect(!request.headers.contains { $0.name.lowercased() == "exptime" })
    }

    @Test("guess no side and no size")
    func nothingGuessed() {
        var call = close(sized: Amount(1))
        call.side = nil
        call.legs = []
        #expect(body(call).contains(#""side":"MISSING""#))
        call = close(sized: Amount(1))
        call.quantity = nil
        #expect(!body(call).contains("sz"))
    }

    @Test("cancel one order alone, several as a list, and algo orders always as a list")
    func cancels() {
        let one = sent(.cancel(cancel(["11"])))
        #expect(one.path == "/api/v5/trade/cancel-order" && one.items == 1)
        #expect(text(one.body) == #"{"instId":"BTC-USDT-SWAP","ordId":"11"}"#)
        let two = sent(cancelPending)
        #expect(two.path == "/api/v5/trade/cancel-batch-orders" && two.items == 2)
        #expect(
            text(two.body) == #"[{"instId":"BTC-USDT-SWAP","ordId":"11"},{"instId":"BTC-USDT-SWAP","ordId":"12"}]"#)
        for name in ["conditional,oco", "trigger", "move_order_stop", "chase", "iceberg", "twap", "smart_iceberg"] {
            let algo = sent(.cancel(cancel(["7"], list: name)))
            #expect(algo.path == "/api/v5/trade/cancel-algos" && algo.items == 1)
            #expect(text(algo.body) == #"[{"instId":"BTC-USDT-SWAP","algoId":"7"}]"#)
        }
    }

    @Test("of all options count in one bucket, stricter than the exchange's families")
    func options() {
        let ids = ["BTC-USD-260327-60000-C", "ETH-USD-260327-3000-P"]
        for id in ids {
            #expect(sent(.close(close(id, "OPTION"))).scope == [.instrument: "OPTION"])
            #expect(
                sent(.cancel(cancel(instrument: id, product: "OPTION"))).scope == [.instrument: "OPTION"])
        }
    }

    @Test("carry the demo header on every call of a demo account and on no other")
    func demo() {
        for environment in TradingEnvironment.allCases {
            let owner = account(environment)
            let requests =
                everyRead.map { okx.request(for: $0, account: owner) }
                + everyMutation.map { okx.request(for: $0, account: owner) }
            for request in requests {
                let header = request.headers.first { $0.name == "x-simulated-trading" }?.value
                #expect(header == (environment == .demo ? "1" : nil))
            }
        }
    }

    @Test(
        "read by the paths and queries that the exchange documents",
        arguments: [
            (Read.serverTime, "/api/v5/public/time", ""), (.identity, "/api/v5/account/config", ""),
            (.permissions, "/api/v5/account/config", ""), (.settings, "/api/v5/account/config", ""),
            (readPositions, "/api/v5/account/positions", ""),
            (.positions(product: "MARGIN", cursor: nil), "/api/v5/account/positions", "instType=MARGIN"),
            (.positions(product: "SWAP,FUTURES", cursor: nil), "/api/v5/account/positions", ""),
            (readControl, "/api/v5/account/account-position-risk", ""),
            (.instruments(product: "SWAP", cursor: nil), "/api/v5/public/instruments", "instType=SWAP"),
            (
                .instruments(product: "OPTION", cursor: nil), "/api/v5/public/instruments",
                "instType=OPTION&instFamily=BTC-USD"
            ),
            (
                .instruments(product: "OPTION", cursor: "ETH-USD"), "/api/v5/public/instruments",
                "instType=OPTION&instFamily=ETH-USD"
            ),
            (readOrders(), "/api/v5/trade/orders-pending", "limit=100"),
            (readOrders(after: "9"), "/api/v5/trade/orders-pending", "after=9&limit=100"),
            (
                readOrders("conditional,oco"), "/api/v5/trade/orders-algo-pending",
                "ordType=conditional%2Coco&limit=100"
            ),
        ])
    func reads(read: Read, path: String, query: String) {
        let request = okx.request(for: read, account: account())
        #expect(request.method == .get && request.path == path && request.encodedQuery == query)
        #expect(request.body.isEmpty)
    }

    @Test("are the same bytes every time and go to declared routes only")
    func declared() {
        let requests =
            everyRead.map { okx.request(for: $0, account: account()) }
            + everyMutation.map { okx.request(for: $0, account: account()) }
        let again =
            everyRead.map { okx.request(for: $0, account: account()) }
            + everyMutation.map { okx.request(for: $0, account: account()) }
        #expect(requests == again)
        for request in requests {
            let route = okx.profile.route(request.route)
            #expect(route?.path == request.path)
            #expect(route?.isMutation == (request.method == .post))
        }
    }
}
