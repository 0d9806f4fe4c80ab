import COpenSSL
import Foundation

/// The exchange's own check of a signature (sheet §2.2).
package enum BitgetSignature {
    /// base64 of HMAC-SHA256 under the secret's text; nil if the library refuses.
    package static func sign(_ message: [UInt8], secret: String) -> String? {
        mac(message, secret: secret).map { Data($0).base64EncodedString() }
    }

    /// HMAC-SHA256 under the secret's text, 32 bytes; nil if the library refuses.
    static func mac(_ message: [UInt8], secret: String) -> [UInt8]? {
        let key = Array(secret.utf8)
        var out = [UInt8](repeating: 0, count: 32)
        var count = 0
        let made = key.withUnsafeBytes { key in
            EVP_Q_mac(
                nil, "HMAC", nil, "SHA256", nil, key.baseAddress, key.count, message, message.count, &out, out.count,
                &count)
        }
        guard made != nil, count == out.count else { return nil }
        return out
    }

    /// What the gateway builds anew from what it received: the query decoded, in the order received, and raw bytes.
    static func prehash(timestamp: String, method: String, path: String, query: String, body: [UInt8]) -> [UInt8] {
        Array((timestamp + method + path + (query.isEmpty ? "" : "?" + query)).utf8) + body
    }
}
