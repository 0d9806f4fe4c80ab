import ExchangeSimulator
import Testing

/// Prices, fees and profits of closes, and the switches that decide them: worse prices, fills in two steps, lists that
/// show an order late. Expectations are worked out here, not by the simulator.
@Suite("Simulated figures of fills") struct FigureTests {
    /// One row of a list of fills, by what it says.
    struct Row: Equatable {
        var price: Fixed
        var quantity: Fixed
        var fee: Fixed
        var profit: Fixed
    }

    enum Venue: CaseIterable { case bitget, okx, bingx }

    private static let contracts: [Venue: (symbol: String, product: String, quantity: Fixed, feeOf10000: Int)] = [
        .bitget: ("BTCUSDT", "USDT-FUTURES", "0.02", 6), .okx: ("BTC-USDT-SWAP", "SWAP", "2", 5),
        .bingx: ("BTC-USDT", "swap", "0.02", 5),
    ]

    /// One long contract, closed at the start; the fill comes after 40 ms.
    private struct Closed {
        let venue: Venue
        private var bitget: Bench
        private var okx = OKXBench()
        private var bingx = BingXBench()

        init(_ venue: Venue, edit: (inout SimulationConfiguration) -> Void) throws {
            self.venue = venue
            let contract = try #require(contracts[venue])
            let identity =
                switch venue {
                case .bitget: Bench.identity
                case .okx: OKXBench.identity
                case .bingx: BingXBench.identity
                }
            var fleet = FleetBuilder(seed: 1)
            fleet.add(identity)
            fleet.position(
                0, contract.symbol, product: contract.product, side: .long, quantity: contract.quantity,
                marginMode: venue == .okx ? "cross" : "crossed")
            var configuration = SimulationConfiguration(seed: 1, accounts: fleet.accounts, fillDelayMs: 40...40)
            edit(&configuration)
            bitget = Bench(configuration)
            switch venue {
            case .bitget: #expect(bitget.close().succeeded.count == 1)
            case .okx:
                okx.simulation = ExchangeSimulation(configuration)
                #expect(okx.close(contract.symbol).code == "0")
            case .bingx:
                bingx.simulation = ExchangeSimulation(configuration)
                #expect(bingx.post("/openApi/swap/v2/trade/closeAllPositions", [:]).code == 0)
            }
        }

        mutating func wait(_ ms: Int64) {
            bitget.wait(ms)
            okx.wait(ms)
            bingx.wait(ms)
        }

        /// What the list of fills shows now, oldest first.
        mutating func rows() throws -> [Row] {
            func fixed(_ row: [String: Any], _ name: String) throws -> Fixed {
                let value = try #require(row[name], "\(name) is missing")
                return try #require(Fixed("\(value)"), "\(value)")
            }
            switch venue {
            case .bitget:
                let answer = bitget.get("/api/v2/mix/order/fills", "productType=USDT-FUTURES")
                let list = answer.data["fillList"] as? [[String: Any]] ?? []
                return try list.reversed().map { row in
                    let paid = try #require((row["feeDetail"] as? [[String: Any]])?.first)
                    return Row(
                        price: try fixed(row, "price"), quantity: try fixed(row, "baseVolume"),
                        fee: try fixed(paid, "totalFee"), profit: try fixed(row, "profit"))
                }
            case .okx:
                return try okx.get("trade/fills", "instType=SWAP").rows.reversed().map { row in
                    Row(
                        price: try fixed(row, "fillPx"), quantity: try fixed(row, "fillSz"),
                        fee: try fixed(row, "fee"), profit: try fixed(row, "fillPnl"))
                }
            case .bingx:
                let answer = bingx.get("/openApi/swap/v2/trade/fillHistory", ["symbol": "BTC-USDT"])
                let list = answer.data["fill_history_orders"] as? [[String: Any]] ?? []
                return try list.map { row in
                    Row(
                        price: try fixed(row, "price"), quantity: try fixed(row, "qty"),
                        fee: try fixed(row, "commission"), profit: try fixed(row, "realisedPNL"))
                }
            }
        }
    }

    /// What one fill of a long contract must say.
    private func expected(_ venue: Venue, _ part: Fixed, worseBps: Int) throws -> Row {
        let contract = try #require(Self.contracts[venue])
        let listed = try #require(
            SimulatedInstrument.everything.first {
                $0.symbol == contract.symbol && $0.product == contract.product
            })
        let tick = try #require(
            Fixed(listed.pricePlace == 0 ? "1" : "0." + String(repeating: "0", count: listed.pricePlace - 1) + "1"))
        let price = listed.price.scaled(10_000 - worseBps, over: 10_000).floored(to: tick)
        let units = part * listed.contractValue
        // Opened at 985 thousandths of the price.
        let entry = listed.price.scaled(985, over: 1_000)
        return Row(
            price: price, quantity: part, fee: -(units * price).scaled(contract.feeOf10000, over: 10_000),
            profit: (price - entry) * units)
    }

    @Test("a close fills at the mark, or worse by so many hundredths of a percent", arguments: Venue.allCases, [0, 25])
    func slippage(venue: Venue, bps: Int) throws {
        var closed = try Closed(venue) { $0.closeSlippageBps = bps }
        closed.wait(50)
        let whole = try #require(Self.contracts[venue]).quantity
        let row = try expected(venue, whole, worseBps: bps)
        #expect(try closed.rows() == [row])
        #expect(row.fee < .zero && (bps > 0 || row.profit > .zero))
    }

    @Test("in two steps each half has its own price, fee and profit", arguments: Venue.allCases)
    func twoSteps(venue: Venue) throws {
        var closed = try Closed(venue) {
            $0.closeSlippageBps = 25
            $0.switches.fillsInTwoSteps = true
        }
        let half = try #require(Self.contracts[venue]).quantity.scaled(1, over: 2)
        let first = try expected(venue, half, worseBps: 25)
        closed.wait(25)
        #expect(try closed.rows() == [first])
        closed.wait(25)
        #expect(try closed.rows() == [first, try expected(venue, half, worseBps: 50)])
    }

    @Test("lists of fills leave an order out for so long", arguments: [Venue.bitget, .bingx])
    func hidden(venue: Venue) throws {
        var closed = try Closed(venue) {
            $0.switches.fillsHiddenMs = 300
            $0.bingx.orderHiddenMs = 300
        }
        closed.wait(299)
        #expect(try closed.rows().isEmpty)
        closed.wait(1)
        #expect(try closed.rows().count == 1)
    }
}
