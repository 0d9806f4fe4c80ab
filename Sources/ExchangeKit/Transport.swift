public import FlatbookCore

/// A request that ended without a whole reply.
///
/// An exchange's "no" is a reply, so it is a value, not an error. ``wasWritten`` alone decides what may follow: nothing
/// written may be sent again; anything else must first be compared with the positions that are open now.
public struct TransportError: Error, Hashable, Sendable {
    public struct Code: Hashable, Sendable {
        public let rawValue: String
        public init(_ rawValue: String) { self.rawValue = rawValue }
        public static let dns = Code("dns")
        public static let refused = Code("connection-refused")
        public static let connectTimeout = Code("connect-timeout")
        public static let tls = Code("tls")
        public static let timeout = Code("timeout")
        public static let closed = Code("connection-closed")
        public static let tooLarge = Code("reply-too-large")
        public static let malformed = Code("malformed-http")
        public static let redirect = Code("redirect")
        public static let cancelled = Code("cancelled")
        /// The send gate found the account's epoch raised: this process sends nothing more for it.
        public static let fenced = Code("fenced")
        /// The send gate found the host halted.
        public static let halted = Code("halted")
        /// The host was asleep while the call was in flight.
        public static let suspended = Code("host-suspended")

        /// Our own decision or our own host's: it says nothing of the exchange's health.
        public var isOurs: Bool { [.cancelled, .fenced, .halted, .suspended].contains(self) }
    }

    public var code: Code
    /// Whether any byte of the request may have left.
    public var wasWritten: Bool
    /// Printable, without secrets.
    public var message: String

    public init(_ code: Code, wasWritten: Bool, _ message: String) {
        self.code = code
        self.wasWritten = wasWritten
        self.message = message
    }
}

/// A reply with its times on the local boot clock.
public struct TimedReply: Hashable, Sendable {
    public var reply: VenueReply
    /// When the first byte was written.
    public var sentAt: Instant
    /// When the last byte of the body was read.
    public var receivedAt: Instant
    public init(reply: VenueReply, sentAt: Instant, receivedAt: Instant) {
        self.reply = reply
        self.sentAt = sentAt
        self.receivedAt = receivedAt
    }
}

/// Sends reads. No retries, no redirects; connect, whole-call and size limits are the transport's.
public protocol ReadTransport: Sendable {
    /// - Parameter timeout: bounds the whole call, body included.
    /// - Throws: ``TransportError``.
    func read(_ request: SignedRequest, timeout: TimeSpan) async throws(TransportError) -> TimedReply
    /// Ends calls under way and opens new connections from now on.
    func dropConnections() async
}

extension ReadTransport {
    public func dropConnections() async {}
}

/// Sends what changes something. A dry run has none (I16).
public protocol MutatingTransport: Sendable {
    /// - Parameter timeout: bounds the whole call, body included.
    /// - Throws: ``TransportError``; ``TransportError/wasWritten`` tells whether the exchange may have acted.
    func mutate(_ request: SignedRequest, timeout: TimeSpan) async throws(TransportError) -> TimedReply
}
