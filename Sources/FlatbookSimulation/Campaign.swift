import Dispatch
import ExchangeSimulator
import FlatbookCore
import Synchronization

/// Many seeded runs, judged one by one; the same seeds give the same result whatever the number of threads.
package struct Campaign: Sendable {
    /// What one seed came to.
    package struct Outcome: Sendable {
        package var seed: UInt64
        package var violations: [String]
        package var faults: Int
        package var crashes: Int
        package var requests: Int
        package var calls: Int
        package var legs: Int
        package var flatLegs: Int
        package var accounts: Int
        package var flatAccounts: Int
        package var unknownAccounts: Int
        package var reopened: Int
        package var coverage: Coverage
    }

    package struct Summary: Sendable {
        package var seeds = 0
        package var faults = 0
        package var crashes = 0
        package var requests = 0
        package var calls = 0
        package var legs = 0
        package var flatLegs = 0
        package var accounts = 0
        package var flatAccounts = 0
        package var unknownAccounts = 0
        package var reopened = 0
        package var coverage = Coverage()
        /// The first ones, by seed.
        package var failures: [Outcome] = []
        package var failedSeeds = 0

        package init() {}

        package mutating func add(_ outcome: Outcome) {
            seeds += 1
            faults += outcome.faults
            crashes += outcome.crashes
            requests += outcome.requests
            calls += outcome.calls
            legs += outcome.legs
            flatLegs += outcome.flatLegs
            accounts += outcome.accounts
            flatAccounts += outcome.flatAccounts
            unknownAccounts += outcome.unknownAccounts
            reopened += outcome.reopened
            coverage.merge(outcome.coverage)
            guard !outcome.violations.isEmpty else { return }
            failedSeeds += 1
            failures.append(outcome)
            failures.sort { $0.seed < $1.seed }
            if failures.count > 10 { failures.removeLast() }
        }
    }

    package var first: UInt64
    package var count: Int
    package var threads: Int
    /// Ends at the first broken promise.
    package var stopsAtFailure: Bool

    package init(first: UInt64, count: Int, threads: Int = 2, stopsAtFailure: Bool = false) {
        self.first = first
        self.count = count
        self.threads = max(1, threads)
        self.stopsAtFailure = stopsAtFailure
    }

    /// Runs all seeds.
    ///
    /// - Parameter progress: called now and then with how many seeds are done and have failed; from any thread.
    package func run(progress: @Sendable (Int, Int) -> Void = { _, _ in }) -> Summary {
        let shared = Mutex<(next: Int, summary: Summary)>((0, Summary()))
        // Slices keep the threads apart from the lock for most of the time.
        let slice = 16
        DispatchQueue.concurrentPerform(iterations: threads) { _ in
            while true {
                let start = shared.withLock { state -> Int? in
                    guard state.next < count, !(stopsAtFailure && state.summary.failedSeeds > 0) else { return nil }
                    defer { state.next += slice }
                    return state.next
                }
                guard let start else { return }
                let outcomes = (start..<min(count, start + slice)).map { Self.play(first &+ UInt64($0)) }
                let done = shared.withLock { state in
                    for outcome in outcomes { state.summary.add(outcome) }
                    return (state.summary.seeds, state.summary.failedSeeds)
                }
                progress(done.0, done.1)
            }
        }
        return shared.withLock { $0.summary }
    }

    /// These seeds, whatever their order.
    package static func replay(_ seeds: [UInt64]) -> Summary {
        let shared = Mutex(Summary())
        let sorted = seeds.sorted()
        DispatchQueue.concurrentPerform(iterations: sorted.count) { index in
            let outcome = play(sorted[index])
            shared.withLock { $0.add(outcome) }
        }
        return shared.withLock { $0 }
    }

    /// One seed of the swarm. Every hundredth is played twice and must give the same journal (I21).
    package static func play(_ seed: UInt64, trace: ((String) -> Void)? = nil) -> Outcome {
        var outcome = Outcome(
            seed: seed, violations: [], faults: 0, crashes: 0, requests: 0, calls: 0, legs: 0, flatLegs: 0, accounts: 0,
            flatAccounts: 0, unknownAccounts: 0, reopened: 0, coverage: Coverage())
        do {
            let run = try Scenario(swarm: seed).play { $0.trace = trace }
            outcome.violations = Judge.violations(of: run)
            outcome.faults = run.faultsDone
            outcome.crashes = run.crashesDone
            outcome.requests = run.simulation.truth.receiptCount
            outcome.count(run.durable)
            outcome.count(run.secondDurable)
            if seed % 100 == 0, try Scenario(swarm: seed).play().durable != run.durable {
                outcome.violations.append("I21: the same seed gave two journals")
            }
        } catch {
            outcome.violations.append("\(error)")
        }
        return outcome
    }
}

extension Campaign.Outcome {
    fileprivate mutating func count(_ entries: [JournalEntry]) {
        guard let machine = coverage.fold(entries) else { return }
        calls += machine.callOrder.count
        for name in machine.accountOrder {
            guard let account = machine.accounts[name], let verdict = account.verdict else { continue }
            accounts += 1
            if verdict.state == .flat || verdict.state == .alreadyFlat { flatAccounts += 1 }
            if verdict.state == .unknown { unknownAccounts += 1 }
            legs += verdict.legs.count
            flatLegs += verdict.legs.count { $0.state == .flat }
            reopened += account.legOrder.reduce(0) { $0 + (account.legs[$1]?.reopened ?? 0) }
        }
    }
}
