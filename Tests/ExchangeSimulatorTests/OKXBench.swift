import COpenSSL
import ExchangeKit
import ExchangeSimulator
import Foundation

/// A client of the simulated OKX with its own signer.
struct OKXBench {
    var simulation: ExchangeSimulation
    var now: Int64 = 0
    var environmentHeader: String?
    static let epoch: Int64 = 1_790_000_000_000
    static let epochText = "2026-09-21T14:13:20.000Z"
    static let closePath = "/api/v5/trade/close-position"
    static let positionsPath = "/api/v5/account/positions"
    static let swap = "BTC-USDT-SWAP"

    static let identity = FleetBuilder.Identity(
        venue: .okx, name: "desk 7", uid: "44705892343619584", key: "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        secret: "0123456789ABCDEF0123456789ABCDEF", passphrase: "Flatten2026!")

    init(
        hedge: Bool = false, seed: UInt64 = 1, switches: OKXSwitches = OKXSwitches(), faults: FaultPlan = FaultPlan(),
        fillDelayMs: Int64 = 0, readLagMs: Int64 = 0, limitsScale: Double = 1, clockOffsetMs: Int64 = 0,
        instruments: [SimulatedInstrument] = SimulatedInstrument.okxCatalogue,
        _ prepare: (inout FleetBuilder) -> Void = { _ in }
    ) {
        var fleet = FleetBuilder(seed: seed, instruments: instruments)
        fleet.add(Self.identity, isHedge: hedge)
        prepare(&fleet)
        simulation = ExchangeSimulation(
            SimulationConfiguration(
                seed: seed, accounts: fleet.accounts, instruments: instruments, limitsScale: limitsScale,
                faults: faults, okx: switches, fillDelayMs: fillDelayMs...fillDelayMs, readLagMs: readLagMs,
                clockOffsetMs: clockOffsetMs))
    }

    static func stamp(_ ms: Int64) -> String {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        return formatter.string(from: Date(timeIntervalSince1970: Double(ms) / 1_000))
    }

    static func hmac(_ message: String, _ secret: String) -> String {
        var out = [UInt8](repeating: 0, count: 32)
        var size = 0
        let key = Array(secret.utf8)
        let text = Array(message.utf8)
        EVP_Q_mac(nil, "HMAC", nil, "SHA256", nil, key, key.count, text, text.count, &out, 32, &size)
        return Data(out).base64EncodedString()
    }

    static func signed(
        _ method: String, _ target: String, _ body: String = "", stamp: String = OKXBench.epochText,
        as identity: FleetBuilder.Identity = OKXBench.identity
    ) -> SimulatedRequest {
        SimulatedRequest(
            method: method, target: target,
            headers: [
                ("OK-ACCESS-KEY", identity.key),
                ("OK-ACCESS-SIGN", hmac(stamp + method + target + body, identity.secret)),
                ("OK-ACCESS-TIMESTAMP", stamp), ("OK-ACCESS-PASSPHRASE", identity.passphrase),
                ("Content-Type", "application/json"),
            ], body: Array(body.utf8))
    }

    mutating func wait(_ ms: Int64) { now += ms * 1_000_000 }

    @discardableResult
    mutating func send(_ request: SimulatedRequest) -> Answer {
        Answer(simulation.receive(request, atMs: Self.epoch + now / 1_000_000, arrivalNs: now))
    }

    mutating func get(_ path: String, _ query: String = "") -> Answer {
        let target = "/api/v5/" + path + (query.isEmpty ? "" : "?" + query)
        return send(Self.signed("GET", target, stamp: Self.stamp(Self.epoch + now / 1_000_000)))
    }

    @discardableResult
    mutating func post(_ path: String, _ body: String) -> Answer {
        send(Self.signed("POST", "/api/v5/" + path, body, stamp: Self.stamp(Self.epoch + now / 1_000_000)))
    }

    @discardableResult
    mutating func close(_ symbol: String = OKXBench.swap, _ mode: String = "cross", _ more: String = "") -> Answer {
        post("trade/close-position", #"{"instId":"\#(symbol)","mgnMode":"\#(mode)"\#(more)}"#)
    }

    /// Sizes of what is open, as the simulation knows them.
    var open: [Fixed] { simulation.positions(ofUID: Self.identity.uid).map(\.quantity) }

    struct Answer {
        var delivery: SimulatedDelivery
        var status: Int
        var text: String
        var json: [String: Any]

        init(_ delivery: SimulatedDelivery) {
            self.delivery = delivery
            status = delivery.reply?.status ?? 0
            let bytes = delivery.reply?.body ?? []
            text = String(decoding: bytes, as: UTF8.self)
            json = (try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]) ?? [:]
        }

        var code: String { json["code"] as? String ?? "" }
        var rows: [[String: Any]] { json["data"] as? [[String: Any]] ?? [] }
        func first(_ name: String) -> String? { rows.first?[name] as? String }
        func all(_ name: String) -> [String] { rows.compactMap { $0[name] as? String } }
    }
}
