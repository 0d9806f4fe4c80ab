import FlatbookCrypto

/// What the journal knows a request by: `sha256:` and 64 hexadecimal digits.
///
/// Over method, path, raw query pairs and body. Each part goes in behind its length and the pairs behind their number,
/// so two different requests never feed the hash the same bytes. Headers hold signatures and stay out.
public func digest(of request: VenueRequest) -> String {
    var digest = SHA256Digest()
    func length(_ count: Int) -> [UInt8] { withUnsafeBytes(of: UInt64(count).bigEndian) { Array($0) } }
    func parts(_ bytes: [UInt8]) -> [UInt8] { length(bytes.count) + bytes }
    digest.update(parts(Array(request.method.rawValue.utf8)))
    digest.update(parts(Array(request.path.utf8)))
    digest.update(length(request.query.count))
    for item in request.query {
        digest.update(parts(Array(item.name.utf8)))
        digest.update(parts(Array(item.value.utf8)))
    }
    digest.update(parts(request.body))
    return "sha256:" + Hex.encode(digest.finish())
}
