import FlatbookCore
import Foundation
import Testing

@testable import FlatbookConfiguration

@Suite("Accounts files with something wrong")
struct LoaderAccountProblemsTests {
    @Test(
        "names line, key and nearest spelling of a bad account",
        arguments: [
            ("uidd: 1", "a.yaml:10: accounts[0].uidd: is not a key that can stand here. Did you mean \"uid\"?"),
            (
                "exchange: bitgte",
                "a.yaml:10: accounts[0].exchange: is \"bitgte\", which is no exchange of this version. Did you mean \"bitget\"?"
            ),
            (
                "exchange: okx",
                "a.yaml:10: accounts[0].exchange: is \"okx\", which is no exchange of this version. Use bitget."
            ),
            (
                "egress: offce",
                "a.yaml:10: accounts[0].egress: is \"offce\", which the egress section of this file does not declare. Use default, the host's own route."
            ),
            ("enabled: yes", "a.yaml:10: accounts[0].enabled: is \"yes\", but must be true or false."),
            (
                "uid: a b",
                "a.yaml:10: accounts[0].uid: must be the exchange's user id: at most 64 characters without blanks."
            ),
            ("uid: null", "a.yaml:10: accounts[0].uid: has no value. Give it one, or remove the key."),
            ("uid:", "a.yaml:10: accounts[0].uid: has no value. Give it one, or remove the key."),
            ("uid: [1]", "a.yaml:10: accounts[0].uid: must be one value, not a list."),
            (
                "tags: [a, \"b c\"]",
                "a.yaml:10: accounts[0].tags[1]: is \"b c\", but must be a word of letters, digits, \".\", \"_\" and \"-\"."
            ),
            (
                "endpoint: http://10.0.0.1",
                "a.yaml:10: accounts[0].endpoint: must use https: plain http goes to this host only. Write it as https://host or http://127.0.0.1:9001."
            ),
            (
                "endpoint: https://api.bitget.com",
                "a.yaml:10: accounts[0].endpoint: must be on this host: the environment is simulated."
            ),
            (
                "options: {prodcts: SWAP}",
                "a.yaml:10: accounts[0].options.prodcts: is no option of bitget. Did you mean \"products\"?"
            ),
            (
                "options: {site: eea}",
                "a.yaml:10: accounts[0].options.site: is an option of another exchange, not of bitget."
            ),
            (
                "options: {marginKind: x}",
                "a.yaml:10: accounts[0].options.marginKind: is an option of another exchange, not of bitget."
            ),
            (
                "options: {api: unified}",
                "a.yaml:10: accounts[0].options.api: \"unified\" is not supported yet. Use auto or classic."
            ),
            ("options: {api: [auto, classic]}", "a.yaml:10: accounts[0].options.api: takes one value only."),
            (
                "options: {products: [USDT-FUTURE]}",
                "a.yaml:10: accounts[0].options.products[0]: is \"USDT-FUTURE\", but must be USDT-FUTURES, COIN-FUTURES or USDC-FUTURES. Did you mean \"USDT-FUTURES\"?"
            ),
            ("reason: \"a\\nb\"", "a.yaml:10: accounts[0].reason: must be one line of at most 200 characters."),
        ])
    func namesProblem(_ extra: String, _ expected: String) throws {
        let (accounts, problems) = try LoaderBench.accounts(LoaderBench.account(extra))
        #expect(problems == [expected])
        #expect(accounts.isEmpty)
    }

    @Test(
        "refuses a credential reference and never repeats it",
        arguments: [
            (
                "hunter2", "production",
                "is a bare value, which only a simulated account may have. Use env:NAME, file:PATH, exec:COMMAND or credential:NAME."
            ),
            ("evn:hunter2", "demo", "is a bare value, which only a simulated account may have. Did you mean \"env:\"?"),
            (
                "vault:hunter2", "simulated",
                "refers to the vault, which is not supported yet. Use env:NAME, file:PATH, exec:COMMAND or credential:NAME."
            ),
            ("env:hunter2!", "production", "has no valid name of an environment variable behind env:."),
            ("file:#/hunter2", "production", "has no path behind file:."),
            ("exec: ", "production", "has no command behind exec:."),
            ("exec:hunter2 'a", "production", "has a quote that is not closed in its command."),
            (
                "credential:../hunter2", "production",
                "has no valid name behind credential:. It is the name of one file."
            ),
        ])
    func refusesReference(_ text: String, _ environment: String, _ message: String) throws {
        let extra = "options: {api: auto}"
        let file = LoaderBench.account(extra, environment: environment)
            .replacingOccurrences(of: "env:PASS", with: text)
        let (_, problems) = try LoaderBench.accounts(file)
        #expect(problems == ["a.yaml:11: accounts[0].credentials.passphrase: \(message)"])
        #expect(!problems.joined().contains("hunter2"))
    }

    /// Found by fuzzing: a sign with a combining mark behind it is another character, but the system sees the sign.
    @Test(
        "refuses a zero byte and a separator behind which a combining mark stands",
        arguments: [
            ("exec:a \\0\u{301}b", "has a zero byte in its command."),
            ("file:a\\0\u{301}", "has no path behind file:."),
            ("credential:a/\u{301}b", "has no valid name behind credential:. It is the name of one file."),
        ])
    func refusesMarkedSigns(_ text: String, _ message: String) throws {
        let file = LoaderBench.account("options: {api: auto}").replacingOccurrences(of: "env:PASS", with: text)
        let (_, problems) = try LoaderBench.accounts(file)
        #expect(problems == ["a.yaml:11: accounts[0].credentials.passphrase: \(message)"])
    }

    @Test("names each credential field that is missing, unknown or misspelt")
    func namesFields() throws {
        let file = LoaderBench.account("uid: 1").replacingOccurrences(of: "passphrase", with: "passphrse")
        let (_, problems) = try LoaderBench.accounts(file)
        #expect(
            problems == [
                "a.yaml:8: accounts[0].credentials.passphrase: is missing: bitget needs it.",
                "a.yaml:11: accounts[0].credentials.passphrse: is not a key that can stand here. Did you mean \"passphrase\"?",
            ])
    }

    @Test(
        "refuses names outside [a-z0-9][a-z0-9._-]{0,62}",
        arguments: ["Desk", "-a", "a b", String(repeating: "a", count: 64), "ä"])
    func refusesNames(_ name: String) throws {
        let (_, problems) = try LoaderBench.accounts(LoaderBench.account("uid: 1", name: name))
        try #require(problems.count == 1)
        #expect(problems[0].hasPrefix("a.yaml:8: accounts[0].name: is \""))
    }

    @Test("a problem in defaults is reported once, where it stands, and spoils every account")
    func reportsDefaultsOnce() throws {
        let file =
            LoaderBench.account("uid: 1").replacingOccurrences(of: "env:{NAME}_KEY", with: "vault:k")
            + "\n  - {name: other, environment: demo, credentials: {passphrase: \"env:P\"}}"
        let (accounts, problems) = try LoaderBench.accounts(file)
        try #require(problems.count == 1)
        #expect(problems[0].hasPrefix("a.yaml:5: defaults.credentials.key: refers to the vault"))
        #expect(accounts.isEmpty)
    }

    @Test("refuses name and uid in defaults")
    func refusesOwnKeysInDefaults() throws {
        let (_, problems) = try LoaderBench.accounts(
            LoaderBench.account("uid: 2").replacingOccurrences(
                of: "  exchange: bitget", with: "  uid: 1\n  exchange: bitget"))
        #expect(problems == ["a.yaml:3: defaults.uid: cannot stand in defaults: every account has its own."])
    }

    @Test("refuses routes out of the host as a later stage, and takes declared names")
    func refusesRoutes() throws {
        let file = LoaderBench.account("egress: offic").replacingOccurrences(
            of: "defaults:",
            with: "egress:\n  office: {proxy: \"http://p\"}\n  rack2:\n    bind: 10.0.0.1\n    bnd: x\ndefaults:")
        let (_, problems) = try LoaderBench.accounts(file)
        #expect(
            problems == [
                "a.yaml:3: egress.office.proxy: is not supported yet. Remove it, or make it a comment.",
                "a.yaml:5: egress.rack2.bind: is not supported yet. Remove it, or make it a comment.",
                "a.yaml:6: egress.rack2.bnd: is not a key that can stand here.",
                "a.yaml:15: accounts[0].egress: is \"offic\", which the egress section of this file does not declare. Did you mean \"office\"?",
            ])
    }

    @Test("two accounts of one name or one uid name both places, over all files")
    func namesBothPlaces() throws {
        let bench = try LoaderBench()
        try bench.write("a.yaml", LoaderBench.account("uid: 7"))
        try bench.write("b.yaml", LoaderBench.account("uid: 8"))
        try bench.write("c.yaml", LoaderBench.account("uid: 7", name: "desk-3"))
        try bench.write("d.yaml", LoaderBench.account("uid: 7", environment: "demo", name: "desk-4"))
        let (accounts, diagnostics) = LoaderBench.loader.loadAccounts(directory: bench.root)
        #expect(
            bench.relative(diagnostics) == [
                "b.yaml:8: accounts[0].name: \"desk-1\" is already the name of the account at a.yaml:8. Names are unique over all files.",
                "c.yaml:10: accounts[0].uid: desk-3 has the uid of desk-1 (a.yaml:8): \"7\" on bitget simulated. Remove one of them.",
            ])
        #expect(accounts.map(\.name) == ["desk-1", "desk-4"])
    }

    @Test("several problems in several files come in one answer")
    func reportsEverything() throws {
        let bench = try LoaderBench()
        try bench.write(
            "a.yaml",
            LoaderBench.account("uidd: 7").replacingOccurrences(of: "defaults:", with: "dfaults: {}\ndefaults:"))
        try bench.write("b.yaml", "version: 1\naccounts: [x: 1\n")
        try bench.write("c.yaml", LoaderBench.account("enabled: maybe\n    tags: {a: b}", name: "c"))
        try bench.write("d.yaml", "accounts: []\n")
        let (_, diagnostics) = LoaderBench.loader.loadAccounts(directory: bench.root)
        let places = bench.relative(diagnostics).map { $0.split(separator: " ")[0...1].joined(separator: " ") }
        #expect(
            places == [
                "a.yaml:2: dfaults:", "a.yaml:11: accounts[0].uidd:", "b.yaml:2: is", "c.yaml:10: accounts[0].enabled:",
                "c.yaml:11: accounts[0].tags:", "d.yaml:1: version:",
            ])
        #expect(diagnostics.allSatisfy { $0.severity == .error })
    }

    @Test("a folder that is missing, a file or empty is an error")
    func refusesFolders() throws {
        let bench = try LoaderBench()
        try bench.write("a.txt", "version: 1")
        for (folder, word) in [("", "holds no accounts file"), ("/none", "is no folder"), ("/a.txt", "is no folder")] {
            let (accounts, diagnostics) = LoaderBench.loader.loadAccounts(directory: bench.root + folder)
            #expect(accounts.isEmpty)
            #expect(diagnostics.count == 1 && diagnostics[0].message.hasPrefix(word), "\(diagnostics)")
        }
    }
}
