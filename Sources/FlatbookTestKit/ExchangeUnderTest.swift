public import ExchangeKit
public import FlatbookCore

/// One exchange, described to the plugin contract: its plugin and what was recorded of the exchange.
///
/// Everything here is data, and none of it is taken from the plugin: the contract compares the two. The requests that the
/// cases send are derived from the plugin's own profile, partitions and close methods, so a new one is under test at once.
public struct ExchangeUnderTest: Sendable, CustomStringConvertible {
    /// As test names show it, e.g. `Bitget`.
    public var name: String
    public var plugin: any ExchangePlugin
    /// One account of each kind that the exchange has, the ordinary one first.
    public var accounts: [Account]
    /// The parts of a request that the exchange's signature covers (its sheet, §2).
    public var signs: Set<SignedPart>
    public var vectors: [SigningVector]
    /// Successful replies to reads: of every kind of read, with open positions of every kind that can be closed.
    public var reads: [RecordedRead]
    /// Replies to mutations: at least one close that was accepted, for every close operation.
    public var mutations: [RecordedMutation]
    public var refusals: [RecordedRefusal]
    /// Members that may really be null, missing or of another value with another meaning, each with its source: case 6
    /// does not damage them in those ways. A name with `=` behind it may only have another value: `instType=`.
    public var documentedGaps: [String: String]
    /// The outermost member of a reply that says whether the call succeeded: any other value of it is no success.
    public var successMember: String
    /// Whether an account holds an instrument in one margin mode at a time, so that a close need not name it.
    public var oneMarginModePerInstrument = false
    /// What cases 10 to 19 run on; nil where the exchange has no simulator.
    public var stage: (any ContractStage)?

    public init(
        name: String, plugin: any ExchangePlugin, accounts: [Account], signs: Set<SignedPart>,
        vectors: [SigningVector], reads: [RecordedRead], mutations: [RecordedMutation],
        refusals: [RecordedRefusal], documentedGaps: [String: String] = [:], successMember: String = "code",
        stage: (any ContractStage)? = nil
    ) {
        self.name = name
        self.plugin = plugin
        self.accounts = accounts
        self.signs = signs
        self.vectors = vectors
        self.reads = reads
        self.mutations = mutations
        self.refusals = refusals
        self.documentedGaps = documentedGaps
        self.successMember = successMember
        self.stage = stage
    }

    public var description: String { name }

    func account(_ name: String) -> Account? { accounts.first { $0.name == name } }

    /// The instruments of the recorded lists, as the plugin reads them.
    var book: InstrumentBook {
        var book = InstrumentBook()
        for recorded in reads {
            guard case .instruments = recorded.read, let account = account(recorded.account) else { continue }
            let result = plugin.answer(
                to: recorded.read, in: recorded.reply, account: account, instruments: InstrumentBook())
            if case .answer(.instruments(let list, _)) = result { book.add(list) }
        }
        return book
    }
}

/// A part of a request that a signature may cover.
public enum SignedPart: String, Hashable, Sendable, CaseIterable { case method, path, query, body, timestamp }

/// A signature that somebody else computed: the exchange's documentation, or a client that is known to work.
public struct SigningVector: Sendable {
    public var name: String
    public var request: VenueRequest
    public var account: String
    public var timestamp: WallTime
    /// Invented ones, by field.
    public var credentials: [String: String]
    /// As it must stand in a header or in the query, decoded.
    public var signature: String

    public init(
        _ name: String, request: VenueRequest, account: String, timestamp: WallTime, credentials: [String: String],
        signature: String
    ) {
        self.name = name
        self.request = request
        self.account = account
        self.timestamp = timestamp
        self.credentials = credentials
        self.signature = signature
    }
}

/// A reply to a read as the exchange sent it, and its one reading.
public struct RecordedRead: Sendable {
    public var name: String
    public var read: Read
    /// ``Account/name`` of the account that asked.
    public var account: String
    public var reply: VenueReply
    /// One line for each thing that was read, as ``ContractText`` writes them.
    public var means: [String]
    /// Members that the exchange sends as a list or as an object, whichever it likes: an empty one is then a legal reply.
    public var eitherShape: Set<String>

    public init(
        _ name: String, _ read: Read, account: String, body: String, status: Int = 200, means: [String],
        eitherShape: Set<String> = []
    ) {
        self.eitherShape = eitherShape
        self.name = name
        self.read = read
        self.account = account
        self.reply = VenueReply(status: status, body: Array(body.utf8))
        self.means = means
    }
}

/// A reply to a mutation as the exchange sent it, and what it means.
public struct RecordedMutation: Sendable {
    public var name: String
    public var mutation: Mutation
    public var reply: VenueReply
    public var effect: Effect
    public var errorClass: ErrorClass
    public var orderIDs: [String]

    public init(
        _ name: String, _ mutation: Mutation, body: String, status: Int = 200, effect: Effect = .executed,
        errorClass: ErrorClass = .ok, orderIDs: [String] = []
    ) {
        self.name = name
        self.mutation = mutation
        self.reply = VenueReply(status: status, body: Array(body.utf8))
        self.effect = effect
        self.errorClass = errorClass
        self.orderIDs = orderIDs
    }
}

/// An exchange's "no" in its own envelope, with the status it comes with.
public struct RecordedRefusal: Sendable {
    public enum Meaning: String, Hashable, Sendable, CaseIterable {
        /// The exchange's own throttle code: not executed, may be sent again later.
        case throttled
        /// There was nothing to close. On closes only.
        case flat
        /// The key, its signature or passphrase is wrong.
        case wrongKey
        /// The key may not do this; on a close it stops the account.
        case noPermission
        /// A code that stands in no list: made up.
        case unlisted
    }

    public var meaning: Meaning
    public var reply: VenueReply
    /// Close operations that it is a reply to; nil = all.
    public var operations: Set<String>?

    public init(_ meaning: Meaning, body: String, status: Int, operations: Set<String>? = nil) {
        self.meaning = meaning
        self.reply = VenueReply(status: status, body: Array(body.utf8))
        self.operations = operations
    }
}

/// How the contract writes down what a plugin read: short enough to be typed beside each recording.
public enum ContractText {
    public static func lines(_ answer: ReadAnswer) -> [String] {
        switch answer {
        case .serverTime(let time): ["time \(time.milliseconds)"]
        case .identity(let identity): [line(identity)]
        case .instruments(let list, let next): list.map(line) + more(next)
        case .positions(let list, let next): list.map(line) + more(next)
        case .orders(let list, let next): list.map(line) + more(next)
        case .control(let consistent): [consistent ? "flat" : "open"]
        case .endings(let list):
            list.map { "\($0.instrument) \($0.side?.rawValue ?? "-") \($0.positionID ?? "-") \($0.by.rawValue)" }
        case .executions(let list, let next): list.map(line) + more(next)
        }
    }

    /// `1120923953904893955 BTCUSDT long 0.5 at 98250.4 fee 29.475 USDT pnl -12.5 final`; `-` for what was not said.
    public static func line(_ execution: Execution) -> String {
        let price = execution.turnover?.divided(by: execution.quantity, decimals: 18)
        let fees = execution.fees?.map { "\($0.amount)" + ($0.coin.map { " " + $0 } ?? "") }.joined(separator: "+")
        let parts = [
            execution.orderID, execution.clientOrderID.map { "as " + $0 }, execution.tradeID, execution.instrument,
            execution.side?.rawValue ?? "-", execution.positionID.map { "of " + $0 }, execution.quantity.description,
            "at \(price?.description ?? "-")", "fee \(fees ?? "-")",
            "pnl \(execution.realizedPnl?.description ?? "-")", execution.isFinal ? "final" : nil,
        ]
        return parts.compactMap(\.self).joined(separator: " ")
    }

    /// `normal USDT-FUTURES BTCUSDT BTC/USDT:USDT long 0.5 one-way cross USDT`, then the position's id if it has one.
    public static func line(_ position: Position) -> String {
        let key = position.key
        let parts = [
            key.silo.rawValue, key.product, key.instrument, position.symbol, key.side.rawValue,
            position.quantity.description, position.mode.rawValue, key.marginMode.rawValue, key.marginCurrency,
        ]
        return (parts + [key.positionID].compactMap(\.self)).joined(separator: " ")
    }

    /// `USDT-FUTURES BTCUSDT BTC/USDT:USDT open`.
    public static func line(_ instrument: Instrument) -> String {
        [instrument.product, instrument.nativeID, instrument.symbol, instrument.trading.rawValue]
            .joined(separator: " ")
    }

    /// `normal 1190384645049036801 BTCUSDT long opens`.
    public static func line(_ order: RestingOrder) -> String {
        [order.list, order.id, order.instrument, order.side.rawValue, order.effect.rawValue].joined(separator: " ")
    }

    /// `uid 1000001 trade yes withdraw no`; `-` for what the exchange did not say.
    public static func line(_ identity: Identity) -> String {
        func word(_ flag: Bool?) -> String { flag.map { $0 ? "yes" : "no" } ?? "-" }
        return "uid \(identity.uid ?? "-") trade \(word(identity.mayTrade)) withdraw \(word(identity.mayWithdraw))"
    }

    private static func more(_ next: String?) -> [String] { next.map { ["next " + $0] } ?? [] }
}
