import ExchangeSimulator
import Foundation
import SimulatorServer
import Testing

/// What a whole close does not take, with the real binary over HTTP.
@Suite struct ResidualTests {
    private struct ReportFile: Decodable {
        struct Run: Decodable { var exitCode: Int }
        struct Leg: Decodable {
            struct Problem: Decodable { var action: String }
            var account: String
            var state: String
            var reason: String?
            var closedBy: String?
            var error: Problem?
        }
        var run: Run
        var legs: [Leg]
    }

    /// 3.5 times what one order may close at each exchange, one leg that is liquidated under the run, and one of dust.
    private static func configuration() -> SimulationConfiguration {
        var builder = FleetBuilder(seed: 3)
        var instruments = SimulatedInstrument.everything
        func add(
            _ venue: SimulatedVenue, _ name: String, _ symbol: String, _ product: String, _ quantity: Fixed,
            isHedge: Bool = false, scripts: [Script] = [], _ edit: (inout SimulatedInstrument) -> Void
        ) {
            guard
                let identity = FleetBuilder.identities(venue: venue, count: 9, seed: 3).first(where: { identity in
                    !builder.accounts.contains { $0.uid == identity.uid }
                })
            else { return }
            let slot = builder.add(identity, isHedge: isHedge)
            builder.position(slot, symbol, product: product, side: .short, quantity: quantity)
            builder.edit(slot) {
                $0.name = name
                $0.scripts = scripts
            }
            for index in instruments.indices
            where instruments[index].symbol == symbol && instruments[index].product == product {
                edit(&instruments[index])
            }
        }
        func capped(_ listed: inout SimulatedInstrument) {
            listed.maxMarketQuantity = "2"
            listed.maxFlashClose = "2"
        }
        add(.bitget, "split-bitget", "BTCUSDT", "USDT-FUTURES", "7", isHedge: true, capped)
        add(.okx, "split-okx", "BTC-USDT-SWAP", "SWAP", "7", capped)
        add(.bingx, "split-bingx", "BTC-USDT", "swap", "7", capped)
        let ending = ScriptAction.end(product: "SWAP", symbol: "ETH-USDT-SWAP", by: .liquidation, quantity: nil)
        add(.okx, "liquidated", "ETH-USDT-SWAP", "SWAP", "3", scripts: [Script(.beforeClose(1), ending)]) { _ in }
        add(.bitget, "dust", "ETHUSDT", "USDT-FUTURES", "0.02") {
            $0.minQuantity = "1"
            $0.closesBelowMinimum = false
        }
        return SimulationConfiguration(seed: 3, accounts: builder.accounts, instruments: instruments)
    }

    private static func accountsFile(_ accounts: [SimulatedAccount], port: Int) -> String {
        let rows = accounts.map { account in
            var credentials = "key: \"\(account.key)\", secret: \"\(account.secret)\""
            if account.venue != .bingx { credentials += ", passphrase: \"\(account.passphrase)\"" }
            return """
                  - name: \(account.name)
                    exchange: \(account.venue.rawValue)
                    environment: simulated
                    uid: "\(account.uid)"
                    endpoint: http://127.0.0.1:\(port)
                    credentials: {\(credentials)}
                """
        }
        return "version: 1\naccounts:\n" + rows.joined(separator: "\n") + "\n"
    }

    @Test("splits what is too large, names dust, and tells a liquidation from a close")
    func residuals() async throws {
        await Slots.shared.take()
        let configuration = Self.configuration()
        let server = try await SimulatorServer.start(ExchangeSimulation(configuration))
        let folder = URL(fileURLWithPath: NSTemporaryDirectory())
            .appendingPathComponent("flatbook-residuals-\(UUID().uuidString)")
        do {
            try await check(server, configuration, folder)
            try await server.shutdown()
        } catch {
            try? await server.shutdown()
            await Slots.shared.give()
            throw error
        }
        try? FileManager.default.removeItem(at: folder)
        await Slots.shared.give()
    }

    private func check(_ server: SimulatorServer, _ configuration: SimulationConfiguration, _ folder: URL) async throws
    {
        for part in ["accounts", "plans"] {
            try FileManager.default.createDirectory(
                at: folder.appendingPathComponent(part), withIntermediateDirectories: true)
        }
        try Self.accountsFile(configuration.accounts, port: server.port).write(
            to: folder.appendingPathComponent("accounts/all.yaml"), atomically: false, encoding: .utf8)
        try "version: 1\nname: residuals\naccounts: [\"*\"]\nsymbols: [\"*\"]\n".write(
            to: folder.appendingPathComponent("plans/all.yaml"), atomically: false, encoding: .utf8)
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("FLATBOOK_") }
        environment["XDG_STATE_HOME"] = folder.appendingPathComponent("state").path
        let child = try Child(
            ["run", "plans/all.yaml", "--yes", "--progress", "none", "--format", "json"], in: folder,
            environment: environment)
        let outcome = try await child.outcome(within: 120)
        // The dust is still there.
        #expect(outcome.code == 10, "\(outcome.all)")
        let report = try JSONDecoder().decode(ReportFile.self, from: Data(outcome.stdout.utf8))
        #expect(report.run.exitCode == 10)
        for leg in report.legs {
            switch leg.account {
            case "dust":
                #expect(leg.state == "dust" && leg.reason?.contains("below what the exchange lets") == true)
                #expect(leg.error?.action.isEmpty == false)
            case "liquidated": #expect(leg.state == "flat" && leg.closedBy == "liquidation")
            default: #expect(leg.state == "flat" && leg.closedBy == "us", "\(leg)")
            }
        }
        #expect(report.legs.count == 5)
        let truth = server.withSimulation { $0.truth }
        #expect(truth.exposureIncreases == 0 && truth.unprotectedOrders == 0 && truth.neverCalls.isEmpty)
        for (key, closes) in truth.executedCloses {
            #expect(closes.map(\.quantity).reduce(.zero, +) == "7", "\(key)")
            #expect(closes.count == 4 && closes.allSatisfy { $0.quantity <= "2" }, "\(key) \(closes)")
        }
        #expect(truth.executedCloses.count == 3)
    }
}
