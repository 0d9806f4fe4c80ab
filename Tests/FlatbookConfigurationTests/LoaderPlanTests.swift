import FlatbookCore
import Foundation
import Testing

@testable import FlatbookConfiguration

@Suite("Plan files")
struct LoaderPlanTests {
    static let contract = """
        version: 1
        name: eod-flatten
        accounts: ["tag:desk-a", "exchange:okx",
                   "!desk-a-17"]
        symbols: ["*", "!BTC/USDT:USDT"]
        sides: [short]
        orders: cancel-all
        sequence: account
        granularity: symbol
        share: {ip: 0.7, uid: 1}
        unknown: wait
        verify: {reads: 3, interval: 500ms, timeout: 1h30m, rounds: 0, control: required, dust: accept}
        guards:
          environment: production
          maxAccounts: 500
          maxNotional: 5000000.50
          maxLegs: 2000
          maxFailures: 20%
          deadline: 5m
          afterDeadline: continue
        reports: {formats: csv}
        """

    @Test("reads every key")
    func readsEveryKey() throws {
        let (plan, problems) = try LoaderBench.plan(Self.contract)
        #expect(problems == [])
        var expected = PlanDocument(name: "eod-flatten", accounts: [])
        expected.accounts = [
            Pattern("tag:desk-a", line: 3), Pattern("exchange:okx", line: 3), Pattern("!desk-a-17", line: 4),
        ]
        expected.symbols = [Pattern("*", line: 5), Pattern("!BTC/USDT:USDT", line: 5)]
        expected.sides = [.short]
        expected.orders = .cancelAll
        expected.sequence = .account
        expected.granularity = .symbol
        expected.share = ["*": Amount(1), "ip": try Amount("0.7"), "uid": Amount(1)]
        expected.afterUnknown = .wait
        expected.verify.reads = 3
        expected.verify.interval = .milliseconds(500)
        expected.verify.timeout = .seconds(5400)
        expected.verify.rounds = 0
        expected.verify.control = .required
        expected.verify.dust = .accept
        expected.guards.environment = .production
        expected.guards.maxAccounts = 500
        expected.guards.maxNotional = try Amount("5000000.5")
        expected.guards.maxLegs = 2000
        expected.guards.maxFailuresPercent = 20
        expected.guards.deadline = .seconds(300)
        expected.guards.afterDeadline = .continue
        expected.reportFormats = ["csv"]
        expected.source = SourceLocation(file: plan?.source.file ?? "", line: 2)
        #expect(plan == expected)
    }

    @Test("the least plan has the contract's defaults, and one word stands for a list")
    func hasDefaults() throws {
        let (plan, problems) = try LoaderBench.plan("version: 1\nname: x\naccounts: desk-1\n")
        #expect(problems == [])
        let source = SourceLocation(file: plan?.source.file ?? "", line: 2)
        #expect(plan == PlanDocument(name: "x", accounts: [Pattern("desk-1", line: 3)], source: source))
    }

    @Test("reads the example files of the repository")
    func readsExamples() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().resolvingSymlinksInPath().path
        let bench = try LoaderBench()
        // Copies: the folders may hold files of whoever runs the tests.
        for name in ["demo.yaml", "example.yaml"] {
            try bench.write(name, String(contentsOfFile: root + "/accounts/" + name, encoding: .utf8))
        }
        let (accounts, accountProblems) = LoaderBench.everyExchange.loadAccounts(directory: bench.root)
        #expect(accountProblems == [])
        let (plans, problems) = LoaderBench.loader.loadPlans(
            paths: ["demo", "example"].map { root + "/plans/" + $0 + ".yaml" })
        #expect(problems == [])
        #expect(plans.map(\.name) == ["demo", "example"])
        #expect(accounts.count(where: \.enabled) == 24)
    }

    @Test("defaults may hold a passphrase for the exchanges that have one; an account itself may not")
    func passphraseInDefaults() throws {
        let bench = try LoaderBench()
        func problems(_ own: String) throws -> [String] {
            try bench.write(
                "a.yaml",
                """
                version: 1
                defaults:
                  environment: simulated
                  credentials: {key: k, secret: s, passphrase: p}
                accounts:
                  - name: x-1
                    exchange: bingx
                \(own)

                """)
            return LoaderBench.everyExchange.loadAccounts(directory: bench.root).diagnostics.map(\.description)
        }
        #expect(try problems("") == [])
        #expect(try problems("    credentials: {passphrase: q}").count == 1)
    }

    /// Line 4 is what a test puts in.
    @Test(
        "names line, key and nearest spelling of what is wrong",
        arguments: [
            ("sequnce: account", "p.yaml:4: sequnce: is not a key that can stand here. Did you mean \"sequence\"?"),
            (
                "sequence: linked",
                "p.yaml:4: sequence: \"linked\" is not supported yet. Use exposure, account or symbol."
            ),
            (
                "orders: cancel-opener",
                "p.yaml:4: orders: is \"cancel-opener\", but must be keep, cancel-openers or cancel-all. Did you mean \"cancel-openers\"?"
            ),
            ("granularity: leg", "p.yaml:4: granularity: is \"leg\", but must be auto, side, symbol or account."),
            ("unknown: [wait]", "p.yaml:4: unknown: must be one value, not a list."),
            ("schedule: {cron: x}", "p.yaml:4: schedule: is not supported yet. Remove it, or make it a comment."),
            ("hooks: {}", "p.yaml:4: hooks: is not supported yet. Remove it, or make it a comment."),
            ("notify: []", "p.yaml:4: notify: is not supported yet. Remove it, or make it a comment."),
            (
                "reports: {formats: [json, html]}",
                "p.yaml:4: reports.formats[1]: \"html\" is not supported yet. Use json or csv."
            ),
            (
                "reports: {formats: jsn}",
                "p.yaml:4: reports.formats: is \"jsn\", but must be json or csv. Did you mean \"json\"?"
            ),
            ("reports: {formats: []}", "p.yaml:4: reports.formats: is empty. Write [json, csv], or leave it out."),
            (
                "sides: [long, shrt]",
                "p.yaml:4: sides[1]: is \"shrt\", but must be long or short. Did you mean \"short\"?"
            ),
            ("sides: []", "p.yaml:4: sides: is empty. Write [long, short], or leave it out for both."),
            ("symbols: []", "p.yaml:4: symbols: is empty. Write [\"*\"] for everything."),
            (
                "symbols: [\"!BTC*\"]",
                "p.yaml:4: symbols: only excludes, so nothing is selected. Add \"*\" before the exclusions."
            ),
            ("symbols: [\"*\", \"\"]", "p.yaml:4: symbols[1]: has no value. Give it one, or remove the key."),
            ("symbols: [\"*\", \"!\"]", "p.yaml:4: symbols[1]: is \"!\", which is no pattern."),
            ("share: 1.1", "p.yaml:4: share: is \"1.1\", but must be above 0 and at most 1."),
            ("share: 0", "p.yaml:4: share: is \"0\", but must be above 0 and at most 1."),
            ("share: {ip: half}", "p.yaml:4: share.ip: is \"half\", but must be above 0 and at most 1."),
            ("share: {udi: 0.5}", "p.yaml:4: share.udi: is not a key that can stand here. Did you mean \"uid\"?"),
            ("verify: 2", "p.yaml:4: verify: must be a mapping: {key: value}."),
            ("verify: {reads: 1}", "p.yaml:4: verify.reads: is \"1\", but must be a whole number from 2 to 100."),
            ("verify: {interval: 99ms}", "p.yaml:4: verify.interval: is \"99ms\", but must be at least 100ms."),
            (
                "verify: {timeout: 1}",
                "p.yaml:4: verify.timeout: is \"1\", but must be a duration such as 500ms, 1s, 5m or 1h30m."
            ),
            ("verify: {timeout: 169h}", "p.yaml:4: verify.timeout: is \"169h\", but must be at most 168h."),
            ("verify: {rounds: -1}", "p.yaml:4: verify.rounds: is \"-1\", but must be a whole number from 0 to 100."),
            ("verify: {rounds: 101}", "p.yaml:4: verify.rounds: is \"101\", but must be a whole number from 0 to 100."),
            (
                "guards: {maxAccounts: 0}",
                "p.yaml:4: guards.maxAccounts: is \"0\", but must be a whole number of 1 or more."
            ),
            (
                "guards: {maxLegs: 1e3}",
                "p.yaml:4: guards.maxLegs: is \"1e3\", but must be a whole number of 1 or more."
            ),
            (
                "guards: {maxNotional: 5M}",
                "p.yaml:4: guards.maxNotional: is \"5M\", but must be an amount in USD above 0, such as 5000000."
            ),
            ("guards: {maxFailures: 20}", "p.yaml:4: guards.maxFailures: is \"20\", but must be 1% to 100%."),
            (
                "guards: {deadline: \"16:00\"}",
                "p.yaml:4: guards.deadline: is a time of day, which is not supported yet. Write a duration such as 5m."
            ),
            (
                "guards: {deadline: 16:00}",
                "p.yaml:4: guards.deadline: is a time of day, which is not supported yet. Write a duration such as 5m."
            ),
            ("guards: {deadline: 0s}", "p.yaml:4: guards.deadline: is \"0s\", but must be at least 1ms."),
            (
                "guards: {environment: prod}",
                "p.yaml:4: guards.environment: is \"prod\", but must be production, demo or simulated. Did you mean \"production\"?"
            ),
            ("guards:", "p.yaml:4: guards: must be a mapping: {key: value}."),
            ("afterDeadline: stop", "p.yaml:4: afterDeadline: is not a key that can stand here."),
        ])
    func namesProblem(_ extra: String, _ expected: String) throws {
        let (plan, problems) = try LoaderBench.plan("version: 1\nname: x\naccounts: [\"*\"]\n\(extra)\n")
        #expect(problems == [expected])
        #expect(plan == nil)
    }

    @Test(
        "refuses what is missing and names that are no names",
        arguments: [
            ("name: x\naccounts: a", ["p.yaml:1: version: is missing. Start the file with \"version: 1\"."]),
            (
                "vesion: 1\nname: x\naccounts: a",
                [
                    "p.yaml:1: version: is missing. Did you mean \"version\"?",
                    "p.yaml:1: vesion: is not a key that can stand here. Did you mean \"version\"?",
                ]
            ),
            ("version: 2\nnme: x", ["p.yaml:1: version: is \"2\", but this program reads version 1 only."]),
            ("version: 1.0\n", ["p.yaml:1: version: is \"1.0\", but this program reads version 1 only."]),
            (
                "version: 1\n",
                [
                    "p.yaml:1: name: is missing.",
                    "p.yaml:1: accounts: is missing. Name accounts, tag:…, exchange:… or environment:….",
                ]
            ),
            (
                "version: 1\nname: Eod_1\naccounts: a",
                ["p.yaml:2: name: is \"Eod_1\", but must be 1 to 40 of a-z, 0-9 and \"-\"."]
            ),
            ("version: 1\nname: x\naccounts: []", ["p.yaml:3: accounts: is empty. Write [\"*\"] for everything."]),
            (
                "version: 1\nname: x\naccounts: [\"!a\"]",
                ["p.yaml:3: accounts: only excludes, so nothing is selected. Add \"*\" before the exclusions."]
            ),
            ("", ["p.yaml:1: is empty. It must start with \"version: 1\"."]),
            ("- a\n", ["p.yaml:1: must be a mapping of keys to values."]),
        ])
    func refusesMissing(_ text: String, _ expected: [String]) throws {
        let (plan, problems) = try LoaderBench.plan(text)
        #expect(problems == expected)
        #expect(plan == nil)
    }

    @Test("two plans of one name are an error, and so is a file that is not there")
    func refusesTwins() throws {
        let bench = try LoaderBench()
        try bench.write("a.yaml", "version: 1\nname: x\naccounts: a\n")
        try bench.write("b.yaml", "version: 1\n\nname: x\naccounts: a\n")
        let (plans, diagnostics) = LoaderBench.loader.loadPlans(
            paths: ["/a.yaml", "/b.yaml", "/c.yaml", "/aa.yaml", ""].map { bench.root + $0 })
        #expect(plans.map(\.name) == ["x"])
        #expect(
            Array(bench.relative(diagnostics).dropLast()) == [
                "b.yaml:3: name: \"x\" is also the name of the plan at a.yaml:2. Give each plan its own name, and each file once.",
                "c.yaml: does not exist or cannot be reached. Did you mean \"a.yaml\"?",
                "aa.yaml: does not exist or cannot be reached. Did you mean \"a.yaml\"?",
            ])
        #expect(diagnostics.last?.message == "is a folder, not a file.")
    }

    @Test(
        "reads durations exactly",
        arguments: [
            ("500ms", 500), ("1s", 1000), ("1h30m", 5_400_000), ("1m1ms", 60_001), ("0s", 0), ("", nil), ("1", nil),
            ("1 s", nil), ("1m1h", nil), ("1s1s", nil), ("1.5s", nil), ("-1s", nil), ("1d", nil), ("s", nil),
            ("9999999999s", nil), ("999999999h", nil), ("１s", nil),
        ] as [(String, Int64?)])
    func readsDurations(_ text: String, _ milliseconds: Int64?) {
        #expect(DurationText.parse(text)?.milliseconds == milliseconds)
    }
}
