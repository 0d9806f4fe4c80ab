import BitgetExchange
import ExchangeKit
import FlatbookCore
import FlatbookTestKit
import Foundation
import Testing

/// Recorded replies, each with its one reading. Shapes are from `bitget.md` §3 and §11; some values are invented.
@Suite("Bitget's recorded replies")
struct RecordedReplyTests {
    struct ReadCase: Sendable, CustomStringConvertible {
        var recorded: RecordedReply
        var read: Read
        var answer: ReadAnswer
        var owner = account()
        var description: String { recorded.description }
    }

    struct MutationCase: Sendable, CustomStringConvertible {
        var recorded: RecordedReply
        var mutation: Mutation
        var effect: Effect
        var errorClass: ErrorClass
        var orderIDs: [String] = []
        var rows: [String] = []
        var owner = account()
        var description: String { recorded.description }
    }

    static let book = InstrumentBook([
        Instrument(nativeID: "BTCUSDT", symbol: "BTC/USDT:USDT", product: usdt)
    ])

    static func amount(_ text: String) -> Amount { (try? Amount(text)) ?? Amount(-1) }

    static func order(
        _ id: String, _ instrument: String, _ symbol: String, _ side: Side, _ effect: RestingOrder.Effect,
        _ list: String, protective: Bool = false
    ) -> RestingOrder {
        RestingOrder(
            id: id, product: usdt, instrument: instrument, symbol: symbol, side: side, effect: effect, list: list,
            protective: protective, marginCurrency: "USDT")
    }

    private static let hedgePosition = Position(
        key: leg("BTCUSDT", .short), symbol: "BTC/USDT:USDT", quantity: amount("0.0155"), notional: amount("1452.505"),
        entryPrice: amount("93730.1"), markPrice: amount("93710"), mode: .hedge,
        openedAt: WallTime(milliseconds: 1_767_685_000_000))

    private static let oddPosition = Position(
        key: leg("BTCUSDT", .long, mode: .isolated), symbol: "BTC/USDT:USDT", quantity: amount("0.75"),
        notional: amount("75"), entryPrice: amount("100"), heldByOrders: amount("0.25"), mode: .oneWay)

    private static let usdtContracts = [
        Instrument(
            nativeID: "BTCUSDT", symbol: "BTC/USDT:USDT", product: usdt, quantityStep: amount("0.0001"),
            minimumQuantity: amount("0.0001"), maximumMarketQuantity: amount("220")),
        Instrument(
            nativeID: "龙虾USDT", symbol: "龙虾/USDT:USDT", product: usdt, quantityStep: amount("10"),
            minimumQuantity: amount("1"), trading: .closeOnly),
        Instrument(nativeID: "OLDUSDT", symbol: "OLD/USDT:USDT", product: usdt, trading: .delisted),
        Instrument(nativeID: "SITEUSDT", symbol: "SITE/USDT:USDT", product: usdt, trading: .suspended),
    ]

    private static let coin = "COIN-FUTURES"
    private static let coinContracts = [
        Instrument(
            nativeID: "BTCUSD", symbol: "BTC/USD:BTC", product: coin, quantityStep: amount("0.001"),
            minimumQuantity: amount("0.001")),
        Instrument(
            nativeID: "BTCUSDH26", symbol: "BTC/USD:BTC-260327", product: coin, quantityStep: amount("0.001"),
            minimumQuantity: amount("0.001")),
        Instrument(nativeID: "ETHUSD_231229", symbol: "ETH/USD:ETH-231229", product: coin),
        Instrument(nativeID: "XRPUSDU26", symbol: "XRP/USD:XRP-U26", product: coin, trading: .suspended),
    ]

    static let readCases = ownReadCases + copyReadCases + unifiedReadCases
    private static let ownReadCases = [
        ReadCase(
            recorded: RecordedReply("time"), read: .serverTime,
            answer: .serverTime(WallTime(milliseconds: 1_688_008_631_614))),
        ReadCase(
            recorded: RecordedReply("identity.codes"), read: .identity,
            answer: .identity(
                Identity(
                    uid: "1000001", parentUID: "1000000", mayTrade: true, mayWithdraw: true,
                    boundIPs: ["203.0.113.7", "203.0.113.8"]))),
        ReadCase(
            recorded: RecordedReply("identity.words"), read: .identity,
            answer: .identity(Identity(uid: "1000002", boundIPs: []))),
        ReadCase(
            recorded: RecordedReply("identity.no-permission", status: 400), read: .identity,
            answer: .identity(Identity())),
        ReadCase(
            recorded: RecordedReply("contracts.usdt"), read: .instruments(product: usdt, cursor: nil),
            answer: .instruments(usdtContracts, next: nil)),
        ReadCase(
            recorded: RecordedReply("contracts.coin"), read: .instruments(product: coin, cursor: nil),
            answer: .instruments(coinContracts, next: nil)),
        ReadCase(
            recorded: RecordedReply("contracts.empty"), read: .instruments(product: coin, cursor: nil),
            answer: .instruments([], next: nil)),
        ReadCase(
            recorded: RecordedReply("positions.hedge"), read: .positions(product: usdt, cursor: nil),
            answer: .positions([hedgePosition], next: nil)),
        ReadCase(
            recorded: RecordedReply("positions.flat"), read: .positions(product: usdt, cursor: nil),
            answer: .positions([], next: nil)),
        ReadCase(
            recorded: RecordedReply("positions.odd-but-legal"), read: .positions(product: usdt, cursor: nil),
            answer: .positions([oddPosition], next: nil)),
        ReadCase(
            recorded: RecordedReply("orders.empty"), read: .orders(product: usdt, list: "normal/live", cursor: nil),
            answer: .orders([], next: nil)),
        ReadCase(
            recorded: RecordedReply("orders.live"), read: .orders(product: usdt, list: "normal/live", cursor: nil),
            answer: .orders(
                [order("1190384645049036801", "BLURUSDT", "BLURUSDT", .long, .opens, "normal")], next: nil)),
        ReadCase(
            recorded: RecordedReply("plan.normal"), read: .orders(product: usdt, list: "normal_plan", cursor: nil),
            answer: .orders(
                [order("1190384645049036910", "BTCUSDT", "BTC/USDT:USDT", .long, .opens, "normal_plan")], next: nil)),
        ReadCase(
            recorded: RecordedReply("plan.profit-loss"), read: .orders(product: usdt, list: "profit_loss", cursor: nil),
            answer: .orders(
                [
                    order(
                        "1190384645049036900", "BTCUSDT", "BTC/USDT:USDT", .long, .closes, "pos_loss",
                        protective: true),
                    order(
                        "1190384645049036902", "ETHUSDT", "ETHUSDT", .short, .closes, "profit_plan", protective: true),
                ], next: nil)),
        ReadCase(
            recorded: RecordedReply("accounts.flat"), read: .control(product: usdt),
            answer: .control(consistentWithFlat: true)),
        ReadCase(
            recorded: RecordedReply("accounts.open"), read: .control(product: usdt),
            answer: .control(consistentWithFlat: false)),
    ]

    static let liveID = "1120923953904893955"
    private static let bySymbol = ["BTCUSDT ok ", "ETHUSDT market 40931"]

    static let mutationCases = ownMutationCases + copyMutationCases + unifiedMutationCases
    private static let ownMutationCases = [
        MutationCase(
            recorded: RecordedReply("close.s0"), mutation: flashClose, effect: .partial, errorClass: .ok,
            orderIDs: ["123"], rows: bySymbol),
        MutationCase(
            recorded: RecordedReply("close.mixed-text-with-symbol"), mutation: flashClose, effect: .partial,
            errorClass: .ok, orderIDs: ["123"], rows: bySymbol),
        MutationCase(
            recorded: RecordedReply("close.s1"), mutation: flashClose, effect: .partial, errorClass: .ok,
            orderIDs: ["123"], rows: ["- ok ", "- duplicateId 43118"]),
        MutationCase(
            recorded: RecordedReply("close.mixed-number-without-symbol"), mutation: flashClose, effect: .partial,
            errorClass: .ok, orderIDs: ["123"], rows: ["- ok ", "- duplicateId 43118"]),
        MutationCase(
            recorded: RecordedReply("close.captured"), mutation: flashClose, effect: .executed, errorClass: .ok,
            orderIDs: [liveID], rows: ["- ok "]),
        MutationCase(
            recorded: RecordedReply("close.null-failures"), mutation: flashClose, effect: .executed, errorClass: .ok,
            orderIDs: [liveID], rows: ["- ok "]),
        MutationCase(
            recorded: RecordedReply("close.flat", status: 400), mutation: flashClose, effect: .none,
            errorClass: .alreadyFlat),
        MutationCase(
            recorded: RecordedReply("close.empty-lists"), mutation: flashClose, effect: .none,
            errorClass: .alreadyFlat),
        MutationCase(
            recorded: RecordedReply("close.null-lists"), mutation: flashClose, effect: .none, errorClass: .alreadyFlat),
        MutationCase(
            recorded: RecordedReply("close.all-refused"), mutation: flashClose, effect: .none, errorClass: .adapt,
            rows: ["BTCUSDT alreadyFlat 22002", "ETHUSDT adapt 40888"]),
        MutationCase(
            recorded: RecordedReply("close.unlisted-row"), mutation: flashClose, effect: .unknown, errorClass: .unknown,
            rows: ["BTCUSDT unknown xxxx"]),
        MutationCase(
            recorded: RecordedReply("place.accepted"), mutation: marketClose, effect: .executed, errorClass: .ok,
            orderIDs: [liveID]),
        MutationCase(
            recorded: RecordedReply("place.trimmed"), mutation: marketClose, effect: .executed, errorClass: .ok),
        MutationCase(
            recorded: RecordedReply("cancel.all"), mutation: cancelRegular, effect: .executed, errorClass: .ok,
            orderIDs: ["11", "12"], rows: ["- ok ", "- ok "]),
        MutationCase(
            recorded: RecordedReply("cancel.partial"), mutation: cancelPlan, effect: .partial, errorClass: .ok,
            orderIDs: ["11"], rows: ["- ok ", "- notFound notExistend"]),
        MutationCase(
            recorded: RecordedReply("cancel.plan-without-codes"), mutation: cancelPlan, effect: .unknown,
            errorClass: .unknown, rows: ["- unknown ", "- unknown "]),
        MutationCase(
            recorded: RecordedReply("cancel.nothing", status: 400), mutation: cancelRegular, effect: .none,
            errorClass: .notFound),
        MutationCase(
            recorded: RecordedReply("throttled", status: 429), mutation: flashClose, effect: .none,
            errorClass: .rateLimited),
    ]

    @Test("to reads have one reading each", arguments: readCases)
    func reads(row: ReadCase) throws {
        let reply = try row.recorded.reply(from: .module)
        let result = bitget.answer(to: row.read, in: reply, account: row.owner, instruments: Self.book)
        #expect(result == .answer(row.answer))
        #expect(bitget.serverTime(in: reply) != nil)
    }

    @Test("to mutations have one reading each", arguments: mutationCases)
    func mutations(row: MutationCase) throws {
        let outcome = outcome(row.mutation, try row.recorded.reply(from: .module), of: row.owner)
        #expect(outcome.effect == row.effect)
        #expect(outcome.errorClass == row.errorClass)
        #expect(outcome.orderIDs == row.orderIDs)
        #expect(outcome.rows.map { "\($0.instrument ?? "-") \($0.errorClass.rawValue) \($0.code)" } == row.rows)
    }

    @Test("are all under test")
    func noneForgotten() throws {
        let used = Set(Self.readCases.map(\.recorded.name) + Self.mutationCases.map(\.recorded.name))
        #expect(try RecordedReply.names(in: .module) == used.sorted())
    }

    @Test("prove nothing under a status that is no success", arguments: [301, 400, 403, 404, 429, 500, 502])
    func wrongStatus(status: Int) throws {
        for row in Self.readCases where row.recorded.status == 200 {
            let reply = VenueReply(status: status, body: try row.recorded.reply(from: .module).body)
            let failed = failure(answer(row.read, reply, of: row.owner))
            #expect(failed != nil && failed?.effect == Effect.none)
        }
        for row in Self.mutationCases where row.recorded.status == 200 {
            let reply = VenueReply(status: status, body: try row.recorded.reply(from: .module).body)
            #expect(outcome(row.mutation, reply, of: row.owner).effect == .unknown)
        }
    }

    @Test("prove nothing when cut at any byte")
    func cutAnywhere() throws {
        for row in Self.readCases where row.recorded.status == 200 {
            let whole = try row.recorded.reply(from: .module).body
            let end = whole.lastIndex(of: UInt8(ascii: "}")) ?? 0
            for length in 0...end {
                let cut = VenueReply(status: 200, body: Array(whole.prefix(length)))
                #expect(failure(answer(row.read, cut, of: row.owner))?.code == "malformed-reply")
            }
        }
        for row in Self.mutationCases {
            let whole = try row.recorded.reply(from: .module).body
            let end = whole.lastIndex(of: UInt8(ascii: "}")) ?? 0
            for length in 0...end {
                let cut = VenueReply(status: row.recorded.status, body: Array(whole.prefix(length)))
                #expect(outcome(row.mutation, cut, of: row.owner).effect == .unknown)
            }
        }
    }

    @Test(
        "never trap when bytes are changed at random, and never claim what is not there",
        arguments: 1...8 as ClosedRange<UInt64>)
    func changedBytes(seed: UInt64) throws {
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var failures = 0
        for row in Self.readCases {
            let whole = try row.recorded.reply(from: .module)
            for _ in 0..<60 {
                var changed = whole
                for _ in 0...next(3) { changed.body[next(changed.body.count)] = UInt8(next(256)) }
                if failure(answer(row.read, changed, of: row.owner)) != nil { failures += 1 }
            }
        }
        for row in Self.mutationCases {
            let whole = try row.recorded.reply(from: .module)
            for _ in 0..<60 {
                var changed = whole
                for _ in 0...next(3) { changed.body[next(changed.body.count)] = UInt8(next(256)) }
                let outcome = outcome(row.mutation, changed, of: row.owner)
                if outcome.effect == .unknown { failures += 1 }
                #expect(outcome.effect != .executed || outcome.errorClass == .ok)
            }
        }
        #expect(failures > 500)
    }
}
