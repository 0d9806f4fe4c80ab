import FlatbookCore
import Testing

@Suite("the JSON parser")
struct JSONParserTests {
    private func parse(_ text: String, depth: Int = 64) throws -> JSONValue {
        try JSONValue.parse(Array(text.utf8), maximumDepth: depth)
    }

    @Test("keeps the text of numbers and the order of members")
    func keepsTextAndOrder() throws {
        let value = try parse(#" {"z": 1190384645049036801, "a": [1e-8, -0.10, 0], "m": {"k": null}, "t": true} "#)
        #expect(
            value
                == .object([
                    JSONValue.Member("z", .number("1190384645049036801")),
                    JSONValue.Member("a", .array([.number("1e-8"), .number("-0.10"), .number("0")])),
                    JSONValue.Member("m", .object([JSONValue.Member("k", .null)])),
                    JSONValue.Member("t", .bool(true)),
                ]))
    }

    @Test(
        "reads every kind of string",
        arguments: [
            (#""""#, ""), (#""a\"b\\c\/d""#, "a\"b\\c/d"), (#""\b\f\n\r\t""#, "\u{08}\u{0C}\n\r\t"),
            (#""\u0041\u00e9\u20AC""#, "Aé€"), (#""\ud83d\ude00!""#, "😀!"), (#""龙虾USDT""#, "龙虾USDT"),
            (#""\u0000""#, "\0"), (#""é\n龙""#, "é\n龙"),
        ])
    func readsStrings(text: String, expected: String) throws {
        #expect(try parse(text) == .string(expected))
    }

    @Test(
        "accepts each number form of RFC 8259",
        arguments: ["0", "-0", "10", "0.5", "-1.25", "1e5", "1E+5", "1.5e-10", "123456789012345678901234567890"])
    func acceptsNumbers(text: String) throws {
        #expect(try parse(text) == .number(text))
    }

    @Test(
        "refuses what is not wholly one JSON text, and says where",
        arguments: [
            ("", JSONError(.unexpectedEnd, at: 0)), ("  ", JSONError(.unexpectedEnd, at: 2)),
            ("{", JSONError(.unexpectedEnd, at: 1)), (#"{"a""#, JSONError(.unexpectedEnd, at: 4)),
            (#"{"a":1,}"#, JSONError(.unexpectedByte, at: 7)), ("[1,]", JSONError(.unexpectedByte, at: 3)),
            ("[1 2]", JSONError(.unexpectedByte, at: 3)), ("{1:2}", JSONError(.unexpectedByte, at: 1)),
            ("[01]", JSONError(.badNumber, at: 1)), ("1.", JSONError(.unexpectedEnd, at: 2)),
            ("[1.]", JSONError(.badNumber, at: 1)), ("[-]", JSONError(.badNumber, at: 1)),
            ("[1e]", JSONError(.badNumber, at: 1)), ("+1", JSONError(.unexpectedByte, at: 0)),
            (".5", JSONError(.unexpectedByte, at: 0)), ("NaN", JSONError(.unexpectedByte, at: 0)),
            ("tru", JSONError(.unexpectedEnd, at: 3)), ("truE", JSONError(.unexpectedByte, at: 3)),
            ("nullx", JSONError(.trailingBytes, at: 4)), ("{} {}", JSONError(.trailingBytes, at: 3)),
            ("1\u{0}", JSONError(.trailingBytes, at: 1)), (#""a"#, JSONError(.unexpectedEnd, at: 2)),
            ("\"a\nb\"", JSONError(.badString, at: 2)), (#""\x""#, JSONError(.badString, at: 1)),
            (#""\u12g4""#, JSONError(.badString, at: 5)), (#""\ud83d""#, JSONError(.loneSurrogate, at: 1)),
            (#""\ude00""#, JSONError(.loneSurrogate, at: 1)), (#""\ud83dx""#, JSONError(.loneSurrogate, at: 1)),
            (#""\ud83d\u0041""#, JSONError(.loneSurrogate, at: 1)), ("'a'", JSONError(.unexpectedByte, at: 0)),
            ("// no\n1", JSONError(.unexpectedByte, at: 0)), ("<html>", JSONError(.unexpectedByte, at: 0)),
            (#"{"a":1,"b":2,"a":3}"#, JSONError(.duplicateName, at: 13)),
            (#"{"a":1,"\u0061":3}"#, JSONError(.duplicateName, at: 7)),
            ("\u{FEFF}{}", JSONError(.byteOrderMark, at: 0)),
        ])
    func refuses(text: String, expected: JSONError) {
        #expect(throws: expected) { try parse(text) }
    }

    @Test(
        "refuses text that is not UTF-8",
        arguments: [[0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xE9, 0xBE], [0xF5, 0x80, 0x80, 0x80]] as [[UInt8]])
    func refusesBadUTF8(bytes: [UInt8]) {
        let quoted: [UInt8] = [UInt8(ascii: "[")] + [0x22] + bytes + [0x22, UInt8(ascii: "]")]
        #expect(throws: JSONError(.badUTF8, at: 1)) { try JSONValue.parse(quoted) }
    }

    @Test("allows the same name in different objects")
    func sameNameElsewhere() throws {
        #expect(try parse(#"[{"a":1},{"a":{"a":2}}]"#).elements?.count == 2)
    }

    @Test("bounds nesting, whatever is asked for")
    func boundsDepth() throws {
        func nested(_ n: Int) -> String { String(repeating: "[", count: n) + String(repeating: "]", count: n) }
        #expect(try parse(nested(64)).elements?.count == 1)
        #expect(throws: JSONError(.tooDeep, at: 64)) { try parse(nested(65)) }
        #expect(try parse(nested(512), depth: .max).elements?.count == 1)
        #expect(throws: JSONError(.tooDeep, at: 512)) { try parse(nested(100_000), depth: .max) }
        #expect(throws: JSONError(.tooDeep, at: 0)) { try parse("[]", depth: 0) }
    }

    @Test("accepts no proper prefix of an object")
    func noPrefix() throws {
        let whole = Array(#"{"code":"00000","data":[{"a":"\u00e9\ud83d\ude00","n":-1.5e+3,"b":[true,null]}]}"#.utf8)
        _ = try JSONValue.parse(whole)
        for length in 0..<whole.count {
            #expect(throws: JSONError.self) { try JSONValue.parse(Array(whole.prefix(length))) }
        }
    }

    @Test(
        "gives a value or an error, never a trap, for bytes changed at random", arguments: 1...20 as ClosedRange<UInt64>
    )
    func neverTraps(seed: UInt64) {
        let base = Array(#"{"a":["x\u00e9",1.5e3,{"b":null}],"c":"\ud83d\ude00 龙","d":[[],{}],"e":-0.0}"#.utf8)
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var refused = 0
        for _ in 0..<2000 {
            var bytes = base
            for _ in 0...next(3) { bytes[next(bytes.count)] = UInt8(next(256)) }
            do { _ = try JSONValue.parse(bytes) } catch {
                #expect(error.offset >= 0 && error.offset <= bytes.count)
                refused += 1
            }
        }
        #expect(refused > 0)
    }

    /// Found by fuzzing: 8 MiB of `1,` took 700 MiB.
    @Test("refuses more values than a reply can need", arguments: [("[", "0,", "0]"), ("[", "[],", "[]]")])
    func tooManyValues(open: String, value: String, end: String) throws {
        let fitting = open + String(repeating: value, count: JSONValue.mostValues - 2) + end
        #expect(try parse(fitting).elements?.count == JSONValue.mostValues - 1)
        let error = #expect(throws: JSONError.self) {
            try parse(open + String(repeating: value, count: JSONValue.mostValues - 1) + end)
        }
        #expect(error?.reason == .tooManyValues)
    }

    @Test("reads a long text with many members and escapes")
    func longText() throws {
        let row = #"{"id":"\u0031","n":1}"#
        let text = "[" + Array(repeating: row, count: 20_000).joined(separator: ",") + "]"
        #expect(try parse(text).elements?.count == 20_000)
        let wide = "{" + (0..<20_000).map { "\"k\($0)\":\"\\n\"" }.joined(separator: ",") + "}"
        #expect(try parse(wide).members?.count == 20_000)
    }
}
