public import ExchangeKit
public import FlatbookCore

extension OKX {
    public func request(for read: Read, account: Account) -> VenueRequest {
        switch read {
        case .serverTime: return get(OKXRoute.serverTime, [], account)
        case .identity, .permissions, .settings: return get(OKXRoute.config, [], account)
        case .instruments(let product, let cursor):
            var query = [VenueRequest.QueryItem("instType", product)]
            if product == "OPTION" {
                query.append(.init("instFamily", cursor ?? Self.optionFamilies[0]))
            }
            return get(OKXRoute.instruments, query, account, scope: [.product: product])
        case .positions(let product, _):
            let isOneType = Self.instrumentTypes.contains(product)
            return get(OKXRoute.positions, isOneType ? [.init("instType", product)] : [], account)
        case .control: return get(OKXRoute.risk, [], account)
        case .endings: return get(OKXRoute.history, [.init("limit", String(Self.pageSize))], account)
        case .executions(let query): return get(OKXRoute.orderHistory, Self.historyQuery(query), account)
        case .orders(_, let list, let cursor):
            // Never by type: one list shows the orders of all.
            var query: [VenueRequest.QueryItem] = []
            if list != Self.pendingOrders { query.append(.init("ordType", list)) }
            if let cursor { query.append(.init("after", cursor)) }
            query.append(.init("limit", String(Self.pageSize)))
            return get(list == Self.pendingOrders ? OKXRoute.orders : OKXRoute.algos, query, account)
        }
    }

    public func request(for mutation: Mutation, account: Account) -> VenueRequest {
        switch mutation {
        case .close(let call):
            let body = call.method.isSized ? Self.order(call) : Self.closePosition(call, account: account)
            return post(
                call.method.isSized ? OKXRoute.order : OKXRoute.closePosition, RequestBody.object(body), account,
                instrument: Self.bucket(call.product, call.instrument ?? call.legs.first?.instrument ?? ""))
        case .cancel(let call): return cancel(call, account)
        }
    }

    /// Options count by family (§3.1), which their id does not tell for certain: all of an account's options share one
    /// bucket here, which is stricter.
    private static func bucket(_ product: String, _ instrument: String) -> String {
        product == "OPTION" ? "OPTION" : instrument
    }

    private func get(
        _ route: String, _ query: [VenueRequest.QueryItem], _ account: Account,
        scope: [ScopeDimension: String] = [:]
    ) -> VenueRequest {
        VenueRequest(
            route: route, method: .get, path: Self.path(route), query: query, headers: Self.headers(account),
            scope: scope)
    }

    private func post(
        _ route: String, _ body: [UInt8], _ account: Account, instrument: String, items: Int = 1
    ) -> VenueRequest {
        VenueRequest(
            route: route, method: .post, path: Self.path(route), body: body, headers: Self.headers(account),
            scope: [.instrument: instrument], items: items)
    }

    /// §1: the demo header on every call, public ones included.
    private static func headers(_ account: Account) -> [VenueRequest.Header] {
        var headers = [VenueRequest.Header("Content-Type", "application/json")]
        if account.environment == .demo { headers.append(.init("x-simulated-trading", "1")) }
        return headers
    }

    /// A value that the exchange must refuse, where leaving a parameter out would name something else.
    private static let refused = "MISSING"

    /// What broker statistics and order lists show as the sender (§3.5, at most 16 letters and digits).
    private static let tag = "flatbook"

    /// §3.5. No size: always the whole position, and nothing but it.
    private static func closePosition(
        _ call: CloseCall, account: Account
    ) -> [(String, RequestBody.Value)] {
        let leg = call.legs.first
        let marginMode = call.marginMode ?? leg?.marginMode
        var body: [(String, RequestBody.Value)] = [
            ("instId", .text(named(call.instrument ?? leg?.instrument))),
            ("mgnMode", .text(marginMode == .isolated ? "isolated" : marginMode == .cross ? "cross" : refused)),
        ]
        if call.mode == .hedge { body.append(("posSide", .text((call.side ?? leg?.side)?.rawValue ?? refused))) }
        // Required for cross margin in futures mode only (§3.5); a wrong one would be refused.
        if call.product == "MARGIN", marginMode == .cross, account.facts[OKXFact.accountLevel] == "2" {
            body.append(("ccy", .text(named(call.marginCurrency ?? leg?.marginCurrency))))
        }
        if call.freesHeldSize == true { body.append(("autoCxl", .flag(true))) }
        return body + identification(call)
    }

    /// §7.4: a market order that the exchange itself keeps from opening.
    private static func order(_ call: CloseCall) -> [(String, RequestBody.Value)] {
        let leg = call.legs.first
        // The order that closes a long leg sells; no side is guessed.
        let side = (call.side ?? leg?.side).map { $0 == .long ? "sell" : "buy" }
        let marginMode = call.marginMode ?? leg?.marginMode
        var body: [(String, RequestBody.Value)] = [
            ("instId", .text(named(call.instrument ?? leg?.instrument))),
            ("tdMode", .text(marginMode == .isolated ? "isolated" : marginMode == .cross ? "cross" : refused)),
            ("side", .text(side ?? refused)), ("ordType", .text("market")),
        ]
        // Without a size the exchange refuses the order: a size is never guessed.
        if let quantity = call.quantity { body.append(("sz", .text(quantity.description))) }
        switch call.mode {
        case .oneWay: body.append(("reduceOnly", .flag(true)))
        case .hedge: body.append(("posSide", .text((call.side ?? leg?.side)?.rawValue ?? refused)))
        }
        return body + identification(call)
    }

    private static func named(_ text: String?) -> String { text.flatMap { $0.isEmpty ? nil : $0 } ?? refused }

    private static func identification(_ call: CloseCall) -> [(String, RequestBody.Value)] {
        (clientID(call).map { [("clOrdId", .text($0))] } ?? []) + [("tag", .text(tag))]
    }

    /// §7.6: letters and digits only, a fresh id for each attempt; for finding the order, not for safety.
    static func clientID(_ call: CloseCall) -> String? {
        let kept = (call.attemptID ?? "").unicodeScalars.filter { scalar in
            switch scalar {
            case "0"..."9", "A"..."Z", "a"..."z": true
            default: false
            }
        }
        return kept.isEmpty ? nil : String(String.UnicodeScalarView(kept.prefix(32)))
    }

    /// §3.1: an array of one counts on the single endpoint's limit, so one order goes there.
    private func cancel(_ call: CancelCall, _ account: Account) -> VenueRequest {
        let isAlgo = call.list != Self.pendingOrders
        // An empty list names nothing; an id that cannot exist stands in for it.
        let ids = call.orderIDs.isEmpty ? ["0"] : call.orderIDs
        let rows = ids.map { id -> [(String, RequestBody.Value)] in
            [("instId", .text(Self.named(call.instrument))), (isAlgo ? "algoId" : "ordId", .text(id))]
        }
        let instrument = Self.bucket(call.product, call.instrument)
        if isAlgo {
            return post(
                OKXRoute.cancelAlgos, RequestBody.list(rows), account, instrument: instrument, items: ids.count)
        }
        if rows.count == 1 {
            return post(OKXRoute.cancelOrder, RequestBody.object(rows[0]), account, instrument: instrument)
        }
        return post(
            OKXRoute.cancelOrders, RequestBody.list(rows), account, instrument: instrument, items: ids.count)
    }
}
