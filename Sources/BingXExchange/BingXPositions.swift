import ExchangeKit
import FlatbookCore

extension BingX {
    /// §3.2, §10. One row per position id, several ids of one symbol and side included; size zero is left out.
    static func positions(
        _ rows: [ReplyRow], account: String, product: String, book: InstrumentBook
    ) throws(MalformedReply) -> [Position] {
        var ids: Set<String> = []
        var legs: Set<LegKey> = []
        var positions: [Position] = []
        for row in rows {
            // Checked for flat rows as well: a list that names one position twice is not to be trusted.
            // A position without a whole number for its id could be read and not be closed.
            guard let id = try row.optionalID(anyOf: ["positionId"]), BingXText.isDigits(id) else {
                throw MalformedReply("no positionId")
            }
            guard ids.insert(id).inserted else { throw MalformedReply("two rows of one position") }
            guard let position = try position(row, id: id, account: account, product: product, book: book) else {
                continue
            }
            guard legs.insert(position.key).inserted else { throw MalformedReply("two rows of one position") }
            positions.append(position)
        }
        return positions
    }

    private static func position(
        _ row: ReplyRow, id: String, account: String, product: String, book: InstrumentBook
    ) throws(MalformedReply) -> Position? {
        let native = try row.text("symbol").uppercased()
        let signed = try row.amount("positionAmt")
        guard !signed.isZero else { return nil }
        let word = try row.text("positionSide").uppercased()
        let side: Side
        switch word {
        case "LONG":
            guard !signed.isNegative else { throw MalformedReply("a long position is negative") }
            side = .long
        case "SHORT": side = .short
        case "BOTH": side = signed.isNegative ? .short : .long
        default: throw MalformedReply("positionSide is unknown")
        }
        guard let isIsolated = try row.optionalFlag("isolated") else { throw MalformedReply("isolated is missing") }
        let quantity = signed.magnitude
        let instrument = book.find(nativeID: native, product: product)
        let mark = try row.optionalPositive("markPrice")
        let entry = try row.optionalPositive("avgPrice")
        return Position(
            key: LegKey(
                account: account, product: product, instrument: instrument?.nativeID ?? native, side: side,
                marginMode: isIsolated ? .isolated : .cross,
                marginCurrency: (try row.optionalText("currency"))?.uppercased() ?? currency(native, product),
                positionID: id),
            symbol: instrument?.symbol ?? canonical(native, product: product), quantity: quantity,
            notional: try notional(row, quantity, price: mark ?? entry, instrument, product), entryPrice: entry,
            markPrice: mark, heldByOrders: try held(row, of: quantity),
            mode: try mode(row, isBoth: word == "BOTH", product),
            openedAt: try row.optionalTime(anyOf: ["createTime", "openTime"]))
    }

    /// §3.2: the side reads LONG or SHORT in one-way mode too, so only the flag tells. Coin-margined rows have none, and
    /// their product has no call that sets a mode (§10). A row of `swap` without it counts as one-way: the order that
    /// closes one side there is refused by a hedge account and cannot open anything.
    private static func mode(_ row: ReplyRow, isBoth: Bool, _ product: String) throws(MalformedReply) -> PositionMode {
        if isBoth { return .oneWay }
        if let isOnly = try row.optionalFlag("onlyOnePosition") { return isOnly ? .oneWay : .hedge }
        return product == cswap ? .hedge : .oneWay
    }

    private static func held(_ row: ReplyRow, of quantity: Amount) throws(MalformedReply) -> Amount {
        guard let available = try row.optionalAmount("availableAmt") else { return .zero }
        let free = available.magnitude
        guard free < quantity else { return .zero }
        do { return try quantity.adding(free.negated) } catch { throw MalformedReply("availableAmt is out of range") }
    }

    /// The largest face value that the sheet names (§10), for a contract that its list does not show.
    private static let largestContractValue = Amount(100)

    /// USD. Sizes are coins in `swap`; contracts of a fixed number of dollars in `cswap`.
    private static func notional(
        _ row: ReplyRow, _ quantity: Amount, price: Amount?, _ instrument: Instrument?, _ product: String
    ) throws(MalformedReply) -> Amount {
        let factor: Amount
        if product == cswap {
            factor = instrument?.contractValue ?? largestContractValue
        } else {
            if let value = try row.optionalAmount("positionValue"), !value.isZero { return value.magnitude }
            guard let price else { throw MalformedReply("neither positionValue nor markPrice nor avgPrice") }
            factor = price
        }
        do { return try quantity.multiplied(by: factor) } catch { throw MalformedReply("notional is out of range") }
    }

    /// Where a row does not name it: the coin itself in `cswap`, the quote coin in `swap`.
    private static func currency(_ native: String, _ product: String) -> String {
        let parts = native.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 2 else { return native }
        return String(product == cswap ? parts[0] : parts[1])
    }
}
