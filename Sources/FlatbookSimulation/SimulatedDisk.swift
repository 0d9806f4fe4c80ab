import FlatbookCore

/// A journal on a disk with a write cache: one writer, appends written and synced in their order.
struct SimulatedDisk {
    struct Append {
        var ticket: UInt64
        var entries: [JournalEntry]
        /// Monotonic, in nanoseconds.
        var writtenAt: Int64
        var syncedAt: Int64
    }

    /// What a process that starts now would read.
    private(set) var durable: [JournalEntry] = []
    /// Durable intents by the digest of their request.
    private(set) var intents: [String: Int] = [:]
    private var waiting: [Append] = []
    private var freeAt: Int64 = 0

    /// Begins an append; returns when it will be synced.
    mutating func append(
        _ entries: [JournalEntry], ticket: UInt64, at now: Int64, writeNs: Int64, syncNs: Int64
    ) -> Int64 {
        let written = max(freeAt, now) + writeNs
        freeAt = written + syncNs
        waiting.append(Append(ticket: ticket, entries: entries, writtenAt: written, syncedAt: freeAt))
        return freeAt
    }

    /// The sync of the first waiting append returned.
    mutating func sync() {
        guard !waiting.isEmpty else { return }
        keep(waiting.removeFirst().entries)
    }

    /// SIGKILL: what reached the page cache survives.
    mutating func kill(at now: Int64) {
        for append in waiting where append.writtenAt <= now { keep(append.entries) }
        forget()
    }

    /// The host died: of what was not synced the first `surviving` appends reached the disk all the same.
    mutating func losePower(surviving: Int) {
        for append in waiting.prefix(surviving) { keep(append.entries) }
        forget()
    }

    /// The next append never reaches the disk, or just reaches it.
    mutating func finish(_ entries: [JournalEntry], isWritten: Bool) {
        // Earlier appends of the one writer are on the disk before this one is.
        if isWritten {
            for append in waiting { keep(append.entries) }
            keep(entries)
        }
        forget()
    }

    var waitingCount: Int { waiting.count }

    private mutating func forget() {
        waiting = []
        freeAt = 0
    }

    private mutating func keep(_ entries: [JournalEntry]) {
        durable += entries
        for entry in entries {
            if case .intent(let intent) = entry.event { intents[intent.requestDigest, default: 0] += 1 }
        }
    }
}
