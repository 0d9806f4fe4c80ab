import ExchangeKit
import FlatbookCrypto
import Testing

@Suite struct SigningTests {
    static let canary = "CANARY-5d1e"

    private func credentials(_ fields: [String: String] = [:]) throws -> AccountCredentials {
        let all = ["key": "api-key", "secret": Self.canary, "passphrase": "pass"].merging(fields) { $1 }
        return try AccountCredentials(all.mapValues { Secret($0) })
    }

    private func request(path: String = "/api/close", headers: [VenueRequest.Header] = []) -> VenueRequest {
        VenueRequest(
            route: "close", method: .post, path: path, query: [.init("symbol", "A B"), .init("x", "1+2")],
            body: [0x7B, 0x00, 0xFF, 0x7D], headers: headers)
    }

    private func recipe(
        secret: String = "secret", encoding: SigningRecipe.Encoding = .base64, queryName: String? = nil,
        extra: [(name: String, value: SigningRecipe.Value)] = []
    ) -> SigningRecipe {
        SigningRecipe(
            message: Array("message".utf8), secret: secret, encoding: encoding,
            headers: [
                ("ACCESS-KEY", .credential("key")), ("ACCESS-SIGN", .signature), ("ACCESS-TIMESTAMP", .text("123")),
            ] + extra, signatureQueryName: queryName)
    }

    @Test(
        "puts credentials, signature and text into the headers, behind the request's own",
        arguments: [
            (SigningRecipe.Encoding.base64, Base64.encode), (.lowercaseHex, Hex.encode),
        ] as [(SigningRecipe.Encoding, @Sendable ([UInt8]) -> String)]
    )
    func fillsHeaders(encoding: SigningRecipe.Encoding, encode: @Sendable ([UInt8]) -> String) throws {
        let signed = try Signer().sign(
            request(headers: [.init("Content-Type", "application/json")]), recipe: recipe(encoding: encoding),
            credentials: try credentials(), base: "https://venue.example")
        let signature = encode(try HMACKey(Secret(Self.canary)).sign(Array("message".utf8)))
        #expect(signed.headers.map(\.name) == ["Content-Type", "ACCESS-KEY", "ACCESS-SIGN", "ACCESS-TIMESTAMP"])
        #expect(signed.headers.map(\.value) == ["application/json", "api-key", signature, "123"])
        #expect(signed.method == .post && signed.base == "https://venue.example")
        #expect(signed.target == "/api/close?symbol=A%20B&x=1%2B2")
        #expect(signed.body == [0x7B, 0x00, 0xFF, 0x7D])
    }

    @Test("appends the signature to the query, encoded")
    func signsInQuery() throws {
        let credentials = try credentials()
        let recipe = recipe(queryName: "signature")
        let tag = Base64.encode(try HMACKey(Secret(Self.canary)).sign(recipe.message))
        let encoded = tag.replacing("+", with: "%2B").replacing("/", with: "%2F").replacing("=", with: "%3D")
        var request = request()
        let full = try Signer().sign(request, recipe: recipe, credentials: credentials, base: "http://h")
        #expect(full.target == "/api/close?symbol=A%20B&x=1%2B2&signature=" + encoded)
        request.query = []
        let bare = try Signer().sign(request, recipe: recipe, credentials: credentials, base: "http://h")
        #expect(bare.target == "/api/close?signature=" + encoded)
    }

    @Test("keys the signature by another field where the recipe says so")
    func signsWithOtherField() throws {
        let signed = try Signer().sign(
            request(), recipe: recipe(secret: "passphrase"), credentials: try credentials(), base: "http://h")
        #expect(signed.headers[1].value == Base64.encode(try HMACKey(Secret("pass")).sign(Array("message".utf8))))
    }

    @Test("leaves an unsigned request as it stands")
    func leavesUnsigned() throws {
        let plain = try Signer().unsigned(request(headers: [.init("locale", "en-US")]), base: "http://h")
        #expect(plain.headers.map(\.name) == ["locale"])
        #expect(plain.target == "/api/close?symbol=A%20B&x=1%2B2")
        let bare = VenueRequest(route: "time", method: .get, path: "/time")
        #expect(try Signer().unsigned(bare, base: "http://h").target == "/time")
    }

    @Test(
        "refuses a credential that could break out of its header, without showing it",
        arguments: ["CANARY\r\nX-Evil: 1", "CANARY\nx", "CANARY\u{0}", "CANARY\u{7F}", "CANARY\t", "CANARYé"]
    )
    func refusesInjection(value: String) throws {
        let credentials = try credentials(["key": value])
        let error = #expect(throws: SigningError.self) {
            try Signer().sign(request(), recipe: recipe(), credentials: credentials, base: "http://h")
        }
        #expect(error?.code == .badHeader)
        #expect(!"\(String(describing: error))\(String(reflecting: error))".contains("CANARY"))
    }

    @Test("refuses a credential that is no text")
    func refusesNonText() throws {
        let credentials = try AccountCredentials(["key": Secret([0xFF]), "secret": Secret("s")])
        let error = #expect(throws: SigningError.self) {
            try Signer().sign(request(), recipe: recipe(), credentials: credentials, base: "http://h")
        }
        #expect(error?.code == .badHeader)
    }

    @Test("refuses a malformed header", arguments: [("", "a"), ("a b", "c"), ("a:", "c"), ("a\r\n", "c"), ("a", "\r")])
    func refusesHeader(name: String, value: String) throws {
        let error = #expect(throws: SigningError.self) {
            try Signer().unsigned(request(headers: [.init(name, value)]), base: "http://h")
        }
        #expect(error?.code == .badHeader)
        #expect(error?.message.contains("\r") == false)
    }

    @Test("refuses a header given twice, in whatever case")
    func refusesTwice() throws {
        let error = #expect(throws: SigningError.self) {
            try Signer().sign(
                request(headers: [.init("access-key", "mine")]), recipe: recipe(), credentials: try credentials(),
                base: "http://h")
        }
        #expect(error?.code == .badHeader)
    }

    @Test("refuses a malformed path", arguments: ["", "api", "/a b", "/a\r\n", "/a?b", "/a#b", "/é"])
    func refusesPath(path: String) {
        let error = #expect(throws: SigningError.self) { try Signer().unsigned(request(path: path), base: "http://h") }
        #expect(error?.code == .badTarget)
    }

    @Test("names the field that an account lacks")
    func namesMissingField() throws {
        let keyless = try AccountCredentials(["secret": Secret("s")])
        let error = #expect(throws: SigningError.self) {
            try Signer().sign(request(), recipe: recipe(), credentials: keyless, base: "http://h")
        }
        #expect(error?.code == .missingCredential && error?.message.contains("\"key\"") == true)
        let secretless = try AccountCredentials(["key": Secret("k")])
        let second = #expect(throws: SigningError.self) {
            try Signer().sign(request(), recipe: recipe(), credentials: secretless, base: "http://h")
        }
        #expect(second?.code == .missingCredential && second?.message.contains("\"secret\"") == true)
    }

    @Test("credentials and signed requests show no secret in any form")
    func redacts() throws {
        let credentials = try credentials(["key": "CANARY-key", "passphrase": "CANARY-pass"])
        let signed = try Signer().sign(
            request(), recipe: recipe(extra: [("ACCESS-PASS", .credential("passphrase"))]), credentials: credentials,
            base: "http://h")
        for value in [credentials, signed, [signed], Optional(credentials) as Any] as [Any] {
            var text = "\(value)" + String(reflecting: value)
            dump(value, to: &text)
            debugPrint(value, to: &text)
            #expect(!text.contains("CANARY"))
            #expect(!text.contains(signed.headers[1].value))
            #expect(text.contains("<redacted>"))
        }
    }

    @Test("digests equal requests alike and different ones apart")
    func digests() {
        let base = request()
        #expect(digest(of: base) == digest(of: request(headers: [.init("a", "b")])), "headers stay out")
        var variants = [base]
        var changed = base
        changed.method = .get
        variants.append(changed)
        for query in [
            [VenueRequest.QueryItem("a", "1&b=2")], [.init("a", "1"), .init("b", "2")], [.init("a=1&b", "2")], [],
            [.init("", "")],
        ] {
            changed = base
            changed.query = query
            variants.append(changed)
        }
        changed = request(path: "/api/clos")
        changed.body = [0x65] + base.body
        variants.append(changed)
        changed = base
        changed.body = []
        variants.append(changed)
        let digests = variants.map(digest(of:))
        #expect(Set(digests).count == variants.count)
        #expect(digests.allSatisfy { $0.hasPrefix("sha256:") && $0.utf8.count == 71 })
    }

    @Test("digests as it always did, because journals keep digests")
    func digestIsStable() {
        let request = VenueRequest(
            route: "r", method: .get, path: "/p", query: [.init("a", "b")], body: Array("{}".utf8))
        func part(_ text: String) -> [UInt8] { [0, 0, 0, 0, 0, 0, 0, UInt8(text.utf8.count)] + Array(text.utf8) }
        let bytes = part("GET") + part("/p") + [0, 0, 0, 0, 0, 0, 0, 1] + part("a") + part("b") + part("{}")
        #expect(digest(of: request) == "sha256:" + Hex.encode(sha256(bytes)))
    }
}
