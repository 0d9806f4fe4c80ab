import ExchangeKit
import FlatbookCore

extension BingX {
    /// §3.1, §10: the whole product in one call.
    static func instruments(_ rows: [ReplyRow], product: String) throws(MalformedReply) -> [Instrument] {
        var seen: Set<String> = []
        var instruments: [Instrument] = []
        instruments.reserveCapacity(rows.count)
        for row in rows {
            let native = try row.text("symbol").uppercased()
            guard seen.insert(native).inserted else { throw MalformedReply("two rows of one contract") }
            instruments.append(product == cswap ? try coin(row, native) : try linear(row, native))
        }
        return instruments
    }

    private static func linear(_ row: ReplyRow, _ native: String) throws(MalformedReply) -> Instrument {
        Instrument(
            nativeID: native, symbol: canonical(native, product: swap), product: swap, quantityStep: try step(row),
            minimumQuantity: try row.optionalPositive("tradeMinQuantity"), trading: try trading(row))
    }

    /// Sizes are whole contracts; `minTickSize` is what one is worth in USD.
    private static func coin(_ row: ReplyRow, _ native: String) throws(MalformedReply) -> Instrument {
        Instrument(
            nativeID: native, symbol: canonical(native, product: cswap), product: cswap, quantityStep: Amount(1),
            minimumQuantity: try row.optionalPositive("minQty"), trading: try trading(row),
            contractValue: try row.optionalPositive("minTickSize"))
    }

    private static func trading(_ row: ReplyRow) throws(MalformedReply) -> Instrument.Trading {
        let status = try row.optionalText("status")
        if status == "0" { return .delisted }
        if try row.optionalFlag("apiStateClose") == false || status == "5" { return .suspended }
        if try row.optionalFlag("apiStateOpen") == false || status == "25" { return .closeOnly }
        // A status of a later day must not keep a position open: the exchange says so itself when it refuses.
        return .open
    }

    /// The coarser of `size` and the last of `quantityPrecision` decimals: finer digits are cut off silently (§3.5).
    private static func step(_ row: ReplyRow) throws(MalformedReply) -> Amount? {
        let size = try row.optionalPositive("size")
        guard let text = try row.optionalText("quantityPrecision") else { return size }
        guard let places = Int(text), (0...18).contains(places), let place = try? Amount("1e-\(places)") else {
            throw MalformedReply("quantityPrecision is no number of decimals")
        }
        return size.map { max($0, place) } ?? place
    }

    /// `BTC-USDT` → `BTC/USDT:USDT`, `BTC-USD` → `BTC/USD:BTC`; a dated `…-YYMMDD` keeps its date. Anything else stays.
    static func canonical(_ native: String, product: String) -> String {
        let parts = native.split(separator: "-", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else { return native }
        let perpetual = "\(parts[0])/\(parts[1]):\(product == cswap ? parts[0] : parts[1])"
        return parts.count == 3 ? perpetual + "-" + parts[2] : perpetual
    }
}
