import BitgetExchange
import ExchangeKit
import FlatbookCore
import Testing

@Suite("Bitget's profile")
struct ProfileTests {
    private let profile = bitget.profile

    @Test("gives every limit a source, a date and a positive capacity")
    func limitsHaveSources() {
        #expect(profile.limits.count == profile.routes.count + 1)
        #expect(Set(profile.limits.map(\.id)).count == profile.limits.count)
        for limit in profile.limits {
            #expect(!limit.source.isEmpty)
            #expect(limit.readOn.wholeMatch(of: /\d{4}-\d{2}-\d{2}/) != nil)
            #expect(limit.capacity > 0 && limit.window > .zero && !limit.scope.isEmpty)
        }
    }

    @Test(
        "declares the documented rate of each path",
        arguments: [
            ("/api/v2/public/time", 20, [.ip, .route], false),
            ("/api/v2/mix/market/contracts", 20, [.ip, .route], false),
            ("/api/v2/spot/account/info", 1, [.uid, .route], false),
            ("/api/v2/mix/position/all-position", 5, [.uid, .route], false),
            ("/api/v2/mix/account/accounts", 10, [.uid, .route], false),
            ("/api/v2/mix/order/orders-pending", 10, [.uid, .route], false),
            ("/api/v2/mix/order/orders-plan-pending", 10, [.uid, .route], false),
            ("/api/v2/mix/order/close-positions", 1, [.uid, .route], true),
            ("/api/v2/mix/order/place-order", 10, [.uid, .route], true),
            ("/api/v2/mix/order/batch-cancel-orders", 10, [.uid, .route], true),
            ("/api/v2/mix/order/cancel-plan-order", 10, [.uid, .route], true),
            ("/api/v2/mix/account/account", 10, [.uid, .route], false),
            ("/api/v2/copy/mix-follower/query-current-orders", 5, [.uid, .route], false),
            ("/api/v2/copy/mix-follower/close-positions", 5, [.uid, .route], true),
            ("/api/v3/account/settings", 20, [.uid, .route], false),
            ("/api/v3/position/current-position", 20, [.uid, .route], false),
            ("/api/v3/trade/close-positions", 5, [.uid, .route], true),
            ("/api/v3/trade/unfilled-orders", 20, [.uid, .route], false),
            ("/api/v3/trade/unfilled-strategy-orders", 20, [.uid, .route], false),
            ("/api/v3/trade/cancel-batch", 5, [.uid, .route], true),
            ("/api/v3/trade/cancel-strategy-order", 10, [.uid, .route], true),
            ("/api/v2/mix/order/fills", 10, [.uid, .route], false),
            ("/api/v2/copy/mix-follower/query-history-orders", 5, [.uid, .route], false),
            ("/api/v3/trade/order-info", 20, [.uid, .route], false),
        ] as [(String, Int, Set<ScopeDimension>, Bool)])
    func rates(path: String, perSecond: Int, scope: Set<ScopeDimension>, isMutation: Bool) throws {
        let route = try #require(profile.routes.first { $0.path == path })
        #expect(route.isMutation == isMutation)
        #expect(route.costs.map(\.limit).contains("bitget.ip"))
        #expect(route.costs.allSatisfy { $0.weight == 1 })
        let own = try #require(route.costs.first { $0.limit != "bitget.ip" })
        let limit = try #require(profile.limit(own.limit))
        #expect(limit.capacity == perSecond)
        #expect(limit.window == .seconds(1))
        #expect(limit.scope == scope)
    }

    @Test("shares one budget of 6000 a minute between everything behind an address")
    func ipBudget() throws {
        let limit = try #require(profile.limit("bitget.ip"))
        #expect(limit.scope == [.ip] && limit.capacity == 6000 && limit.window == .seconds(60))
        #expect(profile.routes.count == 25)
    }

    @Test("sends no request outside its routes")
    func requestsStayInside() throws {
        var used: Set<String> = []
        for environment in TradingEnvironment.allCases {
            let requests =
                (everyRead + everyFillRead + [.permissions, .settings, copyRead, .endings(product: usdt)])
                .map { bitget.request(for: $0, account: account(environment)) }
                + everyUnifiedRead.map { bitget.request(for: $0, account: account(environment, api: "unified")) }
                + (everyMutation + newMutations).map { bitget.request(for: $0, account: account(environment)) }
            for request in requests {
                let route = try #require(profile.route(request.route))
                #expect(route.path == request.path)
                #expect(route.isMutation == (request.method == .post))
                used.insert(route.id)
            }
        }
        #expect(used == Set(profile.routes.map(\.id)))
    }

    @Test("names hosts, credentials, options and lists as the contract does")
    func names() {
        #expect(profile.id == ExchangeID("bitget"))
        #expect(profile.hosts[.production] == "https://api.bitget.com")
        #expect(profile.hosts[.demo] == "https://api.bitget.com")
        #expect(profile.hosts[.simulated] == nil)
        #expect(profile.credentialFields == ["key", "secret", "passphrase"])
        #expect(profile.options.map(\.name) == ["products", "api", "role"])
        #expect(
            profile.options.map(\.allowed) == [
                profile.products, ["auto", "classic", "unified"], ["normal", "copy-follower"],
            ])
        #expect(profile.options.map(\.isList) == [true, false, false])
        #expect(profile.products == ["USDT-FUTURES", "COIN-FUTURES", "USDC-FUTURES"])
        #expect(profile.notRead.isEmpty)
        #expect(profile.checks == [.identity, .settings])
        #expect(profile.signatureLife == .seconds(30))
        #expect(profile.maxCancelsPerCall == 50)
    }

    @Test("orders its close methods from the widest to the narrowest, and never promises a side it cannot hold")
    func methods() {
        #expect(profile.closeMethods.map(\.reach) == [.product, .symbol, .side, .leg, .leg])
        for method in profile.closeMethods {
            #expect(method.isSized == (method.reach == .leg))
            #expect(method.guaranteesSide == (method.reach <= .side))
            #expect(method.silo == .normal)
        }
        // `holdSide` is ignored in one-way mode (§3.4).
        #expect(profile.closeMethods[2].modes == [.hedge])
        #expect(profile.closeMethods[3].modes == [.oneWay] && profile.closeMethods[3].isForParts == nil)
        #expect(profile.closeMethods[4].modes == [.hedge] && profile.closeMethods[4].isForParts == true)
    }

    @Test("has a cancel for every list that an order can stand in")
    func cancels() {
        for list in profile.orderLists { #expect(profile.cancelOperations[list] != nil) }
        for part in bitget.partitions(of: account()) + bitget.partitions(of: unified) {
            for list in part.orderLists { #expect(profile.cancelOperations[list] != nil) }
        }
        #expect(profile.cancelOperations["unfilled"] == "bitget.v3-cancel-batch")
        #expect(profile.cancelOperations["strategy/trigger"] == "bitget.v3-cancel-strategy-order")
        #expect(profile.cancelOperations["normal"] == "bitget.batch-cancel-orders")
        for type in ["profit_plan", "loss_plan", "pos_profit", "pos_loss", "moving_plan", "track_plan", "normal_plan"] {
            #expect(profile.cancelOperations[type] == "bitget.cancel-plan-order")
        }
    }
}
