import ExchangeKit
import FlatbookCore

extension BingX {
    static let swap = "swap"
    static let cswap = "cswap"
    static let products = [swap, cswap]

    /// Lists of resting orders (§3.2, §10): TWAP parents are in none of the others.
    static let orders = "orders"
    static let twap = "twap"
    static let cswapOrders = "cswap-orders"

    /// Orders that one `batchOrders` may name (§3).
    static let cancelsPerCall = 10

    static func makeProfile() -> ExchangeProfile {
        var profile = ExchangeProfile(
            id: ExchangeID("bingx"),
            // §1: one key pair opens both, so the host alone decides between real money and demo. No fail-over hosts: a
            // write must never be repeated on another one.
            hosts: [.production: "https://open-api.bingx.com", .demo: "https://open-api-vst.bingx.com"],
            credentialFields: ["key", "secret"],
            options: [ExchangeProfile.OptionRule(name: "products", allowed: products, isList: true)],
            limits: limits, routes: endpoints.map(\.route), products: products,
            orderLists: [orders, twap, cswapOrders], closeMethods: closeMethods, maxCancelsPerCall: cancelsPerCall,
            // The sheet names no call that cancels a coin-margined order by its id: those are reported as remaining.
            cancelOperations: [orders: BingXRoute.cancelOrders, twap: BingXRoute.cancelTWAP],
            // `recvWindow` of every private request (§2).
            signatureLife: .seconds(5),
            notRead: [
                ExchangeProfile.NotRead(silo: "standard futures", reason: "the exchange offers no API to close them"),
                ExchangeProfile.NotRead(silo: "copy", reason: "not supported by this version"),
            ])
        profile.cancelLimits = [BingXRoute.cancelTWAP: 1]
        profile.checks = [.identity, .permissions, .settings]
        profile.signatureCodes = ["100001"]
        return profile
    }

    /// Widest first (§3.3–§3.5, §10).
    ///
    /// In hedge mode a position id names one side for good. In one-way mode a net position may change its side under
    /// its id, so only a sized, reduce-only order is refused after a flip. Coin-margined legs are closed by symbol at the
    /// narrowest: an opposite order there could open a position.
    private static let closeMethods = [
        CloseMethod(
            operation: BingXRoute.closeAll, reach: .product, isSized: false, modes: [.oneWay, .hedge],
            guaranteesSide: false, products: [swap]),
        CloseMethod(
            operation: BingXRoute.cswapCloseAll, reach: .product, isSized: false, modes: [.oneWay, .hedge],
            guaranteesSide: false, products: [cswap]),
        CloseMethod(
            operation: BingXRoute.closeAll, reach: .symbol, isSized: false, modes: [.oneWay, .hedge],
            guaranteesSide: false, products: [swap]),
        CloseMethod(
            operation: BingXRoute.cswapCloseAll, reach: .symbol, isSized: false, modes: [.oneWay, .hedge],
            guaranteesSide: false, products: [cswap]),
        CloseMethod(
            operation: BingXRoute.closePosition, reach: .leg, isSized: false, modes: [.hedge], guaranteesSide: true,
            products: [swap]),
        CloseMethod(
            operation: BingXRoute.closePosition, reach: .leg, isSized: false, modes: [.oneWay], guaranteesSide: false,
            products: [swap]),
        CloseMethod(
            operation: BingXRoute.order, reach: .leg, isSized: true, modes: [.oneWay], guaranteesSide: true,
            products: [swap]),
        // §3.5: it names the position's side and cannot flip; only for what is too large to be closed whole.
        CloseMethod(
            operation: BingXRoute.order, reach: .leg, isSized: true, modes: [.hedge], guaranteesSide: true,
            products: [swap], isForParts: true),
    ]
}
