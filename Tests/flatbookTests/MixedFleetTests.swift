import Foundation
import Testing

/// Three exchanges behind one simulator, through the real binary.
@Suite struct MixedFleetTests {
    static let fleet = "bitget=2,bitget-copy=1,bitget-unified=1,okx=3,bingx=3"

    @Test("one plan flattens a mixed fleet with four kinds of close call, without a rejection")
    func flattens() async throws {
        try await Desk.open(fleet: Self.fleet, positions: 4) { desk in
            let outcome = try await desk.run()
            #expect(outcome.code == 0, "\(outcome.all)")
            let state = try await desk.state()
            #expect(state.openPositions == 0 && state.exposureIncreases == 0)
            #expect(state.rateLimitRejections == 0 && state.limitViolations == 0)
            let operations = Set(try desk.report().calls.map(\.operation))
            #expect(
                operations.isSuperset(of: [
                    "bitget.close-positions", "bitget.follower-close-positions", "bitget.v3-close-positions",
                    "okx.close-position", "bingx.close-all-positions",
                ]), "\(operations.sorted())")
        }
    }

    @Test("an excluded symbol stays open on every exchange")
    func excluded() async throws {
        try await Desk.open(fleet: "bitget=2,okx=2,bingx=2", positions: 60) { desk in
            let plan = try desk.plan(symbols: #"["*", "!ETH/USDT:USDT", "!okx:BTC-USDT*"]"#)
            let before = try await desk.state().positions.filter(Self.isKept)
            #expect(!before.isEmpty, "the fleet holds nothing that is excluded: choose another seed")
            let outcome = try await desk.run(plan)
            #expect([0, 10].contains(outcome.code), "\(outcome.all)")
            let after = try await desk.state().positions.filter(Self.isKept)
            #expect(Set(before) == Set(after))
        }
    }

    private static func isKept(_ position: ExchangeState.Position) -> Bool {
        ["ETHUSDT", "ETH-USDT-SWAP", "ETH-USDT"].contains(position.symbol) && position.productType != "MARGIN"
            || position.symbol.hasPrefix("BTC-USDT") && ["SWAP", "FUTURES", "MARGIN"].contains(position.productType)
    }

    @Test(
        "an option of another exchange, or a value it does not have, is named; nothing is sent",
        arguments: [
            ("okx-001", "{products: [USDT-FUTURES]}", "option of another exchange"),
            ("bitget-001", "{site: eea}", "option of another exchange"), ("bingx-001", "{products: [SWAP]}", "swap"),
            ("okx-001", "{site: mars}", "global"), ("bitget-001", "{role: leader}", "copy-follower"),
        ])
    func wrongOption(account: String, options: String, telling: String) async throws {
        try await Desk.open(fleet: "bitget=1,okx=1,bingx=1") { desk in
            try desk.replace("accounts/simulated.yaml", "name: \(account), ", "name: \(account), options: \(options), ")
            let outcome = try await desk.run()
            try await BadFileTests.expectRefusal(outcome, code: 78, telling: [telling, "simulated.yaml"], at: desk)
        }
    }

    @Test("a symbol that one of the exchanges does not list is named with that exchange")
    func unlisted() async throws {
        try await Desk.open(fleet: "bitget=1,okx=1,bingx=1") { desk in
            let outcome = try await desk.run(try desk.plan(symbols: #"["BTC/USDT:USDT", "MANA/USDT:USDT"]"#))
            #expect(outcome.code == 78, "\(outcome.all)")
            #expect(outcome.all.contains("MANA/USDT:USDT") && outcome.all.contains("okx"), "\(outcome.all)")
            #expect(try await desk.state().mutations == 0)
        }
    }

    @Test("demo and production accounts in one plan are refused by name")
    func mixedEnvironments() async throws {
        try await Desk.open(fleet: "bitget=1,okx=1") { desk in
            try desk.write("secrets2.json", #"{"k": "a", "s": "b", "p": "c"}"#, mode: 0o600)
            try desk.write(
                "accounts/more.yaml",
                """
                version: 1
                accounts:
                  - name: real-1
                    exchange: okx
                    environment: production
                    endpoint: http://127.0.0.1:\(desk.port)
                    credentials: {key: "file:../secrets2.json#/k", secret: "file:../secrets2.json#/s", passphrase: "file:../secrets2.json#/p"}

                """)
            let outcome = try await desk.run()
            #expect([13, 78].contains(outcome.code), "\(outcome.all)")
            #expect(outcome.all.contains("production") && outcome.all.contains("simulated"), "\(outcome.all)")
            #expect(try await desk.state().mutations == 0)
        }
    }

    @Test("accounts check passes good keys with 0, refuses any bad one with 77, and prints the uid lines")
    func accountsCheck() async throws {
        try await Desk.open(fleet: Self.fleet) { desk in
            let good = try await desk.flatbook("accounts", "check")
            #expect(good.code == 0, "\(good.all)")
            #expect(good.all.contains("10 of 10 accounts passed"), "\(good.all)")
            try desk.editSecrets { $0["okx-002"]?["secret"] = "rotated" }
            let bad = try await desk.flatbook("accounts", "check", "--format", "json")
            #expect(bad.code == 77, "\(bad.all)")
            let object = try JSONSerialization.jsonObject(with: Data(bad.stdout.utf8)) as? [String: Any]
            let accounts = try #require(object?["accounts"] as? [[String: Any]])
            let refused = accounts.filter { $0["state"] as? String == "refused" }.compactMap { $0["name"] as? String }
            #expect(refused == ["okx-002"])
            let text = try desk.read("accounts/simulated.yaml")
            let uid = try #require(text.firstMatch(of: #/okx-001[^\n]*(, uid: "[0-9]+")/#)?.output.1)
            try desk.replace("accounts/simulated.yaml", String(uid), "")
            let pins = try await desk.flatbook("accounts", "check", "--only", "okx-001", "--pin")
            #expect(pins.code == 0 && pins.all.contains("  - name: okx-001\n    \(uid.dropFirst(2))"), "\(pins.all)")
            #expect(try await desk.state().mutations == 0)
        }
    }

    @Test("accounts check ends with 75 where an exchange does not answer")
    func checkUnreachable() async throws {
        try await Desk.open(fleet: "okx=1") { desk in
            try await desk.stopExchange()
            let outcome = try await desk.flatbook("accounts", "check")
            #expect(outcome.code == 75, "\(outcome.all)")
        }
    }

    @Test("accounts check asks nobody where the rate ledger cannot be opened: without it there is no pacing")
    func checkWithoutLedger() async throws {
        try await Desk.open(fleet: "okx=1") { desk in
            let ledgers = desk.path("state/flatbook/ledgers")
            let first = try await desk.flatbook("accounts", "check")
            #expect(first.code == 0, "\(first.all)")
            let before = try await desk.state().receiptCount
            for file in try FileManager.default.contentsOfDirectory(atPath: ledgers.path) {
                let path = ledgers.appendingPathComponent(file)
                try FileManager.default.removeItem(at: path)
                try FileManager.default.createDirectory(at: path, withIntermediateDirectories: false)
            }
            let outcome = try await desk.flatbook("accounts", "check")
            #expect(outcome.code == 74, "\(outcome.all)")
            #expect(try await desk.state().receiptCount == before)
        }
    }
}
