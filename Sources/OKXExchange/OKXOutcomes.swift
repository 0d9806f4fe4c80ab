public import ExchangeKit
public import FlatbookCore

extension OKX {
    public func outcome(of mutation: Mutation, in reply: VenueReply, account: Account) -> Outcome {
        let route = request(for: mutation, account: account).route
        let envelope: OKXEnvelope
        do {
            envelope = try OKXEnvelope(reply)
        } catch {
            return OKXFailure.unreadable(reply, error.detail, route: route, isMutation: true)
        }
        // §5: where items carry codes of their own, those decide, whatever the code at the top. A refusal may come with any
        // status of 4xx (§6); a success only with 2xx.
        let isAnswer = (200..<300).contains(reply.status)
        let isRefusal = (400..<500).contains(reply.status) && envelope.code != OKXEnvelope.success
        guard isAnswer || isRefusal, ["0", "1", "2"].contains(envelope.code) || Self.allRefused(envelope) else {
            // An item that went through under a code that says "not done": one of the two is wrong.
            guard !envelope.items.contains(where: { $0["sCode"]?.text == OKXEnvelope.success }) else {
                return Outcome(
                    effect: .unknown, errorClass: .unknown, code: ReplyText.code(envelope.code),
                    message: envelope.message,
                    action: "The exchange contradicts itself; the positions show whether the call was done.")
            }
            return OKXFailure.ofMutation(envelope, status: reply.status, route: route)
        }
        do {
            switch mutation {
            case .close(let call): return try Self.closed(envelope, call, route: route)
            case .cancel(let call): return try Self.cancelled(envelope, call, route: route)
            }
        } catch {
            return Outcome(
                effect: .unknown, errorClass: .unknown, code: OKXFailure.malformed,
                message: ReplyText.printable(error.detail))
        }
    }

    /// Whether each item carries a "no" of its own.
    private static func allRefused(_ envelope: OKXEnvelope) -> Bool {
        !envelope.items.isEmpty
            && envelope.items.allSatisfy {
                guard let code = $0["sCode"]?.text else { return false }
                return !code.isEmpty && code != OKXEnvelope.success
            }
    }

    /// §3.5: accepted by the gateway, no more. The reply names no order; an item's own code, where there is one, decides.
    private static func closed(
        _ envelope: OKXEnvelope, _ call: CloseCall, route: String
    ) throws(MalformedReply) -> Outcome {
        let rows = try envelope.rows()
        guard rows.count <= 1 else { throw MalformedReply("several items for one close") }
        var orderIDs: [String] = []
        if let row = rows.first {
            if let code = try row.optionalText("sCode"), code != OKXEnvelope.success {
                return OKXFailure.classified(OKXEnvelope.plain(code), try row.optionalText("sMsg") ?? "", route: route)
            }
            try check(row, answers: call)
            if let id = try row.optionalText("ordId") { orderIDs = [ReplyText.code(id)] }
        }
        guard envelope.code == OKXEnvelope.success, !rows.isEmpty else {
            // All failed, and no item says why; or success that names nothing.
            return Outcome(
                effect: .unknown, errorClass: .unknown, code: envelope.code, message: envelope.message,
                action: "The exchange does not say what became of the call; the positions show it.")
        }
        return Outcome(effect: .executed, errorClass: .ok, code: envelope.code, orderIDs: orderIDs)
    }

    /// Whether a row is the answer to this call, and not one of something else: `close-position` echoes the instrument,
    /// an order says its own code and id, and both the client id where one was sent (§3.5, §5).
    private static func check(_ row: ReplyRow, answers call: CloseCall) throws(MalformedReply) {
        if call.method.isSized {
            guard try row.optionalText("sCode") != nil, try row.optionalText("ordId") != nil else {
                throw MalformedReply("the order has no sCode or no id")
            }
        } else {
            let asked = call.instrument ?? call.legs.first?.instrument
            guard try row.text("instId").uppercased() == asked?.uppercased() else {
                throw MalformedReply("the reply is about another instrument")
            }
            // Rows of positions and orders say these; the acknowledgement never does.
            guard row.value["instType"] == nil else { throw MalformedReply("the reply is no acknowledgement") }
        }
        if let echoed = try row.optionalText("clOrdId"), let sent = clientID(call), echoed != sent {
            throw MalformedReply("the reply is about another attempt")
        }
    }

    /// §3.4: one item for each order named; mixed results are normal.
    private static func cancelled(
        _ envelope: OKXEnvelope, _ call: CancelCall, route: String
    ) throws(MalformedReply) -> Outcome {
        var rows: [Outcome.Row] = []
        var said: Set<String> = []
        let items = try envelope.rows()
        for (place, item) in items.enumerated() {
            var id = try item.optionalText("ordId")
            if id == nil { id = try item.optionalText("algoId") }
            // Items stand in the order asked (§3.4); a refused one may come without its id.
            if id == nil, items.count == call.orderIDs.count { id = call.orderIDs[place] }
            guard let code = try item.optionalText("sCode"), let id else {
                throw MalformedReply("an item has no sCode or no id")
            }
            guard call.orderIDs.contains(id) else { throw MalformedReply("an order is named that was not asked for") }
            guard said.insert(id).inserted else { throw MalformedReply("an order is named twice") }
            let found = OKXFailure.classified(
                OKXEnvelope.plain(code), try item.optionalText("sMsg") ?? "", route: route)
            let isDone = code == OKXEnvelope.success
            rows.append(
                Outcome.Row(
                    instrument: call.instrument, orderID: id, errorClass: isDone ? .ok : found.errorClass,
                    code: ReplyText.code(code), message: isDone ? "" : found.message))
        }
        // An order that the reply passes over may still be there.
        for id in call.orderIDs where !said.contains(id) {
            rows.append(
                Outcome.Row(
                    instrument: call.instrument, orderID: id, errorClass: .unknown, code: OKXFailure.malformed,
                    message: "the reply does not name this order"))
        }
        let done = rows.count { $0.errorClass == .ok }
        let left = rows.filter { $0.errorClass != .ok && $0.errorClass != .notFound }
        if left.isEmpty {
            return Outcome(
                effect: done > 0 ? .executed : .none, errorClass: done > 0 ? .ok : .notFound, code: envelope.code,
                rows: rows)
        }
        if done > 0 || left.count < rows.count {
            return Outcome(
                effect: .partial, errorClass: .ok, code: envelope.code, message: left[0].message, rows: rows)
        }
        // What needs most care stands for the call.
        let head = left.first { $0.errorClass == .unknown } ?? left[0]
        var outcome = OKXFailure.classified(OKXEnvelope.plain(head.code), head.message, route: route)
        outcome.rows = rows
        return outcome
    }
}
