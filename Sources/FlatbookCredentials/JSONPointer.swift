import FlatbookCore

/// RFC 6901: the way to one value in a JSON document.
struct JSONPointer {
    private let tokens: [String]

    /// - Returns: nil where `text` neither is empty nor starts with `/`, or has a `~` that escapes nothing.
    init?(_ text: String) {
        guard text.isEmpty || text.utf8.first == UInt8(ascii: "/") else { return nil }
        var tokens: [String] = []
        for part in text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst() {
            guard let token = Self.unescape(part) else { return nil }
            tokens.append(token)
        }
        self.tokens = tokens
    }

    /// The value it leads to, nil where the document has none.
    func value(in document: JSONValue) -> JSONValue? {
        tokens.reduce(document) { (value: JSONValue?, token) in
            guard let value else { return nil }
            guard let elements = value.elements else { return value[token] }
            guard let index = Self.index(token), index < elements.count else { return nil }
            return elements[index]
        }
    }

    private static func index(_ token: String) -> Int? {
        let digits = token.utf8
        let isDigits = digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard isDigits, digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
        return Int(token)
    }

    private static func unescape(_ part: Substring.UTF8View.SubSequence) -> String? {
        var out: [UInt8] = []
        var isEscaped = false
        for byte in part {
            switch (isEscaped, byte) {
            case (false, UInt8(ascii: "~")): isEscaped = true
            case (false, _): out.append(byte)
            case (true, UInt8(ascii: "0")): (out, isEscaped) = (out + [UInt8(ascii: "~")], false)
            case (true, UInt8(ascii: "1")): (out, isEscaped) = (out + [UInt8(ascii: "/")], false)
            default: return nil
            }
        }
        return isEscaped ? nil : String(decoding: out, as: UTF8.self)
    }
}
