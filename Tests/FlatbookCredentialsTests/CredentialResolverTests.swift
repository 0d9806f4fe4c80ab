import FlatbookCore
import FlatbookCredentials
import FlatbookCrypto
import Foundation
import Testing

typealias Resolved = Result<[String: Secret], CredentialProblem>

let helperEnvironment = ["PATH": "/usr/bin:/bin", "HOME": "/"]

func account(
    _ name: String, _ credentials: [String: CredentialReference], environment: TradingEnvironment = .production,
    exchange: ExchangeID = ExchangeID("bitget")
) -> Account {
    Account(name: name, exchange: exchange, environment: environment, credentials: credentials)
}

func resolve(
    _ reference: CredentialReference, environment: [String: String] = helperEnvironment,
    limits: CredentialResolver.Limits = .init(), trading: TradingEnvironment = .production
) async throws -> Resolved {
    let resolver = CredentialResolver(environment: environment, limits: limits)
    let results = await resolver.resolve([account("a", ["key": reference], environment: trading)]) { _ in ["key"] }
    return try #require(results["a"])
}

extension Resolved {
    var key: String? { (try? get())?["key"]?.revealed() }
    var problem: CredentialProblem? {
        guard case .failure(let problem) = self else { return nil }
        return problem
    }
}

@Suite struct CredentialResolverTests {
    @Test("takes a value from the environment as it stands")
    func environment() async throws {
        #expect(try await resolve(.environment(name: "K"), environment: ["K": " v "]).key == " v ")
    }

    @Test("names the variable that is not set or empty", arguments: [[:], ["K": ""]])
    func environmentMissing(environment: [String: String]) async throws {
        let problem = try await resolve(.environment(name: "K"), environment: environment).problem
        #expect(problem?.field == "key" && problem?.message.contains("variable K is") == true)
    }

    @Test("takes a trimmed file")
    func file() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("key", "\n  the key \r\n", mode: 0o400)
        #expect(try await resolve(.file(path: path, pointer: nil)).key == "the key")
    }

    @Test(
        "follows a JSON pointer",
        arguments: [
            ("/a/b", "1"), ("/list/1", "two"), ("/with~1slash/~0", "tilde"), ("/number", "123456789012345678901"),
            ("//", "empty names"),
        ]
    )
    func pointer(pointer: String, value: String) async throws {
        let folder = try TemporaryFolder()
        let path = try folder.file(
            "keys.json",
            #"{"a":{"b":"1"},"list":["one","two"],"with/slash":{"~":"tilde"},"number":123456789012345678901,"#
                + #""":{"":"empty names"}}"#)
        #expect(try await resolve(.file(path: path, pointer: pointer)).key == value)
    }

    @Test("takes a whole JSON document by the empty pointer")
    func wholeDocument() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("key.json", "\"all\"")
        #expect(try await resolve(.file(path: path, pointer: "")).key == "all")
    }

    @Test(
        "refuses a pointer that leads nowhere or to no text",
        arguments: [
            ("/b", "nothing at /b"), ("/list/2", "nothing"), ("/list/01", "nothing"), ("/list/-", "nothing"),
            ("/a/x", "nothing"), ("/list", "no text"), ("/null", "no text"), ("a", "malformed"), ("/~2", "malformed"),
            ("/~", "malformed"), ("/list/99999999999999999999", "nothing"),
        ]
    )
    func pointerMissing(pointer: String, message: String) async throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("keys.json", #"{"a":"CANARY","list":["x","y"],"null":null}"#)
        let problem = try await resolve(.file(path: path, pointer: pointer)).problem
        #expect(problem?.message.contains(message) == true)
    }

    @Test("refuses a file that group or others may use, and says what to do", arguments: [0o644, 0o640, 0o604, 0o610])
    func looseMode(mode: Int) async throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("key", "CANARY", mode: mode)
        let problem = try await resolve(.file(path: path, pointer: nil)).problem
        #expect(problem?.message.contains(path) == true)
        #expect(problem?.message.contains("0" + String(mode, radix: 8)) == true)
        #expect(problem?.hint == "Run: chmod 600 \(path)")
    }

    @Test("refuses a symbolic link")
    func symbolicLink() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("key", "CANARY")
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: path)
        let problem = try await resolve(.file(path: folder.path + "/link", pointer: nil)).problem
        #expect(problem?.message.contains("symbolic link") == true)
    }

    @Test("refuses a folder, a pipe and a missing file without waiting")
    func notRegular() async throws {
        let folder = try TemporaryFolder()
        let pipe = folder.path + "/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        for path in [folder.path, pipe] {
            let problem = try await resolve(.file(path: path, pointer: nil)).problem
            #expect(problem?.message.contains("not a regular file") == true)
        }
        let problem = try await resolve(.file(path: folder.path + "/none", pointer: nil)).problem
        #expect(problem?.message.contains("does not exist") == true)
    }

    @Test("refuses a file beyond the limit, of several lines, that is empty or binary")
    func badContent() async throws {
        let folder = try TemporaryFolder()
        var limits = CredentialResolver.Limits()
        limits.fileBytes = 8
        for (text, message) in [
            ("123456789", "larger than 8"), ("a\nb", "one line"), (" \n", "is empty"), ("a\u{0}b", "one line"),
        ] {
            let path = try folder.file("key", text)
            let problem = try await resolve(.file(path: path, pointer: nil), limits: limits).problem
            #expect(problem?.message.contains(message) == true)
        }
    }

    @Test("takes a systemd credential from its folder, whatever the file's mode")
    func systemd() async throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("bitget", "value\n", mode: 0o444)
        let environment = ["CREDENTIALS_DIRECTORY": folder.path]
        #expect(try await resolve(.systemdCredential(name: "bitget"), environment: environment).key == "value")
        for name in ["", ".", "..", "../x", "none"] {
            #expect(try await resolve(.systemdCredential(name: name), environment: environment).problem != nil)
        }
        let problem = try await resolve(.systemdCredential(name: "bitget"), environment: [:]).problem
        #expect(problem?.message.contains("$CREDENTIALS_DIRECTORY") == true)
    }

    @Test("takes a bare value for simulated accounts only")
    func literal() async throws {
        #expect(try await resolve(.literal("v"), trading: .simulated).key == "v")
        for trading in [TradingEnvironment.production, .demo] {
            let problem = try await resolve(.literal("CANARY"), trading: trading).problem
            #expect(problem?.message.contains("simulated accounts only") == true)
        }
    }

    @Test("names the first field that an account lacks, and resolves the others")
    func missingField() async {
        let resolver = CredentialResolver(environment: ["K": "k"])
        let results = await resolver.resolve([
            account("whole", ["key": .environment(name: "K"), "secret": .environment(name: "K")]),
            account("part", ["key": .environment(name: "K")]),
        ]) { _ in ["key", "secret"] }
        #expect(results.count == 2)
        #expect((try? results["whole"]?.get())?.keys.sorted() == ["key", "secret"])
        #expect(results["part"]?.problem?.field == "secret")
    }

    @Test("reads a file once for all accounts that name it")
    func readsOnce() async {
        // The kernel's file differs at each read: the accounts agree only if it was read once.
        let accounts = (0..<1000).map { account("a\($0)", ["key": .systemdCredential(name: "uuid")]) }
        let resolver = CredentialResolver(environment: ["CREDENTIALS_DIRECTORY": "/proc/sys/kernel/random"])
        let results = await resolver.resolve(accounts) { _ in ["key"] }
        #expect(results.count == 1000)
        #expect(Set(results.values.map(\.key)).count == 1)
        #expect(results["a0"]?.key != nil)
    }

    @Test("finds accounts that share a key on one exchange and environment")
    func duplicateKeys() {
        let accounts = [
            account("a", [:]), account("b", [:]), account("c", [:]), account("d", [:], environment: .demo),
            account("e", [:], exchange: ExchangeID("okx")), account("f", [:]), account("g", [:]),
        ]
        let keys = ["a": "1", "b": "2", "c": "1", "d": "1", "e": "1", "f": "1"]
        let found = CredentialResolver.duplicateKeys(in: keys.mapValues { ["key": Secret($0)] }, of: accounts)
        #expect(found == [.init(first: "a", second: "c"), .init(first: "a", second: "f")])
    }
}
