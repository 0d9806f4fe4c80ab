public import FlatbookCore
import Synchronization

/// A whole reply: status, headers and body. Size and time were bounded by the transport.
public struct VenueReply: Hashable, Sendable {
    public var status: Int
    /// Lower-case names.
    public var headers: [VenueRequest.Header]
    public var body: [UInt8] { didSet { parsed = ParsedBody() } }
    private var parsed = ParsedBody()

    public init(status: Int, headers: [VenueRequest.Header] = [], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    public func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The body as one JSON text, strictly: parsed once, however often it is asked for.
    ///
    /// - Throws: ``JSONError`` with the byte offset, as ``JSONValue/parse(_:maximumDepth:)``.
    public func json() throws(JSONError) -> JSONValue { try parsed.value(of: body).get() }

    public static func == (a: Self, b: Self) -> Bool {
        a.status == b.status && a.headers == b.headers && a.body == b.body
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(status)
        hasher.combine(headers)
        hasher.combine(body)
    }
}

/// What came of parsing a body; shared by the copies of a reply.
private final class ParsedBody: Sendable {
    private let result = Mutex<Result<JSONValue, JSONError>?>(nil)

    func value(of body: [UInt8]) -> Result<JSONValue, JSONError> {
        result.withLock { known in
            if let known { return known }
            let made: Result<JSONValue, JSONError>
            do throws(JSONError) { made = .success(try JSONValue.parse(body)) } catch { made = .failure(error) }
            known = made
            return made
        }
    }
}
