import ExchangeKit
import FlatbookCore

extension Engine {
    /// What is ready goes out: closes before cancels before reads, as far as permits go (I24).
    func pump() throws(InvariantViolation) {
        guard stopping == nil, end == nil else { return }
        for key in venueOrder {
            venues[key]?.nextPermitAt = nil
            refreshClock(key)
            if venues[key]?.isClockSuspect == true {
                try pumpVenuePass(key)
                continue
            }
            if mayMutate, hasOpened, isBarrierOpen {
                try pumpCloses(key)
            }
            if mayMutate, hasOpened, isBarrierOpen { try pumpCancels(key) }
            if let retry = venues[key]?.retryPassAt {
                if retry > now.instant, venues[key]?.phase == .contacting { continue }
                if retry <= now.instant { venues[key]?.retryPassAt = nil }
            }
            try pumpReads(key)
            try pumpExecutions(key)
        }
    }

    /// Whether anything that changes something may be sent at all.
    var mayMutate: Bool {
        configuration.mode == .run && stopping == nil && end == nil && (!isPastDeadline || continuesAfterDeadline)
    }

    var isPastDeadline: Bool { hasOpened && now.instant >= machine.deadline }

    var continuesAfterDeadline: Bool {
        machine.header?.plans.allSatisfy { $0.guards.afterDeadline == .continue } ?? false
    }

    private func pumpCloses(_ key: VenueKey) throws(InvariantViolation) {
        guard let plugin = venues[key]?.plugin, let ledger = venues[key]?.ledger else { return }
        while venues[key]?.inFlight ?? 0 < configuration.maximumInFlight {
            var broken: InvariantViolation?
            let breaker = venues[key]?.breaker ?? CircuitBreaker()
            // No copy of the venue may be alive here: the planner would be copied with every call.
            let step = venues[key]?.planner.next(at: now.instant) { call in
                guard let account = lanes[call.account]?.account else {
                    return .denied(blocking: BucketKey(limit: "", scope: "uid="), until: nil)
                }
                if let until = waitsForTakeOver(call) {
                    return .denied(blocking: BucketKey(limit: "take-over", scope: "uid=\(call.account)"), until: until)
                }
                if let until = closeHeldBack(call.account, by: breaker) {
                    return .denied(blocking: BucketKey(limit: "circuit breaker", scope: "uid="), until: until)
                }
                do throws(InvariantViolation) {
                    let request = plugin.request(for: .close(call), account: account)
                    let costs = try costs(
                        of: request, account: account, plugin: plugin, egress: key.egress, reserve: 0)
                    return ledger.acquire(costs, at: now.instant)
                } catch {
                    broken = error
                    return .denied(blocking: BucketKey(limit: "", scope: ""), until: nil)
                }
            }
            if let broken { throw broken }
            switch step {
            case .call(let call, let permit):
                let left = (venues[key]?.closesQueued ?? 1) - 1
                venues[key]?.closesQueued = max(0, left)
                if isGone(call) {
                    // While it waited, a read showed that there is nothing left to close.
                    ledger.release(permit)
                    venues[key]?.planner.ready(account: call.account)
                    wake(call.account, at: now.instant)
                } else {
                    try intend(.close(call), venue: key, permit: permit)
                }
            case .wait(let until, let binding):
                venues[key]?.binding = binding
                let earlier = venues[key]?.nextPermitAt ?? until
                if let until { venues[key]?.nextPermitAt = min(earlier ?? until, until) }
                return
            case .idle, nil: return
            }
        }
    }

    private func isGone(_ call: CloseCall) -> Bool {
        call.legs.allSatisfy { machine.accounts[call.account]?.legs[$0]?.current == nil }
    }

    private func pumpCancels(_ key: VenueKey) throws(InvariantViolation) {
        for name in venues[key]?.lanes ?? [] {
            while let cancel = lanes[name]?.cancels.first, let lane = lanes[name], let venue = venues[key],
                // Freeze follows the snapshot (`reliability.md` §1.5): an account that could not be read loses no order.
                machine.accounts[name]?.snapshot != nil, lane.identityDone, venue.isIdentified, lane.stop == nil,
                lane.cancelsBlockedUntil.map({ $0 <= now.instant }) ?? true,
                venue.inFlight < configuration.maximumInFlight
            {
                if let until = venue.breaker.holdsBack(name, isRepeat: lane.cancelRounds > 0, at: now.instant) {
                    lanes[name]?.cancelsBlockedUntil = until
                    break
                }
                let request = venue.plugin.request(for: .cancel(cancel), account: lane.account)
                let costs = try costs(
                    of: request, account: lane.account, plugin: venue.plugin, egress: key.egress,
                    reserve: venue.closesQueued)
                switch venue.ledger.acquire(costs, at: now.instant) {
                case .granted(let permit):
                    lanes[name]?.cancels.removeFirst()
                    try intend(.cancel(cancel), venue: key, permit: permit)
                case .denied(_, let until):
                    let again = until ?? now.instant + .seconds(1)
                    lanes[name]?.cancelsBlockedUntil = again
                    venues[key]?.nextPermitAt = min(venue.nextPermitAt ?? again, again)
                }
            }
        }
    }

    /// Journals the intent; the request is signed and sent once it is durable (I1).
    private func intend(_ mutation: Mutation, venue key: VenueKey, permit: Permit) throws(InvariantViolation) {
        guard let venue = venues[key], let lane = lanes[mutation.account],
            let state = machine.accounts[mutation.account]
        else { return }
        let callID = "\(mutation.account)/\(state.nextCallNumber)"
        var mutation = mutation
        if case .close(var close) = mutation {
            close.attemptID = attemptID(callID)
            mutation = .close(close)
        }
        let request = venue.plugin.request(for: mutation, account: lane.account)
        var attempt = 1
        var repeats: String?
        var plannedAt: TimeSpan?
        if case .close(let close) = mutation {
            attempt = 1 + (close.legs.map { state.legs[$0]?.calls.count ?? 0 }.max() ?? 0)
            repeats = lane.queuedRepeat
            plannedAt = lane.plannedAt["\(close.product) \(close.target)"]
        }
        var intent = CallIntent(
            id: callID, attempt: attempt, mutation: mutation,
            requestDigest: digest(of: request),
            life: venue.plugin.profile.signatureLife + Self.lifeMargin,
            plannedAt: plannedAt, limitWait: lane.limitWaitOfNext(now.instant), repeats: repeats)
        intent.lockEpoch = configuration.locks.epoch(of: mutation.account)
        try record(.intent(intent))
        venues[key]?.breaker.sent(mutation.account, isRepeat: attempt > 1, at: now.instant)
        let id = makeID()
        flights[id] = Flight(
            kind: .mutation(intent), account: mutation.account, venue: key, request: request, permit: permit,
            dispatchedAt: now.instant)
        venues[key]?.inFlight += 1
        lanes[mutation.account]?.mutationsInFlight += 1
        if firstSendAt == nil { firstSendAt = now.instant }
        newSends.append(id)
        notice(.callStarted(intent))
    }

    /// 128 bits that no other attempt of any run has, and that the journal alone can make again.
    private func attemptID(_ call: String) -> String {
        let digest = configuration.digest(Array("\(configuration.header.id)\n\(call)".utf8))
        return String(digest.drop { $0 != ":" }.dropFirst().prefix(32))
    }

    /// Two seconds in which a permit may be used, one of clock error, five for requests queued behind the exchange's gateway.
    static var lifeMargin: TimeSpan { .seconds(8) }

    func digest(of request: VenueRequest) -> String {
        let text = "\(request.method.rawValue)\n\(request.path)\n\(request.rawQuery)\n"
        return configuration.digest(Array(text.utf8) + request.body)
    }

    /// The intent is durable: send, unless the run was stopped, the account was fenced or time ran out meanwhile.
    func sendOrDrop(_ id: UInt64) throws(InvariantViolation) {
        guard let flight = flights[id], case .mutation(let intent) = flight.kind else { return }
        let reason: String? =
            if end != nil || stopping != nil {
                "stopped before it was sent"
            } else if !configuration.locks.isStillHeld(intent.mutation.account) {
                Self.fencedReason
            } else if !mayMutate {
                "the deadline passed before it was sent"
            } else if venues[flight.venue]?.isClockSuspect == true {
                "the host was asleep before it was sent"
            } else {
                nil
            }
        guard let reason else {
            if case .close(let close) = intent.mutation, close.method.isSized {
                configuration.locks.signs(close.account, now: now)
            }
            return dispatch(id)
        }
        let outcome = Outcome(effect: .none, errorClass: .retry, code: "not-sent", message: reason)
        if reason == Self.fencedReason { fence(intent.mutation.account) }
        try conclude(id, flight: flight, intent: intent, outcome: outcome, reply: nil)
    }

    func dispatch(_ id: UInt64) {
        guard var flight = flights[id], let venue = venues[flight.venue] else { return }
        flight.dispatchedAt = now.instant
        flights[id] = flight
        let isMutation: Bool
        switch flight.kind {
        case .read: isMutation = false
        case .mutation: isMutation = true
        }
        effects.append(
            .send(
                Dispatch(
                    id: id, account: flight.account, venue: flight.venue, request: flight.request,
                    isMutation: isMutation, clockOffset: venue.clockOffset, dispatchedAt: now.instant,
                    timeout: isMutation ? .seconds(10) : .seconds(5))))
    }

    // MARK: Answers

    func received(_ id: UInt64, _ reply: TimedReply) throws(InvariantViolation) {
        guard let flight = flights.removeValue(forKey: id) else { return }
        if let name = flight.account { dirty.append(name) }
        venues[flight.venue]?.inFlight -= 1
        venues[flight.venue]?.ledger.settle(flight.permit, at: reply.receivedAt)
        roundTrips.append((reply.receivedAt - reply.sentAt).nanoseconds)
        noteHealth(of: flight, isGood: reply.reply.status < 500)
        switch flight.kind {
        case .read(let read, let pass): try receivedRead(read, pass: pass, flight: flight, reply: reply)
        case .mutation(let intent):
            guard let venue = venues[flight.venue], let account = lanes[intent.mutation.account]?.account else {
                return
            }
            let outcome = venue.plugin.outcome(of: intent.mutation, in: reply.reply, account: account)
            try conclude(id, flight: flight, intent: intent, outcome: outcome, reply: reply)
        }
    }

    func failed(_ id: UInt64, _ error: TransportError) throws(InvariantViolation) {
        guard let flight = flights.removeValue(forKey: id) else { return }
        if let name = flight.account { dirty.append(name) }
        venues[flight.venue]?.inFlight -= 1
        if !error.code.isOurs { noteHealth(of: flight, isGood: false) }
        if error.wasWritten {
            venues[flight.venue]?.ledger.abandon(flight.permit, at: now.instant, allowance: .seconds(5))
        } else {
            venues[flight.venue]?.ledger.release(flight.permit)
        }
        switch flight.kind {
        case .read(let read, let pass):
            let outcome = Outcome(
                effect: .none, errorClass: .retry, code: error.code.rawValue, message: error.message)
            if case .executions(let query) = read {
                try receivedExecutions(query, .failed(outcome), flight: flight)
            } else if let name = flight.account {
                try readFailed(read, pass: pass, lane: name, outcome: outcome, flight: flight)
            } else {
                try venueReadFailed(flight.venue, read: read, outcome: outcome, flight: flight)
            }
        case .mutation(let intent):
            let outcome = Outcome(
                effect: error.wasWritten ? .unknown : .none, errorClass: error.wasWritten ? .unknown : .retry,
                code: error.code.rawValue, message: error.message)
            if error.code == .fenced { fence(intent.mutation.account) }
            try conclude(id, flight: flight, intent: intent, outcome: outcome, reply: nil)
        }
    }

    /// The outcome goes to the journal before anything depends on it.
    private func conclude(
        _ id: UInt64, flight: Flight, intent: CallIntent, outcome: Outcome, reply: TimedReply?
    ) throws(InvariantViolation) {
        if flights.removeValue(forKey: id) != nil {
            venues[flight.venue]?.inFlight -= 1
            venues[flight.venue]?.ledger.release(flight.permit)
        }
        let name = intent.mutation.account
        dirty.append(name)
        lanes[name]?.mutationsInFlight -= 1
        let stamp = reply.flatMap { venues[flight.venue]?.plugin.serverTime(in: $0.reply) }
        let result = CallResult(
            id: intent.id, account: name, outcome: outcome, sentAt: reply?.sentAt,
            answeredAt: reply?.receivedAt ?? now.instant, serverTime: stamp,
            deadAt: outcome.effect == .unknown ? flight.dispatchedAt + intent.life : nil)
        try record(.outcome(result))
        notice(.callEnded(result, operation: intent.mutation.operation, target: intent.mutation.target))
        // A ban may come with an answer whose effect is unknown: the scope is closed all the same (I15, I23).
        if outcome.errorClass == .rateLimited || outcome.penalty != nil { penalize(outcome, flight: flight) }
        if outcome.errorClass == .clockSkew, isSkewedForGood(name, flight) { stopCalls(name, outcome) }
        let hasLearned = try learns(name, outcome)
        noteSuspicion(name, outcome, reply: reply, venue: flight.venue)
        switch intent.mutation {
        case .close(let close):
            venues[flight.venue]?.planner.ready(account: name)
            freeHeldSize(name, close)
            tally(name, close, outcome)
            let isFatal = outcome.errorClass == .fatalAccount || outcome.errorClass == .fatalVenue
            if isFatal, !hasLearned { stopCalls(name, outcome) }
        case .cancel(let cancel): cancelled(name, cancel, outcome)
        }
    }

    /// No more calls for this account; what is open is still read and told.
    func stopCalls(_ name: String, _ outcome: Outcome) {
        guard lanes[name]?.stop == nil, let key = lanes[name]?.venue else { return }
        lanes[name]?.stop = ("\(outcome.code) \(outcome.message)", outcome.refusal == nil ? .rule : .credentials)
        lanes[name]?.lastFailure = outcome
        lanes[name]?.cancels = []
        forgetQueued(name, venue: key)
    }

    func forgetQueued(_ name: String, venue key: VenueKey) {
        let queued = venues[key]?.planner.queued(account: name) ?? 0
        let left = (venues[key]?.closesQueued ?? 0) - queued
        venues[key]?.closesQueued = max(0, left)
        venues[key]?.planner.remove(account: name)
    }

    /// No right to cancel does not stop a close: it is reported as openers that remain.
    private func cancelled(_ name: String, _ cancel: CancelCall, _ outcome: Outcome) {
        switch outcome.errorClass {
        case .ok, .alreadyFlat, .notFound:
            let failed = Set(
                outcome.rows.filter { $0.errorClass != .ok && $0.errorClass != .notFound }.compactMap(\.orderID))
            let gone = Set(cancel.orderIDs).subtracting(failed)
            lanes[name]?.orders?.removeAll { gone.contains($0.id) }
        case .fatalAccount, .fatalCall, .fatalVenue: lanes[name]?.mayCancel = false
        case .retry, .rateLimited, .unknown, .clockSkew, .adapt, .conflict, .market, .duplicateId:
            guard (lanes[name]?.cancelRounds ?? 0) < 6 else { return }
            lanes[name]?.cancelRounds += 1
            lanes[name]?.cancels.append(cancel)
            lanes[name]?.cancelsBlockedUntil = now.instant + .seconds(1)
        }
    }
}

extension Lane {
    /// How long the next close of this account has waited for a permit since it could go.
    func limitWaitOfNext(_ now: Instant) -> TimeSpan {
        closeReadyAt.map { max(.zero, now - $0) } ?? .zero
    }
}
