/// What only accounts of this exchange have.
package struct BingXTraits: Sendable {
    /// 2 read, 3 perpetual futures, 5 withdraw (sheet §3.8).
    package var permissions: Set<Int> = [2, 3]
    /// `CROSSED`, `ISOLATED` or `SEPARATE_ISOLATED`.
    package var marginType = "CROSSED"
    package var isMaster = false
    package var isFrozen = false
    package var twaps: [SimulatedTwap] = []
    package init() {}
}

/// A time-weighted order: its parts come one after the other until it is cancelled.
package struct SimulatedTwap: Hashable, Sendable {
    package var id: String
    package var symbol: String
    package var leg: PositionSide
    package var closes: Bool
    package var size: Fixed
    package var createdMs: Int64 = 1_780_000_300_000

    package init(id: String, symbol: String, leg: PositionSide, closes: Bool, size: Fixed) {
        self.id = id
        self.symbol = symbol
        self.leg = leg
        self.closes = closes
        self.size = size
    }
}

/// What the gateway of this exchange remembers of an account.
struct BingXMemory: Sendable {
    struct Box: Sendable {
        var untilNs: Int64
        /// The code that was met too often; nil: the box of too many calls.
        var error: String?
    }
    /// By route.
    var frequencyBoxes: [String: Box] = [:]
    var errorBoxes: [String: Box] = [:]
    var refusals: [String: [Int64]] = [:]
    /// By route and code.
    var errors: [String: [Int64]] = [:]
    /// By target.
    var closes: [String: Int64] = [:]
    var orderSteps: Int64 = 0
}

/// The numbering of error codes: it changed in October 2025 (sheet §6.1).
package enum BingXNumbering: Hashable, Sendable, CaseIterable { case old, new, mixed }

/// The form of a list of ids or failures in the answer to a close of everything.
package enum BingXListForm: Hashable, Sendable, CaseIterable { case numbers, texts, objects, emptyList, null }

/// What a close of everything says of an account that is flat.
package enum BingXFlatAnswer: Hashable, Sendable, CaseIterable { case emptyList, null, noPosition, positionMissing }

/// What a close of a whole position does with the part that resting close orders hold.
package enum BingXHeldBehaviour: Hashable, Sendable, CaseIterable { case closesWhole, closesAvailable, refuses }

/// The behaviours that the sheet marks as variants or unverified (sheet §9, §11).
package struct BingXSwitches: Sendable {
    // Limits.
    /// Off: violations are recorded and the request is served.
    package var enforcesLimits = true
    package var window: WindowKind = .fixed
    package var refusedRequestsCount = false
    /// The higher numbers of 2026 where sources differ, else the lower of both.
    package var usesHigherLimits = false
    package var omitsLimitHeaders = false
    /// `100410` or `109429`.
    package var throttleCode: Int64 = 100_410
    /// HTTP status of a refusal by the address's limits.
    package var addressThrottleStatus = 429
    /// So many refusals of one endpoint within ten seconds put it into a box; 0: never.
    package var refusalsUntilBox = 5
    package var frequencyBoxMs: Int64 = 300_000
    /// Answers of one error code within 480 s that an endpoint forgives.
    package var forgivenErrors = 20
    package var errorBoxMs: Int64 = 300_000
    // The envelope.
    package var numbering: BingXNumbering = .new
    package var codesAsText = false
    /// `109400` "timestamp is invalid" where the gateway says `100421`.
    package var timestampIs109400 = false
    // Closes.
    package var closeSuccess: BingXListForm = .numbers
    package var closeFailed: BingXListForm = .null
    package var flatAnswer: BingXFlatAnswer = .emptyList
    package var held: BingXHeldBehaviour = .closesWhole
    /// A close of the same target within a second is refused with `109201`.
    package var refusesRepeats = false
    /// A close without symbol leaves what is margined in USDC.
    package var closeAllLeavesUSDC = false
    /// A pending TWAP order of the symbol refuses a close with `109430`.
    package var twapBlocksCloses = false
    /// By symbol.
    package var failures: [String: SymbolFailure] = [:]
    /// Symbols whose first close fills only half: the band around the mark price.
    package var bandSymbols: Set<String> = []
    // Orders.
    package var ordersOutliveTheirPosition = true
    package var cancelAllTakesTwaps = false
    package var nullOrderLists = false
    package var missingOrderIsNull = false
    /// Reads of orders and fills leave an order out for this long after acceptance.
    package var orderHiddenMs: Int64 = 0
    // Reads.
    /// Position reads of an account, counted from 0, that answer that the system is busy.
    package var busyReads: ClosedRange<Int>?
    /// Position reads of an account, counted from 0, that answer success without data.
    package var nullReads: ClosedRange<Int>?
    package var listsZeroPositions = false
    package var coinPositionIDsAreNumbers = false
    package var coinContractsNeedTimestamp = true
    /// Draws the forms of the close's lists anew for each call, from the seed.
    package var drawsReplyVariants = false

    package init() {}
}
