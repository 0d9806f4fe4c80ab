import BingXExchange
import ExchangeKit
import FlatbookCore
import Testing

@Suite("BingX's profile")
struct ProfileTests {
    private let profile = bingx.profile

    @Test("names a limit for every cost, and a source and a date for every limit")
    func limits() {
        #expect(Set(profile.limits.map(\.id)).count == profile.limits.count)
        for limit in profile.limits {
            #expect(limit.source.contains("bingx.md") && limit.readOn == "2026-11-20" && limit.capacity > 0)
        }
        for route in profile.routes {
            for cost in route.costs { #expect(profile.limit(cost.limit) != nil, "\(route.id) \(cost.limit)") }
        }
        #expect(profile.limit("bingx.positions")?.capacity == 5)
        #expect(profile.limit("bingx.position-mode")?.capacity == 2)
    }

    @Test("declares every request's route and path, and asks private ones for a window of five seconds")
    func routes() {
        for read in everyRead {
            let request = bingx.request(for: read, account: account())
            #expect(profile.route(request.route)?.path == request.path && request.method == .get)
            #expect(profile.route(request.route)?.isMutation == false)
            if !read.isPublic { #expect(request.query == [VenueRequest.QueryItem("recvWindow", "5000")]) }
        }
        for mutation in everyMutation {
            let request = bingx.request(for: mutation, account: account())
            #expect(profile.route(request.route)?.path == request.path && request.body.isEmpty)
            #expect(profile.route(request.route)?.isMutation == true)
            #expect(request.query.contains(VenueRequest.QueryItem("recvWindow", "5000")))
        }
        #expect(profile.signatureLife == .seconds(5))
    }

    @Test("closes one thing no more than once a second")
    func sameTarget() {
        let targets = [closeAll, closeSymbol, closeOne, sized, closeCoin].map {
            bingx.request(for: $0, account: account()).scope[.target]
        }
        #expect(targets == ["swap", "swap BTC-USDT", "swap #1769649551460794368", "swap ETH-USDT", "cswap"])
        for mutation in [closeAll, closeOne, sized, closeCoin] {
            let route = profile.route(bingx.request(for: mutation, account: account()).route)
            #expect(route?.costs.contains { $0.limit == "bingx.same-target" } == true)
        }
    }

    @Test("never leaves out what narrows a close")
    func narrow() {
        let noSymbol = bingx.request(for: close("bingx.close-all-positions", .symbol, ""), account: account())
        #expect(noSymbol.query.contains(VenueRequest.QueryItem("symbol", "MISSING")))
        let noID = bingx.request(for: close("bingx.close-position", .leg, "BTC-USDT"), account: account())
        #expect(noID.query.contains(VenueRequest.QueryItem("positionId", "MISSING")))
        #expect(bingx.request(for: closeAll, account: account()).query.map(\.name) == ["recvWindow"])
        let order = close(
            "bingx.order", .leg, "ETH-USDT", mode: .oneWay, side: .short, quantity: "1", attempt: "ABCDEF0123456789")
        let query = bingx.request(for: order, account: account()).query
        #expect(query.contains(VenueRequest.QueryItem("clientOrderID", "abcdef0123456789")))
        #expect(query.contains(VenueRequest.QueryItem("side", "BUY")))
        #expect(query.contains(VenueRequest.QueryItem("reduceOnly", "true")))
    }

    @Test("offers no leg close for coin-margined positions and no side promise without reduce-only in one-way mode")
    func methods() {
        for method in profile.closeMethods {
            if method.products == ["cswap"] { #expect(method.reach >= .symbol) }
            if method.modes.contains(.oneWay), !method.isSized { #expect(!method.guaranteesSide) }
        }
        #expect(profile.closeMethods.count == 8)
        let parts = profile.closeMethods.filter { $0.isForParts == true }
        #expect(parts.map(\.modes) == [[.hedge]] && parts.allSatisfy { $0.isSized && $0.guaranteesSide })
    }
}
