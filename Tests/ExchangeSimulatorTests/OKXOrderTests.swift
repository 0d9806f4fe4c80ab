import ExchangeSimulator
import Testing

private let swap = OKXBench.swap

@Suite struct OKXOrderTests {
    private func sent(_ more: String, symbol: String = swap, size: String = "1") -> String {
        #"{"instId":"\#(symbol)","tdMode":"cross","ordType":"market","sz":"\#(size)"\#(more)}"#
    }

    @Test("#27 shows sides, signs and coins of every kind of position") func rows() {
        var bench = OKXBench {
            $0.position(0, swap, product: "SWAP", side: .short, quantity: "0.6", marginMode: "cross")
            $0.position(0, "BTC-USDT", product: "MARGIN", side: .short, quantity: "0.5", marginMode: "isolated")
            $0.position(0, "ETH-USDT", product: "MARGIN", side: .long, quantity: "2", marginMode: "cross")
        }
        var rows = bench.get("account/positions").rows
        #expect(rows.map { $0["pos"] as? String } == ["-0.6", "0.5", "2"])
        #expect(rows.map { $0["posSide"] as? String } == ["net", "net", "net"])
        #expect(rows.map { $0["posCcy"] as? String } == ["", "USDT", "ETH"])
        #expect(rows.map { $0["mgnMode"] as? String } == ["cross", "isolated", "cross"])
        #expect(rows.map { $0["availPos"] as? String } == ["", "0.5", "2"])
        #expect(bench.get("account/positions", "instType=MARGIN").rows.count == 2)
        #expect(bench.get("account/positions", "instType=EVENTS").rows.isEmpty)
        #expect(bench.get("account/account-position-risk").rows.first?["posData"] as? [Any] != nil)
        #expect(
            bench.get("account/positions", "instId=" + Array(repeating: swap, count: 11).joined(separator: ","))
                .code == "51000")
        var hedge = OKXBench(hedge: true) {
            $0.position(0, swap, product: "SWAP", side: .short, quantity: "0.6", marginMode: "cross")
            $0.position(0, "BTC-USDT", product: "MARGIN", side: .short, quantity: "0.5", marginMode: "cross")
        }
        rows = hedge.get("account/positions").rows
        #expect(rows.map { $0["posSide"] as? String } == ["short", "net"])
        #expect(rows.map { $0["pos"] as? String } == ["0.6", "0.5"])
    }

    @Test("Tells mode, level, rights and addresses in one call") func config() {
        var bench = OKXBench(hedge: true) {
            $0.edit(0) {
                $0.okx.accountLevel = "3"
                $0.boundAddresses = ["127.0.0.1", "203.0.113.0/24"]
            }
        }
        let answer = bench.get("account/config")
        #expect(answer.first("posMode") == "long_short_mode")
        #expect(answer.first("acctLv") == "3")
        #expect(answer.first("perm") == "read_only,trade")
        #expect(answer.first("ip") == "127.0.0.1,203.0.113.0/24")
        #expect(answer.first("uid") == OKXBench.identity.uid)
    }

    @Test(
        "Lists instruments by type, and nothing of types it does not have",
        arguments: [
            ("instType=SWAP", 39), ("instType=FUTURES", 4), ("instType=MARGIN", 6), ("instType=SPOT", 0),
            ("instType=EVENTS", 0), ("instType=OPTION&instFamily=BTC-USD", 2), ("instType=OPTION&uly=ETH-USD", 2),
            ("instType=SWAP&instFamily=BTC-USD", 1),
        ])
    func instruments(_ query: String, _ count: Int) {
        var bench = OKXBench()
        let answer = bench.get("public/instruments", query)
        #expect(answer.code == "0")
        #expect(answer.rows.count == count)
        #expect(Set(answer.all("instId")).count == count)
    }

    @Test("Describes a linear, an inverse and an optional contract as documented") func contracts() {
        var bench = OKXBench()
        let linear = bench.get("public/instruments", "instType=SWAP&instId=\(swap)")
        #expect(linear.first("ctVal") == "0.01")
        #expect(linear.first("lotSz") == "0.01")
        #expect(linear.first("maxMktSz") == "12000")
        #expect(linear.first("ctType") == "linear")
        let inverse = bench.get("public/instruments", "instType=FUTURES&instId=BTC-USD-261225")
        #expect(inverse.first("ctVal") == "100")
        #expect(inverse.first("settleCcy") == "BTC")
        #expect(inverse.first("expTime") == "1798185600000")
        let option = bench.get("public/instruments", "instType=OPTION&instFamily=BTC-USD")
        #expect(option.first("ctMult") == "0.01")
        #expect(option.first("ctVal") == "1")
        #expect(bench.get("public/instruments", "instType=OPTION").code == "50014")
        #expect(bench.get("public/instruments").code == "50014")
        #expect(bench.get("public/instruments", "instType=SWAP&instId=NO-USDT-SWAP").code == "51001")
        #expect(bench.get("public/price-limit", "instId=\(swap)").first("sellLmt") == "96285.3")
        #expect(bench.get("public/mark-price", "instType=SWAP&instId=\(swap)").first("markPx") == "98250.4")
        #expect(bench.get("public/time").first("ts") == "1790000000000")
    }

    @Test("Pages newest first, both cursors excluded, until an empty page") func paging() {
        var ids: [String] = []
        var bench = OKXBench { fleet in
            ids = (0..<250).map { _ in
                fleet.resting(0, swap, product: "SWAP", leg: .long, closes: false, size: "1")
            }
        }
        let newestFirst = Array(ids.reversed())
        var seen: [String] = []
        var cursor = ""
        var pages = 0
        while pages < 9 {
            let page = bench.get("trade/orders-pending", "limit=100" + cursor).all("ordId")
            pages += 1
            guard let last = page.last else { break }
            seen += page
            cursor = "&after=" + last
        }
        #expect(pages == 4)
        #expect(seen == newestFirst)
        #expect(bench.get("trade/orders-pending", "before=" + newestFirst[2]).all("ordId") == Array(newestFirst[..<2]))
        #expect(bench.get("trade/orders-pending", "limit=101").code == "51000")
    }

    @Test(
        "Lists trigger orders of one type a time, of two only as one pair",
        arguments: [
            ("trigger", 1), ("conditional", 1), ("conditional,oco", 2), ("oco,conditional", 2), ("move_order_stop", 1),
            ("twap", 0), ("trigger,oco", nil), ("grid", nil), ("", nil),
        ] as [(String, Int?)])
    func algoTypes(_ types: String, _ count: Int?) {
        var bench = OKXBench { fleet in
            for type in ["trigger", "conditional", "oco", "move_order_stop"] {
                fleet.plan(0, swap, product: "SWAP", type: type, leg: .long, closes: false, size: "1")
            }
        }
        let answer = bench.get("trade/orders-algo-pending", "ordType=" + types)
        #expect((answer.code == "0" ? answer.rows.count : nil) == count)
    }

    @Test("#30 cancels by id, of either kind, and tells item by item") func cancels() {
        var ids: [String] = []
        var algo = ""
        var bench = OKXBench { fleet in
            ids = (0..<3).map { _ in fleet.resting(0, swap, product: "SWAP", leg: .long, closes: false, size: "1") }
            algo = fleet.plan(0, swap, product: "SWAP", type: "oco", leg: .long, closes: true, size: "1")
        }
        let mixed = bench.post(
            "trade/cancel-batch-orders",
            #"[{"instId":"\#(swap)","ordId":"\#(ids[0])"},{"instId":"\#(swap)","ordId":"77"}]"#)
        #expect(mixed.code == "2")
        #expect(mixed.all("sCode") == ["0", "51400"])
        #expect(mixed.json["inTime"] is String)
        let gone = bench.post("trade/cancel-batch-orders", #"[{"instId":"\#(swap)","ordId":"\#(ids[0])"}]"#)
        #expect(gone.code == "1")
        #expect(gone.status == 200)
        #expect(bench.get("trade/order", "instId=\(swap)&ordId=\(ids[0])").first("state") == "canceled")
        #expect(bench.post("trade/cancel-order", #"{"instId":"\#(swap)","ordId":"\#(ids[1])"}"#).code == "0")
        #expect(bench.post("trade/cancel-algos", #"[{"instId":"\#(swap)","algoId":"\#(algo)"}]"#).code == "0")
        #expect(bench.get("trade/orders-pending").all("ordId") == [ids[2]])
        #expect(bench.get("trade/orders-algo-pending", "ordType=oco").rows.isEmpty)
        // Never filled: forgotten after two hours.
        bench.wait(7_200_000)
        #expect(bench.get("trade/order", "instId=\(swap)&ordId=\(ids[0])").code == "51603")
    }

    @Test(
        "#30 refuses lists that are too long",
        arguments: [
            ("trade/cancel-batch-orders", 20, "51111"), ("trade/cancel-algos", 10, "51406"),
        ])
    func tooMany(_ path: String, _ most: Int, _ code: String) {
        func body(_ count: Int) -> String {
            "["
                + Array(repeating: #"{"instId":"ETH-USDT-SWAP","ordId":"1","algoId":"1"}"#, count: count)
                .joined(separator: ",") + "]"
        }
        var bench = OKXBench(limitsScale: 10)
        #expect(bench.post(path, body(most)).code == "1")
        let refused = bench.post(path, body(most + 1))
        #expect(refused.code == code)
        #expect(refused.status == 400)
    }

    @Test("#31 cancels everything when the timer fires, and not when it was disarmed", arguments: [false, true])
    func deadMan(_ disarms: Bool) {
        var bench = OKXBench {
            $0.resting(0, swap, product: "SWAP", leg: .long, closes: false, size: "1")
        }
        for bad in ["5", "121", "x"] {
            #expect(bench.post("trade/cancel-all-after", #"{"timeOut":"\#(bad)"}"#).code == "51000")
            bench.wait(1_000)
        }
        #expect(bench.post("trade/cancel-all-after", #"{"timeOut":"10"}"#).first("triggerTime") == "1790000013")
        bench.wait(1_000)
        if disarms { #expect(bench.post("trade/cancel-all-after", #"{"timeOut":"0"}"#).first("triggerTime") == "0") }
        bench.wait(8_999)
        #expect(bench.get("trade/orders-pending").rows.count == 1)
        bench.wait(1)
        #expect(bench.get("trade/orders-pending").rows.count == (disarms ? 1 : 0))
    }

    @Test(
        "A reduce-only order closes a part, never more than there is",
        arguments: [("0.5", "1"), ("1.5", "0"), ("9", "0")])
    func reduces(_ size: String, _ left: String) {
        var bench = OKXBench {
            $0.position(0, swap, product: "SWAP", side: .long, quantity: "1.5", marginMode: "cross")
        }
        let answer = bench.post("trade/order", sent(#","side":"sell","reduceOnly":true,"clOrdId":"a1""#, size: size))
        #expect(answer.code == "0")
        #expect(answer.first("sCode") == "0")
        #expect(bench.open.reduce(Fixed.zero, +) == Fixed(left))
        #expect(bench.simulation.truth.unprotectedOrders == 0)
        #expect(bench.simulation.truth.exposureIncreases == 0)
        #expect(bench.get("trade/order", "instId=\(swap)&clOrdId=a1").first("reduceOnly") == "true")
    }

    @Test("An order without the flag counts as unprotected and may open") func unprotected() {
        var bench = OKXBench {
            $0.position(0, swap, product: "SWAP", side: .long, quantity: "1.5", marginMode: "cross")
        }
        #expect(bench.post("trade/order", sent(#","side":"sell""#, size: "2")).code == "0")
        #expect(bench.simulation.truth.unprotectedOrders == 1)
        #expect(bench.simulation.truth.exposureIncreases == 1)
        #expect(bench.simulation.positions(ofUID: OKXBench.identity.uid).map(\.side) == [.short])
    }

    @Test("Portfolio margin ignores the flag: a stale slice flips the position") func portfolio() {
        var bench = OKXBench {
            $0.position(0, swap, product: "SWAP", side: .long, quantity: "1.5", marginMode: "cross")
            $0.edit(0) { $0.okx.accountLevel = "4" }
        }
        #expect(bench.post("trade/order", sent(#","side":"sell","reduceOnly":true"#, size: "2")).code == "0")
        #expect(bench.simulation.positions(ofUID: OKXBench.identity.uid).map(\.side) == [.short])
        #expect(bench.simulation.truth.exposureIncreases == 1)
    }

    @Test(
        "Refuses orders that do not fit, in their item",
        arguments: [
            (#","side":"sell","reduceOnly":true"#, "9999999", "51202"),
            (#","side":"sell","reduceOnly":true"#, "0.005", "51020"),
            (#","side":"sell","reduceOnly":true"#, "0.015", "51121"),
            (#","side":"buy","reduceOnly":true"#, "1", "51170"), (#","side":"sell","posSide":"long""#, "1", "51000"),
            (#","side":"sell","clOrdId":"a_b""#, "1", "51000"), (#","side":"sell","reduceOnly":"maybe""#, "1", "51000"),
        ])
    func refuses(_ more: String, _ size: String, _ code: String) {
        var bench = OKXBench {
            $0.position(0, swap, product: "SWAP", side: .long, quantity: "1.5", marginMode: "cross")
        }
        let answer = bench.post("trade/order", sent(more, size: size))
        #expect(answer.code == "1")
        #expect(answer.first("sCode") == code)
        #expect(bench.open == ["1.5"])
    }

    @Test("Long/short mode closes by the opposite side of the named position, at most what is there") func hedged() {
        var bench = OKXBench(hedge: true) {
            $0.position(0, swap, product: "SWAP", side: .long, quantity: "1.5", marginMode: "cross")
        }
        #expect(
            bench.post("trade/order", sent(#","side":"sell","posSide":"long""#, size: "2")).first("sCode") == "51112")
        #expect(bench.post("trade/order", sent(#","side":"sell","posSide":"long""#, size: "1")).code == "0")
        #expect(bench.post("trade/order", sent(#","side":"buy","posSide":"short""#)).first("sCode") == "51169")
        #expect(bench.open == ["0.5"])
        #expect(bench.simulation.truth.unprotectedOrders == 0)
    }

    @Test("A market buy of a margin pair counts in quote coin, a sell in base") func quoteSized() {
        var bench = OKXBench {
            $0.position(0, "BTC-USDT", product: "MARGIN", side: .short, quantity: "0.5", marginMode: "cross")
        }
        let cost = Fixed("0.2") * "98245.2"
        let buy = sent(#","side":"buy","reduceOnly":"true","ccy":"USDT""#, symbol: "BTC-USDT", size: cost.description)
        #expect(bench.post("trade/order", buy).code == "0")
        #expect(bench.open == ["0.3"])
    }

    @Test("#16 expired requests and options by market are refused") func deadlines() {
        var bench = OKXBench {
            $0.position(
                0, "BTC-USD-261225-100000-C", product: "OPTION", side: .long, quantity: "4", marginMode: "cross")
        }
        var late = OKXBench.signed("POST", "/api/v5/trade/order", sent(#","side":"sell""#))
        late.headers.append(("expTime", "1789999999999"))
        #expect(bench.send(late).code == "50036")
        let symbol = "BTC-USD-261225-100000-C"
        #expect(
            bench.post("trade/order", sent(#","side":"sell""#, symbol: symbol, size: "4")).first("sCode") == "51066")
        let limit =
            #"{"instId":"\#(symbol)","tdMode":"cross","side":"sell","ordType":"ioc","px":"0.0406","sz":"4","clOrdId":"o1"}"#
        #expect(bench.post("trade/order", limit).code == "0")
        #expect(bench.open.isEmpty)
        #expect(bench.simulation.truth.unprotectedOrders == 0)
    }

    @Test("#16 a thousand new orders in two seconds, each item one") func orderLimit() {
        var bench = OKXBench(limitsScale: 10)
        let symbols = ["BTC", "ETH", "SOL", "XRP", "DOGE"].map { $0 + "-USDT-SWAP" }
        let batch = "[" + Array(repeating: "{}", count: 20).joined(separator: ",") + "]"
        func filled(_ symbol: String) -> String {
            batch.replacing("{}", with: #"{"instId":"\#(symbol)","tdMode":"cross"}"#)
        }
        for turn in 0..<500 { #expect(bench.post("trade/batch-orders", filled(symbols[turn % 5])).code == "1") }
        #expect(bench.post("trade/batch-orders", filled(symbols[0])).code == "50061")
    }

    @Test("A batch of one is how other clients place an order") func batchOfOne() {
        var bench = OKXBench {
            $0.position(0, swap, product: "SWAP", side: .short, quantity: "1.5", marginMode: "cross")
        }
        let order = sent(#","side":"buy","reduceOnly":true,"tag":"e847386590ce4dBC""#, size: "1.5")
        let answer = bench.post("trade/batch-orders", "[\(order)]")
        #expect(answer.code == "0")
        #expect(answer.first("ordId")?.isEmpty == false)
        #expect(bench.open.isEmpty)
    }

    @Test("Fills, history and closed positions agree on what was closed") func reports() {
        var bench = OKXBench(hedge: true, fillDelayMs: 100) {
            $0.position(0, swap, product: "SWAP", side: .short, quantity: "2", marginMode: "cross")
        }
        let id = bench.get("account/positions").first("posId") ?? ""
        bench.close(swap, "cross", #","posSide":"short","clOrdId":"abc","tag":"flatten""#)
        #expect(bench.get("trade/orders-history", "instType=SWAP").rows.isEmpty)
        bench.wait(100)
        let order = bench.get("trade/orders-history", "instType=SWAP&instId=\(swap)&begin=1790000000000")
        #expect(order.first("clOrdId") == "abc")
        #expect(order.first("state") == "filled")
        #expect(order.first("ordType") == "market")
        #expect(bench.get("trade/orders-history", "instType=SWAP&begin=1790000000001").rows.isEmpty)
        let fills = bench.get("trade/fills", "instId=\(swap)")
        #expect(fills.all("fillSz") == ["2"])
        #expect(fills.first("subType") == "6")
        // Two contracts of 0.01 at 98250.4, five in ten thousand.
        #expect(fills.first("fee") == "-0.982504")
        #expect(fills.first("ordId") == order.first("ordId"))
        let closed = bench.get("account/positions-history", "posId=\(id)")
        #expect(closed.first("closeTotalPos") == "2")
        #expect(closed.first("type") == "2")
        #expect(closed.first("pnl") == order.first("pnl"))
    }

    @Test("Profit of an inverse contract is paid in coin") func inverse() {
        var bench = OKXBench {
            $0.position(0, "BTC-USD-SWAP", product: "SWAP", side: .long, quantity: "10", marginMode: "cross")
        }
        let open = bench.get("account/positions").first("avgPx").flatMap { Fixed($0) } ?? .zero
        bench.close("BTC-USD-SWAP")
        let order = bench.get("trade/orders-history", "instType=SWAP")
        let price = order.first("avgPx").flatMap { Fixed($0) } ?? .zero
        let gain = order.first("pnl").flatMap { Fixed($0) } ?? .zero
        // Of 1000 dollars: checked without a division.
        #expect((gain * open * price - Fixed(1_000) * (price - open)).magnitude < "0.1")
        #expect(gain > .zero)
        #expect(order.first("feeCcy") == "BTC")
    }

    @Test("Random fleets can be closed, each position with one call", arguments: 0..<6 as Range<UInt64>)
    func fleets(_ seed: UInt64) {
        let identities = FleetBuilder.identities(venue: .okx, count: 12, seed: seed)
        let fleet = FleetBuilder.random(identities, positionsPerAccount: 6, seed: seed)
        var bench = OKXBench()
        bench.simulation = ExchangeSimulation(
            SimulationConfiguration(seed: seed, accounts: fleet.accounts, fillDelayMs: 0...0))
        #expect(bench.simulation.openPositionCount > 20)
        for (identity, account) in zip(identities, fleet.accounts) {
            for leg in account.positions {
                let side =
                    account.isHedge && leg.product != "MARGIN" ? #","posSide":"\#(leg.side.rawValue)""# : ""
                let coin = leg.product == "MARGIN" ? #","ccy":"\#(leg.marginCoin)""# : ""
                let body =
                    #"{"instId":"\#(leg.symbol)","mgnMode":"\#(leg.marginMode)","autoCxl":true\#(side)\#(coin)}"#
                #expect(bench.send(OKXBench.signed("POST", OKXBench.closePath, body, as: identity)).code == "0")
            }
        }
        #expect(bench.simulation.isFlat)
        #expect(bench.simulation.truth.exposureIncreases == 0)
    }
}
