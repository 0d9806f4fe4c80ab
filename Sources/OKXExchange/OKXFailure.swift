import ExchangeKit
import FlatbookCore

/// What an answer that is no success means: the code first, the HTTP status only where there is none (§5).
enum OKXFailure {
    static let malformed = "malformed-reply"

    /// A reply that is not the exchange's envelope. On a mutation its effect is unknown, whatever the status says.
    static func unreadable(_ reply: VenueReply, _ detail: String, route: String, isMutation: Bool) -> Outcome {
        var outcome = Outcome(
            effect: isMutation ? .unknown : .none, errorClass: .unknown, code: malformed,
            message: ReplyText.printable(detail))
        if !(200..<300).contains(reply.status) { outcome.code = "http-\(reply.status)" }
        switch reply.status {
        case 300..<400: outcome.action = "The endpoint redirects; set options.site to the account's own site."
        case 403: outcome.action = "The exchange's edge refuses this address; change egress or ask the exchange."
        case 429:
            outcome.penalty = oneWindow(route)
            if !isMutation { outcome.errorClass = .rateLimited }
        case 500...: if !isMutation { outcome.errorClass = .retry }
        default: break
        }
        return outcome
    }

    /// A refused read. A code on a read never says anything about an effect.
    static func ofRead(_ envelope: OKXEnvelope, status: Int, route: String) -> Outcome {
        var outcome = classified(envelope.code, envelope.message, route: route)
        if envelope.code == OKXEnvelope.success {
            outcome = Outcome(effect: .none, errorClass: .unknown, code: "http-\(status)", message: envelope.message)
        } else if OKXErrorTable.row(envelope.code, route: route) == nil {
            // §6, last row: what the sheet does not list is waited out on a read.
            outcome.errorClass = .retry
            if status == 429 {
                outcome.errorClass = .rateLimited
                outcome.penalty = oneWindow(route)
            }
        } else if [.unknown, .duplicateId, .alreadyFlat, .notFound].contains(outcome.errorClass) {
            outcome.errorClass = .retry
        }
        outcome.effect = .none
        return outcome
    }

    /// A refused mutation: what the table says, whatever the status; unlisted means unknown.
    static func ofMutation(_ envelope: OKXEnvelope, status: Int, route: String) -> Outcome {
        guard envelope.code != OKXEnvelope.success else {
            return Outcome(
                effect: .unknown, errorClass: .unknown, code: "http-\(status)", message: envelope.message,
                action: "A success code under HTTP \(status); the positions show whether the call was done.")
        }
        var outcome = classified(envelope.code, envelope.message, route: route)
        // Behind a 5xx the call may have gone through, whatever the code says (`reliability.md` §1.4, 4c).
        if status >= 500 {
            outcome.effect = .unknown
            outcome.errorClass = .unknown
        }
        return outcome
    }

    /// One code by the table, for the whole call or for one item of its reply.
    static func classified(_ code: String, _ message: String, route: String) -> Outcome {
        guard let row = OKXErrorTable.row(code, route: route) else {
            return Outcome(
                effect: .unknown, errorClass: .unknown, code: ReplyText.code(code),
                message: ReplyText.printable(message), action: "The exchange gave a code that flatbook does not know.")
        }
        var outcome = Outcome(
            effect: row.errorClass == .unknown || row.errorClass == .duplicateId ? .unknown : .none,
            errorClass: row.errorClass, code: code, message: ReplyText.printable(message), action: row.action,
            penalty: row.errorClass == .rateLimited ? oneWindow(limit(code, route: route)) : nil, refusal: row.refusal,
            obstacle: row.obstacle)
        // A missing right to read or cancel orders does not stop a close (`venue-model.md` §3, rule 4b).
        if outcome.refusal == .permission, OKXErrorTable.orderRoutes.contains(route) { outcome.errorClass = .fatalCall }
        return outcome
    }

    /// The route's own limit; 50061 speaks of all new orders of the sub-account together (§4.2), which close-position is not
    /// said to count in.
    private static func limit(_ code: String, route: String) -> String {
        code == "50061" && route == OKXRoute.order ? OKX.newOrders : route
    }

    /// All limits count two seconds (§3.1).
    private static func oneWindow(_ limit: String) -> Outcome.PenaltyHint {
        Outcome.PenaltyHint(limit: limit, duration: .seconds(2))
    }
}
