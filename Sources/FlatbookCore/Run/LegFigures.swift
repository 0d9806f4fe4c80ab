/// What a leg's closes brought, from the fills of our own orders.
///
/// Figures are given for a leg that reads as flat and whose every close is accounted for: each order that an answer to
/// one of its closes names was found, with its final totals, and each can be of one leg only. Where the exchange tells
/// single trades, of which some may not be listed yet, or where an order of the leg's only close is missing (it may have
/// filled nothing), what was found must add up to all that the leg held.
public struct LegFigures: Hashable, Sendable {
    /// Σ price × quantity / Σ quantity, rounded half away from zero to 18 decimals.
    public var averagePrice: Amount?
    /// Hundredths of a percent by which ``averagePrice`` was worse for us than the mark at arrival: positive = worse.
    /// Rounded half away from zero to 2 decimals; nil for a leg that was opened again meanwhile.
    public var slippageBps: Amount?
    /// In the leg's margin currency, positive = paid; nil where a part of it was charged in another coin.
    public var fee: Amount?
    /// Without fees and funding, in the coin that the contract settles in.
    public var realizedPnl: Amount?
    /// What our orders filled, in the exchange's unit.
    public var quantity: Amount

    /// - Returns: nil where something of the leg's fills is missing or ambiguous.
    public init?(of leg: LegState, in account: AccountState, calls: [String: CallRecord]) {
        let key = leg.before.key
        guard leg.current == nil, leg.executedByUs, let executions = account.executions else { return nil }
        var own: Execution?
        var isComplete = true
        let made = leg.calls.compactMap { calls[$0] }.filter(Self.mayHaveExecuted)
        for call in made {
            guard case .close(let close) = call.intent.mutation else { continue }
            let found = Self.orders(of: call, close, among: executions)
            let named = Set(call.result?.outcome.orderIDs ?? [])
            if found.isEmpty || !named.isSubset(of: found.map(\.orderID)) {
                guard made.count == 1 else { return nil }
                isComplete = false
            }
            for order in found {
                // An order that could be of two legs is of none.
                let legs = close.legs.filter { Self.isMatch(order, of: $0) }
                guard legs.count == 1 else { return nil }
                guard legs[0] == key else { continue }
                guard let before = own else {
                    own = order
                    continue
                }
                guard let both = before.adding(order) else { return nil }
                own = both
            }
        }
        guard let own, !own.quantity.isZero else { return nil }
        guard isComplete && own.isFinal || own.quantity == leg.held else { return nil }
        quantity = own.quantity
        averagePrice = own.turnover.flatMap { $0.divided(by: own.quantity, decimals: 18) }
        if let average = averagePrice, let mark = leg.arrivalMark, leg.reopened == 0 {
            slippageBps = Self.slippage(average, from: mark, closing: key.side)
        }
        fee = Self.fee(own.fees, in: key.marginCurrency)
        realizedPnl = own.realizedPnl
    }

    /// Closing a long leg sells, so a price below the mark is worse: `(mark − average) / mark × 10 000`; a short one buys.
    static func slippage(_ average: Amount, from mark: Amount, closing side: Side) -> Amount? {
        guard !mark.isZero, let worse = try? mark.adding(average.negated),
            let scaled = try? worse.multiplied(by: Amount(10_000))
        else { return nil }
        return (side == .long ? scaled : scaled.negated).divided(by: mark, decimals: 2)
    }

    private static func fee(_ fees: [CoinAmount]?, in currency: String) -> Amount? {
        guard let fees else { return nil }
        let charged = fees.filter { !$0.amount.isZero }
        guard charged.allSatisfy({ ($0.coin ?? currency).uppercased() == currency.uppercased() }) else { return nil }
        return charged.reduce(Amount.zero as Amount?) { sum, fee in sum.flatMap { try? $0.adding(fee.amount) } }
    }

    private static func mayHaveExecuted(_ call: CallRecord) -> Bool {
        switch call.stage {
        case .definite: call.result?.outcome.effect != Effect.none
        case .resolved(let verdict): verdict != .notExecuted
        case .intended, .unknown: true
        }
    }

    /// By the ids of the close's own answer, or by the id that the close gave its order.
    private static func orders(
        of call: CallRecord, _ close: CloseCall, among executions: AccountExecutions
    ) -> [Execution] {
        let named = Set(call.result?.outcome.orderIDs ?? [])
        return executions.orders.filter { order in
            if named.contains(order.orderID) { return true }
            guard let own = close.attemptID, let told = order.clientOrderID else { return false }
            return !own.isEmpty && own.lowercased() == told.lowercased()
        }
    }

    private static func isMatch(_ order: Execution, of key: LegKey) -> Bool {
        guard order.instrument.uppercased() == key.instrument.uppercased() else { return false }
        if let side = order.side, side != key.side { return false }
        if let position = order.positionID, let own = key.positionID, position != own { return false }
        return true
    }
}

extension AccountState {
    /// Whether these fills tell an average price for every leg that we closed.
    public func hasFigures(with executions: AccountExecutions, calls: [String: CallRecord]) -> Bool {
        var told = self
        told.executions = executions
        return legOrder.allSatisfy { key in
            guard let leg = told.legs[key], leg.executedByUs, leg.current == nil else { return true }
            return LegFigures(of: leg, in: told, calls: calls)?.averagePrice != nil
        }
    }
}
