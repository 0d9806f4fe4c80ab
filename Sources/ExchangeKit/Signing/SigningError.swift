/// A request that cannot be signed. Nothing was sent. Holds no header value, no query and no secret.
public struct SigningError: Error, Hashable, Sendable, CustomStringConvertible {
    public struct Code: Hashable, Sendable {
        public let rawValue: String
        public init(_ rawValue: String) { self.rawValue = rawValue }
        /// The account has no such credential field.
        public static let missingCredential = Code("missing-credential")
        /// A header name or value that could not stand in one header line.
        public static let badHeader = Code("bad-header")
        /// A base, path or query that could not stand in a request line.
        public static let badTarget = Code("bad-target")
        public static let crypto = Code("crypto")
    }

    public var code: Code
    /// Printable, without secrets.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "cannot sign: \(message)" }
}
