import FlatbookCore
import Testing

/// SplitMix64: the same seed gives the same run everywhere.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

private func ms(_ n: Int64) -> Instant { Instant(nanoseconds: n * 1_000_000) }
private let ipKey = BucketKey(limit: "ip", scope: "ip=default")
private func uidKey(_ n: Int) -> BucketKey { BucketKey(limit: "uid", scope: "uid=\(n)") }
private func cost(_ key: BucketKey, _ n: Int, weight: Int = 1, window: TimeSpan = .seconds(1)) -> BucketCost {
    BucketCost(key: key, weight: weight, capacity: n, window: window)
}

private func permit(_ admission: Admission) -> Permit? {
    if case .granted(let permit) = admission { permit } else { nil }
}

private struct Arrival {
    var at: Int64
    var weight: Int
}

/// The most weight in any half-open window: checked at every arrival, where a worst window can begin.
private func worst(_ arrivals: [Arrival], window: TimeSpan) -> Int {
    let sorted = arrivals.sorted { $0.at < $1.at }
    var (most, sum, tail) = (0, 0, 0)
    for arrival in sorted {
        sum += arrival.weight
        while sorted[tail].at <= arrival.at - window.nanoseconds {
            sum -= sorted[tail].weight
            tail += 1
        }
        most = max(most, sum)
    }
    return most
}

@Suite struct WindowLedgerTests {
    private enum Ending { case settle, abandon, release }
    private struct Pending {
        var permit: Permit
        var at: Instant
        var ending: Ending
    }

    /// Sends with random delays, losses and failures to write; the server may count a call at any time it could.
    private func arrivals(seed: UInt64, capacity: [BucketKey: Int]) -> [BucketKey: [Arrival]] {
        var random = Seeded(state: seed)
        let ledger = WindowLedger()
        var pending: [Pending] = []
        var arrivals: [BucketKey: [Arrival]] = [:]
        let allowance = TimeSpan.milliseconds(500)
        var now = ms(0)
        for _ in 0..<600 {
            now = now + .milliseconds(Int64.random(in: 0...60, using: &random))
            for done in pending.filter({ $0.at <= now }) {
                switch done.ending {
                case .settle: ledger.settle(done.permit, at: done.at)
                case .abandon: ledger.abandon(done.permit, at: done.at, allowance: allowance)
                case .release: ledger.release(done.permit)
                }
            }
            pending.removeAll { $0.at <= now }
            let key = uidKey(Int.random(in: 0..<3, using: &random))
            let weight = Int.random(in: 1...2, using: &random)
            let costs = [cost(ipKey, capacity[ipKey] ?? 0, weight: weight), cost(key, capacity[key] ?? 0)]
            guard let granted = permit(ledger.acquire(costs, at: now)) else { continue }
            let dice = Int.random(in: 0..<20, using: &random)
            let tail = dice == 0 ? 4000 : 200
            let end = now + .milliseconds(Int64.random(in: 1...Int64(tail), using: &random))
            let ending: Ending = dice < 3 ? .abandon : dice == 3 ? .release : .settle
            pending.append(Pending(permit: granted, at: end, ending: ending))
            if ending == .release { continue }
            let latest = ending == .abandon ? end + allowance : end
            let at =
                switch Int.random(in: 0..<3, using: &random) {
                case 0: now.nanoseconds
                case 1: latest.nanoseconds
                default: Int64.random(in: now.nanoseconds...latest.nanoseconds, using: &random)
                }
            for cost in costs { arrivals[cost.key, default: []].append(Arrival(at: at, weight: cost.weight)) }
        }
        return arrivals
    }

    @Test("No window at the exchange ever holds more than the limit", arguments: 0..<240)
    func windowsHold(seed: Int) {
        let capacity = [ipKey: 3 + seed % 7, uidKey(0): 1, uidKey(1): 1 + seed % 3, uidKey(2): 2]
        let all = arrivals(seed: UInt64(seed), capacity: capacity)
        for (key, list) in all {
            #expect(worst(list, window: .seconds(1)) <= capacity[key] ?? 0, "seed \(seed) \(key)")
        }
        #expect((all[ipKey]?.count ?? 0) > 10, "seed \(seed) sent almost nothing")
    }

    @Test("A saturated limit runs at n per window and round trip", arguments: [1, 10])
    func throughput(n: Int) {
        let ledger = WindowLedger()
        var flying: [(Instant, Permit)] = []
        var sent = 0
        for tick in Int64(0)..<100_000 {
            let now = ms(tick)
            for (_, permit) in flying.filter({ $0.0 <= now }) { ledger.settle(permit, at: now) }
            flying.removeAll { $0.0 <= now }
            while let granted = permit(ledger.acquire([cost(ipKey, n)], at: now)) {
                sent += 1
                flying.append((now + .milliseconds(131), granted))
            }
        }
        let expected = 100 * Double(n) / 1.131
        #expect(abs(Double(sent) - expected) <= expected * 0.02)
        #expect(ledger.peakUsed(limit: "ip") == n)
    }

    @Test func allBucketsAreTakenOrNone() throws {
        let ledger = WindowLedger()
        _ = try #require(permit(ledger.acquire([cost(uidKey(1), 1)], at: ms(0))))
        let answer = ledger.acquire([cost(ipKey, 5), cost(uidKey(1), 1)], at: ms(0))
        #expect(answer == .denied(blocking: uidKey(1), until: nil))
        #expect(ledger.used(ipKey, at: ms(0)) == 0)
    }

    @Test func aDenialSaysWhenToAskAgain() throws {
        let ledger = WindowLedger()
        let first = try #require(permit(ledger.acquire([cost(uidKey(1), 1)], at: ms(0))))
        #expect(ledger.acquire([cost(uidKey(1), 1)], at: ms(50)) == .denied(blocking: uidKey(1), until: nil))
        ledger.settle(first, at: ms(100))
        guard case .denied(_, let until) = ledger.acquire([cost(uidKey(1), 1)], at: ms(200)) else {
            Issue.record("granted inside the window")
            return
        }
        let instant = try #require(until)
        #expect(instant >= ms(1100) && instant <= ms(1103))
        #expect(permit(ledger.acquire([cost(uidKey(1), 1)], at: instant - TimeSpan(nanoseconds: 1))) == nil)
        #expect(permit(ledger.acquire([cost(uidKey(1), 1)], at: instant)) != nil)
    }

    @Test func theBucketThatBlocksLongestIsNamed() throws {
        let ledger = WindowLedger()
        let costs = [cost(ipKey, 1, window: .seconds(60)), cost(uidKey(1), 1)]
        let first = try #require(permit(ledger.acquire(costs, at: ms(0))))
        ledger.settle(first, at: ms(100))
        guard case .denied(let blocking, let until) = ledger.acquire(costs.reversed(), at: ms(200)) else {
            Issue.record("granted inside the window")
            return
        }
        #expect(blocking == ipKey)
        #expect(try #require(until) >= ms(60_100))
    }

    @Test func aReleasedPermitIsFreeAtOnceAndOnlyOnce() throws {
        let ledger = WindowLedger()
        let first = try #require(permit(ledger.acquire([cost(ipKey, 2)], at: ms(0))))
        _ = try #require(permit(ledger.acquire([cost(ipKey, 2)], at: ms(0))))
        ledger.release(first)
        ledger.release(first)
        ledger.settle(first, at: ms(1))
        #expect(ledger.used(ipKey, at: ms(1)) == 1)
    }

    @Test func anAbandonedPermitIsBusyForItsAllowanceToo() throws {
        let ledger = WindowLedger()
        let first = try #require(permit(ledger.acquire([cost(ipKey, 1)], at: ms(0))))
        ledger.abandon(first, at: ms(10_000), allowance: .seconds(5))
        #expect(permit(ledger.acquire([cost(ipKey, 1)], at: ms(15_999))) == nil)
        #expect(permit(ledger.acquire([cost(ipKey, 1)], at: ms(16_002))) != nil)
    }

    @Test func aPenaltyPausesItsBucketAndShrinksItOnce() throws {
        let ledger = WindowLedger()
        let first = try #require(permit(ledger.acquire([cost(ipKey, 10)], at: ms(0))))
        ledger.settle(first, at: ms(1))
        let penalty = Penalty(bucket: ipKey, until: ms(5000), evidence: "429")
        ledger.penalize(penalty)
        ledger.penalize(penalty)
        #expect(ledger.penalties(at: ms(4999)) == [penalty])
        #expect(ledger.penalties(at: ms(5000)) == [])
        #expect(ledger.acquire([cost(ipKey, 10)], at: ms(4999)) == .denied(blocking: ipKey, until: ms(5000)))
        #expect(permit(ledger.acquire([cost(uidKey(1), 1)], at: ms(4999))) != nil)
        var granted = 0
        while permit(ledger.acquire([cost(ipKey, 10)], at: ms(5000))) != nil { granted += 1 }
        #expect(granted == 7)
    }

    @Test func aShrunkBucketGrowsByOneInTenCleanWindows() throws {
        let ledger = WindowLedger()
        let first = try #require(permit(ledger.acquire([cost(ipKey, 10)], at: ms(0))))
        ledger.release(first)
        ledger.penalize(Penalty(bucket: ipKey, until: ms(1000), evidence: "429"))
        for (at, expected) in [(Int64(10_999), 7), (11_000, 8), (31_000, 10), (99_000, 10)] {
            if let granted = permit(ledger.acquire([cost(ipKey, 10)], at: ms(at))) { ledger.release(granted) }
            #expect(ledger.effectiveCapacity(ipKey) == expected)
        }
    }

    @Test func aShareLowersTheCapacityOfItsOwnCallsOnly() throws {
        let ledger = WindowLedger()
        _ = try #require(permit(ledger.acquire([cost(ipKey, 10)], at: ms(0))))
        _ = try #require(permit(ledger.acquire([cost(ipKey, 2)], at: ms(0))))
        #expect(permit(ledger.acquire([cost(ipKey, 2)], at: ms(0))) == nil)
        #expect(permit(ledger.acquire([cost(ipKey, 10)], at: ms(0))) != nil)
    }
}
