import FlatbookCore
import Testing

/// A small journal to fold: one account, two legs.
struct Story {
    var entries: [JournalEntry] = []
    var clock: Int64 = 0
    let long = LegKey(
        account: "a", product: "USDT-FUTURES", instrument: "BTCUSDT", side: .long, marginMode: .cross,
        marginCurrency: "USDT")
    var plan = PlanDocument(name: "p", accounts: [Pattern("*")])

    static let native = CloseMethod(
        operation: "x.close", reach: .symbol, isSized: false, modes: [.oneWay, .hedge], guaranteesSide: false)
    static let sized = CloseMethod(
        operation: "x.order", reach: .leg, isSized: true, modes: [.oneWay], guaranteesSide: true)

    init(adjust: (inout PlanDocument) -> Void = { _ in }) {
        adjust(&plan)
        let account = Account(name: "a", exchange: ExchangeID("bitget"), environment: .simulated)
        add(
            .opened(
                RunHeader(
                    id: "r", plans: [plan], planDigest: "", environment: .simulated,
                    accounts: [.init(account: account, plan: 0)], deadline: Instant(nanoseconds: 900_000_000_000),
                    deadlineWall: WallTime(milliseconds: 900_000), startedWall: WallTime(milliseconds: 0),
                    holder: RunHolder(host: "h", pid: 1, bootID: "b", version: "v"))))
    }

    mutating func wait(_ milliseconds: Int64) { clock += milliseconds }

    var now: Instant { Instant(nanoseconds: clock * 1_000_000) }

    mutating func add(_ event: RunEvent, epoch: Int = 1) {
        entries.append(
            JournalEntry(run: "r", epoch: epoch, at: now, wall: WallTime(milliseconds: clock), event: event))
    }

    func row(_ key: LegKey) -> Position {
        Position(key: key, symbol: "BTC/USDT:USDT", quantity: Amount(1), notional: Amount(100), mode: .oneWay)
    }

    mutating func snapshot(_ keys: [LegKey]) {
        add(
            .snapshot(
                AccountSnapshot(
                    account: "a", positions: keys.map(row), read: ["USDT-FUTURES"], orders: [], sentAt: now,
                    receivedAt: now, serverTime: nil, digest: "d")))
    }

    mutating func observe(_ keys: [LegKey], read: [String] = ["USDT-FUTURES"]) {
        add(
            .observed(
                Observation(
                    account: "a", positions: keys.map(row), read: read, controlled: [], sentAt: now,
                    receivedAt: now, serverTime: nil, digest: "d")))
    }

    mutating func intend(_ id: String, _ method: CloseMethod = Story.native, repeats: String? = nil) {
        let call = CloseCall(
            account: "a", method: method, product: "USDT-FUTURES", instrument: "BTCUSDT", legs: [long],
            mode: .oneWay, notional: Amount(100))
        add(
            .intent(
                CallIntent(
                    id: id, attempt: 1, mutation: .close(call), requestDigest: "", life: .seconds(38),
                    plannedAt: nil, limitWait: .zero, repeats: repeats)))
    }

    mutating func answer(_ id: String, _ effect: Effect) {
        add(
            .outcome(
                CallResult(
                    id: id, account: "a",
                    outcome: Outcome(effect: effect, errorClass: effect == .unknown ? .unknown : .ok), sentAt: now,
                    answeredAt: now, serverTime: nil, deadAt: effect == .unknown ? now + .seconds(38) : nil)))
    }

    func fold() throws -> RunMachine { try RunMachine(folding: entries) }
}

@Suite("The run machine")
struct RunMachineTests {
    private func broken(_ invariant: Invariant, _ story: Story) {
        #expect { try story.fold() } throws: { ($0 as? InvariantViolation)?.invariant == invariant }
    }

    @Test("a second call for a leg whose call is in flight breaks I2")
    func secondCallInFlight() {
        var story = Story()
        story.snapshot([story.long])
        story.intend("a/1")
        story.intend("a/2")
        broken(.i2OneUnresolved, story)
    }

    @Test("a sized call after a lost one breaks I3 until reading settles it")
    func sizedAfterLost() {
        var story = Story()
        story.snapshot([story.long])
        story.intend("a/1", Story.sized)
        story.answer("a/1", .unknown)
        story.intend("a/2", Story.sized, repeats: "a/1")
        broken(.i3NextAfterSettled, story)
    }

    @Test("one early repeat of a native close is allowed, a second is not, and none under unknown: wait")
    func earlyRepeat() throws {
        var story = Story()
        story.snapshot([story.long])
        story.intend("a/1")
        story.answer("a/1", .unknown)
        story.intend("a/2", repeats: "a/1")
        _ = try story.fold()
        story.answer("a/2", .unknown)
        story.intend("a/3", repeats: "a/2")
        broken(.i2OneUnresolved, story)

        var waiting = Story { $0.afterUnknown = .wait }
        waiting.snapshot([waiting.long])
        waiting.intend("a/1")
        waiting.answer("a/1", .unknown)
        waiting.intend("a/2", repeats: "a/1")
        broken(.i2OneUnresolved, waiting)
    }

    @Test("a call for a leg that is not selected breaks I5")
    func outsideSelection() {
        var story = Story { $0.symbols = [Pattern("ETH*")] }
        story.snapshot([story.long])
        story.intend("a/1")
        broken(.i5NoOpeningCall, story)
    }

    @Test("reads that leave out the leg's product prove nothing of it", arguments: [["COIN-FUTURES"], []])
    func flatWithoutCoverage(read: [String]) throws {
        var story = Story()
        story.snapshot([story.long])
        story.intend("a/1")
        story.answer("a/1", .executed)
        for _ in 0..<3 {
            story.wait(2000)
            story.observe([], read: read)
        }
        let machine = try RunMachine(folding: story.entries)
        #expect(machine.accounts["a"]?.openLegs == [story.long])
        #expect(machine.accounts["a"]?.isProven == false)
        story.add(
            .accountEnded(AccountVerdict(account: "a", state: .flat, legs: [.init(key: story.long, state: .flat)])))
        broken(.i7FlatIsProven, story)
    }

    @Test("flat with one read breaks I7", arguments: [0, 1])
    func flatWithoutProof(reads: Int) {
        var story = Story()
        story.snapshot([story.long])
        story.intend("a/1")
        story.answer("a/1", .executed)
        for _ in 0..<reads {
            story.wait(1000)
            story.observe([])
        }
        story.add(
            .accountEnded(AccountVerdict(account: "a", state: .flat, legs: [.init(key: story.long, state: .flat)])))
        broken(.i7FlatIsProven, story)
    }

    @Test("two reads after the last definite reply, an interval apart, prove it")
    func flatWithProof() throws {
        var story = Story()
        story.snapshot([story.long])
        story.intend("a/1")
        story.answer("a/1", .executed)
        story.wait(500)
        story.observe([])
        story.wait(1000)
        story.observe([])
        #expect(try story.fold().accounts["a"]?.isProven == true)
        story.add(
            .accountEnded(AccountVerdict(account: "a", state: .flat, legs: [.init(key: story.long, state: .flat)])))
        _ = try story.fold()
    }

    @Test("reads closer than the interval, or sent before the reply, prove nothing")
    func closeReads() throws {
        var story = Story()
        story.snapshot([story.long])
        story.intend("a/1")
        story.answer("a/1", .executed)
        story.observe([])
        story.wait(999)
        story.observe([])
        #expect(try story.fold().accounts["a"]?.isProven == false)
    }

    @Test("a read that was sent before the reply proves nothing, however late it came back", arguments: [true, false])
    func readSentBeforeTheReply(isLate: Bool) throws {
        var story = Story()
        story.snapshot([story.long])
        story.wait(2_000)
        story.intend("a/1")
        story.wait(100)
        let sent = story.now
        story.wait(100)
        story.answer("a/1", .executed)
        story.add(
            .observed(
                Observation(
                    account: "a", positions: [], read: ["USDT-FUTURES"], controlled: [],
                    sentAt: isLate ? sent : story.now, receivedAt: story.now, serverTime: nil, digest: "d")))
        story.wait(1000)
        story.observe([])
        #expect(try story.fold().accounts["a"]?.isProven == !isLate)
    }

    @Test("a leg that comes back is counted and loses its proof")
    func reopened() throws {
        var story = Story()
        story.snapshot([story.long])
        story.intend("a/1")
        story.answer("a/1", .executed)
        story.wait(500)
        story.observe([])
        story.wait(1000)
        story.observe([story.long])
        let leg = try #require(try story.fold().accounts["a"]?.legs[story.long])
        #expect(leg.reopened == 1)
        #expect(leg.proofs.isEmpty)
    }

    @Test("an entry of a fenced epoch breaks I11")
    func fencedEpoch() {
        var story = Story()
        story.add(.resumed(RunHolder(host: "h", pid: 2, bootID: "b", version: "v")), epoch: 2)
        story.snapshot([story.long])
        broken(.i11OneEpoch, story)
    }

    @Test("an account cannot end twice, nor the run before its accounts (I9)")
    func oneVerdict() {
        var story = Story()
        story.add(.accountEnded(AccountVerdict(account: "a", state: .unknown)))
        story.add(.accountEnded(AccountVerdict(account: "a", state: .unknown)))
        broken(.i9OneVerdict, story)
        var early = Story()
        early.add(
            .closed(RunClosing(status: "flat", exitCode: 0, reads: 0, limits: [], medianRoundTrip: .zero)))
        broken(.i9OneVerdict, early)
    }

    @Test(
        "the exit code is the first that applies",
        arguments: [
            (FinalState.flat, nil, 0), (.alreadyFlat, nil, 0), (.residual, nil, 10), (.refused, nil, 10),
            (.skipped, .locked, 75), (.unknown, nil, 11), (.residual, .deadline, 15), (.residual, .rateLimited, 14),
            (.refused, .credentials, 77), (.residual, .exchangeDown, 75),
        ] as [(FinalState, AccountVerdict.Cause?, Int)])
    func exitCodes(state: FinalState, cause: AccountVerdict.Cause?, code: Int) throws {
        var story = Story()
        story.snapshot([])
        story.wait(1000)
        story.observe([])
        story.add(.accountEnded(AccountVerdict(account: "a", state: state, cause: cause)))
        #expect(RunVerdict(try story.fold()).exitCode == code)
        #expect(RunVerdict(try story.fold(), signal: "SIGTERM").exitCode == (code == 77 ? 77 : 143))
    }
}
