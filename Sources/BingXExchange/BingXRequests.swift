public import ExchangeKit
public import FlatbookCore

extension BingX {
    public func request(for read: Read, account: Account) -> VenueRequest {
        switch read {
        case .serverTime, .instruments: Self.publicRequest(Self.route(of: read))
        // `symbol` and `currency` would narrow these answers: never sent.
        case .identity, .permissions, .settings, .positions, .orders, .control, .endings:
            Self.privateRequest(Self.route(of: read))
        case .executions(let query): Self.privateRequest(Self.route(of: read), Self.fillsParameters(query))
        }
    }

    public func request(for mutation: Mutation, account: Account) -> VenueRequest {
        switch mutation {
        case .close(let call): Self.request(for: call)
        case .cancel(let call): Self.request(for: call)
        }
    }

    static func route(of read: Read) -> String {
        switch read {
        case .serverTime: BingXRoute.serverTime
        case .identity: BingXRoute.identity
        case .permissions: BingXRoute.permissions
        case .settings: BingXRoute.settings
        case .instruments(let product, _): product == cswap ? BingXRoute.cswapContracts : BingXRoute.contracts
        case .positions(let product, _): product == cswap ? BingXRoute.cswapPositions : BingXRoute.positions
        // Nothing it shows tells a liquidation from a close (§3.6): `endings` are never asked for.
        case .control(let product), .endings(let product):
            product == cswap ? BingXRoute.cswapBalance : BingXRoute.balance
        case .orders(let product, let list, _):
            product == cswap
                ? BingXRoute.cswapOpenOrders : list == twap ? BingXRoute.twapOrders : BingXRoute.openOrders
        case .executions(let query): fillsRoute(query)
        }
    }

    static func route(of mutation: Mutation) -> String {
        switch mutation {
        case .close(let call):
            if call.method.isSized { return BingXRoute.order }
            if call.method.operation == BingXRoute.closePosition { return BingXRoute.closePosition }
            return call.product == cswap ? BingXRoute.cswapCloseAll : BingXRoute.closeAll
        case .cancel(let call):
            return call.operation == BingXRoute.cancelTWAP ? BingXRoute.cancelTWAP : BingXRoute.cancelOrders
        }
    }

    /// §10: without any `timestamp` the list of coin-margined contracts answers HTTP 400. A public read is not signed and
    /// no clock is here, so a fixed one goes out: no source says that it is compared with the time of day.
    static let fixedTimestamp = "1767225600000"

    private static func publicRequest(_ route: String) -> VenueRequest {
        VenueRequest(
            route: route, method: .get, path: endpoint(route)?.path ?? "",
            query: route == BingXRoute.cswapContracts
                ? [VenueRequest.QueryItem("timestamp", fixedTimestamp)] : [])
    }

    /// All parameters in the query, sorted by name; the body stays empty (§1). `timestamp` joins them when it is signed.
    private static func privateRequest(
        _ route: String, _ parameters: [String: String] = [:], target: String? = nil, items: Int = 1
    ) -> VenueRequest {
        var query = parameters.map { VenueRequest.QueryItem($0.key, BingXText.harmless($0.value)) }
        query.append(VenueRequest.QueryItem("recvWindow", "5000"))
        query.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let endpoint = endpoint(route)
        return VenueRequest(
            route: route, method: endpoint?.method ?? .get, path: endpoint?.path ?? "", query: query,
            scope: target.map { [.target: $0] } ?? [:], items: items)
    }

    private static func request(for call: CloseCall) -> VenueRequest {
        let route = route(of: .close(call))
        let instrument = call.instrument ?? call.legs.first?.instrument ?? ""
        let symbol = instrument.isEmpty ? BingXText.refused : instrument
        switch route {
        case BingXRoute.order: return privateRequest(route, order(call, symbol), target: "\(call.product) \(symbol)")
        case BingXRoute.closePosition:
            // Several ids of one side are separate legs; a leg has one.
            let named = call.legs.count == 1 ? call.legs.first?.positionID : nil
            let id = named ?? BingXText.refused
            return privateRequest(route, ["positionId": id], target: "\(call.product) #\(id)")
        default:
            // Without `symbol` the call closes everything, so only the widest reach may go without.
            if call.method.reach == .product { return privateRequest(route, target: call.product) }
            let isExact = call.method.reach == .symbol
            return privateRequest(
                route, ["symbol": isExact ? symbol : BingXText.refused], target: "\(call.product) \(symbol)")
        }
    }

    /// §3.5. A hedge-mode order names the position's side and cannot flip; in one-way mode `reduceOnly` does that.
    private static func order(_ call: CloseCall, _ symbol: String) -> [String: String] {
        let side = call.side ?? call.legs.first?.side
        var parameters = [
            "symbol": symbol, "type": "MARKET",
            "side": side.map { $0 == .long ? "SELL" : "BUY" } ?? BingXText.refused,
        ]
        switch call.mode {
        case .oneWay:
            parameters["positionSide"] = "BOTH"
            parameters["reduceOnly"] = "true"
        case .hedge: parameters["positionSide"] = side.map { $0.rawValue.uppercased() } ?? BingXText.refused
        }
        // Required where several positions stand on one side (separate isolated margin, §3.5); elsewhere it names the one
        // there is.
        parameters["positionId"] = call.legs.first?.positionID
        // Without a size the exchange refuses the order: a size is never guessed.
        parameters["quantity"] = call.quantity?.description
        // Lower-cased by the exchange and unique for ever (§7); at most 40 characters.
        parameters["clientOrderID"] = call.attemptID.map { String($0.lowercased().prefix(40)) }
        return parameters
    }

    /// §3: up to ten ids as a JSON array of numbers. Without a list every order of the symbol might be meant, so one
    /// that names nothing stands in for it.
    private static func request(for call: CancelCall) -> VenueRequest {
        let route = route(of: .cancel(call))
        if route == BingXRoute.cancelTWAP {
            return privateRequest(route, ["mainOrderId": call.orderIDs.first ?? BingXText.refused])
        }
        let ids = call.orderIDs.filter(BingXText.isDigits)
        return privateRequest(
            route,
            [
                "symbol": call.instrument.isEmpty ? BingXText.refused : call.instrument,
                "orderIdList": "[" + (ids.isEmpty ? ["0"] : ids).joined(separator: ",") + "]",
            ], items: max(1, ids.count))
    }
}
