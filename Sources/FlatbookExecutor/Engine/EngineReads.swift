import ExchangeKit
import FlatbookCore

extension Engine {
    /// Puts a group of reads in line for permits.
    func startPass(_ purpose: ReadPass.Purpose, reads: [Read], lane name: String) {
        var pass = ReadPass(id: makeID(), purpose: purpose, reads: reads)
        if reads.isEmpty { pass.firstSentAt = now.instant }
        lanes[name]?.passes.append(pass)
        lanes[name]?.readsBlockedUntil = nil
    }

    /// Sends what is waiting, as far as permits go: exchanges first, then accounts in the order of priority.
    func pumpReads(_ key: VenueKey) throws(InvariantViolation) {
        guard venues[key]?.inFlight ?? 0 < configuration.maximumInFlight else { return }
        try pumpVenuePass(key)
        guard venues[key]?.phase == .ready, hasOpened else { return }
        for purposes in [[ReadPass.Purpose.identity, .snapshot], [.observation], [.orders, .final, .endings]] {
            lanes: for name in venues[key]?.lanes ?? [] {
                guard let lane = lanes[name], lane.phase != .ended, !lane.passes.isEmpty else { continue }
                if let blocked = lane.readsBlockedUntil, blocked > now.instant { continue }
                for pass in lane.passes where purposes.contains(pass.purpose) && !pass.waiting.isEmpty {
                    switch try pumpPass(pass.id, lane: name, venue: key) {
                    case .goOn: continue
                    case .laneBlocked: continue lanes
                    case .venueBlocked: return
                    }
                }
            }
        }
    }

    private enum PumpResult { case goOn, laneBlocked, venueBlocked }

    private func pumpPass(
        _ id: UInt64, lane name: String, venue key: VenueKey
    ) throws(InvariantViolation) -> PumpResult {
        while let index = lanes[name]?.passes.firstIndex(where: { $0.id == id }),
            let lane = lanes[name], let read = lane.passes[index].waiting.first, let venue = venues[key]
        {
            guard venue.inFlight < configuration.maximumInFlight else { return .venueBlocked }
            let purpose = lane.passes[index].purpose
            let request = venue.plugin.request(for: read, account: lane.account)
            let isRepeat = (lane.passes[index].attempts[read] ?? 0) > 0
            if let until = venue.breaker.holdsBack(name, isRepeat: isRepeat, at: now.instant) {
                if lane.waitingSince == nil { lanes[name]?.waitingSince = now.instant }
                lanes[name]?.readsBlockedUntil = until
                return .laneBlocked
            }
            let reserve = purpose == .identity || purpose == .snapshot ? 0 : venue.closesQueued
            let costs = try costs(
                of: request, account: lane.account, plugin: venue.plugin, egress: key.egress, reserve: reserve)
            switch venue.ledger.acquire(costs, at: now.instant) {
            case .granted(let permit):
                lanes[name]?.passes[index].waiting.removeFirst()
                lanes[name]?.passes[index].outstanding += 1
                if lane.passes[index].giveUpAt == nil {
                    lanes[name]?.passes[index].giveUpAt = now.instant + .seconds(20)
                }
                if let since = lane.waitingSince {
                    lanes[name]?.limitWait = lane.limitWait + (now.instant - since)
                    lanes[name]?.waitingSince = nil
                }
                venues[key]?.breaker.sent(name, isRepeat: isRepeat, at: now.instant)
                launch(
                    Flight(
                        kind: .read(read, pass: id), account: name, venue: key, request: request, permit: permit,
                        dispatchedAt: now.instant))
            case .denied(let blocking, let until):
                if lane.waitingSince == nil { lanes[name]?.waitingSince = now.instant }
                let again = until ?? now.instant + .seconds(1)
                lanes[name]?.readsBlockedUntil = again
                // Waiting for the limit is not counted (contract §3, Snapshot).
                if let end = lane.passes[index].giveUpAt, purpose != .endings {
                    lanes[name]?.passes[index].giveUpAt = max(end, again + .seconds(20))
                }
                if blocking.scope.contains("uid=") { return .laneBlocked }
                venues[key]?.nextPermitAt = min(venue.nextPermitAt ?? again, again)
                return .venueBlocked
            }
        }
        return .goOn
    }

    func pumpVenuePass(_ key: VenueKey) throws(InvariantViolation) {
        if let retry = venues[key]?.retryPassAt, retry > now.instant { return }
        while let venue = venues[key], let pass = venue.pass, let read = pass.waiting.first,
            let account = venue.lanes.first(where: isUsable).flatMap({ lanes[$0]?.account })
        {
            let request = venue.plugin.request(for: read, account: account)
            let costs = try costs(of: request, account: account, plugin: venue.plugin, egress: key.egress, reserve: 0)
            let permit: Permit
            switch venue.ledger.acquire(costs, at: now.instant) {
            case .granted(let taken): permit = taken
            case .denied(let blocking, let until):
                venues[key]?.nextPermitAt = until ?? now.instant + .milliseconds(100)
                venues[key]?.downReason = "kept out by the limit \(blocking.limit)"
                venues[key]?.isKeptOut = true
                return
            }
            venues[key]?.pass?.waiting.removeFirst()
            venues[key]?.pass?.outstanding += 1
            launch(
                Flight(
                    kind: .read(read, pass: pass.id), account: nil, venue: key, request: request, permit: permit,
                    dispatchedAt: now.instant))
        }
    }

    /// A read goes out in this step; nothing of the journal has to wait for it.
    func launch(_ flight: Flight) {
        let id = makeID()
        flights[id] = flight
        venues[flight.venue]?.inFlight += 1
        dispatch(id)
    }

    /// The costs of a request in all of its buckets, shares applied; `reserve` keeps room for closes in shared buckets.
    func costs(
        of request: VenueRequest, account: Account, plugin: any ExchangePlugin, egress: String, reserve: Int
    ) throws(InvariantViolation) -> [BucketCost] {
        let share = machine.accounts[account.name]?.plan.share ?? configuration.header.plans.first?.share ?? [:]
        return try RequestCosts(plugin: plugin, egress: egress, uid: uid(of: account), share: share)
            .costs(of: request, reserve: reserve)
    }

    func uid(of account: Account) -> String {
        machine.accounts[account.name]?.identity?.uid ?? account.uid ?? configuration.keyDigests[account.name]
            ?? account.name
    }

    // MARK: Answers

    func receivedRead(_ read: Read, pass id: UInt64, flight: Flight, reply: TimedReply) throws(InvariantViolation) {
        reads += 1
        guard let venue = venues[flight.venue] else { return }
        let account = flight.account.flatMap { lanes[$0]?.account } ?? venue.lanes.first.flatMap { lanes[$0]?.account }
        guard let account else { return }
        let result = venue.plugin.answer(to: read, in: reply.reply, account: account, instruments: venue.instruments)
        if case .executions(let query) = read { return try receivedExecutions(query, result, flight: flight) }
        let stamp = venue.plugin.serverTime(in: reply.reply)
        if case .answer(let answer) = result {
            if let name = flight.account {
                if isStale(stamp, sentAt: reply.sentAt, venue: venue) {
                    let old = Outcome(
                        effect: .none, errorClass: .retry, code: "stale-reply",
                        message: "the reply is older than the request")
                    return try readFailed(read, pass: id, lane: name, outcome: old, flight: flight)
                }
                try readAnswered(read, pass: id, lane: name, answer: answer, reply: reply, stamp: stamp)
            } else {
                try venueAnswered(flight.venue, answer: answer, reply: reply, read: read)
            }
        } else if case .failed(let outcome) = result {
            if let name = flight.account {
                try readFailed(read, pass: id, lane: name, outcome: outcome, flight: flight)
            } else {
                try venueReadFailed(flight.venue, read: read, outcome: outcome, flight: flight)
            }
        }
    }

    /// A cached or delayed answer proves nothing: its stamp lies before the request by more than clocks can differ.
    private func isStale(_ stamp: WallTime?, sentAt: Instant, venue: Venue) -> Bool {
        guard let stamp, let offset = venue.clockOffset else { return false }
        return stamp.milliseconds < sentAt.nanoseconds / 1_000_000 + offset - 2000
    }

    private func venueAnswered(
        _ key: VenueKey, answer: ReadAnswer, reply: TimedReply, read: Read
    ) throws(InvariantViolation) {
        venues[key]?.pass?.outstanding -= 1
        venues[key]?.isKeptOut = false
        venues[key]?.answered += 1
        switch answer {
        case .serverTime(let time):
            let middle = (reply.sentAt.nanoseconds + reply.receivedAt.nanoseconds) / 2_000_000
            venues[key]?.clockOffset = time.milliseconds - middle
            venues[key]?.clockReadAt = now.instant
            venues[key]?.isClockSuspect = false
        case .instruments(let instruments, let next):
            venues[key]?.instruments.add(instruments)
            if let next, case .instruments(let product, _) = read, (venues[key]?.pass?.pages ?? 0) < 200 {
                venues[key]?.pass?.pages += 1
                venues[key]?.pass?.waiting.append(.instruments(product: product, cursor: next))
            }
        case .identity, .positions, .orders, .control, .endings, .executions: break
        }
        if venues[key]?.pass?.isComplete == true, venues[key]?.clockOffset != nil {
            venues[key]?.pass = nil
            if venues[key]?.phase == .contacting { venues[key]?.phase = .ready }
            for name in venues[key]?.lanes ?? [] { lanes[name]?.readsBlockedUntil = nil }
        }
    }

    /// Contact is tried for ten seconds; then the exchange is down and holds up no other. A resumed run has calls to
    /// account for and goes on trying until its deadline.
    func venueReadFailed(
        _ key: VenueKey, read: Read, outcome: Outcome, flight: Flight
    ) throws(InvariantViolation) {
        venues[key]?.pass?.outstanding -= 1
        if outcome.errorClass == .rateLimited || outcome.penalty != nil { penalize(outcome, flight: flight) }
        venues[key]?.downReason = outcome.message.isEmpty ? outcome.code : outcome.message
        let waited = now.instant - (venues[key]?.began ?? now.instant)
        let isHopeless = ["tls", "dns", "connection-refused"].contains(outcome.code) && waited > .seconds(2)
        let isGivenUp = isResumed ? now.instant >= resumeDeadline : isHopeless || waited > .seconds(10)
        if venues[key]?.phase == .contacting, isGivenUp {
            venues[key]?.phase = .down
            venues[key]?.pass = nil
            return
        }
        let attempts = venues[key]?.pass?.attempts[read, default: 0] ?? 0
        venues[key]?.pass?.attempts[read] = attempts + 1
        venues[key]?.pass?.waiting.append(read)
        // Contact is short and has an end; a clock that is only measured again waits longer and longer.
        let isContact = venues[key]?.phase == .contacting
        let again = now.instant + .milliseconds(isContact ? 250 : 250 << min(5, Int64(attempts)))
        venues[key]?.nextPermitAt = again
        venues[key]?.retryPassAt = again
    }

    private func readAnswered(
        _ read: Read, pass id: UInt64, lane name: String, answer: ReadAnswer, reply: TimedReply, stamp: WallTime?
    ) throws(InvariantViolation) {
        guard let index = lanes[name]?.passes.firstIndex(where: { $0.id == id }),
            var pass = lanes[name]?.passes[index]
        else { return }
        pass.outstanding -= 1
        pass.firstSentAt = min(pass.firstSentAt ?? reply.sentAt, reply.sentAt)
        pass.lastReceivedAt = max(pass.lastReceivedAt ?? reply.receivedAt, reply.receivedAt)
        if let stamp { pass.serverTime = min(pass.serverTime ?? stamp, stamp) }
        switch (answer, read) {
        case (.identity(let identity), _):
            lanes[name]?.passes.remove(at: index)
            return try identified(name, identity)
        case (.positions(let rows, let next), .positions(let product, _)):
            pass.positions += rows
            if let next {
                pass.nextPage(.positions(product: product, cursor: next))
            } else {
                pass.productsRead += lanes[name]?.partition(product)?.covers ?? [product]
            }
        case (.orders(let rows, let next), .orders(let product, let list, _)):
            for row in rows where pass.sourceOf[row.id] == nil {
                // An order that fills between two reads can stand in two lists.
                pass.orders.append(row)
                pass.sourceOf[row.id] = .orders(product: product, list: list, cursor: nil)
            }
            if let next { pass.nextPage(.orders(product: product, list: list, cursor: next)) }
        case (.control(let isConsistent), .control(let product)):
            let covers = lanes[name]?.partition(product)?.covers ?? [product]
            if isConsistent { pass.controlled += covers } else { pass.controlShowsOpen += covers }
        case (.endings(let endings), .endings): pass.endings += endings
        default: pass.isFailed = true
        }
        lanes[name]?.passes[index] = pass
    }

    func readFailed(
        _ read: Read, pass id: UInt64, lane name: String, outcome: Outcome, flight: Flight
    ) throws(InvariantViolation) {
        guard let index = lanes[name]?.passes.firstIndex(where: { $0.id == id }),
            var pass = lanes[name]?.passes[index]
        else { return }
        pass.outstanding -= 1
        if try learns(name, outcome) {
            // The new kind of account has reads of its own; where it has the same ones, this is asked again.
            if let again = lanes[name]?.passes.firstIndex(where: { $0.id == id }) {
                pass.waiting.append(read)
                lanes[name]?.passes[again] = pass
            }
            return
        }
        if pass.purpose == .endings {
            // Good to know, and nothing hangs on it.
            if outcome.errorClass == .rateLimited || outcome.penalty != nil { penalize(outcome, flight: flight) }
            return try skip(read, pass: pass, at: index, lane: name, outcome: outcome)
        }
        lanes[name]?.lastFailure = outcome
        noteSuspicion(name, outcome, reply: nil, venue: flight.venue)
        if stopsReading(name, outcome, route: flight.request.route), !isOptional(pass.purpose) {
            pass.isFailed = true
            lanes[name]?.readsStopped = true
        }
        var delay = TimeSpan.milliseconds(200)
        switch outcome.errorClass {
        case .fatalAccount:
            if outcome.refusal == .permission, isOptional(pass.purpose) {
                return try skip(read, pass: pass, at: index, lane: name, outcome: outcome)
            }
            if leaveOut(read, pass: pass, at: index, lane: name, outcome: outcome) { return }
            return try refuse(name, outcome)
        case .fatalVenue: return try refuse(name, outcome)
        case .rateLimited:
            penalize(outcome, flight: flight)
        case .clockSkew:
            let attempts = (pass.attempts[read] ?? 0) + 1
            pass.attempts[read] = attempts
            // Where the exchange's time cannot be read either, the end comes by count.
            if isSkewedForGood(name, flight) || attempts >= 12 { return try refuse(name, outcome) }
            delay = Self.backOff(attempts)
        case .ok, .alreadyFlat, .retry, .unknown, .adapt, .conflict, .market, .duplicateId, .notFound, .fatalCall:
            if outcome.penalty != nil { penalize(outcome, flight: flight) }
            let attempts = (pass.attempts[read] ?? 0) + 1
            pass.attempts[read] = attempts
            if isOptional(pass.purpose),
                attempts >= (pass.purpose == .identity ? 12 : 4) || outcome.refusal == .permission
            {
                return try skip(read, pass: pass, at: index, lane: name, outcome: outcome)
            }
            if outcome.errorClass == .fatalCall, attempts >= 3 { pass.isFailed = true }
            delay = Self.backOff(attempts)
        }
        pass.waiting.append(read)
        lanes[name]?.passes[index] = pass
        let blocked = lanes[name]?.readsBlockedUntil ?? now.instant
        lanes[name]?.readsBlockedUntil = max(blocked, now.instant + delay)
    }

    /// Slower and slower: BingX shuts a route after some twenty equal errors in eight minutes.
    private static func backOff(_ attempts: Int) -> TimeSpan { .milliseconds(200 << min(6, Int64(attempts) - 1)) }

    /// Identity, orders and control help; positions decide.
    private func isOptional(_ purpose: ReadPass.Purpose) -> Bool {
        switch purpose {
        case .identity, .orders, .final, .endings: true
        case .venue, .snapshot, .observation: false
        }
    }

    private func skip(
        _ read: Read, pass: ReadPass, at index: Int, lane name: String, outcome: Outcome
    ) throws(InvariantViolation) {
        if pass.purpose == .identity {
            lanes[name]?.passes.remove(at: index)
            // Where the key may not read it, its digest stands in; any other failure leaves open whose account it is.
            if outcome.refusal == .permission { return try identified(name, Identity()) }
            return try snapshotFailed(name)
        }
        var pass = pass
        if case .orders = read { pass.isFailed = true }
        lanes[name]?.passes[index] = pass
    }

    /// A 429, a lock or a ban: the scope is closed before the next dispatch (I15, I23).
    func penalize(_ outcome: Outcome, flight: Flight) {
        let hinted = outcome.penalty.flatMap { hint in flight.permit.costs.first { $0.key.limit == hint.limit } }
        guard
            let cost = hinted ?? flight.permit.costs.first(where: { $0.key.scope.contains("uid=") })
                ?? flight.permit.costs.first
        else { return }
        let offset = venues[flight.venue]?.clockOffset
        let left = outcome.penalty?.timeLeft(at: now.instant, clockOffset: offset) ?? .zero
        let duration = max(outcome.penalty?.duration ?? cost.window, cost.window, left)
        venues[flight.venue]?.rejections[cost.key.limit, default: 0] += 1
        close(cost.key, for: duration, evidence: "\(outcome.code) \(outcome.message)", venue: flight.venue)
        if outcome.penalty?.until != nil { widenBox(cost.key.limit, for: duration, flight) }
        widenIfShared(flight)
    }

    /// The same box for a second account within two seconds: the address is meant (`venue-model.md` §1).
    private func widenBox(_ limit: String, for duration: TimeSpan, _ flight: Flight) {
        guard let name = flight.account else { return }
        var boxes = venues[flight.venue]?.recentBoxes[limit] ?? []
        boxes.removeAll { now.instant - $0.at > .seconds(2) || $0.account == name }
        boxes.append((name, now.instant))
        venues[flight.venue]?.recentBoxes[limit] = boxes
        guard boxes.count >= 2,
            let shared = flight.permit.costs.first(where: {
                $0.key.scope.hasPrefix("ip=") && $0.key.scope.contains("route=")
            })
        else { return }
        close(shared.key, for: duration, evidence: "two accounts were shut out of it at once", venue: flight.venue)
    }

    /// Three accounts refused within two seconds behind one address: the address is meant (`venue-model.md` §1).
    private func widenIfShared(_ flight: Flight) {
        guard let name = flight.account, let venue = venues[flight.venue] else { return }
        venue.recentRejections.removeAll { now.instant - $0.at > .seconds(2) || $0.account == name }
        venue.recentRejections.append((name, now.instant))
        let isShared = venue.recentRejections.count >= 3
        if isShared {
            venue.recentRejections = []
            venue.widenings += 1
        }
        guard isShared,
            let ip = flight.permit.costs.first(where: {
                $0.key.scope.hasPrefix("ip=") && !$0.key.scope.contains("route=")
            })
        else { return }
        close(
            ip.key, for: .seconds(min(300, 1 << min(9, venue.widenings))),
            evidence: "three accounts were refused within two seconds", venue: flight.venue)
    }

    private func close(_ bucket: BucketKey, for duration: TimeSpan, evidence: String, venue key: VenueKey) {
        let penalty = Penalty(bucket: bucket, until: now.instant + duration + .milliseconds(50), evidence: evidence)
        venues[key]?.ledger.penalize(penalty)
        if hasOpened { _ = try? record(.penalty(penalty, exchange: key.exchange)) }
        notice(.penalty(penalty, exchange: key.exchange))
    }
}

extension ReadPass {
    /// A cursor that never ends is a failed read (F57).
    mutating func nextPage(_ read: Read) {
        pages += 1
        if pages > 500 { isFailed = true } else { waiting.append(read) }
    }
}
