import ExchangeKit
import FlatbookCore

/// The common frame of every reply (§5).
struct BitgetEnvelope {
    static let success = "00000"

    var code: String
    var message: String
    /// The exchange's stamp, sent as a number or as text.
    var requestTime: WallTime?
    /// Nil where the member is missing.
    var data: JSONValue?

    /// - Throws: ``MalformedReply`` for anything that is not one JSON object with a text `code`. The edge answers with
    ///   numeric codes and with `message` objects of its own; those never passed through the exchange.
    init(_ reply: VenueReply) throws(MalformedReply) {
        let value: JSONValue
        do { value = try reply.json() } catch { throw MalformedReply(error.description) }
        guard case .object = value else { throw MalformedReply("the reply is no object") }
        guard case .string(let code)? = value["code"], !code.isEmpty else {
            throw MalformedReply("the reply has no text code")
        }
        self.code = code
        message = ReplyText.printable((value["msg"] ?? value["message"])?.text ?? "")
        requestTime = (value["requestTime"]?.text).flatMap(ReplyText.time)
        data = value["data"]
    }
}
