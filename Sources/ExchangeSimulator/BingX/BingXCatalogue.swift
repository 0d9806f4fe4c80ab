extension SimulatedInstrument {
    /// The listed contracts of a random BingX fleet: 30 in USDT, 3 in USDC, 5 margined in coin.
    package static let bingxCatalogue: [SimulatedInstrument] =
        bingxUSDT.map { bingxRow($0, quote: "USDT") } + bingxUSDC.map { bingxRow($0, quote: "USDC") }
        + bingxCoin.map(bingxCoinRow)

    /// Base coin, price, decimals of size, decimals of price.
    private static let bingxUSDT = [
        "BTC 98253.1 4 1", "ETH 3412.61 2 2", "SOL 187.321 2 3", "XRP 2.1735 1 4", "DOGE 0.31727 0 5",
        "BNB 668.15 2 2", "ADA 0.8913 0 4", "AVAX 38.917 2 3", "LINK 21.556 2 3", "DOT 7.246 2 3",
        "LTC 104.29 3 2", "BCH 452.36 3 2", "TRX 0.24517 0 5", "ATOM 8.414 2 3", "NEAR 5.373 1 3",
        "APT 9.8414 2 4", "ARB 0.9184 1 4", "OP 2.1147 1 4", "SUI 4.2119 1 4", "INJ 24.135 2 3",
        "FIL 5.6324 1 4", "ETC 27.416 2 3", "XLM 0.41237 0 5", "HBAR 0.28443 0 5", "UNI 13.489 2 3",
        "AAVE 321.47 3 2", "WLD 2.3416 1 4", "1000PEPE 0.0184213 0 7", "WIF 2.1414 1 4", "MØTH 0.01533 0 5",
    ]
    private static let bingxUSDC = ["BTC 98248.7 4 1", "ETH 3412.2 2 2", "SOL 187.29 2 3"]
    /// Base coin, price, USD in one contract, decimals of price.
    private static let bingxCoin = [
        "BTC 98241.2 100 1", "ETH 3411.9 10 2", "XRP 2.173 10 4", "SOL 187.27 10 3", "DOGE 0.3173 10 5",
    ]

    private static func bingxRow(_ text: String, quote: String) -> SimulatedInstrument {
        let parts = text.split(separator: " ").map(String.init)
        return SimulatedInstrument(
            product: "swap", symbol: parts[0] + "-" + quote, baseCoin: parts[0], quoteCoin: quote, marginCoin: quote,
            price: Fixed(parts[1]) ?? Fixed(1), volumePlace: Int(parts[2]) ?? 0, pricePlace: Int(parts[3]) ?? 4)
    }

    private static func bingxCoinRow(_ text: String) -> SimulatedInstrument {
        let parts = text.split(separator: " ").map(String.init)
        var contract = SimulatedInstrument(
            product: "cswap", symbol: parts[0] + "-USD", baseCoin: parts[0], quoteCoin: "USD", marginCoin: parts[0],
            price: Fixed(parts[1]) ?? Fixed(1), volumePlace: 0, pricePlace: Int(parts[3]) ?? 4)
        contract.contractValue = Fixed(parts[2]) ?? Fixed(10)
        contract.isInverse = true
        return contract
    }
}
