import FlatbookCore
import FlatbookPlanner
import Testing

@Suite struct OrderTests {
    private let anything: (CloseCall) -> Admission = { _ in
        .granted(Permit(id: 1, costs: [], takenAt: ms(0)))
    }

    private func taken(_ planner: inout FlatteningPlanner, _ count: Int) -> [String] {
        (0..<count).compactMap { _ in
            guard case .call(let call, _) = planner.next(at: ms(0), admits: anything) else { return nil }
            planner.ready(account: call.account)
            return call.account + " " + call.target
        }
    }

    @Test(
        "Calls go in the order of the sequence",
        arguments: [
            (
                PlanDocument.Sequence.exposure,
                ["b BTCUSDT long", "a ETHUSDT long", "b ETHUSDT long", "a BTCUSDT long"]
            ),
            (.account, ["a ETHUSDT long", "a BTCUSDT long", "b BTCUSDT long", "b ETHUSDT long"]),
            (.symbol, ["a BTCUSDT long", "b BTCUSDT long", "a ETHUSDT long", "b ETHUSDT long"]),
        ])
    func sequence(_ sequence: PlanDocument.Sequence, _ expected: [String]) {
        var planner = FlatteningPlanner()
        for (name, notionals) in [("a", [10, 300]), ("b", [500, 200])] {
            let rows = zip(["BTCUSDT", "ETHUSDT"], notionals).map { position(name, $0, .long, notional: $1) }
            _ = planner.add(planned(name, rows, granularity: .side, sequence: sequence))
        }
        #expect(taken(&planner, 5) == expected)
        #expect(planner.next(at: ms(0), admits: anything) == .idle)
    }

    @Test func oneCallOfAnAccountIsOutAtATime() {
        var planner = FlatteningPlanner()
        _ = planner.add(planned("a", ["BTCUSDT", "ETHUSDT"].map { position("a", $0, .long) }, granularity: .side))
        guard case .call = planner.next(at: ms(0), admits: anything) else {
            Issue.record("no call")
            return
        }
        #expect(planner.next(at: ms(0), admits: anything) == .idle)
        #expect(planner.queued(account: "a") == 1)
        planner.ready(account: "a")
        guard case .call = planner.next(at: ms(0), admits: anything) else {
            Issue.record("no second call")
            return
        }
    }

    @Test func anAccountThatWaitsHoldsNobodyUpAndIsNotAskedAgainTooEarly() {
        var planner = FlatteningPlanner()
        for (name, notional) in [("a", 900), ("b", 10)] {
            _ = planner.add(planned(name, [position(name, "BTCUSDT", .long, notional: notional)]))
        }
        let key = BucketKey(limit: "close", scope: "route=close,uid=a")
        var asked: [String] = []
        let admits: (CloseCall) -> Admission = { call in
            asked.append(call.account)
            return call.account == "a" ? .denied(blocking: key, until: ms(500)) : self.anything(call)
        }
        guard case .call(let call, _) = planner.next(at: ms(0), admits: admits) else {
            Issue.record("no call")
            return
        }
        #expect(call.account == "b")
        #expect(planner.next(at: ms(1), admits: admits) == .wait(until: ms(500), binding: nil))
        #expect(asked == ["a", "b"])
        #expect(planner.next(at: ms(500), admits: admits) == .wait(until: ms(500), binding: key))
        #expect(asked == ["a", "b", "a"])
    }

    @Test func aSharedBucketEndsTheScan() {
        var planner = FlatteningPlanner()
        for name in ["a", "b", "c"] {
            _ = planner.add(planned(name, [position(name, "BTCUSDT", .long)], perIP: 1))
        }
        let ip = BucketKey(limit: "ip", scope: "ip=default")
        var asked = 0
        let step = planner.next(at: ms(0)) { _ in
            asked += 1
            return .denied(blocking: ip, until: ms(700))
        }
        #expect(step == .wait(until: ms(700), binding: ip))
        #expect(asked == 1)
    }

    @Test func addingAgainReplacesAndRemovingDrops() {
        var planner = FlatteningPlanner()
        _ = planner.add(planned("a", ["BTCUSDT", "ETHUSDT"].map { position("a", $0, .long) }, granularity: .side))
        _ = planner.add(planned("a", [position("a", "DOGEUSDT", .long)], granularity: .side))
        #expect(taken(&planner, 3) == ["a DOGEUSDT long"])
        _ = planner.add(planned("a", [position("a", "BTCUSDT", .long)]))
        planner.remove(account: "a")
        #expect(planner.queued(account: "a") == 0)
        #expect(planner.next(at: ms(0), admits: anything) == .idle)
    }
}

@Suite struct ForecastTests {
    private func assumptions(_ roundTrip: TimeSpan, reads: [String: [[BucketCost]]] = [:]) -> ForecastAssumptions {
        ForecastAssumptions(
            roundTrip: roundTrip, settle: .milliseconds(300), verification: PlanDocument.Verification(), reads: reads)
    }

    @Test func theLowerBoundOfFortySymbolsAtOnePerSecondIs39Seconds() {
        let accounts = (0..<20).map { number in
            planned(
                "a\(number)", (0..<40).map { position("a\(number)", "C\($0)USDT", .long) }, granularity: .symbol,
                perIP: 100)
        }
        let forecast = PlanForecast.of(accounts, assumptions(.milliseconds(10)))
        #expect(forecast.calls.count == 800)
        #expect(forecast.lowerBound == .seconds(39))
        #expect(forecast.binding?.limit == "close")
        // Rule R costs one round trip and the clock margin per window.
        let achievable = 39 * (1.002 + 0.010)
        #expect(forecast.lastClose.seconds >= 39 && forecast.lastClose.seconds <= achievable * 1.02)
        #expect(forecast.isComplete)
        #expect(forecast.callsPerLimit == ["close": 800, "ip": 800])
    }

    @Test func longChainsArePromotedInTime() {
        var accounts = (0..<2000).map { number in
            planned("s\(number)", [position("s\(number)", "BTCUSDT", .long, notional: 1000 + number)], perIP: 20)
        }
        for number in 0..<3 {
            let rows = (0..<60).map { position("l\(number)", "C\($0)USDT", .long, notional: 1) }
            accounts.append(planned("l\(number)", rows, granularity: .symbol, perIP: 20))
        }
        let roundTrip = TimeSpan.milliseconds(5)
        let forecast = PlanForecast.of(accounts, assumptions(roundTrip))
        #expect(forecast.calls.count == 2180)
        #expect(forecast.lowerBound == .seconds(108))
        #expect(forecast.binding?.limit == "ip")
        // Judged with the same window as the ledger's: w + 0.1 % + 1 ms + round trip.
        #expect(forecast.lastClose.seconds <= 108 * 1.007 * 1.02)
        #expect(forecast.calls.first?.call.notional == Amount(2999))
    }

    @Test func readsAndVerificationCountInTheirWindows() {
        let ip = BucketCost(
            key: BucketKey(limit: "ip", scope: "ip=default"), weight: 1, capacity: 10, window: .seconds(60))
        let accounts = [planned("a", [position("a", "BTCUSDT", .long)])]
        let forecast = PlanForecast.of(accounts, assumptions(.milliseconds(100), reads: ["a": [[ip], [ip]]]))
        #expect(forecast.callsPerLimit == ["close": 1, "ip": 6])
        #expect(forecast.windows == ["ip": [6]])
        // Two reads, the close, settle, two reads, the interval, two reads.
        #expect(forecast.calls.map(\.at) == [.milliseconds(200)])
        #expect(forecast.timeToFlat == .milliseconds(200 + 100 + 300 + 200 + 1000 + 200))
    }
}
