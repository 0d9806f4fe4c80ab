import ExchangeKit
import FlatbookCore

/// A reply, or a part of one, whose shape is not what the exchange documents: it proves nothing.
struct BitgetMalformed: Error {
    var detail: String
    init(_ detail: String) { self.detail = detail }
}

/// The common frame of every reply (§5).
struct BitgetEnvelope {
    static let success = "00000"

    var code: String
    var message: String
    /// The exchange's stamp, sent as a number or as text.
    var requestTime: WallTime?
    /// Nil where the member is missing.
    var data: JSONValue?

    /// - Throws: ``BitgetMalformed`` for anything that is not one JSON object with a text `code`. The edge answers with
    ///   numeric codes and with `message` objects of its own; those never passed through the exchange.
    init(_ reply: VenueReply) throws(BitgetMalformed) {
        let value: JSONValue
        do { value = try JSONValue.parse(reply.body) } catch { throw BitgetMalformed(error.description) }
        guard case .object = value else { throw BitgetMalformed("the reply is no object") }
        guard case .string(let code)? = value["code"], !code.isEmpty else {
            throw BitgetMalformed("the reply has no text code")
        }
        self.code = code
        message = BitgetText.printable((value["msg"] ?? value["message"])?.text ?? "")
        requestTime = (value["requestTime"]?.text).flatMap(BitgetText.time)
        data = value["data"]
    }
}

enum BitgetText {
    /// Milliseconds since 1970 in plain digits; nil for anything else.
    static func time(_ text: String) -> WallTime? {
        guard (1...16).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = Int64(text), value > 0
        else { return nil }
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

/// Strict access to one row of a reply.
struct BitgetRow {
    var value: JSONValue

    init(_ value: JSONValue) throws(BitgetMalformed) {
        guard case .object = value else { throw BitgetMalformed("a row is no object") }
        self.value = value
    }

    /// Text that must be there and not empty; a bare number counts as its digits.
    func text(_ name: String) throws(BitgetMalformed) -> String {
        guard let text = try optionalText(name) else { throw BitgetMalformed("\(name) is missing or empty") }
        return text
    }

    /// Nil where the member is missing, null or empty (§3.2: both occur where a value is expected).
    func optionalText(_ name: String) throws(BitgetMalformed) -> String? {
        guard let member = value[name], !member.isNull else { return nil }
        guard let text = member.text else { throw BitgetMalformed("\(name) is no text") }
        return text.isEmpty ? nil : text
    }

    func amount(_ name: String) throws(BitgetMalformed) -> Amount {
        guard let amount = try optionalAmount(name) else { throw BitgetMalformed("\(name) is missing or empty") }
        return amount
    }

    func optionalAmount(_ name: String) throws(BitgetMalformed) -> Amount? {
        guard let text = try optionalText(name) else { return nil }
        do { return try Amount(text) } catch { throw BitgetMalformed("\(name) is no amount") }
    }

    /// An amount that cannot be below zero.
    func optionalUnsigned(_ name: String) throws(BitgetMalformed) -> Amount? {
        guard let amount = try optionalAmount(name) else { return nil }
        guard !amount.isNegative else { throw BitgetMalformed("\(name) is negative") }
        return amount
    }

    func optionalTime(_ name: String) throws(BitgetMalformed) -> WallTime? {
        guard let text = try optionalText(name), text != "0" else { return nil }
        guard let time = BitgetText.time(text) else { throw BitgetMalformed("\(name) is no time") }
        return time
    }
}
