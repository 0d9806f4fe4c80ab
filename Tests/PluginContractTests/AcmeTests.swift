import ExchangeKit
import FlatbookCore
import FlatbookCrypto
import FlatbookTestKit
import Testing

/// The contract itself under test: it passes a plugin that is right, and finds each thing that is wrong.
@Suite("The plugin contract and a made-up exchange")
struct AcmeTests {
    private static let account = Account(name: "acme", exchange: ExchangeID("acme"), environment: .production)

    private static func underTest(_ defect: Acme.Defect?) -> ExchangeUnderTest {
        let plugin = Acme(defect)
        let sample = VenueRequest(
            route: "acme.close", method: .post, path: "/v1/close", body: Array(#"{"symbol":"BTC-P"}"#.utf8))
        // HMAC-SHA256 under "s3cret" of "1790000000000POST/v1/close?\n" and the body, by Python's hmac.
        let vector = SigningVector(
            "A", request: sample, account: "acme", timestamp: WallTime(milliseconds: 1_790_000_000_000),
            credentials: ["key": "k", "secret": "s3cret"],
            signature: "fc608b38992cc643f4b31df297d881e392bef8b690916cebc8fc291976f96313")
        return ExchangeUnderTest(
            name: "Acme", plugin: plugin, accounts: [account],
            signs: [.method, .path, .query, .body, .timestamp], vectors: [vector], reads: reads,
            mutations: mutations(plugin), refusals: refusals)
    }

    private static let reads = [
        RecordedRead(
            "time", .serverTime, account: "acme", body: #"{"code":0,"time":"1790000000000"}"#,
            means: ["time 1790000000000"]),
        RecordedRead(
            "me", .identity, account: "acme", body: #"{"code":0,"uid":"1001"}"#,
            means: ["uid 1001 trade - withdraw -"]),
        RecordedRead(
            "markets", .instruments(product: "perp", cursor: nil), account: "acme",
            body:
                #"{"code":0,"markets":[{"id":"BTC-P","base":"BTC","quote":"USD"},{"id":"ETH-P","base":"ETH","quote":"USD"}]}"#,
            means: ["perp BTC-P BTC/USD:USD open", "perp ETH-P ETH/USD:USD open"]),
        RecordedRead(
            "positions", .positions(product: "perp", cursor: nil), account: "acme",
            body:
                #"{"code":0,"rows":[{"id":"BTC-P","side":"long","size":"0.5"},{"id":"ETH-P","side":"short","size":"2"}]}"#,
            means: [
                "normal perp BTC-P BTC/USD:USD long 0.5 hedge cross USD",
                "normal perp ETH-P ETH/USD:USD short 2 hedge cross USD",
            ]),
        RecordedRead(
            "flat", .positions(product: "perp", cursor: nil), account: "acme", body: #"{"code":0,"rows":[]}"#, means: []
        ),
    ]

    private static func mutations(_ plugin: Acme) -> [RecordedMutation] {
        plugin.profile.closeMethods.filter { $0.reach != .side }.map { method in
            let key = LegKey(
                account: "acme", product: "perp", instrument: "BTC-P", side: .long, marginMode: .cross,
                marginCurrency: "USD")
            let call = CloseCall(
                account: "acme", method: method, product: "perp", instrument: "BTC-P", side: .long, legs: [key],
                quantity: method.isSized ? Amount(1) : nil, mode: .hedge, notional: Amount(1))
            return RecordedMutation(
                "\(method.operation) \(method.reach)", .close(call), body: #"{"code":0,"order":"77"}"#, orderIDs: ["77"]
            )
        }
    }

    private static let refusals = [
        RecordedRefusal(.throttled, body: #"{"code":429}"#, status: 429),
        RecordedRefusal(.flat, body: #"{"code":7}"#, status: 200),
        RecordedRefusal(.wrongKey, body: #"{"code":8}"#, status: 401),
        RecordedRefusal(.noPermission, body: #"{"code":9}"#, status: 403),
        RecordedRefusal(.unlisted, body: #"{"code":4711}"#, status: 400),
    ]

    @Test("passes one that is right, on a simulator of its own", arguments: PluginContract.Case.allCases)
    func staged(number: PluginContract.Case) async {
        var exchange = Self.underTest(nil)
        exchange.stage = AcmeStage(account: Self.account)
        #expect(await PluginContract.problems(number, of: exchange) == [])
    }

    @Test("finds each defect", arguments: Acme.Defect.allCases)
    func wrong(defect: Acme.Defect) async {
        let problems = await PluginContract.problems(defect.foundBy, of: Self.underTest(defect))
        let isFound = problems.contains { $0.contains(defect.says) }
        #expect(isFound, "\(defect) is not found by \(defect.foundBy), which says \(problems.prefix(5))")
    }

    @Test("needs a simulator for the later cases", arguments: PluginContract.Case.allCases.filter(\.needsStage))
    func withoutStage(number: PluginContract.Case) async {
        #expect(await PluginContract.problems(number, of: Self.underTest(nil)).count == 1)
    }

    @Test("finds what was not recorded")
    func recordings() async {
        var bare = Self.underTest(nil)
        bare.reads.removeAll { $0.name == "flat" || $0.name == "me" }
        bare.mutations = []
        let readings = await PluginContract.problems(.oneReadingEach, of: bare)
        #expect(readings.count == 4)
        bare.refusals = []
        bare.vectors = []
        #expect(await PluginContract.problems(.profileIsSane, of: bare).count == 5)
        #expect(await PluginContract.problems(.everySignedPartMatters, of: bare).count == 1)
        bare.reads = []
        #expect(await !PluginContract.problems(.requestsNameTheirReach, of: bare).isEmpty)
        #expect(await !PluginContract.problems(.symbolsRoundTrip, of: bare).isEmpty)
    }
}
