import ExchangeKit
import FlatbookCore

extension OKX {
    /// The families whose options are listed: the exchange lists options by family only (§3.1). Positions in another family
    /// are still read and closed, under the canonical symbol that follows from their id.
    static let optionFamilies = ["BTC-USD", "ETH-USD"]

    /// §3.2. Rows of types that came later are left out, and a value may be empty; a row that is malformed makes the list
    /// no list, because what else it says cannot be trusted.
    ///
    /// An empty list is an answer: sites of some regions list no margin pairs and no options.
    ///
    /// - Throws: ``MalformedReply`` also where there are rows and none is of the type.
    static func instruments(_ rows: [ReplyRow], product: String) throws(MalformedReply) -> [Instrument] {
        var instruments: [Instrument] = []
        instruments.reserveCapacity(rows.count)
        for row in rows where try row.instrumentType() == product {
            instruments.append(try instrument(row, product: product))
        }
        if instruments.isEmpty, !rows.isEmpty { throw MalformedReply("no row is of the type asked for") }
        return instruments
    }

    private static func instrument(_ row: ReplyRow, product: String) throws(MalformedReply) -> Instrument {
        let id = try row.text("instId")
        let trading: Instrument.Trading
        switch try row.optionalText("state") {
        case "suspend", "preopen", "test": trading = .suspended
        // A state of a later day must not keep a position open: the exchange says so itself when it refuses.
        default: trading = .open
        }
        var contractValue = try row.optionalUnsigned("ctVal")
        if let value = contractValue, let multiple = try row.optionalUnsigned("ctMult"), !multiple.isZero {
            contractValue = try? value.multiplied(by: multiple)
        }
        return Instrument(
            nativeID: id, symbol: symbol(id, type: product, settle: try row.optionalText("settleCcy")),
            product: product,
            quantityStep: try row.optionalUnsigned("lotSz"), minimumQuantity: try row.optionalUnsigned("minSz"),
            // Of margin pairs it is in the quote currency, positions are in the base coin (§3.2).
            maximumMarketQuantity: product == "MARGIN" ? nil : try row.optionalUnsigned("maxMktSz"), trading: trading,
            contractValue: contractValue)
    }

    /// `BTC-USDT-SWAP` → `BTC/USDT:USDT`, `BTC-USD-260327-60000-C` → `BTC/USD:BTC-260327-60000-C`, `BTC-USDT` → `BTC/USDT`.
    ///
    /// - Parameter settle: what the instrument's row says; without one, inverse contracts settle in the base coin and all
    ///   others in the quote coin. `BTC-USD_UM-…` settles in a dollar credit that is written `USDⓈ` (§3.2): `USD` here.
    static func symbol(_ id: String, type: String, settle: String? = nil) -> String {
        let parts = id.split(separator: "-").map(String.init)
        guard parts.count >= 2 else { return id }
        let quote = parts[1].split(separator: "_").first.map(String.init) ?? parts[1]
        let pair = parts[0] + "/" + quote
        if type == "MARGIN" || parts.count == 2 { return pair }
        let plain = settle.map { String($0.unicodeScalars.filter(\.isASCII)) } ?? ""
        let currency = plain.isEmpty ? (parts[1] == "USD" ? parts[0] : quote) : plain
        let tail = parts.dropFirst(2).filter { $0 != "SWAP" }
        return ([pair + ":" + currency] + tail).joined(separator: "-")
    }
}
