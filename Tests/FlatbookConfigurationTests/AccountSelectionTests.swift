import FlatbookConfiguration
import FlatbookCore
import Testing

@Suite("Account selection") struct AccountSelectionTests {
    static let accounts = [
        account("desk-a-01", tags: ["desk-a"]), account("desk-a-02", tags: ["desk-a", "hedge"]),
        account("desk-b-01", tags: ["desk-b"]), account("okx-1", exchange: "okx"),
        account("old-1", tags: ["closed"], enabled: false),
    ]

    static func account(
        _ name: String, exchange: String = "bitget", environment: TradingEnvironment = .production,
        tags: [String] = [], enabled: Bool = true, endpoint: String? = nil
    ) -> Account {
        Account(
            name: name, exchange: ExchangeID(exchange), environment: environment, endpoint: endpoint, tags: tags,
            enabled: enabled)
    }

    /// The patterns stand on lines 10, 11, …; the plan on line 2.
    static func plan(_ patterns: [String], name: String = "eod") -> PlanDocument {
        PlanDocument(
            name: name, accounts: patterns.enumerated().map { Pattern($1, line: 10 + $0) },
            source: SourceLocation(file: "plans/\(name).yaml", line: 2))
    }

    static func resolve(
        _ plans: [PlanDocument], only: [String] = [], accounts: [Account] = accounts
    ) -> (names: [String], diagnostics: [Diagnostic], refusal: String?) {
        let all = AccountSelection.resolve(plans: plans, accounts: accounts, only: only.map { Pattern($0) })
        return (all.selection.accounts.map(\.account.name), all.diagnostics, all.guardRefusal)
    }

    @Test(
        "Patterns select by name, tag, exchange and environment, and an exclusion wins",
        arguments: [
            (["*"], ["desk-a-01", "desk-a-02", "desk-b-01", "okx-1", "old-1"]),
            (["desk-?-01"], ["desk-a-01", "desk-b-01"]),
            (["tag:desk-a"], ["desk-a-01", "desk-a-02"]),
            (["exchange:okx", "desk-b-01"], ["desk-b-01", "okx-1"]),
            (["environment:production", "!tag:desk-a"], ["desk-b-01", "okx-1", "old-1"]),
            (["!desk-a-01", "tag:desk-a", "desk-a-01"], ["desk-a-02"]),
            (["*", "!exchange:bitget"], ["okx-1"]),
        ])
    func selects(patterns: [String], expected: [String]) {
        let result = Self.resolve([Self.plan(patterns)])
        #expect(result.names == expected)
        #expect(result.diagnostics == [])
    }

    @Test(
        "--only narrows a plan and never widens it",
        arguments: [
            (["desk-a-01", "okx-1"], ["desk-a-01"]), (["!desk-a-01"], ["desk-a-02"]),
            (["tag:desk-a", "!tag:hedge"], ["desk-a-01"]),
        ])
    func only(patterns: [String], expected: [String]) {
        let result = Self.resolve([Self.plan(["tag:desk-a"])], only: patterns)
        #expect(result.names == expected)
        #expect(result.diagnostics == [])
    }

    @Test(
        "A pattern that matches no account is named with its line and the nearest spelling",
        arguments: [
            ("desk-a-03", "desk-a-01"), ("!desk-a-3", "!desk-a-01"), ("tag:desk-aa", "tag:desk-a"),
            ("exchange:bitgte", "exchange:bitget"), ("enviroment:production", "environment:production"),
            ("environment:prodution", "environment:production"), ("desc-a-*", "desk-a-*"), ("hedge", "tag:hedge"),
        ])
    func unmatched(pattern: String, meant: String) {
        let result = Self.resolve([Self.plan(["okx-1", pattern])])
        #expect(
            result.diagnostics == [
                Diagnostic(
                    file: "plans/eod.yaml", line: 11, key: "accounts[1]",
                    "\"\(pattern)\" matches no account of the files.", hint: "Did you mean \"\(meant)\"?")
            ])
        #expect(result.names == ["okx-1"])
    }

    @Test("Every unmatched pattern is reported at once, far ones without a hint", arguments: ["zebra", "!", "x:y"])
    func allAtOnce(pattern: String) {
        let found = Self.resolve([Self.plan(["nothing-like-it", "okx-1", pattern])]).diagnostics
        #expect(found.map(\.line) == [10, 12])
        #expect(found.map(\.hint) == [nil, nil])
    }

    @Test("A disabled account satisfies a pattern and stays in the selection, but does not run")
    func disabledCounts() {
        let all = AccountSelection.resolve(
            plans: [Self.plan(["old-1", "okx-1"])], accounts: Self.accounts, only: [])
        #expect(all.diagnostics == [])
        #expect(all.selection.accounts.map(\.account.name) == ["okx-1", "old-1"])
        #expect(all.selection.enabled.map(\.account.name) == ["okx-1"])
    }

    @Test("--only must match an account of the files too")
    func onlyUnmatched() {
        let one = Self.resolve([Self.plan(["*"])], only: ["desk-a-03"]).diagnostics
        #expect(one.first?.key == "--only")
        #expect(one.first?.file == nil && one.first?.line == nil)
        #expect(one.first?.hint == "Did you mean \"desk-a-01\"?")
        let second = Self.resolve([Self.plan(["*"])], only: ["okx-1", "!okx-2"]).diagnostics
        #expect(second.map(\.key) == ["--only 2"])
    }

    @Test(
        "No account selected is an error at the line of the patterns",
        arguments: [
            (["!okx-1"], [String]()), (["okx-1", "!okx-1"], []), (["okx-1"], ["tag:desk-a"]), (["tag:closed"], []),
        ])
    func nothingSelected(patterns: [String], only: [String]) {
        let found = Self.resolve([Self.plan(patterns)], only: only).diagnostics
        #expect(found.map(\.key) == ["accounts"])
        #expect(found.map(\.line) == [10])
    }

    @Test("A plan without patterns selects nothing and points to the plan")
    func noPatterns() {
        let found = Self.resolve([Self.plan([])]).diagnostics
        #expect(found.map(\.line) == [2])
    }

    @Test("The same account in two plans names both plans")
    func twoPlans() {
        let found = Self.resolve([
            Self.plan(["tag:desk-a"], name: "first"), Self.plan(["okx-1", "tag:hedge"], name: "second"),
        ]).diagnostics
        #expect(found.count == 1)
        #expect(found.first?.message == "plans first and second both select desk-a-02.")
        #expect(found.first?.file == "plans/second.yaml")
    }

    @Test("Plans that share nothing each keep their own accounts")
    func disjointPlans() {
        let all = AccountSelection.resolve(
            plans: [Self.plan(["okx-1"], name: "first"), Self.plan(["tag:hedge"], name: "second")],
            accounts: Self.accounts, only: [])
        #expect(all.diagnostics == [])
        #expect(all.selection.accounts.map(\.plan) == [0, 1])
    }
}

@Suite("Guards of a selection") struct SelectionGuardTests {
    static let mixed = [
        AccountSelectionTests.account("real-1"),
        AccountSelectionTests.account("demo-1", environment: .demo, tags: ["try"]),
        AccountSelectionTests.account("sim-1", environment: .simulated, tags: ["try"]),
        AccountSelectionTests.account("off-1", environment: .demo, enabled: false),
    ]

    @Test("Two environments are refused with an example of each")
    func twoEnvironments() {
        let found = AccountSelectionTests.resolve(
            [AccountSelectionTests.plan(["*"])], accounts: Self.mixed
        ).diagnostics
        #expect(found.map(\.key) == ["guards.environment"])
        #expect(found.map(\.line) == [2])
        for part in ["demo (demo-1)", "production (real-1)", "simulated (sim-1)"] {
            #expect(found.first?.message.contains(part) == true)
        }
    }

    @Test("Two plans of one run must share an environment, even where each has its own guard")
    func twoPlansTwoEnvironments() {
        var (first, second) = (
            AccountSelectionTests.plan(["real-1"], name: "a"), AccountSelectionTests.plan(["demo-1"], name: "b")
        )
        first.guards.environment = .production
        second.guards.environment = .demo
        let found = AccountSelectionTests.resolve([first, second], accounts: Self.mixed).diagnostics
        #expect(found.map(\.key) == ["guards.environment"])
    }

    @Test("A disabled account of another environment is no mixture")
    func disabledIsNoMixture() {
        let found = AccountSelectionTests.resolve(
            [AccountSelectionTests.plan(["real-1", "off-1"])], accounts: Self.mixed
        ).diagnostics
        #expect(found == [])
    }

    @Test("guards.environment names the accounts that violate it, once")
    func environmentGuard() {
        var plan = AccountSelectionTests.plan(["real-1", "tag:try"])
        plan.guards.environment = .production
        let found = AccountSelectionTests.resolve([plan], accounts: Self.mixed).diagnostics
        #expect(
            found.map(\.message) == ["is production, but the plan selects demo-1 (demo), sim-1 (simulated)."])
        plan.accounts = [Pattern("real-1")]
        #expect(AccountSelectionTests.resolve([plan], accounts: Self.mixed).diagnostics == [])
    }

    @Test("maxAccounts refuses above its number, counting enabled accounts after --only", arguments: [1, 2, 3, 4])
    func maxAccounts(most: Int) {
        var plan = AccountSelectionTests.plan(["*", "!exchange:okx"])
        plan.guards.maxAccounts = most
        let all = AccountSelectionTests.resolve([plan])
        #expect(all.diagnostics == [])
        #expect(
            all.refusal == (most < 3 ? "plan eod selects 3 accounts, guards.maxAccounts is \(most)" : nil))
        #expect(AccountSelectionTests.resolve([plan], only: ["desk-a-01"]).refusal == nil)
    }

    @Test(
        "An interval below a second needs simulated or loopback accounts",
        arguments: [
            (TradingEnvironment.simulated, nil as String?, 50 as Int64, true), (.production, nil, 50, false),
            (.demo, "http://127.0.0.1:9001", 50, true), (.demo, "http://127.0.0.1.example.com", 50, false),
            (.demo, nil, 999, false), (.production, nil, 1000, true),
        ])
    func interval(environment: TradingEnvironment, endpoint: String?, milliseconds: Int64, allowed: Bool) {
        var plan = AccountSelectionTests.plan(["*"])
        plan.verify.interval = .milliseconds(milliseconds)
        let accounts = [
            AccountSelectionTests.account("one", environment: environment, endpoint: endpoint),
            AccountSelectionTests.account("off", enabled: false),
        ]
        let found = AccountSelectionTests.resolve([plan], accounts: accounts).diagnostics
        #expect(found.map(\.key) == (allowed ? [] : ["verify.interval"]))
    }

    @Test(
        "Loopback is recognised by its whole host",
        arguments: [
            ("http://127.0.0.1:9001", true), ("http://127.9.8.7", true), ("http://localhost/x", true),
            ("http://[::1]:80/", true), ("https://api.bitget.com", false), ("http://127.evil.example", false),
            ("http://127.0.0.1@evil.example", false), ("http://localhost.example", false),
            ("http://evil.example/127.0.0.1", false), ("http://[::1].example", false), ("127.0.0.1:9001", false),
            ("http://128.0.0.1", false), ("http://127.0.0.256", false),
        ])
    func loopback(endpoint: String, expected: Bool) {
        #expect(AccountSelection.isLoopback(endpoint) == expected)
    }
}
