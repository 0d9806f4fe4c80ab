/// Inputs at the bounds of what the product takes in: deep, long, large.
enum Extremes {
    /// Made when it is needed: a list of them must not be what fills the memory.
    struct Named {
        var name: String
        var make: () -> [UInt8]

        init(_ name: String, _ bytes: @autoclosure @escaping () -> [UInt8]) {
            self.name = name
            make = bytes
        }
    }

    /// The largest reply body that the transport takes.
    static let replyBound = 8 << 20
    /// The largest configuration file.
    static let fileBound = 1 << 20

    private static func times(_ text: String, _ bound: Int) -> [UInt8] {
        let unit = Array(text.utf8)
        var out: [UInt8] = []
        out.reserveCapacity(bound)
        while out.count + unit.count <= bound { out += unit }
        return out
    }

    static func json() -> [Named] { bodies(replyBound) }

    /// - Parameter bound: of a body, in bytes.
    private static func bodies(_ bound: Int) -> [Named] {
        let most = bound - 64
        return [
            Named("nesting", times("[", most)), Named("nesting of objects", times("{\"a\":", most)),
            Named("one number", Array("{\"code\":".utf8) + times("7", most) + Array("}".utf8)),
            Named("one long text", Array("{\"code\":\"".utf8) + times("x", most) + Array("\"}".utf8)),
            Named("one text of escapes", Array("{\"code\":\"".utf8) + times("\\u00e9", most) + Array("\"}".utf8)),
            Named("a list of digits", Array("{\"data\":[".utf8) + times("1,", most) + Array("1]}".utf8)),
            Named("a list of lists", Array("{\"data\":[".utf8) + times("[],", most) + Array("[]]}".utf8)),
            Named("a list of objects", Array("{\"data\":[".utf8) + times("{\"a\":1},", most) + Array("{}]}".utf8)),
            Named("one name twice", Array("{".utf8) + times("\"a\":1,", most) + Array("\"a\":1}".utf8)),
            Named("many names", Array("{".utf8) + names(most) + Array("\"z\":1}".utf8)),
            Named("blanks", times(" ", most)), Named("zeros", [UInt8](repeating: 0, count: most)),
            Named("no UTF-8", [UInt8](repeating: 0xFF, count: most)),
        ]
    }

    private static func names(_ bound: Int) -> [UInt8] {
        var out: [UInt8] = []
        var number = 0
        while out.count + 20 < bound {
            out += "\"n\(number)\":1,".utf8
            number += 1
        }
        return out
    }

    /// Every body as the answer to a few calls: positions among them, by their number.
    static func replies(_ questions: Int) -> [Named] {
        let few = stride(from: 0, to: questions, by: max(1, questions / 8)).map { UInt8($0) }
        return bodies(replyBound).flatMap { body in
            few.map { call in Named("\(body.name), call \(call)", [call, 0, 0, 0] + body.make()) }
        } + many(questions)
    }

    /// Rows without end, under an exchange's success.
    private static func many(_ questions: Int) -> [Named] {
        ["00000", "0"].flatMap { code in
            (0..<questions).map { call in
                let head = [UInt8(truncatingIfNeeded: call), 0, 0, 0] + Array("{\"code\":\"\(code)\",\"data\":[".utf8)
                let row = "{\"symbol\":\"BTCUSDT\",\"total\":\"0\",\"positionAmt\":\"0\",\"pos\":\"0\"},"
                return Named("rows of nothing, call \(call)", head + times(row, 1 << 20) + Array("{}]}".utf8))
            }
        }
    }

    static func numbers() -> [Named] {
        [
            Named("digits", times("9", 1 << 20)), Named("zeros", times("0", 1 << 20)),
            Named("places", Array("0.".utf8) + times("0", 1 << 20)),
            Named("an exponent", Array("1e".utf8) + times("9", 1 << 20)), Named("units", times("9h", 1 << 20)),
        ]
    }

    /// A plan's pattern has at most 200 bytes; names are as long as an exchange sends them.
    static func globs() -> [Named] {
        [
            Named("stars", times("*a", 200) + [0x0A] + times("a", 4096) + [0x0A]),
            Named("a near miss", times("*aaaa", 199) + Array("b\n".utf8) + times("a", 4096) + [0x0A]),
        ]
    }

    static func yaml() -> [Named] {
        let head = Array("version: 1\nname: a\naccounts: [\"*\"]\n".utf8)
        var laughs = "a0: &a0 x\n"
        for level in 1...9 {
            laughs += "a\(level): &a\(level) [" + (0..<9).map { _ in "*a\(level - 1)" }.joined(separator: ",") + "]\n"
        }
        return [
            Named("billion laughs", Array(laughs.utf8)), Named("nesting", times("[", fileBound)),
            Named("nesting of maps", times("{a: ", fileBound)), Named("nesting of blocks", times("- ", fileBound)),
            Named("nesting by lines", indented()), Named("questions", times("? ", fileBound)),
            Named("one long text", head + Array("x: ".utf8) + times("x", fileBound - 64)),
            Named("one quoted text", head + Array("x: \"".utf8) + times("\\n", fileBound - 64) + Array("\"".utf8)),
            Named("many keys", head + manyKeys()), Named("one key twice", head + times("x: 1\n", fileBound - 64)),
            Named("a long list", Array("version: 1\nname: a\naccounts:\n".utf8) + times("- x\n", fileBound - 64)),
            Named("documents", times("---\n", fileBound)), Named("comments", times("# x\n", fileBound)),
            Named("blanks", times(" ", fileBound)), Named("lines", times("\n", fileBound)),
            Named("zeros", [UInt8](repeating: 0, count: fileBound)),
        ]
    }

    private static func indented() -> [UInt8] {
        var out: [UInt8] = []
        var depth = 0
        while out.count + depth + 4 < fileBound {
            out += [UInt8](repeating: 0x20, count: depth) + Array("a:\n".utf8)
            depth += 1
        }
        return out
    }

    private static func manyKeys() -> [UInt8] {
        var out: [UInt8] = []
        var number = 0
        while out.count + 32 < fileBound - 64 {
            out += "k\(number): 1\n".utf8
            number += 1
        }
        return out
    }

    /// The largest secret file.
    static func secrets() -> [Named] {
        bodies(4 << 20).map { body in Named(body.name, Array("/code\n".utf8) + body.make()) }
            + [Named("a long pointer", times("/a", 1 << 20) + Array("\n{}".utf8))]
    }

    static func ledgers() -> [Named] {
        [
            Named("raw bytes", [0, 0] + times("\u{1}\0\0\0", 4 << 20)),
            Named("empty records", [0, 1] + times("\u{5}\0", 1 << 20)),
            Named("acquires", [0, 1] + [UInt8](repeating: 0, count: 4 << 20)),
        ]
    }

    /// The largest body that the simulator's server takes, and the longest line that its HTTP parser does.
    static func requests(_ routes: Int) -> [Named] {
        stride(from: 0, to: min(routes, 128), by: 3).flatMap { route -> [Named] in
            let head = [UInt8(route)]
            return [
                Named("route \(route), a long query", head + times("a=1&", 80 << 10) + [0x0A]),
                Named("route \(route), nesting", head + [0x0A] + times("[", 256 << 10)),
                Named(
                    "route \(route), a number",
                    head + [0x0A] + Array("{\"size\":".utf8) + times("9", 200 << 10) + Array("}".utf8)),
            ]
        }
    }
}
