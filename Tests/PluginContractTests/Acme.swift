import ExchangeKit
import FlatbookCore
import FlatbookTestKit

/// A made-up exchange: the smallest plugin that passes cases 1 to 9, and, with a defect, one that must not.
struct Acme: ExchangePlugin {
    /// What a careless author gets wrong, one at a time.
    enum Defect: String, CaseIterable, Sendable {
        case limitWithoutSource, limitWithoutDate, closeIsNoMutation, plainHost, unknownLimit
        case countsCalls, undeclaredPath
        case unsignedBody, unsignedPath, unsentTimestamp, wrongSignature
        case secretInQuery, secretInHeader
        case rowsOfAnotherAccount, wrongSide, acceptsOtherLists
        case acceptsEmptyBody, acceptsCutBody, skipsBadRows, ignoresCode
        case ignoresStatus, throttleIsUnknown, flatIsExecuted, keyIsRetried, gatewayIsRefusal, unlistedIsRefusal
        case symbolOfNothing, closesInLowerCase
        case dropsSymbol, forgetsSide, ignoresSize

        /// The case that must find it.
        var foundBy: PluginContract.Case {
            switch self {
            case .limitWithoutSource, .limitWithoutDate, .closeIsNoMutation, .plainHost, .unknownLimit: .profileIsSane
            case .countsCalls, .undeclaredPath: .sameCallSameBytes
            case .unsignedBody, .unsignedPath, .unsentTimestamp, .wrongSignature: .everySignedPartMatters
            case .secretInQuery, .secretInHeader: .noSecretLeaks
            case .rowsOfAnotherAccount, .wrongSide, .acceptsOtherLists: .oneReadingEach
            case .acceptsEmptyBody, .acceptsCutBody, .skipsBadRows, .ignoresCode: .hostileBodiesProveNothing
            case .ignoresStatus, .throttleIsUnknown, .flatIsExecuted, .keyIsRetried, .gatewayIsRefusal,
                .unlistedIsRefusal:
                .statusAndCodeAreClassified
            case .symbolOfNothing, .closesInLowerCase: .symbolsRoundTrip
            case .dropsSymbol, .forgetsSide, .ignoresSize: .requestsNameTheirReach
            }
        }

        /// What it must say, so that it is not found by chance.
        var says: String {
            switch self {
            case .limitWithoutSource: "has no source"
            case .limitWithoutDate: "which is no date"
            case .closeIsNoMutation: "which is no mutation"
            case .plainHost: "http://acme.example"
            case .unknownLimit: "which is no limit"
            case .countsCalls: "gives different requests"
            case .undeclaredPath: "instead of /v1/"
            case .unsignedBody: "does not cover the body"
            case .unsignedPath: "does not cover the path"
            case .unsentTimestamp: "the timestamp that is signed is not sent"
            case .wrongSignature: "has another signature"
            case .secretInQuery: "shows the secret in its address"
            case .secretInHeader: "sends the secret that keys the HMAC"
            case .rowsOfAnotherAccount: "has a row of x"
            case .wrongSide: "positions means"
            case .acceptsOtherLists: "is taken for positions"
            case .acceptsEmptyBody: "flat, empty, is accepted"
            case .acceptsCutBody: "cut at byte"
            case .skipsBadRows: "2 positions became 1"
            case .ignoresCode: "code as another code, is accepted"
            case .ignoresStatus: "under status 301"
            case .throttleIsUnknown: "throttled on"
            case .flatIsExecuted: "flat on"
            case .keyIsRetried: "wrongKey on"
            case .gatewayIsRefusal: "with status 429 has effect none"
            case .unlistedIsRefusal: "unlisted on"
            case .symbolOfNothing: "which is not canonical"
            case .closesInLowerCase: "does not name it"
            case .dropsSymbol: "leaves out what names it"
            case .forgetsSide: "is the same request for the other side"
            case .ignoresSize: "does not say its size"
            }
        }
    }

    var defect: Defect?
    private let calls = CallCounter()

    init(_ defect: Defect? = nil) { self.defect = defect }

    private func has(_ defect: Defect) -> Bool { self.defect == defect }

    var profile: ExchangeProfile {
        let limit = RateLimit(
            id: "acme.account", scope: [.uid], capacity: 5, window: .seconds(1),
            source: has(.limitWithoutSource) ? " " : "Acme's documentation §3",
            readOn: has(.limitWithoutDate) ? "yesterday" : "2026-01-15")
        func route(_ name: String, _ path: String, isMutation: Bool = false) -> ExchangeProfile.Route {
            ExchangeProfile.Route(
                id: "acme." + name, path: path, isMutation: isMutation,
                costs: [(limit: has(.unknownLimit) ? "acme.other" : limit.id, weight: 1)])
        }
        func method(_ operation: String, _ reach: Reach, sized: Bool = false) -> CloseMethod {
            CloseMethod(
                operation: "acme." + operation, reach: reach, isSized: sized, modes: [.hedge],
                guaranteesSide: reach <= .side)
        }
        return ExchangeProfile(
            id: ExchangeID("acme"),
            hosts: [.production: has(.plainHost) ? "http://acme.example" : "https://acme.example"],
            credentialFields: ["key", "secret"], options: [], limits: [limit],
            routes: [
                route("time", "/v1/time"), route("me", "/v1/me"), route("markets", "/v1/markets"),
                route("positions", "/v1/positions"),
                route("close", "/v1/close", isMutation: !has(.closeIsNoMutation)),
                route("reduce", "/v1/reduce", isMutation: true),
            ],
            products: ["perp"], orderLists: [],
            closeMethods: [
                method("close", .product), method("close", .symbol), method("close", .side),
                method("reduce", .leg, sized: true),
            ],
            maxCancelsPerCall: 1, cancelOperations: [:], signatureLife: .seconds(10))
    }

    func partitions(of account: Account) -> [Partition] {
        [Partition(id: "perp", covers: ["perp"], instruments: ["perp"], hasControl: false)]
    }

    // MARK: Requests

    func request(for read: Read, account: Account) -> VenueRequest {
        var query: [VenueRequest.QueryItem] = []
        if has(.secretInQuery), case .literal(let secret)? = account.credentials["secret"] {
            query.append(VenueRequest.QueryItem("auth", secret))
        }
        return switch read {
        case .serverTime: get("time", query)
        case .instruments: get("markets", query)
        case .positions, .orders, .control, .endings, .executions: get("positions", query)
        case .identity, .permissions, .settings: get("me", query)
        }
    }

    private func get(_ name: String, _ query: [VenueRequest.QueryItem]) -> VenueRequest {
        VenueRequest(
            route: "acme." + name, method: .get, path: "/v1/" + name + (has(.undeclaredPath) ? "/all" : ""),
            query: query)
    }

    func request(for mutation: Mutation, account: Account) -> VenueRequest {
        guard case .close(let call) = mutation else { return get("me", []) }
        let leg = call.legs.first
        func known(_ text: String?) -> String { text.flatMap { $0.isEmpty ? nil : $0 } ?? "NONE" }
        var body: [JSONValue.Member] = []
        if call.method.reach <= .symbol, !(has(.dropsSymbol) && call.instrument == nil) {
            let symbol = known(call.instrument ?? leg?.instrument)
            body.append(JSONValue.Member("symbol", .string(has(.closesInLowerCase) ? "x-" + symbol : symbol)))
        }
        if call.method.reach <= .side, !has(.forgetsSide) {
            body.append(JSONValue.Member("side", .string(known((call.side ?? leg?.side)?.rawValue))))
        }
        if call.method.isSized {
            body.append(JSONValue.Member("size", .string(has(.ignoresSize) ? "1" : known(call.quantity?.description))))
            body.append(JSONValue.Member("margin", .string(known((call.marginMode ?? leg?.marginMode)?.rawValue))))
        }
        if has(.countsCalls) { body.append(JSONValue.Member("n", .number(String(calls.next())))) }
        let route = profile.route(call.method.operation)
        return VenueRequest(
            route: call.method.operation, method: .post, path: route?.path ?? "",
            body: Array(JSONValue.object(body).serialized().utf8))
    }

    func signing(of request: VenueRequest, at timestamp: WallTime, account: Account) -> SigningRecipe {
        let stamp = String(timestamp.milliseconds)
        let path = has(.unsignedPath) ? "" : request.path
        let body = has(.unsignedBody) ? [] : request.body
        let message = stamp + request.method.rawValue + path + "?" + request.rawQuery + "\n"
        var headers: [(name: String, value: SigningRecipe.Value)] = [
            (name: "Acme-Key", value: .credential("key")), (name: "Acme-Sign", value: .signature),
        ]
        if !has(.unsentTimestamp) { headers.append((name: "Acme-Time", value: .text(stamp))) }
        if has(.secretInHeader) { headers.append((name: "Acme-Secret", value: .credential("secret"))) }
        return SigningRecipe(
            message: Array(message.utf8) + body, encoding: has(.wrongSignature) ? .base64 : .lowercaseHex,
            headers: headers)
    }

    func serverTime(in reply: VenueReply) -> WallTime? { nil }
}

/// State that no plugin may have; only for the defect that shows it.
private final class CallCounter: @unchecked Sendable {
    private var count = 0
    func next() -> Int {
        count += 1
        return count
    }
}

// MARK: Replies

extension Acme {
    private struct Bad: Error {}

    func answer(
        to read: Read, in reply: VenueReply, account: Account, instruments: InstrumentBook
    ) -> ReadResult {
        do {
            return .answer(try parsed(read, reply, account, instruments))
        } catch {
            return .failed(failure(in: reply, isMutation: false))
        }
    }

    private func envelope(_ reply: VenueReply) throws -> JSONValue {
        guard reply.status == 200 || has(.ignoresStatus) else { throw Bad() }
        if has(.acceptsEmptyBody), reply.body.isEmpty { return .object([JSONValue.Member("rows", .array([]))]) }
        var body = reply.body
        if has(.acceptsCutBody), body.count > 30, body.last != UInt8(ascii: "}") {
            body = Array(#"{"code":0,"rows":[]}"#.utf8)
        }
        let value = try JSONValue.parse(body)
        guard value["code"] == .number("0") || has(.ignoresCode) else { throw Bad() }
        return value
    }

    private func text(_ value: JSONValue, _ name: String) throws -> String {
        guard case .string(let text)? = value[name], !text.isEmpty else { throw Bad() }
        return text
    }

    private func rows(_ value: JSONValue, _ name: String) throws -> [JSONValue] {
        if has(.acceptsOtherLists) { return value[name]?.elements ?? [] }
        guard let rows = value[name]?.elements else { throw Bad() }
        return rows
    }

    private func parsed(
        _ read: Read, _ reply: VenueReply, _ account: Account, _ book: InstrumentBook
    ) throws -> ReadAnswer {
        let value = try envelope(reply)
        switch read {
        case .serverTime:
            guard let time = Int64(try text(value, "time")) else { throw Bad() }
            return .serverTime(WallTime(milliseconds: time))
        case .identity, .permissions, .settings: return .identity(Identity(uid: try text(value, "uid")))
        case .instruments:
            return .instruments(
                try rows(value, "markets").map { row in
                    let id = try text(row, "id")
                    let symbol = has(.symbolOfNothing) ? id : try text(row, "base") + "/" + text(row, "quote") + ":USD"
                    return Instrument(nativeID: id, symbol: symbol, product: "perp")
                }, next: nil)
        case .positions, .orders, .control, .endings, .executions:
            return .positions(
                try rows(value, "rows").compactMap { row in
                    do {
                        return try position(row, account, book)
                    } catch {
                        if has(.skipsBadRows) { return nil }
                        throw error
                    }
                }, next: nil)
        }
    }

    private func position(_ row: JSONValue, _ account: Account, _ book: InstrumentBook) throws -> Position {
        let id = try text(row, "id")
        guard var side = Side(rawValue: try text(row, "side")) else { throw Bad() }
        if has(.wrongSide) { side = side.opposite }
        let size = try Amount(try text(row, "size"))
        guard !size.isZero, !size.isNegative else { throw Bad() }
        let key = LegKey(
            account: has(.rowsOfAnotherAccount) ? "x" : account.name, product: "perp", instrument: id, side: side,
            marginMode: .cross, marginCurrency: "USD")
        return Position(
            key: key, symbol: book.find(nativeID: id, product: "perp")?.symbol ?? id, quantity: size,
            notional: size, mode: .hedge)
    }

    func outcome(of mutation: Mutation, in reply: VenueReply, account: Account) -> Outcome {
        do {
            let value = try envelope(reply)
            return Outcome(effect: .executed, errorClass: .ok, orderIDs: [try text(value, "order")])
        } catch {
            return failure(in: reply, isMutation: true)
        }
    }

    private func failure(in reply: VenueReply, isMutation: Bool) -> Outcome {
        let unknown = Outcome(effect: isMutation ? .unknown : .none, errorClass: .unknown)
        guard let value = try? JSONValue.parse(reply.body), case .number(let code)? = value["code"] else {
            return has(.gatewayIsRefusal) && reply.status == 429
                ? Outcome(effect: .none, errorClass: .rateLimited) : unknown
        }
        switch code {
        case "429" where !has(.throttleIsUnknown): return Outcome(effect: .none, errorClass: .rateLimited)
        case "7":
            return has(.flatIsExecuted)
                ? Outcome(effect: .executed, errorClass: .ok) : Outcome(effect: .none, errorClass: .alreadyFlat)
        case "8":
            return Outcome(
                effect: .none, errorClass: has(.keyIsRetried) ? .retry : .fatalAccount, refusal: .credentials)
        case "9": return Outcome(effect: .none, errorClass: .fatalAccount, refusal: .permission)
        default: return has(.unlistedIsRefusal) ? Outcome(effect: .none, errorClass: .fatalCall) : unknown
        }
    }
}
