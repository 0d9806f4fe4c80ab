import ExchangeKit
import FlatbookCore
import OKXExchange
import Testing

@Suite("OKX's profile")
struct ProfileTests {
    private let profile = okx.profile

    @Test("names limits that exist, each with scope, two seconds, source and date")
    func limits() {
        #expect(Set(profile.limits.map(\.id)).count == profile.limits.count)
        for limit in profile.limits {
            #expect(limit.window == .seconds(2) && !limit.source.isEmpty && limit.readOn == "2026-11-20")
            #expect(limit.capacity > 0 && !limit.scope.isEmpty)
        }
        for route in profile.routes {
            #expect(!route.costs.isEmpty && route.costs.allSatisfy { profile.limit($0.limit) != nil })
            #expect(route.path.hasPrefix("/api/v5/"))
            #expect(route.countsItems.allSatisfy { profile.limit($0) != nil })
        }
    }

    private typealias Expected = (capacity: Int, scope: Set<ScopeDimension>)

    private static let expected: [String: Expected] = [
        "okx.time": (10, [.ip, .route]), "okx.instruments": (20, [.ip, .product, .route]),
        "okx.account-config": (5, [.uid, .route]), "okx.positions": (10, [.uid, .route]),
        "okx.account-position-risk": (10, [.uid, .route]), "okx.positions-history": (10, [.uid, .route]),
        "okx.orders-pending": (60, [.uid, .route]),
        "okx.orders-algo-pending": (20, [.uid, .route]), "okx.close-position": (20, [.uid, .instrument, .route]),
        "okx.order": (60, [.uid, .instrument, .route]), "okx.cancel-order": (60, [.uid, .instrument, .route]),
        "okx.cancel-batch-orders": (300, [.uid, .instrument, .route]),
        "okx.cancel-algos": (20, [.uid, .instrument, .route]), "okx.new-orders": (1000, [.uid]),
        "okx.orders-history": (40, [.uid, .route]),
    ]

    @Test("has the limits of the sheet and no others")
    func sheet() {
        #expect(Set(profile.limits.map(\.id)) == Set(Self.expected.keys))
        for (id, expected) in Self.expected {
            let limit = profile.limit(id)
            #expect(limit?.capacity == expected.capacity && limit?.scope == expected.scope, "\(id)")
        }
    }

    @Test("counts orders, not requests, where the exchange does")
    func items() {
        for route in profile.routes {
            #expect(
                !route.countsItems.isEmpty == ["okx.cancel-batch-orders", "okx.cancel-algos"].contains(route.id))
        }
        #expect(profile.maxCancelsPerCall == 20 && profile.cancelLimits == ["okx.cancel-algos": 10])
        #expect(
            profile.orderLists == [
                "pending", "conditional,oco", "trigger", "move_order_stop", "chase", "iceberg", "twap",
                "smart_iceberg",
            ])
        for list in profile.orderLists {
            #expect(
                profile.cancelOperations[list] == (list == "pending" ? "okx.cancel-batch-orders" : "okx.cancel-algos"))
        }
    }

    @Test(
        "chooses the host by site, for production and demo alike",
        arguments: [
            (nil, "https://openapi.okx.com"), ("global", "https://openapi.okx.com"), ("eea", "https://eea.okx.com"),
            ("us", "https://us.okx.com"), ("tr", "https://tr.okx.com"), ("moon", nil),
        ] as [(String?, String?)])
    func hosts(site: String?, host: String?) {
        #expect(okx.host(for: account(site: site)) == host)
        #expect(okx.host(for: account(.demo, site: site)) == host)
        #expect(okx.host(for: account(.simulated, site: site)) == nil)
    }

    @Test(
        "reads all types at once",
        arguments: [
            (nil, "all", ["SWAP", "FUTURES", "MARGIN", "OPTION"]), (["MARGIN"], "MARGIN", ["MARGIN"]),
            (["FUTURES", "SWAP"], "SWAP,FUTURES", ["SWAP", "FUTURES"]),
        ] as [([String]?, String, [String])])
    func partitions(types: [String]?, id: String, covers: [String]) {
        let partitions = okx.partitions(of: account(types: types))
        #expect(partitions.map(\.id) == [id])
        #expect(partitions.first?.covers == covers && partitions.first?.instruments == covers)
        #expect(partitions.first?.orderLists == profile.orderLists)
    }

    @Test("offers the reduce-only order only where the account's level honours it")
    func methods() {
        for level in ["1", "2", "3", "4", nil] {
            let methods = okx.closeMethods(for: account(level: level))
            let whole = methods.filter { $0.operation == "okx.close-position" }
            #expect(whole.map(\.modes) == [[.hedge], [.oneWay]])
            #expect(whole.map(\.guaranteesSide) == [true, false])
            #expect(whole.allSatisfy { $0.reach == .leg && !$0.isSized && $0.canFreeHeldSize == true })
            let order = methods.filter { $0.operation == "okx.order" && $0.isForParts != true }
            #expect(order.count == (level == "2" || level == "3" ? 1 : 0))
            #expect(
                order.allSatisfy {
                    $0.isSized && $0.guaranteesSide && $0.modes == [.oneWay] && $0.products == ["SWAP", "FUTURES"]
                })
            // A closing order of long/short mode reduces by nature, whatever the level (§7.4).
            let parts = methods.filter { $0.isForParts == true }
            #expect(parts.map(\.modes) == [[.hedge]] && parts.allSatisfy { $0.isSized && $0.operation == "okx.order" })
        }
    }

    private func instruments(_ product: String, _ rows: String..., cursor: String? = nil) -> ReadResult {
        answer(
            .instruments(product: product, cursor: cursor),
            reply(#"{"code":"0","data":[\#(rows.joined(separator: ","))]}"#))
    }

    private func first(_ result: ReadResult) -> Instrument? {
        guard case .answer(.instruments(let all, _)) = result else { return nil }
        return all.first
    }

    @Test(
        "names instruments canonically, the settle currency from the row",
        arguments: [
            ("SWAP", "BTC-USDT-SWAP", "USDT", "BTC/USDT:USDT"), ("SWAP", "BTC-USD-SWAP", "BTC", "BTC/USD:BTC"),
            ("SWAP", "BTC-USD_UM-SWAP", "USDⓈ", "BTC/USD:USD"), ("SWAP", "X-USDT-SWAP", "USDC", "X/USDT:USDC"),
            ("FUTURES", "BTC-USD-260327", "BTC", "BTC/USD:BTC-260327"),
            ("FUTURES", "ETH-USDT-260327", "USDT", "ETH/USDT:USDT-260327"),
            ("OPTION", "BTC-USD-260327-60000-C", "BTC", "BTC/USD:BTC-260327-60000-C"),
            ("MARGIN", "BTC-USDT", "", "BTC/USDT"),
        ])
    func symbols(product: String, id: String, settle: String, symbol: String) {
        let row = #"{"instType":"\#(product)","instId":"\#(id)","settleCcy":"\#(settle)","state":"live"}"#
        #expect(first(instruments(product, row))?.symbol == symbol)
    }

    @Test("reads steps, sizes, values and states of instruments")
    func instrument() throws {
        func row(_ product: String, _ state: String) -> String {
            #"{"instType":"\#(product)","instId":"BTC-USD-260327-1-C","lotSz":"1","minSz":"2","maxMktSz":"5000","#
                + #""ctVal":"1","ctMult":"0.01","state":"\#(state)"}"#
        }
        let option = first(instruments("OPTION", row("OPTION", "live")))
        #expect(option?.contractValue == (try Amount("0.01")) && option?.maximumMarketQuantity == Amount(5000))
        #expect(option?.quantityStep == Amount(1) && option?.minimumQuantity == Amount(2))
        // In the quote currency at margin pairs, where quantities are in the base coin.
        #expect(first(instruments("MARGIN", row("MARGIN", "live")))?.maximumMarketQuantity == nil)
        for (state, trading) in [
            ("live", Instrument.Trading.open), ("suspend", .suspended), ("preopen", .suspended), ("test", .suspended),
        ] { #expect(first(instruments("OPTION", row("OPTION", state)))?.trading == trading) }
    }

    @Test("leaves out instruments of other types, takes an empty list for one, and no malformed one")
    func oddInstruments() {
        let good = #"{"instType":"SWAP","instId":"BTC-USDT-SWAP"}"#
        let bare = #"{"instType":"SWAP","instId":"X","settleCcy":"","lotSz":"","ctVal":"","state":"novel"}"#
        guard
            case .answer(.instruments(let all, nil)) = instruments(
                "SWAP", #"{"instType":"EVENTS","instId":"E"}"#, good, bare)
        else {
            Issue.record("the list must be read")
            return
        }
        #expect(all.map(\.nativeID) == ["BTC-USDT-SWAP", "X"])
        // A failed list would keep the whole exchange out, and a site need not list margin pairs or options.
        for product in ["SWAP", "MARGIN"] {
            #expect(instruments(product) == .answer(.instruments([], next: nil)), "\(product)")
        }
        #expect(failure(instruments("FUTURES", good)) != nil)
        for odd in [
            "{}", "1", #"{"instType":"SWAP"}"#, #"{"instType":null,"instId":"A"}"#,
            #"{"instType":"SWAP","instId":"A-B-SWAP","lotSz":"x"}"#, #"{"instType":"SWAP","instId":"A","state":[]}"#,
        ] { #expect(failure(instruments("SWAP", good, odd)) != nil, "\(odd)") }
    }

    @Test("walks the families of options and ends")
    func families() {
        let row = #"{"instType":"OPTION","instId":"BTC-USD-260327-60000-C"}"#
        var cursor: String?
        var asked: [String?] = []
        for _ in 0..<5 {
            asked.append(cursor)
            guard case .answer(.instruments(_, let next)) = instruments("OPTION", row, cursor: cursor) else { break }
            cursor = next
            if next == nil { break }
        }
        #expect(asked == [nil, "ETH-USD"])
    }

    @Test("take a family of options that is not listed for an empty one, and no other list")
    func unlistedFamily() {
        func read(_ product: String, _ cursor: String?, _ code: String, _ status: Int = 200) -> ReadResult {
            answer(.instruments(product: product, cursor: cursor), refusal(code, status: status))
        }
        #expect(read("OPTION", nil, "51001") == .answer(.instruments([], next: "ETH-USD")))
        #expect(read("OPTION", "ETH-USD", "51001", 400) == .answer(.instruments([], next: nil)))
        #expect(failure(read("OPTION", nil, "51001", 503)) != nil)
        #expect(failure(read("OPTION", nil, "50011")) != nil)
        #expect(failure(read("SWAP", nil, "51001")) != nil)
    }

    private func identity(_ members: String) -> Identity? {
        guard case .answer(.identity(let identity)) = answer(.identity, list("{\(members)}")) else { return nil }
        return identity
    }

    @Test("reads what the account's configuration says, and nothing that it does not say")
    func identities() {
        let main = identity(
            #""uid":"1","mainUid":"1","acctLv":"4","posMode":"net_mode","perm":"read_only,trade,withdraw","ip":"""#)
        #expect(main?.parentUID == nil && main?.accountKind == "portfolio margin")
        #expect(main?.positionMode == .oneWay && main?.mayTrade == true && main?.mayWithdraw == true)
        #expect(main?.boundIPs == [])
        let bare = identity(#""uid":"1""#)
        #expect(bare?.mayTrade == nil && bare?.boundIPs == nil && bare?.positionMode == nil && bare?.facts == nil)
        let reader = identity(#""uid":"1","perm":"read_only","ip":"1.2.3.4, 10.0.0.0/8""#)
        #expect(reader?.mayTrade == false && reader?.boundIPs == ["1.2.3.4", "10.0.0.0/8"])
        for (level, kind) in [("1", "spot"), ("2", "futures"), ("3", "multi-currency")] {
            let known = identity(#""uid":"1","acctLv":"\#(level)""#)
            #expect(known?.accountKind == kind && known?.facts == ["acctLv": level])
        }
        for odd in [#""uid":"""#, #""uid":null"#, #""mainUid":"1""#, #""uid":[]"#, #""uid":"1","perm":[]"#] {
            #expect(identity(odd) == nil, "\(odd)")
        }
    }
}
