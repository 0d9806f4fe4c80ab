import ExchangeKit
import FlatbookCore

extension Engine {
    /// After the snapshot: what the machine wants next, until it has to wait.
    func work(_ name: String) throws(InvariantViolation) {
        // While the run is being stopped no account ends: what is open is left to `resume`.
        guard configuration.mode != .preview, stopping == nil else { return }
        guard isBarrierOpen || configuration.mode == .reconcile else { return }
        if try stopsHard(name) { return }
        // Whose account it is decides before anything is sent; the answer looks at this lane again.
        guard let lane = lanes[name], lane.identityDone, venues[lane.venue]?.isIdentified == true else { return }
        lanes[name]?.phase = .working
        for _ in 0..<16 {
            guard end == nil, let lane = lanes[name], let account = machine.accounts[name], account.verdict == nil
            else { return }
            switch account.nextStep(context(name), calls: machine.calls) {
            case .resolve(let resolutions):
                for resolution in resolutions { try record(.resolved(resolution)) }
            case .plan(let rows, let repeats):
                if let until = waitsForFreeze(lane) { return wake(name, at: until) }
                try plan(name, rows, repeats: repeats)
                if lanes[name]?.mutationsInFlight == 0, queued(name) == 0 { continue }
                return
            case .observe(let notBefore):
                if lane.hasPass(.observation) { return }
                let earliest = max(notBefore, lane.observeNotBefore ?? notBefore)
                if earliest > now.instant { return wake(name, at: earliest) }
                return startPass(.observation, reads: lane.positionReads, lane: name)
            case .finish:
                if try finish(name) { return }
            case .end(var verdict):
                if asksForEndings(name) { return }
                if let cause = lane.stop?.cause, cause == .credentials || cause == .rule {
                    verdict = refusing(verdict, lane: lane)
                }
                return try endAccount(verdict)
            case .wait(let until):
                if let until { wake(name, at: until) }
                return
            }
        }
        wake(name, at: now.instant + .milliseconds(100))
    }

    /// Past its last instant an account gets its verdict on what is known, also where a ban keeps its reads back or says
    /// nothing of whose it is. Before that the instant is waited for. True where it has ended.
    private func stopsHard(_ name: String) throws(InvariantViolation) -> Bool {
        let context = context(name)
        guard let stop = context.hardStop, let account = machine.accounts[name], let lane = lanes[name] else {
            return false
        }
        if stop > now.instant {
            wake(name, at: stop)
            return false
        }
        let isHeldUp = !lane.identityDone || lane.passes.contains { !$0.waiting.isEmpty }
        guard isHeldUp, lane.mutationsInFlight == 0, account.verdict == nil else { return false }
        try endAccount(
            account.isProven ? provenVerdict(name, account) : account.verdict(context, calls: machine.calls))
        return true
    }

    /// The verdict of an account whose reads prove it. Where its own figures spoke against them, or control is required
    /// and did not come, nothing is proven, however little time is left.
    private func provenVerdict(_ name: String, _ account: AccountState) -> AccountVerdict {
        let doubted = lanes[name]?.doubted ?? []
        if !doubted.isEmpty { return unknownVerdict(name, reason: Self.doubt(doubted), cause: nil) }
        let missing = uncontrolled(name)
        if !missing.isEmpty, account.plan.verify.control == .required {
            return unknownVerdict(
                name, reason: "no positive control for \(missing.joined(separator: ", "))", cause: nil)
        }
        return withUnreadOrders(name, account, account.provenVerdict(context(name), calls: machine.calls))
    }

    private static func doubt(_ products: Set<String>) -> String {
        "positions read as none, but the account shows open profit in \(products.sorted().joined(separator: ", "))"
    }

    /// Products that no row and no control call has shown to be read; also those that have no control call at all, unless
    /// nothing was asked of them.
    private func uncontrolled(_ name: String) -> [String] {
        let seen = machine.accounts[name]?.controlled ?? []
        return (lanes[name]?.partitions ?? []).filter { part in
            seen.isDisjoint(with: part.covers) && (part.hasControl || part.refusedAs == nil)
        }.flatMap(\.covers)
    }

    func queued(_ name: String) -> Int {
        lanes[name].flatMap { venues[$0.venue]?.planner.queued(account: name) } ?? 0
    }

    func wake(_ name: String, at instant: Instant) {
        let earlier = lanes[name]?.nextStepAt ?? instant
        lanes[name]?.nextStepAt = min(earlier, instant)
    }

    private func refusing(_ verdict: AccountVerdict, lane: Lane) -> AccountVerdict {
        var verdict = verdict
        for index in verdict.legs.indices where verdict.legs[index].state == .residual {
            verdict.legs[index].state = .refused
        }
        if verdict.state == .residual { verdict.state = .refused }
        if let failure = lane.lastFailure, verdict.error == nil {
            verdict.error = ErrorNote(
                errorClass: failure.errorClass.rawValue, exchangeCode: failure.code, message: failure.message,
                action: failure.action ?? "")
        }
        return verdict
    }

    /// Openers are cancelled before the close, but hold it up for two seconds at most (contract §3, Openers).
    private func waitsForFreeze(_ lane: Lane) -> Instant? {
        guard !lane.freezeDone, let deadline = lane.freezeDeadline, now.instant < deadline else { return nil }
        let isFrozen = lane.ordersDone && lane.cancels.isEmpty && !cancelInFlight(lane.account.name)
        if isFrozen || !lane.mayCancel { return nil }
        return deadline
    }

    private func cancelInFlight(_ name: String) -> Bool {
        flights.values.contains { flight in
            guard flight.account == name, case .mutation(let intent) = flight.kind, case .cancel = intent.mutation
            else { return false }
            return true
        }
    }

    /// Hands the rows to the planner, unless the exchange's new accounts are paused (`maxFailures`).
    private func plan(_ name: String, _ rows: [Position], repeats: String?) throws(InvariantViolation) {
        guard let lane = lanes[name], let venue = venues[lane.venue], let account = machine.accounts[name]
        else { return }
        if account.calls(machine.calls).isEmpty, isPaused(lane.venue) {
            lanes[name]?.stop = (
                "paused: too many accounts of \(lane.venue.exchange) failed (guards.maxFailures)", .rule
            )
            return
        }
        let rows = try rowsThatMayGo(name, rows, venue: venue)
        lanes[name]?.freezeDone = true
        lanes[name]?.queuedRepeat = repeats
        lanes[name]?.closeReadyAt = now.instant
        let (calls, unclosable) = try addToPlanner(name, rows, venue: lane.venue)
        if let repeats, calls.count != 1 || calls[0].method.isSized {
            // What would be called now is not the lost call once more: then its end of life is waited for.
            venues[lane.venue]?.planner.remove(account: name)
            lanes[name]?.queuedRepeat = nil
            lanes[name]?.unrepeatable.insert(repeats)
            return
        }
        venues[lane.venue]?.closesQueued += calls.count
        for (index, call) in calls.enumerated() {
            let own = venue.plugin.profile.limit(call.method.operation)
            let pace = own.map { TimeSpan(nanoseconds: $0.window.nanoseconds / Int64($0.capacity)) } ?? .zero
            lanes[name]?.plannedAt["\(call.product) \(call.target)"] = now.instant - startedAt.instant + pace * index
        }
        for leg in unclosable {
            let stopped = lane.stoppedOperations.sorted { $0.key < $1.key }.map { "\($0.key) was stopped: \($0.value)" }
            try record(
                .legRefused(account: name, leg: leg.key, reason: ([leg.reason] + stopped).joined(separator: "; ")))
        }
    }

    private func addToPlanner(
        _ name: String, _ rows: [Position], venue key: VenueKey
    ) throws(InvariantViolation) -> (calls: [CloseCall], unclosable: [UnclosableLeg]) {
        guard let venue = venues[key] else { return ([], []) }
        let planned = try plannedAccount(name, rows, venue: venue)
        return venues[key]?.planner.add(planned) ?? ([], [])
    }

    func plannedAccount(
        _ name: String, _ rows: [Position], venue: Venue
    ) throws(InvariantViolation) -> PlannedAccount {
        guard let lane = lanes[name], let account = machine.accounts[name] else {
            throw InvariantViolation(.i9OneVerdict, "account \(name) is not listed in this run")
        }
        var costs: [String: [BucketCost]] = [:]
        let methods = venue.plugin.closeMethods(for: lane.account).filter {
            lane.stoppedOperations[$0.operation] == nil
        }
        for method in methods {
            // Limits may count by instrument, never by side: one row of each stands for all.
            for row in rows {
                let instrument = method.reach == .product ? nil : row.key.instrument
                let key = PlannedAccount.costKey(operation: method.operation, instrument: instrument)
                guard costs[key] == nil, method.products?.contains(row.key.product) ?? true else { continue }
                let sample = CloseCall(
                    account: name, method: method, product: row.key.product, instrument: instrument,
                    side: row.key.side, legs: [row.key], quantity: row.quantity, marginMode: row.key.marginMode,
                    marginCurrency: row.key.marginCurrency, mode: row.mode, notional: row.notional)
                let request = venue.plugin.request(for: .close(sample), account: lane.account)
                costs[key] = try self.costs(
                    of: request, account: lane.account, plugin: venue.plugin, egress: venue.key.egress, reserve: 0)
            }
        }
        let reasons = [Silo.normal, .copy].compactMap { silo in
            venue.plugin.reasonUnclosable(silo, account: lane.account).map { (silo, $0) }
        }
        var planned = PlannedAccount(
            account: lane.account, selection: account.selection, positions: rows,
            granularity: account.plan.granularity, sequence: account.plan.sequence,
            methods: methods, legByLeg: account.listed.onlyLegs != nil, costs: costs, outside: account.outside,
            orders: account.plan.orders, unclosable: Dictionary(reasons, uniquingKeysWith: { first, _ in first }))
        limitSizes(of: &planned, account, venue: venue)
        return planned
    }

    // MARK: Orders

    private func isSelected(_ order: RestingOrder, _ account: AccountState) -> Bool {
        let isNamed =
            account.listed.onlyLegs?.contains {
                $0.instrument == order.instrument && $0.product == order.product && $0.side == order.side
            } ?? true
        return isNamed && account.plan.sides.contains(order.side)
            && account.selection.selects(
                symbol: order.symbol, nativeID: order.instrument, exchange: account.listed.account.exchange)
    }

    /// An order that closes does not tell which of two legs of one side it serves, e.g. cross and isolated: where one of them
    /// is to stay, the order stays with it.
    private func mayServeOutside(_ order: RestingOrder, _ account: AccountState) -> Bool {
        order.effect == .closes
            && account.outside.contains {
                $0.key.instrument == order.instrument && $0.key.product == order.product && $0.key.side == order.side
            }
    }

    /// Openers of the selection go first; protective orders stay until the close is proven.
    func queueOpeners(_ name: String) {
        guard let account = machine.accounts[name], account.plan.orders != .keep, let orders = lanes[name]?.orders
        else { return }
        queueCancels(name, orders.filter { $0.effect == .opens && isSelected($0, account) })
    }

    /// The account's own close orders hold the size that a close wants: they go by id, except under `keep` (contract §3).
    func freeHeldSize(_ name: String, _ close: CloseCall) {
        guard let account = machine.accounts[name], account.plan.orders != .keep, lanes[name]?.mayCancel == true
        else { return }
        let held = close.legs.filter { account.legs[$0]?.failure?.errorClass == ErrorClass.conflict.rawValue }
        let blocking = (lanes[name]?.orders ?? []).filter { order in
            order.effect == .closes && !order.protective && !mayServeOutside(order, account)
                && held.contains {
                    $0.instrument == order.instrument && $0.product == order.product && $0.side == order.side
                }
        }
        queueCancels(name, blocking)
    }

    private func queueCancels(_ name: String, _ orders: [RestingOrder]) {
        guard let lane = lanes[name], let profile = venues[lane.venue]?.plugin.profile, configuration.mode == .run
        else { return }
        let groups = Dictionary(grouping: orders) { "\($0.product)\u{1F}\($0.instrument)\u{1F}\($0.list)" }
        for key in groups.keys.sorted() {
            guard let group = groups[key], let first = group.first,
                let operation = profile.cancelOperations[first.list]
            else { continue }
            let most = max(1, profile.cancelLimits[operation] ?? profile.maxCancelsPerCall)
            for start in stride(from: 0, to: group.count, by: most) {
                let ids = group[start..<min(group.count, start + most)].map(\.id)
                lanes[name]?.cancels.append(
                    CancelCall(
                        account: name, operation: operation, product: first.product, instrument: first.instrument,
                        list: first.list, orderIDs: ids, marginCurrency: first.marginCurrency))
            }
        }
    }

    // MARK: The end of an account

    /// Control and leftover orders, once positions are proven zero. True while that is under way.
    private func finish(_ name: String) throws(InvariantViolation) -> Bool {
        guard let lane = lanes[name], let account = machine.accounts[name] else { return true }
        if let stop = context(name).hardStop, now.instant >= stop {
            try endAccount(provenVerdict(name, account))
            return true
        }
        if lane.hasPass(.final) || lane.hasPass(.observation) || asksForEndings(name) { return true }
        // Under `keep` too: the report says how many orders can open positions again.
        if !lane.ordersDone { return true }
        if !lane.cancels.isEmpty, mayMutate, lane.mayCancel, lane.stop == nil { return true }
        if lane.mutationsInFlight > 0 { return true }
        if lane.finalDone {
            if account.plan.orders == .keep || !lane.mayCancel {
                lanes[name]?.openersRemain =
                    lane.orders?.count { $0.effect == .opens && isSelected($0, account) } ?? 0
            }
            try endAccount(provenVerdict(name, account))
            return true
        }
        if let until = lane.mistrustedUntil, now.instant < until {
            wake(name, at: until)
            return true
        }
        if lane.finalNeedsRead || lane.mistrustsReads {
            lanes[name]?.mistrustsReads = false
            startPass(.observation, reads: lane.positionReads, lane: name)
            return true
        }
        let also = alsoControlled(lane, account)
        if !also.isEmpty { try record(.controlled(account: name, products: also)) }
        startPass(
            .final, reads: controlReads(lane, account) + leftoverReads(lane, account), lane: name)
        dirty.append(name)
        return true
    }

    /// Flat by its positions; where the orders that may remain were not all read, the verdict says so.
    private func withUnreadOrders(
        _ name: String, _ account: AccountState, _ proven: AccountVerdict
    ) -> AccountVerdict {
        var verdict = proven
        guard let lane = lanes[name], verdict.state == .flat || verdict.state == .alreadyFlat else { return verdict }
        let isLookedAt = lane.finalDone && !lane.ordersUnread
        let isSwept = account.plan.orders != .keep && lane.mayCancel
        guard !isLookedAt || (!isSwept && !lane.ordersComplete) else { return verdict }
        verdict.reason = "not every list of its resting orders could be read: more may remain than are counted"
        let seen = lane.orders?.count { $0.effect == .opens && isSelected($0, account) } ?? 0
        if !lane.finalDone { verdict.openersRemain = max(verdict.openersRemain, seen) }
        return verdict
    }

    /// Partitions with a control call that have shown neither a row nor a good control answer: a row of one product proves
    /// that the read sees the account, so it speaks for all products of that read. And those that had a leg and show
    /// nothing now: an empty list out of a cache is not what the account's own figures say (F56).
    private func controlReads(_ lane: Lane, _ account: AccountState) -> [Read] {
        let closed = Set(account.legOrder.map(\.product))
        let open = Set(account.outside.map(\.key.product))
        // The account's figures count what is not read, or not selected, as well: then they say nothing of these lists.
        let isWholeAccountRead = account.outside.isEmpty && account.snapshot?.notRead.isEmpty ?? false
        return lane.partitions.filter { part in
            let isUnseen = account.controlled.isDisjoint(with: part.covers)
            let isEmptied = !closed.isDisjoint(with: part.covers) && open.isDisjoint(with: part.covers)
            return part.hasControl && (isUnseen || isEmptied && isWholeAccountRead)
        }.map { .control(product: $0.id) }
    }

    /// Products of reads that were seen at work, for the evidence of the report.
    private func alsoControlled(_ lane: Lane, _ account: AccountState) -> [String] {
        lane.partitions.filter { !account.controlled.isDisjoint(with: $0.covers) }.flatMap(\.covers)
            .filter { !account.controlled.contains($0) }
    }

    /// Lists that held something to be cancelled; all of them where they could not be read before.
    private func leftoverReads(_ lane: Lane, _ account: AccountState) -> [Read] {
        guard account.plan.orders != .keep, lane.mayCancel else { return [] }
        guard lane.ordersComplete else {
            return orderReads(lane.partitions)
        }
        let closed = Set(account.legOrder.filter { account.legs[$0]?.executedByUs == true }.map(\.product))
        var lists = orderReads(lane.partitions.filter { !closed.isDisjoint(with: $0.covers) }) {
            $0.protectiveLists.contains($1)
        }
        for order in lane.seenOrders where concerns(order, account) {
            if let read = lane.sourceOf[order.id], !lists.contains(read) { lists.append(read) }
        }
        return lists
    }

    /// What `orders` says must go at the end: openers, and TP/SL of legs we closed; under `cancel-all` everything selected.
    private func concerns(_ order: RestingOrder, _ account: AccountState) -> Bool {
        guard isSelected(order, account), !mayServeOutside(order, account) else { return false }
        if account.plan.orders == .cancelAll || order.effect == .opens { return true }
        return order.protective
            && account.legOrder.contains { key in
                key.instrument == order.instrument && key.product == order.product && key.side == order.side
                    && account.legs[key]?.executedByUs == true
            }
    }

    /// After control and lists: sweep what is left, read once more if something was cancelled, then the end.
    func finalRead(_ name: String, _ pass: ReadPass, isGood: Bool) throws(InvariantViolation) {
        guard let account = machine.accounts[name], let lane = lanes[name] else { return }
        // Only a good answer takes a doubt away; one that fails does not.
        lane.doubted = lane.doubted.union(pass.controlShowsOpen).subtracting(pass.controlled)
        if lane.doubted.isEmpty {
            lane.mistrustedSince = nil
        } else {
            // The account call shows open profit where the list shows nothing: the list proves nothing.
            let since = lane.mistrustedSince ?? now.instant
            lanes[name]?.mistrustedSince = since
            // The account's figures may lag behind a close by seconds; a list that hides something does so for longer.
            if now.instant - since >= min(.seconds(10), account.plan.verify.timeout) {
                return try endAccount(unknownVerdict(name, reason: Self.doubt(lane.doubted), cause: nil))
            }
            try recordControl(name, pass)
            lanes[name]?.mistrustsReads = true
            lanes[name]?.mistrustedUntil = now.instant + account.plan.verify.interval
            return wake(name, at: now.instant + account.plan.verify.interval)
        }
        try recordControl(name, pass)
        if account.plan.verify.control == .required, !uncontrolled(name).isEmpty {
            return try endAccount(provenVerdict(name, machine.accounts[name] ?? account))
        }
        let left = pass.orders.filter { concerns($0, account) }
        // A list that could not be read again keeps what was known of it.
        let known = isGood ? left : (lane.orders ?? []).filter { concerns($0, account) }
        lanes[name]?.openersRemain = known.count { $0.effect == .opens }
        lanes[name]?.ordersUnread = !isGood && !leftoverReads(lane, account).isEmpty
        if !left.isEmpty, mayMutate, lane.mayCancel, lane.stop == nil, lane.sweeps < 3 {
            lanes[name]?.sweeps += 1
            lanes[name]?.finalNeedsRead = false
            queueCancels(name, left)
            lanes[name]?.sweptSomething = true
            return wake(name, at: now.instant)
        }
        if lane.sweptSomething {
            lanes[name]?.sweptSomething = false
            lanes[name]?.finalNeedsRead = true
        } else {
            lanes[name]?.finalDone = true
        }
        dirty.append(name)
    }

    private func recordControl(_ name: String, _ pass: ReadPass) throws(InvariantViolation) {
        guard !pass.controlled.isEmpty else { return }
        try record(.controlled(account: name, products: pass.controlled))
    }
}

extension AccountState {
    /// The verdict of an account whose every selected leg is proven zero.
    func provenVerdict(_ context: AccountContext, calls: [String: CallRecord]) -> AccountVerdict {
        var open = context
        open.stopReason = nil
        open.stopCause = nil
        return verdict(open, calls: calls)
    }
}
