import ExchangeKit
@testable import ExchangeSimulator
import FlatbookCore

/// What clients send to a simulated exchange: up to four signed requests to any of its routes.
///
/// Input, for each request: the route's number, a line with the query, a line with the body.
struct SimulatorTarget {
    var venue: SimulatedVenue
    /// `METHOD /path`.
    var routes: [String]

    static let all: [FuzzTarget] = [
        SimulatorTarget(
            venue: .bitget, routes: BitgetRoute.allCases.map { ($0.isMutation ? "POST " : "GET ") + $0.rawValue }),
        SimulatorTarget(venue: .okx, routes: OKXRoute.allCases.map(\.rawValue)),
        SimulatorTarget(venue: .bingx, routes: BingXRoute.allCases.map(\.rawValue)),
    ].map { target in
        FuzzTarget(
            "\(target.venue.rawValue)-requests", maximumLength: 1024, dictionary: target.venue.rawValue,
            extremes: { Extremes.requests(target.routes.count) }, make: { target.judge })
    }

    private static let wallStart: Int64 = 1_790_000_000_000

    private var judge: ([UInt8]) -> Void {
        var fleet = FleetBuilder(seed: 3)
        for (index, identity) in FleetBuilder.identities(venue: venue, count: 2, seed: 3).enumerated() {
            let slot = fleet.add(identity, isHedge: index == 0)
            for instrument in SimulatedInstrument.everything.filter({ fleet.instruments(of: venue).contains($0) })
                .prefix(3)
            {
                fleet.position(
                    slot, instrument.symbol, product: instrument.product, side: .long,
                    quantity: instrument.step.scaled(7, over: 1),
                    marginMode: "crossed")
                fleet.resting(
                    slot, instrument.symbol, product: instrument.product, leg: .long, closes: false,
                    size: instrument.step)
            }
        }
        let fresh = ExchangeSimulation(SimulationConfiguration(seed: 3, accounts: fleet.accounts, fillDelayMs: 0...0))
        return { bytes in
            var simulation = fresh
            var chooser = Chooser(bytes)
            for step in 0..<4 where !chooser.isEmpty {
                let number = chooser.byte()
                let account = simulation.accounts[number / 128]
                let route = routes[number % 128 % routes.count]
                let ns = Int64(step) * 1_000_000_000
                let request = request(
                    route, chooser.text(), chooser.line(), account, ms: Self.wallStart + ns / 1_000_000)
                let delivery = simulation.receive(request, atMs: Self.wallStart + ns / 1_000_000, arrivalNs: ns)
                if let body = delivery.reply?.body, body.first == UInt8(ascii: "{") {
                    promise((try? JSONValue.parse(body)) != nil, "\(route) is answered with broken JSON")
                }
            }
            for account in simulation.openPositions {
                for position in account.positions {
                    promise(position.quantity > .zero, "a position of \(position.quantity)")
                }
            }
            promise((try? JSONValue.parse(simulation.stateJSON())) != nil, "the state is no JSON")
        }
    }

    /// Signed as the exchange wants it, whatever the query and the body are.
    private func request(
        _ route: String, _ query: String, _ body: [UInt8], _ account: SimulatedAccount, ms: Int64
    ) -> SimulatedRequest {
        let parts = route.split(separator: " ", maxSplits: 1).map(String.init)
        var request = SimulatedRequest(
            method: parts[0], target: query.isEmpty ? parts[1] : parts[1] + "?" + query, body: body)
        switch venue {
        case .bitget:
            let stamp = String(ms)
            let decoded = BitgetCall(Arrival(request, ns: 0, ms: ms, elapsedMs: 0)).decodedQuery
            let text = stamp + parts[0] + parts[1] + (decoded.isEmpty ? "" : "?" + decoded)
            request.headers = [
                ("ACCESS-KEY", account.key), ("ACCESS-TIMESTAMP", stamp), ("ACCESS-PASSPHRASE", account.passphrase),
                ("ACCESS-SIGN", BitgetSignature.sign(Array(text.utf8) + body, secret: account.secret) ?? ""),
                ("Content-Type", "application/json"),
            ]
        case .okx:
            let stamp = WallTime(milliseconds: ms).rfc3339
            let text = stamp + parts[0] + request.target
            request.headers = [
                ("OK-ACCESS-KEY", account.key), ("OK-ACCESS-TIMESTAMP", stamp),
                ("OK-ACCESS-PASSPHRASE", account.passphrase),
                ("OK-ACCESS-SIGN", BitgetSignature.sign(Array(text.utf8) + body, secret: account.secret) ?? ""),
                ("Content-Type", "application/json"),
            ]
        case .bingx:
            request.target = parts[1] + "?" + (query.isEmpty ? "" : query + "&") + "timestamp=\(ms)"
            request.headers = [("X-BX-APIKEY", account.key)]
            let pairs = BingXCall(Arrival(request, ns: 0, ms: ms, elapsedMs: 0)).pairs.filter { $0.name != "signature" }
            let text = pairs.map { $0.name + "=" + $0.value }.joined(separator: "&")
            request.target += "&signature=" + (BingXSignature.sign(text, secret: account.secret) ?? "")
        }
        return request
    }
}
