import Foundation
import Testing

/// Files that are wrong: told with file and line, exit code 78, and the exchange hears nothing.
@Suite struct BadFileTests {
    /// A refused command: the code, at most one screen, every word of `telling`, and no call that changes anything.
    static func expectRefusal(
        _ outcome: Outcome, code: Int32, telling words: [String], at desk: Desk,
        location: SourceLocation = #_sourceLocation
    ) async throws {
        #expect(outcome.code == code, "\(outcome.all)", sourceLocation: location)
        #expect(outcome.lineCount <= 40, "\(outcome.all)", sourceLocation: location)
        for word in words {
            #expect(
                outcome.all.contains(word), "\"\(word)\" is missing in:\n\(outcome.all)", sourceLocation: location)
        }
        let state = try await desk.state()
        #expect(state.mutations == 0, "\(state.calls)", sourceLocation: location)
        #expect(state.openPositions > 0, sourceLocation: location)
    }

    @Test("an unknown key is named with file, line and the nearest spelling")
    func anUnknownKeyNamedFile() async throws {
        try await Desk.open { desk in
            try desk.write("plans/bad.yaml", "version: 1\nname: bad\naccounts: [\"*\"]\nsymbls: [\"*\"]\n")
            let outcome = try await desk.run("plans/bad.yaml")
            try await Self.expectRefusal(
                outcome, code: 78, telling: ["bad.yaml:4", "symbls", "symbols", "nothing was sent"], at: desk)
        }
    }

    @Test("an unknown key in an accounts file is named with its line")
    func anUnknownKeyAnAccounts() async throws {
        try await Desk.open { desk in
            try desk.replace("accounts/simulated.yaml", "  exchange: bitget", "  exchnge: bitget")
            let outcome = try await desk.run()
            try await Self.expectRefusal(
                outcome, code: 78, telling: ["simulated.yaml:3", "exchnge", "exchange"], at: desk)
        }
    }

    @Test("one name in two entries is refused with both places")
    func oneNameTwoEntriesRefused() async throws {
        try await Desk.open { desk in
            try desk.replace("accounts/simulated.yaml", "name: bitget-002", "name: bitget-001")
            let outcome = try await desk.run()
            try await Self.expectRefusal(
                outcome, code: 78, telling: ["bitget-001", "simulated.yaml:11", "simulated.yaml:12"], at: desk)
        }
    }

    @Test("one uid in two entries is refused with both names")
    func oneUidTwoEntriesRefused() async throws {
        try await Desk.open { desk in
            try desk.replace("accounts/simulated.yaml", "7000000002", "7000000001")
            let outcome = try await desk.run()
            try await Self.expectRefusal(
                outcome, code: 78, telling: ["bitget-001", "bitget-002", "7000000001", "simulated.yaml"], at: desk)
        }
    }

    @Test("one API key of two accounts is refused with both names")
    func oneAPIKeyTwoAccounts() async throws {
        try await Desk.open { desk in
            let first = try desk.secrets()["bitget-001"]?["key"]
            try desk.editSecrets { $0["bitget-002"]?["key"] = first }
            let outcome = try await desk.run()
            try await Self.expectRefusal(outcome, code: 78, telling: ["bitget-001", "bitget-002", "key"], at: desk)
        }
    }

    @Test("two names whose uid turns out to be one at the exchange are refused with both names")
    func twoNamesWhoseUidTurns() async throws {
        try await Desk.open { desk in
            // The simulator gives every key its own account, so a relay lets the second say that it is the first.
            let relay = try Relay(to: desk.port, swapping: "7000000002", with: "7000000001")
            defer { relay.stop() }
            try desk.replace("accounts/simulated.yaml", ":\(desk.port)", ":\(relay.port)")
            for uid in 1...3 { try desk.replace("accounts/simulated.yaml", ", uid: \"700000000\(uid)\"", "") }
            let outcome = try await desk.run()
            try await Self.expectRefusal(
                outcome, code: 78, telling: ["bitget-001", "bitget-002", "7000000001"], at: desk)
        }
    }

    @Test(
        "a pattern that matches nothing is refused with file and line",
        arguments: [
            (#"["nobody-*"]"#, #"["*"]"#, "nobody-*"),
            (#"["*", "!nobody"]"#, #"["*"]"#, "nobody"),
            (#"["*"]"#, #"["BTX/USDT:USDT"]"#, "BTX/USDT:USDT"),
            (#"["*"]"#, #"["*", "!BTX/USDT:USDT"]"#, "BTX/USDT:USDT"),
        ])
    func patternMatchesNothingRefusedFile(
        accounts: String, symbols: String, pattern: String
    ) async throws {
        try await Desk.open { desk in
            let outcome = try await desk.run(try desk.plan(accounts: accounts, symbols: symbols))
            let line = symbols == #"["*"]"# ? 3 : 4
            try await Self.expectRefusal(outcome, code: 78, telling: ["test.yaml:\(line)", pattern], at: desk)
        }
    }

    @Test("a plan over two environments is refused with both")
    func planOverTwoEnvironmentsRefused() async throws {
        try await Desk.open { desk in
            try desk.replace(
                "accounts/simulated.yaml", #"uid: "7000000002""#, #"uid: "7000000002", environment: demo"#)
            let outcome = try await desk.run()
            try await Self.expectRefusal(
                outcome, code: 78, telling: ["all.yaml", "demo", "simulated"], at: desk)
        }
    }

    @Test("every problem of the files is told at once")
    func everyProblemFilesToldAt() async throws {
        try await Desk.open { desk in
            try desk.write(
                "plans/bad.yaml", "version: 1\nname: bad\naccounts: [\"*\"]\nsymbls: [\"*\"]\nsidez: [long]\n")
            try desk.replace("accounts/simulated.yaml", "name: bitget-002", "nme: bitget-002")
            let outcome = try await desk.run("plans/bad.yaml")
            try await Self.expectRefusal(outcome, code: 78, telling: ["symbls", "sidez", "nme"], at: desk)
        }
    }
}
