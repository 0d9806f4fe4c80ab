import ExchangeKit
import FlatbookCore

/// What kind of account it is shows in the exchange's answers; the plugin needs it for the next request.
extension Engine {
    /// Most lessons of one account: an exchange that changes its mind more often is not believed.
    private static let maximumLessons = 3

    /// Takes what an answer taught. True where it was new: whatever was asked is then asked again, in the new way.
    func learns(_ name: String, _ outcome: Outcome) throws(InvariantViolation) -> Bool {
        guard let facts = outcome.learned, let lane = lanes[name], let known = machine.accounts[name],
            known.verdict == nil, lane.lessons < Self.maximumLessons,
            facts.contains(where: { known.facts[$0.key] != $0.value })
        else { return false }
        try record(.learned(account: name, facts: facts))
        lanes[name]?.lessons += 1
        adoptFacts(name)
        dirty.append(name)
        return true
    }

    /// Gives the account what is known of it; reads that were meant for another kind of account begin anew.
    func adoptFacts(_ name: String) {
        guard let lane = lanes[name], let facts = machine.accounts[name]?.facts, facts != lane.account.facts,
            let plugin = venues[lane.venue]?.plugin
        else { return }
        lanes[name]?.account.facts = facts
        var account = lane.account
        account.facts = facts
        let partitions = plugin.partitions(of: account).filter { !lane.refusedPartitions.contains($0.id) }
        guard partitions != lane.partitions, lane.phase != .ended else { return }
        // What was chosen for another kind of account is chosen anew: nothing goes the wrong way a second time.
        forgetQueued(name, venue: lane.venue)
        lanes[name]?.cancels = []
        lanes[name]?.orders = nil
        lanes[name]?.ordersComplete = false
        lanes[name]?.seenOrders = []
        lanes[name]?.sourceOf = [:]
        lanes[name]?.partitions = partitions
        let purposes = lane.passes.map(\.purpose)
        lanes[name]?.passes.removeAll { $0.purpose != .identity }
        for purpose in purposes {
            switch purpose {
            case .snapshot, .observation:
                startPass(purpose, reads: partitions.map { .positions(product: $0.id, cursor: nil) }, lane: name)
            case .orders: if let lane = lanes[name] { startPass(.orders, reads: firstOrderReads(lane), lane: name) }
            // Its reads are chosen again when the account comes to its end again.
            case .final, .endings, .identity, .venue: continue
            }
        }
    }

    /// A silo that the exchange refuses to show by permission or account kind is told as not read; the others decide.
    /// Only before the snapshot: what was readable once must stay so.
    func leaveOut(_ read: Read, pass: ReadPass, at index: Int, lane name: String, outcome: Outcome) -> Bool {
        guard pass.purpose == .snapshot, case .positions(let product, _) = read,
            outcome.refusal == .permission || outcome.refusal == .wrongAccountKind,
            let silo = lanes[name]?.partition(product)?.refusedAs
        else { return false }
        lanes[name]?.partitions.removeAll { $0.id == product }
        lanes[name]?.refusedPartitions.insert(product)
        if lanes[name]?.notRead.contains(where: { $0.silo == silo }) == false {
            lanes[name]?.notRead.append(.init(silo: silo, reason: "\(outcome.code) \(outcome.message)"))
        }
        lanes[name]?.passes[index] = pass
        dirty.append(name)
        return true
    }
}
