package import ExchangeKit
package import ExchangeSimulator
package import FlatbookCore
import Synchronization

/// The simulator of this package as a stage, in process and on a virtual clock.
package struct EmbeddedStage: ContractStage {
    package var venue: SimulatedVenue
    package var seats: [ContractSeat]
    /// What makes an account one of its kind, e.g. unified.
    package var prepare: @Sendable (inout FleetBuilder, Int, ContractSeat) -> Void
    /// Switches and scale of limits.
    package var adjust: @Sendable (inout SimulationConfiguration) -> Void

    package init(
        _ venue: SimulatedVenue, seats: [ContractSeat],
        prepare: @escaping @Sendable (inout FleetBuilder, Int, ContractSeat) -> Void = { _, _, _ in },
        adjust: @escaping @Sendable (inout SimulationConfiguration) -> Void = { _ in }
    ) {
        self.venue = venue
        self.seats = seats
        self.prepare = prepare
        self.adjust = adjust
    }

    package func open(_ scene: ContractScene) async throws -> any ContractWire {
        EmbeddedWire(ExchangeSimulation(configuration(of: scene)), seats: scene.seats)
    }

    /// The scene in the simulator's terms.
    package func configuration(of scene: ContractScene) -> SimulationConfiguration {
        var builder = FleetBuilder(seed: 7)
        let identities = FleetBuilder.identities(venue: venue, count: scene.seats.count, seed: 7)
        for (seat, known) in zip(scene.seats, identities) {
            var identity = known
            identity.name = seat.account.name
            let slot = builder.add(identity, isHedge: seat.mode == .hedge)
            prepare(&builder, slot, seat)
            for leg in seat.legs { builder.place(leg, at: slot) }
            let traded = seat.legs.filter { !$0.product.hasPrefix("copy:") }
            for number in 0..<seat.orders where !traded.isEmpty {
                let leg = traded[number % traded.count]
                builder.resting(
                    slot, leg.instrument, product: leg.product, leg: PositionSide(leg.side), closes: false,
                    size: Fixed(leg.quantity.description) ?? Fixed(1))
            }
            builder.edit(slot) { $0.scripts += Self.scripts(of: scene, seat) }
        }
        var configuration = SimulationConfiguration(seed: 7, accounts: builder.accounts, fillDelayMs: 0...0)
        if scene.troubles.contains(.readsFail) { configuration.faults.perMille[.failedRead] = 1000 }
        if scene.troubles.contains(.legsFailOnce) {
            configuration.faults.legFailurePerMille = 1000
            configuration.faults.maxFailuresPerLeg = 1
        }
        adjust(&configuration)
        return configuration
    }

    private static func scripts(of scene: ContractScene, _ seat: ContractSeat) -> [Script] {
        scene.troubles.compactMap { trouble in
            guard case .flips(let account, let instrument) = trouble, account == seat.account.name,
                let leg = seat.legs.first(where: { $0.instrument == instrument })
            else { return nil }
            let action = ScriptAction.flip(
                product: leg.product, symbol: leg.instrument, quantity: Fixed(leg.quantity.description) ?? Fixed(1))
            return Script(.beforeClose(1), action)
        }
    }
}

extension FleetBuilder {
    fileprivate mutating func place(_ leg: ContractLeg, at slot: Int) {
        let quantity = Fixed(leg.quantity.description) ?? Fixed(1)
        let marginMode = leg.marginMode == .isolated ? "isolated" : "crossed"
        // Copied positions of Bitget have a book of their own.
        if leg.product.hasPrefix("copy:") {
            copy(
                slot, leg.instrument, product: String(leg.product.dropFirst(5)), side: PositionSide(leg.side),
                quantity: quantity, marginMode: marginMode)
            return
        }
        position(
            slot, leg.instrument, product: leg.product, side: PositionSide(leg.side), quantity: quantity,
            marginMode: marginMode)
    }
}

extension PositionSide {
    fileprivate init(_ side: Side) { self = side == .long ? .long : .short }
}

/// Requests go straight into the simulation; time moves only when a case lets it.
package final class EmbeddedWire: ContractWire {
    private struct State {
        var simulation: ExchangeSimulation
        var nowNs: Int64 = 1_000_000_000
    }

    private static let wallStart: Int64 = 1_790_000_000_000
    private let state: Mutex<State>
    private let accounts: [SimulatedAccount]
    package let base = "http://127.0.0.1:9"

    package init(_ simulation: ExchangeSimulation, seats: [ContractSeat]) {
        accounts = simulation.accounts
        state = Mutex(State(simulation: simulation))
    }

    package func credentials(of account: String) -> [String: String] { Self.credentials(of: account, in: accounts) }

    package static func credentials(of account: String, in accounts: [SimulatedAccount]) -> [String: String] {
        guard let found = accounts.first(where: { $0.name == account }) else { return [:] }
        return ["key": found.key, "secret": found.secret, "passphrase": found.passphrase]
    }

    private static func wall(_ nowNs: Int64) -> Int64 { wallStart + (nowNs - 1_000_000_000) / 1_000_000 }

    package func time() async -> WallTime {
        state.withLock { WallTime(milliseconds: Self.wall($0.nowNs)) }
    }

    package func send(_ request: SignedRequest) async throws -> VenueReply? {
        state.withLock { state in
            let delivery = state.simulation.receive(
                SimulatedRequest(
                    method: request.method.rawValue, target: request.target, headers: request.headers,
                    body: request.body),
                atMs: Self.wall(state.nowNs), arrivalNs: state.nowNs)
            state.nowNs += delivery.delayMs * 1_000_000
            guard delivery.fate == .deliver else { return nil }
            return delivery.reply
        }
    }

    package func pass(_ span: TimeSpan) async {
        state.withLock { state in
            state.nowNs += span.nanoseconds
            state.simulation.advance(toNs: state.nowNs)
        }
    }

    package func truth() async -> ContractTruth { state.withLock { Self.truth(of: $0.simulation) } }

    package func end() async {}

    /// What the judge of the simulation knows, by account name.
    package static func truth(of simulation: ExchangeSimulation) -> ContractTruth {
        var truth = ContractTruth(
            open: [:], closed: [:], exposureIncreases: simulation.truth.exposureIncreases,
            rateLimitRejections: simulation.truth.rateLimitRejections)
        for account in simulation.accounts {
            truth.open[account.name] = simulation.positions(ofUID: account.uid).map {
                leg($0.product, $0.symbol, $0.side, $0.quantity, isolated: $0.marginMode == "isolated")
            }
            truth.closed[account.name] = simulation.truth.executedCloses.filter { $0.key.uid == account.uid }
                .sorted { $0.key < $1.key }.map { key, closes in
                    leg(
                        key.product, key.symbol, key.side, closes.reduce(Fixed.zero) { $0 + $1.quantity },
                        isolated: false)
                }
        }
        return truth
    }

    private static func leg(
        _ product: String, _ symbol: String, _ side: PositionSide, _ quantity: Fixed, isolated: Bool
    ) -> ContractLeg {
        ContractLeg(
            product, symbol, side == .long ? .long : .short, (try? Amount(quantity.description)) ?? .zero,
            marginMode: isolated ? .isolated : .cross)
    }
}
