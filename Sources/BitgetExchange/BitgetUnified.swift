import ExchangeKit
import FlatbookCore

extension Bitget {
    /// Closes of unified accounts (§3.10), widest first. Whether `posSide` is ignored in one-way mode, as `holdSide` is by
    /// API v2, is [U]: the side reach counts as exact in hedge mode only, and no other call there guarantees a side.
    static let unifiedMethods = [
        CloseMethod(
            operation: BitgetRoute.unifiedClose, reach: .product, isSized: false, modes: [.oneWay, .hedge],
            guaranteesSide: false),
        CloseMethod(
            operation: BitgetRoute.unifiedClose, reach: .symbol, isSized: false, modes: [.oneWay, .hedge],
            guaranteesSide: false),
        CloseMethod(
            operation: BitgetRoute.unifiedClose, reach: .side, isSized: false, modes: [.hedge], guaranteesSide: true),
    ]

    /// §3.10. Every parameter left out widens the reach, so each reach names exactly its own.
    static func unifiedClose(_ call: CloseCall) -> [(String, RequestBody.Value)] {
        var body: [(String, RequestBody.Value)] = [("category", .text(call.product))]
        if call.method.reach == .product { return body }
        let instrument = call.instrument ?? call.legs.first?.instrument ?? ""
        body.append(("symbol", .text(instrument.isEmpty ? refused : instrument)))
        if call.method.reach == .symbol { return body }
        body.append(("posSide", .text((call.side ?? call.legs.first?.side)?.rawValue ?? refused)))
        return body
    }

    /// §3.10: `{"list":[…]}` with a code in each row, under the envelope's success.
    static func unifiedClosed(_ envelope: BitgetEnvelope) throws(MalformedReply) -> Outcome {
        let targets = try BitgetTargets(
            rows: unifiedRows(envelope.data ?? .null), of: envelope, route: BitgetRoute.unifiedClose)
        if targets.isEmpty { return Outcome(effect: .none, errorClass: .alreadyFlat, code: envelope.code) }
        return targets.outcome(complete: true)
    }

    /// `{"list":[…]}`; a null list is an empty one (§3.10), a missing list is none.
    static func unifiedRows(_ data: JSONValue) throws(MalformedReply) -> [ReplyRow] {
        let page = try ReplyRow(data)
        switch page.value["list"] {
        case .null?: return []
        case .array(let elements)?: return try ReplyRow.rows(.array(elements))
        default: throw MalformedReply("list is missing or no list")
        }
    }

    /// §3.10. One row per symbol, margin coin, side and margin mode; rows of size zero are flat and left out.
    static func unifiedPositions(
        _ rows: [ReplyRow], account: String, product: String, book: InstrumentBook
    ) throws(MalformedReply) -> [Position] {
        var seen: Set<[String]> = []
        var positions: [Position] = []
        for row in rows {
            let identity = [
                try row.text("symbol").uppercased(), try row.optionalText("posSide")?.lowercased() ?? "",
                try row.optionalText("marginCoin")?.uppercased() ?? "", try row.optionalText("marginMode") ?? "",
            ]
            guard seen.insert(identity).inserted else { throw MalformedReply("two rows of one position") }
            if let category = try row.optionalText("category"), category.uppercased() != product.uppercased() {
                throw MalformedReply("a row of another category")
            }
            if let position = try unifiedPosition(row, account: account, product: product, book: book) {
                positions.append(position)
            }
        }
        return positions
    }

    private static func unifiedPosition(
        _ row: ReplyRow, account: String, product: String, book: InstrumentBook
    ) throws(MalformedReply) -> Position? {
        let total = try row.amount("total")
        guard !total.isNegative else { throw MalformedReply("total is negative") }
        guard !total.isZero else { return nil }
        guard let side = Side(rawValue: try row.text("posSide").lowercased()) else {
            throw MalformedReply("posSide is unknown")
        }
        guard let mode = holdMode(try row.text("holdMode")) else { throw MalformedReply("holdMode is unknown") }
        let native = try row.text("symbol")
        let instrument = book.find(nativeID: native, product: product)
        let entry = try row.optionalUnsigned("avgPrice").flatMap { $0.isZero ? nil : $0 }
        let mark = try row.optionalUnsigned("markPrice").flatMap { $0.isZero ? nil : $0 }
        guard let price = mark ?? entry else { throw MalformedReply("neither markPrice nor avgPrice") }
        let notional: Amount
        // Sizes are in base coin for all three products, as in API v2.
        do { notional = try total.multiplied(by: price) } catch { throw MalformedReply("notional is out of range") }
        return Position(
            key: LegKey(
                account: account, product: product, instrument: instrument?.nativeID ?? native.uppercased(),
                side: side,
                // The sheet's row names neither; other clients see both, and a unified account's margin is crossed [U].
                marginMode: try marginMode(row) ?? .cross,
                marginCurrency: try marginCoin(row, native: native, instrument: instrument, product: product)),
            symbol: instrument?.symbol ?? native.uppercased(), quantity: total, notional: notional, entryPrice: entry,
            markPrice: mark, heldByOrders: try row.optionalUnsigned("frozen") ?? .zero, mode: mode,
            openedAt: try row.optionalTime("createdTime"))
    }

    static func holdMode(_ text: String?) -> PositionMode? {
        switch text {
        case "one_way_mode": .oneWay
        case "hedge_mode": .hedge
        default: nil
        }
    }

    /// §3.10, account settings: whose key it is, and in what state the account is.
    static func unifiedIdentity(_ row: ReplyRow) throws(MalformedReply) -> Identity {
        let state = try row.optionalText("accountMode") ?? "unified"
        return Identity(
            uid: try row.text("uid"), positionMode: holdMode(try row.optionalText("holdMode")),
            accountKind: state == "unified" ? state : "unified (\(ReplyText.code(state)))")
    }

    /// §3.2, one account: the only classic call that says the position mode without a position.
    static func classicSettings(_ row: ReplyRow) throws(MalformedReply) -> Identity {
        _ = try row.text("marginCoin")
        return Identity(
            positionMode: holdMode(try row.optionalText("posMode")), accountKind: BitgetFamily.classic.rawValue)
    }
}
