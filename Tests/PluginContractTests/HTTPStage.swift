import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import FlatbookHTTP
import FlatbookTestKit
import SimulatorServer
import Testing

/// The embedded simulator behind a socket, and the live client in front of it.
///
/// Time is real here, so limits are a hundred times wider and nothing waits: cases that need windows stay in process.
struct HTTPStage: ContractStage {
    var embedded: EmbeddedStage

    var seats: [ContractSeat] { embedded.seats }

    func open(_ scene: ContractScene) async throws -> any ContractWire {
        var configuration = embedded.configuration(of: scene)
        configuration.limitsScale = 1000
        let server = try await SimulatorServer.start(ExchangeSimulation(configuration))
        return try HTTPWire(server)
    }
}

final class HTTPWire: ContractWire {
    private let server: SimulatorServer
    private let transport: HTTPTransport
    private let accounts: [SimulatedAccount]
    let base: String

    init(_ server: SimulatorServer) throws {
        self.server = server
        accounts = server.withSimulation { $0.accounts }
        base = "http://127.0.0.1:\(server.port)"
        transport = try HTTPTransport()
    }

    func credentials(of account: String) -> [String: String] { EmbeddedWire.credentials(of: account, in: accounts) }

    func time() async -> WallTime { SystemClock().now().wall }

    func send(_ request: SignedRequest) async throws -> VenueReply? {
        do {
            return try await transport.mutate(request, timeout: .seconds(10)).reply
        } catch let error {
            if error.wasWritten { return nil }
            throw error
        }
    }

    /// Nothing to wait for: orders fill at once.
    func pass(_ span: TimeSpan) async {}

    func truth() async -> ContractTruth { server.withSimulation { EmbeddedWire.truth(of: $0) } }

    func end() async {
        try? await transport.shutdown()
        try? await server.shutdown()
    }
}

@Suite("The plugin contract over HTTP", .serialized)
struct HTTPContractTests {
    static let cases: [PluginContract.Case] = [
        .readCloseReadFlat, .oneSideOnly, .pagesEnd, .lostReplyIsNeverSentTwice, .alreadyFlatIsSaid,
        .partialFailureIsSeen, .wrongKeyStopsItsAccountOnly, .closesWithoutTheRightToCancel, .failedReadIsNotFlat,
    ]

    @Test("holds", arguments: everyExchange, cases)
    func holds(exchange: ExchangeUnderTest, number: PluginContract.Case) async {
        // An exchange may pass on a stage of its own, which has no server.
        guard let embedded = exchange.stage as? EmbeddedStage else { return }
        for problem in await PluginContract.problems(number, of: exchange, on: HTTPStage(embedded: embedded)) {
            Issue.record("\(exchange), \(number): \(problem)")
        }
    }
}
