/// What may stand in the two halves of a URL. The URL parser of the libraries is lenient, and a lenient reading of
/// `http://127.0.0.1@example.com` would send a signed request to a stranger.
enum Endpoint {
    /// Whether `base` is scheme, host and port only, and encrypted unless the host is this machine.
    static func isAllowed(_ base: String) -> Bool {
        let parts = base.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let (host, port) = split(parts[1]), isPort(port) else { return false }
        switch parts[0] {
        case "https": return host == "[::1]" || isName(host)
        case "http": return host == "[::1]" || host == "localhost" || isLoopbackAddress(host)
        default: return false
        }
    }

    /// Whether `target` is a path and a query with nothing left to encode, so that it is sent as it was signed.
    static func isTarget(_ target: String) -> Bool {
        target.hasPrefix("/")
            && target.utf8.allSatisfy { byte in (0x21...0x7E).contains(byte) && !"\"#<>[]\\^`{|}".utf8.contains(byte) }
    }

    private static func split(_ authority: Substring) -> (host: Substring, port: Substring?)? {
        let end = authority.hasPrefix("[") ? authority.firstIndex(of: "]") : authority.startIndex
        guard let end else { return nil }
        guard let colon = authority[end...].firstIndex(of: ":") else { return (authority, nil) }
        return (authority[..<colon], authority[authority.index(after: colon)...])
    }

    private static func isPort(_ port: Substring?) -> Bool {
        guard let port else { return true }
        return port.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt16(port) ?? 0 > 0
    }

    private static func isName(_ host: Substring) -> Bool {
        !host.isEmpty
            && host.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte)
                    || byte == 0x2D || byte == 0x2E
            }
    }

    private static func isLoopbackAddress(_ host: Substring) -> Bool {
        let octets = host.split(separator: ".", omittingEmptySubsequences: false)
        return octets.count == 4 && octets[0] == "127"
            && octets.allSatisfy { octet in
                !octet.isEmpty && octet.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt8(octet) != nil
            }
    }
}
