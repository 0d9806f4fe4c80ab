import COpenSSL
import Synchronization

/// A key for HMAC-SHA256 (RFC 2104), scheduled once; each message is signed by a copy of the keyed state.
public final class HMACKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    // Keyed in `init`, afterwards only duplicated, always under `lock`: libcrypto promises nothing for shared contexts.
    private nonisolated(unsafe) let keyed: OpaquePointer
    private let lock = Mutex(())

    /// - Throws: ``CryptoError`` if libcrypto has no memory or no HMAC-SHA256.
    public init(_ secret: Secret) throws(CryptoError) {
        guard let algorithm = EVP_MAC_fetch(nil, "HMAC", nil) else { throw CryptoError(function: "EVP_MAC_fetch") }
        defer { EVP_MAC_free(algorithm) }
        guard let context = EVP_MAC_CTX_new(algorithm) else { throw CryptoError(function: "EVP_MAC_CTX_new") }
        var digest = Array("SHA256".utf8CString)
        let isKeyed = digest.withUnsafeMutableBufferPointer { name in
            let parameters = [
                OSSL_PARAM_construct_utf8_string("digest", name.baseAddress, 0), OSSL_PARAM_construct_end(),
            ]
            return secret.withBytes { key in
                // A null key means "keep the old one", so an empty key needs some address.
                withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { empty in
                    let start = key.isEmpty ? empty.baseAddress : UnsafeMutableRawPointer(mutating: key.baseAddress)
                    let bytes = start?.assumingMemoryBound(to: UInt8.self)
                    return EVP_MAC_init(context, bytes, key.count, parameters) == 1
                }
            }
        }
        guard isKeyed else {
            EVP_MAC_CTX_free(context)
            throw CryptoError(function: "EVP_MAC_init")
        }
        keyed = context
    }

    deinit { EVP_MAC_CTX_free(keyed) }

    /// The 32 bytes of HMAC-SHA256 over `message`. Safe to call from several threads at once.
    ///
    /// - Throws: ``CryptoError`` if libcrypto has no memory.
    public func sign(_ message: [UInt8]) throws(CryptoError) -> [UInt8] {
        guard let copy = duplicate() else { throw CryptoError(function: "EVP_MAC_CTX_dup") }
        defer { EVP_MAC_CTX_free(copy) }
        var out = [UInt8](repeating: 0, count: SHA256Digest.size)
        var length = 0
        guard message.isEmpty || EVP_MAC_update(copy, message, message.count) == 1 else {
            throw CryptoError(function: "EVP_MAC_update")
        }
        guard EVP_MAC_final(copy, &out, &length, out.count) == 1, length == out.count else {
            throw CryptoError(function: "EVP_MAC_final")
        }
        return out
    }

    private func duplicate() -> OpaquePointer? {
        nonisolated(unsafe) var copy: OpaquePointer?
        lock.withLock { _ in copy = EVP_MAC_CTX_dup(keyed) }
        return copy
    }

    public var description: String { "<redacted>" }
    public var debugDescription: String { "<redacted>" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
