import Foundation
import Testing

/// The world around the run is wrong: nobody answers, a guard says no, the disk fails, another run holds the accounts.
@Suite struct TroubleTests {
    @Test("an exchange that cannot be reached ends with 75 and names the endpoint")
    func unreachable() async throws {
        try await Desk.open { desk in
            try await desk.stopExchange()
            let outcome = try await desk.run()
            #expect(outcome.code == 75, "\(outcome.all)")
            #expect(outcome.lineCount <= 40)
            #expect(outcome.all.contains("127.0.0.1:\(desk.port)"), "\(outcome.all)")
            #expect(outcome.all.contains("run again"), "\(outcome.all)")
        }
    }

    @Test("an endpoint that does not speak TLS ends with 75 and says TLS")
    func noTLS() async throws {
        try await Desk.open { desk in
            try desk.replace("accounts/simulated.yaml", "http://", "https://")
            let outcome = try await desk.run()
            try await BadFileTests.expectRefusal(outcome, code: 75, telling: ["TLS", "https://127.0.0.1"], at: desk)
        }
    }

    @Test(
        "a plan over a guard is refused with the guard's name",
        arguments: [
            "maxLegs: 1", "maxNotional: 1", "maxAccounts: 1",
        ])
    func guardExceeded(line: String) async throws {
        try await Desk.open { desk in
            let outcome = try await desk.run(try desk.plan("guards: {\(line)}"))
            try await BadFileTests.expectRefusal(
                outcome, code: 13, telling: [String(line.prefix { $0 != ":" })], at: desk)
        }
    }

    @Test("without a terminal and without --yes nothing is sent")
    func notConfirmed() async throws {
        try await Desk.open { desk in
            let outcome = try await desk.flatbook("run", "plans/all.yaml", "--progress", "none")
            try await BadFileTests.expectRefusal(outcome, code: 13, telling: ["--yes"], at: desk)
        }
    }

    @Test(
        "a journal that cannot be made ends with 74 and its path",
        arguments: [
            "secrets.json", "/proc/flatbook",
        ])
    func noPlaceForJournal(folder: String) async throws {
        try await Desk.open { desk in
            let outcome = try await desk.run("plans/all.yaml", "--journal", "\(folder)/journal.sqlite")
            try await BadFileTests.expectRefusal(outcome, code: 74, telling: ["journal", folder], at: desk)
        }
    }

    @Test("a journal on a read-only disk ends with 74", .enabled(if: Mount.isPermitted, "needs the right to mount"))
    func readOnlyDisk() async throws {
        try await Desk.open { desk in
            try await Mount.with("size=1m,ro", at: desk.path("disk")) {
                let outcome = try await desk.run("plans/all.yaml", "--journal", "disk/journal.sqlite")
                try await BadFileTests.expectRefusal(outcome, code: 74, telling: ["disk/journal"], at: desk)
            }
        }
    }

    @Test("a journal on a full disk ends with 74", .enabled(if: Mount.isPermitted, "needs the right to mount"))
    func fullDisk() async throws {
        try await Desk.open { desk in
            try await Mount.with("size=64k", at: desk.path("disk")) {
                let outcome = try await desk.run("plans/all.yaml", "--journal", "disk/journal.sqlite")
                try await BadFileTests.expectRefusal(outcome, code: 74, telling: ["disk/journal"], at: desk)
            }
        }
    }

    @Test(
        "a disk that fills during the run sends nothing more, and the run can be resumed when there is room",
        .enabled(if: Mount.isPermitted, "needs the right to mount"))
    func diskFills() async throws {
        try await Desk.open(["--latency", "100"]) { desk in
            try await Mount.with("size=40m", at: desk.path("disk")) {
                let arguments = ["--journal", "disk/journal.sqlite", "--progress", "json"]
                let run = try desk.start(["run", "plans/all.yaml", "--yes"] + arguments)
                #expect(try await run.sees(#""type":"call_start""#))
                #expect(Mount.fill(desk.path("disk")) > 0)
                let outcome = try await run.outcome()
                let state = try await desk.state()
                #expect(outcome.code == 74, "\(outcome.all)")
                #expect(state.openPositions > 0)
                // The console says what was open, and the reserve took what had happened: no call is left in doubt.
                #expect(outcome.all.contains(": open "), "\(outcome.all)")
                #expect(outcome.all.contains("were written into the journal's reserve"), "\(outcome.all)")
                #expect(!FileManager.default.fileExists(atPath: desk.path("disk/journal.reserve").path))
                let sent = state.mutations
                try FileManager.default.removeItem(at: desk.path("disk/filler"))
                let resumed = try await desk.flatbook("resume", "--journal", "disk/journal.sqlite")
                #expect(resumed.code == 0, "\(resumed.all)")
                let after = try await desk.state()
                #expect(after.openPositions == 0)
                #expect(after.mutations > sent)
                #expect(try desk.report().calls.count >= after.mutations)
                #expect(try !desk.read("reports/\(desk.report().run.id)/calls.csv").contains("process-ended"))
                #expect(FileManager.default.fileExists(atPath: desk.path("disk/journal.reserve").path))
            }
        }
    }

    @Test("accounts that another run holds are left alone, naming that run and its process")
    func locked() async throws {
        try await Desk.open(["--latency", "300"]) { desk in
            let first = try desk.start(["run", "plans/all.yaml", "--yes", "--progress", "json"])
            #expect(try await first.sees(#""type":"call_start""#))
            let second = try await desk.run(
                "plans/all.yaml", "--journal", "other/journal.sqlite", "--reports", "other")
            let ended = try await first.outcome()
            #expect(ended.code == 0, "\(ended.all)")
            #expect(second.code == 75, "\(second.all)")
            #expect(second.lineCount <= 40)
            let report = try desk.report()
            for word in ["locked", report.run.id, "\(first.pid)"] {
                #expect(second.all.contains(word), "no \(word) in:\n\(second.all)")
            }
            let state = try await desk.state()
            #expect(state.mutations == report.calls.count, "the second run sent something")
            #expect(state.openPositions == 0)
        }
    }

    @Test("a second run with the same journal waits and then finds nothing open")
    func sameJournal() async throws {
        try await Desk.open(["--latency", "50"]) { desk in
            let first = try desk.start(["run", "plans/all.yaml", "--yes", "--progress", "json"])
            #expect(try await first.sees(#""type":"call_start""#))
            let second = try await desk.flatbook(
                "run", "plans/all.yaml", "--yes", "--progress", "plain", "--format", "json")
            #expect(try await first.outcome().code == 0)
            #expect(second.code == 0, "\(second.all)")
            #expect(second.stderr.contains("\(first.pid)"), "the holder is not named:\n\(second.all)")
            let report = try JSONDecoder().decode(Report.self, from: Data(second.stdout.utf8))
            #expect(report.calls.isEmpty)
            #expect(report.run.status == "flat")
        }
    }
}

/// Small file systems in memory, where the machine lets us have them.
enum Mount {
    static let isPermitted: Bool = {
        let folder = URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent(
            "flatbook-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        do {
            try mount("size=64k", at: folder)
            try unmount(folder)
            return true
        } catch {
            return false
        }
    }()

    static func with(_ options: String, at folder: URL, _ test: () async throws -> Void) async throws {
        try mount(options, at: folder)
        do {
            try await test()
        } catch {
            try unmount(folder)
            throw error
        }
        try unmount(folder)
    }

    /// Writes `filler` until there is no room; the bytes that it took.
    static func fill(_ folder: URL) -> Int {
        guard let file = fopen(folder.appendingPathComponent("filler").path, "w") else { return 0 }
        defer { fclose(file) }
        setvbuf(file, nil, _IONBF, 0)
        let block = [UInt8](repeating: 0, count: 4096)
        var bytes = 0
        while fwrite(block, 1, block.count, file) == block.count { bytes += block.count }
        return bytes
    }

    private static func mount(_ options: String, at folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try tool("mount", ["-t", "tmpfs", "-o", options, "flatbook-test", folder.path])
    }

    private static func unmount(_ folder: URL) throws { try tool("umount", [folder.path]) }

    private static func tool(_ name: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [name] + arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Unmet("\(name) \(arguments): \(process.terminationStatus)") }
    }
}
