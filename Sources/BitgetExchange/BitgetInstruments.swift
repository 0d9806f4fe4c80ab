import ExchangeKit
import FlatbookCore

extension Bitget {
    /// §3.1, the whole product in one call. An empty list is a legal answer (§1.2).
    static func instruments(_ rows: [ReplyRow], product: String) throws(MalformedReply) -> [Instrument] {
        var seen: Set<String> = []
        var instruments: [Instrument] = []
        instruments.reserveCapacity(rows.count)
        for row in rows {
            let instrument = try instrument(row, product: product)
            guard seen.insert(instrument.nativeID).inserted else { throw MalformedReply("two rows of one contract") }
            instruments.append(instrument)
        }
        return instruments
    }

    private static func instrument(_ row: ReplyRow, product: String) throws(MalformedReply) -> Instrument {
        let native = try row.text("symbol").uppercased()
        let trading: Instrument.Trading
        switch try row.optionalText("symbolStatus") {
        case "limit_open": trading = .closeOnly
        case "listed", "maintain", "restrictedAPI": trading = .suspended
        case "off": trading = .delisted
        // A status of a later day must not keep a position open: the exchange says so itself when it refuses.
        default: trading = .open
        }
        return Instrument(
            nativeID: native, symbol: try symbol(row, native: native, product: product), product: product,
            quantityStep: try step(row), minimumQuantity: try positive(row, "minTradeNum"),
            maximumMarketQuantity: try positive(row, "maxMarketOrderQty"), trading: trading)
    }

    /// `BTC/USDT:USDT`, `BTC/USDC:USDC`, `BTC/USD:BTC`, and `-YYMMDD` behind it where the contract is dated.
    private static func symbol(_ row: ReplyRow, native: String, product: String) throws(MalformedReply) -> String {
        let base = try row.text("baseCoin").uppercased()
        let perpetual: String
        switch product.uppercased() {
        case "USDT-FUTURES": perpetual = "\(base)/USDT:USDT"
        case "USDC-FUTURES": perpetual = "\(base)/USDC:USDC"
        default: perpetual = "\(base)/USD:\(base)"
        }
        guard try row.optionalText("symbolType") == "delivery" else { return perpetual }
        if let time = try row.optionalTime("deliveryTime") {
            return perpetual + "-" + time.compact.prefix(8).dropFirst(2)
        }
        // `ETHUSD_231229` carries its date itself; `BTCUSDU26` at least stays distinct.
        if let mark = native.lastIndex(of: "_") { return perpetual + "-" + native[native.index(after: mark)...] }
        return perpetual + "-" + (native.hasPrefix(base + "USD") ? native.dropFirst(base.count + 3) : native[...])
    }

    /// The coarser of `sizeMultiplier` and the last of `volumePlace` decimals: an order size must fit both (§7).
    private static func step(_ row: ReplyRow) throws(MalformedReply) -> Amount? {
        let multiplier = try positive(row, "sizeMultiplier")
        guard let text = try row.optionalText("volumePlace") else { return multiplier }
        guard let places = Int(text), (0...18).contains(places), let place = try? Amount("1e-\(places)") else {
            throw MalformedReply("volumePlace is no number of decimals")
        }
        return multiplier.map { max($0, place) } ?? place
    }

    private static func positive(_ row: ReplyRow, _ name: String) throws(MalformedReply) -> Amount? {
        try row.optionalUnsigned(name).flatMap { $0.isZero ? nil : $0 }
    }
}
