import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import FlatbookTestKit
import OKXExchange

/// OKX as its sheet describes it: shapes of `okx.md` §3, vectors of §2.4; ids and amounts are invented there.
let okxUnderTest = ExchangeUnderTest(
    name: "OKX", plugin: OKX(), accounts: [OKXSamples.all, OKXSamples.swaps],
    signs: [.method, .path, .query, .body, .timestamp], vectors: OKXSamples.vectors, reads: OKXSamples.reads,
    mutations: OKXSamples.mutations, refusals: OKXSamples.refusals,
    documentedGaps: [
        "posData": "§3.3: a snapshot without positions",
        "instType=": "§3.3: rows of types that came later are left out",
        "posId": "§3.3: instrument, margin mode, side and currency identify a row as well",
        "ccy": "§3.3: empty in rows of some types",
    ],
    stage: OKXSamples.stage)

enum OKXSamples {
    static func account(_ name: String, _ options: [String: [String]]) -> Account {
        var account = Account(name: name, exchange: ExchangeID("okx"), environment: .simulated)
        account.options = options
        account.facts = ["acctLv": "2", "posMode": "long_short_mode"]
        return account
    }

    static let all = account("okx-all", [:])
    static let swaps = account("okx-swaps", ["instrumentTypes": ["SWAP"]])

    static func success(_ data: String) -> String { #"{"code":"0","msg":"","data":\#(data)}"# }
    static func refusal(_ code: String, _ message: String) -> String {
        #"{"code":"\#(code)","data":[],"msg":"\#(message)"}"#
    }

    // MARK: Reads

    private static let config = success(
        #"[{"acctLv":"2","posMode":"long_short_mode","uid":"44705892343619584","mainUid":"44705892343610000","#
            + #""type":"1","perm":"read_only,trade","ip":"117.37.203.58","roleType":"0"}]"#)

    private static let swap =
        #"{"instType":"SWAP","instId":"BTC-USDT-SWAP","mgnMode":"cross","posId":"1725119205811617792","posSide":"net","#
        + #""pos":"-0.6","availPos":"","posCcy":"","ccy":"USDT","avgPx":"60082.256","markPx":"60087.9","#
        + #""notionalUsd":"360.5","cTime":"1723988225682"}"#
    private static let margin =
        #"{"instType":"MARGIN","instId":"BTC-USDT","mgnMode":"cross","posId":"1725119205811617793","posSide":"net","#
        + #""pos":"0.5","availPos":"0.5","posCcy":"BTC","ccy":"USDT","avgPx":"60082","markPx":"60087","#
        + #""notionalUsd":"30000","cTime":"1723988225682"}"#

    static let reads = [all, swaps].flatMap { account -> [RecordedRead] in
        let id = account.name == all.name ? "all" : "SWAP"
        let lists = account.name == all.name ? "[" + swap + "," + margin + "]" : "[" + swap + "]"
        let swapLine =
            "normal SWAP BTC-USDT-SWAP BTC/USDT:USDT short 0.6 one-way cross USDT 1725119205811617792"
        let marginLine = "normal MARGIN BTC-USDT BTC/USDT long 0.5 one-way cross USDT 1725119205811617793"
        return [
            RecordedRead(
                "time", .serverTime, account: account.name, body: success(#"[{"ts":"1790000000123"}]"#),
                means: ["time 1790000000123"]),
            RecordedRead(
                "config", .identity, account: account.name, body: config,
                means: ["uid 44705892343619584 trade yes withdraw no"]),
            RecordedRead(
                "instruments", .instruments(product: "SWAP", cursor: nil), account: account.name,
                body: success(
                    #"[{"instType":"SWAP","instId":"BTC-USDT-SWAP","instFamily":"BTC-USDT","settleCcy":"USDT","#
                        + #""ctVal":"0.01","ctMult":"1","lotSz":"0.01","minSz":"0.01","maxMktSz":"12000","state":"live"},"#
                        + #"{"instType":"SWAP","instId":"ETH-USD-SWAP","settleCcy":"ETH","ctVal":"10","ctMult":"1","#
                        + #""lotSz":"1","minSz":"1","state":"suspend"}]"#),
                means: ["SWAP BTC-USDT-SWAP BTC/USDT:USDT open", "SWAP ETH-USD-SWAP ETH/USD:ETH suspended"]),
            RecordedRead(
                "positions", .positions(product: id, cursor: nil), account: account.name, body: success(lists),
                means: account.name == all.name ? [swapLine, marginLine] : [swapLine]),
            RecordedRead(
                "no positions", .positions(product: id, cursor: nil), account: account.name, body: success("[]"),
                means: []),
            RecordedRead(
                "orders", .orders(product: id, list: "pending", cursor: nil), account: account.name,
                body: success(
                    #"[{"instType":"SWAP","instId":"BTC-USDT-SWAP","ordId":"590908157585625111","side":"buy","#
                        + #""posSide":"net","reduceOnly":"false","ordType":"limit","ccy":""}]"#),
                means: ["pending 590908157585625111 BTC-USDT-SWAP long opens", "next 590908157585625111"]),
            RecordedRead(
                "snapshot", .control(product: id), account: account.name,
                body: success(
                    #"[{"adjEq":"","balData":[],"posData":[{"instType":"SWAP","instId":"BTC-USDT-SWAP","pos":"-0.6"}],"#
                        + #""ts":"1790000000123"}]"#), means: ["open"]),
            RecordedRead(
                "flat snapshot", .control(product: id), account: account.name,
                body: success(#"[{"adjEq":"","balData":[],"posData":[],"ts":"1790000000123"}]"#), means: ["flat"]),
        ]
    }

    // MARK: Mutations

    static func close(_ account: Account, _ operation: String) -> Mutation {
        let method =
            OKX().closeMethods(for: account).first { $0.operation == operation }
            ?? CloseMethod(operation: operation, reach: .leg, isSized: false, modes: [], guaranteesSide: false)
        let key = LegKey(
            account: account.name, product: "SWAP", instrument: "BTC-USDT-SWAP", side: .short, marginMode: .cross,
            marginCurrency: "USDT", positionID: "1725119205811617792")
        return .close(
            CloseCall(
                account: account.name, method: method, product: "SWAP", instrument: key.instrument, side: .short,
                legs: [key], quantity: Amount(1), marginMode: .cross, marginCurrency: "USDT", mode: .oneWay,
                notional: Amount(100), attemptID: "0123456789abcdef0123456789abcdef"))
    }

    static let mutations = [
        RecordedMutation(
            "close accepted", close(all, "okx.close-position"),
            body: success(
                #"[{"clOrdId":"0123456789abcdef0123456789abcdef","instId":"BTC-USDT-SWAP","posSide":"net","tag":"flatbook"}]"#
            )),
        RecordedMutation(
            "order accepted", close(all, "okx.order"),
            body: success(
                #"[{"clOrdId":"0123456789abcdef0123456789abcdef","ordId":"680800019749904384","tag":"flatbook","#
                    + #""sCode":"0","sMsg":""}]"#), orderIDs: ["680800019749904384"]),
    ]

    static let refusals = [
        RecordedRefusal(.throttled, body: refusal("50011", "Requests too frequent."), status: 429),
        RecordedRefusal(.flat, body: refusal("51023", "Position doesn't exist."), status: 200),
        RecordedRefusal(.flat, body: refusal("51023", "Position doesn't exist."), status: 429),
        RecordedRefusal(.wrongKey, body: refusal("50113", "Invalid Sign"), status: 401),
        RecordedRefusal(.wrongKey, body: refusal("50119", "API key doesn't exist"), status: 401),
        RecordedRefusal(.noPermission, body: refusal("50120", "This API key doesn't have permission"), status: 401),
        RecordedRefusal(.unlisted, body: refusal("98765", "made up"), status: 200),
    ]

    // MARK: Vectors

    private static let credentials = [
        "key": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "secret": "0123456789ABCDEF0123456789ABCDEF",
        "passphrase": "Flatten2026!",
    ]

    private static func vector(
        _ name: String, _ request: VenueRequest, _ offset: Int64, _ signature: String
    ) -> SigningVector {
        SigningVector(
            name, request: request, account: all.name, timestamp: WallTime(milliseconds: 1_790_000_000_000 + offset),
            credentials: credentials, signature: signature)
    }

    static let vectors = [
        vector(
            "A", VenueRequest(route: "okx.account-config", method: .get, path: "/api/v5/account/config"), 0,
            "HH63wiWTHLFVni4+PxpclV741p1kmc0dGqXCV5x7eyM="),
        vector(
            "C",
            VenueRequest(
                route: "okx.positions", method: .get, path: "/api/v5/account/positions",
                query: [VenueRequest.QueryItem("instId", "BTC-USDT-SWAP,ETH-USDT-SWAP")]), 456,
            "6JWo33Blxu2PNum62DHpF1Jx7LyGl08Ko134exw+FZs="),
        vector(
            "D",
            VenueRequest(
                route: "okx.close-position", method: .post, path: "/api/v5/trade/close-position",
                body: Array(#"{"instId":"BTC-USDT-SWAP","mgnMode":"cross"}"#.utf8)), 1000,
            "5VuUXKPHwoqO1aJ+QQ5qjV1T+zw0YTdWLM6PEUuid6g="),
    ]

    // MARK: Simulator

    private static func amount(_ text: String) -> Amount { (try? Amount(text)) ?? .zero }

    static let stage = EmbeddedStage(
        .okx,
        seats: [
            ContractSeat(
                all, mode: .oneWay,
                legs: [
                    ContractLeg("SWAP", "BTC-USDT-SWAP", .long, amount("5")),
                    ContractLeg("SWAP", "ETH-USD-SWAP", .short, amount("3"), marginMode: .isolated),
                    ContractLeg("FUTURES", "BTC-USD-270326", .long, amount("4")),
                ]),
            ContractSeat(
                swaps, mode: .hedge,
                legs: [
                    ContractLeg("SWAP", "BTC-USDT-SWAP", .long, amount("5")),
                    ContractLeg("SWAP", "BTC-USDT-SWAP", .short, amount("2.5")),
                    ContractLeg("SWAP", "ETH-USDT-SWAP", .long, amount("3")),
                ]),
        ])
}
