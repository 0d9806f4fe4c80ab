import FlatbookCore
@testable import FlatbookHost
@testable import FlatbookJournal
import Foundation

extension FuzzTarget {
    /// A rate ledger's file: raw, with right checksums around any payload, and with any numbers in whole records.
    static let ledger = FuzzTarget("ledger", dictionary: "numbers", extremes: Extremes.ledgers) {
        { bytes in
            var chooser = Chooser(bytes)
            let boot = chooser.pick(["boot-a", "boot-b"])
            var file = LedgerFile.header(bootID: "boot-a")
            if chooser.byte() % 8 == 0 {
                file += chooser.bytes
            } else {
                while !chooser.isEmpty { file += frame(&chooser) }
            }
            let body = Array(file.dropFirst(LedgerFile.headerLength))
            let (records, length) = LedgerCoding.records(in: body)
            promise(length <= body.count, "records of \(length) bytes in \(body.count)")
            for record in records {
                let framed = LedgerCoding.frame(record)
                promise(LedgerCoding.records(in: framed).length == framed.count, "a record does not read back")
            }
            let path = Scratch.write(file, to: "ledger")
            let now = Instant(nanoseconds: 1_000_000_000_000)
            guard let ledger = try? SharedLedger(path: path, bootID: boot, owner: 7, now: now) else { return }
            let cost = BucketCost(key: BucketKey(limit: "l", scope: "s"), weight: 1, capacity: 3, window: .seconds(1))
            var granted: [Permit] = []
            for step in 0..<5 {
                let at = now + .seconds(step / 5)
                if case .granted(let permit) = ledger.acquire([cost], at: at) { granted.append(permit) }
            }
            promise(granted.count <= 3, "\(granted.count) permits where 3 may be out")
            for permit in granted { ledger.settle(permit, at: now + .seconds(1)) }
            for penalty in ledger.penalties(at: now + .seconds(2)) { _ = penalty.until - now }
            _ = ledger.acquire([cost], at: now + .seconds(3600))
        }
    }

    /// One framed record: a payload as it comes, or a whole record of numbers as they come.
    private static func frame(_ chooser: inout Chooser) -> [UInt8] {
        let kind = chooser.byte()
        switch kind % 7 {
        case 0:
            var cost: [BucketCost] = []
            let id = UInt64(kind / 7)
            let taken = Instant(nanoseconds: chooser.number())
            for _ in 0..<(chooser.byte() % 3) {
                cost.append(
                    BucketCost(
                        key: BucketKey(limit: "l", scope: "s"), weight: Int(chooser.number()),
                        capacity: Int(chooser.number()), window: TimeSpan(nanoseconds: chooser.number())))
            }
            return LedgerCoding.frame(.acquire(Permit(id: id, costs: cost, takenAt: taken)))
        case 1: return LedgerCoding.frame(.settle(id: UInt64(kind / 7), at: Instant(nanoseconds: chooser.number())))
        case 2: return LedgerCoding.frame(.release(id: UInt64(kind / 7)))
        case 3:
            return LedgerCoding.frame(
                .abandon(
                    id: UInt64(kind / 7), at: Instant(nanoseconds: chooser.number()),
                    allowance: TimeSpan(nanoseconds: chooser.number())))
        case 4:
            let until = Instant(nanoseconds: chooser.number())
            let remaining = TimeSpan(nanoseconds: chooser.number())
            return LedgerCoding.frame(
                .penalty(
                    Penalty(bucket: BucketKey(limit: "l", scope: "s"), until: until, evidence: chooser.text()),
                    remaining: remaining))
        default:
            var payload: [UInt8] = []
            for _ in 0..<(chooser.byte()) { payload.append(UInt8(chooser.byte())) }
            let sum = payload.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
            return word(UInt32(payload.count)) + word(sum) + payload
        }
    }

    private static func word(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    /// The cards that other processes leave in lock files, and epoch files.
    static let lockCards = FuzzTarget("lock-cards", maximumLength: 2048, dictionary: "json") {
        let folder = Scratch.folder + "/host"
        guard
            let directory = try? HostDirectory(environment: [
                "HOME": folder, "XDG_STATE_HOME": folder, "XDG_RUNTIME_DIR": folder,
            ])
        else { fatalError("no host folder") }
        let locks = AccountLocks(directory: directory)
        let held = LockKey(exchange: ExchangeID("okx"), environment: .production, uid: "1")
        let free = LockKey(exchange: ExchangeID("okx"), environment: .production, uid: "2")
        let card = LockCard(
            id: "i", run: "r", plan: "p", host: "h", pid: 7, since: "s", operation: "run", version: "0")
        let lockPath = directory.locksPath + "/" + held.fileName + ".lock"
        let journal = JournalLocation(path: Scratch.folder + "/j.sqlite")
        // Others hold these; the kernel lets them go with this process.
        for path in [lockPath, journal.lockPath] { flock(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600), LOCK_EX) }
        return { bytes in
            var chooser = Chooser(bytes)
            switch chooser.byte() % 3 {
            case 0:
                replace(lockPath, chooser.bytes)
                switch try? locks.acquire(held, card: card) {
                case .lockedBy(let card):
                    promise((card?.description.utf8.count ?? 0) <= 20_000, "a lock's card is endless")
                case .held: broken("a lock that another has was granted")
                case nil: broken("a card keeps the lock from being tried")
                }
            case 1:
                replace(journal.lockPath, chooser.bytes)
                let holder = JournalHolder(run: "r", pid: 1, host: "h", since: WallTime(milliseconds: 0))
                switch try? JournalLock.tryLock(journal, holder: holder) {
                case .held(let holder): promise(holder.description.utf8.count <= 20_000, "a journal's card is endless")
                case .locked: broken("a journal that another writes was locked")
                case nil: broken("a card keeps the journal from being tried")
                }
            default:
                replace(directory.locksPath + "/" + free.fileName + ".epoch", chooser.bytes)
                if case .held(let lock)? = try? locks.acquire(free, card: card) {
                    promise(lock.isStillHeld(), "a fresh lock is not held")
                    if (try? locks.raiseEpoch(free)) != nil { promise(!lock.isStillHeld(), "a fenced lock is held") }
                    lock.release()
                    let suffix = lock.epoch == 0 ? "" : ".\(lock.epoch)"
                    unlink(directory.locksPath + "/" + free.fileName + ".lock" + suffix)
                }
            }
        }
    }

    private static func replace(_ path: String, _ bytes: [UInt8]) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { fatalError("cannot write \(path)") }
        _ = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        close(file)
    }
}
