public import FlatbookCore

public enum HTTPMethod: String, Hashable, Sendable { case get = "GET", post = "POST", delete = "DELETE" }

/// One unsigned request: the exact bytes that will be signed and sent.
public struct VenueRequest: Hashable, Sendable {
    /// ``ExchangeProfile/Route/id``.
    public var route: String
    public var method: HTTPMethod
    /// `/api/…`, without query.
    public var path: String
    /// Raw (unencoded) pairs, in the order they are sent.
    public var query: [QueryItem]
    public var body: [UInt8]
    /// Headers that are neither secret nor signature.
    public var headers: [Header]
    /// Scope values for limits beyond ip, uid and route: product, instrument, target.
    public var scope: [ScopeDimension: String]
    /// How many things the request names, e.g. orders to cancel: limits that count items are charged so often.
    public var items: Int

    public struct QueryItem: Hashable, Sendable {
        public var name: String
        public var value: String
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public struct Header: Hashable, Sendable {
        public var name: String
        public var value: String
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public init(
        route: String, method: HTTPMethod, path: String, query: [QueryItem] = [], body: [UInt8] = [],
        headers: [Header] = [], scope: [ScopeDimension: String] = [:], items: Int = 1
    ) {
        self.route = route
        self.method = method
        self.path = path
        self.query = query
        self.body = body
        self.headers = headers
        self.scope = scope
        self.items = items
    }

    /// `k=v&k=v` with everything but RFC 3986 unreserved characters percent-encoded; empty without items.
    public var encodedQuery: String { Self.encode(query) }

    static func encode(_ query: [QueryItem]) -> String {
        query.map { encode($0.name) + "=" + encode($0.value) }.joined(separator: "&")
    }

    /// `k=v&k=v` as it reads after decoding.
    public var rawQuery: String { query.map { $0.name + "=" + $0.value }.joined(separator: "&") }

    static func encode(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                out.append(byte)
            default: out += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}

/// What to sign with which credential, and where the results go. Holds no secret.
public struct SigningRecipe: Hashable, Sendable {
    public enum Encoding: Hashable, Sendable { case base64, lowercaseHex }
    public enum Value: Hashable, Sendable {
        case text(String)
        /// The account's credential field, e.g. `key`, `passphrase`.
        case credential(String)
        case signature
    }

    /// The bytes under the HMAC-SHA256.
    public var message: [UInt8]
    /// The credential field that keys the HMAC.
    public var secret: String
    public var encoding: Encoding
    public var headers: [(name: String, value: Value)]
    /// Appended to the query after everything else (BingX).
    public var signatureQueryName: String?
    /// The query to send, where the timestamp stands in it; nil = the request's own.
    public var query: [VenueRequest.QueryItem]?

    public init(
        message: [UInt8], secret: String = "secret", encoding: Encoding, headers: [(name: String, value: Value)],
        signatureQueryName: String? = nil, query: [VenueRequest.QueryItem]? = nil
    ) {
        self.message = message
        self.secret = secret
        self.encoding = encoding
        self.headers = headers
        self.signatureQueryName = signatureQueryName
        self.query = query
    }

    public static func == (a: Self, b: Self) -> Bool {
        a.message == b.message && a.secret == b.secret && a.encoding == b.encoding
            && a.signatureQueryName == b.signatureQueryName && a.query == b.query && a.headers.count == b.headers.count
            && zip(a.headers, b.headers).allSatisfy { $0.name == $1.name && $0.value == $1.value }
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(message) }
}

/// A request as it goes on the wire. Holds the key, passphrase and signature: never logged, never printed.
public struct SignedRequest: Sendable, CustomStringConvertible, CustomReflectable {
    public var method: HTTPMethod
    /// Scheme, host and port, e.g. `https://api.bitget.com`.
    public var base: String
    /// Path and encoded query.
    public var target: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    public init(
        method: HTTPMethod, base: String, target: String, headers: [(name: String, value: String)], body: [UInt8]
    ) {
        self.method = method
        self.base = base
        self.target = target
        self.headers = headers
        self.body = body
    }

    public var description: String { "\(method.rawValue) \(target.prefix { $0 != "?" }) <redacted>" }
    public var customMirror: Mirror { Mirror(self, children: ["request": description]) }
}
