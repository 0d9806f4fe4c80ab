import ExchangeKit
import FlatbookCore

/// Keeps trouble where it is: an exchange that mostly fails, an endpoint that says the same "no" again and again, and
/// failures that hint at a fault of ours (`reliability.md` §2.5, contract §3 `maxFailures`).
extension Engine {
    /// Whether the exchange answered decides; what it answered does not.
    func noteHealth(of flight: Flight, isGood: Bool) {
        guard let name = flight.account else { return }
        venues[flight.venue]?.breaker.note(name, isGood: isGood, sentAt: flight.dispatchedAt, at: now.instant)
        let isFailing = venues[flight.venue]?.breaker.isExchangeFailing(at: now.instant) ?? false
        if isFailing, venues[flight.venue]?.isBreakerTold == false {
            notice(
                .warning(
                    "\(flight.venue) does not answer most accounts: their calls are held back, one probe goes every "
                        + "\(CircuitBreaker.probeInterval.milliseconds / 1000) s"))
        }
        venues[flight.venue]?.isBreakerTold = isFailing
    }

    /// A close waits only where the whole exchange fails, and this account with it.
    ///
    /// - Parameter breaker: a copy, because the venue itself is being changed while its planner asks.
    func closeHeldBack(_ name: String, by breaker: CircuitBreaker) -> Instant? {
        guard breaker.isExchangeFailing(at: now.instant) else { return nil }
        return breaker.holdsBack(name, isRepeat: false, at: now.instant)
    }

    /// "No"s that are about the call itself, as an exchange counts them; its own trouble and limits are not.
    private func isPunished(_ errorClass: ErrorClass) -> Bool {
        switch errorClass {
        case .adapt, .conflict, .market, .duplicateId, .fatalCall: true
        case .ok, .alreadyFlat, .retry, .rateLimited, .unknown, .clockSkew, .notFound, .fatalAccount, .fatalVenue:
            false
        }
    }

    /// Twenty equal errors of one way to close: it is not used for this account any more, other ways are.
    func tally(_ name: String, _ close: CloseCall, _ outcome: Outcome) {
        guard isPunished(outcome.errorClass), let lane = lanes[name] else { return }
        // What passes by itself is tried until the deadline (F47), and sizes are found by asking: both have bounds of their
        // own, and one such leg must not stop the others.
        if let obstacle = outcome.obstacle, obstacle.passes || obstacle == .tooLarge { return }
        if outcome.errorClass == .market, outcome.obstacle == nil { return }
        let operation = close.method.operation
        guard lanes[name]?.errors.note(route: operation, code: outcome.code, at: now.instant) == true,
            lane.stoppedOperations[operation] == nil
        else { return }
        lanes[name]?.stoppedOperations[operation] =
            "\(ErrorTally.most) answers \(outcome.code) \(outcome.message) within eight minutes"
        notice(.warning("\(name): \(operation) is stopped after \(ErrorTally.most) errors \(outcome.code)"))
        forgetQueued(name, venue: lane.venue)
        dirty.append(name)
    }

    /// Whether this read gave too many equal errors for its account.
    func stopsReading(_ name: String, _ outcome: Outcome, route: String) -> Bool {
        guard isPunished(outcome.errorClass) else { return false }
        return lanes[name]?.errors.note(route: route, code: outcome.code, at: now.instant) ?? false
    }

    // MARK: maxFailures

    /// Unmapped errors and refused signatures; broken invariants end the run at once.
    func noteSuspicion(_ name: String, _ outcome: Outcome, reply: TimedReply?, venue key: VenueKey) {
        guard let profile = venues[key]?.plugin.profile else { return }
        // A whole answer of the exchange itself, with a code that no table has.
        let isUnmapped =
            outcome.errorClass == .unknown && reply.map { $0.reply.status < 500 } ?? false
            && !outcome.code.hasPrefix("http-") && outcome.code != "malformed-reply"
        guard isUnmapped || profile.signatureCodes.contains(outcome.code) else { return }
        lanes[name]?.isSuspicious = true
        if isPaused(key), venues[key]?.isPauseTold == false {
            venues[key]?.isPauseTold = true
            notice(
                .warning(
                    "\(key): more than guards.maxFailures of its accounts failed unexpectedly, the last with "
                        + "\(outcome.code) \(outcome.message); no further account of it is begun"))
        }
    }

    /// Whether accounts of this exchange that have not begun must not begin (contract §3, `maxFailures`).
    func isPaused(_ key: VenueKey) -> Bool {
        guard let percent = machine.header?.plans.compactMap(\.guards.maxFailuresPercent).min() else { return false }
        let names = (venues[key]?.lanes ?? []).filter { lanes[$0]?.account.enabled == true }
        let suspicious = names.count { lanes[$0]?.isSuspicious == true }
        return names.count >= 5 && suspicious * 100 > percent * names.count
    }
}
