public import FlatbookCore

/// A reply, or a part of one, whose shape is not what the exchange documents: it proves nothing.
public struct MalformedReply: Error, Hashable, Sendable {
    public var detail: String
    public init(_ detail: String) { self.detail = detail }
}

/// Strict access to one object of a reply: what is there must be well-formed, what must be there is.
public struct ReplyRow: Sendable {
    public var value: JSONValue

    /// - Throws: ``MalformedReply`` for anything but an object.
    public init(_ value: JSONValue) throws(MalformedReply) {
        guard case .object = value else { throw MalformedReply("a row is no object") }
        self.value = value
    }

    /// The rows of a list.
    public static func rows(_ list: JSONValue?) throws(MalformedReply) -> [ReplyRow] {
        guard let elements = list?.elements else { throw MalformedReply("the list is missing") }
        var rows: [ReplyRow] = []
        rows.reserveCapacity(elements.count)
        for element in elements { rows.append(try ReplyRow(element)) }
        return rows
    }

    /// Text that must be there and not empty; a bare number counts as its digits.
    public func text(_ name: String) throws(MalformedReply) -> String {
        guard let text = try optionalText(name) else { throw MalformedReply("\(name) is missing or empty") }
        return text
    }

    /// Nil where the member is missing, null or empty: exchanges use all three where there is no value.
    public func optionalText(_ name: String) throws(MalformedReply) -> String? {
        guard let member = value[name], !member.isNull else { return nil }
        guard let text = member.text else { throw MalformedReply("\(name) is no text") }
        return text.isEmpty ? nil : text
    }

    public func amount(_ name: String) throws(MalformedReply) -> Amount {
        guard let amount = try optionalAmount(name) else { throw MalformedReply("\(name) is missing or empty") }
        return amount
    }

    public func optionalAmount(_ name: String) throws(MalformedReply) -> Amount? {
        guard let text = try optionalText(name) else { return nil }
        do { return try Amount(text) } catch { throw MalformedReply("\(name) is no amount") }
    }

    /// An amount that cannot be below zero.
    public func optionalUnsigned(_ name: String) throws(MalformedReply) -> Amount? {
        guard let amount = try optionalAmount(name) else { return nil }
        guard !amount.isNegative else { throw MalformedReply("\(name) is negative") }
        return amount
    }

    /// Milliseconds since 1970; nil where there is none, or a plain zero.
    public func optionalTime(_ name: String) throws(MalformedReply) -> WallTime? {
        guard let text = try optionalText(name), text != "0" else { return nil }
        guard let time = ReplyText.time(text) else { throw MalformedReply("\(name) is no time") }
        return time
    }
}

/// Text from outside, made fit for logs, terminals and reports.
public enum ReplyText {
    /// Milliseconds since 1970 in plain digits; nil for anything else.
    public static func time(_ text: String) -> WallTime? {
        guard (1...14).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = Int64(text), value > 0
        else { return nil }
        return WallTime(milliseconds: value)
    }

    /// What a terminal may show: at most 200 scalars, none of them controlling it.
    public static func printable(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars.prefix(200) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                out += "\u{FFFD}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// A code as reports carry it.
    public static func code(_ text: String) -> String { String(printable(text).prefix(32)) }
}

/// Compact JSON bodies in the order given: these bytes are signed and sent.
public enum RequestBody {
    public indirect enum Value: Sendable {
        case text(String)
        case flag(Bool)
        case list([[(String, Value)]])
    }

    public static func object(_ members: [(String, Value)]) -> [UInt8] { Array(text(members).utf8) }

    public static func list(_ rows: [[(String, Value)]]) -> [UInt8] {
        Array(("[" + rows.map(text).joined(separator: ",") + "]").utf8)
    }

    private static func text(_ members: [(String, Value)]) -> String {
        "{" + members.map { quoted($0) + ":" + text($1) }.joined(separator: ",") + "}"
    }

    private static func text(_ value: Value) -> String {
        switch value {
        case .text(let text): quoted(text)
        case .flag(let flag): flag ? "true" : "false"
        case .list(let rows): "[" + rows.map(text).joined(separator: ",") + "]"
        }
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\u{00}"..<"\u{20}":
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
