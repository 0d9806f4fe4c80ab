import ExchangeSimulator
import Foundation
import SimulatorServer
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@Suite struct ServerTests {
    private func server(_ faults: FaultPlan = FaultPlan()) async throws -> SimulatorServer {
        let fleet = FleetBuilder.uniform(accounts: 1, symbols: 2, seed: 1)
        return try await SimulatorServer.start(
            ExchangeSimulation(
                SimulationConfiguration(seed: 1, accounts: fleet.accounts, faults: faults, fillDelayMs: 0...0)))
    }

    private func get(_ server: SimulatorServer, _ path: String) async throws -> (Int, [String: Any]) {
        let url = try #require(URL(string: "http://127.0.0.1:\(server.port)\(path)"))
        let (data, response) = try await URLSession(configuration: .ephemeral).data(for: URLRequest(url: url))
        let json = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
        return ((response as? HTTPURLResponse)?.statusCode ?? 0, json)
    }

    @Test("serves the time and its state over HTTP") func serves() async throws {
        let server = try await server()
        let (status, time) = try await get(server, "/api/v2/public/time")
        #expect(status == 200)
        #expect(time["code"] as? String == "00000")
        let (_, state) = try await get(server, "/_simulator/state")
        #expect(state["openPositions"] as? Int == 2)
        #expect((state["calls"] as? [String: Int])?["GET /api/v2/public/time"] == 1)
        #expect(server.withSimulation { $0.openPositionCount } == 2)
        try await server.shutdown()
    }

    @Test("closes both positions for one signed request and says so in its state") func signedClose() async throws {
        let server = try await server()
        let account = try #require(server.withSimulation { $0.accounts.first })
        let (_, time) = try await get(server, "/api/v2/public/time")
        let stamp = try #require((time["data"] as? [String: String])?["serverTime"])
        let path = "/api/v2/mix/order/close-positions"
        let body = #"{"productType":"USDT-FUTURES"}"#
        var request = URLRequest(url: try #require(URL(string: "http://127.0.0.1:\(server.port)\(path)")))
        request.httpMethod = "POST"
        request.httpBody = Data(body.utf8)
        let sign = BitgetSignature.sign(Array((stamp + "POST" + path + body).utf8), secret: account.secret)
        for (name, value) in [
            ("ACCESS-KEY", account.key), ("ACCESS-SIGN", try #require(sign)), ("ACCESS-TIMESTAMP", stamp),
            ("ACCESS-PASSPHRASE", account.passphrase), ("Content-Type", "application/json"),
        ] {
            request.setValue(value, forHTTPHeaderField: name)
        }
        let (data, response) = try await URLSession(configuration: .ephemeral).data(for: request)
        #expect((response as? HTTPURLResponse)?.statusCode == 200)
        #expect(String(decoding: data, as: UTF8.self).contains(#""code":"00000""#))
        let (_, state) = try await get(server, "/_simulator/state")
        #expect(state["openPositions"] as? Int == 0)
        #expect(state["exposureIncreases"] as? Int == 0)
        #expect((state["receipts"] as? [[String: Any]])?.last?["executed"] as? Bool == true)
        try await server.shutdown()
    }

    @Test("answers an unsigned close with the code for a missing key and closes nothing") func unsigned() async throws {
        let server = try await server()
        var request = URLRequest(
            url: try #require(URL(string: "http://127.0.0.1:\(server.port)/api/v2/mix/order/close-positions")))
        request.httpMethod = "POST"
        request.httpBody = Data(#"{"productType":"USDT-FUTURES"}"#.utf8)
        let (data, response) = try await URLSession(configuration: .ephemeral).data(for: request)
        #expect((response as? HTTPURLResponse)?.statusCode == 400)
        #expect(String(decoding: data, as: UTF8.self).contains("40006"))
        #expect(server.withSimulation { $0.openPositionCount } == 2)
        try await server.shutdown()
    }

    @Test(
        "does to the connection what the delivery says",
        arguments: [FaultKind.cutBefore, .cutAfter, .truncateAfter, .wrongLengthAfter])
    func cuts(_ kind: FaultKind) async throws {
        var faults = FaultPlan()
        faults.perMille[kind] = 1_000
        let server = try await server(faults)
        await #expect(throws: (any Error).self) { _ = try await get(server, "/api/v2/public/time") }
        // The client library may have repeated a GET whose connection was cut.
        #expect(server.withSimulation { $0.truth.receiptCount } >= 1)
        try await server.shutdown()
    }
}
