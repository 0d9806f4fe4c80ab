import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import Testing

@Suite("The driver: real tasks, signatures and appends around the engine")
struct RunDriverTests {
    private let fleet = FaultFleet(bitget: 2, okx: 1, bingx: 1)

    private func intents(_ entries: [JournalEntry]) -> Int {
        entries.count { if case .intent = $0.event { true } else { false } }
    }

    @Test("every account of three exchanges is closed, proven and journaled")
    func closes() async throws {
        let stage = DriverStage(fleet.configuration())
        guard case .closed(let verdict) = await stage.run() else {
            Issue.record("the run was not closed")
            return
        }
        #expect(verdict.exitCode == 0)
        #expect(stage.openPositions == 0)
        let machine = try RunMachine(folding: stage.entries)
        #expect(machine.accountOrder.map { machine.accounts[$0]?.verdict?.state } == [.flat, .flat, .flat, .flat])
        #expect(intents(stage.entries) == stage.mutations)
        #expect(machine.closing?.exitCode == 0)
    }

    @Test("a preview asks nobody, journals nothing and changes nothing")
    func preview() async {
        let stage = DriverStage(fleet.configuration())
        _ = await stage.run(mode: .preview)
        #expect(stage.entries.isEmpty)
        #expect(stage.mutations == 0)
        #expect(stage.openPositions == 4)
    }

    @Test("the operator is asked once; a no sends nothing", arguments: [true, false])
    func confirmation(isYes: Bool) async {
        let stage = DriverStage(fleet.configuration(), answer: isYes)
        let end = await stage.run(needsConfirmation: true)
        #expect(stage.questions == 1)
        #expect(stage.openPositions == (isYes ? 0 : 4))
        #expect((stage.mutations == 0) == !isYes)
        switch end {
        case .closed(let verdict): #expect(isYes && verdict.exitCode == 0)
        case .refused: #expect(!isYes)
        case .interrupted, .invalid, .unreachable, .keptOut, .journalFailed, .broken, .preview:
            Issue.record("ended otherwise: \(end)")
        }
    }

    /// The first appends hold the head and snapshots, the later ones intents and outcomes.
    @Test("an append that fails stops all sends: no request without its durable intent", arguments: 1...12)
    func journalFails(at append: Int) async {
        let stage = DriverStage(fleet.configuration(), failsAt: append)
        guard case .journalFailed(let error) = await stage.run() else {
            Issue.record("append \(append) failed, and the run ended otherwise")
            return
        }
        #expect(error.code == .diskFull)
        #expect(stage.mutations <= intents(stage.entries))
    }

    @Test("a signal ends the run so that it can be resumed, and every call has its outcome")
    func signal() async throws {
        let stage = DriverStage(fleet.configuration(), signals: ["SIGTERM"])
        guard case .interrupted(let name) = await stage.run() else {
            Issue.record("the signal was not heard")
            return
        }
        #expect(name == "SIGTERM")
        let machine = try RunMachine(folding: stage.entries)
        #expect(machine.calls.values.allSatisfy { $0.stage != .intended })
        #expect(machine.interruption == "SIGTERM")
        #expect(stage.mutations == intents(stage.entries))
    }

    @Test("a host that slept drops its connections, and the run still ends flat")
    func sleep() async {
        let stage = DriverStage(fleet.configuration(), sleepsAt: (1, .seconds(30)))
        guard case .closed(let verdict) = await stage.run() else {
            Issue.record("the run was not closed")
            return
        }
        #expect(verdict.exitCode == 0)
        #expect(stage.drops == 1)
        #expect(stage.openPositions == 0)
    }
}
