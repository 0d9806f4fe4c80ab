import FlatbookCore
import Testing

@Suite("The report of a run")
struct ReportBuilderTests {
    /// One leg, closed at 1.0 s, seen at zero at 1.5 s and 2.5 s, ended at 2.5 s, closed at 3 s.
    private func flat(controlled: [String] = []) throws -> Story {
        var story = Story()
        story.add(.identified(account: "a", identity: Identity(uid: "77")))
        story.wait(500)
        story.snapshot([story.long])
        story.add(
            .planned(
                PlanSummary(
                    snapshotDigest: "d", calls: 1, legs: 1, notional: Amount(100), lowerBound: .milliseconds(40))
            ))
        story.wait(500)
        story.intend("a/1")
        story.answer("a/1", .executed)
        story.wait(500)
        story.observe([])
        story.wait(1000)
        story.observe([])
        if !controlled.isEmpty { story.add(.controlled(account: "a", products: controlled)) }
        end(&story, .flat, leg: .flat)
        story.wait(500)
        close(&story, "flat", 0)
        return story
    }

    private func end(_ story: inout Story, _ state: FinalState, leg: FinalState, reason: String? = nil) {
        story.add(
            .accountEnded(
                AccountVerdict(
                    account: "a", state: state, reason: reason,
                    legs: [.init(key: story.long, state: leg, reason: reason)], openersRemain: 2)))
    }

    private func close(_ story: inout Story, _ status: String, _ code: Int) {
        let limit = RateLimit(
            id: "x.close", scope: [.uid], capacity: 1, window: .milliseconds(1000), source: "s", readOn: "2026-11-01")
        story.add(
            .closed(
                RunClosing(
                    status: status, exitCode: code, reads: 5,
                    limits: [.init(exchange: ExchangeID("bitget"), limit: limit, peakUsed: 1, rejections: 2)],
                    medianRoundTrip: .milliseconds(100), lateCloseUntil: WallTime(milliseconds: 9000))))
    }

    private func report(_ story: Story) throws -> RunReport {
        try #require(ReportBuilder(try story.fold(), journalHead: "sha256:h").report())
    }

    @Test("the head comes from the header, the end from the last entry")
    func head() throws {
        let run = try report(flat()).run
        #expect(run.id == "r")
        #expect(run.plans == ["p"])
        #expect(run.status == "flat")
        #expect(run.exitCode == 0)
        #expect(run.startedAt.milliseconds == 0)
        #expect(run.finishedAt?.milliseconds == 3000)
        #expect(run.deadline.milliseconds == 900_000)
        #expect(run.host == "h")
        #expect(run.version == "v")
        #expect(run.journalHead == "sha256:h")
        #expect(run.lateCloseUntil?.milliseconds == 9000)
    }

    @Test("totals count accounts, legs, calls and USD; time to flat ends with the proof; exposure with the first zero")
    func totals() throws {
        let totals = try report(flat()).totals
        #expect(totals.accounts == 1)
        #expect(totals.accountsFlat == 1)
        #expect(totals.legs == 1)
        #expect(totals.legsFlat == 1)
        #expect(totals.notionalBefore == Amount(100))
        #expect(totals.notionalAfter == .zero)
        #expect(totals.calls == 1)
        #expect(totals.attempts == 1)
        #expect(totals.reads == 5)
        #expect(totals.rateLimitRejections == 2)
        #expect(totals.timeToFlat == .milliseconds(2500))
        #expect(totals.lowerBound == .milliseconds(300), "three requests in a row at 100 ms beat the limits' 40 ms")
        #expect(totals.exposureSeconds == Amount(150), "100 USD for 1.5 s")
    }

    @Test("a closed leg has who closed it, when, and the reads that prove it")
    func leg() throws {
        let leg = try #require(try report(flat()).legs.first)
        #expect(leg.state == .flat)
        #expect(leg.closedBy == "us")
        #expect(leg.quantityBefore == Amount(1))
        #expect(leg.quantityAfter == .zero)
        #expect(leg.firstCallAt?.milliseconds == 1000)
        #expect(leg.flatProvenAt?.milliseconds == 2500)
        #expect(leg.proof.map(\.sentAt.milliseconds) == [1500, 2500])
    }

    @Test("evidence is controlled only where every product that was read is", arguments: [true, false])
    func evidence(isControlled: Bool) throws {
        // The leg showed a row in its product, which is a control of its own; an empty product needs its control call.
        var story = Story()
        story.snapshot([])
        story.wait(1000)
        story.observe([])
        if isControlled { story.add(.controlled(account: "a", products: ["USDT-FUTURES"])) }
        story.add(.accountEnded(AccountVerdict(account: "a", state: .alreadyFlat)))
        let account = try #require(try report(story).accounts.first)
        #expect(account.evidence == (isControlled ? "controlled" : "positions-only"))
        #expect(account.timeToFlat == .milliseconds(1000))
        #expect(account.read == ["USDT-FUTURES"])
        #expect(try report(flat()).accounts.first?.evidence == "controlled")
    }

    @Test("an account row has its identity, legs, USD and openers")
    func account() throws {
        let account = try #require(try report(flat()).accounts.first)
        #expect(account.uid == "77")
        #expect(account.legs == 1)
        #expect(account.notionalBefore == Amount(100))
        #expect(account.positionMode == .oneWay)
        #expect(account.timeToFlat == .milliseconds(2500))
        #expect(account.openersRemain == 2)
    }

    @Test("a leg that went without a call of ours was closed by something else")
    func closedByOther() throws {
        var story = Story()
        story.snapshot([story.long])
        story.wait(1000)
        story.observe([])
        story.wait(1000)
        story.observe([])
        end(&story, .flat, leg: .flat)
        #expect(try report(story).legs.first?.closedBy == "other")
    }

    @Test("what stays open keeps its quantity, has no proof and no time, and exposes until the end")
    func residual() throws {
        var story = Story()
        story.snapshot([story.long])
        story.intend("a/1")
        story.answer("a/1", .none)
        story.wait(2000)
        story.observe([story.long])
        end(&story, .residual, leg: .residual, reason: "suspended")
        close(&story, "residual", 10)
        let report = try report(story)
        let leg = try #require(report.legs.first)
        #expect(leg.quantityAfter == Amount(1))
        #expect(leg.notionalAfter == Amount(100))
        #expect(leg.closedBy == nil)
        #expect(leg.flatProvenAt == nil)
        #expect(leg.proof.isEmpty)
        #expect(leg.reason == "suspended")
        #expect(report.totals.notionalAfter == Amount(100))
        #expect(report.totals.timeToFlat == nil)
        #expect(report.totals.exposureSeconds == Amount(200))
        #expect(report.accounts.first?.evidence == nil)
        #expect(report.calls.first?.effect == Effect.none)
    }

    @Test("an interrupted run says so in every row without verdict, and counts exposure until what it last saw")
    func interrupted() throws {
        var story = Story()
        story.snapshot([story.long])
        story.wait(1000)
        story.intend("a/1")
        story.wait(1000)
        story.answer("a/1", .unknown)
        story.add(.interrupted(signal: "SIGTERM"))
        let report = try report(story)
        #expect(report.run.status == "interrupted")
        #expect(report.run.exitCode == 143)
        #expect(report.run.finishedAt == nil)
        #expect(report.accounts.first?.state == .unknown)
        #expect(report.accounts.first?.reason == "interrupted by SIGTERM")
        #expect(report.legs.first?.state == .unknown)
        #expect(report.legs.first?.reason == "interrupted by SIGTERM")
        #expect(report.legs.first?.quantityAfter == nil)
        #expect(report.calls.first?.effect == .unknown)
        #expect(report.totals.exposureSeconds == Amount(200))
    }

    @Test(
        "what reading found replaces an unknown effect",
        arguments: [(.executed, .executed), (.notExecuted, .none), (.indeterminate, .unknown)]
            as [(CallResolution.Verdict, Effect)])
    func resolution(verdict: CallResolution.Verdict, effect: Effect) throws {
        var story = Story()
        story.snapshot([story.long])
        story.intend("a/1")
        story.answer("a/1", .unknown)
        story.wait(40_000)
        story.observe(verdict == .executed ? [] : [story.long])
        story.add(.resolved(CallResolution(id: "a/1", account: "a", verdict: verdict, evidence: "read")))
        #expect(try report(story).calls.first?.effect == effect)
    }

    @Test("a call without any outcome is unknown")
    func noOutcome() throws {
        var story = Story()
        story.snapshot([story.long])
        story.intend("a/1")
        let call = try #require(try report(story).calls.first)
        #expect(call.effect == .unknown)
        #expect(call.errorClass == .unknown)
        #expect(call.message == "no outcome was recorded")
        #expect(call.target == "BTCUSDT")
    }

    @Test("positions outside the selection are counted and are no legs")
    func outside() throws {
        var story = Story { $0.symbols = [Pattern("ETH*")] }
        story.snapshot([story.long])
        let report = try report(story)
        #expect(report.legs.isEmpty)
        #expect(report.totals.openOutsideSelection.accounts == 1)
        #expect(report.totals.openOutsideSelection.legs == 1)
        #expect(report.totals.openOutsideSelection.notional == Amount(100))
    }

    @Test("the same entries give an equal report, and none without a head")
    func deterministic() throws {
        let story = try flat()
        #expect(try report(story) == report(story))
        #expect(ReportBuilder(RunMachine(), journalHead: "").report() == nil)
    }
}
