/// What goes wrong around the exchanges: the network, the process, the host and its clock. Drawn from a seed, or written
/// out by a test. Rates are in a thousand, times in milliseconds.
package struct Weather: Sendable {
    package var lostRequestPerMille = 0
    package var refusedPerMille = 0
    package var roundTripMs: ClosedRange<Int64> = 4...60
    /// SIGKILLs at random times.
    package var crashes = 0
    /// Each crash takes the host with it: what was not synced is gone, up to a point that the seed chooses.
    package var losesPower = false
    package var restartMs: ClosedRange<Int64> = 50...4000
    /// Times between which crashes, pauses and steps lie.
    package var troubleMs: ClosedRange<Int64> = 5...9000
    /// The process is stopped between signing a request and writing it (F24): SIGSTOP, a frozen VM.
    package var stallPerMille = 0
    package var stallMs: ClosedRange<Int64> = 200...45_000
    /// The whole process stands still for a while (F23); afterwards its connections are gone.
    package var pauses = 0
    package var pauseMs: ClosedRange<Int64> = 500...60_000
    /// Steps of the wall clock (F19).
    package var wallSteps = 0
    /// SIGTERM at a random time; the run is resumed afterwards.
    package var terms = 0
    /// Another process with a plan of its own for some of the accounts (F38).
    package var hasSecondRunner = false
    /// Somebody breaks the locks of the first by hand.
    package var unlocks = 0
    /// The journal fails at this append; nil = never.
    package var journalFailsAt: Int?
    /// After such a failure the disk is mended and the run resumed.
    package var mendsJournal = false
    /// The process is killed at this exact point; nil = nowhere.
    package var crashPoint: CrashPoint?

    package init() {}
}

/// An exact place between two steps of a call (`reliability.md` §6.2, crash points).
package struct CrashPoint: Hashable, Sendable, CustomStringConvertible {
    package enum Phase: String, CaseIterable, Sendable {
        case beforeWrite
        /// Written, not synced: SIGKILL leaves it to the page cache.
        case afterWrite
        /// Written, not synced, and the host lost power: SQLite drops a transaction whose checksum is not whole.
        case torn
        /// Synced, and the process heard of it; nothing of what waited for it was sent.
        case afterSync
        /// What waited for it was sent; no answer was read.
        case afterSend
        /// The first answer after it was read; its outcome was not written.
        case afterReply
    }

    /// Appends are counted from one, over all processes of the run.
    package var append: Int
    package var phase: Phase

    package init(append: Int, phase: Phase) {
        self.append = append
        self.phase = phase
    }

    package var description: String { "append \(append) \(phase.rawValue)" }
}
