import FlatbookCore
import FlatbookCredentials
import FlatbookCrypto
import Foundation
import Testing

@Suite struct CommandTests {
    private func limits(command: Duration = .seconds(10), total: Duration = .seconds(30)) -> CredentialResolver.Limits {
        var limits = CredentialResolver.Limits()
        limits.command = command
        limits.total = total
        return limits
    }

    @Test("takes a command's trimmed output, by name or path")
    func output() async throws {
        for program in ["printf", "/usr/bin/printf"] {
            #expect(try await resolve(.command(arguments: [program, " value\n"], pointer: nil)).key == "value")
        }
    }

    @Test("passes arguments without a shell")
    func noShell() async throws {
        let reference = CredentialReference.command(arguments: ["printf", "%s", "$HOME; `id` *"], pointer: nil)
        #expect(try await resolve(reference).key == "$HOME; `id` *")
    }

    @Test("selects from JSON output, and runs once for all pointers into it")
    func runsOnce() async throws {
        let folder = try TemporaryFolder()
        let script = #"echo run >> "$1"; echo '{"key":"k","secret":"s"}'"#
        let command = ["sh", "-c", script, "sh", folder.path + "/count"]
        let accounts = (0..<50).map {
            account(
                "a\($0)",
                [
                    "key": .command(arguments: command, pointer: "/key"),
                    "secret": .command(arguments: command, pointer: "/secret"),
                ])
        }
        let results = await CredentialResolver(environment: helperEnvironment).resolve(accounts) { _ in
            ["key", "secret"]
        }
        #expect(results.values.allSatisfy { $0.key == "k" && (try? $0.get())?["secret"]?.revealed() == "s" })
        #expect(results.count == 50)
        #expect(folder.text("count") == "run\n")
    }

    @Test("gives a helper neither our environment nor our input")
    func bareEnvironment() async throws {
        let environment = helperEnvironment.merging(["FLATBOOK_SECRET": "CANARY", "LD_PRELOAD": "/none"]) { $1 }
        let reference = CredentialReference.command(
            arguments: ["sh", "-c", "env | cut -d= -f1 | tr '\\n' ' '; cat"], pointer: nil)
        let names = try #require(try await resolve(reference, environment: environment).key)
        #expect(Set(names.split(separator: " ")).subtracting(["PWD", "SHLVL", "_", "OLDPWD"]) == ["PATH", "HOME"])
    }

    @Test("ends a command that takes too long, even if a child of it holds the output open")
    func timeout() async throws {
        let start = ContinuousClock.now
        let reference = CredentialReference.command(arguments: ["sh", "-c", "sleep 5 & sleep 5"], pointer: nil)
        let problem = try await resolve(reference, limits: limits(command: .milliseconds(200))).problem
        #expect(problem?.message.contains("did not end in time") == true)
        #expect(ContinuousClock.now - start < .seconds(4))
    }

    @Test("bounds all commands together, and starts none after that")
    func totalTimeout() async throws {
        var limits = limits(total: .milliseconds(200))
        limits.concurrent = 1
        let accounts = (0..<3).map {
            account("a\($0)", ["key": .command(arguments: ["sleep", "5.\($0)"], pointer: nil)])
        }
        let results = await CredentialResolver(environment: helperEnvironment, limits: limits).resolve(accounts) { _ in
            ["key"]
        }
        #expect(results["a0"]?.problem?.message.contains("did not end in time") == true)
        #expect(results["a2"]?.problem?.message.contains("was not started") == true)
    }

    @Test("runs at most so many commands at a time as allowed, and all of them")
    func concurrency() async throws {
        let folder = try TemporaryFolder()
        var limits = limits()
        limits.concurrent = 2
        // Each makes a file, counts the files, removes its own.
        let script = #"touch "$1/$2.on"; ls "$1" | wc -l; rm "$1/$2.on""#
        let accounts = (0..<8).map {
            account(
                "a\($0)", ["key": .command(arguments: ["sh", "-c", script, "sh", folder.path, "\($0)"], pointer: nil)])
        }
        let results = await CredentialResolver(environment: helperEnvironment, limits: limits).resolve(accounts) { _ in
            ["key"]
        }
        #expect(results.count == 8)
        #expect(results.values.allSatisfy { ["1", "2"].contains($0.key) })
    }

    @Test("refuses more output than the limit")
    func oversize() async throws {
        let reference = CredentialReference.command(
            arguments: ["sh", "-c", "head -c 65537 /dev/zero | tr '\\0' a"], pointer: nil)
        #expect(try await resolve(reference).problem?.message.contains("more than 65536 bytes") == true)
        let fits = CredentialReference.command(
            arguments: ["sh", "-c", "head -c 65536 /dev/zero | tr '\\0' a"], pointer: nil)
        #expect(try await resolve(fits).key?.utf8.count == 65536)
    }

    @Test(
        "says how a command failed",
        arguments: [
            (["sh", "-c", "exit 3"], "status 3"), (["flatbook-no-such-helper"], "not found"), ([], "empty"),
            (["/nonexistent/helper"], "/nonexistent/helper"), (["sh", "-c", "kill -9 $$"], "signal 9"),
            (["true"], "is empty"),
        ]
    )
    func failures(arguments: [String], message: String) async throws {
        let problem = try await resolve(.command(arguments: arguments, pointer: nil)).problem
        #expect(problem?.message.contains(message) == true)
    }

    @Test("never shows a secret in a problem, whatever goes wrong")
    func canary() async throws {
        let canary = "CANARY-9c41"
        let folder = try TemporaryFolder()
        let json = "{\"a\":\"\(canary)\"}"
        let references: [CredentialReference] = [
            .file(path: try folder.file("loose", canary, mode: 0o644), pointer: nil),
            .file(path: try folder.file("no-json", canary), pointer: "/a"),
            .file(path: try folder.file("lines", canary + "\n" + canary), pointer: nil),
            .file(path: try folder.file("json", json), pointer: "/b"),
            .file(path: try folder.file("json2", json), pointer: ""),
            .file(path: try folder.file("cut", "{\"a\":\"\(canary)"), pointer: "/a"),
            .environment(name: "LINES"),
            .command(arguments: ["sh", "-c", "echo \(canary); echo \(canary) >&2; exit 1"], pointer: nil),
            .command(arguments: ["printf", canary], pointer: "/a"),
            .command(arguments: ["/nonexistent/helper", canary], pointer: nil),
            .command(arguments: ["sh", "-c", "sleep 5", canary], pointer: nil),
            .literal(canary),
        ]
        let bytes = Array(canary.utf8)
        for reference in references {
            let problem = try await resolve(
                reference, environment: helperEnvironment.merging(["LINES": canary + "\n"]) { $1 },
                limits: limits(command: .milliseconds(500))
            ).problem
            var text = "\(try #require(problem))" + String(reflecting: problem)
            dump(problem, to: &text)
            for form in [canary, Hex.encode(bytes), Base64.encode(bytes)] { #expect(!text.contains(form)) }
        }
    }
}
