import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import Testing

// One case at a time: the suite computes without pause and would starve tests that wait for processes.
@Suite("Two runs on one account, in virtual time", .serialized)
struct TwoRunnerTests {
    /// What a race must never show; empty is good.
    private func violations(of race: TwoRunnerRace) -> [String] {
        var found: [String] = []
        if let unlocked = race.unlockedAt {
            for receipt in race.receipts where receipt.runner == 0 && receipt.signedAt > unlocked {
                found.append("I11: signed \((receipt.signedAt - unlocked) / 1_000_000) ms after the unlock")
            }
            found += sizedOrders(of: race, unlocked: unlocked)
        }
        if race.simulation.truth.exposureIncreases > 0 { found.append("I4: exposure grew") }
        for runner in race.runners { found += ending(of: runner) }
        return found
    }

    /// No sized order of the second run may be alive beside one of the first.
    private func sizedOrders(of race: TwoRunnerRace, unlocked: Int64) -> [String] {
        var found: [String] = []
        let second = race.receipts.filter { $0.runner == 1 && $0.isSized }.map(\.signedAt).min()
        guard let second else { return [] }
        for receipt in race.receipts
        where receipt.runner == 0 && receipt.isExecuted && receipt.arrivedAt > second {
            found.append("§1.7.4: a late request executed after the second run's first sized order")
        }
        // The shortest life of a signature is BingX's 5 s; ε and p come on top.
        if race.receipts.contains(where: { $0.runner == 0 }), second - unlocked < 5_000_000_000 {
            found.append("§1.7.4: a sized order \((second - unlocked) / 1_000_000) ms after the unlock")
        }
        return found
    }

    private func ending(of runner: TwoRunnerRace.Runner) -> [String] {
        guard case .closed = runner.end else {
            return ["run \(runner.index) ended with \(String(describing: runner.end))"]
        }
        guard let machine = try? RunMachine(folding: runner.journal) else {
            return ["the journal of run \(runner.index) does not fold"]
        }
        var found: [String] = []
        var fencedAt: Int?
        for (index, entry) in runner.journal.enumerated() {
            switch entry.event {
            case .outcome(let result) where result.outcome.code == "fenced":
                fencedAt = fencedAt ?? index
            case .outcome(let result)
            where result.outcome.code == "not-sent" && result.outcome.message.contains("unlock"):
                fencedAt = fencedAt ?? index
            case .intent(let intent):
                if fencedAt != nil { found.append("run \(runner.index) tried \(intent.id) after it was fenced") }
                if intent.lockEpoch != runner.locks.epoch(of: "") { found.append("\(intent.id) has no epoch") }
            default: continue
            }
        }
        if fencedAt != nil, let verdict = machine.accounts.values.first?.verdict, verdict.state != .flat,
            verdict.state != .alreadyFlat, verdict.reason?.contains("unlock") != true
        {
            found.append("run \(runner.index) ends as \(verdict.state) for \(verdict.reason ?? "no reason")")
        }
        return found
    }

    @Test(
        "the fenced one signs nothing after the unlock, is told so and ends", arguments: [1, 251, 501, 751] as [UInt64])
    func races(first: UInt64) async throws {
        var (fenced, betweenGateAndWrite, sized) = (0, 0, 0)
        for seed in first..<first + 250 {
            let race = try TwoRunnerRace(seed: seed)
            await race.run()
            let found = violations(of: race)
            #expect(found.isEmpty, "seed \(seed): \(found)")
            if let unlocked = race.unlockedAt {
                betweenGateAndWrite += race.receipts.count { $0.runner == 0 && $0.arrivedAt > unlocked }
                sized += race.receipts.count { $0.runner == 1 && $0.isSized }
            }
            fenced +=
                race.runners[0].journal.contains { entry in
                    guard case .outcome(let result) = entry.event else { return false }
                    return result.outcome.code == "fenced" || result.outcome.message.contains("unlock")
                } ? 1 : 0
        }
        // The seeds must reach what the test is about.
        #expect(fenced >= 20 && betweenGateAndWrite >= 5 && sized >= 5, "\(fenced) \(betweenGateAndWrite) \(sized)")
    }

    @Test("a gate that does not look at the epoch is caught")
    func canFail() async throws {
        var caught = 0
        for seed in 1...60 as ClosedRange<UInt64> {
            let race = try TwoRunnerRace(seed: seed, ignoresFence: true)
            await race.run()
            caught += violations(of: race).contains { $0.hasPrefix("I11") } ? 1 : 0
        }
        #expect(caught > 0)
    }
}
