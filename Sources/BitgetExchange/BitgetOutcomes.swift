public import ExchangeKit
public import FlatbookCore

extension Bitget {
    public func outcome(of mutation: Mutation, in reply: VenueReply, account: Account) -> Outcome {
        let route = route(of: mutation)
        let outcome = BitgetFamily.judge(answer(to: mutation, in: reply, route: route), account)
        guard case .cancel(let call) = mutation, route == BitgetRoute.unifiedCancelStrategy else { return outcome }
        return Self.namingUnasked(outcome, call)
    }

    private func answer(to mutation: Mutation, in reply: VenueReply, route: String) -> Outcome {
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
            return try Self.success(of: mutation, envelope, route: route)
        } catch {
            return Outcome(
                effect: .unknown, errorClass: .unknown, code: BitgetFailure.malformed,
                message: ReplyText.printable(error.detail))
        }
    }

    private static func success(
        of mutation: Mutation, _ envelope: BitgetEnvelope, route: String
    ) throws(MalformedReply) -> Outcome {
        switch mutation {
        case .close:
            switch route {
            case BitgetRoute.placeOrder: try placed(envelope)
            case BitgetRoute.followerClose: try followerClosed(envelope)
            case BitgetRoute.unifiedClose: try unifiedClosed(envelope)
            default: try closed(envelope, route: route)
            }
        case .cancel(let call):
            switch route {
            case BitgetRoute.unifiedCancelOrders: try unifiedCancelled(envelope, call)
            case BitgetRoute.unifiedCancelStrategy: try unifiedStrategyCancelled(envelope, call)
            default: try BitgetTargets(envelope, route: route).outcome(cancelling: call.orderIDs)
            }
        }
    }

    /// The operation that was planned, whatever the account has turned out to be since.
    func route(of mutation: Mutation) -> String {
        switch mutation {
        case .close(let call) where call.method.isSized: BitgetRoute.placeOrder
        case .close(let call):
            [BitgetRoute.followerClose, BitgetRoute.unifiedClose].contains(call.method.operation)
                ? call.method.operation : BitgetRoute.flashClose
        case .cancel(let call):
            BitgetRoute.cancels.contains(call.operation) ? call.operation : BitgetRoute.cancelOrders
        }
    }

    /// §3.5: `{"orderId","clientOid"}`; a trimmed reduce-only order may lack its `orderId`.
    private static func placed(_ envelope: BitgetEnvelope) throws(MalformedReply) -> Outcome {
        let row = try ReplyRow(envelope.data ?? .null)
        let order = try row.optionalText("orderId")
        let own = try row.optionalText("clientOid")
        guard order != nil || own != nil else { throw MalformedReply("no order id") }
        return Outcome(
            effect: .executed, errorClass: .ok, code: envelope.code, orderIDs: order.map { [$0] } ?? [])
    }

    /// §3.4: the envelope's success says that the call was read, the lists say what was closed.
    private static func closed(_ envelope: BitgetEnvelope, route: String) throws(MalformedReply) -> Outcome {
        let targets = try BitgetTargets(envelope, route: route)
        if targets.isEmpty { return Outcome(effect: .none, errorClass: .alreadyFlat, code: envelope.code) }
        return targets.outcome(complete: true)
    }
}
