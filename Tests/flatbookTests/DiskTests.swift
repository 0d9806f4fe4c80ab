import Foundation
import Testing

/// The disk under the real binary fails: fsync, limits, copies, other programs.
@Suite struct DiskTests {
    /// strace(1) makes a system call fail as a broken disk would.
    static let canInject: Bool = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["strace", "-f", "-o", "/dev/null", "true"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    @Test(
        "an fsync that fails in the middle stops every send, says what was open, and resume finishes",
        .enabled(if: canInject, "needs strace and the right to trace"), arguments: [10, 14, 18])
    func fsyncFails(at number: Int) async throws {
        try await Desk.open(["--latency", "60"]) { desk in
            let script =
                "strace -f -o strace.txt -e trace=fdatasync,fsync "
                + "-e inject=fdatasync:error=EIO:when=\(number)+ \(Binary.url.path) "
                + "run plans/all.yaml --yes --progress json"
            let outcome = try await desk.tool("/bin/sh", ["-c", script])
            #expect(outcome.code == 74, "\(outcome.all)")
            #expect(outcome.all.contains("journal.sqlite"), "\(outcome.all)")
            let before = try await desk.state()
            let resumed = try await desk.flatbook("resume")
            // Where nothing of the run was durable there is nothing to resume.
            if resumed.code == 64 {
                #expect(before.mutations == 0)
                return
            }
            #expect(outcome.all.contains("flatbook resume"), "\(outcome.all)")
            #expect(resumed.code == 0, "\(resumed.all)")
            let after = try await desk.state()
            #expect(after.openPositions == 0 && after.exposureIncreases == 0 && after.limitViolations == 0)
            #expect(try desk.report().calls.count >= after.mutations)
        }
    }

    @Test("a limit on the size of files ends with 74 and its words, not with a signal")
    func sizeLimit() async throws {
        try await Desk.open { desk in
            let outcome = try await desk.tool(
                "/bin/bash", ["-c", "ulimit -f 4096; exec \(Binary.url.path) run plans/all.yaml --yes --progress none"])
            try await BadFileTests.expectRefusal(outcome, code: 74, telling: ["journal", "space"], at: desk)
        }
    }

    @Test("a copied journal's unfinished run is read and closed by resume, without a call")
    func copied() async throws {
        try await Desk.open(positions: 4, ["--latency", "60"]) { desk in
            let run = try desk.start(["run", "plans/all.yaml", "--yes", "--progress", "json"])
            #expect(try await run.sees(#""type":"call_start""#))
            run.send(9)
            _ = try await run.outcome()
            try FileManager.default.createDirectory(at: desk.path("copy"), withIntermediateDirectories: true)
            for end in ["", "-wal"] {
                try FileManager.default.copyItem(
                    at: desk.path("reports/journal.sqlite\(end)"), to: desk.path("copy/journal.sqlite\(end)"))
            }
            let before = try await desk.state()
            let outcome = try await desk.flatbook("resume", "--reports", "copy")
            #expect(outcome.all.contains("copied"), "\(outcome.all)")
            let after = try await desk.state()
            #expect(after.mutations == before.mutations && after.openPositions > 0)
            #expect(try await desk.flatbook("resume").code == 0)
            #expect(try await desk.state().openPositions == 0)
        }
    }

    @Test("a damaged journal stops a new run before anything is sent")
    func damaged() async throws {
        try await Desk.open { desk in
            #expect(try await desk.run().code == 0)
            let sent = try await desk.state().mutations
            let path = desk.path("reports/journal.sqlite")
            var bytes = try Data(contentsOf: path)
            let body = try #require(bytes.range(of: Data("\"accountEnded\"".utf8)))
            bytes[body.lowerBound + 1] ^= 2
            try bytes.write(to: path)
            let outcome = try await desk.run()
            #expect(outcome.code == 74 && outcome.all.contains("entry"), "\(outcome.all)")
            #expect(try await desk.state().mutations == sent)
        }
    }
}

extension Desk {
    /// Another program in the desk's folder and environment.
    func tool(_ program: String, _ arguments: [String]) async throws -> Outcome {
        try await start(arguments, program: URL(fileURLWithPath: program)).outcome()
    }
}
