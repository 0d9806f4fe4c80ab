/// Makes the report from the fold of the journal: the same journal gives the same report, byte for byte.
public struct ReportBuilder {
    private let machine: RunMachine
    private let journalHead: String

    /// - Parameter journalHead: `sha256:` of the run's last entry.
    public init(_ machine: RunMachine, journalHead: String) {
        self.machine = machine
        self.journalHead = journalHead
    }

    /// - Returns: nil while the run has no head.
    public func report() -> RunReport? {
        guard let header = machine.header else { return nil }
        let states = machine.accountOrder.compactMap { machine.accounts[$0] }
        let closing = machine.closing
        let verdict = RunVerdict(machine, signal: machine.interruption)
        let legs = states.flatMap { state in state.legOrder.compactMap { key in state.legs[key].map { row($0, state) } }
        }
        let run = RunReport.Run(
            id: header.id, plans: header.plans.map(\.name), planDigest: header.planDigest,
            environment: header.environment, status: closing?.status ?? verdict.status,
            exitCode: closing?.exitCode ?? verdict.exitCode, startedAt: header.startedWall,
            finishedAt: machine.closedWall, deadline: header.deadlineWall, host: header.holder.host,
            version: header.holder.version, journalHead: journalHead, lateCloseUntil: closing?.lateCloseUntil)
        return RunReport(
            run: run, totals: totals(states, legs: legs, header: header), accounts: states.map { row($0, header) },
            legs: legs, calls: machine.callOrder.compactMap { machine.calls[$0] }.map(row),
            limits: closing?.limits ?? [])
    }

    private func seconds(_ time: WallTime?, since start: WallTime) -> TimeSpan? {
        time.map { .milliseconds($0.milliseconds - start.milliseconds) }
    }

    private func flatAt(_ state: AccountState) -> WallTime? {
        guard let verdict = state.verdict, verdict.state == .flat || verdict.state == .alreadyFlat else { return nil }
        return state.cleanReads.dropFirst(needed(state) - 1).first?.receivedWall ?? state.verdictWall
    }

    /// Reads that make a proof; a plan of an old journal may say anything.
    private func needed(_ state: AccountState) -> Int { max(1, state.plan.verify.reads) }

    private func row(_ state: AccountState, _ header: RunHeader) -> RunReport.AccountRow {
        let account = state.listed.account
        let legs = state.legOrder.compactMap { state.legs[$0] }
        let proven = state.verdict?.state == .flat || state.verdict?.state == .alreadyFlat
        let read = state.snapshot?.read ?? []
        return RunReport.AccountRow(
            name: account.name, exchange: account.exchange, uid: state.identity?.uid ?? account.uid,
            state: state.verdict?.state ?? .unknown, reason: state.verdict == nil ? unended : state.verdict?.reason,
            positionMode: state.positionMode ?? state.identity?.positionMode,
            evidence: proven
                ? (isControlled(state, read: read) ? "controlled" : "positions-only") : nil,
            read: read, notRead: state.snapshot?.notRead ?? [], legs: legs.count,
            notionalBefore: sum(legs.map(\.before.notional)),
            notionalAfter: sum(legs.compactMap { $0.current?.notional }),
            timeToFlat: seconds(flatAt(state), since: header.startedWall),
            openersRemain: state.verdict?.openersRemain ?? 0, error: state.verdict?.error,
            isDisabled: !account.enabled)
    }

    /// Whether every product read that the exchange has a control call for was seen at work: by a row or by that call.
    private func isControlled(_ state: AccountState, read: [String]) -> Bool {
        let controllable = Set(read).subtracting(state.snapshot?.uncontrollable ?? [])
        return !controllable.isEmpty && state.controlled.isSuperset(of: controllable)
    }

    /// Why an account or a leg has no verdict.
    private var unended: String? { machine.interruption.map { "interrupted by \($0)" } }

    private func row(_ leg: LegState, _ state: AccountState) -> RunReport.LegRow {
        let verdict = state.verdict?.legs.first { $0.key == leg.before.key }
        let isFlat = verdict?.state == .flat || verdict?.state == .alreadyFlat
        var row = RunReport.LegRow(
            key: leg.before.key, exchange: state.listed.account.exchange, symbol: leg.before.symbol,
            quantityBefore: leg.before.quantity, notionalBefore: leg.before.notional,
            entryPrice: leg.before.entryPrice, markPrice: leg.before.markPrice, state: verdict?.state ?? .unknown,
            reason: verdict == nil ? unended : verdict?.reason,
            closedBy: verdict?.state == .flat ? leg.closer.rawValue : nil,
            reopened: leg.reopened,
            quantityAfter: isFlat ? .zero : (verdict?.state ?? .unknown) == .unknown ? nil : leg.current?.quantity,
            firstCallAt: leg.firstIntentWall,
            flatProvenAt: isFlat ? leg.proofs.dropFirst(needed(state) - 1).first?.receivedWall : nil,
            proof: leg.proofs.prefix(needed(state)).map {
                RunReport.Proof(sentAt: $0.sentAt, serverTime: $0.serverTime, digest: $0.digest)
            },
            error: verdict?.error)
        row.notionalAfter = isFlat ? .zero : leg.current?.notional
        if isFlat, let figures = LegFigures(of: leg, in: state, calls: machine.calls) {
            row.averagePrice = figures.averagePrice
            row.slippageBps = figures.slippageBps
            row.fee = figures.fee
            row.realizedPnl = figures.realizedPnl
        }
        return row
    }

    private func row(_ call: CallRecord) -> RunReport.CallRow {
        let outcome = call.result?.outcome
        return RunReport.CallRow(
            id: call.intent.id, account: call.intent.mutation.account, operation: call.intent.mutation.operation,
            target: call.intent.mutation.target, plannedAt: call.intent.plannedAt, sentAt: call.sentWall,
            answeredAt: call.answeredWall, attempt: call.intent.attempt, effect: effect(call),
            errorClass: outcome?.errorClass ?? .unknown, exchangeCode: outcome?.code ?? "",
            message: outcome?.message ?? "no outcome was recorded", orderIDs: outcome?.orderIDs ?? [],
            limitWait: call.intent.limitWait)
    }

    /// What reading found replaces `unknown`.
    private func effect(_ call: CallRecord) -> Effect {
        switch call.stage {
        case .resolved(.executed): .executed
        case .resolved(.notExecuted): .none
        case .resolved(.indeterminate), .intended, .unknown: .unknown
        case .definite: call.result?.outcome.effect ?? .unknown
        }
    }

    private func totals(
        _ states: [AccountState], legs: [RunReport.LegRow], header: RunHeader
    ) -> RunReport.Totals {
        var totals = RunReport.Totals()
        let counted = states.filter(\.listed.account.enabled)
        let flat = counted.filter { $0.verdict?.state == .flat || $0.verdict?.state == .alreadyFlat }
        totals.accounts = counted.count
        totals.accountsFlat = flat.count
        totals.legs = legs.count
        totals.legsFlat = legs.count { $0.state == .flat || $0.state == .alreadyFlat }
        totals.notionalBefore = sum(legs.map(\.notionalBefore))
        let current = states.flatMap { state in state.legOrder.compactMap { state.legs[$0]?.current?.notional } }
        totals.notionalAfter = sum(current)
        let calls = machine.callOrder.compactMap { machine.calls[$0] }
        totals.attempts = calls.count
        totals.calls = calls.count { $0.intent.attempt == 1 }
        totals.reads = machine.closing?.reads ?? 0
        totals.rateLimitRejections = machine.closing?.limits.map(\.rejections).reduce(0, +) ?? 0
        totals.ordersCancelled = states.map(\.ordersCancelled).reduce(0, +)
        if flat.count == counted.count, !counted.isEmpty {
            totals.timeToFlat = counted.compactMap { seconds(flatAt($0), since: header.startedWall) }.max()
        }
        totals.lowerBound = lowerBound(calls)
        totals.exposureSeconds = exposure(states, header: header)
        let outside = states.filter { !$0.outside.isEmpty }
        totals.openOutsideSelection.accounts = outside.count
        totals.openOutsideSelection.legs = outside.map(\.outside.count).reduce(0, +)
        totals.openOutsideSelection.notional = sum(outside.flatMap { $0.outside.map(\.notional) })
        return totals
    }

    /// The larger of the limits' bound and the longest chain of one account at the median round trip.
    private func lowerBound(_ calls: [CallRecord]) -> TimeSpan? {
        guard let planned = machine.planned, let closing = machine.closing else { return nil }
        let perAccount = Dictionary(grouping: calls, by: \.intent.mutation.account).mapValues(\.count).values.max() ?? 0
        return max(planned.lowerBound, closing.medianRoundTrip * (perAccount + 2))
    }

    /// The latest time that a run without end tells.
    private func lastSeen(_ states: [AccountState]) -> WallTime? {
        let calls = machine.calls.values.flatMap { [$0.sentWall, $0.answeredWall] }
        let reads = states.flatMap { state in
            [state.verdictWall, state.cleanReads.last?.receivedWall]
                + state.legs.values.flatMap { [$0.firstIntentWall, $0.proofs.last?.receivedWall] }
        }
        return (calls + reads).compactMap(\.self).max()
    }

    /// USD·s: each leg's notional times the seconds from the start until it was first seen at zero, or until the end.
    private func exposure(_ states: [AccountState], header: RunHeader) -> Amount {
        var total = Amount.zero
        let end = machine.closedWall ?? lastSeen(states) ?? header.startedWall
        for state in states {
            for leg in state.legOrder.compactMap({ state.legs[$0] }) {
                let end = leg.proofs.first?.receivedWall ?? end
                let span = max(0, end.milliseconds - header.startedWall.milliseconds)
                guard let millis = try? leg.before.notional.multiplied(by: Amount(Int(span))),
                    let seconds = try? millis.multiplied(by: Amount("0.001")), let sum = try? total.adding(seconds)
                else { continue }
                total = sum
            }
        }
        return (try? total.roundedDown(to: Amount("0.01"))) ?? total
    }

    private func sum(_ amounts: [Amount]) -> Amount {
        amounts.reduce(.zero) { (try? $0.adding($1)) ?? $0 }
    }
}
