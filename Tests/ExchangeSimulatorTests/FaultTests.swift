import ExchangeKit
import ExchangeSimulator
import Testing

@Suite struct FaultTests {
    @Test(
        "#31 #32 #33 a fault keeps the reply and executes only where it says so",
        arguments: [
            (FaultKind.tooMany, false), (.serverError, false), (.edgeBlock, false), (.cutBefore, false),
            (.hangBefore, false), (.releaseWindow, false), (.cutAfter, true), (.hangAfter, true), (.gatewayAfter, true),
            (.systemErrorAfter, true), (.truncateAfter, true), (.wrongLengthAfter, true), (.slow, true),
        ])
    func faults(_ kind: FaultKind, _ executes: Bool) {
        var plan = FaultPlan()
        plan.perMille[kind] = 1_000
        var bench = Bench(faults: plan) { $0.position(0, "BTCUSDT", side: .long, quantity: "0.015") }
        let answer = bench.close()
        #expect(bench.simulation.isFlat == executes)
        #expect(answer.delivery.executed == executes)
        #expect(bench.simulation.truth.receipts.last?.executed == executes)
        let arrivedWhole = answer.delivery.fate == .deliver && answer.code == "00000"
        #expect(arrivedWhole == (kind == .slow))
    }

    @Test("a request whose connection was cut may still be executed seconds later") func late() {
        var plan = FaultPlan()
        plan.perMille[.lateExecution] = 1_000
        var bench = Bench(faults: plan) { $0.position(0, "BTCUSDT", side: .long, quantity: "0.015") }
        #expect(bench.close().delivery.fate == .cutBeforeExecution)
        #expect(!bench.simulation.isFlat)
        bench.wait(5_001)
        bench.simulation.advance(toNs: bench.now)
        #expect(bench.simulation.isFlat)
        #expect(bench.simulation.truth.receipts.map(\.executed) == [true])
    }

    @Test("a failed read never shows an empty list under success") func failedReads() {
        var plan = FaultPlan()
        plan.perMille[.failedRead] = 1_000
        var bench = Bench(faults: plan, limitsScale: 100) { $0.position(0, "BTCUSDT", side: .long, quantity: "0.015") }
        for _ in 0..<100 {
            let answer = bench.get("/api/v2/mix/position/all-position", "productType=USDT-FUTURES")
            #expect(!answer.text.contains(#""data":[]"#))
            #expect(!answer.text.contains("BTCUSDT"))
        }
    }

    @Test("faults end at the quiet time, so that runs can be judged for liveness") func quiet() {
        var plan = FaultPlan()
        plan.perMille[.cutBefore] = 1_000
        plan.quietAfterMs = 5_000
        var bench = Bench(faults: plan) { $0.position(0, "BTCUSDT", side: .long, quantity: "0.015") }
        #expect(bench.close().delivery.fate == .cutBeforeExecution)
        bench.wait(5_000)
        #expect(bench.close().code == "00000")
    }

    private static func transcript(_ profile: FaultProfile, seed: UInt64) -> [[UInt8]] {
        let fleet = FleetBuilder.random(accounts: 4, positionsPerAccount: 4, seed: seed)
        var bench = Bench(
            SimulationConfiguration(seed: seed, accounts: fleet.accounts, faults: .named(profile, seed: seed)))
        var out: [[UInt8]] = []
        for round in 0..<40 {
            let account = fleet.accounts[round % 4]
            let identity = FleetBuilder.Identity(
                name: account.name, uid: account.uid, key: account.key, secret: account.secret,
                passphrase: account.passphrase)
            let at = Bench.epoch + bench.now / 1_000_000
            let request =
                round % 8 < 4
                ? Bench.signed(
                    "GET", "/api/v2/mix/position/all-position", "productType=USDT-FUTURES", at: at, as: identity)
                : Bench.signed(
                    "POST", "/api/v2/mix/order/close-positions", "", #"{"productType":"USDT-FUTURES"}"#, at: at,
                    as: identity)
            out.append(bench.send(request).reply?.body ?? [])
            bench.wait(137)
        }
        return out + [bench.simulation.stateJSON()]
    }

    @Test("the same seed and requests give the same bytes, another seed others", arguments: FaultProfile.allCases)
    func deterministic(_ profile: FaultProfile) {
        #expect(Self.transcript(profile, seed: 7) == Self.transcript(profile, seed: 7))
        #expect(Self.transcript(profile, seed: 7) != Self.transcript(profile, seed: 8))
    }

    @Test("SplitMix64 gives its published sequence") func reference() {
        var random = SplitMix64(1_234_567)
        #expect(random.next() == 6_457_827_717_110_365_317)
        #expect(random.next() == 3_203_168_211_198_807_973)
    }
}

@Suite struct FleetTests {
    @Test("a random fleet mixes modes, products and margin, with some accounts flat") func mixes() {
        let accounts = FleetBuilder.random(accounts: 24, positionsPerAccount: 5, seed: 3).accounts
        let positions = accounts.flatMap(\.positions)
        #expect(accounts.count { $0.positions.isEmpty } == 4)
        #expect(Set(accounts.map(\.isHedge)).count == 2)
        #expect(Set(positions.map(\.product)).count == 3)
        #expect(Set(positions.map(\.marginMode)).count == 2)
        #expect(accounts.contains { !$0.resting.isEmpty })
        #expect(accounts.contains { !$0.plans.isEmpty })
        #expect(Set(accounts.map(\.key)).count == 24)
        #expect(accounts.first?.name == "bitget-001")
    }

    @Test("a uniform fleet has exactly the positions asked for") func uniform() {
        let accounts = FleetBuilder.uniform(accounts: 20, symbols: 40, seed: 1).accounts
        #expect(accounts.count == 20)
        #expect(accounts.allSatisfy { Set($0.positions.map(\.symbol)).count == 40 && $0.positions.count == 40 })
        #expect(accounts.allSatisfy { $0.positions.allSatisfy { $0.quantity > .zero } })
    }

    @Test(
        "decimals keep every digit",
        arguments: ["0", "0.015", "-12.5", "98250.4", "0.0000184213", "1000000000.000000000001"])
    func decimals(_ text: String) { #expect(Fixed(text)?.description == text) }

    @Test("text that is not a number is none", arguments: ["", "1e5", "1.2.3", " 1", "-", "NaN"])
    func notDecimals(_ text: String) { #expect(Fixed(text) == nil) }
}
