import FlatbookCore
import Foundation
import Testing

/// Journals of earlier versions, and of other boots.
@Suite("Rules of the journal, and clocks of another boot")
struct JournalRulesTests {
    /// As an older version wrote it: the header says nothing of rules.
    private func withoutRules(_ entries: [JournalEntry]) throws -> [JournalEntry] {
        try entries.map { entry in
            guard case .opened = entry.event else { return entry }
            let text = String(decoding: try JSONEncoder().encode(entry), as: UTF8.self)
            #expect(text.contains(#""rules":1"#))
            let old = text.replacing(#""rules":1,"#, with: "").replacing(#","rules":1"#, with: "")
            #expect(!old.contains("rules"))
            return try JSONDecoder().decode(JournalEntry.self, from: Data(old.utf8))
        }
    }

    /// A leg that is closed, and a cancel that is sent before the two reads that show it gone and answered after them.
    private func cancelAcrossTheProof(isAnswered: Bool = true) -> Story {
        var story = Story()
        story.snapshot([story.long])
        story.intend("a/1")
        story.answer("a/1", .executed)
        story.wait(500)
        let cancel = CancelCall(
            account: "a", operation: "x.cancel", product: "USDT-FUTURES", instrument: "BTCUSDT", list: "normal",
            orderIDs: ["7"])
        story.add(
            .intent(
                CallIntent(
                    id: "a/2", attempt: 1, mutation: .cancel(cancel), requestDigest: "", life: .seconds(38),
                    plannedAt: nil, limitWait: .zero)))
        for _ in 0..<2 {
            story.wait(1000)
            story.observe([])
        }
        return story
    }

    private func ended(_ story: Story) -> Story {
        var story = story
        story.add(
            .accountEnded(AccountVerdict(account: "a", state: .flat, legs: [.init(key: story.long, state: .flat)])))
        return story
    }

    @Test("reads while a cancel is in flight prove nothing today, and did under an older version")
    func cancelInFlight() throws {
        let story = cancelAcrossTheProof()
        #expect(try RunMachine(folding: story.entries).accounts["a"]?.isProven == false)
        #expect { try RunMachine(folding: ended(story).entries) } throws: {
            ($0 as? InvariantViolation)?.invariant == .i7FlatIsProven
        }
        let old = try RunMachine(folding: withoutRules(ended(story).entries))
        #expect(old.header?.rules == nil)
        #expect(old.accounts["a"]?.verdict?.state == .flat && old.accounts["a"]?.legs[story.long]?.proofs.count == 2)
        #expect(old.accounts["a"]?.cancelsInFlight.isEmpty == true)
    }

    @Test("once the cancel is answered, two reads prove it under today's rules too")
    func cancelAnswered() throws {
        var story = cancelAcrossTheProof()
        #expect(try RunMachine(folding: story.entries).accounts["a"]?.cancelsInFlight == ["a/2"])
        story.answer("a/2", .executed)
        for _ in 0..<2 {
            story.wait(1000)
            story.observe([])
        }
        let machine = try RunMachine(folding: ended(story).entries)
        #expect(machine.header?.rules == 1)
        #expect(machine.accounts["a"]?.verdict?.state == .flat)
    }

    @Test("an older journal is spared no other rule")
    func otherRules() throws {
        var story = Story()
        story.snapshot([story.long])
        story.intend("a/1")
        story.intend("a/2")
        #expect { try RunMachine(folding: withoutRules(story.entries)) } throws: {
            ($0 as? InvariantViolation)?.invariant == .i2OneUnresolved
        }
    }

    @Test(
        "after a resume on another boot a lost call may execute for its whole life from then, in the same boot no longer",
        arguments: ["b", "another"])
    func endOfLife(bootID: String) throws {
        var story = Story()
        story.wait(5_000)
        story.snapshot([story.long])
        story.intend("a/1")
        story.answer("a/1", .unknown)
        let before = try story.fold().calls["a/1"]?.result?.deadAt
        #expect(before == Instant(nanoseconds: 43_000_000_000))
        // The new boot's clock begins again: earlier instants mean nothing on it.
        story.clock = bootID == "b" ? 20_000 : 1_000
        let resumedAt = story.now
        story.add(.resumed(RunHolder(host: "h", pid: 2, bootID: bootID, version: "v")), epoch: 2)
        let machine = try story.fold()
        let call = try #require(machine.calls["a/1"])
        #expect(machine.bootID == bootID)
        #expect(call.result?.deadAt == (bootID == "b" ? before : resumedAt + .seconds(38)))
        // Settling it waits for the latest possible moment in either case.
        #expect(call.stage == .unknown(deadAt: resumedAt + .seconds(38)))
        #expect(call.result?.answeredAt == resumedAt)
    }

    @Test("a call of an account that has ended keeps an end of life too: the report says until when it may execute")
    func endedAccount() throws {
        var story = Story()
        story.wait(5_000)
        story.snapshot([story.long])
        story.intend("a/1")
        story.answer("a/1", .unknown)
        story.add(.accountEnded(AccountVerdict(account: "a", state: .unknown)))
        story.clock = 1_000
        story.add(.resumed(RunHolder(host: "h", pid: 2, bootID: "another", version: "v")), epoch: 2)
        #expect(try story.fold().calls["a/1"]?.result?.deadAt == story.now + .seconds(38))
    }
}
