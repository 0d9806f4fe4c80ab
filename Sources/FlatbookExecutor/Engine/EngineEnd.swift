import ExchangeKit
import FlatbookCore

extension Engine {
    /// Guards and prompt are evaluated when every account's snapshot has ended; without them each account goes when its own has.
    func openBarrier() throws(InvariantViolation) {
        guard hasOpened, end == nil, stopping == nil else { return }
        let isAllRead = machine.accountOrder.allSatisfy { name in
            guard machine.accounts[name]?.verdict == nil, let lane = lanes[name] else { return true }
            return lane.phase == .held || lane.phase == .working || lane.phase == .ended
        }
        if configuration.mode == .preview {
            let isOrdered = machine.accountOrder.allSatisfy {
                lanes[$0]?.phase == .ended || (lanes[$0]?.ordersDone == true && lanes[$0]?.identityDone == true)
                    || machine.accounts[$0]?.verdict != nil
            }
            if isAllRead, isOrdered { finish(.preview(try plannedWork())) }
            return
        }
        if isAllRead, !hasPlanned, configuration.mode == .run, !barrierWasPassed {
            hasPlanned = true
            let work = try plannedWork()
            let digests = machine.accountOrder.compactMap { machine.accounts[$0]?.snapshot?.digest }
            try record(
                .planned(
                    PlanSummary(
                        snapshotDigest: configuration.digest(Array(digests.joined(separator: "\n").utf8)),
                        calls: work.calls, legs: work.legs, notional: work.notional, lowerBound: work.lowerBound)))
            if let refusal = guardRefusal(work) { return finishRefused(refusal) }
            if !isConfirmed, !hasAsked {
                hasAsked = true
                effects.append(.confirm(work))
                return
            }
        }
        guard !isBarrierOpen else { return try openIdentified() }
        if needsEverySnapshot, configuration.mode == .run, !barrierWasPassed, !(isAllRead && isConfirmed) { return }
        isBarrierOpen = true
        try openIdentified()
    }

    /// Two names with one uid are found before anything is sent: where uids are not pinned, that needs every identity of
    /// the exchange.
    private func openIdentified() throws(InvariantViolation) {
        for key in venueOrder where venues[key]?.isIdentified == false && venues[key]?.hasBegun == true {
            let twins = venueOrder.filter {
                $0.exchange == key.exchange && $0.environment == key.environment && $0.base == key.base
            }
            guard twins.allSatisfy({ venues[$0]?.lanes.allSatisfy(isIdentityKnown) ?? true }) else { continue }
            venues[key]?.isIdentified = true
            for name in venues[key]?.lanes ?? []
            where lanes[name]?.phase == .held || lanes[name]?.phase == .working {
                try work(name)
            }
        }
    }

    /// Whether the account's uid is known, from the file or from the exchange.
    private func isIdentityKnown(_ name: String) -> Bool {
        guard let lane = lanes[name], lane.phase != .ended, machine.accounts[name]?.verdict == nil else { return true }
        if lane.identityDone || lane.account.uid != nil { return true }
        return lane.begunAt.map { now.instant - $0 >= Self.identityPatience } ?? false
    }

    /// An account that does not tell whose it is sends nothing itself, and holds up the others of its exchange no longer
    /// than this (contract §3, Snapshot).
    static let identityPatience = TimeSpan.seconds(20)

    var needsEverySnapshot: Bool {
        configuration.needsConfirmation
            || configuration.header.plans.contains { $0.guards.maxNotional != nil || $0.guards.maxLegs != nil }
    }

    private func guardRefusal(_ work: PlannedWork) -> String? {
        for (index, plan) in configuration.header.plans.enumerated() {
            let names = Set(configuration.header.accounts.filter { $0.plan == index }.map(\.account.name))
            let rows = work.items.filter { names.contains($0.account.name) }.flatMap(\.selected)
            if let most = plan.guards.maxLegs, rows.count > most {
                return "plan \(plan.name): \(rows.count) legs are open, guards.maxLegs allows \(most); nothing was sent"
            }
            let notional = rows.reduce(Amount.zero) { sum, row in (try? sum.adding(row.notional)) ?? sum }
            if let most = plan.guards.maxNotional, notional > most {
                return
                    "plan \(plan.name): \(notional) USD are open, guards.maxNotional allows \(most); nothing was sent"
            }
        }
        return nil
    }

    /// What a run would do, from the snapshots; the same planner chooses the calls.
    func plannedWork() throws(InvariantViolation) -> PlannedWork {
        var items: [PlannedWork.Item] = []
        var all: [(call: CloseCall, costs: [BucketCost])] = []
        for name in machine.accountOrder {
            guard let lane = lanes[name], let account = machine.accounts[name], let venue = venues[lane.venue]
            else { continue }
            let rows = account.openLegs.compactMap { account.legs[$0]?.current }
            var scratch = configuration.planner()
            var calls: [CloseCall] = []
            var unclosable: [UnclosableLeg] = []
            var given: PlannedAccount?
            if !rows.isEmpty {
                let planned = try plannedAccount(name, rows, venue: venue)
                given = planned
                (calls, unclosable) = scratch.add(planned)
                all += calls.map { ($0, planned.costs(of: $0)) }
            }
            var readCosts: [[BucketCost]] = []
            if account.verdict == nil {
                for read in lane.positionReads {
                    let request = venue.plugin.request(for: read, account: lane.account)
                    readCosts.append(
                        try costs(
                            of: request, account: lane.account, plugin: venue.plugin, egress: lane.venue.egress,
                            reserve: 0))
                }
            }
            items.append(
                PlannedWork.Item(
                    account: lane.account, snapshot: account.snapshot, selected: rows, outside: account.outside,
                    calls: calls, unclosable: unclosable,
                    openers: (lane.orders ?? []).filter { $0.effect == .opens }, verdict: account.verdict,
                    identity: account.identity, planned: given, readCosts: readCosts))
        }
        let (bound, binding) = configuration.lowerBound(all)
        let rows = items.flatMap(\.selected)
        return PlannedWork(
            items: items, legs: rows.count,
            notional: rows.reduce(.zero) { sum, row in (try? sum.adding(row.notional)) ?? sum }, calls: all.count,
            lowerBound: bound, binding: binding, medianRoundTrip: medianRoundTrip, reads: reads)
    }

    // MARK: The end of the run

    func conclude() throws(InvariantViolation) {
        guard end == nil else { return }
        let isDone = machine.accountOrder.allSatisfy { machine.accounts[$0]?.verdict != nil }
        // With every verdict there is nothing left to interrupt: only figures for the report were being waited for.
        let closesAnyway = hasOpened && isDone && configuration.mode == .run && journalFailure == nil
        if let signal = stopping, !closesAnyway { return try concludeStopping(signal) }
        guard hasOpened, configuration.mode != .preview, isDone else { return }
        if stopping == nil, try awaitsExecutions() { return }
        var verdict = RunVerdict(machine)
        if wasLate, continuesAfterDeadline, verdict.exitCode != 11 {
            verdict = RunVerdict(status: "deadline", exitCode: 15)
        }
        if configuration.mode == .reconcile { verdict.status = "interrupted" }
        try record(
            .closed(
                RunClosing(
                    status: verdict.status, exitCode: verdict.exitCode, reads: reads, limits: limitUse(),
                    medianRoundTrip: medianRoundTrip, lateCloseUntil: lateCloseUntil())))
        finish(.closed(verdict))
    }

    /// Whether the last account ended after the deadline. What was only read for the report since then does not count.
    private var wasLate: Bool {
        if let lastEndAt { return lastEndAt >= machine.deadline }
        // An earlier process ended them all: its instants may be of another boot.
        guard let header = machine.header, let last = machine.accounts.values.compactMap(\.verdictWall).max() else {
            return isPastDeadline
        }
        return last >= header.deadlineWall
    }

    /// How long a stopped run waits for answers: the longest call, and a little.
    static let patienceInFlight = TimeSpan.seconds(12)

    var isMutationInFlight: Bool {
        flights.values.contains { if case .mutation = $0.kind { true } else { false } }
    }

    /// What is in flight is awaited, then the run can be resumed (I22).
    private func concludeStopping(_ signal: String) throws(InvariantViolation) {
        if isMutationInFlight, let stopAt, now.instant < stopAt { return }
        if hasOpened, configuration.mode == .run { try record(.interrupted(signal: signal)) }
        finish(journalFailure.map { .journalFailed($0) } ?? .interrupted(signal: signal))
    }

    /// A lost request can execute until its end of life; the report says until when.
    private func lateCloseUntil() -> WallTime? {
        let latest = machine.calls.values.compactMap { call -> Instant? in
            guard case .close = call.intent.mutation, call.result?.outcome.effect == .unknown else { return nil }
            return call.result?.deadAt
        }.max()
        guard let latest, latest > now.instant else { return nil }
        return now.wall(at: latest)
    }

    func limitUse() -> [RunClosing.LimitUse] {
        var uses: [RunClosing.LimitUse] = []
        for key in venueOrder {
            guard let venue = venues[key] else { continue }
            for limit in venue.plugin.profile.limits {
                let peak = venue.ledger.peakUsed(limit: limit.id)
                let rejections = venue.rejections[limit.id] ?? 0
                guard peak > 0 || rejections > 0 else { continue }
                uses.append(
                    RunClosing.LimitUse(exchange: key.exchange, limit: limit, peakUsed: peak, rejections: rejections))
            }
        }
        return uses
    }

    /// The earliest instant at which something changes by itself.
    func nextWake() -> Instant? {
        var earliest: Instant?
        func consider(_ instant: Instant?) {
            guard let instant else { return }
            // A wish for the past is one for the next step; never a busy loop.
            let later = max(instant, now.instant + .milliseconds(1))
            earliest = min(earliest ?? later, later)
        }
        /// A block that is over needs no wake-up: its queue waits for something else.
        func considerLater(_ instant: Instant?) {
            if let instant, instant > now.instant { consider(instant) }
        }
        consider(stopAt)
        for key in venueOrder {
            guard let venue = venues[key] else { continue }
            if venue.nextPermitAt != nil, venue.inFlight < configuration.maximumInFlight {
                consider(venue.nextPermitAt)
            }
            if let pass = venue.pass, !pass.waiting.isEmpty { considerLater(venue.retryPassAt ?? venue.nextPermitAt) }
        }
        if venues.values.contains(where: { $0.phase == .contacting }) { considerLater(contactEnd) }
        guard hasOpened else {
            if venues.values.contains(where: { $0.phase == .ready }) {
                consider(startedAt.instant + Self.contactPatience)
            }
            return earliest
        }
        consider(executionWake())
        if !isPastDeadline { consider(machine.deadline) }
        for name in machine.accountOrder {
            guard let lane = lanes[name], lane.phase != .ended else { continue }
            consider(lane.nextStepAt)
            if !lane.identityDone { considerLater(lane.begunAt.map { $0 + Self.identityPatience }) }
            for pass in lane.passes {
                consider(pass.giveUpAt)
                if !pass.waiting.isEmpty { considerLater(lane.readsBlockedUntil) }
            }
            if !lane.cancels.isEmpty { considerLater(lane.cancelsBlockedUntil) }
        }
        return earliest
    }
}
