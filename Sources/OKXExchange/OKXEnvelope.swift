import ExchangeKit
import FlatbookCore

/// The common frame of every reply (§5).
struct OKXEnvelope {
    static let success = "0"

    var code: String
    var message: String
    /// When the gateway took an order or cancel, else when it answered (`inTime`, `outTime`, both in microseconds, §2.3).
    var stamp: WallTime?
    /// `data`; nil where the member is missing or no list.
    var data: JSONValue?

    /// - Throws: ``MalformedReply`` for anything that is not one JSON object with a code. Codes are text; old throttle
    ///   replies have a number (§4.3). The edge's own shapes carry `error_code` beside it and prove nothing.
    init(_ reply: VenueReply) throws(MalformedReply) {
        let value: JSONValue
        do { value = try reply.json() } catch { throw MalformedReply(error.description) }
        guard case .object = value else { throw MalformedReply("the reply is no object") }
        guard value["error_code"] == nil, let code = value["code"]?.text, !code.isEmpty,
            code.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_") })
        else { throw MalformedReply("the reply has no code") }
        self.code = Self.plain(code)
        message = ReplyText.printable(value["msg"]?.text ?? "")
        stamp = (value["inTime"]?.text).flatMap(Self.time) ?? (value["outTime"]?.text).flatMap(Self.time)
        data = value["data"]
    }

    /// A code without the sub-code that stands behind an underscore (§5). The short codes of success and of lists have
    /// none: `0_1` says nothing known.
    static func plain(_ code: String) -> String {
        let parts = code.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count >= 4, !parts[1].isEmpty else { return code }
        return String(parts[0])
    }

    private static func time(_ micros: String) -> WallTime? {
        guard micros.utf8.count > 3 else { return nil }
        return micros.utf8.allSatisfy { (0x30...0x39).contains($0) } ? ReplyText.time(String(micros.dropLast(3))) : nil
    }

    var items: [JSONValue] { data?.elements ?? [] }

    /// The rows of a successful reply.
    func rows() throws(MalformedReply) -> [ReplyRow] { try ReplyRow.rows(data) }
}

extension ReplyRow {
    /// The row's `instType`: capital letters, of a type of ours or of one that came later.
    func instrumentType() throws(MalformedReply) -> String {
        guard case .string(let type)? = value["instType"], !type.isEmpty,
            type.utf8.allSatisfy({ (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) || $0 == UInt8(ascii: "_") })
        else { throw MalformedReply("instType is missing or no type") }
        return type
    }
}

extension JSONValue {
    /// Whether a flag is set, as a Boolean or as the text that stands for one.
    var isTrue: Bool { self == .bool(true) || text == "true" }
}
