import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A desk in a temporary folder: accounts and plans, a simulator on loopback, and the binary.
final class Desk: Sendable {
    let folder: URL
    let port: Int
    private let simulator: Child
    private let environment: [String: String]
    private let started = Started()

    private final class Started: Sendable {
        private let lock = NSLock()
        private nonisolated(unsafe) var children: [Child] = []
        var all: [Child] { lock.withLock { children } }
        func add(_ child: Child) { lock.withLock { children.append(child) } }
    }

    /// Runs a test at a desk of its own; afterwards the simulator has ended and the folder is gone.
    static func open(
        accounts: Int = 3, fleet: String? = nil, positions: Int = 2, seed: Int = 7, _ options: [String] = [],
        _ test: (Desk) async throws -> Void
    ) async throws {
        await Slots.shared.take()
        do {
            let desk = try await Desk(
                fleet: fleet ?? "bitget=\(accounts)", positions: positions, seed: seed, options)
            do {
                try await test(desk)
                try await desk.close()
            } catch {
                try await desk.close()
                throw error
            }
            await Slots.shared.give()
        } catch {
            await Slots.shared.give()
            throw error
        }
    }

    private init(fleet: String, positions: Int, seed: Int, _ options: [String]) async throws {
        let folder = URL(fileURLWithPath: NSTemporaryDirectory())
            .appendingPathComponent("flatbook-e2e-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("FLATBOOK_") }
        environment["XDG_STATE_HOME"] = folder.appendingPathComponent("state").path
        self.environment = environment
        self.folder = folder
        var isReady = false
        defer { if !isReady { try? FileManager.default.removeItem(at: folder) } }
        simulator = try Child(
            [
                "simulate", "--accounts", fleet, "--positions", "\(positions)", "--seed", "\(seed)",
                "--out", folder.path,
            ] + options, in: folder, environment: environment)
        do {
            let ready = try await simulator.firstLine()
            let object = try JSONSerialization.jsonObject(with: Data(ready.utf8)) as? [String: Any]
            guard let number = object?["port"] as? Int else { throw Unmet("no port in \(ready)") }
            port = number
            isReady = true
        } catch {
            simulator.send(9)
            throw error
        }
    }

    private func close() async throws {
        // A test that failed half-way may have left a run behind.
        for child in started.all { child.send(9) }
        simulator.send(15)
        _ = try await simulator.outcome(within: 20)
        try FileManager.default.removeItem(at: folder)
    }

    /// Ends the simulator before the test does.
    func stopExchange() async throws {
        simulator.send(15)
        _ = try await simulator.outcome(within: 20)
    }

    // MARK: Files

    func path(_ name: String) -> URL { folder.appendingPathComponent(name) }

    func read(_ name: String) throws -> String { try String(contentsOf: path(name), encoding: .utf8) }

    func write(_ name: String, _ text: String, mode: Int = 0o644) throws {
        try text.write(to: path(name), atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path(name).path)
    }

    func replace(_ name: String, _ old: String, _ new: String) throws {
        let text = try read(name)
        guard text.contains(old) else { throw Unmet("\(name) holds no \(old):\n\(text)") }
        let mode = try FileManager.default.attributesOfItem(atPath: path(name).path)[.posixPermissions] as? Int
        try write(name, text.replacingOccurrences(of: old, with: new), mode: mode ?? 0o644)
    }

    /// A plan of all accounts and symbols, with more lines.
    func plan(
        accounts: String = #"["*"]"#, symbols: String = #"["*"]"#, name: String = "test", _ more: String = ""
    ) throws -> String {
        try write(
            "plans/\(name).yaml", "version: 1\nname: \(name)\naccounts: \(accounts)\nsymbols: \(symbols)\n\(more)\n")
        return "plans/\(name).yaml"
    }

    /// Name → key, secret and passphrase.
    func secrets() throws -> [String: [String: String]] {
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: path("secrets.json")))
        guard let secrets = object as? [String: [String: String]] else { throw Unmet("secrets.json is no table") }
        return secrets
    }

    func editSecrets(_ change: (inout [String: [String: String]]) -> Void) throws {
        var all = try secrets()
        change(&all)
        let data = try JSONSerialization.data(withJSONObject: all, options: .sortedKeys)
        try write("secrets.json", String(decoding: data, as: UTF8.self), mode: 0o600)
    }

    // MARK: Commands

    /// - Parameter program: another one than the binary under test.
    func start(_ arguments: [String], program: URL = Binary.url) throws -> Child {
        let child = try Child(arguments, of: program, in: folder, environment: environment)
        started.add(child)
        return child
    }

    /// Runs a command to its end, without a terminal.
    func flatbook(_ arguments: String..., within seconds: Double = 90) async throws -> Outcome {
        try await start(arguments).outcome(within: seconds)
    }

    /// Runs a script of bash in the desk's folder; `$FLATBOOK` is the binary.
    func shell(_ script: String, within seconds: Double = 90) async throws -> Outcome {
        var environment = environment
        environment["FLATBOOK"] = Binary.url.path
        let child = try Child(
            ["-c", script], of: URL(fileURLWithPath: "/bin/bash"), in: folder, environment: environment)
        started.add(child)
        return try await child.outcome(within: seconds)
    }

    /// `run PLAN --yes`, without progress.
    func run(_ plan: String = "plans/all.yaml", _ more: String...) async throws -> Outcome {
        try await start(["run", plan, "--yes", "--progress", "none"] + more).outcome()
    }

    // MARK: What happened

    func state() async throws -> ExchangeState {
        guard let url = URL(string: "http://127.0.0.1:\(port)/_simulator/state") else { throw Unmet("no URL") }
        let (data, _) = try await URLSession.shared.data(from: url)
        return try JSONDecoder().decode(ExchangeState.self, from: data)
    }

    /// The report of the newest run, or of the one in `reports`.
    func report(in folder: String = "reports") throws -> Report {
        let runs = try FileManager.default.contentsOfDirectory(atPath: path(folder).path)
            .filter { FileManager.default.fileExists(atPath: path("\(folder)/\($0)/report.json").path) }
        guard let newest = runs.sorted().last else { throw Unmet("no report in \(folder)") }
        return try JSONDecoder().decode(
            Report.self, from: Data(contentsOf: path("\(folder)/\(newest)/report.json")))
    }
}

/// What the simulator tells.
struct ExchangeState: Decodable, Sendable {
    struct Position: Decodable, Hashable, Sendable {
        var name: String
        var productType: String
        var symbol: String
        var side: String
        var size: String
    }

    struct Receipt: Decodable, Sendable {
        var uid: String
        var route: String
        var body: String
        var executed: Bool
    }

    var openPositions: Int
    var positions: [Position]
    var calls: [String: Int]
    var receiptCount: Int
    var receipts: [Receipt]
    var limitViolations: Int
    var rateLimitRejections: Int
    var exposureIncreases: Int
    var venueOpenings: Int

    /// Calls that change something; every one of them is a POST at Bitget.
    var mutations: Int { calls.filter { $0.key.hasPrefix("POST") }.values.reduce(0, +) }

    func open(_ account: String) -> Int { positions.count { $0.name == account } }
}

/// The parts of `report.json` that tests look at.
struct Report: Decodable, Sendable {
    struct Run: Decodable, Sendable {
        var id: String
        var status: String
        var exitCode: Int
    }

    struct Problem: Decodable, Sendable {
        var `class`: String?
        var message: String?
        var action: String?
    }

    struct Account: Decodable, Sendable {
        var name: String
        var state: String
        var reason: String?
        var error: Problem?
    }

    struct Leg: Decodable, Sendable {
        var account: String
        var instrument: String
        var side: String
        var state: String
    }

    struct Call: Decodable, Sendable {
        var id: String
        var operation: String
        var effect: String
    }

    var run: Run
    var accounts: [Account]
    var legs: [Leg]
    var calls: [Call]

    func account(_ name: String) -> Account? { accounts.first { $0.name == name } }
}
