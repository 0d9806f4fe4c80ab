/// A plan file after validation: what to flatten, and under which guards.
public struct PlanDocument: Hashable, Sendable, Codable {
    public enum Orders: String, Hashable, Sendable, Codable {
        case keep
        case cancelOpeners = "cancel-openers"
        case cancelAll = "cancel-all"
    }
    public enum Sequence: String, Hashable, Sendable, Codable { case exposure, account, symbol }
    public enum Granularity: String, Hashable, Sendable, Codable { case auto, side, symbol, account }
    public enum AfterUnknown: String, Hashable, Sendable, Codable { case resend, wait }
    public enum Control: String, Hashable, Sendable, Codable { case preferred, required }
    public enum Dust: String, Hashable, Sendable, Codable { case accept, report }
    public enum AfterDeadline: String, Hashable, Sendable, Codable { case stop, `continue` }

    public struct Verification: Hashable, Sendable, Codable {
        /// Complete reads that must all show zero; at least 2.
        public var reads = 2
        /// Least distance of two of them.
        public var interval = TimeSpan.seconds(1)
        /// Per account, from its last definite reply; waiting for limits is not counted.
        public var timeout = TimeSpan.seconds(60)
        /// How often a leg that is still open is closed again.
        public var rounds = 3
        public var control = Control.preferred
        public var dust = Dust.report
        public init() {}
    }

    public struct Guards: Hashable, Sendable, Codable {
        public var environment: TradingEnvironment?
        public var maxAccounts: Int?
        /// In USD.
        public var maxNotional: Amount?
        public var maxLegs: Int?
        /// Off, or when to pause new accounts of an exchange: percent of its accounts.
        public var maxFailuresPercent: Int?
        public var deadline = TimeSpan.seconds(15 * 60)
        public var afterDeadline = AfterDeadline.stop
        public init() {}
    }

    public var name: String
    public var accounts: [Pattern]
    public var symbols: [Pattern]
    /// Sorted, not empty.
    public var sides: [Side]
    public var orders: Orders
    public var sequence: Sequence
    public var granularity: Granularity
    /// Part of each documented limit this run may use, by scope dimension; key `*` is the default.
    public var share: [String: Amount]
    public var afterUnknown: AfterUnknown
    public var verify: Verification
    public var guards: Guards
    /// Report files to write; a subset of json, csv.
    public var reportFormats: [String]
    public var source: SourceLocation

    public init(
        name: String, accounts: [Pattern], symbols: [Pattern] = [Pattern("*")], sides: [Side] = [.long, .short],
        orders: Orders = .cancelOpeners, sequence: Sequence = .exposure, granularity: Granularity = .auto,
        share: [String: Amount] = ["*": Amount(1)], afterUnknown: AfterUnknown = .resend,
        verify: Verification = Verification(), guards: Guards = Guards(), reportFormats: [String] = ["json", "csv"],
        source: SourceLocation = SourceLocation(file: "", line: 0)
    ) {
        self.name = name
        self.accounts = accounts
        self.symbols = symbols
        self.sides = sides
        self.orders = orders
        self.sequence = sequence
        self.granularity = granularity
        self.share = share
        self.afterUnknown = afterUnknown
        self.verify = verify
        self.guards = guards
        self.reportFormats = reportFormats
        self.source = source
    }
}

/// One pattern as written, e.g. `tag:desk-a`, `!BTC/USDT:USDT`, `bitget:BTC*`.
public struct Pattern: Hashable, Sendable, Codable, CustomStringConvertible {
    /// Without the leading `!`.
    public var text: String
    public var isExclusion: Bool
    /// 1-based line in its file; 0 where it has none.
    public var line: Int

    /// - Parameter written: the pattern with its `!`, if any.
    public init(_ written: String, line: Int = 0) {
        isExclusion = written.hasPrefix("!")
        text = isExclusion ? String(written.dropFirst()) : written
        self.line = line
    }

    public var description: String { (isExclusion ? "!" : "") + text }

    /// Whether `glob` (`*` any run, `?` one character, everything else itself) matches all of `text`.
    public static func glob(_ glob: some StringProtocol, matches text: some StringProtocol) -> Bool {
        let (p, t) = (Array(glob), Array(text))
        var (i, j, star, mark) = (0, 0, -1, 0)
        while j < t.count {
            if i < p.count, p[i] == "?" || (p[i] == t[j] && p[i] != "*") {
                i += 1
                j += 1
            } else if i < p.count, p[i] == "*" {
                star = i
                mark = j
                i += 1
            } else if star >= 0 {
                i = star + 1
                mark += 1
                j = mark
            } else {
                return false
            }
        }
        while i < p.count, p[i] == "*" { i += 1 }
        return i == p.count
    }
}
