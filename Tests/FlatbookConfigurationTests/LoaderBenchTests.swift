import FlatbookCore
import Foundation
import Testing

@testable import FlatbookConfiguration

/// A folder of configuration files that goes away with the test.
final class LoaderBench {
    let root: String

    init() throws {
        root = NSTemporaryDirectory() + "/flatbook-loader-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func write(_ name: String, _ text: String) throws { try write(name, Data(text.utf8)) }

    func write(_ name: String, _ data: Data) throws { try data.write(to: URL(fileURLWithPath: root + "/" + name)) }

    static let loader = ConfigurationLoader(exchanges: [
        ExchangeDescription(
            id: ExchangeID("bitget"), credentialFields: ["key", "secret", "passphrase"],
            options: [
                .init(name: "products", allowed: ["USDT-FUTURES", "COIN-FUTURES", "USDC-FUTURES"], isList: true),
                .init(name: "api", allowed: ["auto", "classic"], isList: false),
                .init(name: "role", allowed: ["normal"], isList: false),
            ], knownElsewhere: ["marginKind"])
    ])

    /// The exchanges of the repository's own files.
    static let everyExchange = ConfigurationLoader(exchanges: [
        ExchangeDescription(
            id: ExchangeID("bitget"), credentialFields: ["key", "secret", "passphrase"],
            options: [
                .init(name: "products", allowed: ["USDT-FUTURES", "COIN-FUTURES", "USDC-FUTURES"], isList: true),
                .init(name: "api", allowed: ["auto", "classic", "unified"], isList: false),
                .init(name: "role", allowed: ["normal", "copy-follower"], isList: false),
            ], knownElsewhere: []),
        ExchangeDescription(
            id: ExchangeID("okx"), credentialFields: ["key", "secret", "passphrase"],
            options: [
                .init(name: "instrumentTypes", allowed: ["SWAP", "FUTURES", "MARGIN", "OPTION"], isList: true),
                .init(name: "site", allowed: ["global", "eea", "us", "tr"], isList: false),
            ], knownElsewhere: []),
        ExchangeDescription(
            id: ExchangeID("bingx"), credentialFields: ["key", "secret"],
            options: [.init(name: "products", allowed: ["swap", "cswap"], isList: true)], knownElsewhere: []),
    ])

    /// Loads one accounts file named `a.yaml`.
    static func accounts(_ text: String) throws -> (accounts: [Account], problems: [String]) {
        let bench = try LoaderBench()
        try bench.write("a.yaml", text)
        let (accounts, diagnostics) = loader.loadAccounts(directory: bench.root)
        return (accounts, bench.relative(diagnostics))
    }

    /// Loads one plan file named `p.yaml`.
    static func plan(_ text: String) throws -> (plan: PlanDocument?, problems: [String]) {
        let bench = try LoaderBench()
        try bench.write("p.yaml", text)
        let (plans, diagnostics) = loader.loadPlans(paths: [bench.root + "/p.yaml"])
        return (plans.first, bench.relative(diagnostics))
    }

    /// Messages without the folder's changing name.
    func relative(_ diagnostics: [Diagnostic]) -> [String] {
        diagnostics.map { $0.description.replacingOccurrences(of: root + "/", with: "") }
    }

    /// Accounts that are valid but for what a test puts in. The account starts on line 8, what is put in on line 10.
    static func account(_ extra: String, environment: String = "simulated", name: String = "desk-1") -> String {
        """
        version: 1
        defaults:
          exchange: bitget
          credentials:
            key: env:{NAME}_KEY
            secret: env:{NAME}_SECRET
        accounts:
          - name: \(name)
            environment: \(environment)
            \(extra)
            credentials: {passphrase: "env:PASS"}
        """
    }
}
