public import FlatbookCore

/// One exchange: a pure translator between calls and bytes. No clock, no network, no randomness, no secret.
///
/// The host schedules, signs, journals and decides. The same call gives the same bytes every time.
public protocol ExchangePlugin: Sendable {
    /// What the exchange offers: limits, close methods, routes, hosts. Data with sources.
    var profile: ExchangeProfile { get }

    /// Builds the request of a read.
    func request(for read: Read, account: Account) -> VenueRequest
    /// Reads the answer to a read. Anything not complete, well-formed and successful is ``ReadResult/failed(_:)``.
    func answer(to read: Read, in reply: VenueReply, account: Account, instruments: InstrumentBook) -> ReadResult

    /// Builds the request of a mutation: exactly the bytes to sign and to send.
    func request(for mutation: Mutation, account: Account) -> VenueRequest
    /// Reads the answer to a mutation. Never throws: what cannot be understood is `effect: unknown`.
    func outcome(of mutation: Mutation, in reply: VenueReply, account: Account) -> Outcome

    /// What the host must sign and where the signature goes.
    func signing(of request: VenueRequest, at timestamp: WallTime, account: Account) -> SigningRecipe

    /// The exchange's stamp in any reply, for clock samples and the arrival anchor; nil where it has none.
    func serverTime(in reply: VenueReply) -> WallTime?

    /// The position reads that together show all of an account, by its options and what is known of it.
    func partitions(of account: Account) -> [Partition]
    /// The close methods that are exact for this account, widest first.
    func closeMethods(for account: Account) -> [CloseMethod]
    /// Scheme and host of the account's exchange; nil where its environment has none.
    func host(for account: Account) -> String?
    /// Silos that cannot be read for this account, with the reason; shown as `notRead`.
    func notRead(for account: Account) -> [ExchangeProfile.NotRead]
    /// What the operator is told of positions in a silo that ``closeMethods(for:)`` has nothing for.
    func reasonUnclosable(_ silo: Silo, account: Account) -> String?
    /// What to ask about legs of these products that went without us; empty where the exchange does not tell.
    func endingReads(of account: Account, products: Set<String>) -> [Read]

    /// The reads that tell what these closes filled: one for each product, or one for each order, whichever is fewer.
    ///
    /// - Parameters:
    ///   - since: before the first of them was sent, on the exchange's clock.
    ///   - until: now, on the exchange's clock.
    func executionReads(
        of closes: [ExecutedClose], since: WallTime, until: WallTime, account: Account
    ) -> [ExecutionQuery]
}

extension ExchangePlugin {
    public func partitions(of account: Account) -> [Partition] {
        (account.options["products"] ?? profile.products).map { product in
            Partition(
                id: product, covers: [product], instruments: [product], orderLists: profile.orderLists,
                protectiveLists: profile.protectiveLists)
        }
    }

    public func closeMethods(for account: Account) -> [CloseMethod] { profile.closeMethods }
    public func host(for account: Account) -> String? { profile.hosts[account.environment] }
    public func notRead(for account: Account) -> [ExchangeProfile.NotRead] { profile.notRead }
    public func reasonUnclosable(_ silo: Silo, account: Account) -> String? { nil }
    public func endingReads(of account: Account, products: Set<String>) -> [Read] { [] }
    /// None: then reports have no figures of what was filled.
    public func executionReads(
        of closes: [ExecutedClose], since: WallTime, until: WallTime, account: Account
    ) -> [ExecutionQuery] { [] }
}

/// What one read of positions covers.
public struct Partition: Hashable, Sendable {
    /// The `product` of its reads (``Read/positions(product:cursor:)``, orders and control).
    public var id: String
    /// The products of the legs that a complete read of it speaks for; what reports list as read.
    public var covers: [String]
    /// Products whose instruments are listed for it.
    public var instruments: [String]
    /// Lists of resting orders to read.
    public var orderLists: [String]
    /// Those of them that hold nothing but TP/SL of positions: looked at once a leg was closed.
    public var protectiveLists: Set<String>
    /// Whether there is a control read.
    public var hasControl: Bool
    /// A refusal by permission or account kind makes it `notRead` under this name; nil = it refuses the account.
    public var refusedAs: String?

    public init(
        id: String, covers: [String], instruments: [String], orderLists: [String] = [],
        protectiveLists: Set<String> = [], hasControl: Bool = true, refusedAs: String? = nil
    ) {
        self.id = id
        self.covers = covers
        self.instruments = instruments
        self.orderLists = orderLists
        self.protectiveLists = protectiveLists
        self.hasControl = hasControl
        self.refusedAs = refusedAs
    }
}

/// The instruments of one exchange environment, by native id and product.
public struct InstrumentBook: Sendable {
    public private(set) var all: [Instrument] = []
    private var index: [String: Int] = [:]

    public init(_ instruments: [Instrument] = []) { add(instruments) }

    public mutating func add(_ instruments: [Instrument]) {
        for instrument in instruments {
            index[Self.key(instrument.nativeID, instrument.product)] = all.count
            all.append(instrument)
        }
    }

    /// Compared without regard to case: exchanges answer in either.
    public func find(nativeID: String, product: String) -> Instrument? {
        index[Self.key(nativeID, product)].map { all[$0] }
    }

    private static func key(_ nativeID: String, _ product: String) -> String {
        nativeID.uppercased() + "\u{1F}" + product.uppercased()
    }
}

/// What an exchange offers, as data.
public struct ExchangeProfile: Sendable {
    /// A route's place in limits.
    public struct Route: Sendable {
        public var id: String
        /// Limit id to weight.
        public var costs: [(limit: String, weight: Int)]
        /// Limits that count what the request names (``VenueRequest/items``) instead of the request.
        public var countsItems: Set<String> = []
        /// The fixed path: requests outside the declared list are never sent (I14).
        public var path: String
        public var isMutation: Bool
        public init(id: String, path: String, isMutation: Bool, costs: [(limit: String, weight: Int)]) {
            self.id = id
            self.path = path
            self.isMutation = isMutation
            self.costs = costs
        }
    }

    public struct OptionRule: Sendable {
        /// e.g. `products`.
        public var name: String
        public var allowed: [String]
        /// Whether several values may be given.
        public var isList: Bool
        public init(name: String, allowed: [String], isList: Bool) {
            self.name = name
            self.allowed = allowed
            self.isList = isList
        }
    }

    public var id: ExchangeID
    /// Base URL per environment, without trailing slash.
    public var hosts: [TradingEnvironment: String]
    /// Credential fields an account must have, in order.
    public var credentialFields: [String]
    public var options: [OptionRule]
    public var limits: [RateLimit]
    public var routes: [Route]
    /// All partitions that positions are read in, by default.
    public var products: [String]
    /// Lists of resting orders to read per product.
    public var orderLists: [String]
    /// Those of them that hold nothing but TP/SL of positions: looked at once a leg was closed.
    public var protectiveLists: Set<String> = []
    /// Codes that say that a signature is wrong: our fault or the secret's (`maxFailures` counts them).
    public var signatureCodes: Set<String> = []
    /// Widest first.
    public var closeMethods: [CloseMethod]
    /// Most orders that one cancel call may name.
    public var maxCancelsPerCall: Int
    /// By operation, where it is fewer.
    public var cancelLimits: [String: Int] = [:]
    public var cancelOperations: [String: String]
    /// Life of a signed request: the exchange refuses it this long after its timestamp.
    public var signatureLife: TimeSpan
    /// What `accounts check` reads, besides positions: ``Read/identity`` and where to find what it does not say.
    public var checks: [Read] = [.identity]
    /// Silos that this version cannot read, with the reason; shown as `notRead`.
    public var notRead: [NotRead]

    public struct NotRead: Hashable, Sendable, Codable {
        public var silo: String
        public var reason: String
        public init(silo: String, reason: String) {
            self.silo = silo
            self.reason = reason
        }
    }

    public init(
        id: ExchangeID, hosts: [TradingEnvironment: String], credentialFields: [String], options: [OptionRule],
        limits: [RateLimit], routes: [Route], products: [String], orderLists: [String], closeMethods: [CloseMethod],
        maxCancelsPerCall: Int, cancelOperations: [String: String], signatureLife: TimeSpan, notRead: [NotRead] = []
    ) {
        self.id = id
        self.hosts = hosts
        self.credentialFields = credentialFields
        self.options = options
        self.limits = limits
        self.routes = routes
        self.products = products
        self.orderLists = orderLists
        self.closeMethods = closeMethods
        self.maxCancelsPerCall = maxCancelsPerCall
        self.cancelOperations = cancelOperations
        self.signatureLife = signatureLife
        self.notRead = notRead
    }

    public func route(_ id: String) -> Route? { routes.first { $0.id == id } }
    public func limit(_ id: String) -> RateLimit? { limits.first { $0.id == id } }
}
