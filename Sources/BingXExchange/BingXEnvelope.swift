import ExchangeKit
import FlatbookCore

/// A reply, or a part of one, whose shape is not what the exchange documents: it proves nothing.
struct BingXMalformed: Error {
    var detail: String
    init(_ detail: String) { self.detail = detail }
}

/// The common frame of every reply (§5).
struct BingXEnvelope {
    static let success = "0"

    /// Digits, sent as a number or as text.
    var code: String
    var message: String
    /// The exchange's stamp; nil where it is missing or 0.
    var timestamp: WallTime?
    /// Nil where the member is missing; `null` is told apart.
    var data: JSONValue?
    /// The whole reply: some reads put their fields beside `code` (§3.8).
    var whole: JSONValue

    /// - Parameter codeless: whether a reply without `code` counts as a success. Only the key's rights come so (§3.8).
    /// - Throws: ``BingXMalformed`` for anything that is not one JSON object with an integer `code`, and for a success
    ///   that says `success: false`.
    init(_ reply: VenueReply, codeless: Bool = false) throws(BingXMalformed) {
        let value: JSONValue
        do { value = try JSONValue.parse(reply.body) } catch { throw BingXMalformed(error.description) }
        guard case .object = value else { throw BingXMalformed("the reply is no object") }
        if codeless, value["code"] == nil {
            code = Self.success
        } else {
            guard let text = value["code"]?.text, BingXText.isInteger(text) else {
                throw BingXMalformed("the reply has no numeric code")
            }
            code = text
        }
        if code == Self.success, value["success"] == .bool(false) {
            throw BingXMalformed("code 0 with success false")
        }
        message = (value["msg"] ?? value["message"])?.text ?? ""
        timestamp = (value["timestamp"]?.text).flatMap(BingXText.time)
        data = value["data"]
        whole = value
    }
}

enum BingXText {
    /// Stands for a value that must not be sent or is not known: the exchange refuses it, and a parameter left out
    /// instead would widen the call.
    static let refused = "MISSING"

    /// §2, rule 7: the signed text joins raw values, so a value with a separator in it could pass for other parameters.
    static func harmless(_ value: String) -> String {
        value.unicodeScalars.contains { "&=?#\r\n".unicodeScalars.contains($0) } ? refused : value
    }

    static func isDigits(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    static func isInteger(_ text: String) -> Bool {
        isDigits(text) || (text.hasPrefix("-") && isDigits(String(text.dropFirst())))
    }

    /// Milliseconds since 1970 in plain digits; nil for anything else, and for 0.
    static func time(_ text: String) -> WallTime? {
        guard text.utf8.count <= 16, isDigits(text), let value = Int64(text), value > 0 else { return nil }
        return WallTime(milliseconds: value)
    }

    /// What a terminal may show: at most 200 scalars, none of them controlling it.
    static func printable(_ text: String) -> String {
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
    static func code(_ text: String) -> String { String(printable(text).prefix(32)) }
}

/// Strict access to one row of a reply. Types vary between endpoints, so text and number are taken alike (§5).
struct BingXRow {
    var value: JSONValue

    init(_ value: JSONValue) throws(BingXMalformed) {
        guard case .object = value else { throw BingXMalformed("a row is no object") }
        self.value = value
    }

    static func all(_ elements: [JSONValue]) throws(BingXMalformed) -> [BingXRow] {
        var rows: [BingXRow] = []
        rows.reserveCapacity(elements.count)
        for element in elements { rows.append(try BingXRow(element)) }
        return rows
    }

    /// Text that must be there and not empty; a bare number counts as its digits.
    func text(_ name: String) throws(BingXMalformed) -> String {
        guard let text = try optionalText(name) else { throw BingXMalformed("\(name) is missing or empty") }
        return text
    }

    /// Nil where the member is missing, null or empty.
    func optionalText(_ name: String) throws(BingXMalformed) -> String? {
        guard let member = value[name], !member.isNull else { return nil }
        guard let text = member.text else { throw BingXMalformed("\(name) is no text") }
        return text.isEmpty ? nil : text
    }

    /// The first of several spellings that says something.
    func optionalText(anyOf names: [String]) throws(BingXMalformed) -> String? {
        for name in names { if let text = try optionalText(name) { return text } }
        return nil
    }

    /// An id as raw text, never a floating number: ids exceed 2^53 (§5). Nil where it is missing or 0.
    func optionalID(anyOf names: [String]) throws(BingXMalformed) -> String? {
        for name in names {
            guard let text = try optionalText(name), text != "0" else { continue }
            if case .number = value[name], !BingXText.isDigits(text) { throw BingXMalformed("\(name) is no id") }
            guard text.utf8.count <= 64 else { throw BingXMalformed("\(name) is too long") }
            return text
        }
        return nil
    }

    /// A flag, sent as a boolean or as the words `true` and `false`.
    func optionalFlag(_ name: String) throws(BingXMalformed) -> Bool? {
        switch value[name] {
        case nil, .null?: return nil
        case .bool(let flag)?: return flag
        case .string(let text)?:
            switch text.lowercased() {
            case "": return nil
            case "true": return true
            case "false": return false
            default: throw BingXMalformed("\(name) is no flag")
            }
        default: throw BingXMalformed("\(name) is no flag")
        }
    }

    func amount(_ name: String) throws(BingXMalformed) -> Amount {
        guard let amount = try optionalAmount(name) else { throw BingXMalformed("\(name) is missing or empty") }
        return amount
    }

    func optionalAmount(_ name: String) throws(BingXMalformed) -> Amount? {
        guard let text = try optionalText(name) else { return nil }
        do { return try Amount(text) } catch { throw BingXMalformed("\(name) is no amount") }
    }

    /// An amount above zero; nil where it is missing or zero.
    func optionalPositive(_ name: String) throws(BingXMalformed) -> Amount? {
        guard let amount = try optionalAmount(name), !amount.isZero else { return nil }
        guard !amount.isNegative else { throw BingXMalformed("\(name) is negative") }
        return amount
    }

    func optionalTime(anyOf names: [String]) throws(BingXMalformed) -> WallTime? {
        for name in names { if let time = try optionalTime(name) { return time } }
        return nil
    }

    func optionalTime(_ name: String) throws(BingXMalformed) -> WallTime? {
        guard let text = try optionalText(name), text != "0" else { return nil }
        guard let time = BingXText.time(text) else { throw BingXMalformed("\(name) is no time") }
        return time
    }
}
