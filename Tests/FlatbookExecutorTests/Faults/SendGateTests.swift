import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import FlatbookCrypto
import FlatbookExecutor
import Synchronization
import Testing

@Suite("The send gate: a process that stands still between permit, signature and write")
struct SendGateTests {
    /// Time that a test moves.
    private final class HandClock: RunClock {
        private let ns = Mutex<Int64>(FaultBench.startNs)
        func now() -> Now {
            let ns = ns.withLock { $0 }
            return Now(
                instant: Instant(nanoseconds: ns),
                wall: WallTime(milliseconds: FaultBench.wallStart + (ns - FaultBench.startNs) / 1_000_000))
        }
        func advance(_ span: TimeSpan) { ns.withLock { $0 += span.nanoseconds } }
        func sleep(until instant: Instant) async {}
    }

    /// Stands still before it writes.
    private final class StalledTransport: ReadTransport, MutatingTransport {
        let received = Mutex<[SignedRequest]>([])
        func read(_ request: SignedRequest, timeout: TimeSpan) async throws(TransportError) -> TimedReply {
            try await mutate(request, timeout: timeout)
        }
        func mutate(_ request: SignedRequest, timeout: TimeSpan) async throws(TransportError) -> TimedReply {
            received.withLock { $0.append(request) }
            throw TransportError(.closed, wasWritten: true, "stalled")
        }
    }

    private func send(
        pauseMs: Int64, isFenced: Bool = false
    ) async throws -> (error: TransportError?, sent: [SignedRequest], fleet: FaultFleet) {
        let fleet = FaultFleet(bitget: 1)
        let bench = FaultBench(fleet.configuration())
        let account = try #require(bench.header.accounts.first?.account)
        let simulated = bench.accounts[0]
        let plugin = try #require(FaultBench.plugins[account.exchange])
        let clock = HandClock()
        let transport = StalledTransport()
        let client = VenueClient(
            plugins: FaultBench.plugins, accounts: [account],
            credentials: [
                account.name: try AccountCredentials([
                    "key": Secret(simulated.key), "secret": Secret(simulated.secret),
                    "passphrase": Secret(simulated.passphrase),
                ])
            ], reading: transport, mutating: transport, clock: clock, isFenced: { _ in isFenced })
        let request = plugin.request(for: .positions(product: "USDT-FUTURES", cursor: nil), account: account)
        let dispatch = Dispatch(
            id: 1, account: account.name,
            venue: VenueKey(
                exchange: account.exchange, environment: .simulated, base: FaultBench.base, egress: "default"),
            request: request, isMutation: true, clockOffset: FaultBench.wallStart - FaultBench.startNs / 1_000_000,
            dispatchedAt: clock.now().instant, timeout: .seconds(10))
        clock.advance(.milliseconds(pauseMs))
        do throws(TransportError) {
            _ = try await client.perform(dispatch)
            return (nil, transport.received.withLock { $0 }, fleet)
        } catch {
            return (error, transport.received.withLock { $0 }, fleet)
        }
    }

    @Test(
        "F24: a pause of 40 s between permit and signature sends nothing; up to two seconds it still goes",
        arguments: [0, 1_999, 2_000, 40_000] as [Int64])
    func pausedBeforeSigning(ms: Int64) async throws {
        let result = try await send(pauseMs: ms)
        #expect(result.sent.count == (ms < 2_000 ? 1 : 0))
        if ms >= 2_000 { #expect(result.error?.wasWritten == false) }
    }

    @Test("F24: a pause of 40 s between signature and write is refused by the exchange for its timestamp")
    func pausedBeforeWriting() async throws {
        let result = try await send(pauseMs: 0)
        let signed = try #require(result.sent.first)
        var simulation = ExchangeSimulation(result.fleet.configuration())
        let late = simulation.receive(
            SimulatedRequest(
                method: signed.method.rawValue, target: signed.target, headers: signed.headers, body: signed.body),
            atMs: FaultBench.wallStart + 40_000, arrivalNs: FaultBench.startNs + 40_000_000_000)
        let text = String(decoding: late.reply?.body ?? [], as: UTF8.self)
        #expect(text.contains("40008"))
    }

    @Test("F24: a process whose account was taken over meanwhile sends nothing (I11)")
    func fenced() async throws {
        let result = try await send(pauseMs: 0, isFenced: true)
        #expect(result.sent.isEmpty && result.error?.wasWritten == false)
    }
}
