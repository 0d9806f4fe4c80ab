public import ExchangeKit
public import FlatbookCore

extension Bitget {
    public func answer(
        to read: Read, in reply: VenueReply, account: Account, instruments: InstrumentBook
    ) -> ReadResult {
        let envelope: BitgetEnvelope
        do {
            envelope = try BitgetEnvelope(reply)
        } catch {
            return .failed(BitgetFailure.unreadable(reply, error.detail, route: route(of: read), isMutation: false))
        }
        guard (200..<300).contains(reply.status), envelope.code == BitgetEnvelope.success else {
            return failure(of: read, envelope, status: reply.status)
        }
        do {
            return .answer(try answer(to: read, data: envelope.data, account: account, instruments: instruments))
        } catch {
            return .failed(
                Outcome(
                    effect: .none, errorClass: .unknown, code: BitgetFailure.malformed,
                    message: BitgetText.printable(error.detail)))
        }
    }

    private func route(of read: Read) -> String {
        switch read {
        case .serverTime: BitgetRoute.serverTime
        case .identity, .permissions, .settings: BitgetRoute.identity
        case .instruments: BitgetRoute.instruments
        case .positions: BitgetRoute.positions
        case .control: BitgetRoute.control
        case .orders(_, let list, _):
            Self.regularLists[list] == nil ? BitgetRoute.planOrders : BitgetRoute.orders
        }
    }

    private func failure(of read: Read, _ envelope: BitgetEnvelope, status: Int) -> ReadResult {
        // A futures-only key may not read the account info, but it may still close (§3.9, §11).
        if read == .identity, envelope.code == "40014", status < 500 { return .answer(.identity(Identity())) }
        return .failed(BitgetFailure.ofRead(envelope, status: status, route: route(of: read)))
    }

    private func answer(
        to read: Read, data: JSONValue?, account: Account, instruments: InstrumentBook
    ) throws(BitgetMalformed) -> ReadAnswer {
        guard let data else { throw BitgetMalformed("data is missing") }
        switch read {
        case .serverTime:
            guard let time = try BitgetRow(data).optionalTime("serverTime") else {
                throw BitgetMalformed("serverTime is missing")
            }
            return .serverTime(time)
        case .identity, .permissions, .settings: return .identity(try Self.identity(BitgetRow(data)))
        case .instruments(let product, _):
            return .instruments(try Self.instruments(Self.rows(data), product: product), next: nil)
        case .positions(let product, _):
            let rows = try Self.rows(data)
            return .positions(
                try Self.positions(rows, account: account.name, product: product, book: instruments), next: nil)
        case .orders(let product, let list, let cursor):
            return try Self.orders(data, product: product, list: list, cursor: cursor, book: instruments)
        case .control: return .control(consistentWithFlat: try Self.isConsistentWithFlat(Self.rows(data)))
        }
    }

    /// `data` itself as the list: an array, nothing else.
    private static func rows(_ data: JSONValue) throws(BitgetMalformed) -> [BitgetRow] {
        guard let elements = data.elements else { throw BitgetMalformed("data is no list") }
        return try rows(of: elements)
    }

    static func rows(of elements: [JSONValue]) throws(BitgetMalformed) -> [BitgetRow] {
        var rows: [BitgetRow] = []
        rows.reserveCapacity(elements.count)
        for element in elements { rows.append(try BitgetRow(element)) }
        return rows
    }

    /// §3.9. Codes this version does not know say nothing: the documented sample shows words instead of codes.
    private static func identity(_ row: BitgetRow) throws(BitgetMalformed) -> Identity {
        var authorities: Set<String> = []
        switch row.value["authorities"] {
        case nil, .null?: break
        case .array(let elements)?:
            for element in elements {
                guard case .string(let text) = element else { throw BitgetMalformed("authorities holds no text") }
                authorities.insert(text)
            }
        default: throw BitgetMalformed("authorities is no list")
        }
        let known: Set<String> = [
            "coor", "coow", "cpor", "cpow", "ttor", "ttow", "stor", "stow", "smor", "smow", "wtor", "wtow", "wwow",
            "chor", "chow", "taxr",
        ]
        let saysRights = !authorities.isDisjoint(with: known)
        var boundIPs: [String]?
        if case .string(let text)? = row.value["ips"] {
            boundIPs = text.split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
        }
        let parent = try row.optionalText("parentId")
        return Identity(
            uid: try row.text("userId"), parentUID: parent == "0" ? nil : parent,
            mayTrade: saysRights ? authorities.isSuperset(of: ["coow", "cpow"]) : nil,
            // Transfer and withdrawal rights are both more than closing needs.
            mayWithdraw: saysRights ? !authorities.isDisjoint(with: ["wwow", "wtow"]) : nil, boundIPs: boundIPs)
    }

    /// §11: one row per margin coin; flat means that no row shows unrealised PnL. No row at all proves nothing.
    private static func isConsistentWithFlat(_ rows: [BitgetRow]) throws(BitgetMalformed) -> Bool {
        guard !rows.isEmpty else { throw BitgetMalformed("the account list is empty") }
        var consistent = true
        for row in rows {
            _ = try row.text("marginCoin")
            guard row.value["unrealizedPL"] != nil else { throw BitgetMalformed("unrealizedPL is missing") }
            for name in ["unrealizedPL", "crossedUnrealizedPL", "isolatedUnrealizedPL"] {
                if let amount = try row.optionalAmount(name), !amount.isZero { consistent = false }
            }
        }
        return consistent
    }
}
