import ExchangeSimulator
import FlatbookCore
import SimulatorServer

/// The simulator behind accounts with `environment: simulated` and no endpoint: a fleet made from their credentials.
struct EmbeddedSimulator {
    let server: SimulatorServer

    static let seed: UInt64 = 20_261_121

    /// Starts it where it is needed and points the accounts to it. Nil where no account needs it.
    static func start(for selected: inout [(account: Account, plan: Int)]) async throws -> EmbeddedSimulator? {
        let needing = selected.indices.filter {
            selected[$0].account.environment == .simulated && selected[$0].account.endpoint == nil
        }
        guard !needing.isEmpty else { return nil }
        if let strange = needing.first(where: {
            SimulatedVenue(rawValue: selected[$0].account.exchange.rawValue) == nil
        }) {
            let account = selected[strange].account
            throw CommandFailure.invalid([
                Diagnostic(
                    file: account.source.file, line: account.source.line, key: "\(account.name).environment",
                    "there is no embedded simulator of \(account.exchange)",
                    hint: "Give the account the endpoint of one.")
            ])
        }
        let identities = needing.map { index in
            let account = selected[index].account
            func literal(_ field: String) -> String {
                if case .literal(let value) = account.credentials[field] { value } else { "unknown-\(account.name)" }
            }
            return FleetBuilder.Identity(
                venue: SimulatedVenue(rawValue: account.exchange.rawValue) ?? .bitget, name: account.name,
                uid: account.uid ?? "8\(index)", key: literal("key"), secret: literal("secret"),
                passphrase: literal("passphrase"))
        }
        var fleet = FleetBuilder.random(identities, positionsPerAccount: 4, seed: seed)
        for (slot, index) in needing.enumerated() {
            let options = selected[index].account.options
            if options["role"] == ["copy-follower"] {
                SimulatedKind.bitgetCopy.shape(slot, of: &fleet, seed: seed)
            } else if selected[index].account.tags.contains("unified") {
                SimulatedKind.bitgetUnified.shape(slot, of: &fleet, seed: seed)
            }
        }
        let server = try await SimulatorServer.start(
            ExchangeSimulation(SimulationConfiguration(seed: seed, accounts: fleet.accounts)), port: 0,
            network: SimulatedNetwork(latencyMs: 5, jitterMs: 3, seed: seed), threads: 1)
        for index in needing { selected[index].account.endpoint = "http://127.0.0.1:\(server.port)" }
        return EmbeddedSimulator(server: server)
    }

    func stop() async { try? await server.shutdown() }
}
