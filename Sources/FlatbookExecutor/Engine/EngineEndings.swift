import ExchangeKit
import FlatbookCore

/// Legs that went without our doing: the exchange is asked once why, before the account ends (F48).
extension Engine {
    /// True while the question is under way. A failed answer is none: the report then says `other`.
    func asksForEndings(_ name: String) -> Bool {
        guard let lane = lanes[name], let account = machine.accounts[name] else { return false }
        if let stop = context(name).hardStop, now.instant >= stop { return false }
        if lane.hasPass(.endings) { return true }
        let gone = account.legOrder.filter { key in
            guard let leg = account.legs[key], !lane.askedEndings.contains(key) else { return false }
            return leg.current == nil && !leg.executedByUs && leg.endedBy == nil
        }
        guard !gone.isEmpty, stopping == nil,
            let reads = venues[lane.venue]?.plugin.endingReads(of: lane.account, products: Set(gone.map(\.product))),
            !reads.isEmpty
        else { return false }
        lanes[name]?.askedEndings.formUnion(gone)
        startPass(.endings, reads: reads, lane: name)
        // Nobody waits longer for it than for a read, whatever the limits say.
        if let index = lanes[name]?.passes.firstIndex(where: { $0.purpose == .endings }) {
            lanes[name]?.passes[index].giveUpAt = now.instant + .seconds(5)
        }
        return true
    }

    /// What fits a leg by instrument, side and position, and is not older than the run.
    func endingsRead(_ name: String, _ pass: ReadPass) throws(InvariantViolation) {
        guard let account = machine.accounts[name], let header = machine.header else { return }
        // The exchange's clock may lie behind this host's.
        let earliest = header.startedWall.milliseconds - 60_000
        var endings: [LegEnding] = []
        for key in account.legOrder {
            guard let leg = account.legs[key], leg.current == nil, !leg.executedByUs, leg.endedBy == nil else {
                continue
            }
            let fitting = pass.endings.filter { ending in
                ending.instrument.uppercased() == key.instrument.uppercased()
                    && ending.side ?? key.side == key.side
                    && (ending.positionID == nil || key.positionID == nil || ending.positionID == key.positionID)
                    && ending.at.map { $0.milliseconds >= earliest } ?? false
            }
            if let last = fitting.max(by: { ($0.at?.milliseconds ?? 0) < ($1.at?.milliseconds ?? 0) }) {
                endings.append(LegEnding(leg: key, by: last.by))
            }
        }
        if !endings.isEmpty { try record(.legEnded(account: name, endings: endings)) }
        dirty.append(name)
    }
}
