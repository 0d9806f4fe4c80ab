public import ExchangeKit
public import FlatbookCore

extension BingX {
    public func outcome(of mutation: Mutation, in reply: VenueReply, account: Account) -> Outcome {
        let route = Self.route(of: mutation)
        let envelope: BingXEnvelope
        do {
            envelope = try BingXEnvelope(reply)
        } catch {
            return BingXFailure.unreadable(reply, error.detail, route: route)
        }
        guard (200..<300).contains(reply.status), envelope.code == BingXEnvelope.success else {
            return BingXFailure.ofMutation(envelope, status: reply.status, route: route)
        }
        do {
            switch (mutation, route) {
            case (.close(let call), BingXRoute.order): return try Self.placed(envelope, call)
            case (.close(let call), BingXRoute.closePosition): return try Self.closedPosition(envelope, call)
            case (.close, _): return try Self.closedAll(envelope, route: route)
            case (.cancel(let call), BingXRoute.cancelTWAP): return try Self.cancelledTWAP(envelope, call)
            case (.cancel(let call), _): return try Self.cancelled(envelope, call, route: route)
            }
        } catch {
            return BingXFailure.unproven(error.detail, isMutation: true)
        }
    }

    /// §3.5: `data.order`; a client id in it must be the one that was sent, in whatever case.
    private static func placed(_ envelope: BingXEnvelope, _ call: CloseCall) throws(MalformedReply) -> Outcome {
        let data = try ReplyRow(envelope.data ?? .null)
        let row = data.value["order"] == nil ? data : try ReplyRow(data.value["order"] ?? .null)
        // The text spelling first: a number may have been rounded on its way.
        guard let id = try row.optionalID(anyOf: ["orderID", "orderId"]) else { throw MalformedReply("no order id") }
        if let sent = call.attemptID, let own = try row.optionalText(anyOf: ["clientOrderID", "clientOrderId"]),
            own.lowercased() != sent.lowercased()
        {
            throw MalformedReply("the reply is of another order")
        }
        return Outcome(effect: .executed, errorClass: .ok, code: envelope.code, orderIDs: [id])
    }

    /// §3.4: an order id, and the position that was asked for.
    private static func closedPosition(
        _ envelope: BingXEnvelope, _ call: CloseCall
    ) throws(MalformedReply) -> Outcome {
        let row = try ReplyRow(envelope.data ?? .null)
        guard let id = try row.optionalID(anyOf: ["orderId", "orderID"]) else { throw MalformedReply("no order id") }
        if let position = try row.optionalID(anyOf: ["positionId", "positionID"]),
            call.legs.first?.positionID != position
        {
            throw MalformedReply("the reply is of another position")
        }
        return Outcome(effect: .executed, errorClass: .ok, code: envelope.code, orderIDs: [id])
    }

    /// §3.3: code 0 says that the call was read, the lists say what was closed. Flat is assumed to have empty ones.
    private static func closedAll(_ envelope: BingXEnvelope, route: String) throws(MalformedReply) -> Outcome {
        let lists = try Lists(envelope, route: route)
        if lists.succeeded.isEmpty, lists.failed.isEmpty {
            return Outcome(effect: .none, errorClass: .alreadyFlat, code: envelope.code)
        }
        return lists.outcome(complete: true)
    }

    /// §3.2. Proof of a cancel is the order's id in the success list.
    private static func cancelled(
        _ envelope: BingXEnvelope, _ call: CancelCall, route: String
    ) throws(MalformedReply) -> Outcome {
        let lists = try Lists(envelope, route: route)
        let asked = Set(call.orderIDs)
        let answered = Set((lists.succeeded + lists.failed).compactMap(\.orderID))
        guard !lists.succeeded.isEmpty || !lists.failed.isEmpty else { throw MalformedReply("no order is named") }
        guard asked.isSuperset(of: answered) else { throw MalformedReply("an order is named that was not asked for") }
        var outcome = lists.outcome(complete: answered == asked)
        // An order that neither list names is still there.
        if outcome.errorClass == .ok { outcome.rows += Self.left(asked.subtracting(answered)) }
        return outcome
    }

    /// The reply's shape is in no document at hand: code 0 counts, unless it names another order. The call takes one id,
    /// so further ones that were asked for are still there.
    private static func cancelledTWAP(
        _ envelope: BingXEnvelope, _ call: CancelCall
    ) throws(MalformedReply) -> Outcome {
        guard let asked = call.orderIDs.first else { throw MalformedReply("no order was asked for") }
        switch envelope.data {
        case nil, .null?: break
        case .object(let members)?:
            let named = try ReplyRow(.object(members)).optionalID(anyOf: ["mainOrderId", "orderId"])
            guard named ?? asked == asked else { throw MalformedReply("the reply is of another order") }
        default: throw MalformedReply("data is no object")
        }
        let left = Self.left(Set(call.orderIDs.dropFirst()))
        return Outcome(
            effect: left.isEmpty ? .executed : .partial, errorClass: .ok, code: envelope.code, orderIDs: [asked],
            rows: [Outcome.Row(orderID: asked, errorClass: .ok)] + left)
    }

    private static func left(_ ids: Set<String>) -> [Outcome.Row] {
        ids.sorted().map {
            Outcome.Row(orderID: $0, errorClass: .retry, code: "not-named", message: "not cancelled by this call")
        }
    }

    /// The two lists of a reply that answers for several targets. Either may be null or missing, not both missing. Their
    /// elements are bare ids or objects (§3.3, §10).
    private struct Lists {
        var succeeded: [Outcome.Row] = []
        var failed: [Outcome.Row] = []
        var failures: [Outcome] = []
        var code: String

        init(_ envelope: BingXEnvelope, route: String) throws(MalformedReply) {
            code = envelope.code
            let data = try ReplyRow(envelope.data ?? .null).value
            guard data["success"] != nil || data["failed"] != nil else {
                throw MalformedReply("neither success nor failed")
            }
            for element in try Self.elements(data, "success") {
                succeeded.append(try Self.success(element))
            }
            for element in try Self.elements(data, "failed") {
                try fail(element, route: route)
            }
        }

        private static func elements(_ data: JSONValue, _ name: String) throws(MalformedReply) -> [JSONValue] {
            switch data[name] {
            case nil, .null?: return []
            case .array(let elements)?: return elements
            default: throw MalformedReply("\(name) is no list")
            }
        }

        private static func success(_ element: JSONValue) throws(MalformedReply) -> Outcome.Row {
            if let id = element.text {
                guard BingXText.isDigits(id), id != "0" else { throw MalformedReply("success holds no id") }
                return Outcome.Row(orderID: id, errorClass: .ok)
            }
            let row = try ReplyRow(element)
            guard let id = try row.optionalID(anyOf: ["orderId", "orderID"]) else {
                throw MalformedReply("success holds no id")
            }
            return Outcome.Row(instrument: try row.optionalText("symbol")?.uppercased(), orderID: id, errorClass: .ok)
        }

        private mutating func fail(_ element: JSONValue, route: String) throws(MalformedReply) {
            if let id = element.text {
                guard BingXText.isDigits(id) else { throw MalformedReply("failed holds no id") }
                let isCancel = BingXFailure.kind(of: route) == .cancel
                let failure = Outcome(
                    effect: .unknown, errorClass: .unknown, code: "failed",
                    message: "the exchange lists \(id) as failed")
                add(failure, instrument: nil, orderID: isCancel ? id : nil)
                return
            }
            let row = try ReplyRow(element)
            let code = try row.optionalText(anyOf: ["errorCode", "errCode", "code"]) ?? ""
            let message = try row.optionalText(anyOf: ["errorMessage", "errorMsg", "errMsg", "msg"]) ?? ""
            add(
                BingXFailure.classified(code, message, route: route),
                instrument: try row.optionalText("symbol")?.uppercased(),
                orderID: try row.optionalID(anyOf: ["orderId", "orderID"]))
        }

        private mutating func add(_ failure: Outcome, instrument: String?, orderID: String?) {
            failures.append(failure)
            failed.append(
                Outcome.Row(
                    instrument: instrument, orderID: orderID, errorClass: failure.errorClass, code: failure.code,
                    message: failure.message, action: failure.action, obstacle: failure.obstacle))
        }

        /// - Parameter complete: whether the lists answer for everything that was asked.
        func outcome(complete: Bool) -> Outcome {
            if !succeeded.isEmpty {
                return Outcome(
                    effect: failed.isEmpty && complete ? .executed : .partial, errorClass: .ok, code: code,
                    message: failures.first?.message ?? "", action: failures.first?.action,
                    orderIDs: succeeded.compactMap(\.orderID), rows: succeeded + failed)
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
    }
}
