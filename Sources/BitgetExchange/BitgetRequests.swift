public import ExchangeKit
public import FlatbookCore

extension Bitget {
    public func request(for read: Read, account: Account) -> VenueRequest {
        switch read {
        case .serverTime: get(BitgetRoute.serverTime, [:], read, account)
        case .identity, .permissions, .settings: get(BitgetRoute.identity, [:], read, account)
        case .instruments(let product, _):
            get(BitgetRoute.instruments, ["productType": product], read, account)
        // `marginCoin` would narrow the answer to one margin coin: never sent.
        case .positions(let product, _): get(BitgetRoute.positions, ["productType": product], read, account)
        case .control(let product): get(BitgetRoute.control, ["productType": product], read, account)
        case .orders(let product, let list, let cursor):
            orders(product: product, list: list, cursor: cursor, read, account)
        }
    }

    public func request(for mutation: Mutation, account: Account) -> VenueRequest {
        switch mutation {
        case .close(let call) where call.method.isSized: post(BitgetRoute.placeOrder, Self.marketOrder(call), account)
        case .close(let call): post(BitgetRoute.flashClose, Self.flashClose(call), account)
        case .cancel(let call):
            post(
                call.operation == BitgetRoute.cancelPlan ? BitgetRoute.cancelPlan : BitgetRoute.cancelOrders,
                Self.cancel(call), account)
        }
    }

    private func orders(
        product: String, list: String, cursor: String?, _ read: Read, _ account: Account
    ) -> VenueRequest {
        var query = ["productType": product, "limit": String(Self.pageSize)]
        query["idLessThan"] = cursor
        if let status = Self.regularLists[list] {
            query["status"] = status
            return get(BitgetRoute.orders, query, read, account)
        }
        query["planType"] = list
        return get(BitgetRoute.planOrders, query, read, account)
    }

    /// Keys ascending: one ordered list feeds the URL and the prehash (§2.2).
    private func get(_ route: String, _ query: [String: String], _ read: Read, _ account: Account) -> VenueRequest {
        VenueRequest(
            route: route, method: .get, path: Self.path(route),
            query: query.sorted { $0.key < $1.key }.map { VenueRequest.QueryItem($0.key, $0.value) },
            headers: Self.headers(account, isPrivate: !read.isPublic))
    }

    private func post(_ route: String, _ body: [(String, BodyValue)], _ account: Account) -> VenueRequest {
        VenueRequest(
            route: route, method: .post, path: Self.path(route), body: Self.json(body),
            headers: Self.headers(account, isPrivate: true))
    }

    /// §1: the content type on every call, as all clients send it; `paptrading` on every private call of demo (§1.1).
    private static func headers(_ account: Account, isPrivate: Bool) -> [VenueRequest.Header] {
        var headers = [
            VenueRequest.Header("Content-Type", "application/json"), VenueRequest.Header("locale", "en-US"),
        ]
        if isPrivate, account.environment == .demo { headers.append(VenueRequest.Header("paptrading", "1")) }
        return headers
    }

    /// A value that the exchange must refuse, put where leaving a parameter out would widen the call.
    private static let refused = "MISSING"

    /// §3.4. Every parameter left out widens the reach, so each reach names exactly its own.
    private static func flashClose(_ call: CloseCall) -> [(String, BodyValue)] {
        var body: [(String, BodyValue)] = [("productType", .text(call.product))]
        if call.method.reach == .product { return body }
        let instrument = call.instrument ?? call.legs.first?.instrument ?? ""
        body.append(("symbol", .text(instrument.isEmpty ? refused : instrument)))
        if call.method.reach == .symbol { return body }
        let side = call.side ?? call.legs.first?.side
        body.append(("holdSide", .text(side?.rawValue ?? refused)))
        return body
    }

    /// §3.5: in hedge mode `side` names the position, in one-way mode the trade.
    private static func marketOrder(_ call: CloseCall) -> [(String, BodyValue)] {
        let leg = call.legs.first
        let instrument = call.instrument ?? leg?.instrument ?? refused
        let isLong = (call.side ?? leg?.side) == .long
        let isIsolated = (call.marginMode ?? leg?.marginMode) == .isolated
        var body: [(String, BodyValue)] = [
            ("symbol", .text(instrument)), ("productType", .text(call.product)),
            ("marginMode", .text(isIsolated ? "isolated" : "crossed")),
            ("marginCoin", .text(call.marginCurrency ?? leg?.marginCurrency ?? refused)),
        ]
        // Without a size the exchange refuses the order: a size is never guessed.
        if let quantity = call.quantity { body.append(("size", .text(quantity.description))) }
        switch call.mode {
        case .oneWay:
            body.append(("side", .text(isLong ? "sell" : "buy")))
            body.append(("orderType", .text("market")))
            body.append(("reduceOnly", .text("YES")))
        case .hedge:
            body.append(("side", .text(isLong ? "buy" : "sell")))
            body.append(("tradeSide", .text("close")))
            body.append(("orderType", .text("market")))
        }
        return body
    }

    /// §3.3. An empty id list could be read as "all orders", so one that names nothing stands in for it.
    private static func cancel(_ call: CancelCall) -> [(String, BodyValue)] {
        var body: [(String, BodyValue)] = [
            ("productType", .text(call.product)),
            ("symbol", .text(call.instrument.isEmpty ? refused : call.instrument)),
        ]
        if let coin = call.marginCurrency { body.append(("marginCoin", .text(coin))) }
        if call.operation == BitgetRoute.cancelPlan { body.append(("planType", .text(call.list))) }
        body.append(("orderIdList", .orderIDs(call.orderIDs.isEmpty ? ["0"] : call.orderIDs)))
        return body
    }

    enum BodyValue {
        case text(String)
        case orderIDs([String])
    }

    /// The compact body in the given order: these bytes are signed and sent.
    private static func json(_ body: [(String, BodyValue)]) -> [UInt8] {
        let members = body.map { name, value in
            switch value {
            case .text(let text): quoted(name) + ":" + quoted(text)
            case .orderIDs(let ids):
                quoted(name) + ":[" + ids.map { "{\"orderId\":" + quoted($0) + "}" }.joined(separator: ",") + "]"
            }
        }
        return Array(("{" + members.joined(separator: ",") + "}").utf8)
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\u{00}"..<"\u{20}":
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
