import FlatbookCore
import Testing

@Suite("Writing JSON")
struct JSONWriterTests {
    @Test(
        "text is escaped so that it is valid and safe to print",
        arguments: [
            ("", "\"\""), ("a\"b", "\"a\\\"b\""), ("a\\b", "\"a\\\\b\""), ("\n\r\t", "\"\\n\\r\\t\""),
            ("\u{0}", "\"\\u0000\""), ("\u{1B}[31m", "\"\\u001b[31m\""), ("\u{7F}", "\"\\u007f\""),
            ("\u{9B}", "\"\\u009b\""), ("\u{202E}x", "\"\\u202ex\""), ("\u{2066}", "\"\\u2066\""),
            ("\u{2028}\u{2029}", "\"\\u2028\\u2029\""), ("\u{200F}", "\"\\u200f\""), ("\u{61C}", "\"\\u061c\""),
            ("\u{FEFF}", "\"\\ufeff\""), ("台🙂", "\"台🙂\""), ("e\u{301}", "\"e\u{301}\""), ("a/b", "\"a/b\""),
        ])
    func escaping(text: String, expected: String) {
        let written = JSONValue.string(text).serialized()
        #expect(Array(written.unicodeScalars) == Array(expected.unicodeScalars))
    }

    @Test("a quote and a line break under a combining mark are escaped too")
    func combining() throws {
        for text in ["\"\u{301}", "\\\u{301}", "\r\n", "\n\u{301}"] {
            let written = JSONValue.string(text).serialized()
            #expect(written.unicodeScalars.allSatisfy { $0.value >= 0x20 })
            #expect(try JSONValue.parse(Array(written.utf8)).text.map { Array($0.utf8) } == Array(text.utf8))
        }
    }

    static let tree: JSONValue = .object([
        .init("z", .array([.integer(-1), .number("1e-8"), .bool(true), .bool(false), .null])),
        .init("a\"\u{1B}", .object([])),
        .init("empty", .array([])),
        .init("", .optional(nil)),
        .init("nested", .object([.init("text", .optional("台\"\n🙂\u{202E}"))])),
    ])

    @Test("what is written reads back the same, members in their order", arguments: [false, true])
    func roundTrip(pretty: Bool) throws {
        let written = Self.tree.serialized(pretty: pretty)
        let read = try JSONValue.parse(Array(written.utf8))
        #expect(read == Self.tree)
        #expect(read.members?.map(\.name) == ["z", "a\"\u{1B}", "empty", "", "nested"])
    }

    @Test("every scalar below U+3000 and each plane's first reads back the same")
    func everyScalar() throws {
        for value in Array(0..<UInt32(0x3000)) + (1...16).map({ $0 << 16 }) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = String(Character(scalar))
            let read = try JSONValue.parse(Array(JSONValue.string(text).serialized().utf8))
            #expect(read.text.map { Array($0.utf8) } == Array(text.utf8))
        }
    }

    @Test("compact has no blanks; pretty has one member a line and two blanks a level")
    func layout() {
        let value = JSONValue.object([.init("a", .array([.integer(1), .array([])])), .init("b", .object([]))])
        #expect(value.serialized() == "{\"a\":[1,[]],\"b\":{}}")
        #expect(value.serialized(pretty: true) == "{\n  \"a\": [\n    1,\n    []\n  ],\n  \"b\": {}\n}")
    }
}
