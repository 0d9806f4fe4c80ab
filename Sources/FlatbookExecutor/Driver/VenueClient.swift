public import ExchangeKit
public import FlatbookCore

/// Signs what is dispatched and hands it to the transport; the only place where credentials and bytes meet.
///
/// The order is the send gate's (`reliability.md` §1.7): timestamp once, fence, sign with that timestamp, write. A
/// process that was stopped in between writes late, and the exchange refuses the old timestamp.
public struct VenueClient: DispatchClient {
    /// A permit is good for this long: a request dispatched earlier is not signed any more.
    static let permitLife = TimeSpan.seconds(2)

    private let plugins: [ExchangeID: any ExchangePlugin]
    private let accounts: [String: Account]
    private let credentials: [String: AccountCredentials]
    private let reading: any ReadTransport
    /// Nil in a dry run: there is nothing to change anything with (I16).
    private let mutating: (any MutatingTransport)?
    private let clock: any RunClock
    private let isFenced: @Sendable (String) -> Bool
    private let isHalted: @Sendable () -> Bool
    private let signer = Signer()

    public init(
        plugins: [ExchangeID: any ExchangePlugin], accounts: [Account],
        credentials: [String: AccountCredentials], reading: any ReadTransport, mutating: (any MutatingTransport)?,
        clock: any RunClock, isFenced: @escaping @Sendable (String) -> Bool = { _ in false },
        isHalted: @escaping @Sendable () -> Bool = { false }
    ) {
        self.plugins = plugins
        self.accounts = Dictionary(accounts.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.credentials = credentials
        self.reading = reading
        self.mutating = mutating
        self.clock = clock
        self.isFenced = isFenced
        self.isHalted = isHalted
    }

    public func perform(_ dispatch: Dispatch) async throws(TransportError) -> TimedReply {
        let request = try signed(dispatch)
        guard dispatch.isMutation else { return try await reading.read(request, timeout: dispatch.timeout) }
        guard let mutating else {
            throw TransportError(.cancelled, wasWritten: false, "a dry run sends nothing that changes anything")
        }
        return try await mutating.mutate(request, timeout: dispatch.timeout)
    }

    public func dropConnections() async { await reading.dropConnections() }

    private func signed(_ dispatch: Dispatch) throws(TransportError) -> SignedRequest {
        let base = dispatch.venue.base
        guard let name = dispatch.account else {
            do { return try signer.unsigned(dispatch.request, base: base) } catch { throw Self.unsignable(error) }
        }
        guard let account = accounts[name], let secrets = credentials[name], let plugin = plugins[account.exchange],
            let offset = dispatch.clockOffset
        else { throw Self.notSent("no credentials or server time for \(name)") }
        let now = clock.now()
        guard now.instant - dispatch.dispatchedAt < Self.permitLife else {
            throw Self.notSent("its permit expired before it could be signed")
        }
        if dispatch.isMutation {
            if isFenced(name) { throw Self.notSent("another process took \(name) over", .fenced) }
            if isHalted() { throw Self.notSent("this host is halted", .halted) }
        }
        let server = WallTime(milliseconds: now.instant.nanoseconds / 1_000_000 + offset)
        let recipe = plugin.signing(of: dispatch.request, at: server, account: account)
        do {
            return try signer.sign(dispatch.request, recipe: recipe, credentials: secrets, base: base)
        } catch {
            throw Self.unsignable(error)
        }
    }

    private static func notSent(_ why: String, _ code: TransportError.Code = .cancelled) -> TransportError {
        TransportError(code, wasWritten: false, why)
    }

    private static func unsignable(_ error: SigningError) -> TransportError { notSent("cannot be signed: \(error)") }
}
