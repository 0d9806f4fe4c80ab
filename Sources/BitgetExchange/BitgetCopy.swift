import ExchangeKit
import FlatbookCore

extension Bitget {
    /// Closes of copied positions (§3.6), widest first. `holdSide` is ignored in one-way mode, so the side reach is exact
    /// in hedge mode only; a tracking number is exact in any. `productType` alone is never sent: what it does is [U].
    static let followerMethods = [
        CloseMethod(
            operation: BitgetRoute.followerClose, reach: .side, isSized: false, modes: [.hedge], guaranteesSide: true,
            silo: .copy),
        CloseMethod(
            operation: BitgetRoute.followerClose, reach: .leg, isSized: false, modes: [.oneWay, .hedge],
            guaranteesSide: true, silo: .copy),
    ]

    /// The body of a follower's close: a side of a symbol, or one tracking number.
    ///
    /// Everything sent beside a tracking number must match its row, so the margin mode, which rows do not say, is left
    /// out; for a side it would narrow the call to a part of the side.
    static func followerClose(_ call: CloseCall) -> [(String, RequestBody.Value)] {
        let leg = call.legs.first
        let instrument = call.instrument ?? leg?.instrument ?? ""
        var body: [(String, RequestBody.Value)] = [("productType", .text(productType(call.product)))]
        if call.method.reach != .side { body.append(("trackingNo", .text(leg?.positionID ?? refused))) }
        body.append(("symbol", .text(instrument.isEmpty ? refused : instrument)))
        body.append(("holdSide", .text((call.side ?? leg?.side)?.rawValue ?? refused)))
        return body
    }

    /// §3.6: `{"orderIdList":[…]}`, nothing of what was not closed. An empty list closed nothing.
    static func followerClosed(_ envelope: BitgetEnvelope) throws(MalformedReply) -> Outcome {
        let data = try ReplyRow(envelope.data ?? .null).value
        var ids: [String] = []
        switch data["orderIdList"] {
        case .null?: break
        case .array(let elements)?:
            for element in elements {
                guard let id = element.text, !id.isEmpty else { throw MalformedReply("orderIdList holds no id") }
                ids.append(id)
            }
        default: throw MalformedReply("orderIdList is missing or no list")
        }
        if ids.isEmpty { return Outcome(effect: .none, errorClass: .alreadyFlat, code: envelope.code) }
        return Outcome(effect: .executed, errorClass: .ok, code: envelope.code, orderIDs: ids)
    }

    /// One page of copied positions (§3.6): the list itself as documented, or an object with `trackingList` as seen live.
    static func copies(
        _ data: JSONValue, account: String, partition: String, cursor: String?, book: InstrumentBook
    ) throws(MalformedReply) -> ReadAnswer {
        let rows: [ReplyRow]
        var endID: String?
        if let elements = data.elements {
            rows = try ReplyRow.rows(.array(elements))
        } else {
            let page = try ReplyRow(data)
            switch page.value["trackingList"] {
            case .null?: rows = []
            case .array(let elements)?: rows = try ReplyRow.rows(.array(elements))
            default: throw MalformedReply("trackingList is missing or no list")
            }
            endID = try page.optionalText("endId")
        }
        var seen: Set<String> = []
        var positions: [Position] = []
        for row in rows {
            let number = try row.text("trackingNo")
            guard seen.insert(number).inserted else { throw MalformedReply("two rows of one trackingNo") }
            // Shown by the page before, where "less than" is taken for "from".
            if number == cursor { continue }
            let copy = try copy(row, number: number, account: account, partition: partition, book: book)
            if let copy { positions.append(copy) }
        }
        let next = try nextPage(
            after: endID ?? rows.last.flatMap { $0.value["trackingNo"]?.text }, cursor: cursor, rows: rows.count)
        return .positions(positions, next: next)
    }

    /// Where to go on, nil after the last page. Each page must lie below the one before, so that paging ends.
    private static func nextPage(
        after endID: String?, cursor: String?, rows: Int
    ) throws(MalformedReply) -> String? {
        // 20 is the documented page where `limit` is not heeded, 50 the cap of the trader's list (§3.7).
        let mayBeCut = [20, 50].contains(rows)
        guard rows >= pageSize || mayBeCut else { return nil }
        guard let endID, cursor.map({ isBelow(endID, $0) }) ?? true else {
            if mayBeCut { return nil }
            throw MalformedReply("a full page without the next one")
        }
        return endID
    }

    /// Ids are decimal digits without bound, compared without making numbers of them.
    private static func isBelow(_ a: String, _ b: String) -> Bool {
        let isDigits = [a, b].allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        guard isDigits else { return a != b }
        return a.utf8.count != b.utf8.count ? a.utf8.count < b.utf8.count : a < b
    }

    private static func copy(
        _ row: ReplyRow, number: String, account: String, partition: String, book: InstrumentBook
    ) throws(MalformedReply) -> Position? {
        // "0" while open (§3.6).
        guard try row.optionalTime("closeTime") == nil else { return nil }
        guard let opened = try row.optionalUnsigned("openSize") else { throw MalformedReply("openSize is missing") }
        guard !opened.isZero else { return nil }
        let native = try row.text("symbol")
        guard let side = Side(rawValue: try row.text("posSide").lowercased()) else {
            throw MalformedReply("posSide is unknown")
        }
        // Documented under both names (§3.6).
        let named = try row.optionalUnsigned("openAvgPrice") ?? .zero
        let entry = named.isZero ? try row.optionalUnsigned("openPriceAvg") ?? .zero : named
        guard !entry.isZero else { throw MalformedReply("neither openAvgPrice nor openPriceAvg") }
        let quantity = open(opened, closed: try row.optionalUnsigned("closeSize"))
        let notional: Amount
        do { notional = try quantity.multiplied(by: entry) } catch { throw MalformedReply("notional is out of range") }
        let product = productType(partition)
        let instrument = book.find(nativeID: native, product: product)
        return Position(
            key: LegKey(
                account: account, silo: .copy, product: partition,
                instrument: instrument?.nativeID ?? native.uppercased(), side: side,
                marginMode: try marginMode(row) ?? .cross,
                marginCurrency: try marginCoin(row, native: native, instrument: instrument, product: product),
                positionID: number),
            symbol: instrument?.symbol ?? native.uppercased(), quantity: quantity, notional: notional,
            entryPrice: entry, mode: try mode(row), openedAt: try row.optionalTime("openTime"))
    }

    /// What is left of a copy that was closed in part. A row that is still listed as open is open, whatever it says.
    private static func open(_ opened: Amount, closed: Amount?) -> Amount {
        guard let closed, closed < opened, let left = try? opened.adding(closed.negated) else { return opened }
        return left
    }

    /// The documented row does not say the mode (§3.6). Unsaid, it counts as one-way: then only the tracking number is
    /// exact, and that is right in either mode, while a side call reaches the whole symbol where the account is one-way.
    private static func mode(_ row: ReplyRow) throws(MalformedReply) -> PositionMode {
        let said = try row.optionalText("posMode")
        switch try said == nil ? row.optionalText("holdMode") : said {
        case "hedge_mode": return .hedge
        case nil, "one_way_mode": return .oneWay
        default: throw MalformedReply("posMode is unknown")
        }
    }

    /// Nil where the row does not say it. `cross` and `crossed` are both in use (§3.6).
    static func marginMode(_ row: ReplyRow) throws(MalformedReply) -> MarginMode? {
        switch try row.optionalText("marginMode")?.lowercased() {
        case nil: nil
        case "crossed", "cross": .cross
        case "isolated": .isolated
        default: throw MalformedReply("marginMode is unknown")
        }
    }

    /// The row's margin coin, or the one that goes with the contract where the row does not say it (§1.2).
    static func marginCoin(
        _ row: ReplyRow, native: String, instrument: Instrument?, product: String
    ) throws(MalformedReply) -> String {
        if let said = try row.optionalText("marginCoin") { return said.uppercased() }
        switch product.uppercased() {
        case "USDT-FUTURES": return "USDT"
        case "USDC-FUTURES": return "USDC"
        default:
            if let symbol = instrument?.symbol, let mark = symbol.firstIndex(of: "/") { return String(symbol[..<mark]) }
            let native = native.uppercased()
            return native.firstRange(of: "USD").map { String(native[..<$0.lowerBound]) } ?? native
        }
    }
}
