import COpenSSL
import ExchangeKit
import ExchangeSimulator
import Foundation

/// A client of the simulated BingX with its own signer.
struct BingXBench {
    var simulation: ExchangeSimulation
    var now: Int64 = 0
    static let epoch: Int64 = 1_767_225_600_000
    static let closeAll = "/openApi/swap/v2/trade/closeAllPositions"
    static let closeOne = "/openApi/swap/v1/trade/closePosition"
    static let positions = "/openApi/swap/v2/user/positions"
    static let order = "/openApi/swap/v2/trade/order"

    static let identity = FleetBuilder.Identity(
        venue: .bingx, name: "one", uid: "16844999", key: "testApiKey0001", secret: "testSecret-8f3a1c2b5d7e9f00",
        passphrase: "")

    init(
        hedge: Bool = true, seed: UInt64 = 1, switches: BingXSwitches = BingXSwitches(),
        faults: FaultPlan = FaultPlan(), fillDelayMs: Int64 = 0, readLagMs: Int64 = 0, limitsScale: Double = 1,
        clockOffsetMs: Int64 = 0, _ prepare: (inout FleetBuilder) -> Void = { _ in }
    ) {
        var fleet = FleetBuilder(seed: seed, instruments: SimulatedInstrument.bingxCatalogue)
        fleet.add(Self.identity, isHedge: hedge)
        prepare(&fleet)
        simulation = ExchangeSimulation(
            SimulationConfiguration(
                seed: seed, accounts: fleet.accounts, instruments: SimulatedInstrument.bingxCatalogue,
                limitsScale: limitsScale, faults: faults, bingx: switches, fillDelayMs: fillDelayMs...fillDelayMs,
                readLagMs: readLagMs, clockOffsetMs: clockOffsetMs))
    }

    static func hex(_ message: String, _ secret: String) -> String {
        var out = [UInt8](repeating: 0, count: 32)
        var size = 0
        let key = Array(secret.utf8)
        let text = Array(message.utf8)
        EVP_Q_mac(nil, "HMAC", nil, "SHA256", nil, key, key.count, text, text.count, &out, 32, &size)
        return out.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    static func encode(_ text: String) -> String {
        text.addingPercentEncoding(
            withAllowedCharacters: CharacterSet(
                charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")) ?? ""
    }

    static func signed(
        _ method: String, _ path: String, _ pairs: KeyValuePairs<String, String> = [:], at ms: Int64,
        as identity: FleetBuilder.Identity = BingXBench.identity
    ) -> SimulatedRequest {
        let all = pairs.map { ($0.key, $0.value) } + [("timestamp", String(ms))]
        let sorted = all.sorted { $0.0 < $1.0 }
        let text = sorted.map { $0.0 + "=" + $0.1 }.joined(separator: "&")
        let query = sorted.map { $0.0 + "=" + encode($0.1) }.joined(separator: "&")
        return SimulatedRequest(
            method: method, target: path + "?" + query + "&signature=" + hex(text, identity.secret),
            headers: [("X-BX-APIKEY", identity.key)])
    }

    mutating func wait(_ ms: Int64) { now += ms * 1_000_000 }

    @discardableResult
    mutating func send(_ request: SimulatedRequest) -> Answer {
        Answer(simulation.receive(request, atMs: Self.epoch + now / 1_000_000, arrivalNs: now))
    }

    @discardableResult
    mutating func call(
        _ method: String, _ path: String, _ pairs: KeyValuePairs<String, String> = [:]
    ) -> Answer {
        send(Self.signed(method, path, pairs, at: Self.epoch + now / 1_000_000))
    }

    mutating func get(_ path: String, _ pairs: KeyValuePairs<String, String> = [:]) -> Answer {
        call("GET", path, pairs)
    }

    @discardableResult
    mutating func post(_ path: String, _ pairs: KeyValuePairs<String, String> = [:]) -> Answer {
        call("POST", path, pairs)
    }

    /// What is open, as the simulation knows it: id and size.
    var open: [String: Fixed] {
        Dictionary(
            uniqueKeysWithValues: simulation.positions(ofUID: Self.identity.uid).map { ($0.id, $0.quantity) })
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

        var code: Int { (json["code"] as? NSNumber)?.intValue ?? -1 }
        var message: String { json["msg"] as? String ?? "" }
        var data: [String: Any] { json["data"] as? [String: Any] ?? [:] }
        var rows: [[String: Any]] { json["data"] as? [[String: Any]] ?? [] }
        var order: [String: Any] { data["order"] as? [String: Any] ?? [:] }

        /// The last run of digits in the message.
        var until: Int64? { message.split { !$0.isNumber }.last.flatMap { Int64($0) } }
    }
}
