/// What orders filled: prices, fees and profits, by the exchange's own arithmetic.
extension World {
    /// The price of the next fill: the contract's, worse for the client by the configured part, on its tick.
    ///
    /// The second step of a fill in two steps is worse by as much again.
    func fillPrice(_ order: ClientOrder) -> Fixed {
        guard let listed = instrument(order.symbol, order.product) else { return order.price }
        let basisPoints = configuration.closeSlippageBps * (order.fills.isEmpty ? 1 : 2)
        guard basisPoints > 0, order.kind != .open else { return listed.price }
        let worse = listed.price.scaled(
            order.leg == .long ? 10_000 - basisPoints : 10_000 + basisPoints, over: 10_000)
        let priced = worse.floored(to: Fixed(units: 1, places: listed.pricePlace))
        return priced > .zero ? priced : listed.price
    }

    /// What closing brings, in the coin that the contract settles in.
    func gain(_ leg: SimulatedPosition, _ quantity: Fixed, at price: Fixed) -> Fixed {
        let listed = instrument(leg.symbol, leg.product)
        let units = quantity * (listed?.contractValue ?? Fixed(1))
        var gain = (price - leg.openPrice) * units
        if listed?.isInverse == true {
            gain = units.okxOver(leg.openPrice) - units.okxOver(price)
        } else if BitgetCopy.plain(leg.product) == "COIN-FUTURES" {
            // Sizes are coins, and the profit is paid in the same coin.
            gain = gain.okxOver(price)
        }
        return leg.side == .long ? gain : -gain
    }

    /// What a fill costs, in the order's margin coin: 6 hundredths of a percent at Bitget, 5 elsewhere.
    func fee(_ fill: ClientOrder.Fill, of order: ClientOrder, _ venue: SimulatedVenue) -> Fixed {
        let listed = instrument(order.symbol, order.product)
        let units = fill.quantity * (listed?.contractValue ?? Fixed(1))
        let worth: Fixed
        if listed?.isInverse == true {
            worth = units.okxOver(fill.price)
        } else if BitgetCopy.plain(order.product) == "COIN-FUTURES" {
            worth = units
        } else {
            worth = units * fill.price
        }
        return worth.scaled(venue == .bitget ? 6 : 5, over: 10_000)
    }

    func fee(of order: ClientOrder, _ index: Int) -> Fixed {
        order.fills.reduce(.zero) { $0 + fee($1, of: order, states[index].account.venue) }
    }
}

extension ClientOrder {
    /// Σ price × quantity.
    var turnover: Fixed { fills.reduce(.zero) { $0 + $1.price * $1.quantity } }

    /// As order rows show it, cut to twelve decimals; the contract's price before the first fill.
    var average: Fixed {
        guard let first = fills.first, filled > .zero else { return price }
        return fills.allSatisfy { $0.price == first.price } ? first.price : turnover.okxOver(filled)
    }
}

/// What one order of a client filled, for a judge.
package struct ExecutedOrder: Hashable, Sendable {
    package struct Fill: Hashable, Sendable {
        package var quantity: Fixed
        package var price: Fixed
        package var profit: Fixed
        package var fee: Fixed
    }
    package var id: String
    package var clientID: String
    package var product: String
    package var symbol: String
    /// Of the position.
    package var side: PositionSide
    package var positionID: String?
    package var coin: String
    /// As order rows show it.
    package var average: Fixed
    package var fills: [Fill]
}

extension ExchangeSimulation {
    /// The orders by which a client closed something, oldest first.
    package func closingOrders(ofUID uid: String) -> [ExecutedOrder] {
        guard let state = world.states.first(where: { $0.account.uid == uid }) else { return [] }
        return state.orders.filter { $0.kind != .open && $0.filled > .zero }.map { order in
            ExecutedOrder(
                id: order.id, clientID: order.clientOid, product: order.product, symbol: order.symbol,
                side: order.leg, positionID: order.positionID, coin: order.marginCoin, average: order.average,
                fills: order.fills.map {
                    ExecutedOrder.Fill(
                        quantity: $0.quantity, price: $0.price, profit: $0.profit,
                        fee: world.fee($0, of: order, state.account.venue))
                })
        }
    }
}
