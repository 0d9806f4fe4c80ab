import ExchangeKit
import FlatbookCore

extension Engine {
    /// An account's first step: its lock where the uid is known, then identity beside the snapshot.
    func begin(_ name: String) {
        guard let lane = lanes[name], let account = machine.accounts[name] else { return }
        lanes[name]?.phase = .preflight
        lanes[name]?.begunAt = now.instant
        dirty.append(name)
        if account.identity == nil || isResumed {
            startPass(.identity, reads: [.identity], lane: name)
        } else {
            lanes[name]?.identityDone = true
        }
        if lane.account.uid != nil || account.identity?.uid != nil { lockAndRead(name) }
    }

    private func lockAndRead(_ name: String) {
        guard let lane = lanes[name], !lane.isLocked else { return }
        if configuration.mode != .preview {
            switch configuration.locks.acquire(lane.account, uid: uid(of: lane.account), venue: lane.venue) {
            case .held: tookOver(name)
            case .lockedBy(let holder):
                lanes[name]?.stop = ("locked by \(holder)", .locked)
                return
            case .failed(let why):
                lanes[name]?.stop = ("its lock cannot be taken: \(why)", .rule)
                return
            }
        }
        lanes[name]?.isLocked = true
        lanes[name]?.snapshotBegan = now.instant
        if machine.accounts[name]?.snapshot == nil {
            lanes[name]?.phase = .snapshot
            startPass(.snapshot, reads: lane.positionReads, lane: name)
        } else {
            lanes[name]?.phase = .working
        }
        if wantsOrders(name) {
            startPass(.orders, reads: firstOrderReads(lane), lane: name)
        } else {
            lanes[name]?.ordersDone = true
            lanes[name]?.freezeDone = true
        }
    }

    private func wantsOrders(_ name: String) -> Bool {
        configuration.mode != .reconcile
    }

    /// TP/SL concern `cancel-all` from the start; else only at the end, where a leg was closed.
    private func readsProtective(_ name: String) -> Bool {
        machine.accounts[name]?.plan.orders == .cancelAll && configuration.mode == .run
    }

    func firstOrderReads(_ lane: Lane) -> [Read] {
        let all = readsProtective(lane.account.name)
        return orderReads(lane.partitions) { all || !$0.protectiveLists.contains($1) }
    }

    func orderReads(_ partitions: [Partition], where wanted: (Partition, String) -> Bool = { _, _ in true }) -> [Read] {
        partitions.flatMap { part in
            part.orderLists.filter { wanted(part, $0) }.map { .orders(product: part.id, list: $0, cursor: nil) }
        }
    }

    /// What the exchange says of the key decides before anything is sent (`reliability.md` §1.5 PREFLIGHT).
    func identified(_ name: String, _ identity: Identity) throws(InvariantViolation) {
        guard let lane = lanes[name] else { return }
        dirty.append(name)
        lanes[name]?.identityDone = true
        if let expected = lane.account.uid ?? machine.accounts[name]?.identity?.uid, let found = identity.uid,
            expected != found
        {
            let reason = "the key belongs to uid \(found), the accounts file says \(expected)"
            var verdict = notTaken(name, reason: reason, cause: .wrongUID)
            verdict.error = ErrorNote(
                errorClass: "fatalAccount", exchangeCode: "wrong-uid", message: reason,
                action: "put the right key or uid into \(lane.account.source.file)")
            return try endAccount(verdict)
        }
        if identity.uid != nil || machine.accounts[name]?.identity == nil {
            try record(.identified(account: name, identity: identity))
            adoptFacts(name)
        }
        if let found = identity.uid, let twin = twin(of: name, uid: found), !machine.callOrder.isEmpty {
            // It was waited for long enough: others have been closed, so only this one can still be kept out.
            return try endAccount(
                AccountVerdict(
                    account: name, state: .skipped, reason: "it is the same account as \(twin): uid \(found)",
                    cause: .rule))
        }
        if let found = identity.uid, let twin = twin(of: name, uid: found) {
            closeRefused("\(twin) and \(name) are the same account", exitCode: 78)
            return finish(
                .invalid([
                    Diagnostic(
                        file: lane.account.source.file, line: lane.account.source.line, key: name,
                        "accounts \(twin) and \(name) are the same account of \(lane.account.exchange): uid \(found)",
                        hint: "Remove one of them.")
                ]))
        }
        if lane.account.uid == nil, lane.account.environment == .production {
            notice(.warning("\(name): identity not pinned, add uid \"\(identity.uid ?? "?")\""))
        }
        if identity.mayTrade == false {
            let outcome = Outcome(
                effect: .none, errorClass: .fatalAccount, code: "no-trade-permission",
                message: "this key may not trade futures", action: "give the key the right to trade futures",
                refusal: .permission)
            if configuration.mode == .run { return try refuse(name, outcome) }
        }
        if lane.phase == .preflight { lockAndRead(name) }
    }

    private func twin(of name: String, uid: String) -> String? {
        guard let lane = lanes[name] else { return nil }
        return machine.accountOrder.first { other in
            other != name && lanes[other]?.venue.exchange == lane.venue.exchange
                && lanes[other]?.account.environment == lane.account.environment
                && lanes[other]?.venue.base == lane.venue.base
                && (machine.accounts[other]?.identity?.uid ?? lanes[other]?.account.uid) == uid
        }
    }

    /// It is not this run's to touch: skipped, unless an earlier process of the run read it. Of those legs, and of calls
    /// that were made, nothing is known now.
    private func notTaken(_ name: String, reason: String, cause: AccountVerdict.Cause?) -> AccountVerdict {
        if machine.accounts[name]?.snapshot != nil { return unknownVerdict(name, reason: reason, cause: cause) }
        return AccountVerdict(account: name, state: .skipped, reason: reason, cause: cause)
    }

    /// The exchange or a rule said no to the whole account.
    func refuse(_ name: String, _ outcome: Outcome) throws(InvariantViolation) {
        guard let account = machine.accounts[name], account.verdict == nil else { return }
        dirty.append(name)
        let cause: AccountVerdict.Cause = outcome.refusal == nil ? .rule : .credentials
        let note = ErrorNote(
            errorClass: outcome.errorClass.rawValue, exchangeCode: outcome.code, message: outcome.message,
            action: outcome.action ?? "")
        lanes[name]?.stop = ("\(outcome.code) \(outcome.message)", cause)
        lanes[name]?.cancels = []
        if let key = lanes[name]?.venue { forgetQueued(name, venue: key) }
        if lanes[name]?.mutationsInFlight ?? 0 > 0 { return }
        var verdict = account.verdict(context(name), calls: machine.calls)
        if account.snapshot == nil || verdict.state == .residual || account.calls(machine.calls).isEmpty {
            verdict.state = .refused
            // What is proven flat stays so.
            let flat = verdict.legs.filter { $0.state == .flat || $0.state == .alreadyFlat }
            verdict.legs = account.legOrder.map { key in
                flat.first { $0.key == key }
                    ?? AccountVerdict.Leg(key: key, state: .refused, reason: outcome.message, error: note)
            }
        }
        verdict.reason = "\(outcome.code) \(outcome.message)"
        verdict.error = note
        verdict.cause = verdict.state == .unknown ? nil : cause
        try endAccount(verdict)
    }

    // MARK: Advancing

    func advanceAll(_ event: EngineEvent) throws(InvariantViolation) {
        try openIfReady()
        guard end == nil, hasOpened else { return }
        if isPastDeadline, !deadlineSeen, !continuesAfterDeadline {
            deadlineSeen = true
            for name in machine.accountOrder { dropCalls(name) }
            if !isConfirmed { return finishRefused("not confirmed before the deadline") }
            // Nothing is sent any more; what was read still gets its verdict.
            isBarrierOpen = configuration.mode != .preview
            for key in venueOrder { venues[key]?.isIdentified = true }
        }
        var names = dirty
        dirty = []
        if case .tick = event {
            for name in machine.accountOrder where lanes[name]?.isDue(at: now.instant) == true { names.append(name) }
        }
        // Advancing an account may make it, or another, worth another look: bounded rounds.
        for _ in 0..<32 where !names.isEmpty {
            for name in names { try advance(name) }
            try openBarrier()
            names = dirty
            dirty = []
        }
        try openBarrier()
    }

    private func dropCalls(_ name: String) {
        guard let key = lanes[name]?.venue, lanes[name]?.phase != .ended else { return }
        forgetQueued(name, venue: key)
        lanes[name]?.cancels = []
        dirty.append(name)
    }

    private func advance(_ name: String) throws(InvariantViolation) {
        guard end == nil, let lane = lanes[name], lane.phase != .ended, machine.accounts[name]?.verdict == nil
        else { return }
        lanes[name]?.nextStepAt = nil
        try collectPasses(name)
        guard let lane = lanes[name], lane.phase != .ended else { return }
        switch lane.phase {
        case .waiting, .ended: return
        case .preflight, .snapshot:
            if let stop = lane.stop {
                try endAccount(notTaken(name, reason: stop.reason, cause: stop.cause))
            } else if isPastDeadline {
                try endAccount(unknownVerdict(name, reason: "the deadline passed before it was read", cause: .deadline))
            }
        case .held, .working: try work(name)
        }
    }

    private func collectPasses(_ name: String) throws(InvariantViolation) {
        for pass in lanes[name]?.passes ?? [] {
            guard machine.accounts[name]?.verdict == nil, end == nil else { return }
            let isLate = pass.giveUpAt.map { $0 <= now.instant } ?? false
            guard pass.isComplete || pass.isFailed || isLate else { continue }
            lanes[name]?.passes.removeAll { $0.id == pass.id }
            let isGood = pass.isComplete && !pass.isFailed
            switch pass.purpose {
            case .snapshot:
                if isGood { try snapshotEnded(name, pass) } else { try snapshotFailed(name) }
            case .orders:
                lanes[name]?.orders = isGood || pass.outstanding == 0 ? pass.orders : nil
                lanes[name]?.ordersDone = true
                lanes[name]?.ordersComplete = isGood
                lanes[name]?.seenOrders = pass.orders
                lanes[name]?.sourceOf = pass.sourceOf
                queueOpeners(name)
            case .observation:
                if isGood { try observed(name, pass) }
            case .endings: try endingsRead(name, pass)
            case .final: try finalRead(name, pass, isGood: isGood)
            case .identity:
                if !isGood { try snapshotFailed(name) }
            case .venue: continue
            }
        }
    }

    func snapshotFailed(_ name: String) throws(InvariantViolation) {
        let failure = lanes[name]?.lastFailure
        let isDown =
            failure.map { ["connection-refused", "connect-timeout", "dns", "tls", "timeout"].contains($0.code) } ?? true
        var verdict = unknownVerdict(
            name,
            reason: "its identity or positions could not be read: "
                + (failure.map { "\($0.code) \($0.message)" } ?? "no answer"),
            cause: isDown ? .exchangeDown : nil)
        verdict.error = failure.map {
            ErrorNote(
                errorClass: $0.errorClass.rawValue, exchangeCode: $0.code, message: $0.message,
                action: $0.action ?? "check the account by hand")
        }
        try endAccount(verdict)
    }

    private func snapshotEnded(_ name: String, _ pass: ReadPass) throws(InvariantViolation) {
        guard let lane = lanes[name], let venue = venues[lane.venue] else { return }
        if let twin = duplicateRow(pass.positions) {
            lanes[name]?.lastFailure = Outcome(
                effect: .none, errorClass: .unknown, code: "duplicate-row",
                message: "two rows of \(twin.instrument) in one reply")
            return try snapshotFailed(name)
        }
        var snapshot = AccountSnapshot(
            account: name, positions: pass.positions, read: pass.productsRead,
            notRead: venue.plugin.notRead(for: lane.account).map { .init(silo: $0.silo, reason: $0.reason) }
                + lane.notRead,
            orders: lane.ordersDone ? lane.orders : nil, sentAt: pass.firstSentAt ?? now.instant,
            receivedAt: pass.lastReceivedAt ?? now.instant, serverTime: pass.serverTime,
            digest: digest(of: pass.positions))
        // Of a silo that nothing is asked of, as copied positions of an ordinary account, no control is asked either.
        let uncontrollable = lane.partitions.filter { !$0.hasControl && $0.refusedAs != nil }.flatMap(\.covers)
        if !uncontrollable.isEmpty { snapshot.uncontrollable = uncontrollable }
        try record(.snapshot(snapshot))
        let account = machine.accounts[name]
        lanes[name]?.phase = .held
        lanes[name]?.freezeDeadline = now.instant + .seconds(2)
        let open = account?.openLegs.compactMap { account?.legs[$0]?.current } ?? []
        notice(
            .snapshot(
                account: name, legs: open.count,
                notional: open.reduce(.zero) { sum, row in (try? sum.adding(row.notional)) ?? sum }))
    }

    private func duplicateRow(_ rows: [Position]) -> LegKey? {
        var seen: Set<LegKey> = []
        return rows.first { !seen.insert($0.key).inserted }?.key
    }

    /// `sha256:` of the canonical rows: sorted, one line each.
    func digest(of rows: [Position]) -> String {
        let lines = rows.sorted { $0.key < $1.key }.map { row in
            [
                row.key.account, row.key.silo.rawValue, row.key.product, row.key.instrument, row.key.side.rawValue,
                row.key.marginMode.rawValue, row.key.marginCurrency, row.key.positionID ?? "",
                row.quantity.description,
            ].joined(separator: "|")
        }
        return configuration.digest(Array(lines.joined(separator: "\n").utf8))
    }

    private func observed(_ name: String, _ pass: ReadPass) throws(InvariantViolation) {
        guard duplicateRow(pass.positions) == nil else {
            // No read, and no reason to ask again at once.
            lanes[name]?.observeNotBefore = now.instant + .seconds(1)
            return
        }
        // These lists show something: the doubt that they hide it is over.
        let shown = Set(pass.positions.map(\.key.product))
        for part in lanes[name]?.partitions ?? [] where !shown.isDisjoint(with: part.covers) {
            lanes[name]?.doubted.subtract(part.covers)
        }
        try record(
            .observed(
                Observation(
                    account: name, positions: pass.positions, read: pass.productsRead, controlled: [],
                    sentAt: pass.firstSentAt ?? now.instant, receivedAt: pass.lastReceivedAt ?? now.instant,
                    serverTime: pass.serverTime, digest: digest(of: pass.positions))))
        if lanes[name]?.finalNeedsRead == true { lanes[name]?.finalDone = true }
        // Open again: after its close, what may remain is looked at once more.
        if machine.accounts[name]?.openLegs.isEmpty == false { lanes[name]?.finalDone = false }
        lanes[name]?.finalNeedsRead = false
    }

    /// What the machine is told of the engine's side.
    func context(_ name: String) -> AccountContext {
        let lane = lanes[name]
        let queued = lane.map { venues[$0.venue]?.planner.queued(account: name) ?? 0 } ?? 0
        var context = AccountContext(
            now: now.instant, isBusy: queued > 0 || (lane?.mutationsInFlight ?? 0) > 0,
            mayMutate: mayMutate && lane?.stop == nil && isBarrierOpen, settle: configuration.settle,
            limitWait: lane?.limitWait ?? .zero, openersRemain: lane?.openersRemain ?? 0)
        context.unrepeatable = lane?.unrepeatable ?? []
        if let stop = lane?.stop {
            context.stopReason = stop.reason
            context.stopCause = stop.cause
        } else if isPastDeadline, !continuesAfterDeadline {
            context.stopReason = "the deadline passed"
            context.stopCause = .deadline
        } else if configuration.mode == .reconcile {
            context.stopReason = "interrupted, and too old to go on"
        }
        let timeout = machine.accounts[name]?.plan.verify.timeout ?? .seconds(60)
        if isPastDeadline, !continuesAfterDeadline {
            // The last verification pass is owed also where the host slept through the deadline.
            let from = max(machine.deadline, wokeAt ?? machine.deadline)
            context.hardStop = from + .seconds(10) + timeout
        }
        if lane?.readsStopped == true { context.hardStop = now.instant }
        if configuration.mode == .reconcile, let began = lane?.snapshotBegan {
            context.hardStop = began + .seconds(20) + timeout
        }
        return context
    }
}

extension AccountState {
    /// Close calls that were made for this account.
    func calls(_ calls: [String: CallRecord]) -> [CallRecord] {
        legOrder.flatMap { legs[$0]?.calls ?? [] }.compactMap { calls[$0] }
    }
}
