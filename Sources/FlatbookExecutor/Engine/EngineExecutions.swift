import ExchangeKit
import FlatbookCore

/// Reads of what one account's closes filled, after its end.
struct ExecutionPass {
    /// All of them, to be asked anew in each round: fills may be listed late.
    let queries: [ExecutionQuery]
    /// Ids of our own orders, given by the exchange or by us; rows of others are left out.
    let orders: Set<String>
    /// Waiting for a permit.
    var waiting: [ExecutionQuery]
    var outstanding = 0
    var rows: [Execution] = []
    var rounds = 1
    var pages = 0
    var notBefore: Instant
    var failure: String?
}

/// Average price, fee and profit for the report, read when an account has its verdict and nothing hangs on them any more.
///
/// They come last (`reliability.md` §3, tiers): the buckets that accounts share keep room for all that accounts without
/// a verdict may still need, and the run's end waits for them no longer than ``Engine/executionPatience``.
struct ExecutionReads {
    var passes: [String: ExecutionPass] = [:]
    /// Accounts in the order of their ends.
    var queue: [String] = []
    var blockedUntil: [VenueKey: Instant] = [:]
    /// The end of the run waits until then.
    var until: Instant?
    /// Accounts of which something is not known, and the first reason.
    var missed = 0
    var reason: String?
}

extension Engine {
    /// How long after the last verdict the run still waits for fills.
    static let executionPatience = TimeSpan.seconds(2)
    /// Rounds of reads for one account, with pauses between them.
    static let executionRounds = 3
    /// Pages of one list: a busy account's other orders are not all worth reading.
    static let executionPages = 5
    /// Requests that an account without a verdict may still need in buckets that accounts share, closes apart.
    static let requestsLeft = 10
    /// Earlier than the first close by any clock error that a signed request survives.
    static let executionMargin = TimeSpan.seconds(60)

    /// After the account's verdict: what is to be asked of its closes.
    func planExecutions(_ name: String) {
        guard configuration.mode == .run, stopping == nil, end == nil, let lane = lanes[name],
            let venue = venues[lane.venue], let offset = venue.clockOffset, let account = machine.accounts[name]
        else { return }
        let legs = account.legOrder.compactMap { account.legs[$0] }.filter { $0.executedByUs && $0.current == nil }
        let first = legs.compactMap(\.firstIntentWall).map(\.milliseconds).min()
        var ids: Set<String> = []
        let calls = legs.flatMap(\.calls).filter { ids.insert($0).inserted }.compactMap { machine.calls[$0] }
        let closes = calls.compactMap { call -> ExecutedClose? in
            guard case .close(let close) = call.intent.mutation else { return nil }
            let outcome = call.result?.outcome
            guard outcome?.effect != Effect.none || outcome?.orderIDs.isEmpty == false else { return nil }
            return ExecutedClose(call: close, orderIDs: outcome?.orderIDs ?? [])
        }
        guard let first, !closes.isEmpty else { return }
        let until = now.instant.nanoseconds / 1_000_000 + offset
        let age = TimeSpan.milliseconds(now.wall.milliseconds - first) + Self.executionMargin
        let queries = venue.plugin.executionReads(
            of: closes, since: WallTime(milliseconds: until - age.milliseconds), until: WallTime(milliseconds: until),
            account: lane.account)
        guard !queries.isEmpty else { return }
        let own = closes.flatMap { $0.orderIDs + [$0.call.attemptID?.lowercased()].compactMap(\.self) }
        executions.passes[name] = ExecutionPass(
            queries: queries, orders: Set(own), waiting: queries, notBefore: now.instant)
        executions.queue.append(name)
    }

    /// Sends what is waiting, after everything else and only into room that nobody else needs (I24).
    func pumpExecutions(_ key: VenueKey) throws(InvariantViolation) {
        guard !executions.queue.isEmpty, stopping == nil, end == nil, let venue = venues[key],
            executions.blockedUntil[key].map({ $0 <= now.instant }) ?? true
        else { return }
        let living = venue.lanes.count { lanes[$0]?.phase != .ended }
        let most = living == 0 ? configuration.maximumInFlight : configuration.maximumInFlight / 4
        let reserve = venue.closesQueued + living * Self.requestsLeft
        for name in executions.queue {
            guard let lane = lanes[name], lane.venue == key else { continue }
            while let pass = executions.passes[name], let query = pass.waiting.first, pass.notBefore <= now.instant {
                guard venues[key]?.inFlight ?? 0 < most else { return }
                let request = venue.plugin.request(for: .executions(query), account: lane.account)
                let costs = try costs(
                    of: request, account: lane.account, plugin: venue.plugin, egress: key.egress, reserve: reserve)
                switch venue.ledger.acquire(costs, at: now.instant) {
                case .granted(let permit):
                    executions.passes[name]?.waiting.removeFirst()
                    executions.passes[name]?.outstanding += 1
                    launch(
                        Flight(
                            kind: .read(.executions(query), pass: 0), account: name, venue: key, request: request,
                            permit: permit, dispatchedAt: now.instant))
                case .denied(let blocking, let until):
                    let again = until ?? now.instant + .milliseconds(100)
                    if blocking.scope.contains("uid=") {
                        executions.passes[name]?.notBefore = again
                    } else {
                        executions.blockedUntil[key] = again
                        return
                    }
                }
            }
        }
    }

    /// One page, or the lack of it. Whatever it is, it changes figures and nothing else.
    func receivedExecutions(
        _ query: ExecutionQuery, _ result: ReadResult, flight: Flight
    ) throws(InvariantViolation) {
        guard let name = flight.account, var pass = executions.passes[name] else { return }
        pass.outstanding -= 1
        switch result {
        case .answer(.executions(let rows, let next)):
            pass.rows += rows.filter { row in
                pass.orders.contains(row.orderID)
                    || row.clientOrderID.map { pass.orders.contains($0.lowercased()) } ?? false
            }
            pass.pages += 1
            if let next, pass.pages < Self.executionPages * pass.queries.count {
                var further = query
                further.cursor = next
                pass.waiting.append(further)
            }
        case .answer: pass.failure = "another answer than was asked for"
        case .failed(let outcome):
            pass.failure = "\(outcome.code) \(outcome.message)"
            if outcome.errorClass == .rateLimited || outcome.penalty != nil { penalize(outcome, flight: flight) }
            // A right that the key lacks does not come by asking again.
            if outcome.errorClass == .fatalAccount || outcome.refusal != nil { pass.rounds = Self.executionRounds }
        }
        executions.passes[name] = pass
        guard pass.waiting.isEmpty, pass.outstanding == 0 else { return }
        let isWhole = machine.accounts[name]?.hasFigures(with: pass.found(for: name), calls: machine.calls) ?? true
        if isWhole || pass.rounds >= Self.executionRounds { return try endExecutions(name, isWhole: isWhole) }
        executions.passes[name]?.rounds += 1
        executions.passes[name]?.rows = []
        executions.passes[name]?.pages = 0
        executions.passes[name]?.waiting = pass.queries
        executions.passes[name]?.notBefore = now.instant + .milliseconds(Int64(300 * pass.rounds))
    }

    private func endExecutions(_ name: String, isWhole: Bool) throws(InvariantViolation) {
        guard let pass = executions.passes.removeValue(forKey: name) else { return }
        executions.queue.removeAll { $0 == name }
        let found = pass.found(for: name)
        if !found.orders.isEmpty { try record(.executed(found)) }
        guard !isWhole else { return }
        executions.missed += 1
        if executions.reason == nil {
            executions.reason = "\(name): \(pass.failure ?? "not all of its fills are listed")"
        }
    }

    /// Whether the end of the run still waits for fills. What is not known when the time is over stays unknown.
    func awaitsExecutions() throws(InvariantViolation) -> Bool {
        if !executions.queue.isEmpty {
            let until = executions.until ?? now.instant + Self.executionPatience
            executions.until = until
            guard now.instant >= until else { return true }
            for name in executions.queue { try endExecutions(name, isWhole: false) }
        }
        if executions.missed > 0 {
            notice(
                .warning(
                    "average prices, fees or profits of \(executions.missed) accounts are not known ("
                        + (executions.reason ?? "") + ")"))
        }
        return false
    }

    /// When fills are worth another step.
    func executionWake() -> Instant? {
        guard !executions.queue.isEmpty else { return nil }
        let waiting = executions.queue.compactMap { name -> Instant? in
            guard let pass = executions.passes[name], !pass.waiting.isEmpty, let lane = lanes[name] else { return nil }
            return max(pass.notBefore, executions.blockedUntil[lane.venue] ?? pass.notBefore)
        }
        return [waiting.filter { $0 > now.instant }.min(), executions.until].compactMap(\.self).min()
    }
}

extension ExecutionPass {
    func found(for name: String) -> AccountExecutions {
        AccountExecutions(account: name, orders: Execution.byOrder(rows))
    }
}
