/// The state of a run: the fold of its journal, and nothing else.
///
/// Running, resuming and reporting all go through ``apply(_:)``. A transition that is not in `reliability.md` §1.4–1.5
/// is an ``InvariantViolation``, in release builds too.
public struct RunMachine: Sendable {
    public private(set) var header: RunHeader?
    public private(set) var epoch = 0
    /// On the clock of the process that runs now.
    public private(set) var deadline = Instant(nanoseconds: .max)
    public private(set) var accounts: [String: AccountState] = [:]
    /// In the order of the header.
    public private(set) var accountOrder: [String] = []
    public private(set) var calls: [String: CallRecord] = [:]
    public private(set) var callOrder: [String] = []
    public private(set) var planned: PlanSummary?
    public private(set) var penalties: [Penalty] = []
    public private(set) var interruption: String?
    public private(set) var closing: RunClosing?
    public private(set) var closedWall: WallTime?
    public private(set) var entries = 0
    /// When the last entry was made, on the clock of boot ``bootID``.
    public private(set) var lastEntryAt = Instant(nanoseconds: .min)
    /// Of the process that works, or worked last: instants of one boot can be compared.
    public private(set) var bootID = ""

    public init() {}

    /// Folds entries of one run.
    /// - Throws: ``InvariantViolation`` for the first entry that may not follow.
    public init(folding entries: some Sequence<JournalEntry>) throws(InvariantViolation) {
        for entry in entries { try apply(entry) }
    }

    public mutating func apply(_ entry: JournalEntry) throws(InvariantViolation) {
        if closing != nil { throw InvariantViolation(.i9OneVerdict, "an entry follows the end of run \(entry.run)") }
        if entry.epoch < epoch { throw InvariantViolation(.i11OneEpoch, "epoch \(entry.epoch) after \(epoch)") }
        epoch = entry.epoch
        entries += 1
        lastEntryAt = entry.at
        if header == nil, !entry.event.isOpening {
            throw InvariantViolation(.i12ChainVerifies, "run \(entry.run) does not begin with its head")
        }
        switch entry.event {
        case .opened(let header): try open(header)
        case .resumed(let holder): resume(entry, by: holder)
        case .identified(let name, let identity):
            accounts[name]?.identity = identity
            accounts[name]?.learn(identity.facts ?? [:])
        case .learned(let name, let facts): accounts[name]?.learn(facts)
        case .snapshot(let snapshot): try record(snapshot, entry)
        case .planned(let summary): planned = summary
        case .intent(let intent): try record(intent, entry)
        case .outcome(let result): try record(result, entry)
        case .resolved(let resolution): try record(resolution)
        case .observed(let observation): try record(observation, entry)
        case .controlled(let name, let products): accounts[name]?.controlled.formUnion(products)
        case .legRefused(let name, let key, let reason): accounts[name]?.legs[key]?.refusal = reason
        case .legEnded(let name, let endings):
            for ending in endings { accounts[name]?.legs[ending.leg]?.endedBy = ending.by }
        case .penalty(let penalty, _): penalties.append(penalty)
        case .accountEnded(let verdict): try record(verdict, entry)
        case .executed(let executions): try record(executions)
        case .interrupted(let signal): interruption = signal
        case .closed(let closing): try close(closing, entry)
        }
    }

    private mutating func open(_ header: RunHeader) throws(InvariantViolation) {
        if self.header != nil { throw InvariantViolation(.i12ChainVerifies, "run \(header.id) has two heads") }
        self.header = header
        deadline = header.deadline
        bootID = header.holder.bootID
        for listed in header.accounts {
            guard header.plans.indices.contains(listed.plan), accounts[listed.account.name] == nil else {
                throw InvariantViolation(
                    .i9OneVerdict, "account \(listed.account.name) is listed twice or without plan")
            }
            accounts[listed.account.name] = AccountState(listed: listed, plan: header.plans[listed.plan])
            accountOrder.append(listed.account.name)
        }
    }

    /// Another process, perhaps another boot: its clock counts from now on, and nothing read before proves anything.
    private mutating func resume(_ entry: JournalEntry, by holder: RunHolder) {
        interruption = nil
        guard let header else { return }
        if holder.bootID != bootID {
            // Ends of life on another boot's clock mean nothing here: the latest possible ones count.
            for id in callOrder {
                guard var call = calls[id], call.result?.deadAt != nil else { continue }
                call.result?.deadAt = entry.at + call.intent.life
                calls[id] = call
            }
        }
        bootID = holder.bootID
        deadline = Self.deadline(of: header, bootID: holder.bootID, at: Now(instant: entry.at, wall: entry.wall))
        for name in accountOrder where accounts[name]?.verdict == nil {
            accounts[name]?.handOver(at: entry.at)
            for id in callOrder where calls[id]?.intent.mutation.account == name {
                calls[id]?.result?.answeredAt = entry.at
            }
            for id in accounts[name]?.unresolved ?? [] {
                // The old clock may be gone: the latest possible moment on this one.
                guard var call = calls[id], case .unknown = call.stage else { continue }
                call.stage = .unknown(deadAt: entry.at + call.intent.life)
                call.result?.answeredAt = entry.at
                calls[id] = call
            }
        }
    }

    /// The run's deadline on the clock of a boot: as it was written where that is the run's own boot, so that steps of the
    /// wall clock move nothing (I20). Another boot has only the wall clock to go by.
    public static func deadline(of header: RunHeader, bootID: String, at now: Now) -> Instant {
        if header.holder.bootID == bootID { return header.deadline }
        return now.instant + .milliseconds(header.deadlineWall.milliseconds - now.wall.milliseconds)
    }

    private func living(_ name: String) throws(InvariantViolation) -> AccountState {
        guard let account = accounts[name] else {
            throw InvariantViolation(.i9OneVerdict, "account \(name) is not listed in this run")
        }
        if account.verdict != nil { throw InvariantViolation(.i9OneVerdict, "account \(name) has ended already") }
        return account
    }

    private mutating func record(_ snapshot: AccountSnapshot, _ entry: JournalEntry) throws(InvariantViolation) {
        var account = try living(snapshot.account)
        if account.snapshot != nil { throw InvariantViolation(.i9OneVerdict, "\(snapshot.account) has two snapshots") }
        account.apply(snapshot: snapshot, wall: entry.wall + (snapshot.receivedAt - entry.at))
        accounts[snapshot.account] = account
    }

    private mutating func record(_ observation: Observation, _ entry: JournalEntry) throws(InvariantViolation) {
        var account = try living(observation.account)
        account.apply(
            observation: observation, wall: entry.wall + (observation.receivedAt - entry.at), calls: calls)
        accounts[observation.account] = account
    }

    private mutating func record(_ intent: CallIntent, _ entry: JournalEntry) throws(InvariantViolation) {
        var account = try living(intent.mutation.account)
        if calls[intent.id] != nil { throw InvariantViolation(.i2OneUnresolved, "call \(intent.id) is intended twice") }
        if entry.at >= deadline, account.plan.guards.afterDeadline == .stop {
            throw InvariantViolation(.i3NextAfterSettled, "call \(intent.id) is intended after the deadline")
        }
        if case .close(let close) = intent.mutation {
            try check(close, intent: intent, account: account)
            for key in close.legs {
                account.legs[key]?.calls.append(intent.id)
                account.legs[key]?.openReads = []
                let open = account.legs[key]?.current?.quantity
                account.legs[key]?.sizing.begin(close, open: open, rounds: account.plan.verify.rounds)
                account.legs[key]?.notePrice(at: entry.wall)
            }
            account.unresolved.append(intent.id)
            if let repeated = intent.repeats { calls[repeated]?.wasRepeated = true }
            account.forgetProofs()
        }
        if case .cancel = intent.mutation {
            if header?.rules ?? 0 >= 1 { account.cancelsInFlight.insert(intent.id) }
            account.forgetProofs()
        }
        account.nextCallNumber += 1
        account.lastIntentAt = entry.at
        calls[intent.id] = CallRecord(intent: intent, intentAt: entry.at)
        callOrder.append(intent.id)
        accounts[account.name] = account
    }

    /// I2, I3, I5: every leg is a selected one and free, or this is the one early repeat of a whole-position native close.
    private func check(
        _ close: CloseCall, intent: CallIntent, account: AccountState
    ) throws(InvariantViolation) {
        if close.legs.isEmpty { throw InvariantViolation(.i5NoOpeningCall, "call \(intent.id) covers no leg") }
        for key in close.legs {
            guard let leg = account.legs[key] else {
                throw InvariantViolation(.i5NoOpeningCall, "call \(intent.id) covers \(key), which is not selected")
            }
            for id in leg.calls {
                guard let earlier = calls[id], earlier.isUnresolved else { continue }
                guard case .unknown(let deadAt) = earlier.stage, case .close(let lost) = earlier.intent.mutation
                else { throw InvariantViolation(.i2OneUnresolved, "\(intent.id) while \(id) is in flight") }
                if lost.method.isSized || close.method.isSized {
                    throw InvariantViolation(
                        .i3NextAfterSettled, "sized \(intent.id) while \(id) may execute until \(deadAt)")
                }
                guard intent.repeats == id, !earlier.wasRepeated, earlier.intent.repeats == nil,
                    account.plan.afterUnknown == .resend
                else { throw InvariantViolation(.i2OneUnresolved, "\(intent.id) repeats \(id) without right") }
            }
        }
    }

    private mutating func record(_ result: CallResult, _ entry: JournalEntry) throws(InvariantViolation) {
        guard var call = calls[result.id], call.stage == .intended else {
            throw InvariantViolation(.i2OneUnresolved, "an outcome for call \(result.id), which is not in flight")
        }
        var account = try living(result.account)
        call.result = result
        call.sentWall = result.sentAt.map { entry.wall + ($0 - entry.at) }
        call.answeredWall = entry.wall + (result.answeredAt - entry.at)
        if result.outcome.effect == .unknown {
            call.stage = .unknown(deadAt: result.deadAt ?? (result.answeredAt + call.intent.life))
            if case .cancel = call.intent.mutation { call.stage = .definite }
        } else {
            call.stage = .definite
        }
        calls[result.id] = call
        switch call.intent.mutation {
        case .close(let close): account.apply(result, of: close, call: call)
        case .cancel(let cancel):
            account.cancelsInFlight.remove(result.id)
            account.lastDefiniteAt = max(account.lastDefiniteAt ?? result.answeredAt, result.answeredAt)
            if result.outcome.effect == .executed || result.outcome.effect == .partial {
                let failed = result.outcome.rows.filter { $0.errorClass != .ok && $0.errorClass != .notFound }
                account.ordersCancelled += max(0, cancel.orderIDs.count - failed.count)
            }
        }
        accounts[account.name] = account
    }

    private mutating func record(_ resolution: CallResolution) throws(InvariantViolation) {
        guard var call = calls[resolution.id], case .unknown = call.stage,
            case .close(let close) = call.intent.mutation
        else { throw InvariantViolation(.i3NextAfterSettled, "\(resolution.id) has nothing to resolve") }
        var account = try living(resolution.account)
        call.stage = .resolved(resolution.verdict)
        call.resolution = resolution
        calls[resolution.id] = call
        account.unresolved.removeAll { $0 == resolution.id }
        if resolution.verdict == .executed {
            for key in close.legs {
                guard let leg = account.legs[key] else { continue }
                let isSmaller = close.method.isSized && leg.sizing.hasShrunk(to: leg.current?.quantity)
                if leg.current == nil || isSmaller { account.legs[key]?.executedByUs = true }
            }
        }
        accounts[account.name] = account
    }

    private mutating func record(_ verdict: AccountVerdict, _ entry: JournalEntry) throws(InvariantViolation) {
        var account = try living(verdict.account)
        for leg in verdict.legs where leg.state == .flat {
            guard let proofs = account.legs[leg.key]?.proofs, proofs.count >= account.plan.verify.reads else {
                throw InvariantViolation(
                    .i7FlatIsProven, "\(leg.key) is called flat without \(account.plan.verify.reads) reads")
            }
        }
        if verdict.state == .alreadyFlat || verdict.state == .flat {
            guard account.openLegs.isEmpty, account.cleanReads.count >= account.plan.verify.reads else {
                throw InvariantViolation(.i7FlatIsProven, "\(verdict.account) is called flat without proof")
            }
        }
        account.verdict = verdict
        account.verdictWall = entry.wall
        accounts[account.name] = account
    }

    /// Beside the state of the account: neither legs nor proofs nor the verdict know of it.
    private mutating func record(_ executions: AccountExecutions) throws(InvariantViolation) {
        guard accounts[executions.account]?.verdict != nil else {
            throw InvariantViolation(.i9OneVerdict, "fills of \(executions.account), which has not ended")
        }
        accounts[executions.account]?.executions = executions
    }

    private mutating func close(_ closing: RunClosing, _ entry: JournalEntry) throws(InvariantViolation) {
        if closing.refusal == nil, let open = accountOrder.first(where: { accounts[$0]?.verdict == nil }) {
            throw InvariantViolation(.i9OneVerdict, "the run ends while \(open) has no verdict")
        }
        self.closing = closing
        closedWall = entry.wall
    }
}

extension RunEvent {
    var isOpening: Bool { if case .opened = self { true } else { false } }
}
