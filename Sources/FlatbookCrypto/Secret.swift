import COpenSSL

/// Bytes that nobody may see: wiped when the last holder lets go, and `<redacted>` in every description.
///
/// A class, so that handing it on shares one buffer instead of leaving copies behind. Deliberately not `Codable`.
public final class Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    // Written only in `init` and wiped only in `deinit`, when nobody else holds it.
    private nonisolated(unsafe) let storage: UnsafeMutableRawBufferPointer

    public init(_ bytes: [UInt8]) {
        storage = .allocate(byteCount: bytes.count, alignment: 1)
        storage.copyBytes(from: bytes)
    }

    /// The bytes of `text` in UTF-8.
    public convenience init(_ text: String) { self.init(Array(text.utf8)) }

    deinit {
        if let start = storage.baseAddress { OPENSSL_cleanse(start, storage.count) }
        storage.deallocate()
    }

    public var isEmpty: Bool { storage.isEmpty }

    /// Lends the bytes. They must not be kept beyond `body`.
    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(storage))
    }

    /// The content as text, for the one place that must put it on the wire; nil if it is not UTF-8.
    public func revealed() -> String? { withBytes { String(validating: $0, as: UTF8.self) } }

    /// Whether both hold the same bytes; takes the same time wherever they differ.
    public func matches(_ other: Secret) -> Bool {
        guard storage.count == other.storage.count else { return false }
        guard let a = storage.baseAddress, let b = other.storage.baseAddress else { return true }
        return CRYPTO_memcmp(a, b, storage.count) == 0
    }

    public var description: String { "<redacted>" }
    public var debugDescription: String { "<redacted>" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
