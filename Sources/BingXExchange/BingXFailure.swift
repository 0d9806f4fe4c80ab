import ExchangeKit
import FlatbookCore

/// What an answer that is no success means. What the call was, the HTTP status, the code and its text decide.
enum BingXFailure {
    static let malformed = "malformed-reply"

    static func unproven(_ detail: String, isMutation: Bool) -> Outcome {
        Outcome(
            effect: isMutation ? .unknown : .none, errorClass: .unknown, code: malformed,
            message: ReplyText.printable(detail))
    }

    /// A reply that is not the exchange's envelope. On a mutation its effect is unknown, whatever the status says.
    static func unreadable(_ reply: VenueReply, _ detail: String, route: String) -> Outcome {
        let isMutation = kind(of: route) != .read
        var outcome = unproven(detail, isMutation: isMutation)
        if !(200..<300).contains(reply.status) { outcome.code = "http-\(reply.status)" }
        if reply.status >= 500, !isMutation { outcome.errorClass = .retry }
        stopAddress(&outcome, status: reply.status, route: route)
        return outcome
    }

    /// A refused read. A code on a read never says anything about an effect.
    static func ofRead(_ envelope: BingXEnvelope, status: Int, route: String) -> Outcome {
        var outcome = classified(envelope.code, envelope.message, route: route)
        if envelope.code == BingXEnvelope.success {
            outcome = Outcome(effect: .none, errorClass: .unknown, code: "http-\(status)")
        } else if row(envelope.code, envelope.message, route) == nil {
            outcome.errorClass = status >= 500 ? .retry : .fatalCall
        } else if outcome.errorClass == .unknown || outcome.errorClass == .duplicateId {
            outcome.errorClass = .retry
        }
        stopAddress(&outcome, status: status, route: route)
        outcome.effect = .none
        limitReach(&outcome, route: route)
        return outcome
    }

    /// A refused mutation.
    static func ofMutation(_ envelope: BingXEnvelope, status: Int, route: String) -> Outcome {
        var outcome = classified(envelope.code, envelope.message, route: route)
        // The gateway may have passed the call on before it failed, and only the exchange's own throttle code says that
        // a 429 was not executed.
        let foreignThrottle = (status == 429 || status == 418) && outcome.errorClass != .rateLimited
        let isRefusal = (200..<300).contains(status) || (400..<500).contains(status)
        if envelope.code == BingXEnvelope.success || foreignThrottle || !isRefusal {
            outcome = Outcome(
                effect: .unknown, errorClass: .unknown, code: outcome.code, message: outcome.message,
                action: "The exchange failed while handling the call; the positions show whether it was done.")
        }
        stopAddress(&outcome, status: status, route: route)
        limitReach(&outcome, route: route)
        return outcome
    }

    /// One code by the table, for the whole call or for one row of its reply; unlisted means unknown.
    static func classified(_ code: String, _ message: String, route: String) -> Outcome {
        let text = ReplyText.printable(message)
        guard let (code, row) = row(code, message, route) else {
            return Outcome(
                effect: .unknown, errorClass: .unknown, code: ReplyText.code(code), message: text,
                action: "The exchange gave a code that flatbook does not know.")
        }
        return Outcome(
            effect: row.effect, errorClass: row.errorClass, code: code, message: text, action: row.action,
            penalty: row.errorClass == .rateLimited ? penalty(message, route: route) : nil, refusal: row.refusal,
            obstacle: row.obstacle)
    }

    /// A known code in the text is the more exact one (§5, nested text); an unknown one there changes nothing.
    private static func row(_ code: String, _ message: String, _ route: String) -> (String, BingXErrorRow)? {
        let kind = kind(of: route)
        if let (inner, text) = nested(message), inner != code, let row = BingXErrorTable.row(inner, text, kind) {
            return (inner, row)
        }
        return BingXErrorTable.row(code, message, kind).map { (code, $0) }
    }

    /// `{"Code":101253,"Msg":"…"}` or `code:100410:…` in place of a message.
    private static func nested(_ message: String) -> (String, String)? {
        if message.hasPrefix("{"), let value = try? JSONValue.parse(Array(message.utf8), maximumDepth: 8) {
            guard let code = (value["Code"] ?? value["code"])?.text, BingXText.isDigits(code) else { return nil }
            return (code, (value["Msg"] ?? value["msg"])?.text ?? "")
        }
        guard message.lowercased().hasPrefix("code:") else { return nil }
        let rest = message.dropFirst(5)
        let code = String(rest.prefix { $0 != ":" }.prefix(12))
        guard BingXText.isDigits(code) else { return nil }
        return (code, String(rest.dropFirst(code.count + 1)))
    }

    static func kind(of route: String) -> BingXCallKind {
        switch route {
        case BingXRoute.closeAll, BingXRoute.closePosition, BingXRoute.order, BingXRoute.cswapCloseAll: .close
        case BingXRoute.cancelOrders, BingXRoute.cancelTWAP: .cancel
        default: .read
        }
    }

    /// A missing right to read or cancel orders does not stop a close (`venue-model.md` §3, rule 4b).
    private static func limitReach(_ outcome: inout Outcome, route: String) {
        let orderRoutes = [
            BingXRoute.openOrders, BingXRoute.twapOrders, BingXRoute.cswapOpenOrders, BingXRoute.cancelOrders,
            BingXRoute.cancelTWAP,
        ]
        if outcome.refusal == .permission, orderRoutes.contains(route) { outcome.errorClass = .fatalCall }
    }
}

// What closes which bucket, and for how long (§4).
extension BingXFailure {
    /// HTTP 429, then 418 for going on; 403 from the firewall: all of them are about the address, so all its calls stop.
    private static func stopAddress(_ outcome: inout Outcome, status: Int, route: String) {
        let seconds: Int
        switch status {
        // The longest window of its limits: after that long without a call, every one of them is unused.
        case 429: seconds = 60
        case 418: seconds = 300
        // An envelope under 403 is an answer of the exchange; the firewall sends HTML or nothing.
        case 403 where outcome.code == "http-403": seconds = 300
        default: return
        }
        let until = outcome.penalty?.until
        outcome.penalty = Outcome.PenaltyHint(limit: BingXRoute.address, duration: .seconds(seconds), until: until)
        if outcome.effect != .unknown { outcome.errorClass = .rateLimited }
        outcome.action =
            "The exchange refuses this address: stop other programs on it, wait five minutes, or change egress."
    }

    /// The endpoint is closed for the account: until the time in the text, for five minutes where a penalty names none,
    /// else for the second of the plain limit.
    ///
    /// There is no clock here. An end that has passed leaves the second, since the later of both counts.
    static func penalty(_ message: String, route: String) -> Outcome.PenaltyHint {
        let limit = BingX.endpoint(route)?.perSecond == nil ? BingXRoute.marketGroup : route
        let text = message.lowercased()
        if let until = until(text) {
            return Outcome.PenaltyHint(limit: limit, duration: .seconds(1), until: until)
        }
        let isPenalty = ["disabled period", "unblocked", "retry after", "restricted", "repeated errors", "error code"]
            .contains { text.contains($0) }
        return Outcome.PenaltyHint(limit: limit, duration: .seconds(isPenalty ? 300 : 1))
    }

    /// Behind `unblocked after` or `retry after time`: 13 digits are milliseconds, 10 are seconds.
    private static func until(_ text: String) -> WallTime? {
        for mark in ["unblocked after", "retry after time"] {
            guard let tail = tail(of: text, behind: mark) else { continue }
            let digits = tail.drop { $0 == " " || $0 == ":" }.prefix { BingXText.isDigits(String($0)) }
            guard let number = Int64(digits), number > 0 else { continue }
            switch digits.utf8.count {
            case 13: return WallTime(milliseconds: number)
            case 10: return WallTime(milliseconds: number * 1000)
            default: continue
            }
        }
        return nil
    }

    private static func tail(of text: String, behind mark: String) -> Substring? {
        var rest = text[...]
        while !rest.isEmpty {
            if rest.hasPrefix(mark) { return rest.dropFirst(mark.count) }
            rest = rest.dropFirst()
        }
        return nil
    }
}
