public import FlatbookCore

/// What a run would do and when, computed by the real planner and a real ledger on a virtual clock.
public struct PlanForecast: Sendable {
    public struct Call: Sendable {
        public var call: CloseCall
        /// From the start of the run.
        public var at: TimeSpan
    }

    /// In the order they would be sent.
    public var calls: [Call]
    public var unclosable: [UnclosableLeg]
    /// When the last close is sent.
    public var lastClose: TimeSpan
    /// When the last account is proven flat.
    public var timeToFlat: TimeSpan
    /// Requests that count in each limit, reads and verification included, by limit id.
    public var callsPerLimit: [String: Int]
    /// Weight in each window of the limits that accounts share, by limit id; windows count from the start.
    public var windows: [String: [Int]]
    /// Least time from the first close to the last under the limits, and the bucket that binds.
    public var lowerBound: TimeSpan
    public var binding: BucketKey?
    /// False where a limit admits no call at all, so that the forecast stops short.
    public var isComplete: Bool
}

/// What a forecast needs beside the accounts.
public struct ForecastAssumptions: Sendable {
    /// From the first byte sent to the last received.
    public var roundTrip: TimeSpan
    /// From an account's last answer to its first verification read.
    public var settle: TimeSpan
    public var verification: PlanDocument.Verification
    /// Costs of each request of one complete read of an account, by account name.
    public var reads: [String: [[BucketCost]]]
    /// Whether the reads before the closes still have to be made.
    public var includesSnapshot: Bool

    public init(
        roundTrip: TimeSpan, settle: TimeSpan, verification: PlanDocument.Verification,
        reads: [String: [[BucketCost]]] = [:], includesSnapshot: Bool = true
    ) {
        self.roundTrip = roundTrip
        self.settle = settle
        self.verification = verification
        self.reads = reads
        self.includesSnapshot = includesSnapshot
    }
}

extension PlanForecast {
    /// Runs the plan on a virtual clock with a constant round trip: no losses, no rejections. Pure.
    public static func of(_ accounts: [PlannedAccount], _ assumptions: ForecastAssumptions) -> PlanForecast {
        var clock = VirtualRun(accounts, assumptions)
        return clock.run()
    }
}

/// One account's requests: its snapshot, its closes by the planner, its verification reads.
private struct VirtualRun {
    private enum Event {
        /// A close was answered.
        case closed(account: Int, Permit)
        /// A read was answered.
        case read(account: Int, Permit)
        /// A read may be asked for (again).
        case ask(account: Int)
        case wake
    }
    private struct Timed {
        var at: Instant
        var order: Int
        var event: Event
    }
    private struct Progress {
        /// Requests left of the read that is going on.
        var left: [[BucketCost]] = []
        var isVerifying = false
        var cleanReads = 0
        var isFlat = false
    }

    private let accounts: [PlannedAccount]
    private let assumptions: ForecastAssumptions
    private let ledger = WindowLedger()
    private var planner = FlatteningPlanner()
    private var index: [String: Int] = [:]
    private var progress: [Progress]
    private var events = Heap<Timed> { a, b in a.at != b.at ? a.at < b.at : a.order < b.order }
    private var order = 0
    private var nextWake: Instant?
    private var sends: [(costs: [BucketCost], at: Instant)] = []
    private var result = PlanForecast(
        calls: [], unclosable: [], lastClose: .zero, timeToFlat: .zero, callsPerLimit: [:], windows: [:],
        lowerBound: .zero, binding: nil, isComplete: true)

    init(_ accounts: [PlannedAccount], _ assumptions: ForecastAssumptions) {
        self.accounts = accounts
        self.assumptions = assumptions
        progress = Array(repeating: Progress(), count: accounts.count)
        for (number, account) in accounts.enumerated() { index[account.account.name] = number }
    }

    mutating func run() -> PlanForecast {
        let start = Instant(nanoseconds: 0)
        for number in accounts.indices {
            if assumptions.includesSnapshot { progress[number].left = reads(of: number) }
            if progress[number].left.isEmpty {
                plan(number, at: start)
            } else {
                post(.ask(account: number), at: start)
            }
        }
        post(.wake, at: start)
        while let timed = events.pop() {
            var due = [timed.event]
            while let next = events.first, next.at == timed.at, let same = events.pop() { due.append(same.event) }
            var asking: [Int] = []
            for event in due {
                switch event {
                case .closed(let number, let permit): closed(number, permit, at: timed.at)
                case .read(let number, let permit): if read(number, permit, at: timed.at) { asking.append(number) }
                case .ask(let number): asking.append(number)
                case .wake: nextWake = nil
                }
            }
            // Closes first: reads never starve them.
            sendCloses(at: timed.at)
            for number in asking { ask(number, at: timed.at) }
        }
        finish()
        return result
    }

    private func reads(of number: Int) -> [[BucketCost]] {
        assumptions.reads[accounts[number].account.name] ?? []
    }

    private mutating func post(_ event: Event, at: Instant) {
        order += 1
        events.push(Timed(at: at, order: order, event: event))
    }

    private mutating func plan(_ number: Int, at now: Instant) {
        let (calls, unclosable) = planner.add(accounts[number])
        result.unclosable += unclosable
        if calls.isEmpty { startVerification(number, at: now) }
    }

    private mutating func sendCloses(at now: Instant) {
        while true {
            let step = planner.next(at: now) { call in
                ledger.acquire(accounts[index[call.account] ?? 0].costs(of: call), at: now)
            }
            switch step {
            case .call(let call, let permit):
                let at = TimeSpan(nanoseconds: now.nanoseconds)
                result.calls.append(PlanForecast.Call(call: call, at: at))
                sends.append((permit.costs, now))
                post(.closed(account: index[call.account] ?? 0, permit), at: now + assumptions.roundTrip)
            case .wait(let until, _):
                if let until, nextWake.map({ until < $0 }) ?? true {
                    nextWake = until
                    post(.wake, at: until)
                }
                return
            case .idle: return
            }
        }
    }

    private mutating func closed(_ number: Int, _ permit: Permit, at now: Instant) {
        ledger.settle(permit, at: now)
        let name = accounts[number].account.name
        planner.ready(account: name)
        if planner.queued(account: name) == 0 { startVerification(number, at: now + assumptions.settle) }
    }

    private mutating func startVerification(_ number: Int, at when: Instant) {
        progress[number].isVerifying = true
        progress[number].left = reads(of: number)
        if progress[number].left.isEmpty {
            flat(number, at: when)
        } else {
            post(.ask(account: number), at: when)
        }
    }

    private mutating func ask(_ number: Int, at now: Instant) {
        guard let costs = progress[number].left.first else { return }
        switch ledger.acquire(costs, at: now) {
        case .granted(let permit):
            sends.append((costs, now))
            post(.read(account: number, permit), at: now + assumptions.roundTrip)
        case .denied(_, let until):
            // Nil hangs on an answer, which comes within a round trip.
            post(.ask(account: number), at: max(until ?? now + assumptions.roundTrip, now + .milliseconds(1)))
        }
    }

    /// - Returns: whether the next request of the same read follows at once.
    private mutating func read(_ number: Int, _ permit: Permit, at now: Instant) -> Bool {
        ledger.settle(permit, at: now)
        progress[number].left.removeFirst()
        if !progress[number].left.isEmpty { return true }
        if !progress[number].isVerifying {
            plan(number, at: now)
            return false
        }
        progress[number].cleanReads += 1
        if progress[number].cleanReads < assumptions.verification.reads {
            progress[number].left = reads(of: number)
            post(.ask(account: number), at: now + assumptions.verification.interval)
        } else {
            flat(number, at: now)
        }
        return false
    }

    private mutating func flat(_ number: Int, at now: Instant) {
        progress[number].isFlat = true
        result.timeToFlat = max(result.timeToFlat, TimeSpan(nanoseconds: now.nanoseconds))
    }

    private mutating func finish() {
        result.lastClose = result.calls.last?.at ?? .zero
        result.isComplete = progress.allSatisfy(\.isFlat)
        for send in sends {
            for cost in send.costs {
                result.callsPerLimit[cost.key.limit, default: 0] += 1
                guard !cost.key.scope.contains("uid="), cost.window > .zero else { continue }
                let window = Int(send.at.nanoseconds / cost.window.nanoseconds)
                var counts = result.windows[cost.key.limit] ?? []
                while counts.count <= window { counts.append(0) }
                counts[window] += cost.weight
                result.windows[cost.key.limit] = counts
            }
        }
        let closes = result.calls.map { timed in
            accounts[index[timed.call.account] ?? 0].costs(of: timed.call)
        }
        (result.lowerBound, result.binding) = LowerBound.ofCosts(closes)
    }
}
