import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import FlatbookCrypto
import FlatbookExecutor
import FlatbookSimulation
import Synchronization
import Testing

@Suite("accounts check against the simulated exchanges")
struct AccountCheckerTests {
    /// A fleet of one exchange, changed as a test needs it.
    private func fleet(
        _ venue: SimulatedVenue, count: Int = 2, _ edit: (Int, inout SimulatedAccount) -> Void = { _, _ in }
    ) -> [SimulatedAccount] {
        var builder = FleetBuilder.random(
            FleetBuilder.identities(venue: venue, count: count, seed: 3), positionsPerAccount: 2, seed: 3)
        for slot in 0..<count { builder.edit(slot) { edit(slot, &$0) } }
        return builder.accounts
    }

    private func check(
        _ accounts: [SimulatedAccount], clockOffsetMs: Int64 = 0, isDown: Bool = false,
        unusable: [String: AccountVerdict] = [:], pinned: Bool = true
    ) async -> [AccountCheck] {
        let clock = VirtualClock()
        let client = InProcessClient(
            SimulationConfiguration(seed: 3, accounts: accounts, clockOffsetMs: clockOffsetMs), clock, isDown: isDown)
        let checker = AccountChecker(
            plugins: TestExchanges.byID, client: client, clock: clock, ledgers: Self.ledgers())
        return await checker.check(
            accounts.map { account in
                Account(
                    name: account.name, exchange: ExchangeID(account.venue.rawValue), environment: .simulated,
                    uid: pinned ? account.uid : nil, endpoint: SimulatedRun.base)
            }, unusable: unusable)
    }

    private static func ledgers() -> (VenueKey) -> any RateLedger {
        var open: [VenueKey: WindowLedger] = [:]
        return { key in
            if let known = open[key] { return known }
            let made = WindowLedger()
            open[key] = made
            return made
        }
    }

    @Test("good keys pass; uid, rights, mode and open positions are told", arguments: TestExchanges.venues)
    func passes(venue: SimulatedVenue) async throws {
        let accounts = fleet(venue, count: 3)
        let checks = await check(accounts)
        #expect(checks.map(\.state) == [.passed, .passed, .passed], "\(checks.map(\.findings))")
        #expect(checks.map(\.identity.uid) == accounts.map(\.uid))
        #expect(checks.map(\.openPositions) == accounts.map(\.positions.count))
        for (check, account) in zip(checks, accounts) {
            #expect(check.identity.positionMode == (account.isHedge ? .hedge : .oneWay))
        }
    }

    @Test("a wrong secret refuses that account only", arguments: TestExchanges.venues)
    func wrongSecret(venue: SimulatedVenue) async {
        let accounts = fleet(venue)
        var client = accounts
        client[0].secret = "wrong"
        let clock = VirtualClock()
        let transport = InProcessClient(
            SimulationConfiguration(seed: 3, accounts: accounts), clock, signingAs: client)
        let checker = AccountChecker(
            plugins: TestExchanges.byID, client: transport, clock: clock, ledgers: Self.ledgers())
        let checks = await checker.check(
            accounts.map {
                Account(
                    name: $0.name, exchange: ExchangeID($0.venue.rawValue), environment: .simulated, uid: $0.uid,
                    endpoint: SimulatedRun.base)
            }, unusable: [:])
        #expect(checks.map(\.state) == [.refused, .passed])
        #expect(checks[0].action != nil)
    }

    @Test("an exchange that does not answer is unreachable, not refused", arguments: TestExchanges.venues)
    func unreachable(venue: SimulatedVenue) async {
        let checks = await check(fleet(venue), isDown: true)
        #expect(checks.allSatisfy { $0.state == .unreachable })
    }

    @Test("the clock's offset is measured; requests carry the exchange's time", arguments: TestExchanges.venues)
    func clock(venue: SimulatedVenue) async throws {
        let checks = await check(fleet(venue), clockOffsetMs: 45_000)
        #expect(checks.allSatisfy { $0.state == .passed })
        let offset = try #require(checks.first?.clockOffset)
        #expect(abs(offset - 45_000) < 1000)
    }

    @Test("credentials that cannot be resolved refuse the account, a disabled one is only listed")
    func unusable() async {
        let accounts = fleet(.bitget)
        let verdict = AccountVerdict(account: accounts[0].name, state: .skipped, reason: "credentials: no such file")
        let checks = await check(accounts, unusable: [accounts[0].name: verdict])
        #expect(checks.map(\.state) == [.refused, .passed])
    }

    @Test("an account of an exchange that nobody can ask is refused")
    func noPlugin() async {
        let checker = AccountChecker(
            plugins: TestExchanges.byID,
            client: InProcessClient(SimulationConfiguration(seed: 3, accounts: fleet(.bitget)), VirtualClock()),
            clock: VirtualClock(), ledgers: Self.ledgers())
        let unknown = Account(name: "far", exchange: ExchangeID("elsewhere"), environment: .simulated, uid: "1")
        let checks = await checker.check([unknown], unusable: [:])
        #expect(checks.map(\.state) == [.refused])
    }

    @Test("a ban's end that the exchange names is kept in the ledger, and nobody asks before it")
    func namedBan() async throws {
        let accounts = fleet(.bingx, count: 1)
        let clock = VirtualClock()
        let inner = InProcessClient(SimulationConfiguration(seed: 3, accounts: accounts), clock)
        let banned = BannedReads(inner, clock, until: SimulatedRun.wallStart + 20_000)
        let checker = AccountChecker(
            plugins: TestExchanges.byID, client: banned, clock: clock, ledgers: Self.ledgers())
        let listed = accounts.map {
            Account(
                name: $0.name, exchange: ExchangeID($0.venue.rawValue), environment: .simulated, uid: $0.uid,
                endpoint: SimulatedRun.base)
        }
        let checks = await checker.check(listed, unusable: [:])
        #expect(banned.refusals == 1, "the first answer names the end, and ten seconds are waited at most")
        #expect(checks.map(\.state) == [.unreachable], "\(checks.map(\.findings))")
        // The next one waits for the end that the ledger knows, and asks only then.
        let again = await checker.check(listed, unusable: [:])
        #expect(again.map(\.state) == [.passed], "\(again.map(\.findings))")
        #expect(banned.refusals == 1)
        #expect(clock.now().wall.milliseconds >= SimulatedRun.wallStart + 20_000)
    }
}

/// Refuses every positions read with BingX's 100410 until a time of the wall clock (`bingx.md` §6).
private final class BannedReads: DispatchClient {
    private let inner: InProcessClient
    private let clock: VirtualClock
    private let until: Int64
    private let count = Mutex(0)
    var refusals: Int { count.withLock { $0 } }

    init(_ inner: InProcessClient, _ clock: VirtualClock, until: Int64) {
        self.inner = inner
        self.clock = clock
        self.until = until
    }

    func perform(_ dispatch: Dispatch) async throws(TransportError) -> TimedReply {
        let now = clock.now()
        guard dispatch.request.route.contains("position"), now.wall.milliseconds < until else {
            return try await inner.perform(dispatch)
        }
        count.withLock { $0 += 1 }
        let text =
            #"{"code":100410,"msg":"The endpoint trigger frequency limit rule is currently in the disabled "#
            + #"period and will be unblocked after \#(until)","data":{}}"#
        return TimedReply(
            reply: VenueReply(status: 200, headers: [], body: Array(text.utf8)), sentAt: now.instant,
            receivedAt: now.instant)
    }
}

/// A clock of a test: sleeping moves it.
final class VirtualClock: RunClock {
    private let ns = Mutex<Int64>(1_000_000_000)

    func now() -> Now {
        let ns = ns.withLock { $0 }
        return Now(
            instant: Instant(nanoseconds: ns),
            wall: WallTime(milliseconds: SimulatedRun.wallStart + (ns - 1_000_000_000) / 1_000_000))
    }

    func sleep(until instant: Instant) async {
        ns.withLock { $0 = max($0, instant.nanoseconds) }
        await Task.yield()
    }
}

/// Signs like the live client and asks the simulation in process.
final class InProcessClient: DispatchClient {
    private let simulation: Mutex<ExchangeSimulation>
    private let clock: VirtualClock
    private let accounts: [SimulatedAccount]
    private let isDown: Bool

    /// - Parameter signingAs: what the client believes its keys to be; nil = what the exchange knows.
    init(
        _ configuration: SimulationConfiguration, _ clock: VirtualClock, isDown: Bool = false,
        signingAs: [SimulatedAccount]? = nil
    ) {
        simulation = Mutex(ExchangeSimulation(configuration))
        self.clock = clock
        self.isDown = isDown
        accounts = signingAs ?? configuration.accounts
    }

    func perform(_ dispatch: Dispatch) async throws(TransportError) -> TimedReply {
        if isDown { throw TransportError(.refused, wasWritten: false, "refused") }
        let signed = try sign(dispatch)
        let now = clock.now()
        let delivery = simulation.withLock {
            $0.receive(
                SimulatedRequest(
                    method: signed.method.rawValue, target: signed.target, headers: signed.headers, body: signed.body),
                atMs: now.wall.milliseconds, arrivalNs: now.instant.nanoseconds)
        }
        guard let reply = delivery.reply else { throw TransportError(.closed, wasWritten: true, "closed") }
        return TimedReply(reply: reply, sentAt: now.instant, receivedAt: clock.now().instant)
    }

    private func sign(_ dispatch: Dispatch) throws(TransportError) -> SignedRequest {
        do {
            guard let name = dispatch.account else {
                return try Signer().unsigned(dispatch.request, base: dispatch.venue.base)
            }
            guard let owner = accounts.first(where: { $0.name == name }),
                let plugin = TestExchanges.byID[dispatch.venue.exchange]
            else { throw SigningError(.missingCredential, "no such account") }
            let credentials = try AccountCredentials([
                "key": Secret(owner.key), "secret": Secret(owner.secret), "passphrase": Secret(owner.passphrase),
            ])
            let server = WallTime(
                milliseconds: clock.now().instant.nanoseconds / 1_000_000 + (dispatch.clockOffset ?? 0))
            let account = Account(name: name, exchange: dispatch.venue.exchange, environment: .simulated)
            let recipe = plugin.signing(of: dispatch.request, at: server, account: account)
            return try Signer().sign(
                dispatch.request, recipe: recipe, credentials: credentials, base: dispatch.venue.base)
        } catch {
            throw TransportError(.cancelled, wasWritten: false, "\(error)")
        }
    }
}
