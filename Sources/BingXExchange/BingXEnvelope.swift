import ExchangeKit
import FlatbookCore

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
    /// - Throws: ``MalformedReply`` for anything that is not one JSON object with an integer `code`, and for a success
    ///   that says `success: false`.
    init(_ reply: VenueReply, codeless: Bool = false) throws(MalformedReply) {
        let value: JSONValue
        do { value = try reply.json() } catch { throw MalformedReply(error.description) }
        guard case .object = value else { throw MalformedReply("the reply is no object") }
        if codeless, value["code"] == nil {
            code = Self.success
        } else {
            guard let text = value["code"]?.text, BingXText.isInteger(text) else {
                throw MalformedReply("the reply has no numeric code")
            }
            code = text
        }
        if code == Self.success, value["success"] == .bool(false) {
            throw MalformedReply("code 0 with success false")
        }
        message = (value["msg"] ?? value["message"])?.text ?? ""
        timestamp = (value["timestamp"]?.text).flatMap(ReplyText.time)
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
}

/// BingX spells one fact in several ways, and types vary between endpoints (§5).
extension ReplyRow {
    /// The first of several spellings that says something.
    func optionalText(anyOf names: [String]) throws(MalformedReply) -> String? {
        for name in names { if let text = try optionalText(name) { return text } }
        return nil
    }

    /// An id as raw text, never a floating number: ids exceed 2^53 (§5). Nil where it is missing or 0.
    func optionalID(anyOf names: [String]) throws(MalformedReply) -> String? {
        for name in names {
            guard let text = try optionalText(name), text != "0" else { continue }
            if case .number = value[name], !BingXText.isDigits(text) { throw MalformedReply("\(name) is no id") }
            guard text.utf8.count <= 64 else { throw MalformedReply("\(name) is too long") }
            return text
        }
        return nil
    }

    /// A flag, sent as a boolean or as the words `true` and `false`.
    func optionalFlag(_ name: String) throws(MalformedReply) -> Bool? {
        switch value[name] {
        case nil, .null?: return nil
        case .bool(let flag)?: return flag
        case .string(let text)?:
            switch text.lowercased() {
            case "": return nil
            case "true": return true
            case "false": return false
            default: throw MalformedReply("\(name) is no flag")
            }
        default: throw MalformedReply("\(name) is no flag")
        }
    }

    /// An amount above zero; nil where it is missing or zero.
    func optionalPositive(_ name: String) throws(MalformedReply) -> Amount? {
        guard let amount = try optionalAmount(name), !amount.isZero else { return nil }
        guard !amount.isNegative else { throw MalformedReply("\(name) is negative") }
        return amount
    }

    func optionalTime(anyOf names: [String]) throws(MalformedReply) -> WallTime? {
        for name in names { if let time = try optionalTime(name) { return time } }
        return nil
    }
}
