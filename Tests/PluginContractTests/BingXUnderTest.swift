import BingXExchange
import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import FlatbookTestKit

/// BingX as its sheet describes it: shapes of `bingx.md` §3, vectors of §2.1; ids and amounts are invented there.
let bingxUnderTest: ExchangeUnderTest = {
    var exchange = ExchangeUnderTest(
        name: "BingX", plugin: BingX(), accounts: [BingXSamples.desk],
        // Method, path and body are not signed (§2.6): bodies must be empty.
        signs: [.query, .timestamp], vectors: BingXSamples.vectors, reads: BingXSamples.reads,
        mutations: BingXSamples.mutations, refusals: BingXSamples.refusals,
        documentedGaps: [
            "success": "§3.3: null where nothing was closed",
            "failed": "§3.3: null where nothing failed",
            "currency": "§3.2: the quote coin where it is not said",
            "orders": "§5: null where there is nothing",
        ],
        stage: BingXSamples.stage)
    // The margin mode is set for each symbol (§3.2).
    exchange.oneMarginModePerInstrument = true
    return exchange
}()

enum BingXSamples {
    static let desk: Account = {
        var account = Account(name: "bingx-desk", exchange: ExchangeID("bingx"), environment: .simulated)
        account.options = ["products": ["swap"]]
        return account
    }()

    static func success(_ data: String) -> String { #"{"code":0,"msg":"","data":\#(data)}"# }
    static func refusal(_ code: String, _ message: String) -> String {
        #"{"code":\#(code),"msg":"\#(message)","timestamp":1767225600000}"#
    }

    // MARK: Reads

    private static func position(_ id: String, _ symbol: String, _ side: String, _ size: String, oneWay: Bool) -> String
    {
        #"{"positionId":"\#(id)","symbol":"\#(symbol)","currency":"USDT","positionAmt":"\#(size)","#
            + #""availableAmt":"\#(size)","positionSide":"\#(side)","isolated":false,"avgPrice":"83.53","#
            + #""unrealizedProfit":"-1.0393","markPrice":"73.14","positionValue":"7.3136","#
            + #""onlyOnePosition":\#(oneWay),"updateTime":1721088016688}"#
    }

    static let positionID = "1792480725958881280"

    static let reads = [
        RecordedRead(
            "time", .serverTime, account: desk.name, body: success(#"{"serverTime":1675319535362}"#),
            means: ["time 1675319535362"]),
        RecordedRead(
            "uid", .identity, account: desk.name, body: success(#"{"uid":16844001}"#),
            means: ["uid 16844001 trade - withdraw -"]),
        RecordedRead(
            "rights", .permissions, account: desk.name,
            // One official sample has no code at all (§3.8).
            body: #"{"permissions":[2,3],"ipAddresses":["203.0.113.7"]}"#,
            means: ["uid - trade yes withdraw no"]),
        RecordedRead(
            "mode", .settings, account: desk.name, body: success(#"{"dualSidePosition":"true"}"#),
            means: ["uid - trade - withdraw -"]),
        RecordedRead(
            "contracts", .instruments(product: "swap", cursor: nil), account: desk.name,
            body: success(
                #"[{"contractId":"100","symbol":"BTC-USDT","size":"0.0001","quantityPrecision":4,"#
                    + #""tradeMinQuantity":0.0001,"currency":"USDT","asset":"BTC","status":1,"apiStateOpen":"true","#
                    + #""apiStateClose":"true"},{"symbol":"LTC-USDT","quantityPrecision":2,"status":25,"#
                    + #""apiStateClose":"true"}]"#),
            means: ["swap BTC-USDT BTC/USDT:USDT open", "swap LTC-USDT LTC/USDT:USDT closeOnly"]),
        RecordedRead(
            "positions", .positions(product: "swap", cursor: nil), account: desk.name,
            body: success(
                "[" + position(positionID, "LTC-USDT", "LONG", "0.1", oneWay: true) + ","
                    + position("1792480725958881281", "BTC-USDT", "SHORT", "0.2", oneWay: true) + "]"),
            means: [
                "normal swap LTC-USDT LTC/USDT:USDT long 0.1 one-way cross USDT 1792480725958881280",
                "normal swap BTC-USDT BTC/USDT:USDT short 0.2 one-way cross USDT 1792480725958881281",
            ]),
        RecordedRead(
            "no positions", .positions(product: "swap", cursor: nil), account: desk.name, body: success("[]"), means: []
        ),
        RecordedRead(
            "orders", .orders(product: "swap", list: "orders", cursor: nil), account: desk.name,
            body: success(
                #"{"orders":[{"symbol":"BTC-USDT","orderId":1736013373487123456,"side":"BUY","positionSide":"LONG","#
                    + #""type":"LIMIT","origQty":"0.1","reduceOnly":false}]}"#),
            means: ["orders 1736013373487123456 BTC-USDT long opens"]),
        RecordedRead(
            "open balance", .control(product: "swap"), account: desk.name,
            body: success(#"[{"asset":"USDT","balance":"194.8","unrealizedProfit":"-1.03","usedMargin":"5"}]"#),
            means: ["open"]),
        RecordedRead(
            "flat balance", .control(product: "swap"), account: desk.name,
            body: success(#"[{"asset":"USDT","balance":"194.8","unrealizedProfit":"0","usedMargin":"0"}]"#),
            means: ["flat"]),
    ]

    // MARK: Mutations

    static func close(_ operation: String, _ reach: Reach) -> Mutation {
        let method =
            BingX().closeMethods(for: desk).first { $0.operation == operation && $0.reach == reach }
            ?? CloseMethod(operation: operation, reach: reach, isSized: false, modes: [], guaranteesSide: false)
        let key = LegKey(
            account: desk.name, product: "swap", instrument: "LTC-USDT", side: .long, marginMode: .cross,
            marginCurrency: "USDT", positionID: positionID)
        return .close(
            CloseCall(
                account: desk.name, method: method, product: "swap",
                instrument: reach == .product ? nil : key.instrument, side: reach <= .side ? .long : nil, legs: [key],
                quantity: method.isSized ? Amount(1) : nil, marginMode: .cross, marginCurrency: "USDT", mode: .oneWay,
                notional: Amount(100), attemptID: "0123456789abcdef0123456789abcdef"))
    }

    static let mutations = [
        RecordedMutation(
            "all closed", close("bingx.close-all-positions", .product),
            body: success(#"{"success":[1727686766700486656,1727686767048613888],"failed":null}"#),
            orderIDs: ["1727686766700486656", "1727686767048613888"]),
        RecordedMutation(
            "position closed", close("bingx.close-position", .leg),
            body: success(
                #"{"orderId":1770656007907930112,"positionId":"1792480725958881280","symbol":"LTC-USDT","#
                    + #""side":"Ask","type":"MARKET","positionSide":"Long","origQty":"0.1"}"#),
            orderIDs: ["1770656007907930112"]),
        RecordedMutation(
            "order placed", close("bingx.order", .leg),
            body: success(
                #"{"order":{"symbol":"LTC-USDT","orderId":1770656007907930113,"side":"SELL","positionSide":"BOTH","#
                    + #""type":"MARKET"}}"#), orderIDs: ["1770656007907930113"]),
    ]

    static let refusals = [
        RecordedRefusal(.throttled, body: refusal("100410", "rate limited"), status: 200),
        RecordedRefusal(.flat, body: refusal("101205", "No position to close"), status: 200),
        RecordedRefusal(.flat, body: refusal("109420", "position not exist"), status: 200),
        RecordedRefusal(.wrongKey, body: refusal("100413", "Incorrect apiKey"), status: 200),
        RecordedRefusal(
            .wrongKey, body: refusal("100001", "Signature verification failed due to signature mismatch"), status: 200),
        RecordedRefusal(.noPermission, body: refusal("100004", "Permission denied"), status: 200),
        RecordedRefusal(.unlisted, body: refusal("187654", "made up"), status: 200),
    ]

    // MARK: Vectors

    private static func vector(
        _ name: String, _ method: HTTPMethod, _ path: String, _ query: [(String, String)], _ signature: String
    ) -> SigningVector {
        SigningVector(
            name,
            request: VenueRequest(
                route: "test", method: method, path: path, query: query.map { VenueRequest.QueryItem($0.0, $0.1) }),
            account: desk.name, timestamp: WallTime(milliseconds: 1_767_225_600_000),
            credentials: ["key": "testApiKey0001", "secret": "testSecret-8f3a1c2b5d7e9f00"], signature: signature)
    }

    static let vectors = [
        vector(
            "A", .get, "/openApi/swap/v2/user/positions", [("symbol", "BTC-USDT"), ("recvWindow", "5000")],
            "17b3fcdbc9be1d1450419c6b755c5dcfcf4a7da9876c80a7e5e40514c6dc6e47"),
        vector(
            "D", .post, "/openApi/swap/v1/trade/closePosition",
            [("positionId", "1769649551460794368"), ("recvWindow", "5000")],
            "60c505f609232dd4a7e95b433dede3f2ed514c6dfe38866b60772bb36842efcb"),
        vector(
            "F3", .get, "/openApi/swap/v2/user/positions", [("symbol", "MØTH-USDT")],
            "f1a7ce521d10be64c8ece65c6e808594fcaa1b2d3f4ee70de9e9025465d174ad"),
    ]

    // MARK: Simulator

    private static func amount(_ text: String) -> Amount { (try? Amount(text)) ?? .zero }

    static let stage = EmbeddedStage(
        .bingx,
        seats: [
            ContractSeat(
                desk, mode: .oneWay,
                legs: [
                    ContractLeg("swap", "BTC-USDT", .long, amount("0.5")),
                    ContractLeg("swap", "ETH-USDT", .short, amount("3"), marginMode: .isolated),
                    ContractLeg("swap", "MØTH-USDT", .long, amount("1000")),
                ]),
            ContractSeat(
                desk, mode: .hedge,
                legs: [
                    ContractLeg("swap", "BTC-USDT", .long, amount("0.5")),
                    ContractLeg("swap", "BTC-USDT", .short, amount("0.25")),
                    ContractLeg("swap", "ETH-USDT", .long, amount("3")),
                ]),
        ])
}
