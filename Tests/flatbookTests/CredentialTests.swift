import Foundation
import Testing

/// Keys that are missing, wrong or readable by others: that account stays out, the others are flattened.
@Suite struct CredentialTests {
    /// Account 2 stands where `states` says and keeps its positions; the others are flat; the run ends with 10.
    private func expectOnlySecondLeftOut(
        _ outcome: Outcome, states: [String], telling words: [String], at desk: Desk,
        location: SourceLocation = #_sourceLocation
    ) async throws {
        #expect(outcome.code == 10, "\(outcome.all)", sourceLocation: location)
        #expect(outcome.lineCount <= 40, "\(outcome.all)", sourceLocation: location)
        for word in words {
            #expect(outcome.all.contains(word), "no \(word) in:\n\(outcome.all)", sourceLocation: location)
        }
        let report = try desk.report()
        let left = try #require(report.account("bitget-002"))
        #expect(states.contains(left.state), "\(left)", sourceLocation: location)
        #expect(report.account("bitget-001")?.state == "flat", sourceLocation: location)
        #expect(report.account("bitget-003")?.state == "flat", sourceLocation: location)
        let state = try await desk.state()
        #expect(state.open("bitget-002") > 0, sourceLocation: location)
        #expect(state.openPositions == state.open("bitget-002"), sourceLocation: location)
        let sent = state.receipts.filter { $0.uid == "7000000002" && $0.route.hasPrefix("POST") }
        #expect(sent.isEmpty, sourceLocation: location)
    }

    @Test("an account whose credential cannot be resolved is skipped and the others are flattened")
    func unresolvable() async throws {
        try await Desk.open { desk in
            try desk.editSecrets { $0["bitget-002"] = nil }
            let outcome = try await desk.run()
            try await expectOnlySecondLeftOut(
                outcome, states: ["skipped"], telling: ["bitget-002", "credentials", "secrets.json"], at: desk)
        }
    }

    @Test("with --strict a credential that cannot be resolved stops everything")
    func unresolvableStrict() async throws {
        try await Desk.open { desk in
            try desk.editSecrets { $0["bitget-002"] = nil }
            let outcome = try await desk.run("plans/all.yaml", "--strict")
            try await BadFileTests.expectRefusal(
                outcome, code: 78, telling: ["bitget-002", "secrets.json"], at: desk)
        }
    }

    @Test("a secrets file that others may read is refused for every account", arguments: [0o644, 0o640, 0o604])
    func readableByOthers(mode: Int) async throws {
        try await Desk.open { desk in
            try FileManager.default.setAttributes(
                [.posixPermissions: mode], ofItemAtPath: desk.path("secrets.json").path)
            let outcome = try await desk.run()
            try await BadFileTests.expectRefusal(
                outcome, code: 77, telling: ["secrets.json", "chmod 600"], at: desk)
        }
    }

    @Test(
        "a wrong key, secret or passphrase keeps only its own account out, with what to do",
        arguments: [
            "key", "secret", "passphrase",
        ])
    func wrongForOne(part: String) async throws {
        try await Desk.open { desk in
            try desk.editSecrets { $0["bitget-002"]?[part] = "wrong0123456789" }
            let outcome = try await desk.run()
            try await expectOnlySecondLeftOut(
                outcome, states: ["refused", "skipped"], telling: ["bitget-002"], at: desk)
            let action = try desk.report().account("bitget-002")?.error?.action
            #expect(action?.isEmpty == false, "no action for the operator")
        }
    }

    @Test("wrong keys for every account end with 77 and nothing sent")
    func wrongForAll() async throws {
        try await Desk.open { desk in
            try desk.editSecrets { secrets in
                for name in secrets.keys { secrets[name]?["secret"] = "wrong-\(name)" }
            }
            let outcome = try await desk.run()
            try await BadFileTests.expectRefusal(
                outcome, code: 77, telling: ["bitget-001", "40009", "Check the secret"], at: desk)
        }
    }

    @Test("an account whose uid is not what the exchange says is skipped")
    func wrongUid() async throws {
        try await Desk.open { desk in
            try desk.replace("accounts/simulated.yaml", "7000000002", "7999999999")
            let outcome = try await desk.run()
            try await expectOnlySecondLeftOut(
                outcome, states: ["skipped"], telling: ["bitget-002", "uid"], at: desk)
        }
    }

    @Test("no key, secret or passphrase is written anywhere, in plain or as base64", arguments: [false, true])
    func canary(withWrongSecret: Bool) async throws {
        try await Desk.open { desk in
            if withWrongSecret { try desk.editSecrets { $0["bitget-002"]?["secret"] = "wrong-secret-0123456789" } }
            let secrets = try desk.secrets().values.flatMap(\.values)
            let run = try await desk.flatbook(
                "run", "plans/all.yaml", "--yes", "--progress", "json", "--log-level", "trace")
            #expect(run.code == (withWrongSecret ? 10 : 0), "\(run.all)")
            let shown = try await desk.flatbook("accounts", "list", "--format", "json", "--log-level", "trace")
            let report = try await desk.flatbook("report", try desk.report().run.id, "--format", "json")
            var places = ["run": Data(run.all.utf8), "list": Data(shown.all.utf8), "report": Data(report.all.utf8)]
            let files = try #require(FileManager.default.enumerator(atPath: desk.folder.path))
            for case let name as String in files where name != "secrets.json" {
                places[name] = try? Data(contentsOf: desk.path(name))
            }
            #expect(places.keys.contains("reports/journal.sqlite"))
            for secret in secrets {
                let plain = Data(secret.utf8)
                for form in [plain, plain.base64EncodedData()] {
                    for (place, data) in places {
                        #expect(data.range(of: form) == nil, "a secret stands in \(place)")
                    }
                }
            }
        }
    }
}
