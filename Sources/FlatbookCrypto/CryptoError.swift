/// The crypto library refused to work: no memory, or a build of it without SHA-256.
///
/// Never caused by what is hashed or signed, and never holds any of it.
public struct CryptoError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The function of libcrypto that failed.
    public var function: String

    public init(function: String) { self.function = function }

    public var description: String { "libcrypto: \(function) failed" }
}
