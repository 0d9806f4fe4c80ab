import FlatbookCore
import Foundation

/// An endpoint that replaces an exchange's base URL.
enum EndpointText {
    struct Problem: Error { var message: String }

    /// The endpoint without a trailing slash, its scheme in lower case.
    ///
    /// - Throws: ``Problem`` with what is wrong; it does not repeat the text, which can hold a password.
    static func parse(_ text: String) throws(Problem) -> String {
        guard let separator = text.range(of: "://") else {
            throw Problem(message: "must start with https:// or http://.")
        }
        let scheme = text[..<separator.lowerBound].lowercased()
        guard scheme == "https" || scheme == "http" else {
            throw Problem(message: "must start with https:// or http://.")
        }
        var rest = text[separator.upperBound...]
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard !rest.contains("@") else { throw Problem(message: "must hold no user name or password.") }
        guard !rest.contains("?"), !rest.contains("#") else { throw Problem(message: "must hold no query.") }
        guard !rest.contains("/"), !rest.contains("\\") else { throw Problem(message: "must hold no path.") }
        var host = rest
        var port: Substring?
        if rest.hasPrefix("[") {
            guard let close = rest.firstIndex(of: "]") else { throw Problem(message: "has no valid host.") }
            host = rest[...close]
            let tail = rest[rest.index(after: close)...]
            if !tail.isEmpty {
                guard tail.hasPrefix(":") else { throw Problem(message: "has no valid host.") }
                port = tail.dropFirst()
            }
        } else if let colon = rest.firstIndex(of: ":") {
            host = rest[..<colon]
            port = rest[rest.index(after: colon)...]
        }
        guard isHost(host) else { throw Problem(message: "has no valid host.") }
        if let port {
            guard port.count <= 5, let number = wholeNumber(port), (1...65_535).contains(number) else {
                throw Problem(message: "has no valid port.")
            }
        }
        let endpoint = scheme + "://" + rest
        guard scheme == "https" || AccountSelection.isLoopback(endpoint) else {
            throw Problem(message: "must use https: plain http goes to this host only.")
        }
        return endpoint
    }

    private static func isHost(_ host: Substring) -> Bool {
        let isBracketed = host.hasPrefix("[")
        let name = isBracketed ? host.dropFirst().dropLast() : host
        guard !name.isEmpty, name.count <= 253 else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): true
            case UInt8(ascii: "."): true
            case UInt8(ascii: ":"): isBracketed
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"):
                !isBracketed
            default: false
            }
        }
    }
}
