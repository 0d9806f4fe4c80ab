import FlatbookCore
import Foundation
import Testing

@testable import FlatbookConfiguration

@Suite("Accounts files that are valid")
struct LoaderAccountsTests {
    static let contract = """
        version: 1
        egress:
          office: {}
        defaults:
          exchange: bitget
          environment: production
          tags: [desk-a]
          credentials:
            key: env:{NAME}_KEY
            secret: env:{NAME}_SECRET
            passphrase: env:{NAME}_PASSPHRASE
          options: {api: classic, products: [USDT-FUTURES]}
        accounts:
          - name: desk-a.01
            uid: 0123
          - name: hedge-1
            environment: demo
            egress: office
            endpoint: http://127.0.0.1:9001/
            tags: [hedge, eod]
            enabled: false
            reason: "moved"
            credentials: {key: "file:../secrets.json#/{name}/key", secret: "exec:op read 'op://desk/a b' \\"c\\" #/x", passphrase: "credential:{name}.pass"}
            options: {products: COIN-FUTURES}
        """

    @Test("merges defaults under each account, key by key, and keeps scalars as they are written")
    func mergesDefaults() throws {
        let (accounts, problems) = try LoaderBench.accounts(Self.contract)
        #expect(problems == [])
        try #require(accounts.count == 2)
        let (first, second) = (accounts[0], accounts[1])
        #expect(first.name == "desk-a.01")
        #expect(first.uid == "0123")
        #expect(first.exchange == ExchangeID("bitget"))
        #expect(first.environment == .production)
        #expect(first.egress == "default")
        #expect(first.tags == ["desk-a"])
        #expect(first.enabled)
        #expect(first.options == ["api": ["classic"], "products": ["USDT-FUTURES"]])
        #expect(first.source.line == 14)
        #expect(second.environment == .demo)
        #expect(second.egress == "office")
        #expect(second.endpoint == "http://127.0.0.1:9001")
        #expect(second.tags == ["desk-a", "hedge", "eod"])
        #expect(!second.enabled)
        #expect(second.disabledReason == "moved")
        #expect(second.options == ["api": ["classic"], "products": ["COIN-FUTURES"]])
    }

    @Test("expands templates and reads every kind of credential reference")
    func readsReferences() throws {
        let bench = try LoaderBench()
        try bench.write("a.yaml", Self.contract)
        let (accounts, _) = LoaderBench.loader.loadAccounts(directory: bench.root)
        try #require(accounts.count == 2)
        #expect(
            accounts[0].credentials == [
                "key": .environment(name: "DESK_A_01_KEY"), "secret": .environment(name: "DESK_A_01_SECRET"),
                "passphrase": .environment(name: "DESK_A_01_PASSPHRASE"),
            ])
        #expect(
            accounts[1].credentials == [
                "key": .file(path: bench.root + "/../secrets.json", pointer: "/hedge-1/key"),
                "secret": .command(arguments: ["op", "read", "op://desk/a b", "c"], pointer: "/x"),
                "passphrase": .systemdCredential(name: "hedge-1.pass"),
            ])
    }

    @Test(
        "reads a command as an argument vector",
        arguments: [
            ("exec:op read op://desk/okx/secret", ["op", "read", "op://desk/okx/secret"], nil),
            ("exec:vault kv get kv/desk#/data/key", ["vault", "kv", "get", "kv/desk"], "/data/key"),
            ("exec:sh -c 'cat x#/y'", ["sh", "-c", "cat x#/y"], nil),
            ("exec:p '' a\"b c\"d", ["p", "", "ab cd"], nil),
        ] as [(String, [String], String?)])
    func readsCommand(_ text: String, _ arguments: [String], _ pointer: String?) throws {
        let reference = try CredentialText.parse(text, folder: "", environment: .production)
        #expect(reference == .command(arguments: arguments, pointer: pointer))
    }

    @Test("an absolute path stays, and a simulated account may have bare values")
    func readsPathsAndLiterals() throws {
        let file = try CredentialText.parse("file:/run/key", folder: "accounts/", environment: .production)
        #expect(file == .file(path: "/run/key", pointer: nil))
        let literal = try CredentialText.parse("demo", folder: "", environment: .simulated)
        #expect(literal == .literal("demo"))
    }

    @Test("reads JSON files and files in the order of their names, hidden ones left out")
    func readsJSON() throws {
        let bench = try LoaderBench()
        let credentials = #""credentials": {"key": "k", "secret": "s", "passphrase": "p"}"#
        let account = #"{"name":"NAME","exchange":"bitget","environment":"simulated","uid":12345678901234567890,"#
        for (file, name) in [("b.json", "b"), ("a.yml", "a"), (".c.yaml", "c")] {
            let one = account.replacingOccurrences(of: "NAME", with: name)
            try bench.write(
                file,
                #"{"version": 1, "accounts": [\#(one)"tags":["t"],\#(credentials)}]}"#.replacing(
                    "12345678901234567890", with: name + "12345678901234567890"
                ).replacing(
                    #""uid":\#(name)"#, with: #""uid":"# + (name == "a" ? "1" : "2")))
        }
        let (accounts, diagnostics) = LoaderBench.loader.loadAccounts(directory: bench.root + "/")
        #expect(bench.relative(diagnostics) == [])
        #expect(accounts.map(\.name) == ["a", "b"])
        #expect(accounts.map(\.uid) == ["112345678901234567890", "212345678901234567890"])
    }

    @Test(
        "takes https anywhere and http to this host",
        arguments: [
            ("https://api.example.com", "https://api.example.com"),
            ("HTTPS://a.example:8443/", "https://a.example:8443"),
            ("http://localhost:1", "http://localhost:1"), ("http://127.9.9.9", "http://127.9.9.9"),
            ("http://[::1]:9001/", "http://[::1]:9001"),
        ])
    func takesEndpoints(_ text: String, _ expected: String) throws {
        #expect(try EndpointText.parse(text) == expected)
    }
}
