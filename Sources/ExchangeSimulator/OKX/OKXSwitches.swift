/// What only OKX accounts have.
package struct OKXTraits: Sendable {
    /// Of the key: `read_only`, `trade`, `withdraw`.
    package var permissions: Set<String> = ["read_only", "trade"]
    /// `acctLv`: 1 spot, 2 futures, 3 multi-currency, 4 portfolio margin.
    package var accountLevel = "2"
    package var mainUID = "44705892343000000"
    /// The account is registered at another site: its key does not exist here.
    package var isOtherSite = false
    /// The key was not used for 14 days and is bound to no address.
    package var isFrozen = false
    /// A code that every trading call answers, e.g. `50022` while the account is being liquidated.
    package var blockedCode: String?
    package var selfTradeMode = "cancel_maker"

    package init() {}
}

/// The behaviours that the sheet marks as variants or unverified: the client must live with each.
package struct OKXSwitches: Sendable {
    /// What a refused rate limit looks like (sheet §4.3).
    package enum Throttle: Sendable { case status429, status200, numericCode }
    /// What a call for an option answers (sheet §7.9).
    package enum OptionClose: Sendable { case refused, closes }
    /// What is left of a market order beyond the price limit (sheet §7.3).
    package enum Remainder: Sendable { case none, rests, cancelled }

    package var throttle = Throttle.status429
    package var window = WindowKind.sliding
    /// Off: violations are recorded and the request is served.
    package var enforcesLimits = true
    package var refusedRequestsCount = false
    package var optionClose = OptionClose.refused
    package var remainder = Remainder.none
    /// `51023`, or `51043` for isolated positions.
    package var isolatedFlatCode = "51023"
    package var runningCode = "51032"
    package var tooLargeCode = "51108"
    package var duplicateIDCode = "51016"
    /// HTTP status of 50119.
    package var unknownKeyStatus = 401
    /// Errors carry `data: []`; off: no `data` at all.
    package var errorsHaveData = true
    /// The ack of a close repeats the refusal in `sCode` under code 1.
    package var errorsInItems = false
    /// Order lookups by client id answer 51603 for this long after acceptance.
    package var lookupHiddenMs: Int64 = 0
    /// A close of a cross margin position is accepted and never done, as demo trading was seen to do.
    package var marginAckDoesNothing = false
    /// Algo orders stay when their position goes.
    package var algosRemain = true
    /// The unfiltered list shows flat rows too.
    package var listsZeroRows = false
    /// By instrument.
    package var failures: [String: SymbolFailure] = [:]

    package init() {}
}

extension SimulatedInstrument {
    /// The listed instruments of a random OKX fleet: 30 linear and 3 inverse swaps, 2 in other dollars, 4 dated contracts,
    /// 4 options, 6 margin pairs.
    package static let okxCatalogue: [SimulatedInstrument] =
        okxSwaps.map { okxRow($0, quote: "USDT", suffix: "-SWAP", product: "SWAP") }
        + ["BTC 0.0001 1 98247.2", "ETH 0.001 1 3412.3"].map {
            okxRow($0, quote: "USDC", suffix: "-SWAP", product: "SWAP")
        }
        + ["BTC 100 0 98240.1", "ETH 10 0 3411.6", "SOL 10 0 187.24"].map { okxInverse($0, suffix: "-SWAP", "SWAP") }
        + ["BTC 100 0 98900.5", "ETH 10 0 3440.2"].map { okxInverse($0, suffix: "-270326", "FUTURES") }
        + ["BTC 0.01 1 98910.3", "ETH 0.1 1 3441.1"].map {
            okxRow($0, quote: "USDT", suffix: "-270326", product: "FUTURES")
        }
        + ["BTC-USD-270326-90000-C", "BTC-USD-270326-90000-P", "ETH-USD-270326-3000-C", "ETH-USD-270326-3000-P"]
        .map(okxOption)
        + ["BTC 98250.1 5 1", "ETH 3412.5 4 2", "SOL 187.31 3 2", "XRP 2.1733 2 4", "DOGE 0.3172 1 5", "LTC 104.2 3 2"]
        .map(okxMargin)

    /// Base coin, coins in one contract, decimals of contracts, price.
    private static let okxSwaps = [
        "BTC 0.01 2 98251.7", "ETH 0.1 2 3412.57", "SOL 1 2 187.319", "XRP 100 2 2.17345", "DOGE 1000 2 0.31726",
        "BNB 0.01 0 668.13", "ADA 100 1 0.89125", "AVAX 1 1 38.916", "LINK 1 1 21.555", "DOT 1 1 7.2461",
        "LTC 1 1 104.285", "BCH 0.1 1 452.32", "TRX 1000 2 0.24515", "ATOM 1 1 8.4135", "NEAR 10 1 5.3725",
        "APT 1 1 9.8413", "ARB 10 1 0.91835", "OP 1 1 2.11455", "SUI 1 1 4.2118", "INJ 0.1 0 24.133",
        "FIL 0.1 0 5.6322", "ETC 10 2 27.4155", "XLM 100 1 0.412355", "HBAR 100 1 0.284415", "UNI 1 1 13.4875",
        "AAVE 0.1 0 321.445", "WLD 1 1 2.34155", "PEPE 10000000 1 0.0000184214", "WIF 1 1 2.14135", "TIA 1 1 5.41285",
    ]

    private static func okxRow(
        _ text: String, quote: String, suffix: String, product: String
    ) -> SimulatedInstrument {
        let parts = text.split(separator: " ").map(String.init)
        var contract = SimulatedInstrument(
            product: product, symbol: parts[0] + "-" + quote + suffix, baseCoin: parts[0], quoteCoin: quote,
            marginCoin: quote, price: Fixed(parts[3]) ?? Fixed(1), volumePlace: Int(parts[2]) ?? 0, pricePlace: 4,
            maxMarketQuantity: Fixed(1_000_000))
        contract.contractValue = Fixed(parts[1]) ?? Fixed(1)
        contract.settleCoin = quote
        contract.family = parts[0] + "-" + quote
        return contract
    }

    private static func okxInverse(_ text: String, suffix: String, _ product: String) -> SimulatedInstrument {
        var contract = okxRow(text, quote: "USD", suffix: suffix, product: product)
        contract.isInverse = true
        contract.marginCoin = contract.baseCoin
        contract.settleCoin = contract.baseCoin
        return contract
    }

    private static func okxOption(_ id: String) -> SimulatedInstrument {
        let base = String(id.prefix(3))
        var option = SimulatedInstrument(
            product: "OPTION", symbol: id, baseCoin: base, quoteCoin: "USD", marginCoin: base,
            price: "0.052", volumePlace: 0, pricePlace: 4, maxMarketQuantity: Fixed(5_000))
        option.contractValue = "0.01"
        option.settleCoin = base
        option.family = base + "-USD"
        return option
    }

    private static func okxMargin(_ text: String) -> SimulatedInstrument {
        let parts = text.split(separator: " ").map(String.init)
        return SimulatedInstrument(
            product: "MARGIN", symbol: parts[0] + "-USDT", baseCoin: parts[0], quoteCoin: "USDT", marginCoin: "USDT",
            price: Fixed(parts[1]) ?? Fixed(1), volumePlace: Int(parts[2]) ?? 4, pricePlace: Int(parts[3]) ?? 2,
            maxMarketQuantity: Fixed(1_000_000))
    }
}
