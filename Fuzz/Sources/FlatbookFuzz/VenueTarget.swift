import BingXExchange
import BitgetExchange
import ExchangeKit
import FlatbookCore
import OKXExchange

/// The replies of one exchange: any body under any status as the answer to any call.
///
/// Input: the call's number, the status, two bytes that choose a damage, the body.
struct VenueTarget {
    enum Call {
        case read(Read)
        case mutate(Mutation)
    }
    struct Question {
        var account: Account
        var call: Call
    }

    var exchange: String
    var plugin: any ExchangePlugin
    var accounts: [Account]
    /// Native ids and margin coins of calls, by product; the first is the default.
    var instruments: [(product: String, nativeID: String, coin: String)]
    /// The rows of a positions reply that show something open, read without the plugin: instrument and size.
    /// Nil where the list is not where it must be.
    var open: @Sendable (JSONValue, _ product: String, _ cursor: String?, Account) -> [Open]?

    struct Open: Hashable {
        var instrument: String
        /// Nil where the size is no amount.
        var size: Amount?
    }

    static let statuses = [200, 201, 204, 301, 302, 400, 401, 403, 404, 408, 418, 429, 500, 502, 503, 504, 520, 0, 999]
    static let cursor = "1190384645049036801"
    static let orderIDs = ["1190384645049036801", "1190384645049036802"]

    static let all: [FuzzTarget] = venues.map { venue in
        FuzzTarget(
            "\(venue.exchange)-replies", maximumLength: 8192, dictionary: venue.exchange,
            extremes: { Extremes.replies(venue.questions.count) }, make: { venue.judge })
    }

    static let venues = [bitget, okx, bingx]

    /// Every call that the plugin can be asked to make for its accounts.
    var questions: [Question] {
        accounts.flatMap { account -> [Question] in
            (reads(account).map { .read($0) } + mutations(account).map { .mutate($0) }).map {
                Question(account: account, call: $0)
            }
        }
    }

    private func reads(_ account: Account) -> [Read] {
        var reads: [Read] = [.serverTime, .identity]
        for read in plugin.profile.checks where !reads.contains(read) { reads.append(read) }
        for partition in plugin.partitions(of: account) {
            for cursor in [nil, Self.cursor] {
                reads.append(.positions(product: partition.id, cursor: cursor))
                for list in partition.orderLists {
                    reads.append(.orders(product: partition.id, list: list, cursor: cursor))
                }
            }
            reads.append(.control(product: partition.id))
            for product in partition.instruments {
                let read = Read.instruments(product: product, cursor: nil)
                if !reads.contains(read) { reads.append(read) }
            }
        }
        return reads
    }

    private func mutations(_ account: Account) -> [Mutation] {
        var mutations: [Mutation] = []
        for method in plugin.closeMethods(for: account) {
            let product = method.products?.min() ?? instruments[0].product
            let leg = instruments.first { $0.product == product } ?? instruments[0]
            let key = LegKey(
                account: account.name, silo: method.silo,
                product: method.silo == .copy ? "copy:" + leg.product : leg.product, instrument: leg.nativeID,
                side: .long, marginMode: .cross, marginCurrency: leg.coin, positionID: Self.cursor)
            let mode: PositionMode = method.modes.contains(.hedge) ? .hedge : .oneWay
            mutations.append(
                .close(
                    CloseCall(
                        account: account.name, method: method, product: key.product,
                        instrument: method.reach == .product ? nil : leg.nativeID,
                        side: method.reach <= .side ? .long : nil, legs: [key],
                        quantity: method.isSized ? Amount(1) : nil, marginMode: .cross, marginCurrency: leg.coin,
                        mode: mode, notional: Amount(100), attemptID: "0123456789abcdef0123456789abcdef")))
        }
        for partition in plugin.partitions(of: account) {
            for list in partition.orderLists {
                guard let operation = plugin.profile.cancelOperations[list] else { continue }
                mutations.append(
                    .cancel(
                        CancelCall(
                            account: account.name, operation: operation, product: partition.id,
                            instrument: instruments[0].nativeID, list: list, orderIDs: Self.orderIDs,
                            marginCurrency: instruments[0].coin)))
            }
        }
        return mutations
    }

    private var book: InstrumentBook {
        InstrumentBook(
            instruments.map {
                Instrument(
                    nativeID: $0.nativeID, symbol: "BTC/\($0.coin):\($0.coin)", product: $0.product,
                    contractValue: try? Amount("0.01"))
            })
    }
}

// MARK: - The exchanges

extension VenueTarget {
    static let bitget = VenueTarget(
        exchange: "bitget", plugin: Bitget(),
        accounts: [
            account("bitget", ["role": ["copy-follower"]]), account("bitget", ["api": ["unified"]]),
        ],
        instruments: [
            ("USDT-FUTURES", "BTCUSDT", "USDT"), ("COIN-FUTURES", "BTCUSD", "BTC"), ("USDC-FUTURES", "BTCPERP", "USDC"),
        ]
    ) { value, product, cursor, account in
        let data = value["data"]
        if product.hasPrefix("copy:") {
            guard let rows = data?.elements ?? data?["trackingList"].map({ $0.elements ?? [] }) else { return nil }
            return rows.filter { row in
                let closed = row["closeTime"]?.text ?? ""
                return (closed.isEmpty || closed == "0") && row["trackingNo"]?.text != cursor
            }.compactMap { row in
                // A copy that was closed in part is smaller than it was opened: only that it is there is compared.
                let size = (row["openSize"]?.text).flatMap { try? Amount($0) }
                return size?.isZero == true ? nil : Open(instrument: row["symbol"]?.text?.uppercased() ?? "")
            }
        }
        let isUnified = account.options["api"] == ["unified"]
        guard let rows = isUnified ? data?["list"].map({ $0.elements ?? [] }) : data?.elements else { return nil }
        return rows.compactMap { open($0, "symbol", "total") }
    }

    static let okx = VenueTarget(
        exchange: "okx", plugin: OKX(),
        accounts: [account("okx", [:], facts: ["acctLv": "3"]), account("okx", ["instrumentTypes": ["SWAP"]])],
        instruments: [
            ("SWAP", "BTC-USDT-SWAP", "USDT"), ("FUTURES", "BTC-USD-260327", "BTC"), ("MARGIN", "BTC-USDT", "USDT"),
            ("OPTION", "BTC-USD-260327-60000-C", "BTC"),
        ]
    ) { value, _, _, account in
        let types = account.options["instrumentTypes"] ?? ["SWAP", "FUTURES", "MARGIN", "OPTION"]
        return value["data"]?.elements?.compactMap { row in
            guard types.contains(row["instType"]?.text ?? ""), row["pos"] != .string("") else { return nil }
            return open(row, "instId", "pos")
        }
    }

    static let bingx = VenueTarget(
        exchange: "bingx", plugin: BingX(), accounts: [account("bingx", [:])],
        instruments: [("swap", "BTC-USDT", "USDT"), ("cswap", "BTC-USD", "BTC")]
    ) { value, _, _, _ in
        value["data"]?.elements?.compactMap { open($0, "symbol", "positionAmt") }
    }

    private static func account(
        _ exchange: String, _ options: [String: [String]], facts: [String: String] = [:]
    ) -> Account {
        var account = Account(
            name: "desk-a-01", exchange: ExchangeID(exchange), environment: .production, options: options)
        account.facts = facts
        return account
    }

    private static func open(_ row: JSONValue, _ instrument: String, _ size: String) -> Open? {
        let amount = (row[size]?.text).flatMap { try? Amount($0) }
        if amount?.isZero == true { return nil }
        return Open(instrument: row[instrument]?.text?.uppercased() ?? "", size: amount?.magnitude)
    }
}

// MARK: - What every reply must keep

extension VenueTarget {
    var judge: ([UInt8]) -> Void {
        let (questions, book) = (questions, book)
        return { bytes in
            var chooser = Chooser(bytes)
            let question = chooser.pick(questions)
            let status = chooser.pick(Self.statuses)
            let damage = (kind: chooser.byte(), place: chooser.byte())
            let reply = VenueReply(status: status, body: chooser.bytes)
            if Watch.isMeasuring { return ask(question, reply, book) }
            _ = plugin.serverTime(in: reply)
            switch question.call {
            case .read(let read): judge(read, reply, damage, question.account, book)
            case .mutate(let mutation): judge(mutation, reply, question.account)
            }
        }
    }

    private func ask(_ question: Question, _ reply: VenueReply, _ book: InstrumentBook) {
        switch question.call {
        case .read(let read):
            _ = plugin.answer(to: read, in: reply, account: question.account, instruments: book)
        case .mutate(let mutation): _ = plugin.outcome(of: mutation, in: reply, account: question.account)
        }
    }

    private func judge(
        _ read: Read, _ reply: VenueReply, _ damage: (kind: Int, place: Int), _ account: Account,
        _ book: InstrumentBook
    ) {
        switch plugin.answer(to: read, in: reply, account: account, instruments: book) {
        case .failed(let outcome):
            check(outcome)
            promise(outcome.effect == .none, "a failed read has effect \(outcome.effect)")
            promise(outcome.errorClass != .ok, "a failed read is ok")
        case .answer(let answer):
            guard let value = try? JSONValue.parse(reply.body) else { broken("a body that is no JSON is an answer") }
            // Of these a refusal is an answer: nothing is listed there, or the key may not read whose it is.
            let isAbsence =
                switch answer {
                case .orders([], nil), .instruments([], _), .identity(Identity()): true
                default: false
                }
            promise((200..<300).contains(reply.status) || isAbsence, "HTTP \(reply.status) is an answer")
            cut(reply) { plugin.answer(to: read, in: $0, account: account, instruments: book).isAnswer }
            guard case .positions(let product, let cursor) = read, case .positions(let rows, let next) = answer else {
                return
            }
            promise(next != cursor || next == nil, "the next page is this page")
            guard let shown = open(value, product, cursor, account) else { broken("positions without a list") }
            compare(rows, shown)
            let damaged = Damage.apply(damage, to: value)
            let again = VenueReply(status: reply.status, body: Array(damaged.serialized().utf8))
            let result = plugin.answer(to: read, in: again, account: account, instruments: book)
            guard case .answer(.positions(let fewer, _)) = result else { return }
            promise(fewer.count >= rows.count, "damage took \(rows.count - fewer.count) of \(rows.count) positions")
        }
    }

    private func compare(_ rows: [Position], _ shown: [Open]) {
        promise(rows.count == shown.count, "\(shown.count) open rows were read as \(rows.count)")
        for (row, open) in zip(rows, shown) {
            promise(row.key.instrument.uppercased() == open.instrument, "\(open.instrument) reads as \(row.key)")
            promise(!row.quantity.isNegative && !row.quantity.isZero, "size \(row.quantity)")
            if let size = open.size { promise(row.quantity == size, "size \(size) reads as \(row.quantity)") }
            promise(!row.notional.isNegative, "notional \(row.notional)")
        }
    }

    private func judge(_ mutation: Mutation, _ reply: VenueReply, _ account: Account) {
        let outcome = plugin.outcome(of: mutation, in: reply, account: account)
        check(outcome)
        guard let value = try? JSONValue.parse(reply.body), case .object = value else {
            promise(outcome.effect == .unknown, "a body that is no JSON object has effect \(outcome.effect)")
            promise(outcome.errorClass == .unknown, "a body that is no JSON object is \(outcome.errorClass)")
            return
        }
        let isSuccess = ["0", "00000"].contains(value["code"]?.text)
        switch outcome.effect {
        case .unknown: return
        case .none:
            promise(reply.status < 500, "HTTP \(reply.status) says that nothing happened: \(outcome.code)")
            promise(outcome.errorClass != .ok, "no effect, and ok")
        case .executed, .partial:
            promise((200..<300).contains(reply.status), "HTTP \(reply.status) is a success")
            promise(isSuccess || outcome.effect == .partial, "code \(value["code"]?.text ?? "–") is a success")
            if case .cancel(let call) = mutation {
                let named = Set(outcome.rows.filter { $0.errorClass == .ok }.compactMap(\.orderID))
                promise(named.isSubset(of: call.orderIDs), "an order is cancelled that was not asked for")
                if outcome.effect == .executed {
                    let settled = Set(outcome.rows.compactMap(\.orderID))
                    promise(settled.isSuperset(of: call.orderIDs), "a cancel is executed and not all are named")
                }
            }
        }
        if outcome.effect != .none {
            cut(reply) { plugin.outcome(of: mutation, in: $0, account: account).effect != .unknown }
        }
    }

    /// No beginning of a reply is a reply: all of them are JSON objects.
    private func cut(_ reply: VenueReply, isGood: (VenueReply) -> Bool) {
        guard let end = reply.body.lastIndex(where: { !" \n\r\t".utf8.contains($0) }) else { return }
        for length in [end, end / 2] {
            let part = VenueReply(status: reply.status, body: Array(reply.body.prefix(length)))
            promise(!isGood(part), "a reply cut at byte \(length) counts")
        }
    }

    private func check(_ outcome: Outcome) {
        Said.check(outcome.message, atMost: 250, "the message")
        Said.check(outcome.code, atMost: 64, "the code")
        Said.check(outcome.action ?? "", atMost: 250, "the action")
        for row in outcome.rows {
            Said.check(row.message, atMost: 250, "a row's message")
            Said.check(row.code, atMost: 64, "a row's code")
        }
        guard let penalty = outcome.penalty else { return }
        promise(plugin.profile.limit(penalty.limit) != nil, "the penalty names no limit: \(penalty.limit)")
        for offset in [nil, 0, Int64(1_700_000_000_000)] {
            let left = penalty.timeLeft(at: Instant(nanoseconds: 1_000_000_000_000), clockOffset: offset)
            promise(left <= .seconds(86_400), "a penalty of \(left.seconds) s")
        }
        promise(penalty.duration >= .zero && penalty.duration <= .seconds(2 * 86_400), "a penalty's length")
    }
}

extension ReadResult {
    fileprivate var isAnswer: Bool { if case .answer = self { true } else { false } }
}

/// One node of a reply replaced by something that stands there in no legal reply.
enum Damage {
    private static let junk: [JSONValue] = [.string("?"), .array([]), .object([]), .bool(true), .array([.null])]

    static func apply(_ damage: (kind: Int, place: Int), to value: JSONValue) -> JSONValue {
        var left = damage.place
        return replaced(value, &left, junk[damage.kind % junk.count])
    }

    /// Replaces the node that is `left` places behind, counted through rows and their members.
    private static func replaced(_ value: JSONValue, _ left: inout Int, _ junk: JSONValue) -> JSONValue {
        switch value {
        case .object(var members):
            for index in members.indices {
                members[index].value = replaced(members[index].value, &left, junk)
                if left < 0 { break }
            }
            return .object(members)
        case .array(var elements):
            for index in elements.indices {
                elements[index] = replaced(elements[index], &left, junk)
                if left < 0 { break }
            }
            return .array(elements)
        default:
            left -= 1
            return left < 0 ? junk : value
        }
    }
}
