import ExchangeKit
import FlatbookCore

/// Every call that a plugin must be able to make, derived from its own profile, partitions and close methods.
struct ContractSamples {
    struct ReadSample {
        var account: Account
        var read: Read
    }
    struct MutationSample {
        var account: Account
        var mutation: Mutation
    }

    let exchange: ExchangeUnderTest
    var reads: [ReadSample] = []
    var closes: [MutationSample] = []
    var cancels: [MutationSample] = []
    /// Close methods that no recorded position fits.
    var untried: [String] = []

    /// 32 hexadecimal digits, as the engine makes them.
    static let attempt = "0123456789abcdef0123456789abcdef"

    init(_ exchange: ExchangeUnderTest) {
        self.exchange = exchange
        let rows = Self.positions(exchange)
        for account in exchange.accounts {
            addReads(account)
            for method in exchange.plugin.closeMethods(for: account) {
                let fitting = rows.filter { row in
                    row.key.silo == method.silo && method.products?.contains(row.key.product) ?? true
                        && covers(row, account)
                }
                let held = Set(exchange.plugin.partitions(of: account).flatMap(\.covers))
                if fitting.isEmpty, method.products.map({ !held.isDisjoint(with: $0) }) ?? true {
                    untried.append("\(account.name): \(method.operation) with reach \(method.reach)")
                }
                for row in fitting { addCloses(method, of: row, account) }
            }
            addCancels(account)
        }
    }

    var mutations: [MutationSample] { closes + cancels }

    /// Every open row of the recordings, as the plugin reads it.
    static func positions(_ exchange: ExchangeUnderTest) -> [Position] {
        let book = exchange.book
        return exchange.reads.flatMap { recorded -> [Position] in
            guard case .positions = recorded.read, let account = exchange.account(recorded.account) else { return [] }
            let result = exchange.plugin.answer(
                to: recorded.read, in: recorded.reply, account: account, instruments: book)
            guard case .answer(.positions(let rows, _)) = result else { return [] }
            return rows
        }
    }

    private func covers(_ row: Position, _ account: Account) -> Bool {
        row.key.account == account.name
            && exchange.plugin.partitions(of: account).contains { $0.covers.contains(row.key.product) }
    }

    private mutating func addReads(_ account: Account) {
        var all: [Read] = [.serverTime, .identity]
        for check in exchange.plugin.profile.checks where !all.contains(check) { all.append(check) }
        for partition in exchange.plugin.partitions(of: account) {
            all.append(.positions(product: partition.id, cursor: nil))
            if partition.hasControl { all.append(.control(product: partition.id)) }
            for list in partition.orderLists {
                all.append(.orders(product: partition.id, list: list, cursor: nil))
                all.append(.orders(product: partition.id, list: list, cursor: "9007199254740993"))
            }
            for product in partition.instruments {
                let read = Read.instruments(product: product, cursor: nil)
                if !all.contains(read) { all.append(read) }
            }
        }
        reads += all.map { ReadSample(account: account, read: $0) }
    }

    private mutating func addCloses(_ method: CloseMethod, of row: Position, _ account: Account) {
        for mode in method.modes.sorted(by: { $0.rawValue < $1.rawValue }) {
            for side in Side.allCases {
                for frees in method.canFreeHeldSize == true ? [nil, true] : [nil] {
                    var call = Self.call(method, row, side: side, mode: mode)
                    call.freesHeldSize = frees
                    closes.append(MutationSample(account: account, mutation: .close(call)))
                }
            }
        }
    }

    /// As the planner fills it in.
    static func call(_ method: CloseMethod, _ row: Position, side: Side, mode: PositionMode) -> CloseCall {
        var key = row.key
        key.side = side
        return CloseCall(
            account: key.account, method: method, product: key.product,
            instrument: method.reach == .product ? nil : key.instrument, side: method.reach <= .side ? side : nil,
            legs: [key], quantity: method.isSized ? row.quantity : nil,
            marginMode: method.reach == .leg ? key.marginMode : nil, marginCurrency: key.marginCurrency, mode: mode,
            notional: row.notional, attemptID: attempt)
    }

    private mutating func addCancels(_ account: Account) {
        guard let row = Self.positions(exchange).first(where: { $0.key.account == account.name }) else { return }
        for partition in exchange.plugin.partitions(of: account) {
            for list in partition.orderLists {
                guard let operation = exchange.plugin.profile.cancelOperations[list] else { continue }
                let call = CancelCall(
                    account: account.name, operation: operation, product: partition.id,
                    instrument: row.key.instrument, list: list, orderIDs: ["1190384645049036801"],
                    marginCurrency: row.key.marginCurrency)
                cancels.append(MutationSample(account: account, mutation: .cancel(call)))
            }
        }
    }

    /// Every request, with what asked for it in words.
    func requests() -> [(what: String, account: Account, request: VenueRequest)] {
        reads.map { sample in
            (
                "\(sample.account.name) \(sample.read)", sample.account,
                exchange.plugin.request(for: sample.read, account: sample.account)
            )
        }
            + mutations.map { sample in
                (
                    Self.words(sample.mutation), sample.account,
                    exchange.plugin.request(for: sample.mutation, account: sample.account)
                )
            }
    }

    static func words(_ mutation: Mutation) -> String {
        guard case .close(let call) = mutation else {
            return "\(mutation.account) \(mutation.operation) \(mutation.target)"
        }
        return
            "\(call.account) \(call.method.operation) reach \(call.method.reach) \(call.target) \(call.mode.rawValue)"
    }
}

/// What a request says, whether in its query or in its body: names and values, in order.
struct NamedValues {
    var pairs: [(name: String, value: String)] = []

    init(_ request: VenueRequest) {
        pairs = request.query.map { ($0.name, $0.value) }
        guard !request.body.isEmpty else { return }
        if let value = try? JSONValue.parse(request.body) {
            collect(value, "")
        } else {
            // A form, as some exchanges take it.
            for pair in String(decoding: request.body, as: UTF8.self).split(separator: "&") {
                let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
                pairs.append((parts[0], parts.count > 1 ? parts[1] : ""))
            }
        }
    }

    private mutating func collect(_ value: JSONValue, _ name: String) {
        switch value {
        case .object(let members): for member in members { collect(member.value, member.name) }
        case .array(let elements): for element in elements { collect(element, name) }
        case .string(let text), .number(let text): pairs.append((name, text))
        case .bool(let flag): pairs.append((name, flag ? "true" : "false"))
        case .null: pairs.append((name, ""))
        }
    }

    func says(_ value: String) -> Bool { pairs.contains { $0.value.uppercased() == value.uppercased() } }
    var names: [String] { pairs.map(\.name).sorted() }
}
