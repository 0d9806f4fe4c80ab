import ExchangeKit
import FlatbookCore
import FlatbookCrypto
import FlatbookTestKit
import Synchronization

/// The made-up exchange's own simulator: what a newcomer writes where the embedded one does not fit.
struct AcmeStage: ContractStage {
    let account: Account

    var seats: [ContractSeat] {
        [
            ContractSeat(
                account, mode: .hedge,
                legs: [
                    ContractLeg("perp", "BTC-P", .long, Amount(5)), ContractLeg("perp", "BTC-P", .short, Amount(2)),
                    ContractLeg("perp", "ETH-P", .long, Amount(3)),
                ])
        ]
    }

    func open(_ scene: ContractScene) async throws -> any ContractWire { AcmeWire(scene) }
}

/// One started exchange: positions by account, five calls a second each.
final class AcmeWire: ContractWire {
    private struct State {
        var nowMs: Int64 = 1_790_000_000_000
        var open: [String: [ContractLeg]] = [:]
        var closed: [String: [ContractLeg]] = [:]
        var calls: [String: [Int64]] = [:]
        var failed: Set<ContractLeg> = []
        var rejections = 0
        var orders = 0
    }

    let base = "http://acme.invalid"
    private let scene: ContractScene
    private let state = Mutex(State())

    init(_ scene: ContractScene) {
        self.scene = scene
        state.withLock { state in
            for seat in scene.seats { state.open[seat.account.name] = seat.legs }
        }
    }

    func credentials(of account: String) -> [String: String] {
        ["key": "key-" + account, "secret": "secret-" + account]
    }
    func time() async -> WallTime { state.withLock { WallTime(milliseconds: $0.nowMs) } }
    func pass(_ span: TimeSpan) async { state.withLock { $0.nowMs += span.milliseconds } }
    func end() async {}

    func truth() async -> ContractTruth {
        state.withLock { state in
            ContractTruth(
                open: state.open, closed: state.closed, exposureIncreases: 0, rateLimitRejections: state.rejections)
        }
    }

    func send(_ request: SignedRequest) async throws -> VenueReply? {
        let headers = Dictionary(request.headers.map { ($0.name, $0.value) }, uniquingKeysWith: { a, _ in a })
        let key = headers["Acme-Key"] ?? ""
        let path = String(request.target.prefix { $0 != "?" })
        let query = request.target.dropFirst(path.count + 1)
        let message = (headers["Acme-Time"] ?? "") + request.method.rawValue + path + "?" + query + "\n"
        guard let seat = scene.seats.first(where: { "key-" + $0.account.name == key }),
            let hmac = try? HMACKey(Secret("secret-" + seat.account.name)),
            let tag = try? hmac.sign(Array(message.utf8) + request.body), Hex.encode(tag) == headers["Acme-Sign"]
        else { return reply(#"{"code":8}"#, 401) }
        return state.withLock { state in
            answer(path, request.body, seat.account.name, &state)
        }
    }

    private func reply(_ text: String, _ status: Int = 200) -> VenueReply {
        VenueReply(status: status, body: Array(text.utf8))
    }

    private func answer(_ path: String, _ body: [UInt8], _ name: String, _ state: inout State) -> VenueReply {
        let recent = (state.calls[name] ?? []).filter { state.nowMs - $0 < 1000 }
        guard recent.count < 5 else {
            state.rejections += 1
            return reply(#"{"code":429}"#, 429)
        }
        state.calls[name] = recent + [state.nowMs]
        switch path {
        case "/v1/time": return reply(#"{"code":0,"time":"\#(state.nowMs)"}"#)
        case "/v1/me": return reply(#"{"code":0,"uid":"1001"}"#)
        case "/v1/markets":
            let rows = ["BTC", "ETH"].map { #"{"id":"\#($0)-P","base":"\#($0)","quote":"USD"}"# }
            return reply(#"{"code":0,"markets":[\#(rows.joined(separator: ","))]}"#)
        case "/v1/positions":
            if scene.troubles.contains(.readsFail) { return reply(#"{"code":0}"#) }
            let rows = (state.open[name] ?? []).map {
                #"{"id":"\#($0.instrument)","side":"\#($0.side.rawValue)","size":"\#($0.quantity)"}"#
            }
            return reply(#"{"code":0,"rows":[\#(rows.joined(separator: ","))]}"#)
        case "/v1/close", "/v1/reduce": return close(body, name, &state)
        default: return reply(#"{"code":404}"#, 404)
        }
    }

    private func close(_ body: [UInt8], _ name: String, _ state: inout State) -> VenueReply {
        guard let value = try? JSONValue.parse(body) else { return reply(#"{"code":400}"#, 400) }
        let reached = (state.open[name] ?? []).filter {
            (value["symbol"]?.text ?? $0.instrument) == $0.instrument
                && (value["side"]?.text ?? $0.side.rawValue) == $0.side.rawValue
        }
        guard !reached.isEmpty else { return reply(#"{"code":7}"#) }
        if scene.troubles.contains(.legsFailOnce), !state.failed.isSuperset(of: reached) {
            state.failed.formUnion(reached)
            return reply(#"{"code":5}"#, 503)
        }
        state.open[name]?.removeAll { reached.contains($0) }
        state.closed[name, default: []] += reached
        state.orders += 1
        return reply(#"{"code":0,"order":"\#(state.orders)"}"#)
    }
}
