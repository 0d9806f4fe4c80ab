import COpenSSL

/// The SHA-256 digest (FIPS 180-4), 32 bytes.
public func sha256(_ bytes: [UInt8]) -> [UInt8] {
    var digest = SHA256Digest()
    digest.update(bytes)
    return digest.finish()
}

/// A SHA-256 digest over bytes that come in pieces.
///
///     var digest = SHA256Digest()
///     digest.update(Array("a".utf8))
///     digest.update(Array("bc".utf8))
///     let bytes = digest.finish()
public struct SHA256Digest: ~Copyable {
    /// Bytes in a digest.
    public static let size = 32

    // Fetched once: fetching by name costs more than hashing a short message. An EVP_MD never changes.
    private nonisolated(unsafe) static let algorithm = EVP_MD_fetch(nil, "SHA256", nil)

    private let context: OpaquePointer

    public init() {
        // libcrypto fails here only without memory or without SHA-256; neither leaves anything to go on with.
        guard let algorithm = Self.algorithm, let context = EVP_MD_CTX_new(),
            EVP_DigestInit_ex2(context, algorithm, nil) == 1
        else { preconditionFailure("libcrypto has no SHA-256") }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    public mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1, "libcrypto cannot hash")
    }

    /// The digest of everything so far; ends the use of this value.
    public consuming func finish() -> [UInt8] {
        var out = [UInt8](repeating: 0, count: Self.size)
        var length: UInt32 = 0
        precondition(EVP_DigestFinal_ex(context, &out, &length) == 1 && length == 32, "libcrypto cannot hash")
        return out
    }
}
