import FlatbookConfiguration
import FlatbookCore
import Testing

@Suite("Symbol check") struct SymbolCheckTests {
    static let bitget = ExchangeID("bitget")
    static let okx = ExchangeID("okx")
    static let instruments: [ExchangeID: [Instrument]] = [
        bitget: [
            Instrument(nativeID: "BTCUSDT", symbol: "BTC/USDT:USDT", product: "USDT-FUTURES"),
            Instrument(nativeID: "ETHUSDT", symbol: "ETH/USDT:USDT", product: "USDT-FUTURES"),
            Instrument(nativeID: "SOLPERP", symbol: "SOL/USDC:USDC", product: "USDC-FUTURES"),
        ],
        okx: [
            Instrument(nativeID: "BTC-USDT-SWAP", symbol: "BTC/USDT:USDT", product: "SWAP")
        ],
    ]

    /// The patterns stand on lines 20, 21, …; the plan on line 2.
    static func plan(_ symbols: [String], sides: [Side] = [.long, .short]) -> PlanDocument {
        PlanDocument(
            name: "eod", accounts: [Pattern("*")],
            symbols: symbols.enumerated().map { Pattern($1, line: 20 + $0) }, sides: sides,
            source: SourceLocation(file: "plans/eod.yaml", line: 2))
    }

    static func check(_ symbols: [String], _ exchanges: [ExchangeID], allow: Bool = false) -> [Diagnostic] {
        SymbolCheck.check(plan: plan(symbols), exchanges: exchanges, instruments: instruments, allowNoMatch: allow)
    }

    @Test(
        "Patterns that match a listed instrument are no problem",
        arguments: [
            ["*"], ["BTC/USDT:USDT", "ETH/*"], ["*", "!BTC/USDT:USDT"], ["bitget:SOLPERP"], ["!bitget:ETH*", "*"],
            ["*:USDC"],
        ])
    func matching(symbols: [String]) {
        #expect(Self.check(symbols, [Self.bitget]) == [])
    }

    @Test(
        "A pattern that matches nothing is named with its line and the nearest spelling",
        arguments: [
            ("BTC/USTD:USDT", "BTC/USDT:USDT"), ("!BTC/USDT", "!BTC/USDT:USDT"), ("BTCUSDT", "BTC/USDT:USDT"),
            ("bitget:BTCUSD", "bitget:BTCUSDT"), ("!bitget:SOLPREP", "!bitget:SOLPERP"),
        ])
    func unmatched(symbol: String, meant: String) {
        #expect(
            Self.check(["*", symbol], [Self.bitget]) == [
                Diagnostic(
                    file: "plans/eod.yaml", line: 21, key: "symbols[1]",
                    "\"\(symbol)\" matches no instrument of bitget.",
                    hint: "Did you mean \"\(meant)\"?")
            ])
    }

    @Test("Each selected exchange must list a match, except for a pattern of one exchange")
    func everyExchange() {
        let both = [Self.okx, Self.bitget, Self.okx]
        #expect(Self.check(["BTC/USDT:USDT", "bitget:ETHUSDT", "!okx:BTC-*"], both) == [])
        let found = Self.check(["ETH/USDT:USDT"], both)
        #expect(found.map(\.message) == ["\"ETH/USDT:USDT\" matches no instrument of okx."])
    }

    @Test("An exchange of which no account is selected is an error", arguments: ["okx:BTC*", "!okx:BTC*", "kraken:X"])
    func otherExchange(symbol: String) {
        let found = Self.check(["*", symbol], [Self.bitget])
        #expect(found.map(\.line) == [21])
        #expect(found.first?.message.contains("of which no account is selected") == true)
    }

    @Test("A misspelt exchange gets the nearest one")
    func misspeltExchange() {
        #expect(
            Self.check(["bitgte:BTCUSDT"], [Self.bitget]).map(\.hint) == ["Did you mean \"bitget:BTCUSDT\"?"])
    }

    @Test("--allow-no-match excuses positive patterns and never an exclusion")
    func allowNoMatch() {
        #expect(Self.check(["XYZ/USDT:USDT", "okx:NO*"], [Self.bitget], allow: true) == [])
        let found = Self.check(["XYZ/USDT:USDT", "!XYZ/USDT:USDT", "!bitget:NO*"], [Self.bitget], allow: true)
        #expect(found.map(\.line) == [21, 22])
    }

    @Test("Without an instrument list nothing matches")
    func noList() {
        #expect(Self.check(["*"], [ExchangeID("bingx")]).count == 1)
    }

    @Test(
        "A pattern is not judged by an exchange that has not answered yet, and one of an exchange that nobody selected is",
        arguments: [
            ("!okx:NO*", 0), ("okx:BTC-USDT-SWAP", 0), ("ETH/USDT:USDT", 0), ("!bitget:NO*", 1), ("!bingx:BTC-USDT", 1),
            ("XYZ/USDT:USDT", 1),
        ])
    func unanswered(symbol: String, problems: Int) {
        let found = SymbolCheck.check(
            plan: Self.plan(["*", symbol]), exchanges: [Self.bitget, Self.okx], answered: [Self.bitget],
            instruments: [Self.bitget: Self.instruments[Self.bitget] ?? []], allowNoMatch: false)
        #expect(found.count == problems, "\(found)")
    }

    @Test("The nearest of many thousand names is found among those with the same first letter")
    func manyNames() {
        let many = (0..<6000).map {
            Instrument(nativeID: "N\($0)", symbol: $0 == 5999 ? "BTC/USDT:USDT" : "A\($0)/USDT:USDT", product: "P")
        }
        let found = SymbolCheck.check(
            plan: Self.plan(["BTC/USDT:USTD"]), exchanges: [Self.bitget], instruments: [Self.bitget: many],
            allowNoMatch: false)
        #expect(found.map(\.hint) == ["Did you mean \"BTC/USDT:USDT\"?"])
    }

    @Test(
        "A granularity beyond the selection is refused at the plan's line",
        arguments: [
            (PlanDocument.Granularity.account, ["*"], [Side.long, .short], true),
            (.account, ["*", "!BTC/USDT:USDT"], [.long, .short], false), (.account, ["*"], [.long], false),
            (.account, ["BTC/*"], [.long, .short], false), (.symbol, ["BTC/*"], [.long, .short], true),
            (.symbol, ["*"], [.short], false), (.side, ["BTC/*"], [.short], true), (.auto, ["*"], [.long], true),
        ])
    func granularity(value: PlanDocument.Granularity, symbols: [String], sides: [Side], allowed: Bool) {
        var plan = Self.plan(symbols, sides: sides)
        plan.granularity = value
        let found = SymbolCheck.granularity(plan: plan)
        #expect(found.map(\.key) == (allowed ? [] : ["granularity"]))
        #expect(found.allSatisfy { $0.line == 2 && $0.file == "plans/eod.yaml" })
    }
}
