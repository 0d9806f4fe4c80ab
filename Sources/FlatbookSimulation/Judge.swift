import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor

/// Judges a run on the exchanges' truth, never on what the client believes.
package struct Judge {
    private let run: SimulatedRun
    private var found: [String]

    /// Everything that was broken, each with the invariant's name first; empty = all promises were kept.
    package static func violations(of run: SimulatedRun) -> [String] {
        var judge = Judge(run)
        judge.judge()
        return judge.found
    }

    private init(_ run: SimulatedRun) {
        self.run = run
        found = run.violations
    }

    private mutating func say(_ isKept: Bool, _ text: @autoclosure () -> String) {
        if !isKept, found.count < 20 { found.append(text()) }
    }

    private mutating func judge() {
        let truth = run.simulation.truth
        say(truth.exposureIncreases == 0, "I4: \(truth.exposureIncreases) orders increased exposure")
        say(truth.unprotectedOrders == 0, "I5: \(truth.unprotectedOrders) orders could open")
        say(truth.neverCalls.isEmpty, "I14: \(truth.neverCalls.prefix(2))")
        say(truth.limitViolations.isEmpty, "I6: \(truth.limitViolations.prefix(2))")
        for process in run.world.processes {
            judge(process)
            judgeHonesty(of: process)
        }
    }

    /// Every call is accounted for as the exchange saw it: what is journaled as executed was, and what was executed is
    /// journaled as that or as unknown. Requests with the same bytes count together.
    private mutating func judgeHonesty(of process: SimulatedProcess) {
        var executed: [String: Int] = [:]
        // An exchange may accept a close and never make it: an acknowledgement is then all there is.
        var accepted: [String: Int] = [:]
        for receipt in run.world.receipts where receipt.process == process.number {
            guard run.simulation.truth.receipts.indices.contains(receipt.receipt) else { return }
            let truth = run.simulation.truth.receipts[receipt.receipt]
            if truth.executed { executed[receipt.digest, default: 0] += 1 }
            if truth.executed || truth.code == "0" { accepted[receipt.digest, default: 0] += 1 }
        }
        var told: [String: (executed: Int, unknown: Int)] = [:]
        var digests: [String: String] = [:]
        for entry in process.disk.durable {
            switch entry.event {
            case .intent(let intent):
                digests[intent.id] = intent.requestDigest
                told[intent.requestDigest, default: (0, 0)].unknown += 1
            case .outcome(let result):
                guard let digest = digests[result.id] else { continue }
                switch result.outcome.effect {
                case .executed, .partial:
                    told[digest, default: (0, 0)].executed += 1
                    told[digest, default: (0, 0)].unknown -= 1
                case .none: told[digest, default: (0, 0)].unknown -= 1
                case .unknown: continue
                }
            default: continue
            }
        }
        for (digest, told) in told {
            let truly = executed[digest] ?? 0
            let most = accepted[digest] ?? 0
            say(told.executed <= most, "I10: \(told.executed) calls journaled as executed, \(most) were accepted")
            say(
                truly <= told.executed + told.unknown,
                "I10: \(truly) calls executed, journaled \(told.executed) executed and \(told.unknown) unknown")
        }
    }

    /// I10: a process that takes a run over closes nothing before it has read the account itself.
    private mutating func judgeTakeOver(_ entries: [JournalEntry]) {
        var read: [String: Int] = [:]
        for entry in entries {
            switch entry.event {
            case .snapshot(let snapshot): read[snapshot.account] = entry.epoch
            case .observed(let observation): read[observation.account] = entry.epoch
            case .intent(let intent):
                guard case .close(let close) = intent.mutation else { continue }
                say(read[close.account] == entry.epoch, "I10: \(intent.id) was made on reads of an earlier process")
            default: continue
            }
        }
    }

    /// Only orders of the selection are cancelled, and none under `keep`.
    private mutating func judgeCancels(_ process: SimulatedProcess, _ machine: RunMachine) {
        for order in run.world.cancelled where order.process == process.number {
            guard let state = machine.accounts[order.account] else { continue }
            let leg = ExchangeSimulator.LegKey(uid: "", product: order.product, symbol: order.symbol, side: order.leg)
            let isAllowed = state.plan.orders != .keep && isSelected(leg, state)
            say(isAllowed, "I5: an order of \(order.symbol) \(order.leg) was cancelled outside the selection")
        }
    }

    private mutating func judge(_ process: SimulatedProcess) {
        let entries = process.disk.durable
        let end = process.end
        if case .broken(let violation) = end { found.append("\(violation)") }
        guard !entries.isEmpty else {
            // Nothing was journaled: then nothing was sent either.
            say(end != nil, "I18: the run does not end")
            if run.secondHeader == nil { say(run.mutationReceipts.isEmpty, "I1: nothing journaled, yet sent") }
            return
        }
        let machine: RunMachine
        do {
            machine = try RunMachine(folding: entries)
        } catch {
            found.append("\(error)")
            return
        }
        if case .interrupted = end { return judgeInterrupted(machine) }
        if case .journalFailed = end { return }
        say(machine.closing != nil, "I9, I18: the run did not end: \(end.map { "\($0)" } ?? "out of steps")")
        guard machine.closing?.refusal == nil, machine.closing != nil else { return }
        let evidence = Evidence(entries)
        judgeCancels(process, machine)
        judgeTakeOver(entries)
        let open = machine.calls.values.filter { $0.stage == .intended }.map(\.intent.id)
        say(open.isEmpty, "I10: the run ends and \(open.sorted()) have no outcome")
        for listed in process.header.accounts { judge(listed, machine, evidence) }
        judgeExit(machine)
    }

    /// I22: a signal leaves no call without outcome.
    private mutating func judgeInterrupted(_ machine: RunMachine) {
        let left = machine.calls.values.filter { $0.stage == .intended }.map(\.intent.id)
        say(left.isEmpty, "I22: stopped, and \(left.sorted()) have no outcome")
    }

    /// I9: the exit code tells the worst.
    private mutating func judgeExit(_ machine: RunMachine) {
        guard let closing = machine.closing else { return }
        let states = machine.accountOrder.compactMap { machine.accounts[$0]?.verdict?.state }
        say(states.count == machine.accountOrder.count, "I9: \(states.count) verdicts of \(machine.accountOrder.count)")
        // Dust that the plan accepts counts as flat (contract §3, verify).
        let isFlat = machine.accountOrder.allSatisfy { name in
            guard let account = machine.accounts[name], let state = account.verdict?.state else { return false }
            return state == .flat || state == .alreadyFlat || state == .dust && account.plan.verify.dust == .accept
        }
        say(isFlat == (closing.exitCode == 0), "I9: exit code \(closing.exitCode) for \(states.map(\.rawValue))")
        if states.contains(.unknown) {
            say([11, 14, 75].contains(closing.exitCode), "I9: exit code \(closing.exitCode) with an unknown account")
        }
    }

    private mutating func judge(_ listed: RunHeader.RunAccount, _ machine: RunMachine, _ evidence: Evidence) {
        let name = listed.account.name
        guard let state = machine.accounts[name], let verdict = state.verdict,
            let uid = run.accounts.first(where: { $0.name == name })?.uid
        else { return found.append("I9: \(name) has no verdict") }
        let truth = run.simulation.truth
        for (leg, closes) in truth.executedCloses where leg.uid == uid && !closes.isEmpty {
            say(isSelected(leg, state), "I5: \(leg.symbol) \(leg.side) of \(name) was closed outside the selection")
            judgeFills(leg, closes, truth)
        }
        let isWhole = verdict.state == .flat || verdict.state == .alreadyFlat
        for (leg, points) in truth.legs where leg.uid == uid && isSelected(leg, state) {
            guard let proofs = isWhole ? state.cleanReads : flatProofs(of: leg, state, verdict),
                let last = proofs.last, let first = proofs.dropLast(state.plan.verify.reads - 1).last
            else { continue }
            guard let from = evidence.sentAt(first, account: name) else {
                found.append("I7: no read in the journal for the proof of \(name)")
                continue
            }
            let until = last.receivedAt.nanoseconds
            let wasZero = Self.wasZero(points, from: from - staleness, until: until)
            say(wasZero, "I8: \(name) \(leg.symbol) \(leg.side) is called flat and never was zero before \(until)")
        }
        judgeProofs(state, verdict, evidence)
    }

    /// Per leg the fills of closes never exceed what was ever open there.
    private mutating func judgeFills(
        _ leg: ExchangeSimulator.LegKey, _ closes: [ExchangeSimulator.ExecutedClose], _ truth: Truth
    ) {
        let filled = closes.reduce(Fixed.zero) { $0 + $1.quantity }
        var opened = Fixed.zero
        var before = Fixed.zero
        for point in truth.legs[leg] ?? [] {
            if point.quantity > before { opened += point.quantity - before }
            before = point.quantity
        }
        say(filled <= opened, "I4: closes of \(leg.symbol) \(leg.side) filled \(filled) of \(opened)")
    }

    /// I7: a leg that is called flat has qualifying reads in the journal, at least the interval apart.
    private mutating func judgeProofs(_ state: AccountState, _ verdict: AccountVerdict, _ evidence: Evidence) {
        for leg in verdict.legs where leg.state == .flat {
            let proofs = state.legs[leg.key]?.proofs ?? []
            say(proofs.count >= state.plan.verify.reads, "I7: \(leg.key.instrument) flat on \(proofs.count) reads")
            for (earlier, later) in zip(proofs, proofs.dropFirst()) {
                guard let sent = evidence.sentAt(later, account: state.name) else { continue }
                let gap = sent - earlier.receivedAt.nanoseconds
                say(
                    gap >= state.plan.verify.interval.nanoseconds,
                    "I7: proofs of \(leg.key.instrument) are \(gap / 1_000_000) ms apart")
            }
            for proof in proofs {
                guard let sent = evidence.sentAt(proof, account: state.name) else { continue }
                let answered = evidence.lastAnswer(to: state.name)
                say(sent >= answered, "I7: a proof of \(leg.key.instrument) was asked for before the last answer")
            }
            say(
                !evidence.showsOpen(leg.key, in: proofs, account: state.name),
                "I7: a proof of \(leg.key.instrument) shows it open")
        }
    }

    private func flatProofs(
        of leg: ExchangeSimulator.LegKey, _ state: AccountState, _ verdict: AccountVerdict
    ) -> [ReadProof]? {
        let keys = verdict.legs.filter { $0.state == .flat && matches($0.key, leg) }.map(\.key)
        // Where several rows are one leg to the judge, all of them must be called flat for it to be.
        guard let key = keys.first, verdict.legs.filter({ matches($0.key, leg) }).count == keys.count else {
            return nil
        }
        return state.legs[key]?.proofs
    }

    private func matches(_ key: FlatbookCore.LegKey, _ leg: ExchangeSimulator.LegKey) -> Bool {
        key.instrument == leg.symbol && key.side == (leg.side == .long ? .long : .short)
            && (key.silo == .copy) == leg.product.hasPrefix("copy:")
    }

    private func isSelected(_ leg: ExchangeSimulator.LegKey, _ state: AccountState) -> Bool {
        let side: Side = leg.side == .long ? .long : .short
        let symbol = TestExchanges.canonical(leg.product, leg.symbol)
        guard state.plan.sides.contains(side),
            state.selection.selects(symbol: symbol, nativeID: leg.symbol, exchange: state.listed.account.exchange)
        else { return false }
        return state.listed.onlyLegs.map { $0.contains { matches($0, leg) } } ?? true
    }

    /// How old a good answer may be: lag, a slow reply and the way, in nanoseconds.
    private var staleness: Int64 {
        let faults = run.configuration.faults
        let lag = max(run.configuration.readLagMs, faults.readLagMs?.upperBound ?? 0)
        return (lag + 100) * 1_000_000
    }

    private static func wasZero(_ points: [LegPoint], from: Int64, until: Int64) -> Bool {
        for (index, point) in points.enumerated() where point.quantity == .zero {
            let ends = index + 1 < points.count ? points[index + 1].atNs : Int64.max
            if point.atNs <= until, ends > from { return true }
        }
        // Opened for the first time after the proof began: outside the claim.
        return points.first.map { $0.atNs > from } ?? true
    }
}

/// The reads of a journal, found by when their answer came.
private struct Evidence {
    private var answers: [String: Int64] = [:]
    private var reads: [String: (sentAt: Int64, open: [FlatbookCore.LegKey])] = [:]

    init(_ entries: [JournalEntry]) {
        for entry in entries {
            switch entry.event {
            case .snapshot(let read): note(read.account, read.sentAt, read.receivedAt, read.positions)
            case .observed(let read): note(read.account, read.sentAt, read.receivedAt, read.positions)
            case .outcome(let result) where result.outcome.effect != .unknown:
                answers[result.account] = max(answers[result.account] ?? .min, result.answeredAt.nanoseconds)
            default: continue
            }
        }
    }

    private mutating func note(_ account: String, _ sent: Instant, _ received: Instant, _ positions: [Position]) {
        reads["\(account) \(received.nanoseconds)"] = (sent.nanoseconds, positions.map(\.key))
    }

    /// When the last definite answer to a call of the account came.
    func lastAnswer(to account: String) -> Int64 { answers[account] ?? .min }

    func sentAt(_ proof: ReadProof, account: String) -> Int64? {
        reads["\(account) \(proof.receivedAt.nanoseconds)"]?.sentAt
    }

    func showsOpen(_ key: FlatbookCore.LegKey, in proofs: [ReadProof], account: String) -> Bool {
        proofs.contains { reads["\(account) \($0.receivedAt.nanoseconds)"]?.open.contains(key) ?? false }
    }
}
