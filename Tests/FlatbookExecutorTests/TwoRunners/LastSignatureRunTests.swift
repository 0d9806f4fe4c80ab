import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import Synchronization
import Testing

@Suite("A run after another one that was killed: sized orders of both are never alive at once")
struct LastSignatureRunTests {
    /// The locks of a host where another run signed an order a while ago.
    private final class LeftLocks: AccountLocking {
        let left: Instant?
        private(set) var signed: [String] = []
        private(set) var settled: Set<String> = []
        init(left: Instant?) { self.left = left }

        func acquire(_ account: Account, uid: String, venue: VenueKey) -> LockAnswer { .held }
        func isStillHeld(_ account: String) -> Bool { true }
        func releaseAll() {}
        func signs(_ account: String, now: Now) { signed.append(account) }
        func settled(_ account: String) { settled.insert(account) }
        func signedElsewhere(_ account: String, now: Now) -> Instant? { left }
    }

    /// One long position that can flip; only longs are meant, so whole-position closes cannot be used.
    private func bench(_ venue: SimulatedVenue, locks: LeftLocks) -> FaultBench {
        let fleet = FaultFleet(
            bitget: venue == .bitget ? 1 : 0, okx: venue == .okx ? 1 : 0, bingx: venue == .bingx ? 1 : 0)
        let bench = FaultBench(fleet.configuration(), plan: .whole { $0.sides = [.long] })
        bench.locks = locks
        return bench
    }

    private func sizedIntents(_ bench: FaultBench) -> [JournalEntry] {
        bench.durable.filter { entry in
            guard case .intent(let intent) = entry.event, case .close(let close) = intent.mutation else { return false }
            return close.method.isSized
        }
    }

    @Test("sized orders wait for the end of life of what the other run signed", arguments: [2_000, 20_000] as [Int64])
    func waits(agoMs: Int64) throws {
        var sized = 0
        for venue in SimulatedVenue.allCases {
            let left = Instant(nanoseconds: FaultBench.startNs) - .milliseconds(agoMs)
            let locks = LeftLocks(left: left)
            let bench = self.bench(venue, locks: locks)
            try bench.play()
            let life = try #require(FaultBench.plugins[ExchangeID(venue.rawValue)]).profile.signatureLife
            for intent in sizedIntents(bench) {
                #expect(intent.at >= left + life + .seconds(8), "\(venue)")
                sized += 1
            }
            #expect(locks.signed.count == sizedIntents(bench).count)
            #expect(locks.settled == Set(bench.accounts.map(\.name)))
            #expect(try bench.account(bench.accounts[0].name).state == .flat)
        }
        #expect(sized > 0)
    }

    @Test("nothing waits where nobody else signed anything")
    func goesOn() throws {
        for venue in SimulatedVenue.allCases {
            let bench = self.bench(venue, locks: LeftLocks(left: nil))
            try bench.play()
            for intent in sizedIntents(bench) {
                #expect(intent.at < Instant(nanoseconds: FaultBench.startNs) + .seconds(5), "\(venue)")
            }
        }
    }

    @Test("an account whose sized order got no answer is not settled when the run is stopped")
    func unsettled() throws {
        var unanswered = 0
        for venue in SimulatedVenue.allCases {
            let locks = LeftLocks(left: nil)
            let bench = self.bench(venue, locks: locks)
            bench.road = { $0.isMutation ? .mute : .open }
            bench.signals = [(700, "SIGTERM")]
            try bench.play()
            guard !sizedIntents(bench).isEmpty else { continue }
            unanswered += 1
            #expect(locks.settled.isEmpty, "\(venue)")
        }
        #expect(unanswered > 0)
    }

    /// Locks that somebody else holds.
    private final class ForeignLocks: AccountLocking {
        func acquire(_ account: Account, uid: String, venue: VenueKey) -> LockAnswer { .lockedBy("run x") }
        func isStillHeld(_ account: String) -> Bool { false }
        func releaseAll() {}
    }

    @Test("an account that the run had begun is unknown, not skipped, where another run holds it on resume")
    func lockedOnResume() throws {
        let first = self.bench(.okx, locks: LeftLocks(left: nil))
        first.road = { $0.isMutation ? .mute : .open }
        first.signals = [(700, "SIGTERM")]
        try first.play()
        #expect(!sizedIntents(first).isEmpty)
        let second = self.bench(.okx, locks: LeftLocks(left: nil))
        second.locks = ForeignLocks()
        second.follow(first)
        try second.play(resuming: first.durable)
        let account = try second.account(second.accounts[0].name)
        #expect(account.state == .unknown)
        #expect(account.reason?.contains("locked by run x") == true)
        let fresh = self.bench(.okx, locks: LeftLocks(left: nil))
        fresh.locks = ForeignLocks()
        try fresh.play()
        #expect(try fresh.account(fresh.accounts[0].name).state == .skipped)
    }
}
