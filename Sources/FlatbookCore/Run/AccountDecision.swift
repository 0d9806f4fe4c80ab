/// What an account needs next. The engine does it; the journal records it.
public enum AccountStep: Hashable, Sendable {
    /// Unknown outcomes that reading has settled.
    case resolve([CallResolution])
    /// Close these rows now; `repeats` names the lost call that this is the one early repeat of.
    case plan([Position], repeats: String?)
    /// Read all partitions, not before this instant.
    case observe(notBefore: Instant)
    /// Everything selected is proven zero: control, leftover orders, then the end.
    case finish
    case end(AccountVerdict)
    /// An answer or this instant changes something.
    case wait(until: Instant?)
}

/// What the engine knows and the journal does not.
public struct AccountContext: Hashable, Sendable {
    public var now: Instant
    /// A close of this account is queued or in flight, or orders are being cancelled before it.
    public var isBusy: Bool
    /// Whether anything that changes something may still be sent for this account.
    public var mayMutate: Bool
    /// Why not, where it may not: the reason and the cause in the verdict.
    public var stopReason: String?
    public var stopCause: AccountVerdict.Cause?
    /// Nothing is waited for beyond this.
    public var hardStop: Instant?
    /// From the last answer to the first read.
    public var settle: TimeSpan
    /// How long this account has waited for rate limits since its last definite reply.
    public var limitWait: TimeSpan
    public var openersRemain: Int
    /// Lost calls that the engine cannot make once more as they were: no early repeat of these.
    public var unrepeatable: Set<String> = []

    public init(
        now: Instant, isBusy: Bool, mayMutate: Bool, stopReason: String? = nil,
        stopCause: AccountVerdict.Cause? = nil, hardStop: Instant? = nil, settle: TimeSpan = .milliseconds(300),
        limitWait: TimeSpan = .zero, openersRemain: Int = 0
    ) {
        self.now = now
        self.isBusy = isBusy
        self.mayMutate = mayMutate
        self.stopReason = stopReason
        self.stopCause = stopCause
        self.hardStop = hardStop
        self.settle = settle
        self.limitWait = limitWait
        self.openersRemain = openersRemain
    }
}

extension AccountState {
    /// Most "not now" answers for one leg; their back-off alone then spans several minutes.
    static let maximumSoftFailures = 12
    /// The same where what stands in the way passes by itself: two hours, for plans that go on after their deadline.
    static let maximumPatience = 240

    /// The next step after the snapshot, by `reliability.md` §1.4–1.5. Pure.
    public func nextStep(_ context: AccountContext, calls: [String: CallRecord]) -> AccountStep {
        let settled = resolutions(at: context.now, calls: calls)
        if !settled.isEmpty { return .resolve(settled) }
        if context.isBusy {
            // Lost calls are looked after while the account's other calls go on.
            return unresolvedUnknown(calls).isEmpty ? .wait(until: nil) : .observe(notBefore: nextRead(context))
        }
        if needsFreshRead, !isPast(context.hardStop, context.now) { return .observe(notBefore: context.now) }
        if isProven { return .finish }
        if context.mayMutate, let step = closable(context, calls: calls) { return step }
        if isOver(context, calls: calls) { return .end(verdict(context, calls: calls)) }
        return .observe(notBefore: nextRead(context))
    }

    private func isPast(_ stop: Instant?, _ now: Instant) -> Bool { stop.map { $0 <= now } ?? false }

    /// Every selected leg has its qualifying reads, or the account never had one and reads say so.
    public var isProven: Bool {
        openLegs.isEmpty && cleanReads.count >= plan.verify.reads
            && legOrder.allSatisfy { (legs[$0]?.proofs.count ?? 0) >= plan.verify.reads }
    }

    func unresolvedUnknown(_ calls: [String: CallRecord]) -> [CallRecord] {
        unresolved.compactMap { calls[$0] }.filter { if case .unknown = $0.stage { true } else { false } }
    }

    private func resolutions(at now: Instant, calls: [String: CallRecord]) -> [CallResolution] {
        unresolvedUnknown(calls).compactMap { call -> CallResolution? in
            guard case .unknown(let deadAt) = call.stage, case .close(let close) = call.intent.mutation,
                let ended = call.result?.answeredAt, let read = lastObservation, read.sentAt >= ended
            else { return nil }
            let open = close.legs.filter { legs[$0]?.current != nil }
            // One stale read must not take a sized order, or any under `wait`, for settled while it can still execute.
            let mayBeLate = close.method.isSized || plan.afterUnknown == .wait
            if open.isEmpty, !mayBeLate || read.sentAt >= deadAt {
                return CallResolution(
                    id: call.intent.id, account: name, verdict: .executed, evidence: "gone in read \(read.digest)")
            }
            // The request is dead, and two reads sent after that show the leg: it did not do it.
            let unchanged = open.allSatisfy { (legs[$0]?.openReads.count { $0 >= deadAt } ?? 0) >= 2 }
            guard now >= deadAt, unchanged else { return nil }
            // Of a part, a smaller rest tells that it was done.
            let isSmaller =
                close.method.isSized && open.contains { legs[$0]?.hasShrunk == true }
            return CallResolution(
                id: call.intent.id, account: name,
                verdict: open.count == close.legs.count && !isSmaller ? .notExecuted : .executed,
                evidence: "\(open.count) of \(close.legs.count) legs open in two reads after its end of life"
                    + (isSmaller ? ", and smaller" : ""))
        }
    }

    /// Legs that may be closed now; those that repeat the same lost call go together.
    private func closable(_ context: AccountContext, calls: [String: CallRecord]) -> AccountStep? {
        var groups: [String?: [Position]] = [:]
        var earliest: Instant?
        for key in openLegs {
            guard let leg = legs[key], let row = leg.current, mayTryAgain(leg) else { continue }
            switch readiness(leg, context: context, calls: calls) {
            case .now(let repeats): groups[repeats, default: []].append(row)
            case .at(let instant): earliest = min(earliest ?? instant, instant)
            case .afterReads: continue
            }
        }
        if let fresh = groups[nil] { return .plan(fresh, repeats: nil) }
        if let (repeats, rows) = groups.min(by: { ($0.key ?? "") < ($1.key ?? "") }) {
            return .plan(rows, repeats: repeats)
        }
        if let earliest, earliest > context.now, nextRead(context) > earliest { return .wait(until: earliest) }
        return nil
    }

    private enum Readiness {
        case now(repeats: String?)
        case at(Instant)
        case afterReads
    }

    private func readiness(
        _ leg: LegState, context: AccountContext, calls: [String: CallRecord]
    ) -> Readiness {
        let covering = leg.calls.compactMap { calls[$0] }
        if covering.contains(where: { $0.stage == .intended }) { return .afterReads }
        let lost = covering.filter(\.isUnresolved)
        if let call = lost.first {
            guard lost.count == 1, !context.unrepeatable.contains(call.intent.id), plan.afterUnknown == .resend,
                !call.wasRepeated, call.intent.repeats == nil,
                case .close(let close) = call.intent.mutation, !close.method.isSized, leg.openReads.count >= 2
            else { return .afterReads }
            return .now(repeats: call.intent.id)
        }
        guard let last = covering.last else { return .now(repeats: nil) }
        if let until = leg.blockedUntil, last.result?.outcome.effect == Effect.none {
            return until <= context.now ? .now(repeats: nil) : .at(until)
        }
        if let reads = readsAfterPart(leg, last) {
            return leg.openReads.count >= reads ? .now(repeats: nil) : .afterReads
        }
        // Accepted and still open: two reads tell a late fill from a failed close; one is enough for a leg that came back.
        return leg.openReads.count >= (leg.sawZero ? 1 : 2) ? .now(repeats: nil) : .afterReads
    }

    /// How many reads of the open leg the next part waits for; nil where the usual two decide.
    private func readsAfterPart(_ leg: LegState, _ last: CallRecord) -> Int? {
        guard case .close(let close) = last.intent.mutation, case .definite = last.stage else { return nil }
        // Nothing was done: one read tells how much there is to be cut.
        let outcome = last.result?.outcome
        if outcome?.effect == Effect.none, outcome?.obstacle == .tooLarge, leg.sizing.isInParts { return 1 }
        guard close.method.isSized, leg.sizing.isDone(close.quantity, open: leg.current?.quantity) else { return nil }
        return 1
    }

    private func mayTryAgain(_ leg: LegState) -> Bool {
        if let open = leg.current?.quantity, leg.sizing.isOver(open: open) { return false }
        return leg.refusal == nil && leg.rounds <= plan.verify.rounds
            && leg.softFailures <= (leg.obstacle?.passes == true ? Self.maximumPatience : Self.maximumSoftFailures)
    }

    /// Reads follow the last answer by the settle time and each other by the interval, slower while nothing changes.
    private func nextRead(_ context: AccountContext) -> Instant {
        var earliest = context.now
        if let answered = lastDefiniteAt { earliest = max(earliest, answered + context.settle) }
        let lastRead = lastObservation?.receivedAt ?? snapshot?.receivedAt
        guard let lastRead else { return earliest }
        let stale = openLegs.compactMap { legs[$0]?.openReads.count }.max() ?? 0
        let pause = stale <= 4 ? plan.verify.interval : max(plan.verify.interval, .seconds(min(5, stale - 2)))
        return max(earliest, lastRead + pause)
    }

    /// Whether waiting longer cannot change the verdict, or may not.
    private func isOver(_ context: AccountContext, calls: [String: CallRecord]) -> Bool {
        if let hardStop = context.hardStop, context.now >= hardStop { return true }
        // A back-off that the exchange asked for is no time in which it had a chance to answer.
        let backedOff = openLegs.compactMap { legs[$0] }.filter(mayTryAgain).compactMap(\.blockedUntil).max()
        let begin = [lastDefiniteAt, lastIntentAt, snapshot?.receivedAt, lastDeath(calls), backedOff]
            .compactMap(\.self).max()
        if let begin, context.now - begin > plan.verify.timeout + context.limitWait { return true }
        let waiting = openLegs.contains { key in
            guard let leg = legs[key] else { return false }
            return context.mayMutate && mayTryAgain(leg)
        }
        if waiting || !unresolvedUnknown(calls).isEmpty { return false }
        // Everything reads as zero: only the proof is missing, and the timeouts above bound the wait for it.
        if openLegs.isEmpty { return false }
        // Nothing will be closed any more: every other leg must be proven, every open one seen since the last answer.
        return legOrder.allSatisfy { key in
            guard let leg = legs[key] else { return true }
            return leg.current == nil
                ? leg.proofs.count >= plan.verify.reads : !leg.openReads.isEmpty || isCurrent(leg, calls: calls)
        } && (context.mayMutate || observations >= 1 || calls.isEmpty)
    }

    private func lastDeath(_ calls: [String: CallRecord]) -> Instant? {
        unresolvedUnknown(calls).compactMap { call -> Instant? in
            guard case .unknown(let deadAt) = call.stage, case .close(let close) = call.intent.mutation,
                close.method.isSized
            else { return nil }
            return deadAt
        }.max()
    }

    /// Whether the last complete read was sent after the leg's last call ended.
    private func isCurrent(_ leg: LegState, calls: [String: CallRecord]) -> Bool {
        guard let last = leg.calls.last.flatMap({ calls[$0] }) else { return true }
        guard let ended = last.result?.answeredAt, let read = lastObservation else { return false }
        return read.sentAt >= ended
    }
}

extension AccountState {
    /// The verdict on what is known now; what has no evidence is `unknown`.
    public func verdict(_ context: AccountContext, calls: [String: CallRecord]) -> AccountVerdict {
        let legVerdicts = legOrder.compactMap { key in legs[key].map { legVerdict($0, context, calls) } }
        let order: [FinalState] = [.unknown, .residual, .refused, .skipped, .dust]
        let worst = order.first { state in legVerdicts.contains { $0.state == state } }
        let state: FinalState
        if let worst {
            state = worst
        } else if cleanReads.count < plan.verify.reads {
            state = .unknown
        } else {
            state = legOrder.isEmpty ? .alreadyFlat : .flat
        }
        let leg = legVerdicts.first { $0.state == state }
        var cause = state == .flat || state == .alreadyFlat ? nil : context.stopCause
        if cause == nil, legVerdicts.contains(where: { $0.state == .residual }),
            legVerdicts.allSatisfy({ $0.state == .flat || $0.error?.errorClass == ErrorClass.rateLimited.rawValue })
        {
            cause = .rateLimited
        }
        return AccountVerdict(
            account: name, state: state,
            reason: state == .flat || state == .alreadyFlat
                ? nil
                : leg?.reason ?? context.stopReason ?? "not proven: fewer than \(plan.verify.reads) complete reads",
            error: leg?.error, cause: cause, legs: legVerdicts, openersRemain: context.openersRemain)
    }

    private func legVerdict(
        _ leg: LegState, _ context: AccountContext, _ calls: [String: CallRecord]
    ) -> AccountVerdict.Leg {
        let key = leg.before.key
        if leg.current == nil {
            if leg.proofs.count >= plan.verify.reads, openLegs.isEmpty ? cleanReads.count >= plan.verify.reads : true {
                return AccountVerdict.Leg(key: key, state: .flat)
            }
            return AccountVerdict.Leg(
                key: key, state: .unknown,
                reason: context.stopReason ?? "shown as closed by \(leg.proofs.count) of \(plan.verify.reads) reads",
                error: leg.failure)
        }
        if !isCurrent(leg, calls: calls) {
            return AccountVerdict.Leg(
                key: key, state: .unknown, reason: "no complete read since its last call", error: leg.failure)
        }
        if let refusal = leg.refusal {
            return AccountVerdict.Leg(key: key, state: .refused, reason: refusal, error: leg.failure)
        }
        if let dust = leg.dustReason {
            return AccountVerdict.Leg(key: key, state: .dust, reason: dust, error: leg.failure)
        }
        return AccountVerdict.Leg(
            key: key, state: .residual, reason: leg.residualReason(stop: context.stopReason), error: leg.failure)
    }
}
