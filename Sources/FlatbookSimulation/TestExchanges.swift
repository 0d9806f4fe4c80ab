import BingXExchange
import BitgetExchange
package import ExchangeKit
package import ExchangeSimulator
package import FlatbookCore
import OKXExchange

/// The plugins that simulated runs use, and the judge's own reading of the exchanges' names.
package enum TestExchanges {
    package static let byID: [ExchangeID: any ExchangePlugin] = [
        ExchangeID("bitget"): Bitget(), ExchangeID("okx"): OKX(), ExchangeID("bingx"): BingX(),
    ]

    package static let venues = SimulatedVenue.allCases.filter { byID[ExchangeID($0.rawValue)] != nil }

    /// Canonical symbols as the sheets write them, by product: never taken from a plugin.
    package static func canonical(_ product: String, _ symbol: String) -> String {
        switch product {
        case "USDT-FUTURES", "copy:USDT-FUTURES": symbol.dropLast(4) + "/USDT:USDT"
        case "USDC-FUTURES", "copy:USDC-FUTURES": symbol.dropLast(4) + "/USDC:USDC"
        case "COIN-FUTURES", "copy:COIN-FUTURES": symbol.dropLast(3) + "/USD:" + symbol.dropLast(3)
        case "swap": symbol.replacing("-", with: "/") + ":" + symbol.split(separator: "-")[1]
        case "cswap": symbol.replacing("-", with: "/") + ":" + symbol.split(separator: "-")[0]
        case "MARGIN": symbol.replacing("-", with: "/")
        default: okx(symbol)
        }
    }

    /// `BTC-USDT-SWAP`, `BTC-USD_UM-SWAP`, `BTC-USD-260327`, `BTC-USD-260327-60000-C` (`okx.md` §3.2).
    private static func okx(_ symbol: String) -> String {
        let parts = symbol.split(separator: "-").map(String.init)
        guard parts.count >= 3 else { return symbol }
        let quote = parts[1].split(separator: "_").first.map(String.init) ?? parts[1]
        let settle = parts[1] == "USD" ? parts[0] : quote
        let tail = parts.dropFirst(2).filter { $0 != "SWAP" }
        return ([parts[0] + "/" + quote + ":" + settle] + tail).joined(separator: "-")
    }
}
