import ExchangeKit
import FlatbookCore

/// What a reply that answers for several targets says of each.
struct BitgetTargets {
    var succeeded: [Outcome.Row] = []
    var failed: [Outcome.Row] = []
    var failures: [Outcome] = []
    var code: String

    var isEmpty: Bool { succeeded.isEmpty && failed.isEmpty }

    /// The two lists of API v2 (§3.3, §3.4); either may be null or missing, not both missing.
    init(_ envelope: BitgetEnvelope, route: String) throws(MalformedReply) {
        code = envelope.code
        let data = try ReplyRow(envelope.data ?? .null).value
        guard data["successList"] != nil || data["failureList"] != nil else {
            throw MalformedReply("neither successList nor failureList")
        }
        for row in try Self.rows(data, "successList") {
            succeeded.append(
                Outcome.Row(
                    instrument: try row.optionalText("symbol")?.uppercased(), orderID: try row.text("orderId"),
                    errorClass: .ok))
        }
        for row in try Self.rows(data, "failureList") {
            try refuse(row, code: "errorCode", message: "errorMsg", at: envelope.requestTime, route: route)
        }
    }

    /// The one list of API v3 (§3.10): each row has its own code and message.
    init(rows: [ReplyRow], of envelope: BitgetEnvelope, route: String) throws(MalformedReply) {
        code = envelope.code
        for row in rows {
            switch try row.optionalText("code") {
            // What a row without refusal carries is not documented [U]; a message alone is no acceptance.
            case nil where try Self.saysMore(row): throw MalformedReply("a row has a message but no code")
            case nil, "0", BitgetEnvelope.success:
                succeeded.append(
                    Outcome.Row(
                        instrument: try row.optionalText("symbol")?.uppercased(), orderID: try row.text("orderId"),
                        errorClass: .ok))
            default: try refuse(row, code: "code", message: "msg", at: envelope.requestTime, route: route)
            }
        }
    }

    private static func saysMore(_ row: ReplyRow) throws(MalformedReply) -> Bool {
        guard let message = try row.optionalText("msg") else { return false }
        return message.lowercased() != "success"
    }

    private mutating func refuse(
        _ row: ReplyRow, code: String, message: String, at time: WallTime?, route: String
    ) throws(MalformedReply) {
        let failure = BitgetFailure.classified(
            try row.optionalText(code) ?? "", try row.optionalText(message) ?? "", at: time, route: route)
        failures.append(failure)
        failed.append(
            Outcome.Row(
                instrument: try row.optionalText("symbol")?.uppercased(), orderID: try row.optionalText("orderId"),
                errorClass: failure.errorClass, code: failure.code, message: failure.message, action: failure.action,
                obstacle: failure.obstacle))
    }

    private static func rows(_ data: JSONValue, _ name: String) throws(MalformedReply) -> [ReplyRow] {
        switch data[name] {
        case nil, .null?: return []
        case .array(let elements)?: return try ReplyRow.rows(.array(elements))
        default: throw MalformedReply("\(name) is no list")
        }
    }

    /// - Parameter complete: whether the lists answer for everything that was asked.
    func outcome(complete: Bool) -> Outcome {
        let ids = succeeded.compactMap(\.orderID)
        if !succeeded.isEmpty {
            return Outcome(
                effect: failed.isEmpty && complete ? .executed : .partial, errorClass: .ok, code: code,
                message: failures.first?.message ?? "", action: failures.first?.action, orderIDs: ids,
                rows: succeeded + failed)
        }
        // What needs most care stands for the call: an unknown row, else the first that is no "already flat".
        let harmless: Set<ErrorClass> = [.alreadyFlat, .notFound]
        let head =
            failures.first { $0.effect == .unknown } ?? failures.first { !harmless.contains($0.errorClass) }
            ?? failures.first
        guard var outcome = head else { return Outcome(effect: .unknown, errorClass: .unknown, code: code) }
        outcome.rows = failed
        return outcome
    }

    /// Of a cancel: every row must be an order that was asked for, and proof is the order's id among those that went.
    func outcome(cancelling ids: [String]) throws(MalformedReply) -> Outcome {
        let asked = Set(ids)
        let answered = Set((succeeded + failed).compactMap(\.orderID))
        guard !isEmpty else { throw MalformedReply("no order is named") }
        guard asked.isSuperset(of: answered) else { throw MalformedReply("an order is named that was not asked for") }
        return outcome(complete: answered == asked)
    }
}
