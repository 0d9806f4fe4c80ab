import ExchangeKit
public import FlatbookCore

/// Two processes, one account (`reliability.md` §1.7): the late one sends nothing more, the new one waits where it must.
extension Engine {
    static let fencedReason = "another process took the account over: its lock was broken with `flatbook unlock`"

    /// Nothing more is sent for this account, and nothing is tried again; what is open is still read and told.
    func fence(_ name: String) {
        guard let key = lanes[name]?.venue, lanes[name]?.stop?.reason != Self.fencedReason else { return }
        lanes[name]?.stop = (Self.fencedReason, .locked)
        lanes[name]?.cancels = []
        lanes[name]?.mayCancel = false
        forgetQueued(name, venue: key)
        dirty.append(name)
        notice(.warning("\(name): \(Self.fencedReason); nothing more is sent for it"))
    }

    /// The last signature of another run lives on for a while, after an unlock as after a kill: two sized orders must not
    /// both be alive (I3).
    func tookOver(_ name: String) {
        let unlocked = configuration.locks.unlockedAt(name, now: now)
        let signed = configuration.locks.signedElsewhere(name, now: now)
        guard let at = [unlocked, signed].compactMap({ $0 }).max(), let key = lanes[name]?.venue,
            let life = venues[key]?.plugin.profile.signatureLife
        else { return }
        let end = at + life + Self.lifeMargin
        guard end > now.instant else { return }
        lanes[name]?.sizedNotBefore = end
        let why =
            unlocked == nil
            ? "an order of another run may still be on its way for \(name)" : "\(name) was unlocked a moment ago"
        notice(
            .warning(
                "\(why): orders with a size wait until \(now.wall(at: end).rfc3339), closes of whole positions do not"))
    }

    /// Tells the next run for which accounts it need not wait for anything of this one.
    func settleLocks() {
        var live: Set<String> = []
        for call in machine.calls.values {
            guard case .close(let close) = call.intent.mutation, close.method.isSized else { continue }
            guard let result = call.result else {
                live.insert(close.account)
                continue
            }
            let isDead = result.deadAt.map { $0 <= now.instant } ?? false
            if result.outcome.effect == .unknown, !isDead { live.insert(close.account) }
        }
        for name in machine.accountOrder where lanes[name]?.isLocked == true && !live.contains(name) {
            configuration.locks.settled(name)
        }
    }

    /// When a sized order of an account that was unlocked may go; nil = now.
    func waitsForTakeOver(_ call: CloseCall) -> Instant? {
        guard call.method.isSized, let end = lanes[call.account]?.sizedNotBefore, end > now.instant else { return nil }
        return end
    }

    /// While sized orders of an unlocked account wait, the whole-position closes go first, not behind them.
    func rowsThatMayGo(_ name: String, _ rows: [Position], venue: Venue) throws(InvariantViolation) -> [Position] {
        guard let end = lanes[name]?.sizedNotBefore, end > now.instant else { return rows }
        var scratch = configuration.planner()
        let calls = scratch.add(try plannedAccount(name, rows, venue: venue)).calls
        let whole = Set(calls.filter { !$0.method.isSized }.flatMap(\.legs))
        let first = rows.filter { whole.contains($0.key) }
        return first.isEmpty ? rows : first
    }
}

/// The journal failed: nothing more is sent (`reliability.md` §1.8), and nothing that happened is forgotten.
extension Engine {
    /// How long answers to what is already at the exchange are awaited.
    static let patienceWithoutJournal = TimeSpan.seconds(3)

    func journalFailed(_ error: JournalError) throws(InvariantViolation) {
        guard journalFailure == nil else { return }
        journalFailure = error
        unsaved = undurable.flatMap(\.entries)
        undurable = []
        // Whatever was about to be told: it is not durable, and nothing waits for an append any more.
        endTicket = nil
        if end != nil {
            end = .journalFailed(error)
            return
        }
        stopping = stopping ?? RunVerdict.journalFailure
        stopAt = min(stopAt ?? now.instant + Self.patienceWithoutJournal, now.instant + Self.patienceWithoutJournal)
        let held = heldSends
        heldSends = []
        for held in held { try sendOrDrop(held.flight) }
    }

    /// Calls that were sent and not answered.
    public var unanswered: [CallIntent] {
        flights.keys.sorted().compactMap { id in
            guard case .mutation(let intent) = flights[id]?.kind else { return nil }
            return intent
        }
    }
}
