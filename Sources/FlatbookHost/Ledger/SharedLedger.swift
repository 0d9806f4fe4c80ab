package import FlatbookCore

/// The ledger of one exchange behind one egress, shared by every process of this host (`design.md` §5).
///
/// Each event is appended to a file under its lock, after the events of the others were read, so that two processes
/// together stay within a limit and a restarted one does not begin with an empty ledger.
package final class SharedLedger: RateLedger {
    private static let compactionSize = 1 << 20
    /// A call of another process ends by itself after this: whole-call limit (10 s) plus slack, and 5 s of the signature's
    /// life on the way.
    private static let longestCall = TimeSpan.seconds(20)
    /// Penalties are kept this long for what they teach about a capacity.
    private static let memory = TimeSpan.seconds(3600)

    private let file: LedgerFile
    private let bootID: String
    private let owner: UInt64
    private let openedAt: Instant
    /// The latest instant known, for events that bring none.
    private var latest: Instant { max(core.lastSeen, openedAt) }
    private var counter: UInt64 = 0
    private var core = WindowLedger()
    /// Where the unread records begin.
    private var offset = 0
    /// Set until the whole file was read: nothing is granted on a part of it.
    private var mustLoad = true
    private var compactAt = SharedLedger.compactionSize
    /// Why the file could not be written last; nil while all is well. Nothing is granted without it.
    package private(set) var failure: String?

    /// Opens or creates the ledger.
    ///
    /// - Parameters:
    ///   - path: `ledgers/<exchange>-<egress>[-port].ledger`; its folder exists.
    ///   - bootID: instants of another boot mean nothing, so its calls count as sent `now`.
    ///   - owner: a random number that no other process on this host has.
    /// - Throws: ``LedgerFileError`` when the file cannot be opened, locked, read or written.
    package init(path: String, bootID: String, owner: UInt32, now: Instant) throws(LedgerFileError) {
        self.bootID = bootID
        self.owner = UInt64(owner) << 32
        openedAt = now
        file = try LedgerFile(path: path)
        _ = try file.lock()
        defer { file.unlock() }
        try load(now)
    }

    package func acquire(_ costs: [BucketCost], at now: Instant) -> Admission {
        let answer = locked(now) { () throws(LedgerFileError) -> Admission in
            if let denial = core.denial(of: costs, at: now) { return denial }
            counter += 1
            let permit = Permit(id: owner | counter, costs: costs, takenAt: now)
            try append(.acquire(permit))
            core.insert(permit)
            return .granted(permit)
        }
        if let answer { return answer }
        // Without the file nobody would see this call: none goes.
        return .denied(
            blocking: costs.first?.key ?? BucketKey(limit: "host-ledger", scope: "host"), until: now + .seconds(1))
    }

    // An end that cannot be written only makes the other processes wait longer, up to the bound of an unanswered call.
    // The state is changed after the file was looked at: that may have read all of it anew.

    package func settle(_ permit: Permit, at now: Instant) {
        _ = locked(now) { () throws(LedgerFileError) in try append(.settle(id: permit.id, at: now)) }
        core.end(permit.id, at: now, allowance: .zero)
    }

    package func release(_ permit: Permit) {
        _ = locked(latest) { () throws(LedgerFileError) in try append(.release(id: permit.id)) }
        core.release(id: permit.id)
    }

    package func abandon(_ permit: Permit, at now: Instant, allowance: TimeSpan) {
        _ = locked(now) { () throws(LedgerFileError) in
            try append(.abandon(id: permit.id, at: now, allowance: allowance))
        }
        core.end(permit.id, at: now, allowance: allowance)
    }

    package func penalize(_ penalty: Penalty) {
        let now = latest
        _ = locked(now) { () throws(LedgerFileError) in
            try append(.penalty(penalty, remaining: max(.zero, penalty.until - now)))
        }
        core.penalize(penalty)
    }

    package func penalties(at now: Instant) -> [Penalty] {
        _ = locked(now) {}
        return core.penalties(at: now)
    }

    /// The most weight that any bucket of a limit held at once, calls of other processes included.
    package func peakUsed(limit: String) -> Int { core.peakUsed(limit: limit) }
}

extension SharedLedger {
    private func locked<Result>(
        _ now: Instant, _ body: () throws(LedgerFileError) -> Result
    ) -> Result? {
        do throws(LedgerFileError) {
            if try file.lock() { mustLoad = true }
            defer { file.unlock() }
            if mustLoad { try load(now) } else { try catchUp() }
            let result = try body()
            if offset > compactAt { try compact(now) }
            failure = nil
            return result
        } catch {
            failure = error.description
            return nil
        }
    }

    private func append(_ record: LedgerRecord) throws(LedgerFileError) {
        let bytes = LedgerCoding.frame(record)
        try file.write(bytes, at: offset)
        offset += bytes.count
    }

    /// Applies what others appended since, and cuts off what a dying process left half-written.
    private func catchUp() throws(LedgerFileError) {
        let size = try file.size()
        guard size != offset else { return }
        if size < offset { throw LedgerFileError(description: "rate ledger \(file.path): it became shorter") }
        let (records, length) = LedgerCoding.records(in: try file.read(from: offset, to: size))
        for record in records { apply(record) }
        offset += length
        if offset < size { try file.truncate(to: offset) }
    }

    private func apply(_ record: LedgerRecord) {
        switch record {
        case .acquire(let permit):
            let isMine = permit.id & ~0xFFFF_FFFF == owner
            if isMine { counter = max(counter, permit.id & 0xFFFF_FFFF) }
            // Own ones too: an end that could not be written must not hold a slot for good.
            core.insert(permit, overBy: permit.takenAt + Self.longestCall)
        case .settle(let id, let at): core.end(id, at: at, allowance: .zero)
        case .release(let id): core.release(id: id)
        case .abandon(let id, let at, let allowance): core.end(id, at: at, allowance: allowance)
        case .penalty(let penalty, _): core.penalize(penalty)
        }
    }

    /// Reads the whole file into a new state.
    private func load(_ now: Instant) throws(LedgerFileError) {
        let size = try file.size()
        let header = try file.read(from: 0, to: min(size, LedgerFile.headerLength))
        let previous = core
        core = WindowLedger()
        guard let writtenIn = LedgerFile.bootID(in: header) else {
            // Torn at its birth, or no ledger at all: a new one begins, unless it holds something else.
            guard size < LedgerFile.headerLength else {
                throw LedgerFileError(description: "rate ledger \(file.path): not a ledger file")
            }
            try file.truncate(to: 0)
            try file.write(LedgerFile.header(bootID: bootID), at: 0)
            offset = LedgerFile.headerLength
            mustLoad = false
            return
        }
        let (records, length) = LedgerCoding.records(in: try file.read(from: LedgerFile.headerLength, to: size))
        if writtenIn == bootID {
            for record in records { apply(record) }
            offset = LedgerFile.headerLength + length
            if offset < size { try file.truncate(to: offset) }
        } else {
            try rewrite(Self.carriedOver(records, now: now))
        }
        core.adopt(from: previous)
        mustLoad = false
    }

    /// What calls and penalties of another boot mean now: sent at this instant, at the latest.
    private static func carriedOver(_ records: [LedgerRecord], now: Instant) -> [LedgerRecord] {
        var carried: [LedgerRecord] = []
        let newest = records.map(\.time).max() ?? now
        for record in live(records, at: newest) {
            switch record {
            case .acquire(var permit):
                permit.takenAt = now
                carried += [.acquire(permit), .settle(id: permit.id, at: now)]
            case .penalty(var penalty, let remaining):
                penalty.until = now + remaining
                if remaining > .zero { carried.append(.penalty(penalty, remaining: remaining)) }
            case .settle, .release, .abandon: continue
            }
        }
        return carried
    }

    private func rewrite(_ records: [LedgerRecord]) throws(LedgerFileError) {
        let bytes = LedgerFile.header(bootID: bootID) + records.flatMap(LedgerCoding.frame)
        try file.replace(with: bytes)
        let previous = core
        core = WindowLedger()
        for record in records { apply(record) }
        core.adopt(from: previous)
        offset = bytes.count
        compactAt = max(Self.compactionSize, 2 * offset)
    }

    private func compact(_ now: Instant) throws(LedgerFileError) {
        let bytes = try file.read(from: LedgerFile.headerLength, to: offset)
        try rewrite(Self.live(LedgerCoding.records(in: bytes).records, at: now))
    }

    /// Records that still hold a slot or a penalty at an instant.
    static func live(_ records: [LedgerRecord], at now: Instant) -> [LedgerRecord] {
        var ends: [UInt64: Instant?] = [:]
        for record in records {
            switch record {
            case .settle(let id, let at): ends[id] = .some(at)
            case .release(let id): ends[id] = .some(nil)
            case .abandon(let id, let at, let allowance): ends[id] = .some(at + allowance)
            case .acquire, .penalty: continue
            }
        }
        var dead: Set<UInt64> = []
        for case .acquire(let permit) in records {
            let window = permit.costs.map(\.window).max() ?? .zero
            // A second covers what the ledger adds to a window of up to 1000 s.
            let tail = window + TimeSpan(nanoseconds: window.nanoseconds / 1000) + .seconds(1)
            switch ends[permit.id] {
            case .some(.none): dead.insert(permit.id)
            case .some(.some(let end)): if end + tail < now { dead.insert(permit.id) }
            case .none: if permit.takenAt + longestCall + tail < now { dead.insert(permit.id) }
            }
        }
        return records.filter { record in
            switch record {
            case .acquire(let permit): !dead.contains(permit.id)
            case .settle(let id, _), .release(let id), .abandon(let id, _, _): !dead.contains(id)
            case .penalty(let penalty, _): penalty.until + memory > now
            }
        }
    }
}

extension LedgerRecord {
    fileprivate var time: Instant {
        switch self {
        case .acquire(let permit): permit.takenAt
        case .settle(_, let at), .abandon(_, let at, _): at
        case .release: Instant(nanoseconds: .min)
        case .penalty(let penalty, let remaining): penalty.until - remaining
        }
    }
}
