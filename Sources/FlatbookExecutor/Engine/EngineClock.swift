import ExchangeKit
import FlatbookCore

/// The exchanges' clocks and this host's (`reliability.md` §2.4, F18–F24).
///
/// Everything waits on the boot clock, so steps of the wall clock change nothing. What remains is the offset between
/// an exchange's clock and the boot clock, which signs, and a host that was asleep.
extension Engine {
    /// An offset older than this is measured anew: at 500 ppm of drift it is off by 150 ms, where replies are still told
    /// from stale ones (two seconds) and signatures are accepted (seconds, in every sheet).
    static let clockLife = TimeSpan.seconds(300)

    /// The host was asleep: what was in flight may have been executed, its connections are gone, and no clock offset is
    /// believed before it was measured again. The boot clock went on, so limits and deadlines count the sleep.
    func woke(after asleep: TimeSpan) throws(InvariantViolation) {
        notice(
            .warning("the host was asleep for \(asleep.milliseconds / 1000) s: what was in flight counts as unknown"))
        let held = Set(heldSends.map(\.flight))
        for id in flights.keys.sorted() where !held.contains(id) {
            let error = TransportError(.suspended, wasWritten: true, "the host was asleep while it was in flight")
            try failed(id, error)
        }
        wokeAt = now.instant
        for name in machine.accountOrder {
            // Time asleep is nobody's time to answer.
            guard let lane = lanes[name] else { continue }
            lane.limitWait = lane.limitWait + asleep
            for index in lane.passes.indices {
                lane.passes[index].giveUpAt = lane.passes[index].giveUpAt.map { $0 + asleep }
            }
        }
        for key in venueOrder where venues[key]?.phase == .ready {
            venues[key]?.isClockSuspect = true
            resyncClock(key)
        }
    }

    /// Asks an exchange for its time, beside whatever else is under way.
    func resyncClock(_ key: VenueKey) {
        guard venues[key]?.pass == nil else { return }
        venues[key]?.pass = ReadPass(id: makeID(), purpose: .venue, reads: [.serverTime])
    }

    /// Long runs measure again now and then: the host's clock may drift (F20).
    func refreshClock(_ key: VenueKey) {
        guard let venue = venues[key], venue.phase == .ready, let read = venue.clockReadAt,
            now.instant - read >= Self.clockLife
        else { return }
        resyncClock(key)
    }

    /// The exchange refused a timestamp: its clock is measured once more, then the account stops.
    ///
    /// Requests that were signed before that measurement ended say nothing about it and do not count.
    ///
    /// - Returns: true where the account may not go on.
    func isSkewedForGood(_ name: String, _ flight: Flight) -> Bool {
        guard let venue = venues[flight.venue], venue.pass == nil,
            venue.clockReadAt.map({ flight.dispatchedAt >= $0 }) ?? true
        else { return false }
        lanes[name]?.clockRetries += 1
        if (lanes[name]?.clockRetries ?? 0) > 1 { return true }
        resyncClock(flight.venue)
        return false
    }
}
