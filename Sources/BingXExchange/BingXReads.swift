public import ExchangeKit
public import FlatbookCore

extension BingX {
    public func answer(
        to read: Read, in reply: VenueReply, account: Account, instruments: InstrumentBook
    ) -> ReadResult {
        let route = Self.route(of: read)
        let envelope: BingXEnvelope
        do {
            envelope = try BingXEnvelope(reply, codeless: read == .permissions)
        } catch {
            return .failed(BingXFailure.unreadable(reply, error.detail, route: route))
        }
        guard (200..<300).contains(reply.status), envelope.code == BingXEnvelope.success else {
            return .failed(BingXFailure.ofRead(envelope, status: reply.status, route: route))
        }
        do {
            return .answer(try Self.answer(to: read, envelope, account: account, instruments: instruments))
        } catch {
            return .failed(BingXFailure.unproven(error.detail, isMutation: false))
        }
    }

    private static func answer(
        to read: Read, _ envelope: BingXEnvelope, account: Account, instruments: InstrumentBook
    ) throws(MalformedReply) -> ReadAnswer {
        if read == .permissions { return .identity(try permissions(envelope)) }
        guard let data = envelope.data else { throw MalformedReply("data is missing") }
        switch read {
        case .serverTime:
            guard let time = try ReplyRow(data).optionalTime("serverTime") else {
                throw MalformedReply("serverTime is missing")
            }
            return .serverTime(time)
        case .identity, .permissions:
            guard let uid = try ReplyRow(data).optionalID(anyOf: ["uid"]) else {
                throw MalformedReply("uid is missing")
            }
            return .identity(Identity(uid: uid))
        case .settings:
            guard let isHedge = try ReplyRow(data).optionalFlag("dualSidePosition") else {
                throw MalformedReply("dualSidePosition is missing")
            }
            return .identity(Identity(positionMode: isHedge ? .hedge : .oneWay))
        case .instruments(let product, _):
            return .instruments(try Self.instruments(rows(data), product: product), next: nil)
        case .positions(let product, _):
            // `[]` is flat; `null` is no list and proves nothing (§3.2, §8).
            return .positions(
                try positions(rows(data), account: account.name, product: product, book: instruments), next: nil)
        case .orders(let product, let list, _):
            return .orders(try Self.orders(data, product: product, list: list, book: instruments), next: nil)
        case .control: return .control(consistentWithFlat: try isConsistentWithFlat(data))
        case .endings: throw MalformedReply("no call tells what became of a position")
        case .executions(let query): return try executions(data, query: query)
        }
    }

    /// `data` itself as the list: an array, nothing else.
    private static func rows(_ data: JSONValue) throws(MalformedReply) -> [ReplyRow] {
        guard data.elements != nil else { throw MalformedReply("data is no list") }
        return try ReplyRow.rows(data)
    }

    /// §3.8, both forms: flags beside `code`, or a list of numbers; either may stand under `data` as well.
    ///
    /// A restricted key does not say to which addresses, so its list stays unsaid; an unrestricted one is bound to none.
    private static func permissions(_ envelope: BingXEnvelope) throws(MalformedReply) -> Identity {
        let isNested = envelope.data?["permissions"] != nil || envelope.data?["enableFutures"] != nil
        let row = try ReplyRow(isNested ? envelope.data ?? .null : envelope.whole)
        var identity = Identity()
        switch row.value["permissions"] {
        case nil, .null?:
            guard let trades = try row.optionalFlag("enableFutures") else {
                throw MalformedReply("neither permissions nor enableFutures")
            }
            identity.mayTrade = trades
            for name in ["enableWithdrawals", "enableWithdraw", "permitsWithdrawals", "permitsWithdraw"] {
                if let withdraws = try row.optionalFlag(name) {
                    identity.mayWithdraw = withdraws || identity.mayWithdraw == true
                }
            }
        case .array(let elements)?:
            var numbers: Set<String> = []
            for element in elements {
                guard let text = element.text, BingXText.isDigits(text) else {
                    throw MalformedReply("permissions holds no number")
                }
                numbers.insert(text)
            }
            // 3 perpetual futures, 5 withdraw.
            identity.mayTrade = numbers.contains("3")
            identity.mayWithdraw = numbers.contains("5")
        default: throw MalformedReply("permissions is no list")
        }
        identity.boundIPs = try addresses(row)
        return identity
    }

    private static func addresses(_ row: ReplyRow) throws(MalformedReply) -> [String]? {
        switch row.value["ipAddresses"] {
        case nil, .null?: return try row.optionalFlag("ipRestrict") == false ? [] : nil
        case .array(let elements)?:
            var addresses: [String] = []
            for element in elements {
                guard case .string(let text) = element else { throw MalformedReply("ipAddresses holds no text") }
                addresses.append(text)
            }
            return addresses
        default: throw MalformedReply("ipAddresses is no list")
        }
    }

    /// §3.2: flat means that no asset shows unrealised profit or margin in use. No row at all proves nothing.
    private static func isConsistentWithFlat(_ data: JSONValue) throws(MalformedReply) -> Bool {
        let rows: [ReplyRow]
        switch (data, data["balance"]) {
        case (.array(let elements), _), (.object, .array(let elements)?): rows = try ReplyRow.rows(.array(elements))
        case (.object, .object(let members)?): rows = [try ReplyRow(.object(members))]
        default: throw MalformedReply("data is no list of assets")
        }
        guard !rows.isEmpty else { throw MalformedReply("the list of assets is empty") }
        var consistent = true
        for row in rows {
            _ = try row.text("asset")
            guard try row.amount("unrealizedProfit").isZero else {
                consistent = false
                continue
            }
            if let margin = try row.optionalAmount("usedMargin"), !margin.isZero { consistent = false }
        }
        return consistent
    }
}
