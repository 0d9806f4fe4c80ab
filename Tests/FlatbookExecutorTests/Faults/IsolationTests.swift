import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import Testing

@Suite("Isolation: what is sick delays nothing else", .serialized)
struct IsolationTests {
    private func fleet() -> FaultFleet { FaultFleet(bitget: 4, okx: 4, bingx: 4) }

    /// Milliseconds from the start to the proof, of every account that is flat.
    private func timesToFlat(_ bench: FaultBench) throws -> [String: Int64] {
        let report = try bench.report()
        return Dictionary(
            report.accounts.compactMap { row in
                row.state == .flat ? row.timeToFlat.map { (row.name, $0.milliseconds) } : nil
            }, uniquingKeysWith: { first, _ in first })
    }

    /// The others are proven flat at the same time as in a run where nobody is sick, within 1 %.
    private func expectUndelayed(
        _ bench: FaultBench, sick: Set<String>, sourceLocation: Testing.SourceLocation = #_sourceLocation
    ) throws {
        let well = FaultBench(fleet().configuration())
        try well.play()
        try bench.play()
        let expected = try timesToFlat(well)
        let found = try timesToFlat(bench)
        #expect(expected.count == 12, sourceLocation: sourceLocation)
        for (name, ms) in expected where !sick.contains(name) {
            let late = (found[name] ?? .max / 200) - ms
            #expect(late * 100 <= ms, "\(name): \(found[name] ?? -1) ms, well \(ms) ms", sourceLocation: sourceLocation)
        }
        try bench.expectHonest(sourceLocation: sourceLocation)
    }

    private static func names(of exchange: String) -> Set<String> { Set((1...4).map { "\(exchange)-00\($0)" }) }

    @Test("F72: an exchange that dies right after the contact delays no other", arguments: ["bitget", "okx", "bingx"])
    func deadExchange(exchange: String) throws {
        let bench = FaultBench(fleet().configuration())
        bench.road = { $0.exchange.rawValue == exchange && $0.account != nil ? .refused(.refused) : .open }
        try expectUndelayed(bench, sick: Self.names(of: exchange))
        for name in Self.names(of: exchange) {
            let state = try bench.account(name).state
            #expect(state == .unknown)
        }
        #expect(try bench.report().run.exitCode == 11)
        #expect(bench.warnings.contains { $0.contains("one probe") })
    }

    @Test("F72: an exchange that goes silent in the middle delays no other", arguments: ["bitget", "okx", "bingx"])
    func silentExchange(exchange: String) throws {
        let bench = FaultBench(fleet().configuration(), plan: .whole { $0.guards.deadline = .seconds(120) })
        bench.road = { $0.exchange.rawValue == exchange && $0.atMs > 150 ? .lost : .open }
        try expectUndelayed(bench, sick: Self.names(of: exchange))
        for name in Self.names(of: exchange) {
            let state = try bench.account(name).state
            #expect(state == .unknown)
        }
    }

    @Test("F72: an exchange that never answers at all delays the others by no more than the patience at contact")
    func neverThere() throws {
        let bench = FaultBench(fleet().configuration())
        bench.road = { $0.exchange.rawValue == "okx" ? .lost : .open }
        try bench.play()
        let well = FaultBench(fleet().configuration())
        try well.play()
        let expected = try timesToFlat(well)
        for (name, ms) in try timesToFlat(bench) { #expect(ms <= (expected[name] ?? 0) + 1_500) }
        try bench.expectOthersFlat(but: Self.names(of: "okx"))
    }

    @Test("F72: a slow account delays no other", arguments: FaultFleet.names)
    func slowAccount(name: String) throws {
        let bench = FaultBench(fleet().configuration())
        bench.road = { $0.account == name ? .delayed(out: 0, back: 4_000) : .open }
        try expectUndelayed(bench, sick: [name])
        #expect(try bench.account(name).state == .flat, "\(bench.reasons)")
    }

    @Test("F72: an account that meets nothing but 5xx delays no other", arguments: FaultFleet.names)
    func failingAccount(name: String) throws {
        let bench = FaultBench(fleet().configuration(), plan: .whole { $0.guards.deadline = .seconds(120) })
        bench.road = {
            $0.account == name && $0.atMs > 150 ? .answered(.text(502, "<html>", type: "text/html")) : .open
        }
        try expectUndelayed(bench, sick: [name])
        #expect([.unknown].contains(try bench.account(name).state), "\(bench.reasons)")
    }

    @Test("F40: a key that is revoked in the middle stops its account alone; what is open is told", arguments: 0..<3)
    func revoked(index: Int) throws {
        let replies = [
            (400, #"{"code":"40006","msg":"Invalid ACCESS_KEY","data":null,"requestTime":1}"#),
            (401, #"{"code":"50111","msg":"Invalid OK-ACCESS-KEY","data":[]}"#),
            (200, #"{"code":100413,"msg":"Incorrect apiKey","data":{}}"#),
        ]
        let name = FaultFleet.names[index]
        let bench = FaultBench(fleet().configuration())
        bench.road = {
            $0.account == name && $0.isMutation ? .answered(.text(replies[index].0, replies[index].1)) : .open
        }
        try expectUndelayed(bench, sick: [name])
        let account = try bench.account(name)
        #expect(account.state == .refused && account.legs == 1 && account.error?.action.isEmpty == false)
        #expect(account.notionalAfter == account.notionalBefore && bench.intents(name).count == 1)
        #expect(try bench.report().run.exitCode == 10)
    }

    @Test("F41: keys that are bound to another address are refused each, the others go on", arguments: FaultFleet.names)
    func boundElsewhere(name: String) throws {
        var fleet = fleet()
        fleet.edit(name) { $0.boundAddresses = ["203.0.113.7"] }
        let bench = FaultBench(fleet.configuration())
        try expectUndelayed(bench, sick: [name])
        #expect(try bench.account(name).state == .refused)
        #expect(bench.mutations(name).isEmpty)
    }

    @Test("F41: where every key is refused for its address, the exit code is 77 and nothing was sent")
    func allBound() throws {
        var fleet = fleet()
        for name in fleet.slots.keys { fleet.edit(name) { $0.boundAddresses = ["203.0.113.7"] } }
        let bench = FaultBench(fleet.configuration())
        try bench.play()
        #expect(try bench.report().run.exitCode == 77)
        let intents = bench.durable.filter { if case .intent = $0.event { true } else { false } }
        #expect(intents.isEmpty)
    }

    @Test(
        "F42: a signature that is refused for every account sends nothing, and says so",
        arguments: ["bitget", "okx", "bingx"])
    func everySignature(exchange: String) throws {
        let venue = try #require(SimulatedVenue(rawValue: exchange))
        let fleet = FaultFleet(
            bitget: venue == .bitget ? 5 : 0, okx: venue == .okx ? 5 : 0, bingx: venue == .bingx ? 5 : 0)
        var known = fleet.configuration()
        for index in known.accounts.indices { known.accounts[index].secret += "-rotated" }
        let bench = FaultBench(
            known, plan: .whole { $0.guards.maxFailuresPercent = 20 }, signingAs: fleet.builder.accounts)
        try bench.play()
        #expect(try bench.report().run.exitCode == 77, "\(bench.reasons)")
        let sent = bench.simulation.truth.mutations.values.filter { !$0.isEmpty }
        #expect(sent.isEmpty)
        #expect(bench.warnings.contains { $0.contains("maxFailures") })
    }

    @Test("F43: a key of another uid is refused before anything is sent, the others go on", arguments: FaultFleet.names)
    func anotherUID(name: String) throws {
        let bench = FaultBench(fleet().configuration()) { if $0.name == name { $0.uid = "424242" } }
        try expectUndelayed(bench, sick: [name])
        #expect(try bench.account(name).state == .skipped)
        #expect(bench.intents(name).isEmpty && bench.open(name).count == 1)
    }

    @Test("F44: a key that may only read is refused before any call", arguments: FaultFleet.names)
    func readOnly(name: String) throws {
        var fleet = fleet()
        fleet.edit(name) { account in
            account.authorities.removeAll { ["cpow", "coow", "ttow"].contains($0) }
            account.okx.permissions.remove("trade")
            account.bingx.permissions.remove(3)
        }
        let bench = FaultBench(fleet.configuration())
        try expectUndelayed(bench, sick: [name])
        #expect(try bench.account(name).state == .refused, "\(bench.reasons)")
        #expect(bench.open(name).count == 1)
        #expect(bench.mutations(name).allSatisfy { !$0.executed })
        // BingX tells what a key may do in no answer that a run reads: there the call itself is refused.
        if name != "bingx-001" { #expect(!bench.sent.contains { $0.account == name && $0.isMutation }) }
    }

    @Test("F45: a key of the exchange's demo is refused with the right hint", arguments: ["bitget-001", "okx-001"])
    func otherEnvironment(name: String) throws {
        var fleet = fleet()
        fleet.edit(name) { $0.environment = .demo }
        let bench = FaultBench(fleet.configuration())
        try expectUndelayed(bench, sick: [name])
        let account = try bench.account(name)
        #expect(account.state == .refused && account.error?.action.contains("environment") == true)
    }

    @Test("a penalty box of one account delays no other", arguments: FaultFleet.names)
    func penaltyBox(name: String) throws {
        let replies = [
            "bitget-001": (429, #"{"code":"429","msg":"Too Many Requests","data":null,"requestTime":1}"#),
            "okx-001": (429, #"{"code":"50011","msg":"Too Many Requests","data":[]}"#),
            "bingx-001": (200, #"{"code":100410,"msg":"rate limited","data":{}}"#),
        ]
        let (status, text) = try #require(replies[name])
        let bench = FaultBench(fleet().configuration())
        bench.road = { $0.account == name && $0.atMs < 3_000 ? .answered(.text(status, text)) : .open }
        try expectUndelayed(bench, sick: [name])
        #expect(try bench.account(name).state == .flat, "\(bench.reasons)")
    }
}
