package import FlatbookCore

/// Which events met which states: of calls (`reliability.md` §1.4) and of accounts (§1.5).
package struct Coverage: Sendable, Equatable {
    /// `state × event` → how often.
    package private(set) var pairs: [String: Int] = [:]

    package init() {}

    package mutating func merge(_ other: Coverage) {
        pairs.merge(other.pairs, uniquingKeysWith: +)
    }

    private mutating func note(_ state: String, _ event: String) { pairs["\(state) × \(event)", default: 0] += 1 }

    /// Folds a journal and notes what met what; nil where the journal does not fold.
    package mutating func fold(_ entries: [JournalEntry]) -> RunMachine? {
        var machine = RunMachine()
        for entry in entries {
            note(entry, machine)
            do { try machine.apply(entry) } catch { return nil }
        }
        return machine
    }

    private mutating func note(_ entry: JournalEntry, _ machine: RunMachine) {
        switch entry.event {
        case .opened, .planned, .penalty, .legRefused, .legEnded, .executed: return
        case .resumed: noteAll(machine, "resumed")
        case .interrupted: noteAll(machine, "interrupted")
        case .closed: return
        case .identified(let account, _): noteAccount(account, machine, "identified")
        case .learned(let account, _): noteAccount(account, machine, "learned")
        case .snapshot(let snapshot):
            let isOpen = machine.accounts[snapshot.account].map { snapshot.positions.contains(where: $0.isSelected) }
            noteAccount(snapshot.account, machine, isOpen == true ? "snapshot open" : "snapshot zero")
        case .observed(let read):
            let isOpen = machine.accounts[read.account].map { read.positions.contains(where: $0.isSelected) }
            noteAccount(read.account, machine, isOpen == true ? "read open" : "read zero")
        case .controlled(let account, _): noteAccount(account, machine, "controlled")
        case .accountEnded(let verdict): noteAccount(verdict.account, machine, "ended \(verdict.state.rawValue)")
        case .intent(let intent): note(intent, machine)
        case .outcome(let result):
            guard let call = machine.calls[result.id] else { return }
            let event = result.outcome.code == "process-ended" ? "process ended" : result.outcome.effect.rawValue
            note(Self.kind(call.intent) + " intended", event)
            noteAccount(result.account, machine, "\(Self.kind(call.intent)) \(event)")
        case .resolved(let resolution):
            guard let call = machine.calls[resolution.id] else { return }
            note(Self.kind(call.intent) + " unknown", "resolved \(resolution.verdict.rawValue)")
        }
    }

    private mutating func noteAll(_ machine: RunMachine, _ event: String) {
        for name in machine.accountOrder { noteAccount(name, machine, event) }
        for id in machine.callOrder {
            guard let call = machine.calls[id], call.isUnresolved else { continue }
            note(Self.kind(call.intent) + (call.stage == .intended ? " intended" : " unknown"), event)
        }
    }

    private mutating func note(_ intent: CallIntent, _ machine: RunMachine) {
        let kind = Self.kind(intent)
        noteAccount(intent.mutation.account, machine, intent.repeats == nil ? kind : "\(kind) early repeat")
        guard case .close(let close) = intent.mutation, let account = machine.accounts[close.account] else { return }
        let last = close.legs.compactMap { account.legs[$0]?.calls.last }.compactMap { machine.calls[$0] }.last
        guard let last else { return note("\(kind) none before", "attempt") }
        note(Self.kind(last.intent) + " " + Self.stage(last), "next attempt")
    }

    private mutating func noteAccount(_ name: String, _ machine: RunMachine, _ event: String) {
        guard let account = machine.accounts[name] else { return }
        note(Self.phase(account, machine.calls), event)
    }

    private static func kind(_ intent: CallIntent) -> String {
        switch intent.mutation {
        case .cancel: "cancel"
        case .close(let close): close.method.isSized ? "sized close" : "native close"
        }
    }

    private static func stage(_ call: CallRecord) -> String {
        switch call.stage {
        case .intended: "intended"
        case .definite: call.result?.outcome.effect == Effect.none ? "not executed" : "acknowledged"
        case .unknown: "unknown"
        case .resolved(let verdict): "resolved \(verdict.rawValue)"
        }
    }

    /// The account's state of §1.5, as far as the journal tells it.
    private static func phase(_ account: AccountState, _ calls: [String: CallRecord]) -> String {
        if account.verdict != nil { return "ended" }
        if account.snapshot == nil { return account.identity == nil ? "listed" : "preflight" }
        if account.isProven { return "proven" }
        let unresolved = account.unresolved.compactMap { calls[$0] }
        if unresolved.contains(where: { $0.stage == .intended }) { return "closing" }
        if !unresolved.isEmpty { return "reconciling" }
        if account.needsFreshRead { return "taken over" }
        if account.openLegs.isEmpty { return account.cleanReads.isEmpty ? "settling" : "verifying" }
        if account.openLegs.contains(where: { (account.legs[$0]?.reopened ?? 0) > 0 }) { return "reopened" }
        return account.lastIntentAt == nil ? "snapshot" : "still open"
    }
}

extension Coverage {
    /// Legal pairs that were not met.
    package var missing: [String] { Self.legal.filter { pairs[$0] == nil }.sorted() }

    /// Pairs that were met and are not known to be legal.
    package var unexpected: [String] {
        pairs.keys.filter { !Self.legal.contains($0) && !Self.rare.contains($0) }.sorted()
    }
}
