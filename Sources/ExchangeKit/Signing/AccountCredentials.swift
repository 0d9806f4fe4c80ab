public import FlatbookCrypto

/// What one account proves itself with: a secret per field, and the keyed HMAC. Shows its field names at most.
public struct AccountCredentials: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The field that keys the HMAC, by convention of every plugin so far.
    public static let signingField = "secret"

    private let fields: [String: Secret]
    private let key: HMACKey?

    /// - Throws: ``CryptoError`` if the HMAC key cannot be scheduled.
    public init(_ fields: [String: Secret]) throws(CryptoError) {
        self.fields = fields
        if let secret = fields[Self.signingField] { key = try HMACKey(secret) } else { key = nil }
    }

    public subscript(field: String) -> Secret? { fields[field] }

    /// The key under `field`; scheduled once for ``signingField``, else anew.
    func hmacKey(for field: String) throws(SigningError) -> HMACKey {
        if field == Self.signingField, let key { return key }
        guard let secret = fields[field] else { throw SigningError(.missingCredential, "no credential \"\(field)\"") }
        do { return try HMACKey(secret) } catch { throw SigningError(.crypto, error.description) }
    }

    public var description: String { "AccountCredentials(\(fields.keys.sorted().joined(separator: ", "))) <redacted>" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
