import ExchangeKit
import ExchangeSimulator
import Foundation
import COpenSSL

/// A client of the simulator with its own signer: what the tests send, they sign here.
struct Bench {
    var simulation: ExchangeSimulation
    var now: Int64 = 0
    static let epoch: Int64 = 1_790_000_000_000

    static let identity = FleetBuilder.Identity(
        name: "one", uid: "9000001", key: "demo-key-01", secret: "demo-secret-01", passphrase: "Demo0001")

    /// One account, as `prepare` leaves it.
    init(
        hedge: Bool = false, seed: UInt64 = 1, switches: BitgetSwitches = BitgetSwitches(),
        faults: FaultPlan = FaultPlan(), fillDelayMs: Int64 = 0, readLagMs: Int64 = 0, limitsScale: Double = 1,
        clockOffsetMs: Int64 = 0, instruments: [SimulatedInstrument] = SimulatedInstrument.catalogue,
        _ prepare: (inout FleetBuilder) -> Void = { _ in }
    ) {
        var fleet = FleetBuilder(seed: seed, instruments: instruments)
        fleet.add(Self.identity, isHedge: hedge)
        prepare(&fleet)
        simulation = ExchangeSimulation(
            SimulationConfiguration(
                seed: seed, accounts: fleet.accounts, instruments: instruments, limitsScale: limitsScale,
                faults: faults, switches: switches, fillDelayMs: fillDelayMs...fillDelayMs, readLagMs: readLagMs,
                clockOffsetMs: clockOffsetMs))
    }

    init(_ configuration: SimulationConfiguration) { simulation = ExchangeSimulation(configuration) }

    static func hmac(_ message: String, _ secret: String) -> String {
        var out = [UInt8](repeating: 0, count: 32)
        var size = 0
        let key = Array(secret.utf8)
        let text = Array(message.utf8)
        EVP_Q_mac(nil, "HMAC", nil, "SHA256", nil, key, key.count, text, text.count, &out, 32, &size)
        return Data(out).base64EncodedString()
    }

    static func signed(
        _ method: String, _ path: String, _ query: String = "", _ body: String = "", at ms: Int64,
        as identity: FleetBuilder.Identity = Bench.identity
    ) -> SimulatedRequest {
        let stamp = String(ms)
        let prehash = stamp + method + path + (query.isEmpty ? "" : "?" + query) + body
        return SimulatedRequest(
            method: method, target: query.isEmpty ? path : path + "?" + query,
            headers: [
                ("ACCESS-KEY", identity.key), ("ACCESS-SIGN", hmac(prehash, identity.secret)),
                ("ACCESS-TIMESTAMP", stamp), ("ACCESS-PASSPHRASE", identity.passphrase),
                ("Content-Type", "application/json"),
            ], body: Array(body.utf8))
    }

    mutating func wait(_ ms: Int64) { now += ms * 1_000_000 }

    @discardableResult
    mutating func send(_ request: SimulatedRequest) -> SimulatedDelivery {
        simulation.receive(request, atMs: Self.epoch + now / 1_000_000, arrivalNs: now)
    }

    mutating func get(_ path: String, _ query: String = "") -> Answer {
        Answer(send(Self.signed("GET", path, query, at: Self.epoch + now / 1_000_000)))
    }

    mutating func post(_ path: String, _ body: String) -> Answer {
        Answer(send(Self.signed("POST", path, "", body, at: Self.epoch + now / 1_000_000)))
    }

    mutating func close(_ body: String = #"{"productType":"USDT-FUTURES"}"#) -> Answer {
        post("/api/v2/mix/order/close-positions", body)
    }

    mutating func open() -> [[String: Any]] {
        get("/api/v2/mix/position/all-position", "productType=USDT-FUTURES").rows
    }

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
        var data: [String: Any] { json["data"] as? [String: Any] ?? [:] }
        var rows: [[String: Any]] { json["data"] as? [[String: Any]] ?? [] }
        var succeeded: [[String: Any]] { data["successList"] as? [[String: Any]] ?? [] }
        var failed: [[String: Any]] { data["failureList"] as? [[String: Any]] ?? [] }
    }
}
