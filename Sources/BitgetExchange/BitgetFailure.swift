import ExchangeKit
import FlatbookCore

/// What an answer that is no success means. Three things decide: what the call was, the HTTP status, and the code.
enum BitgetFailure {
    static let malformed = "malformed-reply"

    /// A reply that is not the exchange's envelope. On a mutation its effect is unknown, whatever the status says.
    static func unreadable(_ reply: VenueReply, _ detail: String, route: String, isMutation: Bool) -> Outcome {
        var outcome = Outcome(
            effect: isMutation ? .unknown : .none, errorClass: .unknown, code: malformed,
            message: ReplyText.printable(detail))
        if !(200..<300).contains(reply.status) { outcome.code = "http-\(reply.status)" }
        switch reply.status {
        case 403:
            outcome.action =
                "The exchange's edge refuses this address: stop other programs on it, wait five minutes, or change egress."
        case 429:
            outcome.penalty = oneWindow(route)
            if !isMutation { outcome.errorClass = .rateLimited }
        case 500...: if !isMutation { outcome.errorClass = .retry }
        default: break
        }
        return outcome
    }

    /// A refused read. A code on a read never says anything about an effect.
    static func ofRead(_ envelope: BitgetEnvelope, status: Int, route: String) -> Outcome {
        var outcome = classified(envelope.code, envelope.message, at: envelope.requestTime, route: route)
        if isContradictory(envelope, status) {
            outcome = Outcome(effect: .none, errorClass: .unknown, code: "http-\(status)", message: envelope.message)
        } else if row(envelope.code, route: route) == nil {
            outcome.errorClass = status >= 500 ? .retry : .fatalCall
        } else if outcome.errorClass == .unknown || outcome.errorClass == .duplicateId {
            outcome.errorClass = .retry
        }
        if status == 429 {
            outcome.errorClass = .rateLimited
            outcome.penalty = oneWindow(route)
        }
        outcome.effect = .none
        limitReach(&outcome, route: route)
        return outcome
    }

    /// A refused mutation.
    static func ofMutation(_ envelope: BitgetEnvelope, status: Int, route: String) -> Outcome {
        var outcome = classified(envelope.code, envelope.message, at: envelope.requestTime, route: route)
        // The gateway may have passed the call on before it failed, and only the exchange's own throttle code says that
        // a 429 was not executed.
        let foreignThrottle = status == 429 && outcome.errorClass != .rateLimited
        let isRefusal = (200..<300).contains(status) || (400..<500).contains(status)
        if isContradictory(envelope, status) || foreignThrottle || !isRefusal {
            outcome = Outcome(
                effect: .unknown, errorClass: .unknown, code: outcome.code, message: outcome.message,
                action: "The exchange failed while handling the call; the positions show whether it was done.")
        }
        limitReach(&outcome, route: route)
        return outcome
    }

    /// One code by the table, for the whole call or for one row of its reply; unlisted means unknown.
    static func classified(_ code: String, _ message: String, at time: WallTime?, route: String) -> Outcome {
        guard let row = row(code, route: route) else {
            return Outcome(
                effect: .unknown, errorClass: .unknown, code: ReplyText.code(code),
                message: ReplyText.printable(message), action: "The exchange gave a code that flatbook does not know.")
        }
        if code == BitgetErrorTable.spuriousInReleaseWindow, time.map(isReleaseWindow) ?? true {
            return Outcome(
                effect: .unknown, errorClass: .unknown, code: code, message: ReplyText.printable(message),
                action: "The exchange may be releasing software; the positions show whether the call was done.")
        }
        return Outcome(
            effect: row.effect, errorClass: row.errorClass, code: code, message: ReplyText.printable(message),
            action: row.action, penalty: row.errorClass == .rateLimited ? oneWindow(route) : nil, refusal: row.refusal,
            obstacle: row.obstacle)
    }

    private static func row(_ code: String, route: String) -> BitgetErrorRow? {
        BitgetErrorTable.row(code, route: route)
    }

    /// A success code under a status that is no success.
    private static func isContradictory(_ envelope: BitgetEnvelope, _ status: Int) -> Bool {
        envelope.code == BitgetEnvelope.success && !(200..<300).contains(status)
    }

    /// A missing right to read or cancel orders, or to close copies, does not stop the other closes (`venue-model.md`
    /// §3, rule 4b).
    private static func limitReach(_ outcome: inout Outcome, route: String) {
        switch outcome.refusal {
        case .permission where BitgetRoute.ofOrders.contains(route) || route == BitgetRoute.followerClose:
            outcome.errorClass = .fatalCall
        case .wrongAccountKind where route == BitgetRoute.followerClose && BitgetFamily.said(by: outcome.code) == nil:
            outcome.errorClass = .fatalCall
        case .credentials, .permission, .ipBinding, .wrongEnvironment, .wrongAccountKind, .restricted, nil: break
        }
    }

    /// Every endpoint is counted on its own per second (§4).
    private static func oneWindow(_ route: String) -> Outcome.PenaltyHint {
        Outcome.PenaltyHint(limit: route, duration: .seconds(1))
    }

    /// Tuesday to Thursday, 14:00 to 17:00 UTC+8 (§5).
    static func isReleaseWindow(_ time: WallTime) -> Bool {
        let local = time.milliseconds / 1000 + 8 * 3600
        // 1970-01-01 was a Thursday; 0 is Monday here.
        let weekday = (local / 86_400 + 3) % 7
        return (1...3).contains(weekday) && (14 * 3600..<17 * 3600).contains(local % 86_400)
    }
}
