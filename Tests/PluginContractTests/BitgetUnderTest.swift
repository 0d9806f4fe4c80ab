import BitgetExchange
import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import FlatbookTestKit

/// Bitget as its sheet describes it: shapes of `bitget.md` §3, vectors of §2.4; ids and amounts are invented there.
let bitgetUnderTest = ExchangeUnderTest(
    name: "Bitget", plugin: Bitget(),
    accounts: [BitgetSamples.classic, BitgetSamples.follower, BitgetSamples.unified],
    signs: [.method, .path, .query, .body, .timestamp], vectors: BitgetSamples.vectors,
    reads: BitgetSamples.reads, mutations: BitgetSamples.mutations, refusals: BitgetSamples.refusals,
    documentedGaps: [
        "successList": "§3.4: null where nothing was closed",
        "failureList": "§3.4: null where nothing failed",
        "orderIdList": "§3.6: null where nothing was closed",
        "list": "§3.10: null where there is nothing",
        "trackingList": "§3.6: null where there is nothing",
        "entrustedList": "§3.3: null where there is nothing",
        "closeTime": "§3.6: a time once the copy is closed",
        "marginMode": "§3.6, §3.10: not in every row",
        "marginCoin": "§3.6: not in every row",
        "holdMode": "§3.6: not in every row",
        "unrealizedPL": "§11: empty where nothing is held",
        "closeSize": "§3.6: not in every row",
    ],
    stage: BitgetSamples.stage)

enum BitgetSamples {
    static let usdt = "USDT-FUTURES"

    static func account(_ name: String, _ options: [String: [String]]) -> Account {
        var account = Account(name: name, exchange: ExchangeID("bitget"), environment: .simulated)
        account.options = options
        account.options["products"] = [usdt]
        return account
    }

    static let classic = account("bitget-classic", ["api": ["classic"]])
    static let follower = account("bitget-follower", ["api": ["classic"], "role": ["copy-follower"]])
    static let unified = account("bitget-unified", ["api": ["unified"]])

    static func success(_ data: String) -> String {
        #"{"code":"00000","msg":"success","requestTime":1767685381615,"data":\#(data)}"#
    }

    static func refusal(_ code: String, _ message: String) -> String {
        #"{"code":"\#(code)","msg":"\#(message)","requestTime":1767685381615,"data":null}"#
    }

    // MARK: Reads

    private static let contracts = success(
        #"[{"symbol":"BTCUSDT","baseCoin":"BTC","quoteCoin":"USDT","supportMarginCoins":["USDT"],"#
            + #""minTradeNum":"0.0001","volumePlace":"4","sizeMultiplier":"0.0001","symbolType":"perpetual","#
            + #""maxMarketOrderQty":"220","symbolStatus":"normal","deliveryTime":""},"#
            + #"{"symbol":"龙虾USDT","baseCoin":"龙虾","quoteCoin":"USDT","minTradeNum":"1","volumePlace":"0","#
            + #""sizeMultiplier":"10","symbolType":"perpetual","symbolStatus":"limit_open"}]"#)

    private static let positions = success(
        #"[{"marginCoin":"USDT","symbol":"BTCUSDT","holdSide":"short","available":"0.0155","locked":"0","#
            + #""total":"0.0155","leverage":"14","openPriceAvg":"93730.1","marginMode":"crossed","#
            + #""posMode":"hedge_mode","unrealizedPL":"0.31","markPrice":"93710","cTime":"1767685000000"},"#
            + #"{"marginCoin":"USDT","symbol":"BTCUSDT","holdSide":"long","available":"1","locked":"0.5","#
            + #""total":"1.5","openPriceAvg":"90000","marginMode":"isolated","posMode":"hedge_mode","#
            + #""markPrice":"93710"}]"#)

    private static let copies = success(
        #"{"trackingList":[{"trackingNo":"1268210334554726403","symbol":"BTCUSDT","posSide":"long","#
            + #""holdMode":"hedge_mode","marginMode":"isolated","marginCoin":"USDT","openPriceAvg":"100","#
            + #""openTime":"1767685000000","openSize":"0.5","closeSize":"0","closeTime":"0"}],"endId":"1"}"#)

    private static let unifiedPositions = success(
        #"{"list":[{"category":"USDT-FUTURES","symbol":"BTCUSDT","marginCoin":"USDT","holdMode":"hedge_mode","#
            + #""posSide":"long","marginMode":"isolated","available":"0.5","frozen":"0.25","total":"0.75","#
            + #""avgPrice":"100","positionStatus":"normal","markPrice":"110","createdTime":"1767685000000"}]}"#)

    private static let identity = success(
        #"{"userId":"1000001","ips":"203.0.113.7","authorities":["coor","coow","cpor","cpow"],"parentId":1000000}"#)

    static let reads =
        [classic, follower].flatMap(classicReads) + [
            RecordedRead(
                "copies", .positions(product: "copy:" + usdt, cursor: nil), account: follower.name, body: copies,
                means: [
                    "copy copy:USDT-FUTURES BTCUSDT BTC/USDT:USDT long 0.5 hedge isolated USDT 1268210334554726403"
                ], eitherShape: ["data"]),
            RecordedRead(
                "no copies", .positions(product: "copy:" + usdt, cursor: nil), account: follower.name,
                body: success("[]"), means: []),
        ] + unifiedReads

    private static func classicReads(_ account: Account) -> [RecordedRead] {
        let name = account.name
        return [
            RecordedRead(
                "time", .serverTime, account: name, body: success(#"{"serverTime":"1688008631614"}"#),
                means: ["time 1688008631614"]),
            RecordedRead(
                "identity", .identity, account: name, body: identity, means: ["uid 1000001 trade yes withdraw no"]),
            RecordedRead(
                "settings", .settings, account: name,
                body: success(
                    #"{"marginCoin":"USDT","marginMode":"crossed","posMode":"hedge_mode","assetMode":"single"}"#),
                means: ["uid - trade - withdraw -"]),
            RecordedRead(
                "contracts", .instruments(product: usdt, cursor: nil), account: name, body: contracts,
                means: [
                    "USDT-FUTURES BTCUSDT BTC/USDT:USDT open", "USDT-FUTURES 龙虾USDT 龙虾/USDT:USDT closeOnly",
                ]),
            RecordedRead(
                "positions", .positions(product: usdt, cursor: nil), account: name, body: positions,
                means: [
                    "normal USDT-FUTURES BTCUSDT BTC/USDT:USDT short 0.0155 hedge cross USDT",
                    "normal USDT-FUTURES BTCUSDT BTC/USDT:USDT long 1.5 hedge isolated USDT",
                ]),
            RecordedRead(
                "no positions", .positions(product: usdt, cursor: nil), account: name, body: success("[]"), means: []),
            RecordedRead(
                "orders", .orders(product: usdt, list: "normal/live", cursor: nil), account: name,
                body: success(
                    #"{"entrustedList":[{"symbol":"BTCUSDT","size":"40","orderId":"1190384645049036801","#
                        + #""side":"buy","posSide":"net","marginCoin":"USDT","tradeSide":"buy_single","#
                        + #""posMode":"one_way_mode","reduceOnly":"NO"}],"endId":"1190384645049036801"}"#),
                means: ["normal 1190384645049036801 BTCUSDT long opens"]),
            RecordedRead(
                "open account", .control(product: usdt), account: name,
                body: success(#"[{"marginCoin":"USDT","unrealizedPL":"-0.5"}]"#), means: ["open"]),
            RecordedRead(
                "flat account", .control(product: usdt), account: name,
                body: success(#"[{"marginCoin":"USDT","unrealizedPL":"0"}]"#), means: ["flat"]),
        ]
    }

    private static let unifiedReads = [
        RecordedRead(
            "v3 settings", .identity, account: unified.name,
            body: success(
                #"{"uid":"1000007","accountMode":"unified","assetMode":"multi_assets","holdMode":"one_way_mode"}"#),
            means: ["uid 1000007 trade - withdraw -"]),
        RecordedRead(
            "v3 positions", .positions(product: usdt, cursor: nil), account: unified.name, body: unifiedPositions,
            means: ["normal USDT-FUTURES BTCUSDT BTC/USDT:USDT long 0.75 hedge isolated USDT"]),
        RecordedRead(
            "v3 no positions", .positions(product: usdt, cursor: nil), account: unified.name,
            body: success(#"{"list":[]}"#), means: []),
        RecordedRead(
            "v3 orders", .orders(product: usdt, list: "unfilled", cursor: nil), account: unified.name,
            body: success(
                #"{"list":[{"orderId":"1321461395365855233","category":"USDT-FUTURES","symbol":"BTCUSDT","#
                    + #""side":"sell","posSide":"long","holdMode":"hedge_mode","reduceOnly":"NO"}],"cursor":"9"}"#),
            means: ["unfilled 1321461395365855233 BTCUSDT long closes"], eitherShape: ["data"]),
    ]

    // MARK: Mutations

    static let key = LegKey(
        account: classic.name, product: usdt, instrument: "BTCUSDT", side: .long, marginMode: .cross,
        marginCurrency: "USDT")

    /// A close by the plugin's method of that operation and reach.
    static func close(_ account: Account, _ operation: String, _ reach: Reach) -> Mutation {
        let methods = Bitget().closeMethods(for: account)
        let method =
            methods.first { $0.operation == operation && $0.reach == reach }
            ?? CloseMethod(operation: operation, reach: reach, isSized: false, modes: [], guaranteesSide: false)
        var leg = key
        leg.account = account.name
        if method.silo == .copy {
            leg.silo = .copy
            leg.product = "copy:" + usdt
            leg.positionID = "1268210334554726403"
        }
        return .close(
            CloseCall(
                account: account.name, method: method, product: leg.product,
                instrument: reach == .product ? nil : leg.instrument, side: reach <= .side ? .long : nil, legs: [leg],
                quantity: method.isSized ? Amount(1) : nil, marginMode: .cross, marginCurrency: "USDT",
                mode: .oneWay, notional: Amount(100)))
    }

    static let mutations =
        [classic, follower].flatMap { account in
            [
                RecordedMutation(
                    "close accepted", close(account, "bitget.close-positions", .product),
                    body: success(
                        #"{"successList":[{"orderId":"1120923953904893955","clientOid":"1"}],"failureList":[],"result":false}"#
                    ),
                    orderIDs: ["1120923953904893955"]),
                RecordedMutation(
                    "close in part", close(account, "bitget.close-positions", .product),
                    body: success(
                        #"{"successList":[{"orderId":"123","symbol":"BTCUSDT"}],"#
                            + #""failureList":[{"orderId":"124","symbol":"ETHUSDT","errorCode":"40931","errorMsg":"x"}]}"#
                    ),
                    effect: .partial, orderIDs: ["123"]),
                RecordedMutation(
                    "order placed", close(account, "bitget.place-order", .leg),
                    body: success(#"{"orderId":"1120923953904893955","clientOid":"a"}"#),
                    orderIDs: ["1120923953904893955"]),
                RecordedMutation(
                    "cancelled",
                    .cancel(
                        CancelCall(
                            account: account.name, operation: "bitget.batch-cancel-orders", product: usdt,
                            instrument: "BTCUSDT", list: "normal", orderIDs: ["11", "12"])),
                    body: success(#"{"successList":[{"orderId":"11"},{"orderId":"12"}],"failureList":[]}"#),
                    orderIDs: ["11", "12"]),
            ]
        } + [
            RecordedMutation(
                "copies closed", close(follower, "bitget.follower-close-positions", .side),
                body: success(#"{"orderIdList":["121212121212"]}"#), orderIDs: ["121212121212"]),
            RecordedMutation(
                "v3 close accepted", close(unified, "bitget.v3-close-positions", .product),
                body: success(#"{"list":[{"orderId":"1190384645049036801","clientOid":"1190384645049036802"}]}"#),
                orderIDs: ["1190384645049036801"]),
        ]

    static let refusals = [
        RecordedRefusal(.throttled, body: refusal("429", "Too Many Requests"), status: 429),
        RecordedRefusal(.flat, body: refusal("22002", "No position to close"), status: 400),
        RecordedRefusal(.wrongKey, body: refusal("40006", "Invalid ACCESS_KEY"), status: 400),
        RecordedRefusal(.wrongKey, body: refusal("40009", "sign signature error"), status: 400),
        RecordedRefusal(.wrongKey, body: refusal("40012", "apikey/password is incorrect"), status: 400),
        RecordedRefusal(.noPermission, body: refusal("40014", "Incorrect permissions"), status: 400),
        RecordedRefusal(.unlisted, body: refusal("99871", "made up"), status: 400),
        RecordedRefusal(.unlisted, body: refusal("99871", "made up"), status: 200),
    ]

    // MARK: Vectors

    private static let credentials = [
        "key": "bg_0123456789abcdef0123456789abcdef",
        "secret": "7f3c9a1be25d48f06a9b8c7d6e5f40312233445566778899aabbccddeeff0011", "passphrase": "Flatten2026",
    ]

    static let vectors = [
        SigningVector(
            "B",
            request: VenueRequest(
                route: "bitget.all-position", method: .get, path: "/api/v2/mix/position/all-position",
                query: [
                    VenueRequest.QueryItem("marginCoin", "USDT"), VenueRequest.QueryItem("productType", "USDT-FUTURES"),
                ]),
            account: classic.name, timestamp: WallTime(milliseconds: 1_790_000_000_123), credentials: credentials,
            signature: "SNqECIXAGpOE0NQ3mIMwegCEfjNkL4jgFdbJJCUBFCA="),
        SigningVector(
            "C",
            request: VenueRequest(
                route: "bitget.close-positions", method: .post, path: "/api/v2/mix/order/close-positions",
                body: Array(#"{"productType":"USDT-FUTURES"}"#.utf8)),
            account: classic.name, timestamp: WallTime(milliseconds: 1_790_000_001_000), credentials: credentials,
            signature: "uoFg+ftw2SE/FyxeFkMyuORj4pCqa4trsy6JBsfa8lo="),
        SigningVector(
            "E",
            request: VenueRequest(
                route: "test", method: .get, path: "/api/v2/mix/position/single-position",
                query: [
                    VenueRequest.QueryItem("marginCoin", "USDT"), VenueRequest.QueryItem("productType", "USDT-FUTURES"),
                    VenueRequest.QueryItem("symbol", "龙虾USDT"),
                ]),
            account: classic.name, timestamp: WallTime(milliseconds: 1_790_000_002_000), credentials: credentials,
            signature: "dEU6gdgmgml2tc2rz7NU3cM2STk24n4zigzjOOARYHA="),
    ]

    // MARK: Simulator

    private static func amount(_ text: String) -> Amount { (try? Amount(text)) ?? .zero }

    private static let copied = "copy:" + usdt

    private static let hedgeLegs = [
        ContractLeg(usdt, "BTCUSDT", .long, amount("0.5")), ContractLeg(usdt, "BTCUSDT", .short, amount("0.25")),
        ContractLeg(usdt, "ETHUSDT", .long, amount("3")),
    ]
    private static let netLegs = [
        ContractLeg(usdt, "BTCUSDT", .long, amount("0.5")),
        ContractLeg(usdt, "ETHUSDT", .short, amount("3"), marginMode: .isolated),
        ContractLeg(usdt, "龙虾USDT", .long, amount("1000")),
    ]

    static let stage = EmbeddedStage(
        .bitget,
        seats: [
            ContractSeat(classic, mode: .oneWay, legs: netLegs), ContractSeat(classic, mode: .hedge, legs: hedgeLegs),
            ContractSeat(unified, mode: .oneWay, legs: netLegs), ContractSeat(unified, mode: .hedge, legs: hedgeLegs),
            ContractSeat(
                follower, mode: .hedge,
                legs: hedgeLegs + [
                    ContractLeg(copied, "SOLUSDT", .long, amount("4")),
                    ContractLeg(copied, "SOLUSDT", .short, amount("2")),
                ]),
        ],
        prepare: { builder, slot, seat in
            if seat.account.options["api"] == ["unified"] { builder.makeUnified(slot) }
            if seat.account.options["role"] == ["copy-follower"] { builder.follow(slot) }
        })
}
