import ExchangeKit
public import FlatbookCore

/// Everything flatbook decides, without clock, network, disk or randomness: events in, effects out.
///
/// The live driver and the simulation feed it the same events, so the whole product runs under a virtual clock.
/// One call of ``handle(_:now:)`` is one step; its entries form one append, and what depends on them waits for it.
public final class Engine {
    let configuration: EngineConfiguration
    public internal(set) var machine: RunMachine
    var venues: [VenueKey: Venue] = [:]
    var venueOrder: [VenueKey] = []
    var lanes: [String: Lane] = [:]
    var flights: [UInt64: Flight] = [:]
    /// Intents that wait for their append: ticket → flights to send.
    var heldSends: [(ticket: UInt64, flight: UInt64)] = []
    let startedAt: Now
    var now: Now
    var effects: [EngineEffect] = []
    var entries: [JournalEntry] = []
    var newSends: [UInt64] = []
    var ticket: UInt64 = 0
    var nextID: UInt64 = 1
    var hasOpened = false
    var isBarrierOpen = false
    var isConfirmed = false
    var hasAsked = false
    var hasPlanned = false
    var stopping: String?
    var stopAt: Instant?
    var end: EngineEnd?
    /// After a broken invariant: until when answers are awaited.
    var drainUntil: Instant?
    /// The end waits for this append.
    var endTicket: UInt64?
    /// Appends under way, in order.
    var undurable: [(ticket: UInt64, entries: [JournalEntry])] = []
    /// Nothing is appended and nothing is sent any more.
    var journalFailure: JournalError?
    /// After the journal failed: what it does not hold, for the last attempt with the reserve.
    public internal(set) var unsaved: [JournalEntry] = []
    var isFinished = false
    var reads = 0
    var roundTrips: [Int64] = []
    var firstSendAt: Instant?
    var deadlineSeen = false
    /// When the last account of this process ended.
    var lastEndAt: Instant?
    /// When the host last woke up.
    var wokeAt: Instant?
    var executions = ExecutionReads()
    /// Lanes to look at in this step.
    var dirty: [String] = []
    /// The machine was folded from an earlier process's entries.
    let isResumed: Bool
    /// An earlier process made calls already: its guards and its prompt were passed.
    let barrierWasPassed: Bool

    /// - Parameter machine: the fold of an interrupted run's journal; nil for a new run.
    public init(_ configuration: EngineConfiguration, resuming machine: RunMachine? = nil, now: Now) {
        self.configuration = configuration
        self.machine = machine ?? RunMachine()
        self.now = now
        startedAt = now
        isResumed = machine != nil
        barrierWasPassed = machine.map { !$0.callOrder.isEmpty } ?? false
        isConfirmed = !configuration.needsConfirmation
        for listed in configuration.header.accounts {
            var account = listed.account
            account.facts = machine?.accounts[account.name]?.facts ?? [:]
            guard let plugin = configuration.plugins[account.exchange] else { continue }
            let key = VenueKey(
                exchange: account.exchange, environment: account.environment,
                base: account.endpoint ?? plugin.host(for: account) ?? "", egress: account.egress)
            if venues[key] == nil {
                venues[key] = Venue(
                    key: key, plugin: plugin, ledger: configuration.ledger(key), planner: configuration.planner())
                venueOrder.append(key)
            }
            // What the exchange refused to show when the run began is not asked again; what it showed then must be shown.
            let shown = machine?.accounts[account.name]?.snapshot.map { Set($0.read) }
            lanes[account.name] = Lane(
                account: account, venue: key,
                partitions: plugin.partitions(of: account).filter { part in
                    part.refusedAs == nil || shown.map { !$0.isDisjoint(with: part.covers) } ?? true
                })
            venues[key]?.lanes.append(account.name)
        }
    }

    /// Takes one event and returns what must be done, in order.
    public func handle(_ event: EngineEvent, now: Now) -> [EngineEffect] {
        guard !isFinished else { return [] }
        self.now = now
        effects = []
        do throws(InvariantViolation) {
            try take(event)
            if end == nil {
                try advanceAll(event)
                try pump()
                try conclude()
            }
        } catch {
            finish(.broken(error))
            if drainUntil == nil { drainUntil = now.instant + Self.patienceInFlight }
        }
        flush()
        return effects
    }

    private func take(_ event: EngineEvent) throws(InvariantViolation) {
        switch event {
        case .start: try start()
        case .durable(let ticket): try release(upTo: ticket)
        case .journalFailed(let error): try journalFailed(error)
        case .replied(let id, let reply): try received(id, reply)
        case .failed(let id, let error): try failed(id, error)
        case .tick: break
        case .woke(let asleep): try woke(after: asleep)
        case .confirmed(let yes):
            if yes { isConfirmed = true } else { finishRefused("not confirmed") }
        case .stop(let signal):
            if stopping == nil {
                stopping = signal
                stopAt = now.instant + Self.patienceInFlight
            }
        }
    }

    // MARK: Journal

    /// Folds an entry at once and hands it to the next append.
    func record(_ event: RunEvent) throws(InvariantViolation) {
        let entry = JournalEntry(
            run: configuration.header.id, epoch: configuration.epoch, at: now.instant, wall: now.wall, event: event)
        try machine.apply(entry)
        if configuration.mode != .preview { entries.append(entry) }
    }

    /// One append for the step; sends of this step wait for it, and so does the end.
    private func flush() {
        if journalFailure != nil {
            unsaved += entries
            entries = []
        }
        if !entries.isEmpty {
            ticket += 1
            undurable.append((ticket, entries))
            effects.append(.append(entries, ticket: ticket))
            heldSends += newSends.map { (ticket, $0) }
            if end != nil { endTicket = ticket }
            entries = []
        } else if journalFailure == nil {
            for id in newSends { dispatch(id) }
        }
        newSends = []
        if let until = drainUntil, endTicket == nil, now.instant < until, isMutationInFlight {
            // A broken invariant sends nothing more; answers to what was sent still go to the journal (§1.4).
            effects.append(.wake(until))
        } else if let end, endTicket == nil {
            // What is still on its way counts at the exchange, but nobody waits for it any more.
            for id in flights.keys.sorted() {
                guard let flight = flights[id] else { continue }
                venues[flight.venue]?.ledger.abandon(flight.permit, at: now.instant, allowance: .seconds(5))
            }
            settleLocks()
            configuration.locks.releaseAll()
            isFinished = true
            effects.append(.wake(nil))
            effects.append(.finished(end))
        } else if end == nil {
            effects.append(.wake(nextWake()))
        }
    }

    private func release(upTo durable: UInt64) throws(InvariantViolation) {
        let ready = heldSends.filter { $0.ticket <= durable }
        heldSends.removeAll { $0.ticket <= durable }
        undurable.removeAll { $0.ticket <= durable }
        for held in ready { try sendOrDrop(held.flight) }
        if let waiting = endTicket, waiting <= durable { endTicket = nil }
    }

    func finish(_ end: EngineEnd) {
        guard self.end == nil else { return }
        self.end = end
    }

    /// A refusal before anything was sent; the run, if its head is written, is closed with it.
    func finishRefused(_ reason: String) {
        closeRefused(reason, exitCode: 13)
        finish(.refused(reason))
    }

    /// Closes a run whose head is written and that sends nothing.
    func closeRefused(_ reason: String, exitCode: Int) {
        if hasOpened, configuration.mode == .run {
            _ = try? record(
                .closed(
                    RunClosing(
                        status: "refused", exitCode: exitCode, reads: reads, limits: limitUse(),
                        medianRoundTrip: medianRoundTrip, refusal: reason)))
        }
    }

    func notice(_ notice: EngineNotice) { effects.append(.notice(notice)) }

    var medianRoundTrip: TimeSpan {
        guard !roundTrips.isEmpty else { return .zero }
        return TimeSpan(nanoseconds: roundTrips.sorted()[roundTrips.count / 2])
    }

    func makeID() -> UInt64 {
        nextID += 1
        return nextID
    }

    // MARK: Steps of the run

    private func start() throws(InvariantViolation) {
        for key in venueOrder {
            guard let venue = venues[key] else { continue }
            let usable = venue.lanes.contains { isUsable($0) }
            if !usable {
                venue.phase = .ready
            } else {
                let reads =
                    [Read.serverTime] + productsNeeded(key).map { Read.instruments(product: $0, cursor: nil) }
                venue.pass = ReadPass(id: makeID(), purpose: .venue, reads: reads)
                venue.began = now.instant
            }
        }
    }

    func isUsable(_ name: String) -> Bool {
        guard let lane = lanes[name] else { return false }
        return lane.account.enabled && configuration.unusable[name] == nil && machine.accounts[name]?.verdict == nil
    }

    private func productsNeeded(_ key: VenueKey) -> [String] {
        let partitions = venues[key]?.lanes.filter(isUsable).flatMap { lanes[$0]?.partitions ?? [] } ?? []
        let wanted = Set(partitions.flatMap(\.instruments))
        return venues[key]?.plugin.profile.products.filter(wanted.contains) ?? []
    }

    /// How long exchanges that answer wait for those that do not yet. After it the run begins without them, and they join
    /// when they answer: one slow exchange delays no other.
    static let contactPatience = TimeSpan.milliseconds(1500)

    /// Once the exchanges have answered: patterns are checked, the head is written, the accounts begin.
    func openIfReady() throws(InvariantViolation) {
        // Kept out by a ban for the whole time: nobody waits for it any longer.
        if now.instant >= contactEnd {
            for key in venueOrder where venues[key]?.phase == .contacting {
                venues[key]?.phase = .down
                venues[key]?.pass = nil
            }
        }
        if hasOpened { return try beginLateVenues() }
        let isSettled = venues.values.allSatisfy { $0.phase != .contacting }
        let isUseful = venueOrder.contains { venues[$0]?.phase == .ready && venues[$0]?.lanes.isEmpty == false }
        let isPatient = now.instant - startedAt.instant < Self.contactPatience
        guard isSettled || isUseful && !isPatient else { return }
        if !isResumed, !isUseful {
            let down = venueOrder.filter { venues[$0]?.phase == .down }
            let reasons = down.map { "\($0): \(venues[$0]?.downReason ?? "no answer")" }
            let isKeptOut = !down.isEmpty && down.allSatisfy { venues[$0]?.isKeptOut == true }
            let text = reasons.joined(separator: "; ")
            return finish(isKeptOut ? .keptOut(text) : .unreachable(text))
        }
        if let problems = patternProblems(venueOrder), !problems.isEmpty { return finish(.invalid(problems)) }
        hasOpened = true
        if isResumed {
            try record(.resumed(configuration.header.holder))
            try settleLostIntents()
        } else {
            try record(.opened(configuration.header))
        }
        notice(.runStarted(run: configuration.header.id, accounts: configuration.header.accounts.count))
        try beginLateVenues()
    }

    /// Symbol patterns against what these exchanges list; nil where there is nothing to check.
    private func patternProblems(_ keys: [VenueKey]) -> [Diagnostic]? {
        var listed: [ExchangeID: [Instrument]] = [:]
        for key in keys where venues[key]?.phase == .ready && venues[key]?.lanes.contains(where: isUsable) == true {
            listed[key.exchange, default: []] += venues[key]?.instruments.all ?? []
        }
        guard !isResumed, !listed.isEmpty else { return nil }
        return configuration.checkInstruments(listed).filter { $0.severity == .error }
    }

    /// Accounts begin when their exchange has answered, and end when it is down.
    private func beginLateVenues() throws(InvariantViolation) {
        for key in venueOrder where venues[key]?.hasBegun == false && venues[key]?.phase != .contacting {
            venues[key]?.hasBegun = true
            // Others may have been closed already, so the file's mistake can only take this exchange's accounts out.
            let mistake = patternProblems([key])?.first
            for name in venues[key]?.lanes ?? [] where machine.accounts[name]?.verdict == nil {
                try begin(name, at: key, mistake: mistake)
            }
        }
    }

    private func begin(_ name: String, at key: VenueKey, mistake: Diagnostic?) throws(InvariantViolation) {
        guard let account = lanes[name]?.account else { return }
        if !account.enabled {
            try endAccount(
                AccountVerdict(
                    account: name, state: .skipped,
                    reason: "disabled" + (account.disabledReason.map { ": \($0)" } ?? ""), cause: .disabled))
        } else if let verdict = configuration.unusable[name] {
            try endAccount(verdict)
        } else if venues[key]?.phase == .down {
            let why = venues[key]?.downReason ?? "no answer"
            let cause = venues[key]?.isKeptOut == true ? AccountVerdict.Cause.rateLimited : .exchangeDown
            try endAccount(
                unknownVerdict(name, reason: "\(key.exchange) cannot be reached: \(why)", cause: cause))
        } else if let mistake {
            try endAccount(AccountVerdict(account: name, state: .skipped, reason: "\(mistake)", cause: .rule))
        } else {
            begin(name)
        }
    }

    /// When an exchange that let nothing through so far is given up.
    ///
    /// Where everybody waits for every snapshot, a ban of one exchange must not become everybody's: ten seconds, as for an
    /// exchange that does not answer. Else it is tried until the deadline, and holds up nobody.
    var contactEnd: Instant {
        if isResumed { return resumeDeadline }
        let waits = configuration.mode == .preview || needsEverySnapshot
        return waits ? startedAt.instant + .seconds(10) : configuration.header.deadline
    }

    /// How long a resumed run tries to reach its exchanges: to its own deadline, and at least as long as a new run does.
    /// One that is only read and closed tries no longer than a new run: that may be what waits for it, with accounts of
    /// exchanges that do answer.
    var resumeDeadline: Instant {
        if configuration.mode == .reconcile { return startedAt.instant + .seconds(10) }
        // The configuration's header names this process; the run's own boot is in the journaled one.
        let deadline = RunMachine.deadline(
            of: machine.header ?? configuration.header, bootID: configuration.header.holder.bootID, at: startedAt)
        return max(startedAt.instant + .seconds(10), deadline)
    }

    /// Every intent without outcome counts as possibly executed, its request as signed just now.
    private func settleLostIntents() throws(InvariantViolation) {
        for id in machine.callOrder {
            guard let call = machine.calls[id], call.stage == .intended else { continue }
            let outcome = Outcome(
                effect: .unknown, errorClass: .unknown, code: "process-ended",
                message: "the process ended before an answer was recorded")
            try record(
                .outcome(
                    CallResult(
                        id: id, account: call.intent.mutation.account, outcome: outcome, sentAt: nil,
                        answeredAt: now.instant, serverTime: nil, deadAt: now.instant + call.intent.life)))
        }
    }

    func unknownVerdict(_ name: String, reason: String, cause: AccountVerdict.Cause?) -> AccountVerdict {
        let legs = machine.accounts[name]?.legOrder ?? []
        return AccountVerdict(
            account: name, state: .unknown, reason: reason, cause: cause,
            legs: legs.map { AccountVerdict.Leg(key: $0, state: .unknown, reason: reason) })
    }

    func endAccount(_ verdict: AccountVerdict) throws(InvariantViolation) {
        guard machine.accounts[verdict.account]?.verdict == nil else { return }
        if let key = lanes[verdict.account]?.venue { forgetQueued(verdict.account, venue: key) }
        lanes[verdict.account]?.passes = []
        lanes[verdict.account]?.cancels = []
        try record(.accountEnded(verdict))
        lastEndAt = now.instant
        lanes[verdict.account]?.phase = .ended
        if let key = lanes[verdict.account]?.venue { venues[key]?.breaker.forget(verdict.account) }
        notice(.accountEnded(verdict))
        planExecutions(verdict.account)
    }
}
