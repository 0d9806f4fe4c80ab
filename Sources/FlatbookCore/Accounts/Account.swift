/// Where an account's orders go: real money, the exchange's own demo, or the embedded simulator.
public enum TradingEnvironment: String, Hashable, Sendable, Codable, CaseIterable {
    case production, demo, simulated
}

/// One sub-account on one exchange, as the accounts files describe it. Holds no secret: only references to credentials.
public struct Account: Hashable, Sendable, Codable {
    /// Unique over all files.
    public var name: String
    public var exchange: ExchangeID
    public var environment: TradingEnvironment
    /// The exchange's user id as configured; nil = learned before the first call.
    public var uid: String?
    /// The route out of this host; `default` is the host's own.
    public var egress: String
    /// Replaces the exchange's base URL, e.g. `http://127.0.0.1:9001`.
    public var endpoint: String?
    public var tags: [String]
    public var enabled: Bool
    public var disabledReason: String?
    /// Credential field (`key`, `secret`, `passphrase`) to its reference, e.g. `env:DESK_KEY`.
    public var credentials: [String: CredentialReference]
    /// Exchange options, validated by the plugin's list; every value as a list, e.g. `products: [USDT-FUTURES]`.
    public var options: [String: [String]]
    /// Where it is written, for messages.
    public var source: SourceLocation
    /// What the exchange said of the account in this run and its plugin needs for the next request, e.g. `api: unified`.
    /// Journaled by the run's own entries, not with the account.
    public var facts: [String: String] = [:]

    private enum CodingKeys: String, CodingKey {
        case name, exchange, environment, uid, egress, endpoint, tags, enabled, disabledReason, credentials, options
        case source
    }

    public init(
        name: String, exchange: ExchangeID, environment: TradingEnvironment, uid: String? = nil,
        egress: String = "default", endpoint: String? = nil, tags: [String] = [], enabled: Bool = true,
        disabledReason: String? = nil, credentials: [String: CredentialReference] = [:],
        options: [String: [String]] = [:], source: SourceLocation = SourceLocation(file: "", line: 0)
    ) {
        self.name = name
        self.exchange = exchange
        self.environment = environment
        self.uid = uid
        self.egress = egress
        self.endpoint = endpoint
        self.tags = tags
        self.enabled = enabled
        self.disabledReason = disabledReason
        self.credentials = credentials
        self.options = options
        self.source = source
    }
}

public struct SourceLocation: Hashable, Sendable, Codable {
    public var file: String
    /// 1-based.
    public var line: Int
    public init(file: String, line: Int) {
        self.file = file
        self.line = line
    }
}

/// A reference to one credential value. A literal is allowed for `simulated` accounts only and is no secret there.
public enum CredentialReference: Hashable, Sendable, Codable {
    case environment(name: String)
    /// `path` is absolute or relative to the working directory (already joined with the accounts file's folder).
    case file(path: String, pointer: String?)
    /// An argument vector, run without a shell; `pointer` selects from JSON output.
    case command(arguments: [String], pointer: String?)
    /// A file in `$CREDENTIALS_DIRECTORY`.
    case systemdCredential(name: String)
    case literal(String)
}
