import ExchangeKit
import FlatbookCore
import FlatbookCrypto

/// Cases 3 and 4.
extension PluginContract {
    private static let base = "https://contract.invalid"
    private static let stamp = WallTime(milliseconds: 1_790_000_000_123)

    static func signature(_ exchange: ExchangeUnderTest) -> [String] {
        var problems = Problems()
        problems.expect(!exchange.vectors.isEmpty, "there is no signature vector")
        for vector in exchange.vectors { check(vector, exchange, &problems) }
        problems.expect(exchange.signs.contains(.timestamp), "the signature does not cover the timestamp")
        let samples = ContractSamples(exchange)
        for (what, account, request) in samples.requests() {
            // Public reads go out unsigned.
            let isPublic = samples.reads.contains {
                $0.read.isPublic && exchange.plugin.request(for: $0.read, account: $0.account).route == request.route
            }
            guard !isPublic else { continue }
            problems.expect(
                request.body.isEmpty || exchange.signs.contains(.body), "\(what) has a body that is not signed")
            problems.expect(
                request.query.isEmpty || exchange.signs.contains(.query), "\(what) has a query that is not signed")
            checkParts(request, what, account, exchange, &problems)
        }
        return problems.list
    }

    private static func check(_ vector: SigningVector, _ exchange: ExchangeUnderTest, _ problems: inout Problems) {
        guard let account = exchange.account(vector.account) else {
            return problems.add("vector \(vector.name) names no account")
        }
        do {
            let signed = try wire(
                vector.request, at: vector.timestamp, account, exchange.plugin, vector.credentials)
            problems.expect(
                signatures(of: signed).contains(vector.signature), "vector \(vector.name) has another signature")
            problems.expect(signed.body == vector.request.body, "vector \(vector.name) changes the body")
        } catch {
            problems.add("vector \(vector.name): \(error)")
        }
    }

    /// What changes when one part of the request changes must be under the signature, and must reach the wire.
    private static func checkParts(
        _ request: VenueRequest, _ what: String, _ account: Account, _ exchange: ExchangeUnderTest,
        _ problems: inout Problems
    ) {
        let plugin = exchange.plugin
        let message = plugin.signing(of: request, at: stamp, account: account).message
        for part in exchange.signs.sorted(by: { $0.rawValue < $1.rawValue }) {
            for variant in variants(of: request, part) {
                let time = part == .timestamp ? stamp + .milliseconds(1001) : stamp
                let changed = plugin.signing(of: variant, at: time, account: account).message
                problems.expect(changed != message, "\(what): the signature does not cover the \(part.rawValue)")
            }
        }
        do {
            let now = try wire(request, at: stamp, account, plugin, marked(exchange))
            let later = try wire(request, at: stamp + .milliseconds(1001), account, plugin, marked(exchange))
            problems.expect(
                unsigned(now) != unsigned(later), "\(what): the timestamp that is signed is not sent")
            problems.expect(now.body == request.body, "\(what): the body that is signed is not sent")
        } catch {
            problems.add("\(what): \(error)")
        }
    }

    private static func variants(of request: VenueRequest, _ part: SignedPart) -> [VenueRequest] {
        switch part {
        case .timestamp: return [request]
        case .method: return [change(request) { $0.method = $0.method == .get ? .post : .get }]
        case .path: return [change(request) { $0.path += "x" }]
        case .query:
            let each = request.query.indices.flatMap { index in
                [change(request) { $0.query[index].value += "x" }, change(request) { $0.query.remove(at: index) }]
            }
            return each + [change(request) { $0.query.append(VenueRequest.QueryItem("zz", "1")) }]
        case .body:
            guard !request.body.isEmpty else { return [] }
            return request.body.indices.map { index in change(request) { $0.body[index] ^= 1 } }
                + [change(request) { $0.body.append(0x20) }]
        }
    }

    private static func change(_ request: VenueRequest, _ edit: (inout VenueRequest) -> Void) -> VenueRequest {
        var changed = request
        edit(&changed)
        return changed
    }

    private static func wire(
        _ request: VenueRequest, at time: WallTime, _ account: Account, _ plugin: any ExchangePlugin,
        _ credentials: [String: String]
    ) throws -> SignedRequest {
        let recipe = plugin.signing(of: request, at: time, account: account)
        return try Signer().sign(
            request, recipe: recipe, credentials: AccountCredentials(credentials.mapValues { Secret($0) }), base: base)
    }

    /// Every value that could be a signature: header values and decoded query values.
    private static func signatures(of signed: SignedRequest) -> Set<String> {
        var found = Set(signed.headers.map(\.value))
        for pair in signed.target.split(separator: "?").dropFirst().joined().split(separator: "&") {
            found.insert(decoded(pair.split(separator: "=", maxSplits: 1).last.map(String.init) ?? ""))
        }
        return found
    }

    private static func decoded(_ text: String) -> String {
        var out: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                out.append(value)
                rest = rest.dropFirst(2)
            } else {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// The wire form without anything that is as long and as random as a signature.
    private static func unsigned(_ signed: SignedRequest) -> [String] {
        let headers = signed.headers.filter { $0.value.count < 43 }.map { $0.name + ": " + $0.value }
        let pairs = signed.target.split(separator: "&").filter { $0.count < 64 || !$0.contains("=") }
        return headers + pairs.map { String($0).split(separator: "?").map(String.init) }.joined()
    }

    // MARK: Case 4

    static func secrets(_ exchange: ExchangeUnderTest) -> [String] {
        var problems = Problems()
        let marks = marked(exchange)
        var marked = exchange
        for index in marked.accounts.indices {
            marked.accounts[index].credentials = marks.mapValues { CredentialReference.literal($0) }
        }
        for (what, account, request) in ContractSamples(marked).requests() {
            let recipe = exchange.plugin.signing(of: request, at: stamp, account: account)
            problems.expect(
                exchange.plugin.profile.credentialFields.contains(recipe.secret),
                "\(what) is signed with the field \(recipe.secret), which no account has")
            for (field, value) in marks {
                let open = "\(request)" + "\(recipe)" + String(decoding: request.body, as: UTF8.self)
                for form in forms(of: value) {
                    problems.expect(!open.contains(form), "\(what) carries the \(field) before it is signed")
                }
            }
            do {
                let signed = try wire(request, at: stamp, account, exchange.plugin, marks)
                check(signed, what, secret: recipe.secret, marks, &problems)
            } catch {
                problems.add("\(what): \(error)")
            }
        }
        return problems.list
    }

    private static func check(
        _ signed: SignedRequest, _ what: String, secret: String, _ marks: [String: String], _ problems: inout Problems
    ) {
        let shown = "\(signed)" + String(reflecting: signed)
        for (field, value) in marks {
            for form in forms(of: value) {
                problems.expect(!signed.target.contains(form), "\(what) shows the \(field) in its address")
                problems.expect(
                    !String(decoding: signed.body, as: UTF8.self).contains(form),
                    "\(what) shows the \(field) in its body")
                problems.expect(!shown.contains(form), "\(what) prints the \(field)")
                guard field == secret else { continue }
                problems.expect(
                    !signed.headers.contains { $0.value.contains(form) },
                    "\(what) sends the \(field) that keys the HMAC")
            }
        }
    }

    /// A secret as it stands, and as a careless program may encode it.
    private static func forms(of secret: String) -> [String] {
        [secret, Hex.encode(Array(secret.utf8)), Base64.encode(Array(secret.utf8))]
    }

    private static func marked(_ exchange: ExchangeUnderTest) -> [String: String] {
        var marks: [String: String] = [:]
        for field in exchange.plugin.profile.credentialFields { marks[field] = "MARKED-\(field)-7f3c9a1be25d" }
        return marks
    }
}
