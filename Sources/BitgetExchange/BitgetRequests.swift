public import ExchangeKit
public import FlatbookCore

extension Bitget {
    public func request(for read: Read, account: Account) -> VenueRequest {
        let route = route(of: read, account: account)
        switch read {
        case .serverTime, .identity, .permissions: return get(route, [:], read, account)
        case .settings:
            // One contract stands for all: the mode is the product's (§3.2).
            let query = ["symbol": "BTCUSDT", "productType": "USDT-FUTURES", "marginCoin": "USDT"]
            return get(route, route == BitgetRoute.settings ? query : [:], read, account)
        case .instruments(let product, _): return get(route, ["productType": product], read, account)
        // `marginCoin` would narrow the answer to one margin coin: never sent.
        case .positions(let product, let cursor): return positions(route, product, cursor: cursor, read, account)
        case .control(let product): return get(route, ["productType": Self.productType(product)], read, account)
        case .endings(let product):
            let query = ["productType": Self.productType(product), "limit": String(Self.pageSize)]
            return get(route, query, read, account)
        case .orders(let product, let list, let cursor):
            return orders(route, product: product, list: list, cursor: cursor, read, account)
        case .executions(let query): return get(route, Self.fillsQuery(query), read, account)
        }
    }

    public func request(for mutation: Mutation, account: Account) -> VenueRequest {
        let route = route(of: mutation)
        switch mutation {
        case .close(let call):
            switch route {
            case BitgetRoute.placeOrder: return post(route, RequestBody.object(Self.marketOrder(call)), account)
            case BitgetRoute.followerClose: return post(route, RequestBody.object(Self.followerClose(call)), account)
            case BitgetRoute.unifiedClose: return post(route, RequestBody.object(Self.unifiedClose(call)), account)
            default: return post(route, RequestBody.object(Self.flashClose(call)), account)
            }
        case .cancel(let call):
            switch route {
            case BitgetRoute.unifiedCancelOrders:
                return post(route, RequestBody.list(Self.unifiedCancel(call)), account)
            case BitgetRoute.unifiedCancelStrategy:
                return post(route, RequestBody.object(Self.unifiedCancelStrategy(call)), account)
            default: return post(route, RequestBody.object(Self.cancel(call)), account)
            }
        }
    }

    private func positions(
        _ route: String, _ product: String, cursor: String?, _ read: Read, _ account: Account
    ) -> VenueRequest {
        let product = Self.productType(product)
        switch route {
        case BitgetRoute.unifiedPositions: return get(route, ["category": product], read, account)
        case BitgetRoute.copyPositions:
            var query = ["productType": product, "limit": String(Self.pageSize)]
            query["idLessThan"] = cursor
            return get(route, query, read, account)
        default: return get(route, ["productType": product], read, account)
        }
    }

    private func orders(
        _ route: String, product: String, list: String, cursor: String?, _ read: Read, _ account: Account
    ) -> VenueRequest {
        switch route {
        case BitgetRoute.unifiedOrders:
            var query = ["category": product, "limit": String(Self.pageSize)]
            query["cursor"] = cursor
            return get(route, query, read, account)
        case BitgetRoute.unifiedStrategyOrders:
            var query = ["category": product]
            query["type"] = Self.unifiedStrategyLists[list]
            return get(route, query, read, account)
        default:
            var query = ["productType": product, "limit": String(Self.pageSize)]
            query["idLessThan"] = cursor
            if let status = Self.regularLists[list] { query["status"] = status } else { query["planType"] = list }
            return get(route, query, read, account)
        }
    }

    /// Keys ascending: one ordered list feeds the URL and the prehash (§2.2).
    private func get(_ route: String, _ query: [String: String], _ read: Read, _ account: Account) -> VenueRequest {
        VenueRequest(
            route: route, method: .get, path: Self.path(route),
            query: query.sorted { $0.key < $1.key }.map { VenueRequest.QueryItem($0.key, $0.value) },
            headers: Self.headers(account, isPrivate: !read.isPublic))
    }

    private func post(_ route: String, _ body: [UInt8], _ account: Account) -> VenueRequest {
        VenueRequest(
            route: route, method: .post, path: Self.path(route), body: body,
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
    static let refused = "MISSING"

    /// §3.4. Every parameter left out widens the reach, so each reach names exactly its own.
    private static func flashClose(_ call: CloseCall) -> [(String, RequestBody.Value)] {
        var body: [(String, RequestBody.Value)] = [("productType", .text(call.product))]
        if call.method.reach == .product { return body }
        let instrument = call.instrument ?? call.legs.first?.instrument ?? ""
        body.append(("symbol", .text(instrument.isEmpty ? refused : instrument)))
        if call.method.reach == .symbol { return body }
        let side = call.side ?? call.legs.first?.side
        body.append(("holdSide", .text(side?.rawValue ?? refused)))
        return body
    }

    /// §3.5: in hedge mode `side` names the position, in one-way mode the trade.
    private static func marketOrder(_ call: CloseCall) -> [(String, RequestBody.Value)] {
        let leg = call.legs.first
        let named = call.instrument ?? leg?.instrument ?? ""
        let instrument = named.isEmpty ? refused : named
        let isLong = (call.side ?? leg?.side) == .long
        let isIsolated = (call.marginMode ?? leg?.marginMode) == .isolated
        var body: [(String, RequestBody.Value)] = [
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
    private static func cancel(_ call: CancelCall) -> [(String, RequestBody.Value)] {
        var body: [(String, RequestBody.Value)] = [
            ("productType", .text(call.product)),
            ("symbol", .text(call.instrument.isEmpty ? refused : call.instrument)),
        ]
        if let coin = call.marginCurrency { body.append(("marginCoin", .text(coin))) }
        if call.operation == BitgetRoute.cancelPlan { body.append(("planType", .text(call.list))) }
        body.append(
            ("orderIdList", .list((call.orderIDs.isEmpty ? ["0"] : call.orderIDs).map { [("orderId", .text($0))] })))
        return body
    }
}
