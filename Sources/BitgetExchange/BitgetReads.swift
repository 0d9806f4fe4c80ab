public import ExchangeKit
public import FlatbookCore

extension Bitget {
    public func answer(
        to read: Read, in reply: VenueReply, account: Account, instruments: InstrumentBook
    ) -> ReadResult {
        let result = plainAnswer(to: read, in: reply, account: account, instruments: instruments)
        // What a public call says, or a broken gateway, teaches nothing of the account.
        guard case .failed(let outcome) = result, !read.isPublic, reply.status < 500 else { return result }
        return .failed(BitgetFamily.judge(outcome, account))
    }

    private func plainAnswer(
        to read: Read, in reply: VenueReply, account: Account, instruments: InstrumentBook
    ) -> ReadResult {
        let route = route(of: read, account: account)
        let envelope: BitgetEnvelope
        do {
            envelope = try BitgetEnvelope(reply)
        } catch {
            return .failed(BitgetFailure.unreadable(reply, error.detail, route: route, isMutation: false))
        }
        guard (200..<300).contains(reply.status), envelope.code == BitgetEnvelope.success else {
            // A futures-only key may not read the account info, but it may still close (§3.9, §11).
            if read == .identity, envelope.code == "40014", reply.status < 500 { return .answer(.identity(Identity())) }
            return .failed(BitgetFailure.ofRead(envelope, status: reply.status, route: route))
        }
        do {
            return .answer(
                try Self.answer(to: read, envelope.data, route: route, account: account, instruments: instruments))
        } catch {
            return .failed(
                Outcome(
                    effect: .none, errorClass: .unknown, code: BitgetFailure.malformed,
                    message: ReplyText.printable(error.detail)))
        }
    }

    /// Which call a read is, by the account's family; a list of orders belongs to one family by its name.
    func route(of read: Read, account: Account) -> String {
        let isUnified = BitgetFamily.of(account) == .unified
        switch read {
        case .serverTime: return BitgetRoute.serverTime
        case .identity, .permissions: return isUnified ? BitgetRoute.unifiedSettings : BitgetRoute.identity
        case .settings: return isUnified ? BitgetRoute.unifiedSettings : BitgetRoute.settings
        case .instruments: return BitgetRoute.instruments
        case .positions(let product, _):
            if product.hasPrefix(Self.copyPrefix) { return BitgetRoute.copyPositions }
            return isUnified ? BitgetRoute.unifiedPositions : BitgetRoute.positions
        case .control: return BitgetRoute.control
        case .endings: return BitgetRoute.orderHistory
        case .executions(let query): return Self.fillsRoute(query)
        case .orders(_, let list, _):
            if list == Self.unifiedRegularList { return BitgetRoute.unifiedOrders }
            if Self.unifiedStrategyLists[list] != nil { return BitgetRoute.unifiedStrategyOrders }
            return Self.regularLists[list] == nil ? BitgetRoute.planOrders : BitgetRoute.orders
        }
    }

    private static func answer(
        to read: Read, _ data: JSONValue?, route: String, account: Account, instruments: InstrumentBook
    ) throws(MalformedReply) -> ReadAnswer {
        guard let data else { throw MalformedReply("data is missing") }
        switch read {
        case .serverTime:
            guard let time = try ReplyRow(data).optionalTime("serverTime") else {
                throw MalformedReply("serverTime is missing")
            }
            return .serverTime(time)
        case .identity, .permissions, .settings:
            switch route {
            case BitgetRoute.unifiedSettings: return .identity(try unifiedIdentity(ReplyRow(data)))
            case BitgetRoute.settings: return .identity(try classicSettings(ReplyRow(data)))
            default: return .identity(try identity(ReplyRow(data)))
            }
        case .instruments(let product, _):
            return .instruments(try self.instruments(rows(data), product: product), next: nil)
        case .positions(let product, let cursor):
            switch route {
            case BitgetRoute.copyPositions:
                return try copies(data, account: account.name, partition: product, cursor: cursor, book: instruments)
            case BitgetRoute.unifiedPositions:
                let rows = try unifiedRows(data)
                return .positions(
                    try unifiedPositions(rows, account: account.name, product: product, book: instruments), next: nil)
            default:
                let rows = try rows(data)
                return .positions(
                    try positions(rows, account: account.name, product: product, book: instruments), next: nil)
            }
        case .orders(let product, let list, let cursor):
            if isUnified(list: list) {
                return try unifiedOrders(data, product: product, list: list, cursor: cursor, book: instruments)
            }
            return try orders(data, product: product, list: list, cursor: cursor, book: instruments)
        case .control: return .control(consistentWithFlat: try isConsistentWithFlat(rows(data)))
        case .endings: return .endings(try endings(data))
        case .executions(let query): return try fills(data, query: query, route: route)
        }
    }

    /// `data` itself as the list: an array, nothing else.
    private static func rows(_ data: JSONValue) throws(MalformedReply) -> [ReplyRow] {
        guard data.elements != nil else { throw MalformedReply("data is no list") }
        return try ReplyRow.rows(data)
    }

    /// §3.9. Codes this version does not know say nothing: the documented sample shows words instead of codes.
    private static func identity(_ row: ReplyRow) throws(MalformedReply) -> Identity {
        var authorities: Set<String> = []
        switch row.value["authorities"] {
        case nil, .null?: break
        case .array(let elements)?:
            for element in elements {
                guard case .string(let text) = element else { throw MalformedReply("authorities holds no text") }
                authorities.insert(text)
            }
        default: throw MalformedReply("authorities is no list")
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
    private static func isConsistentWithFlat(_ rows: [ReplyRow]) throws(MalformedReply) -> Bool {
        guard !rows.isEmpty else { throw MalformedReply("the account list is empty") }
        var consistent = true
        for row in rows {
            _ = try row.text("marginCoin")
            guard row.value["unrealizedPL"] != nil else { throw MalformedReply("unrealizedPL is missing") }
            for name in ["unrealizedPL", "crossedUnrealizedPL", "isolatedUnrealizedPL"] {
                if let amount = try row.optionalAmount(name), !amount.isZero { consistent = false }
            }
        }
        return consistent
    }
}
