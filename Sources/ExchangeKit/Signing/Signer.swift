import FlatbookCrypto

/// Turns a request and a recipe into bytes for the wire. Pure: the same input gives the same bytes.
public struct Signer: Sendable {
    public init() {}

    /// Signs what the recipe says and puts credentials and signature where it says.
    ///
    /// The body stays byte for byte; the target is the path, then the encoded query, then the signature if the recipe
    /// wants it there.
    ///
    /// - Parameter base: scheme, host and port, e.g. `https://api.bitget.com`.
    /// - Throws: ``SigningError``, which never holds a credential, a signature or a header value.
    public func sign(
        _ request: VenueRequest, recipe: SigningRecipe, credentials: AccountCredentials, base: String
    ) throws(SigningError) -> SignedRequest {
        let key = try credentials.hmacKey(for: recipe.secret)
        let signature: String
        do {
            let tag = try key.sign(recipe.message)
            signature =
                switch recipe.encoding {
                case .base64: Base64.encode(tag)
                case .lowercaseHex: Hex.encode(tag)
                }
        } catch { throw SigningError(.crypto, error.description) }

        var headers = request.headers.map { (name: $0.name, value: $0.value) }
        for (name, value) in recipe.headers {
            switch value {
            case .text(let text): headers.append((name, text))
            case .signature: headers.append((name, signature))
            case .credential(let field): headers.append((name, try reveal(field, of: credentials, in: name)))
            }
        }
        var query = VenueRequest.encode(recipe.query ?? request.query)
        if let name = recipe.signatureQueryName {
            let pair = VenueRequest.encode(name) + "=" + VenueRequest.encode(signature)
            query = query.isEmpty ? pair : query + "&" + pair
        }
        return try assemble(request, base: base, query: query, headers: headers)
    }

    /// The request as it stands, for reads that need no account.
    ///
    /// - Throws: ``SigningError`` if a header or the target is malformed.
    public func unsigned(_ request: VenueRequest, base: String) throws(SigningError) -> SignedRequest {
        try assemble(
            request, base: base, query: request.encodedQuery,
            headers: request.headers.map { (name: $0.name, value: $0.value) })
    }

    private func reveal(
        _ field: String, of credentials: AccountCredentials, in header: String
    ) throws(SigningError) -> String {
        guard let secret = credentials[field] else {
            throw SigningError(.missingCredential, "no credential \"\(field)\" for header \(printable(header))")
        }
        guard let text = secret.revealed() else {
            throw SigningError(.badHeader, "credential \"\(field)\" is not text")
        }
        return text
    }

    private func assemble(
        _ request: VenueRequest, base: String, query: String, headers: [(name: String, value: String)]
    ) throws(SigningError) -> SignedRequest {
        var seen: Set<String> = []
        for (name, value) in headers {
            guard !name.isEmpty, name.utf8.allSatisfy(isTokenByte) else {
                throw SigningError(.badHeader, "header name \(printable(name)) is malformed")
            }
            guard value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
                throw SigningError(.badHeader, "the value of header \(name) holds a control or non-ASCII character")
            }
            guard seen.insert(name.lowercased()).inserted else {
                throw SigningError(.badHeader, "header \(name) is given twice")
            }
        }
        guard base.utf8.allSatisfy(isVisible), !base.hasSuffix("/") else {
            throw SigningError(.badTarget, "the base URL is malformed")
        }
        guard request.path.hasPrefix("/"),
            request.path.utf8.allSatisfy({ isVisible($0) && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") })
        else { throw SigningError(.badTarget, "the path of route \(request.route) is malformed") }
        return SignedRequest(
            method: request.method, base: base, target: query.isEmpty ? request.path : request.path + "?" + query,
            headers: headers, body: request.body)
    }

    private func isVisible(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) }

    /// RFC 9110 §5.6.2.
    private func isTokenByte(_ byte: UInt8) -> Bool {
        isVisible(byte) && !"\"(),/:;<=>?@[\\]{}".utf8.contains(byte)
    }

    private func printable(_ name: String) -> String {
        String(decoding: name.utf8.map { isVisible($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
