import ExchangeSimulator
import Foundation
import Synchronization

/// The simulation behind a lock, with the real clock.
final class SharedExchange: Sendable {
    private let simulation: Mutex<ExchangeSimulation>
    private let random: Mutex<SplitMix64>
    private let network: SimulatedNetwork
    private let origin = ContinuousClock.now
    /// The boot clock at ``origin``, which ``ContinuousClock`` does not tell.
    private let originBootNs: Int64

    init(_ simulation: ExchangeSimulation, _ network: SimulatedNetwork) {
        self.simulation = Mutex(simulation)
        self.network = network
        random = Mutex(SplitMix64(network.seed))
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        originBootNs = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Monotonic, in nanoseconds since the server started.
    private var nowNs: Int64 {
        let parts = origin.duration(to: ContinuousClock.now).components
        return parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
    }

    func receive(_ request: SimulatedRequest) -> SimulatedDelivery {
        var delivery = simulation.withLock { simulation in
            // Read under the lock: arrival times must not decrease.
            let ms = Int64(Date().timeIntervalSince1970 * 1_000)
            return simulation.receive(request, atMs: ms, arrivalNs: nowNs)
        }
        delivery.delayMs += network.latencyMs
        if network.jitterMs > 0 { delivery.delayMs += random.withLock { $0.inside(0...network.jitterMs) } }
        return delivery
    }

    func state() -> [UInt8] {
        simulation.withLock { simulation in
            simulation.advance(toNs: nowNs)
            return simulation.stateJSON(startBootNs: originBootNs)
        }
    }

    func withSimulation<Value: Sendable>(
        _ body: @Sendable (inout ExchangeSimulation) throws -> sending Value
    ) rethrows -> sending Value {
        try simulation.withLock { simulation in
            simulation.advance(toNs: nowNs)
            return try body(&simulation)
        }
    }
}
