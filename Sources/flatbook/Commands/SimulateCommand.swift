import ArgumentParser
import ExchangeSimulator
import FlatbookCore
import Foundation
import SimulatorServer

struct SimulateCommand: ParsableCommand, ExecutableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "Serve the exchange simulator on loopback until SIGTERM.",
        discussion: "Prints one JSON line with the port when ready. GET /_simulator/state tells what is open.")

    @Option(name: .long, help: "Port; 0 takes any.")
    var port = 0

    @Option(
        name: .long,
        help: "Accounts per exchange, e.g. bitget=20,okx=20,bingx=20; also bitget-copy=5 and bitget-unified=5.")
    var accounts = "bitget=20,okx=20,bingx=20"

    @Option(name: .long, help: "Open positions per account.")
    var positions = 4

    @Flag(name: .long, help: "Every account holds exactly --positions contracts, all long, one-way.")
    var uniform = false

    @Option(name: .long, help: "Decides fleet, faults and replies.")
    var seed: UInt64 = 1

    @Option(name: .long, help: "none, light, heavy, blackout, stale, failedread, partial, penalty, reopen, skew, keys.")
    var faults = "none"

    @Option(name: .long, help: "One way, in milliseconds.")
    var latency: Int64 = 0

    @Option(name: .long, help: "Most that is added to the latency, in milliseconds.")
    var jitter: Int64 = 0

    @Option(name: .long, help: "Multiplies every limit.")
    var limitsScale = 1.0

    @Option(name: .long, help: "Writes accounts/simulated.yaml, secrets.json and plans/all.yaml there.")
    var out: String?

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port is 0 to 65535.") }
        guard (0...200).contains(positions) else { throw ValidationError("--positions is 0 to 200.") }
        guard (0...10_000).contains(latency), (0...10_000).contains(jitter) else {
            throw ValidationError("--latency and --jitter are 0 to 10000 ms.")
        }
        guard limitsScale > 0, limitsScale <= 1000 else {
            throw ValidationError("--limits-scale is above 0 and at most 1000.")
        }
        guard FaultProfile(rawValue: faults) != nil else {
            throw ValidationError(
                "--faults is \"\(faults)\"; it takes \(FaultProfile.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        let counts = try counts()
        guard !uniform || counts.allSatisfy({ $0.kind == .bitget }) else {
            throw ValidationError("--uniform makes Bitget accounts only: write --accounts bitget=N.")
        }
    }

    /// `bitget=20,okx=5`: each kind once, in the order given.
    private func counts() throws -> [(kind: SimulatedKind, count: Int)] {
        var counts: [(kind: SimulatedKind, count: Int)] = []
        for part in accounts.split(separator: ",") {
            let pair = part.split(separator: "=", omittingEmptySubsequences: false)
            guard pair.count == 2, let count = Int(pair[1]), (0...10_000).contains(count) else {
                throw ValidationError("--accounts is \"\(accounts)\"; write bitget=20,okx=20,bingx=20.")
            }
            guard let kind = SimulatedKind(rawValue: String(pair[0])) else {
                let known = SimulatedKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("there is no simulator of \"\(pair[0])\"; there are \(known).")
            }
            guard !counts.contains(where: { $0.kind == kind }) else {
                throw ValidationError("--accounts names \(kind.rawValue) twice.")
            }
            counts.append((kind, count))
        }
        return counts
    }

    func execute() async throws -> Int32 {
        let counts = try counts()
        let fleet =
            uniform
            ? FleetBuilder.uniform(
                accounts: counts.first { $0.kind == .bitget }?.count ?? 0, symbols: positions, seed: seed)
            : SimulatedKind.fleet(counts, positions: positions, seed: seed)
        let profile = FaultProfile(rawValue: faults) ?? .none
        let configuration = SimulationConfiguration(
            seed: seed, accounts: fleet.accounts, limitsScale: limitsScale, faults: .named(profile, seed: seed))
        let server: SimulatorServer
        do {
            server = try await SimulatorServer.start(
                ExchangeSimulation(configuration), port: port,
                network: SimulatedNetwork(latencyMs: latency, jitterMs: jitter, seed: seed), threads: 1)
        } catch {
            throw CommandFailure(75, "the simulator cannot listen on port \(port): \(error)")
        }
        if let out { try SimulatedFiles(directory: out, port: server.port, accounts: fleet.accounts).write() }
        let signals = Signals.stream()
        Output(wantsJSON: true).result("{\"port\": \(server.port)}")
        fflush(nil)
        for await _ in signals { break }
        try? await server.shutdown()
        return 0
    }
}
