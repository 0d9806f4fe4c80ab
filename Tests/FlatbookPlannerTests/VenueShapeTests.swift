import FlatbookCore
import FlatbookPlanner
import Testing

/// What other exchanges need of the choice: products, silos, close orders that go with the call, limits by instrument.
@Suite struct VenueShapeTests {
    static let close = CloseMethod(
        operation: "native", reach: .leg, isSized: false, modes: [.oneWay, .hedge], guaranteesSide: false,
        canFreeHeldSize: true)
    static let order = CloseMethod(
        operation: "order", reach: .leg, isSized: true, modes: [.oneWay], guaranteesSide: true, products: ["SWAP"])

    @Test("a method closes only the products it is declared for")
    func products() {
        var planner = FlatteningPlanner()
        let rows = ["SWAP", "MARGIN"].map {
            position("a", "BTC-USDT", .long, mode: .oneWay, product: $0)
        }
        let (calls, unclosable) = planner.add(planned("a", rows, sides: [.long], methods: [Self.close, Self.order]))
        #expect(calls.map { "\($0.method.operation) \($0.product)" } == ["order SWAP"])
        #expect(unclosable.map(\.key.product) == ["MARGIN"])
        #expect(unclosable.map(\.reason) == ["side cannot be guaranteed"])
    }

    @Test(
        "close orders go with the call only where plan and reach let them",
        arguments: [
            (PlanDocument.Orders.cancelOpeners, PositionMode.oneWay, [Side.long, .short], true as Bool?),
            (.cancelAll, .oneWay, [.long, .short], true), (.keep, .oneWay, [.long, .short], nil),
            (.cancelOpeners, .hedge, [.long], true), (.keep, .hedge, [.long], nil),
        ])
    func freeing(orders: PlanDocument.Orders, mode: PositionMode, sides: [Side], expected: Bool?) throws {
        var account = planned(
            "a", [position("a", "BTCUSDT", .long, mode: mode)], sides: sides, methods: [Self.close])
        account.orders = orders
        var planner = FlatteningPlanner()
        let call = try #require(planner.add(account).calls.first)
        #expect(call.freesHeldSize == expected)
    }

    @Test("a net position of which one side is selected keeps the close orders of the other")
    func freeingOneSide() throws {
        let guaranteed = CloseMethod(
            operation: "native", reach: .leg, isSized: false, modes: [.oneWay], guaranteesSide: true,
            canFreeHeldSize: true)
        var planner = FlatteningPlanner()
        let rows = [position("a", "BTCUSDT", .long, mode: .oneWay)]
        let call = try #require(planner.add(planned("a", rows, sides: [.long], methods: [guaranteed])).calls.first)
        #expect(call.freesHeldSize == nil)
    }

    @Test("a silo without a method is told with the plugin's reason, and its rows are in nobody's call")
    func silos() {
        var copied = position("a", "BTCUSDT", .long, product: "copy:USDT-FUTURES")
        copied.key.silo = .copy
        copied.key.positionID = "7"
        var account = planned("a", [position("a", "BTCUSDT", .long), copied])
        account.unclosable = [.copy: "held by copy trading"]
        var planner = FlatteningPlanner()
        let (calls, unclosable) = planner.add(account)
        #expect(calls.map(\.legs.count) == [1])
        #expect(calls.first?.legs.first?.silo == .normal)
        #expect(unclosable.map(\.reason) == ["held by copy trading"])
    }

    @Test("named one by one, copies of one side are closed by their number only", arguments: [true, false])
    func copiesByNumber(legByLeg: Bool) {
        let methods = [Reach.side, .leg].map { reach in
            CloseMethod(
                operation: "follower", reach: reach, isSized: false, modes: [.hedge], guaranteesSide: true, silo: .copy)
        }
        var copied = position("a", "BTCUSDT", .long, product: "copy:USDT-FUTURES")
        copied.key.silo = .copy
        copied.key.positionID = "7"
        var planner = FlatteningPlanner()
        let (calls, _) = planner.add(planned("a", [copied], methods: methods, legByLeg: legByLeg))
        #expect(calls.map(\.method.reach) == [legByLeg ? .leg : .side])
    }

    @Test("several positions of one side are one call each where only ids reach them")
    func positionIDs() {
        let byID = CloseMethod(
            operation: "by-id", reach: .leg, isSized: false, modes: [.hedge], guaranteesSide: true)
        let rows = ["1", "2"].map { id -> Position in
            var row = position("a", "BTCUSDT", .long)
            row.key.positionID = id
            return row
        }
        var planner = FlatteningPlanner()
        let (calls, _) = planner.add(planned("a", rows, sides: [.long], methods: [byID]))
        #expect(calls.map { $0.legs.map(\.positionID) } == [["1"], ["2"]])
    }

    @Test("limits by instrument do not hold up the account's other instruments")
    func costsByInstrument() throws {
        var account = planned("a", ["BTCUSDT", "ETHUSDT"].map { position("a", $0, .long) }, methods: [Self.close])
        account.costs = [:]
        for instrument in ["BTCUSDT", "ETHUSDT"] {
            let key = PlannedAccount.costKey(operation: "native", instrument: instrument)
            account.costs[key] = [
                BucketCost(
                    key: BucketKey(limit: "native", scope: "instrument=\(instrument) uid=a"), weight: 1, capacity: 1,
                    window: .seconds(10))
            ]
        }
        let forecast = PlanForecast.of(
            [account],
            ForecastAssumptions(
                roundTrip: .milliseconds(10), settle: .milliseconds(1), verification: .init(), reads: [:]))
        #expect(forecast.calls.count == 2)
        #expect(forecast.lastClose < .seconds(1))
        #expect(forecast.lowerBound == .zero)
    }
}
