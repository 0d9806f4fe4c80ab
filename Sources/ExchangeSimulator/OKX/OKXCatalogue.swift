extension SimulatedInstrument {
    static let okxProducts = ["SWAP", "FUTURES", "MARGIN", "OPTION"]

    /// What is listed at OKX: 33 perpetual swaps in USDT, five others, dated contracts, options and margin pairs.
    package static let okxCatalogue: [SimulatedInstrument] =
        usdtSwaps.map { contract($0, quote: "USDT", settle: "USDT") }
        + ["BTC 98246.1 0.0001 0 1 200000", "ETH 3412.1 0.001 0 2 200000"].map {
            contract($0, quote: "USDC", settle: "USDC")
        }
        + [contract("BTC 98255.3 0.0001 0 1 100000", quote: "USD_UM", settle: "USDⓈ")]
        + ["BTC 98239.5 100 0 1 30000", "ETH 3411.7 10 0 2 60000", "SOL 187.25 10 0 3 30000"].map {
            contract($0, quote: "USD", settle: nil)
        }
        + [
            dated("BTC 98610.4 0.01 2 1 12000", quote: "USDT", settle: "USDT", date: "261225"),
            dated("ETH 3431.2 0.1 2 2 20000", quote: "USDT", settle: "USDT", date: "270326"),
            dated("BTC 98602.1 100 0 1 10000", quote: "USD", settle: nil, date: "261225"),
            dated("BTC 99780.6 100 0 1 10000", quote: "USD", settle: nil, date: "270326"),
        ]
        + [
            option("BTC", "261225-100000-C", price: "0.0415"), option("BTC", "261225-90000-P", price: "0.0205"),
            option("ETH", "270326-4000-C", price: "0.061"), option("ETH", "270326-3000-P", price: "0.0475"),
        ]
        + marginPairs.map(pair)

    /// Base coin, price, contract value, decimals of size, decimals of price, most contracts in a market order.
    private static let usdtSwaps = [
        "BTC 98250.4 0.01 2 1 12000", "ETH 3412.55 0.1 2 2 20000", "SOL 187.315 1 2 3 50000",
        "XRP 2.1734 100 2 4 60000", "DOGE 0.31725 1000 2 5 30000", "BNB 668.12 0.01 0 2 200000",
        "ADA 0.8912 100 1 4 50000", "AVAX 38.914 1 1 3 50000", "LINK 21.553 1 1 3 50000", "DOT 7.245 1 0 3 100000",
        "LTC 104.28 1 1 2 20000", "BCH 452.3 0.1 1 2 20000", "TRX 0.24516 1000 2 5 20000", "ATOM 8.413 1 0 3 80000",
        "NEAR 5.372 10 1 3 20000", "APT 9.8412 1 1 4 80000", "ARB 0.9183 10 1 4 80000", "OP 2.1145 1 0 4 300000",
        "SUI 4.2117 1 0 4 200000", "INJ 24.132 0.1 0 3 200000", "FIL 5.6321 0.1 0 3 500000",
        "ETC 27.415 10 1 3 8000", "XLM 0.41235 100 0 5 30000", "HBAR 0.28441 100 0 5 30000",
        "UNI 13.487 1 0 3 80000", "AAVE 321.44 0.1 0 2 30000", "CRV 0.98713 1 0 4 900000", "LDO 2.0416 1 0 4 300000",
        "TIA 5.4128 1 0 4 200000", "WLD 2.3415 1 0 4 400000", "PEPE 0.0000184213 10000000 1 10 6000",
        "ORDI 27.412 0.1 0 3 100000", "STX 1.7213 10 0 4 60000",
    ]
    /// Base coin, price, decimals of size, decimals of price.
    private static let marginPairs = [
        "BTC 98245.2 8 1", "ETH 3412.4 6 2", "SOL 187.3 6 2", "XRP 2.1731 6 4", "LTC 104.27 6 2", "DOGE 0.3172 6 5",
    ]
    /// Most quote coin in a market order of a margin pair.
    static let okxMarginCap: Fixed = "1000000"

    private static func contract(_ row: String, quote: String, settle: String?) -> SimulatedInstrument {
        let parts = row.split(separator: " ").map(String.init)
        let family = parts[0] + "-" + quote
        var listed = SimulatedInstrument(
            product: "SWAP", symbol: family + "-SWAP", baseCoin: parts[0], quoteCoin: settle ?? quote,
            marginCoin: settle ?? parts[0], price: Fixed(parts[1]) ?? Fixed(1), volumePlace: Int(parts[3]) ?? 0,
            pricePlace: Int(parts[4]) ?? 2, maxMarketQuantity: Fixed(parts[5]))
        listed.contractValue = Fixed(parts[2]) ?? Fixed(1)
        listed.isInverse = settle == nil
        listed.settleCoin = settle ?? parts[0]
        listed.family = family
        return listed
    }

    private static func dated(_ row: String, quote: String, settle: String?, date: String) -> SimulatedInstrument {
        var listed = contract(row, quote: quote, settle: settle)
        listed.product = "FUTURES"
        listed.symbol = listed.family + "-" + date
        return listed
    }

    private static func option(_ coin: String, _ terms: String, price: Fixed) -> SimulatedInstrument {
        var listed = SimulatedInstrument(
            product: "OPTION", symbol: coin + "-USD-" + terms, baseCoin: coin, quoteCoin: coin, marginCoin: coin,
            price: price, volumePlace: 0, pricePlace: 4, maxMarketQuantity: "5000")
        // A value of one, times the multiplier.
        listed.contractValue = "0.01"
        listed.settleCoin = coin
        listed.family = coin + "-USD"
        return listed
    }

    private static func pair(_ row: String) -> SimulatedInstrument {
        let parts = row.split(separator: " ").map(String.init)
        let price = Fixed(parts[1]) ?? Fixed(1)
        let places = Int(parts[2]) ?? 6
        let cap = Fixed(raw: okxMarginCap.raw * Fixed.unit / price.raw).floored(to: Fixed(units: 1, places: places))
        var listed = SimulatedInstrument(
            product: "MARGIN", symbol: parts[0] + "-USDT", baseCoin: parts[0], quoteCoin: "USDT", marginCoin: "USDT",
            price: price, volumePlace: places, pricePlace: Int(parts[3]) ?? 4, maxMarketQuantity: cap)
        listed.family = parts[0] + "-USDT"
        return listed
    }

    /// When a dated contract or option ends, in milliseconds since 1970: eight in the morning; nil: it does not.
    var okxExpiry: Int64? {
        guard product == "FUTURES" || product == "OPTION" else { return nil }
        let parts = symbol.split(separator: "-")
        guard parts.count > 2, parts[2].count == 6, let date = Int64(parts[2]) else { return nil }
        return OKXClock.milliseconds(2_000 + date / 10_000, date / 100 % 100, date % 100, hour: 8)
    }
}
