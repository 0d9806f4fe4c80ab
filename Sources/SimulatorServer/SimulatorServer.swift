package import ExchangeSimulator
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Why the server could not start.
package struct SimulatorServerError: Error, CustomStringConvertible {
    package var description: String
}

/// The network between a client and the simulated exchange, in milliseconds of the real clock.
package struct SimulatedNetwork: Sendable {
    /// Added before every reply.
    package var latencyMs: Int64
    /// Up to this much more, drawn from the seed.
    package var jitterMs: Int64
    package var seed: UInt64

    package init(latencyMs: Int64 = 0, jitterMs: Int64 = 0, seed: UInt64 = 0) {
        self.latencyMs = latencyMs
        self.jitterMs = jitterMs
        self.seed = seed
    }
}

/// The simulated exchange over HTTP/1.1 on 127.0.0.1.
///
/// Requests are served one at a time, in the order in which they arrived whole. `GET /_simulator/state` answers what
/// the exchange knows.
package final class SimulatorServer: Sendable {
    private let exchange: SharedExchange
    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel

    /// The port that was bound.
    package let port: Int

    private init(_ exchange: SharedExchange, _ group: MultiThreadedEventLoopGroup, _ channel: any Channel, _ port: Int)
    {
        self.exchange = exchange
        self.group = group
        self.channel = channel
        self.port = port
    }

    /// Binds and serves until ``shutdown()``.
    ///
    /// - Parameter port: 0 takes any free one; read it from ``port``.
    /// - Throws: what the socket throws, e.g. when the port is taken.
    package static func start(
        _ simulation: ExchangeSimulation, port: Int = 0, network: SimulatedNetwork = SimulatedNetwork(),
        threads: Int = 1
    ) async throws -> SimulatorServer {
        let exchange = SharedExchange(simulation, network)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, threads))
        do {
            let channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 512)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { child in
                    child.eventLoop.makeCompletedFuture {
                        let pipeline = child.pipeline.syncOperations
                        try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                        try pipeline.addHandler(SimulatorHandler(exchange))
                    }
                }
                .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
                .bind(host: "127.0.0.1", port: port).get()
            guard let bound = channel.localAddress?.port else {
                throw SimulatorServerError(description: "the simulator's socket has no port")
            }
            return SimulatorServer(exchange, group, channel, bound)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    /// Closes every connection and ends the threads.
    package func shutdown() async throws {
        try await channel.close()
        try await group.shutdownGracefully()
    }

    /// Reads or changes the simulation between two requests, e.g. for the embedded demo's judge.
    package func withSimulation<Value: Sendable>(
        _ body: @Sendable (inout ExchangeSimulation) throws -> sending Value
    ) rethrows -> sending Value {
        try exchange.withSimulation(body)
    }
}
