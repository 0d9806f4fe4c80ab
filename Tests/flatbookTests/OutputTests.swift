import Foundation
import Testing

/// What scripts read: JSON on stdout in every case, progress as lines of JSON, the report again byte for byte.
@Suite struct OutputTests {
    private func object(_ text: String) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
        return try #require(value as? [String: Any], "no JSON object: \(text)")
    }

    @Test("every line of --progress json is one object with type and time, from run_start to run_end")
    func progress() async throws {
        try await Desk.open { desk in
            let outcome = try await desk.flatbook("run", "plans/all.yaml", "--yes", "--progress", "json")
            #expect(outcome.code == 0)
            let events = try outcome.stderr.split(separator: "\n").map { try object(String($0)) }
            let types = events.compactMap { $0["type"] as? String }
            #expect(types.count == events.count)
            #expect(events.allSatisfy { ($0["at"] as? String)?.hasSuffix("Z") == true })
            #expect(types.first == "run_start" && types.last == "run_end")
            let known: Set = [
                "run_start", "snapshot", "call_start", "call_end", "leg_state", "penalty", "run_end",
            ]
            #expect(known.isSuperset(of: types))
            let report = try desk.report()
            #expect(types.count { $0 == "call_start" } == report.calls.count)
            #expect(types.count { $0 == "leg_state" } >= report.legs.count)
        }
    }

    @Test("--format json writes the report to stdout, and `report` writes it again byte for byte")
    func reportAgain() async throws {
        try await Desk.open { desk in
            let outcome = try await desk.run("plans/all.yaml", "--format", "json")
            #expect(outcome.code == 0)
            let run = try object(outcome.stdout)["run"] as? [String: Any]
            let id = try #require(run?["id"] as? String)
            let again = try await desk.flatbook("report", id, "--format", "json")
            #expect(again.code == 0)
            #expect(try desk.read("reports/\(id)/report.json") == again.stdout)
            for part in ["legs", "calls", "accounts"] {
                let csv = try await desk.flatbook("report", id, "--format", "csv", "--part", part)
                #expect(try desk.read("reports/\(id)/\(part).csv") == csv.stdout)
            }
        }
    }

    @Test(
        "--format json is one JSON document when the command fails too",
        arguments: [
            (["run", "plans/bad.yaml", "--yes"], 78), (["run"], 64), (["run", "plans/all.yaml", "--bogus"], 64),
            (["bogus"], 64), (["run", "plans/all.yaml"], 13), (["run", "plans/none.yaml", "--yes"], 78),
            (["resume"], 64),
            (["report", "nope"], 64), (["run", "plans/all.yaml", "--yes", "--journal", "secrets.json/j.sqlite"], 74),
        ])
    func failureAsJSON(arguments: [String], code: Int) async throws {
        try await Desk.open { desk in
            try desk.write("plans/bad.yaml", "version: 1\nname: bad\naccounts: [\"*\"]\nsymbls: [\"*\"]\n")
            let outcome = try await desk.start(arguments + ["--format", "json"]).outcome()
            #expect(outcome.code == code, "\(outcome.all)")
            let error = try object(outcome.stdout)["error"] as? [String: Any]
            #expect(error?["exitCode"] as? Int == code, "\(outcome.stdout)")
            #expect((error?["message"] as? String)?.isEmpty == false)
        }
    }

    @Test(
        "commands that only look print JSON",
        arguments: [
            ["positions"], ["accounts", "list"], ["limits", "bitget"], ["runs"], ["plan", "plans/all.yaml"],
        ])
    func looking(arguments: [String]) async throws {
        try await Desk.open { desk in
            let outcome = try await desk.start(arguments + ["--format", "json"]).outcome()
            #expect(outcome.code == 0, "\(outcome.all)")
            #expect(throws: Never.self) {
                try JSONSerialization.jsonObject(with: Data(outcome.stdout.utf8))
            }
        }
    }

    @Test("--help lists no command of a later stage")
    func help() async throws {
        try await Desk.open(accounts: 1) { desk in
            let outcome = try await desk.flatbook("--help")
            #expect(outcome.code == 0)
            let commands = outcome.stdout.components(separatedBy: "SUBCOMMANDS:").last?.split(separator: "\n")
                .compactMap { $0.hasPrefix("  ") && !$0.hasPrefix("   ") ? $0.split(separator: " ").first : nil }
            let listed = Set((commands ?? []).map(String.init))
            #expect(
                listed.isSuperset(of: [
                    "plan", "run", "resume", "abandon", "halt", "unlock", "runs", "report", "simulate", "demo", "drill",
                ]))
            #expect(listed.isDisjoint(with: ["schedule", "schema", "init", "vault", "verify"]))
            for later in ["schedule", "vault"] {
                #expect(try await desk.flatbook(later).code == 64)
            }
        }
    }

    @Test("a lock's card, which another process wrote, does not steer the terminal")
    func hostileCard() async throws {
        try await Desk.open(accounts: 1) { desk in
            try FileManager.default.createDirectory(at: desk.path("reports"), withIntermediateDirectories: true)
            try desk.write(
                "reports/journal.sqlite.lock", #"{"run":"r\u001b[2J\u202e","pid":7,"host":"h\u0007","since":0}"#,
                mode: 0o600)
            let held = open(desk.path("reports/journal.sqlite.lock").path, O_RDWR)
            defer { close(held) }
            #expect(flock(held, LOCK_EX | LOCK_NB) == 0)
            let run = try desk.start(["run", "plans/all.yaml", "--yes"])
            #expect(try await run.sees("waiting for the journal"))
            run.send(SIGINT)
            run.send(SIGINT)
            let outcome = try await run.outcome()
            #expect(!outcome.stderr.unicodeScalars.contains { "\u{1B}\u{7}\u{202E}".unicodeScalars.contains($0) })
        }
    }
}
