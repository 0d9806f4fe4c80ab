public import ExchangeKit
public import FlatbookCore

/// Asks the exchanges what they say of the accounts' keys: `accounts check`. Reads only, within the same rate ledger.
///
/// Every wait is bounded: a read is tried three times, and an account ends after ``longest``.
public actor AccountChecker {
    /// Longest that one account may take, waiting for limits included.
    static let longest = TimeSpan.seconds(60)
    private static let attempts = 3

    private let plugins: [ExchangeID: any ExchangePlugin]
    private let client: any DispatchClient
    private let clock: any RunClock
    private let ledgers: (VenueKey) -> any RateLedger
    private let expected: [String]
    private let keyDigests: [String: String]
    private var clocks: [VenueKey: Int64?] = [:]
    private var nextID: UInt64 = 0

    /// - Parameters:
    ///   - expected: addresses that the keys must be bound to; empty = not asked.
    ///   - keyDigests: stand in for the uids of accounts that are not pinned.
    public init(
        plugins: [ExchangeID: any ExchangePlugin], client: any DispatchClient, clock: any RunClock,
        ledgers: sending @escaping (VenueKey) -> any RateLedger, expected: [String] = [],
        keyDigests: [String: String] = [:]
    ) {
        self.plugins = plugins
        self.client = client
        self.clock = clock
        self.ledgers = ledgers
        self.expected = expected
        self.keyDigests = keyDigests
    }

    /// All accounts, some at a time; in the order given.
    ///
    /// - Parameter unusable: accounts whose credentials could not be resolved, with the reason.
    public func check(_ accounts: [Account], unusable: [String: AccountVerdict]) async -> [AccountCheck] {
        var first: [VenueKey: Account] = [:]
        for account in accounts {
            guard account.enabled, unusable[account.name] == nil, let venue = Self.venue(of: account, plugins),
                first[venue] == nil
            else { continue }
            first[venue] = account
        }
        // At once: one exchange that does not answer keeps nobody waiting for the others.
        await withTaskGroup(of: (VenueKey, Int64?).self) { group in
            for (venue, account) in first {
                group.addTask { (venue, await self.serverOffset(venue, account)) }
            }
            for await (venue, offset) in group { clocks[venue] = .some(offset) }
        }
        var results: [String: AccountCheck] = [:]
        await withTaskGroup(of: AccountCheck.self) { group in
            var waiting = accounts.makeIterator()
            func startNext() {
                guard let account = waiting.next() else { return }
                group.addTask { await self.check(account, unusable: unusable[account.name]) }
            }
            for _ in 0..<16 { startNext() }
            while let done = await group.next() {
                results[done.account.name] = done
                startNext()
            }
        }
        return accounts.compactMap { results[$0.name] }
    }

    /// Where the account's reads go; nil for an exchange without a plugin.
    public static func venue(of account: Account, _ plugins: [ExchangeID: any ExchangePlugin]) -> VenueKey? {
        guard let plugin = plugins[account.exchange], let base = account.endpoint ?? plugin.host(for: account)
        else { return nil }
        return VenueKey(
            exchange: account.exchange, environment: account.environment, base: base, egress: account.egress)
    }

    private func check(_ account: Account, unusable: AccountVerdict?) async -> AccountCheck {
        var check = AccountCheck(account: account)
        if !account.enabled {
            check.state = .skipped
            check.action = account.disabledReason.map { "disabled: \($0)" } ?? "disabled"
            return check
        }
        if let unusable {
            check.findings = [.init(.identity, .fail, unusable.reason ?? "its credentials cannot be resolved")]
            check.refuse(unusable.error?.action ?? "check the credential references")
            return check
        }
        guard let plugin = plugins[account.exchange], let venue = Self.venue(of: account, plugins) else {
            check.findings = [.init(.reads, .fail, "there is no plugin for \(account.exchange.rawValue)")]
            check.refuse("check the account's exchange")
            return check
        }
        guard let known = clocks[venue], let bootOffset = known else {
            check.state = .unreachable
            check.findings = [.init(.clock, .unknown, "\(venue) does not answer")]
            check.action = "check network and endpoint"
            return check
        }
        let now = clock.now()
        check.clockOffset = bootOffset + now.instant.nanoseconds / 1_000_000 - now.wall.milliseconds
        let until = now.instant + Self.longest
        for read in plugin.profile.checks {
            guard await ask(read, of: plugin, at: venue, into: &check, until: until) else { return check }
        }
        for partition in plugin.partitions(of: check.account) {
            let read = Read.positions(product: partition.id, cursor: nil)
            guard await ask(read, of: plugin, at: venue, into: &check, until: until) else { return check }
        }
        check.judge(expected: expected)
        return check
    }

    /// False where the account ended with it.
    private func ask(
        _ read: Read, of plugin: any ExchangePlugin, at venue: VenueKey, into check: inout AccountCheck, until: Instant
    ) async -> Bool {
        var read: Read? = read
        var pages = 0
        while let asking = read, pages < 500 {
            pages += 1
            switch await answer(asking, of: plugin, at: venue, account: &check.account, until: until) {
            case .answer(let answer):
                read = take(answer, of: asking, plugin: plugin, into: &check)
            case .failed(let outcome): return fail(outcome, of: asking, plugin: plugin, into: &check)
            }
        }
        return true
    }

    /// Takes an answer; returns the read of the next page.
    private func take(
        _ answer: ReadAnswer, of read: Read, plugin: any ExchangePlugin, into check: inout AccountCheck
    ) -> Read? {
        switch answer {
        case .identity(let found):
            check.identity.merge(found)
            check.account.facts.merge(found.facts ?? [:]) { _, new in new }
        case .positions(let rows, let next):
            guard case .positions(let product, _) = read else { return nil }
            check.openPositions += rows.count
            if check.identity.positionMode == nil { check.identity.positionMode = rows.first?.mode }
            if let next { return .positions(product: product, cursor: next) }
            check.read += plugin.partitions(of: check.account).first { $0.id == product }?.covers ?? [product]
        case .serverTime, .instruments, .orders, .control, .endings, .executions: break
        }
        return nil
    }

    /// What may be missing is told; anything else refuses the account or leaves it unreachable.
    private func fail(
        _ outcome: Outcome, of read: Read, plugin: any ExchangePlugin, into check: inout AccountCheck
    ) -> Bool {
        let text = [outcome.code, outcome.message].filter { !$0.isEmpty }.joined(separator: " ")
        switch read {
        case .positions(let product, _):
            let partition = plugin.partitions(of: check.account).first { $0.id == product }
            if outcome.refusal == .permission || outcome.refusal == .wrongAccountKind, let silo = partition?.refusedAs {
                if !check.notRead.contains(where: { $0.silo == silo }) {
                    check.notRead.append(.init(silo: silo, reason: text))
                }
                return true
            }
        case .permissions, .settings:
            // They only describe: what the exchange will not say to this key stays unknown. No answer is not that.
            if outcome.refusal == .permission || outcome.refusal == .wrongAccountKind { return true }
            if outcome.refusal == nil, outcome.errorClass == .fatalCall { return true }
        case .serverTime, .identity, .instruments, .orders, .control, .endings, .executions: break
        }
        let isRefused =
            outcome.errorClass == .fatalAccount || outcome.errorClass == .clockSkew
            || outcome.errorClass == .fatalVenue
        check.state = isRefused ? .refused : .unreachable
        check.findings.append(
            .init(read == .identity ? .identity : .reads, isRefused ? .fail : .unknown, text))
        check.action = outcome.action ?? (isRefused ? "check the key on the exchange's site" : "try again later")
        return false
    }

    // MARK: One read

    private func answer(
        _ read: Read, of plugin: any ExchangePlugin, at venue: VenueKey, account: inout Account, until: Instant
    ) async -> ReadResult {
        var last = Outcome(effect: .none, errorClass: .retry, code: "timeout", message: "no time was left to ask")
        var tries = 0
        var lessons = 0
        while tries < Self.attempts, clock.now().instant < until, !Task.isCancelled {
            tries += 1
            guard let reply = await send(read, of: plugin, at: venue, account: account, until: until, &last) else {
                continue
            }
            let book = InstrumentBook()
            switch plugin.answer(to: read, in: reply.reply, account: account, instruments: book) {
            case .answer(let answer): return .answer(answer)
            case .failed(let outcome):
                last = outcome
                if let facts = outcome.learned, lessons < 3 {
                    account.facts.merge(facts) { _, new in new }
                    lessons += 1
                    tries -= 1
                    continue
                }
                if outcome.errorClass == .fatalAccount || outcome.errorClass == .fatalCall { return .failed(outcome) }
                if outcome.errorClass == .clockSkew { clocks[venue] = .some(await serverOffset(venue, account)) }
                var pause = TimeSpan.milliseconds(250)
                if let hint = outcome.penalty {
                    let offset = clocks[venue] ?? nil
                    pause = max(hint.duration, hint.timeLeft(at: clock.now().instant, clockOffset: offset))
                    penalize(hint.limit, for: pause, read, of: plugin, at: venue, account: account)
                }
                // Nobody waits here for a ban to end.
                if pause > .seconds(10) { return .failed(outcome) }
                await clock.sleep(until: clock.now().instant + pause)
            }
        }
        return .failed(last)
    }

    /// A scope that the exchange closed is closed for every process of this host.
    private func penalize(
        _ limit: String, for duration: TimeSpan, _ read: Read, of plugin: any ExchangePlugin, at venue: VenueKey,
        account: Account
    ) {
        let request = plugin.request(for: read, account: account)
        let costs = try? RequestCosts(plugin: plugin, egress: venue.egress, uid: uid(account)).costs(of: request)
        guard let cost = costs?.first(where: { $0.key.limit == limit }) else { return }
        let until = clock.now().instant + max(duration, cost.window)
        ledgers(venue).penalize(Penalty(bucket: cost.key, until: until, evidence: "accounts check was refused"))
    }

    /// What the account's limits are counted by, as a run counts them.
    private func uid(_ account: Account) -> String { account.uid ?? keyDigests[account.name] ?? account.name }

    private func send(
        _ read: Read, of plugin: any ExchangePlugin, at venue: VenueKey, account: Account, until: Instant,
        _ failure: inout Outcome
    ) async -> TimedReply? {
        let request = plugin.request(for: read, account: account)
        let ledger = ledgers(venue)
        guard
            let costs = try? RequestCosts(plugin: plugin, egress: venue.egress, uid: uid(account)).costs(of: request)
        else {
            failure = Outcome(
                effect: .none, errorClass: .fatalCall, code: "undeclared", message: "\(request.route) is not declared")
            return nil
        }
        while clock.now().instant < until, !Task.isCancelled {
            let now = clock.now().instant
            guard case .granted(let permit) = ledger.acquire(costs, at: now) else {
                await clock.sleep(until: now + .milliseconds(50))
                continue
            }
            nextID += 1
            let offset = clocks[venue] ?? nil
            let dispatch = Dispatch(
                id: nextID, account: read.isPublic ? nil : account.name, venue: venue, request: request,
                isMutation: false, clockOffset: offset, dispatchedAt: now, timeout: .seconds(5))
            do throws(TransportError) {
                let reply = try await client.perform(dispatch)
                ledger.settle(permit, at: reply.receivedAt)
                return reply
            } catch {
                let end = clock.now().instant
                if error.wasWritten {
                    ledger.abandon(permit, at: end, allowance: .seconds(5))
                } else {
                    ledger.release(permit)
                }
                failure = Outcome(
                    effect: .none, errorClass: .retry, code: error.code.rawValue, message: error.message)
                await clock.sleep(until: end + .milliseconds(250))
                return nil
            }
        }
        return nil
    }

    /// Server clock minus boot clock, in milliseconds; nil where the exchange does not answer.
    private func serverOffset(_ venue: VenueKey, _ account: Account) async -> Int64? {
        guard let plugin = plugins[account.exchange] else { return nil }
        var failure = Outcome(effect: .none, errorClass: .retry)
        for _ in 0..<Self.attempts {
            let until = clock.now().instant + .seconds(10)
            guard
                let reply = await send(
                    .serverTime, of: plugin, at: venue, account: account, until: until, &failure),
                case .answer(.serverTime(let time)) = plugin.answer(
                    to: .serverTime, in: reply.reply, account: account, instruments: InstrumentBook())
            else { continue }
            return time.milliseconds - (reply.sentAt.nanoseconds + reply.receivedAt.nanoseconds) / 2_000_000
        }
        return nil
    }
}

extension Identity {
    /// Adds what another answer says; what is known stays.
    mutating func merge(_ other: Identity) {
        uid = uid ?? other.uid
        parentUID = parentUID ?? other.parentUID
        mayTrade = mayTrade ?? other.mayTrade
        mayWithdraw = mayWithdraw ?? other.mayWithdraw
        boundIPs = boundIPs ?? other.boundIPs
        positionMode = positionMode ?? other.positionMode
        accountKind = accountKind ?? other.accountKind
        if let more = other.facts { facts = (facts ?? [:]).merging(more) { _, new in new } }
    }
}
