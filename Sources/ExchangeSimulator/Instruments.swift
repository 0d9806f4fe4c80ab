/// A listed contract. Sizes in base coin, prices in quote coin.
package struct SimulatedInstrument: Hashable, Sendable {
    package var product: String
    package var symbol: String
    package var baseCoin: String
    package var quoteCoin: String
    package var marginCoin: String
    package var price: Fixed
    package var volumePlace: Int
    package var pricePlace: Int
    /// Most base coin in one market order; nil: the field is empty, as on older replies.
    package var maxMarketQuantity: Fixed?
    /// Most base coin in one flash close; nil: no cap.
    package var maxFlashClose: Fixed?
    /// The smallest order; nil: one step.
    package var minQuantity: Fixed?
    /// A whole position below the smallest order can be closed all the same.
    package var closesBelowMinimum = true
    /// `normal`, `limit_open`, `listed`, `maintain`, `restrictedAPI` or `off`.
    package var status = "normal"
    /// As in tickers.
    package var deliveryStatus = "delivery_normal"
    /// Base coin in one unit of quantity, or quote coin where the contract is inverse; one where sizes are coins.
    package var contractValue = Fixed(1)
    package var isInverse = false
    /// The coin that profit is paid in; empty: the margin coin.
    package var settleCoin = ""
    /// The group of an option or dated contract, e.g. `BTC-USD`; empty where there is none.
    package var family = ""

    package init(
        product: String, symbol: String, baseCoin: String, quoteCoin: String, marginCoin: String, price: Fixed,
        volumePlace: Int, pricePlace: Int, maxMarketQuantity: Fixed? = nil, maxFlashClose: Fixed? = nil
    ) {
        self.product = product
        self.symbol = symbol
        self.baseCoin = baseCoin
        self.quoteCoin = quoteCoin
        self.marginCoin = marginCoin
        self.price = price
        self.volumePlace = volumePlace
        self.pricePlace = pricePlace
        self.maxMarketQuantity = maxMarketQuantity
        self.maxFlashClose = maxFlashClose
    }

    var step: Fixed { Fixed(units: 1, places: volumePlace) }
    var smallest: Fixed { minQuantity ?? step }

    /// Whether not even a close of the whole takes so little.
    func isDust(_ quantity: Fixed) -> Bool { !closesBelowMinimum && quantity < smallest }

    /// Everything that is listed anywhere.
    package static let everything = catalogue + okxCatalogue + bingxCatalogue

    /// The listed contracts of one exchange.
    package static func catalogue(of venue: SimulatedVenue) -> [SimulatedInstrument] {
        switch venue {
        case .bitget: catalogue
        case .okx: okxCatalogue
        case .bingx: bingxCatalogue
        }
    }

    /// The listed contracts of a random Bitget fleet: 48 in USDT, 7 in USDC, 6 in coin.
    package static let catalogue: [SimulatedInstrument] =
        usdtTable.map { row($0, product: "USDT-FUTURES", suffix: "USDT", quote: "USDT", margin: "USDT") }
        + usdcTable.map { row($0, product: "USDC-FUTURES", suffix: "PERP", quote: "USDC", margin: "USDC") }
        + coinTable.map { row($0, product: "COIN-FUTURES", suffix: "USD", quote: "USD", margin: nil) }

    /// Base coin, price, decimals of size, decimals of price.
    private static let usdtTable = [
        "BTC 98250.4 4 1", "ETH 3412.55 2 2", "SOL 187.315 1 3", "XRP 2.1734 0 4", "DOGE 0.31725 0 5",
        "BNB 668.12 2 2", "ADA 0.8912 0 4", "AVAX 38.914 1 3", "LINK 21.553 1 3", "DOT 7.245 1 3",
        "LTC 104.28 1 2", "BCH 452.3 2 2", "TRX 0.24516 0 5", "ATOM 8.413 1 3", "NEAR 5.372 1 3",
        "APT 9.8412 1 4", "ARB 0.9183 0 4", "OP 2.1145 0 4", "SUI 4.2117 1 4", "INJ 24.132 1 3",
        "FIL 5.6321 1 4", "ETC 27.415 1 3", "XLM 0.41235 0 5", "HBAR 0.28441 0 5", "UNI 13.487 1 3",
        "AAVE 321.44 1 2", "MKR 1642.1 3 1", "CRV 0.98713 0 5", "LDO 2.0416 0 4", "SEI 0.48213 0 5",
        "TIA 5.4128 1 4", "WLD 2.3415 0 4", "PEPE 0.0000184213 0 10", "WIF 2.1413 0 4", "BONK 0.00003124 0 8",
        "FET 1.4127 0 4", "RUNE 5.2114 1 4", "GALA 0.03914 0 5", "SAND 0.61324 0 5", "MANA 0.57218 0 5",
        "AXS 7.1124 1 4", "DYDX 1.6421 0 4", "ENA 0.91425 0 5", "JUP 0.88213 0 5", "ORDI 27.412 1 3",
        "STX 1.7213 0 4", "BLUR 0.28124 0 5", "龙虾 0.01532 0 5",
    ]
    private static let usdcTable = [
        "BTC 98246.1 4 1", "ETH 3412.1 2 2", "SOL 187.28 1 3", "XRP 2.1731 0 4", "DOGE 0.3172 0 5", "SUI 4.211 1 4",
        "LINK 21.55 1 3",
    ]
    private static let coinTable = [
        "BTC 98239.5 4 1", "ETH 3411.7 2 2", "XRP 2.1729 0 4", "SOL 187.25 1 3", "ADA 0.8909 0 4", "LTC 104.25 1 2",
    ]

    private static func row(
        _ text: String, product: String, suffix: String, quote: String, margin: String?
    ) -> SimulatedInstrument {
        let parts = text.split(separator: " ").map(String.init)
        let price = Fixed(parts[1]) ?? Fixed(1)
        let places = Int(parts[2]) ?? 0
        let step = Fixed(units: 1, places: places)
        // About two million in quote coin, as the caps of large contracts are.
        let cap = Fixed(raw: Fixed(2_000_000).raw * Fixed.unit / price.raw).floored(to: step)
        return SimulatedInstrument(
            product: product, symbol: parts[0] + suffix, baseCoin: parts[0], quoteCoin: quote,
            marginCoin: margin ?? parts[0], price: price, volumePlace: places, pricePlace: Int(parts[3]) ?? 4,
            maxMarketQuantity: cap)
    }
}
