/// Why bytes are no JSON text, and where.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: String, Hashable, Sendable {
        case byteOrderMark = "starts with a byte order mark"
        case unexpectedEnd = "ends too early"
        case unexpectedByte = "holds a byte that cannot stand there"
        case badNumber = "holds a malformed number"
        case badString = "holds a control character or a bad escape in a string"
        case loneSurrogate = "holds half a surrogate pair"
        case badUTF8 = "is not UTF-8"
        case duplicateName = "names a member twice"
        case tooDeep = "is nested too deeply"
        case tooManyValues = "holds too many values"
        case trailingBytes = "goes on after its end"
    }

    public var reason: Reason
    /// 0-based byte offset; for text that is no UTF-8, of the string that holds it.
    public var offset: Int

    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    public var description: String { "the JSON text \(reason.rawValue) (byte \(offset))" }
}

extension JSONValue {
    /// The deepest nesting that any caller may ask for: the parser recurses, and so does freeing its result.
    public static let depthCeiling = 512

    /// The most values, members included, that a text may hold: a value takes up to a hundred times the memory of the two
    /// bytes that it can be written in. The largest reply that is taken in, 8 MiB, has fewer unless it is an attack.
    public static let mostValues = 1 << 19

    /// Parses one whole RFC 8259 text, strictly, in time linear in its length.
    ///
    /// Stricter than most parsers where two readings are possible: a member named twice, a byte order mark, a lone
    /// surrogate or anything behind the value is refused, because a reply that two programs read in two ways proves
    /// nothing. Names are compared as Swift compares text, that is by canonical equivalence.
    ///
    /// - Parameter maximumDepth: how many arrays and objects may stand inside each other; at most ``depthCeiling``.
    /// - Throws: ``JSONError`` with the byte offset.
    public static func parse(_ bytes: [UInt8], maximumDepth: Int = 64) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes: bytes, maximumDepth: min(maximumDepth, depthCeiling))
        return try parser.document()
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    let maximumDepth: Int
    var index = 0
    private var values = 0

    init(bytes: [UInt8], maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    mutating func document() throws(JSONError) -> JSONValue {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw JSONError(.byteOrderMark, at: 0) }
        let value = try value(depth: 0)
        skipSpace()
        guard index == bytes.count else { throw JSONError(.trailingBytes, at: index) }
        return value
    }

    private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    private func unexpected() -> JSONError {
        JSONError(index < bytes.count ? .unexpectedByte : .unexpectedEnd, at: index)
    }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    private mutating func expect(_ byte: UInt8) throws(JSONError) {
        guard current == byte else { throw unexpected() }
        index += 1
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        index += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        skipSpace()
        guard let first = current else { throw unexpected() }
        values += 1
        guard values <= JSONValue.mostValues else { throw JSONError(.tooManyValues, at: index) }
        switch first {
        case UInt8(ascii: "{"): return .object(try members(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try elements(depth: depth + 1))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: throw unexpected()
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for offset in 0..<text.utf8CodeUnitCount { try expect(text.utf8Start[offset]) }
        return value
    }

    private mutating func members(depth: Int) throws(JSONError) -> [JSONValue.Member] {
        guard depth <= maximumDepth else { throw JSONError(.tooDeep, at: index) }
        index += 1
        var members: [JSONValue.Member] = []
        var names: Set<String> = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return members }
        while true {
            skipSpace()
            let start = index
            guard current == UInt8(ascii: "\"") else { throw unexpected() }
            let name = try string()
            if isNamedTwice(name, in: members, &names) { throw JSONError(.duplicateName, at: start) }
            skipSpace()
            try expect(UInt8(ascii: ":"))
            members.append(JSONValue.Member(name, try value(depth: depth)))
            skipSpace()
            if take(UInt8(ascii: "}")) { return members }
            try expect(UInt8(ascii: ","))
        }
    }

    /// Few names are compared one by one, which is faster; many by a set, so that time stays linear.
    private func isNamedTwice(_ name: String, in members: [JSONValue.Member], _ names: inout Set<String>) -> Bool {
        if members.count < 16 { return members.contains { $0.name == name } }
        if names.isEmpty { names = Set(members.map(\.name)) }
        return !names.insert(name).inserted
    }

    private mutating func elements(depth: Int) throws(JSONError) -> [JSONValue] {
        guard depth <= maximumDepth else { throw JSONError(.tooDeep, at: index) }
        index += 1
        var elements: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return elements }
        while true {
            elements.append(try value(depth: depth))
            skipSpace()
            if take(UInt8(ascii: "]")) { return elements }
            try expect(UInt8(ascii: ","))
        }
    }

    private mutating func digits() -> Int {
        let start = index
        while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
        return index - start
    }

    private mutating func number() throws(JSONError) -> String {
        let start = index
        _ = take(UInt8(ascii: "-"))
        let startsWithZero = current == UInt8(ascii: "0")
        let whole = digits()
        guard whole == 1 || (whole > 1 && !startsWithZero) else { throw badNumber(start) }
        if take(UInt8(ascii: ".")), digits() == 0 { throw badNumber(start) }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            if digits() == 0 { throw badNumber(start) }
        }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private func badNumber(_ start: Int) -> JSONError {
        index == bytes.count ? JSONError(.unexpectedEnd, at: index) : JSONError(.badNumber, at: start)
    }

    /// At an opening quote. Text without escapes is taken in one piece.
    private mutating func string() throws(JSONError) -> String {
        let start = index
        index += 1
        var unescaped: [UInt8] = []
        var plainStart = index
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                let tail = bytes[plainStart..<index]
                index += 1
                let text =
                    unescaped.isEmpty
                    ? String(validating: tail, as: UTF8.self) : String(validating: unescaped + tail, as: UTF8.self)
                guard let text else { throw JSONError(.badUTF8, at: start) }
                return text
            case UInt8(ascii: "\\"):
                unescaped += bytes[plainStart..<index]
                try escape(into: &unescaped)
                plainStart = index
            case 0x00..<0x20: throw JSONError(.badString, at: index)
            default: index += 1
            }
        }
        throw JSONError(.unexpectedEnd, at: index)
    }

    private mutating func escape(into out: inout [UInt8]) throws(JSONError) {
        let start = index
        index += 1
        guard let kind = current else { throw unexpected() }
        index += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(kind)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0C)
        case UInt8(ascii: "n"): out.append(0x0A)
        case UInt8(ascii: "r"): out.append(0x0D)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code) {
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
                    throw index < bytes.count ? JSONError(.loneSurrogate, at: start) : unexpected()
                }
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else { throw JSONError(.loneSurrogate, at: start) }
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw JSONError(.loneSurrogate, at: start) }
            out += UTF8.encode(scalar).map(Array.init) ?? []
        default: throw JSONError(.badString, at: start)
        }
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = current else { throw unexpected() }
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw JSONError(.badString, at: index)
            }
            code = code << 4 | UInt32(digit)
            index += 1
        }
        return code
    }
}
