import FlatbookCore
import Foundation
import Testing

@testable import FlatbookHost

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
private let key = BucketKey(limit: "ip", scope: "ip=default")
private func cost(_ n: Int) -> [BucketCost] { [BucketCost(key: key, weight: 1, capacity: n, window: .seconds(1))] }
private func permit(_ admission: Admission) -> Permit? {
    if case .granted(let permit) = admission { permit } else { nil }
}

/// A fresh folder that is removed with the test.
private final class Folder {
    let path: String
    init() {
        path = NSTemporaryDirectory() + "flatbook-ledger-\(ProcessInfo.processInfo.globallyUniqueString)"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    var file: String { path + "/bitget-default.ledger" }
    func open(_ owner: UInt32, boot: String = "boot-1", at now: Instant = ms(0)) throws -> SharedLedger {
        try SharedLedger(path: file, bootID: boot, owner: owner, now: now)
    }
}

@Suite struct LedgerTests {
    @Test("Two processes together never exceed a limit", arguments: 0..<40)
    func twoProcesses(seed: Int) throws {
        var random = Seeded(state: UInt64(seed))
        let folder = Folder()
        var ledgers = [try folder.open(1), try folder.open(2)]
        let capacity = 1 + seed % 5
        var pending: [(at: Instant, ledger: Int, permit: Permit)] = []
        var arrivals: [Int64] = []
        var now = ms(0)
        var owner: UInt32 = 3
        for _ in 0..<1200 {
            now = now + .milliseconds(Int64.random(in: 0...60, using: &random))
            for done in pending where done.at <= now { ledgers[done.ledger].settle(done.permit, at: done.at) }
            pending.removeAll { $0.at <= now }
            let which = Int.random(in: 0..<2, using: &random)
            if Int.random(in: 0..<150, using: &random) == 0 {
                // Killed and started again: its calls may still arrive, and nobody will settle them.
                pending.removeAll { $0.ledger == which }
                ledgers[which] = try folder.open(owner, at: now)
                owner += 1
            }
            guard let granted = permit(ledgers[which].acquire(cost(capacity), at: now)) else { continue }
            let end = now + .milliseconds(Int64.random(in: 1...400, using: &random))
            pending.append((end, which, granted))
            arrivals.append((Bool.random(using: &random) ? now : end).nanoseconds)
        }
        arrivals.sort()
        for (index, arrival) in arrivals.enumerated() {
            let inWindow = arrivals[...index].filter { $0 > arrival - 1_000_000_000 }.count
            #expect(inWindow <= capacity, "seed \(seed)")
        }
        #expect(arrivals.count > 3, "seed \(seed) sent almost nothing")
    }

    @Test func aRestartedProcessDoesNotBeginEmpty() throws {
        let folder = Folder()
        let first = try folder.open(1)
        let granted = try #require(permit(first.acquire(cost(1), at: ms(0))))
        first.settle(granted, at: ms(100))
        let second = try folder.open(2, at: ms(500))
        #expect(permit(second.acquire(cost(1), at: ms(1000))) == nil)
        #expect(permit(second.acquire(cost(1), at: ms(1103))) != nil)
    }

    @Test func anUnansweredCallOfADeadProcessIsBounded() throws {
        let folder = Folder()
        _ = try #require(permit(try folder.open(1).acquire(cost(1), at: ms(0))))
        let second = try folder.open(2, at: ms(500))
        #expect(permit(second.acquire(cost(1), at: ms(20_900))) == nil)
        #expect(permit(second.acquire(cost(1), at: ms(21_003))) != nil)
    }

    @Test func callsOfAnotherBootCountAsSentNow() throws {
        let folder = Folder()
        let first = try folder.open(1)
        _ = try #require(permit(first.acquire(cost(1), at: ms(900_000))))
        first.penalize(Penalty(bucket: BucketKey(limit: "ban", scope: "ip"), until: ms(960_000), evidence: "418"))
        let second = try folder.open(2, boot: "boot-2", at: ms(5000))
        #expect(permit(second.acquire(cost(1), at: ms(5900))) == nil)
        #expect(second.penalties(at: ms(64_999)).map(\.until) == [ms(65_000)])
        #expect(permit(second.acquire(cost(1), at: ms(6003))) != nil)
    }

    @Test func aPenaltyReachesTheOtherProcess() throws {
        let folder = Folder()
        let (first, second) = (try folder.open(1), try folder.open(2))
        let penalty = Penalty(bucket: key, until: ms(5000), evidence: "429")
        first.penalize(penalty)
        #expect(second.penalties(at: ms(1)) == [penalty])
        #expect(second.acquire(cost(1), at: ms(1)) == .denied(blocking: key, until: ms(5000)))
    }

    @Test("A torn tail is cut off and the rest is kept", arguments: [1, 7, 9, 30])
    func tornTail(length: Int) throws {
        let folder = Folder()
        _ = try #require(permit(try folder.open(1).acquire(cost(1), at: ms(0))))
        let whole = try Data(contentsOf: URL(fileURLWithPath: folder.file))
        let record = LedgerCoding.frame(.acquire(Permit(id: 7, costs: cost(1), takenAt: ms(1))))
        try (whole + Data(record.prefix(length))).write(to: URL(fileURLWithPath: folder.file))
        let second = try folder.open(2)
        #expect(permit(second.acquire(cost(2), at: ms(2))) != nil)
        #expect(permit(second.acquire(cost(2), at: ms(2))) == nil)
        #expect(permit(try folder.open(3).acquire(cost(2), at: ms(2))) == nil)
    }

    @Test func aLongLogIsCompactedAndTheOtherProcessFollows() throws {
        let folder = Folder()
        let (first, second) = (try folder.open(1), try folder.open(2))
        for step in Int64(0)..<12_000 {
            let granted = try #require(permit(first.acquire(cost(1), at: ms(step * 2000))))
            first.settle(granted, at: ms(step * 2000 + 100))
        }
        let size = try #require(FileManager.default.attributesOfItem(atPath: folder.file)[.size] as? Int)
        #expect(size < 1 << 20)
        let last = Int64(11_999) * 2000
        #expect(permit(second.acquire(cost(1), at: ms(last + 1000))) == nil)
        #expect(permit(second.acquire(cost(1), at: ms(last + 1103))) != nil)
        #expect(permit(first.acquire(cost(1), at: ms(last + 1103))) == nil)
    }

    @Test func aCallThatIsOutDuringACompactionIsSettledAfterIt() throws {
        let folder = Folder()
        let (first, second) = (try folder.open(1), try folder.open(2))
        let own = BucketCost(
            key: BucketKey(limit: "uid", scope: "uid=1"), weight: 1, capacity: 1, window: .seconds(1))
        let out = try #require(permit(second.acquire([own], at: ms(0))))
        for _ in 0..<7000 {
            let granted = try #require(permit(first.acquire(cost(1), at: ms(1))))
            first.release(granted)
        }
        second.settle(out, at: ms(100))
        #expect(permit(second.acquire([own], at: ms(1000))) == nil)
        #expect(permit(second.acquire([own], at: ms(1103))) != nil)
    }

    @Test func aFileThatCannotBeUsedIsRefused() throws {
        let folder = Folder()
        #expect(throws: LedgerFileError.self) {
            try SharedLedger(path: folder.path + "/missing/x.ledger", bootID: "b", owner: 1, now: ms(0))
        }
        try Data(repeating: 65, count: 100).write(to: URL(fileURLWithPath: folder.file))
        let error = #expect(throws: LedgerFileError.self) { try folder.open(1) }
        #expect(error?.description.contains("not a ledger file") == true)
    }

    /// Found by fuzzing: sums of such numbers ended the process, and a negative weight gave away what others held.
    @Test("Numbers that no process writes neither end one nor free a slot", arguments: [Int64.min, -1, 0, 1, .max])
    func extremeNumbers(number: Int64) throws {
        let folder = Folder()
        let costs = [BucketCost(key: key, weight: Int(number), capacity: 3, window: TimeSpan(nanoseconds: number))]
        let at = Instant(nanoseconds: number)
        let allowance = TimeSpan(nanoseconds: number)
        let frames: [LedgerRecord] = [
            .acquire(Permit(id: 1, costs: costs, takenAt: at)), .acquire(Permit(id: 2, costs: costs, takenAt: ms(5))),
            .acquire(Permit(id: 3, costs: costs, takenAt: at)), .settle(id: 1, at: at),
            .abandon(id: 2, at: at, allowance: allowance),
            .penalty(
                Penalty(bucket: BucketKey(limit: "other", scope: "x"), until: at, evidence: ""), remaining: allowance),
        ]
        for boot in ["boot-1", "boot-2"] {
            let bytes = LedgerFile.header(bootID: "boot-1") + frames.flatMap(LedgerCoding.frame)
            try Data(bytes).write(to: URL(fileURLWithPath: folder.file))
            let ledger = try folder.open(7, boot: boot, at: ms(10))
            let granted = (0..<5).count { _ in permit(ledger.acquire(cost(3), at: ms(10))) != nil }
            #expect(granted <= 3)
            _ = ledger.penalties(at: ms(20))
            _ = ledger.acquire(cost(3), at: ms(100_000))
            #expect(ledger.failure == nil)
        }
    }

    @Test func theFileIsItsOwnersOnly() throws {
        let folder = Folder()
        _ = try folder.open(1)
        let mode = try FileManager.default.attributesOfItem(atPath: folder.file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }
}
