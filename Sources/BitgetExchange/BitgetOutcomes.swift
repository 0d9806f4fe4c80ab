public import ExchangeKit
public import FlatbookCore

extension Bitget {
    public func outcome(of mutation: Mutation, in reply: VenueReply, account: Account) -> Outcome {
        let route = route(of: mutation)
        let envelope: BitgetEnvelope
        do {
            envelope = try BitgetEnvelope(reply)
        } catch {
            return BitgetFailure.unreadable(reply, error.detail, route: route, isMutation: true)
        }
        guard (200..<300).contains(reply.status), envelope.code == BitgetEnvelope.success else {
            return BitgetFailure.ofMutation(envelope, status: reply.status, route: route)
        }
        do {
            switch mutation {
            case .close(let call) where call.method.isSized: return try Self.placed(envelope)
            case .close: return try Self.closed(envelope, route: route)
            case .cancel(let call): return try Self.cancelled(envelope, call, route: route)
            }
        } catch {
            return Outcome(
                effect: .unknown, errorClass: .unknown, code: BitgetFailure.malformed,
                message: BitgetText.printable(error.detail))
        }
    }

    private func route(of mutation: Mutation) -> String {
        switch mutation {
        case .close(let call): call.method.isSized ? BitgetRoute.placeOrder : BitgetRoute.flashClose
        case .cancel(let call):
            call.operation == BitgetRoute.cancelPlan ? BitgetRoute.cancelPlan : BitgetRoute.cancelOrders
        }
    }

    /// §3.5: `{"orderId","clientOid"}`; a trimmed reduce-only order may lack its `orderId`.
    private static func placed(_ envelope: BitgetEnvelope) throws(BitgetMalformed) -> Outcome {
        let row = try BitgetRow(envelope.data ?? .null)
        let order = try row.optionalText("orderId")
        let own = try row.optionalText("clientOid")
        guard order != nil || own != nil else { throw BitgetMalformed("no order id") }
        return Outcome(
            effect: .executed, errorClass: .ok, code: envelope.code, orderIDs: order.map { [$0] } ?? [])
    }

    /// §3.4: the envelope's success says that the call was read, the lists say what was closed.
    private static func closed(_ envelope: BitgetEnvelope, route: String) throws(BitgetMalformed) -> Outcome {
        let lists = try Lists(envelope, route: route)
        if lists.succeeded.isEmpty, lists.failed.isEmpty {
            return Outcome(effect: .none, errorClass: .alreadyFlat, code: envelope.code)
        }
        return lists.outcome(complete: true)
    }

    /// §3.3. Proof of a cancel is the order's id in the success list.
    private static func cancelled(
        _ envelope: BitgetEnvelope, _ call: CancelCall, route: String
    ) throws(BitgetMalformed) -> Outcome {
        let lists = try Lists(envelope, route: route)
        let asked = Set(call.orderIDs)
        let answered = Set((lists.succeeded + lists.failed).compactMap(\.orderID))
        guard !lists.succeeded.isEmpty || !lists.failed.isEmpty else { throw BitgetMalformed("no order is named") }
        guard asked.isSuperset(of: answered) else { throw BitgetMalformed("an order is named that was not asked for") }
        return lists.outcome(complete: answered == asked)
    }

    /// The two lists of a reply that answers for several targets; either may be null or missing, not both missing.
    private struct Lists {
        var succeeded: [Outcome.Row] = []
        var failed: [Outcome.Row] = []
        var failures: [Outcome] = []
        var code: String

        init(_ envelope: BitgetEnvelope, route: String) throws(BitgetMalformed) {
            code = envelope.code
            let data = try BitgetRow(envelope.data ?? .null).value
            guard data["successList"] != nil || data["failureList"] != nil else {
                throw BitgetMalformed("neither successList nor failureList")
            }
            for row in try Self.rows(data, "successList") {
                succeeded.append(
                    Outcome.Row(
                        instrument: try row.optionalText("symbol")?.uppercased(), orderID: try row.text("orderId"),
                        errorClass: .ok))
            }
            for row in try Self.rows(data, "failureList") {
                let failure = BitgetFailure.classified(
                    try row.optionalText("errorCode") ?? "", try row.optionalText("errorMsg") ?? "",
                    at: envelope.requestTime, route: route)
                failures.append(failure)
                failed.append(
                    Outcome.Row(
                        instrument: try row.optionalText("symbol")?.uppercased(),
                        orderID: try row.optionalText("orderId"), errorClass: failure.errorClass, code: failure.code,
                        message: failure.message))
            }
        }

        private static func rows(_ data: JSONValue, _ name: String) throws(BitgetMalformed) -> [BitgetRow] {
            switch data[name] {
            case nil, .null?: return []
            case .array(let elements)?: return try Bitget.rows(of: elements)
            default: throw BitgetMalformed("\(name) is no list")
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
    }
}
