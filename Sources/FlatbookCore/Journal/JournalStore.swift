/// Why a journal cannot go on. Each is final: dispatch stops, nothing is retried on this handle.
public struct JournalError: Error, Hashable, Sendable {
    public enum Code: String, Hashable, Sendable {
        case cannotOpen, wrongVersion, diskFull, readOnly, inputOutput, corrupt, fenced, locked, networkFileSystem
    }
    public var code: Code
    /// Path, what happened, what to do.
    public var message: String
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// Where entries become durable. One writer for the whole run.
public protocol JournalWriter: Sendable {
    /// Appends entries in order and returns when they are durable (fsync returned); group-committed with its neighbours.
    ///
    /// - Throws: ``JournalError``; after any error nothing more can be appended.
    func append(_ entries: [JournalEntry]) async throws(JournalError)
}

/// Reads runs back. May be used while another process writes.
public protocol JournalReader: Sendable {
    /// Runs, newest first, each with its header entry and whether it has been closed.
    func runs() throws(JournalError) -> [RunSummary]
    /// All entries of a run in order; the chain is verified on the way.
    func entries(of run: String) throws(JournalError) -> [JournalEntry]
    /// `sha256:` of the run's last entry in the chain.
    func head(of run: String) throws(JournalError) -> String
}

public struct RunSummary: Hashable, Sendable {
    public var id: String
    public var plans: [String]
    public var environment: TradingEnvironment
    public var startedAt: WallTime
    public var lastEntryAt: WallTime
    public var accounts: Int
    public var status: String?
    public var exitCode: Int?
    public var lastEpoch: Int
    public var isClosed: Bool { status != nil }

    public init(
        id: String, plans: [String], environment: TradingEnvironment, startedAt: WallTime, lastEntryAt: WallTime,
        accounts: Int, status: String?, exitCode: Int?, lastEpoch: Int
    ) {
        self.id = id
        self.plans = plans
        self.environment = environment
        self.startedAt = startedAt
        self.lastEntryAt = lastEntryAt
        self.accounts = accounts
        self.status = status
        self.exitCode = exitCode
        self.lastEpoch = lastEpoch
    }
}
