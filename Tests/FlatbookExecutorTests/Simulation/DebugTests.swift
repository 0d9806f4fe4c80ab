import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import Testing
import Foundation
@Test("debug") func debugOne() throws {
    guard let text = ProcessInfo.processInfo.environment["SEED"], let seed = UInt64(text) else { return }
    var scenario: Scenario
    if ProcessInfo.processInfo.environment["QUIET"] != nil {
        scenario = Scenario(seed: seed, faults: .none)
    } else {
        var random = TestRandom(seed: seed &+ 77)
        let profile = random.pick(FaultProfile.allCases)
        print("profile", profile)
        scenario = Scenario(seed: seed, faults: profile)
        scenario.configuration.faults.quietAfterMs = 60_000
        scenario.weather.lostRequestPerMille = Int(random.next(in: 0...40))
        scenario.weather.refusedPerMille = Int(random.next(in: 0...30))
        scenario.weather.crashes = Int(random.next(in: 0...3))
    }
    let run = SimulatedRun(
        seed: seed, plan: scenario.plan, configuration: scenario.configuration, weather: scenario.weather)
    run.trace = { print(String($0.prefix(400))) }
    print(
        scenario.plan.symbols, scenario.plan.sides, scenario.plan.orders, scenario.plan.granularity,
        scenario.plan.afterUnknown)
    do { try run.run() } catch { print("ERR", error) }
    print("END", run.end.map { "\($0)" } ?? "none", "steps", run.steps, "t", run.nowNs / 1_000_000)
    for e in run.durable.suffix(30) { print(String("\(e.event)".prefix(300))) }
    do { _ = try RunMachine(folding: run.durable) } catch { print("FOLD", error) }
}
