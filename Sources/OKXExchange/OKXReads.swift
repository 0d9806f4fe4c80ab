public import ExchangeKit
public import FlatbookCore

extension OKX {
    public func answer(
        to read: Read, in reply: VenueReply, account: Account, instruments: InstrumentBook
    ) -> ReadResult {
        let envelope: OKXEnvelope
        do {
            envelope = try OKXEnvelope(reply)
        } catch {
            return .failed(OKXFailure.unreadable(reply, error.detail, route: Self.route(of: read), isMutation: false))
        }
        guard (200..<300).contains(reply.status), envelope.code == OKXEnvelope.success else {
            if isUnlistedType(read, envelope, status: reply.status) { return .answer(.orders([], next: nil)) }
            if case .instruments(let product, let cursor) = read, isUnlistedFamily(product, envelope, reply.status) {
                return .answer(.instruments([], next: Self.nextFamily(product: product, after: cursor)))
            }
            return .failed(OKXFailure.ofRead(envelope, status: reply.status, route: Self.route(of: read)))
        }
        do {
            return .answer(try answer(to: read, envelope, account: account, instruments: instruments))
        } catch {
            return .failed(
                Outcome(
                    effect: .none, errorClass: .unknown, code: OKXFailure.malformed,
                    message: ReplyText.printable(error.detail)))
        }
    }

    static func route(of read: Read) -> String {
        switch read {
        case .serverTime: OKXRoute.serverTime
        case .identity, .permissions, .settings: OKXRoute.config
        case .instruments: OKXRoute.instruments
        case .positions: OKXRoute.positions
        case .control: OKXRoute.risk
        case .endings, .executions: OKXRoute.history
        case .orders(_, let list, _): list == pendingOrders ? OKXRoute.orders : OKXRoute.algos
        }
    }

    /// An order type that the account's site does not offer cannot have orders (§3.4).
    private func isUnlistedType(_ read: Read, _ envelope: OKXEnvelope, status: Int) -> Bool {
        guard case .orders(_, let list, _) = read, status < 500 else { return false }
        return Self.uncertainAlgoLists.contains(list) && ["51000", "50016"].contains(envelope.code)
    }

    /// A filtered list says 51001 where nothing is listed (§3.2): a site without options of a family keeps no exchange out.
    private func isUnlistedFamily(_ product: String, _ envelope: OKXEnvelope, _ status: Int) -> Bool {
        product == "OPTION" && envelope.code == "51001" && status < 500
    }

    private func answer(
        to read: Read, _ envelope: OKXEnvelope, account: Account, instruments: InstrumentBook
    ) throws(MalformedReply) -> ReadAnswer {
        let rows = try envelope.rows()
        switch read {
        case .serverTime:
            guard let time = try rows.first?.optionalTime("ts") else { throw MalformedReply("ts is missing") }
            return .serverTime(time)
        case .identity, .permissions, .settings:
            guard rows.count == 1, let row = rows.first else { throw MalformedReply("no single configuration") }
            return .identity(try Self.identity(row))
        case .instruments(let product, let cursor):
            return .instruments(
                try Self.instruments(rows, product: product), next: Self.nextFamily(product: product, after: cursor))
        case .positions:
            return .positions(
                try Self.positions(
                    rows, account: account.name, types: Self.types(of: account), book: instruments), next: nil)
        case .orders(_, let list, let cursor):
            return try Self.orders(
                rows, list: list, cursor: cursor, types: Self.types(of: account), book: instruments)
        case .control:
            return .control(
                consistentWithFlat: try Self.isConsistentWithFlat(rows, types: Self.types(of: account)))
        case .endings: return .endings(try Self.endings(rows))
        case .executions(let query): return try Self.executions(rows, query: query)
        }
    }

    private static func nextFamily(product: String, after cursor: String?) -> String? {
        guard product == "OPTION", let index = optionFamilies.firstIndex(of: cursor ?? optionFamilies[0])
        else { return nil }
        return optionFamilies.dropFirst(index + 1).first
    }

    /// §3.3: one call tells whose key it is, what it may do, and the modes.
    private static func identity(_ row: ReplyRow) throws(MalformedReply) -> Identity {
        let uid = try row.text("uid")
        let main = try row.optionalText("mainUid")
        var identity = Identity(uid: uid, parentUID: main == uid ? nil : main)
        if let rights = try row.optionalText("perm") {
            let words = Set(rights.split(separator: ",").map { $0.filter { $0 != " " } })
            identity.mayTrade = words.contains("trade")
            identity.mayWithdraw = words.contains("withdraw")
        }
        // Empty: the key is bound to no address.
        if case .string(let addresses)? = row.value["ip"] {
            identity.boundIPs = addresses.split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
        }
        var facts: [String: String] = [:]
        if let mode = try row.optionalText("posMode") {
            identity.positionMode = mode == "long_short_mode" ? .hedge : mode == "net_mode" ? .oneWay : nil
            facts[OKXFact.positionMode] = mode
        }
        if let level = try row.optionalText("acctLv") {
            let names = ["1": "spot", "2": "futures", "3": "multi-currency", "4": "portfolio margin"]
            identity.accountKind = names[level] ?? "level \(ReplyText.code(level))"
            facts[OKXFact.accountLevel] = ReplyText.code(level)
        }
        if !facts.isEmpty { identity.facts = facts }
        return identity
    }
}
