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

    @Option(name: .long, help: "Accounts per exchange, e.g. bitget=20.")
    var accounts = "bitget=20"

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
        _ = try counts()
    }

    /// `bitget=20`: each exchange once.
    private func counts() throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for part in accounts.split(separator: ",") {
            let pair = part.split(separator: "=", omittingEmptySubsequences: false)
            guard pair.count == 2, let count = Int(pair[1]), (0...10_000).contains(count),
                counts.updateValue(count, forKey: String(pair[0])) == nil
            else { throw ValidationError("--accounts is \"\(accounts)\"; write bitget=20.") }
            guard pair[0] == "bitget" else {
                throw ValidationError(
                    "the simulator of \"\(pair[0])\" is not supported yet; this version simulates bitget.")
            }
        }
        return counts
    }

    func execute() async throws -> Int32 {
        let count = try counts()["bitget"] ?? 0
        let fleet =
            uniform
            ? FleetBuilder.uniform(accounts: count, symbols: positions, seed: seed)
            : FleetBuilder.random(accounts: count, positionsPerAccount: positions, seed: seed)
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

/// The files that let `flatbook run` work on a simulator: accounts with endpoint, secrets 0600, a plan for all.
struct SimulatedFiles {
    let directory: String
    let port: Int
    let accounts: [SimulatedAccount]

    func write() throws {
        let files = FileManager.default
        do {
            for folder in ["accounts", "plans"] {
                try files.createDirectory(atPath: directory + "/" + folder, withIntermediateDirectories: true)
            }
            try write(secrets, to: "secrets.json", mode: 0o600)
            try write(accountsFile, to: "accounts/simulated.yaml", mode: 0o644)
            try write(planFile, to: "plans/all.yaml", mode: 0o644)
        } catch {
            throw CommandFailure(74, "cannot write to \(directory): \(error.localizedDescription)")
        }
    }

    private func write(_ text: String, to name: String, mode: Int) throws {
        let path = directory + "/" + name
        try Data().write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    private var secrets: String {
        JSONValue.object(
            accounts.map { account in
                .init(
                    account.name,
                    .object([
                        .init("key", .string(account.key)), .init("secret", .string(account.secret)),
                        .init("passphrase", .string(account.passphrase)),
                    ]))
            }
        ).serialized(pretty: true)
    }

    private var accountsFile: String {
        let head = """
            version: 1
            defaults:
              exchange: bitget
              environment: simulated
              endpoint: http://127.0.0.1:\(port)
              credentials:
                key: "file:../secrets.json#/{name}/key"
                secret: "file:../secrets.json#/{name}/secret"
                passphrase: "file:../secrets.json#/{name}/passphrase"
            accounts:

            """
        return head + accounts.map { "  - {name: \($0.name), uid: \"\($0.uid)\"}\n" }.joined()
    }

    private var planFile: String {
        """
        version: 1
        name: all
        accounts: ["*"]
        symbols: ["*"]

        """
    }
}
