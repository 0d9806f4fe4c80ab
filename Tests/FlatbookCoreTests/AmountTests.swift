import FlatbookCore
import Testing

@Suite("Exact amounts")
struct AmountTests {
    @Test(
        "reads decimal text as exchanges write it",
        arguments: [
            ("0", "0"), ("0.015", "0.015"), ("1.500", "1.5"), ("-2.0", "-2"), ("1e-8", "0.00000001"),
            ("12E2", "1200"), ("00.10", "0.1"), ("-0", "0"),
            ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
        ])
    func reads(text: String, printed: String) throws {
        #expect(try Amount(text).description == printed)
    }

    @Test(
        "refuses what is not wholly an amount",
        arguments: [
            "", " ", "1,5", "1.5 BTC", "0x10", "NaN", "inf", "+1", ".5", "5.", "1.2.3", "--1", "1e", "1e1234", "１",
        ])
    func refuses(text: String) {
        #expect(throws: AmountError.notAnAmount) { try Amount(text) }
    }

    @Test("refuses more than 38 digits instead of rounding")
    func refusesTooManyDigits() {
        #expect(throws: AmountError.tooManyDigits) { try Amount("999999999999999999999999999999999999999") }
        #expect(throws: AmountError.tooManyDigits) { try Amount("1e60") }
        #expect(throws: AmountError.tooManyDigits) { try Amount("1e-60") }
    }

    @Test("adds, multiplies and rounds down exactly")
    func computes() throws {
        #expect(try Amount("0.1").adding(Amount("0.2")) == Amount("0.3"))
        #expect(try Amount("98250.4").multiplied(by: Amount("0.015")) == Amount("1473.756"))
        #expect(try Amount("1.239").roundedDown(to: Amount("0.05")) == Amount("1.2"))
        #expect(try Amount("-1.239").roundedDown(to: Amount("0.05")) == Amount("-1.2"))
        #expect(throws: AmountError.tooManyDigits) {
            try Amount("99999999999999999999").multiplied(by: Amount("99999999999999999999"))
        }
    }

    @Test("orders by value whatever the number of digits", arguments: 1...200)
    func orders(seed: Int) throws {
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15
        func draw() -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 40) - (1 << 23)
        }
        let (a, b) = (draw(), draw())
        let (x, y) = (try Amount("\(a)e-3"), try Amount("\(b)e-3"))
        #expect((x < y) == (a < b), "seed \(seed)")
        #expect((x == y) == (a == b), "seed \(seed)")
        #expect(try x.adding(y) == Amount("\(a + b)e-3"), "seed \(seed)")
    }

    @Test("compares values whose digits cannot be aligned")
    func comparesExtremes() throws {
        let huge = try Amount("99999999999999999999999999999999999999")
        let tiny = try Amount("1e-37")
        #expect(tiny < huge)
        #expect(!(huge < tiny))
        #expect(huge.negated < tiny)
    }
}

extension AmountTests {
    /// Found in review for fuzzing: the least integer of the type has no opposite, so its magnitude ended the process.
    @Test("a result beyond the greatest integer is refused on either side of zero")
    func leastInteger() throws {
        let greatest = try Amount("170141183460469231731687303715884105727")
        #expect(throws: AmountError.tooManyDigits) { try greatest.negated.adding(Amount(-1)) }
        #expect(throws: AmountError.tooManyDigits) { try greatest.adding(Amount(1)) }
        let (a, b) = (try Amount("-18446744073709551616"), try Amount("9223372036854775808"))
        #expect(throws: AmountError.tooManyDigits) { try a.multiplied(by: b) }
        #expect(try a.adding(b).magnitude == b)
    }
}

@Suite("Time")
struct TimeTests {
    @Test(
        "prints RFC 3339 in UTC with milliseconds",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_790_000_000_123, "2026-09-21T14:13:20.123Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            // Found by fuzzing: ended the process.
            (.min, "-292275055-05-16T16:47:04.192Z"), (.max, "292278994-08-17T07:12:55.807Z"),
        ])
    func prints(milliseconds: Int64, text: String) {
        #expect(WallTime(milliseconds: milliseconds).rfc3339 == text)
    }

    @Test("the compact form has no punctuation")
    func compact() {
        #expect(WallTime(milliseconds: 1_790_000_000_123).compact == "20260921T141320Z")
    }
}

@Suite("Patterns and selections")
struct SelectionTests {
    @Test(
        "globs match whole texts",
        arguments: [
            ("*", "BTC/USDT:USDT", true), ("BTC*", "BTC/USDT:USDT", true), ("BTC", "BTC/USDT:USDT", false),
            ("?TC/*", "BTC/USDT:USDT", true), ("*:USDT", "BTC/USDT:USDT", true), ("", "", true), ("**", "x", true),
            ("a*b*c", "aXbYc", true), ("a*b*c", "aXbY", false),
        ])
    func globs(glob: String, text: String, matches: Bool) {
        #expect(Pattern.glob(glob, matches: text) == matches)
    }

    @Test("an exclusion wins, wherever it stands")
    func exclusionWins() {
        let selection = SymbolSelection(
            patterns: [Pattern("!BTC/USDT:USDT"), Pattern("*")], sides: [.long, .short])
        let exchange = ExchangeID("bitget")
        #expect(!selection.selects(symbol: "BTC/USDT:USDT", nativeID: "BTCUSDT", exchange: exchange))
        #expect(selection.selects(symbol: "ETH/USDT:USDT", nativeID: "ETHUSDT", exchange: exchange))
        #expect(!selection.isEverything)
    }

    @Test("exchange:nativeId selects at that exchange only")
    func nativeID() {
        let selection = SymbolSelection(patterns: [Pattern("bitget:BTCUSDT")], sides: [.long])
        #expect(selection.selects(symbol: "BTC/USDT:USDT", nativeID: "BTCUSDT", exchange: ExchangeID("bitget")))
        #expect(!selection.selects(symbol: "BTC/USDT:USDT", nativeID: "BTCUSDT", exchange: ExchangeID("okx")))
    }
}
