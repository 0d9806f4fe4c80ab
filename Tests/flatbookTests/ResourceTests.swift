import Foundation
import Testing

/// F64, F65, F73: streams, descriptors, memory and folders that are not what a run would like.
@Suite struct ResourceTests {
    private static let run = "$FLATBOOK run plans/all.yaml --yes --progress json"

    /// The run went on to its end, whatever became of its texts.
    private func expectFlat(_ desk: Desk, location: SourceLocation = #_sourceLocation) async throws {
        let state = try await desk.state()
        #expect(state.openPositions == 0, sourceLocation: location)
        #expect(state.exposureIncreases == 0, sourceLocation: location)
        let again = try await desk.flatbook("resume")
        #expect(again.code == 64, "the journal does not say that the run ended: \(again.all)", sourceLocation: location)
    }

    @Test(
        "streams that are closed, full or without a reader end no run (F73)",
        arguments: [
            "<&- >&- 2>&-", "2>&-", ">&-", ">/dev/full 2>/dev/full", "2> >(head -c 10 > /dev/null)",
            "> >(true) 2> >(true)",
        ])
    func streams(redirection: String) async throws {
        try await Desk.open(["--latency", "10"]) { desk in
            let outcome = try await desk.shell("\(Self.run) \(redirection); code=$?; wait; exit $code")
            #expect(outcome.code == 0, "\(outcome.all)")
            try await expectFlat(desk)
            #expect(try desk.report().run.status == "flat")
        }
    }

    @Test("a reader of stderr that has stopped does not hold up the run (F73)")
    func stalledReader() async throws {
        try await Desk.open(accounts: 6, positions: 12) { desk in
            // The pipe is filled before the run, and nobody reads.
            let outcome = try await desk.shell(
                """
                mkfifo stalled; exec 9<>stalled
                dd if=/dev/zero of=stalled bs=4096 count=64 oflag=nonblock 2>/dev/null
                \(Self.run) 2>stalled
                """, within: 60)
            #expect(outcome.code == 0, "\(outcome.all)")
            try await expectFlat(desk)
        }
    }

    @Test("a terminal that goes away ends no run (F73)")
    func hangUp() async throws {
        try await Desk.open(["--latency", "60"]) { desk in
            let run = try desk.start(["run", "plans/all.yaml", "--yes", "--progress", "json"])
            #expect(try await run.sees(#""type":"call_start""#))
            for signal in [SIGHUP, SIGPIPE] { run.send(signal) }
            #expect(try await run.outcome().code == 0)
            try await expectFlat(desk)
        }
    }

    @Test("few descriptors slow a run down and break nothing (F64)", arguments: [52, 64, 96])
    func fewDescriptors(limit: Int) async throws {
        try await Desk.open(fleet: "bitget=2,okx=2,bingx=2", positions: 3) { desk in
            let outcome = try await desk.shell("ulimit -n \(limit); \(Self.run)")
            #expect(outcome.code == 0, "\(outcome.all)")
            try await expectFlat(desk)
        }
    }

    @Test("too few descriptors are told before anything is sent (F64)", arguments: [24, 46])
    func tooFewDescriptors(limit: Int) async throws {
        try await Desk.open(fleet: "bitget=2,okx=2,bingx=2") { desk in
            let outcome = try await desk.shell("ulimit -n \(limit); \(Self.run)")
            #expect(outcome.code == 75, "\(outcome.all)")
            #expect(outcome.all.contains("ulimit -n"), "\(outcome.all)")
            #expect(try await desk.state().receiptCount == 0)
        }
    }

    /// What the system does to a process that wants too much memory is a SIGKILL or a crash, so it is judged as one.
    @Test(
        "a memory limit ends a run like SIGKILL does, or not at all; resume finishes it (F65)",
        arguments: [250, 300, 350])
    func memory(megabytes: Int) async throws {
        try await Desk.open(accounts: 4, positions: 4) { desk in
            _ = try await desk.shell("ulimit -v \(megabytes * 1024); \(Self.run)")
            let resumed = try await desk.flatbook("resume")
            #expect([0, 64].contains(resumed.code), "\(resumed.all)")
            if try await desk.state().openPositions > 0 { #expect(try await desk.run().code == 0) }
            try await expectFlat(desk)
        }
    }

    @Test(
        "a reports folder that takes no file changes neither the run nor its code (F73)",
        arguments: ["ro", "size=4k,nr_inodes=3"])
    func reports(options: String) async throws {
        guard Mount.isPermitted else { return }
        try await Desk.open { desk in
            try await Mount.with(options, at: desk.path("elsewhere")) {
                let outcome = try await desk.run(
                    "plans/all.yaml", "--reports", "elsewhere", "--journal", "journal/journal.sqlite")
                #expect(outcome.code == 0, "\(outcome.all)")
                #expect(outcome.all.contains("the report could not be written"), "\(outcome.all)")
                #expect(try await desk.state().openPositions == 0)
                let again = try await desk.flatbook("resume", "--journal", "journal/journal.sqlite")
                #expect(again.code == 64, "\(again.all)")
            }
        }
    }

    @Test("proxy variables of the environment are not followed (F63)")
    func proxies() async throws {
        try await Desk.open { desk in
            let names = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
            let exports = names.map { "export \($0)=http://127.0.0.1:1" }.joined(separator: "; ")
            let outcome = try await desk.shell("\(exports); \(Self.run)")
            #expect(outcome.code == 0, "\(outcome.all)")
            try await expectFlat(desk)
        }
    }
}
