import ExchangeKit
import Foundation

/// The exchanges that are simulated. All of them stand behind one address, told apart by path.
package enum SimulatedVenue: String, CaseIterable, Hashable, Sendable {
    case bitget, okx, bingx

    /// - Parameter path: of a request, without its query.
    init?(path: String) {
        if path.hasPrefix("/api/v5/") {
            self = .okx
        } else if path.hasPrefix("/openApi/") {
            self = .bingx
        } else if path.hasPrefix("/api/") {
            self = .bitget
        } else {
            return nil
        }
    }
}

/// A request at the gateway of its exchange.
struct Arrival: Sendable {
    var request: SimulatedRequest
    var path: String
    /// As on the wire: percent-encoded, without `?`.
    var query: String
    var ns: Int64
    /// The exchange's clock.
    var ms: Int64
    var elapsedMs: Int64
    /// Who calls, as far as can be told before any check: uid, unknown key, or address.
    var scope = ""
    /// How many calls of this caller to this path came before.
    var ordinal = 0

    init(_ request: SimulatedRequest, ns: Int64, ms: Int64, elapsedMs: Int64) {
        self.request = request
        self.ns = ns
        self.ms = ms
        self.elapsedMs = elapsedMs
        let parts = request.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = parts.first.map(String.init) ?? ""
        query = parts.count > 1 ? String(parts[1]) : ""
    }

    var label: String { request.method + " " + path }

    /// The query's pairs, decoded, in the order received.
    var pairs: [(name: String, value: String)] {
        query.split(separator: "&").map { pair in
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (PercentText.decode(halves[0]), halves.count > 1 ? PercentText.decode(halves[1]) : "")
        }
    }

    /// A generator of this call's own.
    func random(_ seed: UInt64, _ purpose: String) -> SplitMix64 {
        SplitMix64(seed, purpose, scope, path, ordinal: ordinal)
    }
}

/// Percent-decoding of a query; `+` is a blank.
enum PercentText {
    static func decode(_ text: Substring) -> String {
        var out: [UInt8] = []
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let high = hex(bytes[index + 1]), let low = hex(bytes[index + 2])
            {
                out.append(high << 4 | low)
                index += 3
            } else {
                out.append(bytes[index] == UInt8(ascii: "+") ? UInt8(ascii: " ") : bytes[index])
                index += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// What a gateway answers, before the network has its say.
struct GatewayAnswer: Sendable {
    var reply: VenueReply
    /// The exchange's code in it; empty where there is none.
    var code: String
    /// Whether something changed, or an order was accepted.
    var executed = false
    /// A refusal for its own reasons, neither success nor throttle: counted in ``Truth/rejections``.
    var isRejection = false

    /// An error page of the edge.
    static func html(_ status: Int, _ title: String) -> GatewayAnswer {
        let text =
            "<html>\r\n<head><title>\(status) \(title)</title></head>\r\n<body><h1>\(title)</h1></body>\r\n</html>\r\n"
        return page(status, "text/html", text)
    }

    static func page(_ status: Int, _ type: String, _ text: String) -> GatewayAnswer {
        GatewayAnswer(
            reply: VenueReply(
                status: status, headers: [VenueRequest.Header("content-type", type)], body: Array(text.utf8)),
            code: "")
    }
}

/// How one exchange words what goes wrong at its edge and behind it, for one call.
struct GatewayVoice {
    typealias Drawn = (ExchangeSimulation, inout SplitMix64) -> GatewayAnswer

    /// The throttle's answer.
    var tooMany: (ExchangeSimulation) -> GatewayAnswer
    /// An error before execution that an honest client must take for unknown, e.g. while software is released.
    var spurious: Drawn
    /// An error although the call was executed.
    var systemError: Drawn
    /// Success without the rows, or not the exchange's envelope: must never be taken for flat.
    var failedRead: Drawn
}

extension ExchangeSimulation {
    func uid(forKey key: String?) -> String {
        key.flatMap { world.account(forKey: $0) }.map { world.states[$0].account.uid } ?? ""
    }

    func capacity(_ base: Int) -> Int { max(1, Int(Double(base) * configuration.limitsScale)) }

    mutating func violate(_ scope: String, _ arrival: Arrival) {
        guard world.truth.limitViolations.count < Truth.receiptLimit else { return }
        world.truth.limitViolations.append(LimitViolation(scope: scope, route: arrival.label, arrivalNs: arrival.ns))
    }

    mutating func note(
        _ arrival: Arrival, uid: String, mutation: Bool, executed: Bool, status: Int, code: String
    ) {
        world.truth.note(
            Receipt(
                uid: uid, route: arrival.label, clientAddress: arrival.request.clientAddress, arrivalNs: arrival.ns,
                body: arrival.request.body, query: arrival.query, isMutation: mutation, executed: executed,
                status: status, code: code))
    }

    /// The fault of this request, drawn once.
    mutating func drawFault(_ arrival: Arrival, mutation: Bool) -> (FaultKind?, SplitMix64) {
        var random = arrival.random(configuration.seed, "fault")
        let fault = configuration.faults.fault(mutation: mutation, elapsedMs: arrival.elapsedMs, random: &random)
        if fault != nil { world.truth.faultsDone += 1 }
        return (fault, random)
    }

    /// What a fault does before anything is checked; nil: it waits until after the execution.
    mutating func preempt(
        _ fault: FaultKind, _ arrival: Arrival, uid: String, mutation: Bool, voice: GatewayVoice,
        _ random: inout SplitMix64
    ) -> SimulatedDelivery? {
        let answer: GatewayAnswer
        switch fault {
        case .tooMany:
            world.truth.injectedRejections += 1
            answer = voice.tooMany(self)
        case .serverError:
            let pages: [(Int, String)] = [
                (500, "Internal Server Error"), (502, "Bad Gateway"), (503, "Service Unavailable"), (520, "Unknown"),
            ]
            let page = pages[random.below(pages.count)]
            answer = .html(page.0, page.1)
        case .edgeBlock: answer = .page(403, "text/plain", "")
        case .releaseWindow: answer = voice.spurious(self, &random)
        case .cutBefore, .hangBefore:
            note(arrival, uid: uid, mutation: mutation, executed: false, status: 0, code: "")
            let fate: SimulatedDelivery.Fate = fault == .hangBefore ? .hang : .cutBeforeExecution
            return SimulatedDelivery(reply: nil, delayMs: 0, fate: fate, executed: false)
        default: return nil
        }
        return deliver(answer, arrival, uid: uid, mutation: mutation, fault: nil, voice: voice)
    }

    /// A penalty box of one account: all its calls are refused for a while. Nil: it is not in one.
    mutating func penaltyBox(_ arrival: Arrival, uid: String) -> Bool {
        let faults = configuration.faults
        guard faults.penaltyPerMille > 0, !uid.isEmpty else { return false }
        let scope = "penalty " + arrival.scope
        if limiter.isLocked(scope, at: arrival.ns) { return true }
        if let quiet = faults.quietAfterMs, arrival.elapsedMs >= quiet { return false }
        var random = arrival.random(configuration.seed, "penalty")
        guard random.chance(perMille: faults.penaltyPerMille) else { return false }
        limiter.lock(scope, until: arrival.ns + random.inside(faults.penaltyMs) * 1_000_000)
        world.truth.faultsDone += 1
        return true
    }

    /// Executes a request that passed every check later; the client sees a cut connection.
    mutating func putOff(
        _ arrival: Arrival, account: Int, uid: String, _ random: inout SplitMix64
    ) -> SimulatedDelivery {
        let late = LateRequest(request: arrival.request, receipt: world.truth.receipts.count)
        let delay = random.inside(300...5_000) * 1_000_000
        world.schedule(.execute(account: account, request: late), atNs: arrival.ns + delay)
        note(arrival, uid: uid, mutation: true, executed: false, status: 0, code: "")
        return SimulatedDelivery(reply: nil, delayMs: 0, fate: .cutBeforeExecution, executed: false)
    }

    /// Records the receipt, and lets the network do to the reply what a fault does after execution.
    mutating func deliver(
        _ answer: GatewayAnswer, _ arrival: Arrival, uid: String, mutation: Bool, fault: FaultKind?,
        voice: GatewayVoice
    ) -> SimulatedDelivery {
        note(
            arrival, uid: uid, mutation: mutation, executed: answer.executed, status: answer.reply.status,
            code: answer.code)
        if answer.isRejection { world.truth.rejections[answer.code, default: 0] += 1 }
        var delivery = SimulatedDelivery(
            reply: answer.reply, delayMs: 0, fate: .deliver, executed: answer.executed)
        guard let fault else { return delivery }
        var random = arrival.random(configuration.seed, "after")
        let size = answer.reply.body.count
        switch fault {
        case .slow: delivery.delayMs = random.inside(1_500...6_000)
        case .cutAfter: delivery.fate = .cutAfterExecution
        case .hangAfter: delivery.fate = .hang
        case .truncateAfter: delivery.fate = .truncate(bytes: random.below(max(1, size - 1)))
        case .wrongLengthAfter: delivery.fate = .wrongLength(declared: size + 1 + random.below(64))
        case .gatewayAfter:
            let isBad = random.chance(perMille: 500)
            delivery.reply = (isBad ? GatewayAnswer.html(502, "Bad Gateway") : .html(504, "Gateway Time-out")).reply
        case .systemErrorAfter: delivery.reply = voice.systemError(self, &random).reply
        case .failedRead: delivery.reply = voice.failedRead(self, &random).reply
        default: break
        }
        return delivery
    }
}
