/// What only accounts of this exchange have.
package struct OKXTraits: Sendable {
    /// `read_only`, `trade`, `withdraw`.
    package var permissions: Set<String> = ["read_only", "trade"]
    /// `1` spot, `2` futures, `3` multi-currency, `4` portfolio margin.
    package var accountLevel = "2"
    /// The key belongs to another of the exchange's sites: all of them stand behind one address here.
    package var isOtherSite = false
    package var isFrozen = false
    /// The main account of the fleet: may read the others' balances.
    package var isMaster = false
    /// Every trading call fails with this code, e.g. `50007`; empty: none does.
    package var blockedCode = ""
    /// `cancel_maker`, `cancel_taker` or `cancel_both`.
    package var selfTradeMode = "cancel_maker"
    package init() {}
}

/// How the exchange says that there were too many calls (sheet §4.3).
package enum OKXThrottleForm: Hashable, Sendable, CaseIterable { case status429, numericCode, status200 }

/// What an error carries in `data` (sheet §3.5: it varies).
package enum OKXErrorData: Hashable, Sendable, CaseIterable { case emptyList, absent, emptyObject }

/// What becomes of the part of a market close that did not fill at once (sheet §7.3).
package enum OKXRemainder: Hashable, Sendable, CaseIterable { case rests, cancelled }

/// What trigger orders that would close mean to a close of the position (sheet §7.2: unverified).
package enum OKXAlgoRule: Hashable, Sendable, CaseIterable { case untouched, blocks, cancelled }

/// When a read of one instrument shows a row of size zero (sheet §3.3).
package enum OKXZeroRows: Hashable, Sendable, CaseIterable { case always, afterClose, never }

/// The behaviours that the sheet marks as variants or unverified.
package struct OKXSwitches: Sendable {
    package var throttle: OKXThrottleForm = .status429
    package var errorData: OKXErrorData = .emptyList
    /// Draws the two above anew for each call, from the seed.
    package var drawsReplyVariants = false
    package var unknownKeyStatus = 401
    package var window: WindowKind = .sliding
    package var refusedRequestsCount = false
    /// Off: violations are recorded and the request is served.
    package var enforcesLimits = true
    /// Closes count towards the orders that an account may send.
    package var closesCountAsOrders = false
    package var optionsClose = false
    package var runningCode = "51032"
    package var overSizeCode = "51108"
    package var duplicateCode = "51016"
    package var missingPosSideCode = "51000"
    package var isolatedGoneCode = "51023"
    /// nil: `51111` for orders, `51406` for trigger orders.
    package var tooManyItemsCode: String?
    /// Instruments of which the first close fills half.
    package var partialSymbols: Set<String> = []
    package var remainder: OKXRemainder = .rests
    /// As seen in demo: cross margin closes are acknowledged and do nothing (sheet §7.10).
    package var marginClosesDoNothing = false
    package var algos: OKXAlgoRule = .untouched
    /// Trigger orders stay when their position is gone.
    package var algosOutliveTheirPosition = false
    /// Types that may be asked for; others are refused with `51000`.
    package var algoTypes: Set<String> = [
        "conditional", "oco", "trigger", "move_order_stop", "chase", "iceberg", "twap", "smart_iceberg",
    ]
    /// Order reads answer `51603` for this long after acceptance.
    package var orderHiddenMs: Int64 = 0
    /// Off: the id of a close is never found on its order.
    package var attachesClientIDs = true
    /// Errors of a close come as `sCode` in an item under code `1`.
    package var closeErrorsAsItems = false
    package var zeroRows: OKXZeroRows = .always
    /// Trading calls answer `50001`, and the status says why.
    package var isUnderMaintenance = false
    /// By instrument: `row` in an item, `call` at the top, `omitted` acknowledged and never done.
    package var failures: [String: SymbolFailure] = [:]

    package init() {}
}

/// What the exchange remembers of a client's order besides the order.
struct OKXOrderNote: Sendable {
    var tag: String
    var tradeMode: String
    var orderType: String
    /// As asked; the simulated order may be of a part.
    var full: Fixed
    var reduceOnly: Bool
    var openPrice: Fixed
    var positionID: String
    var isClosePosition: Bool
    var cancelSource = ""
}

/// What the gateway of this exchange remembers of an account.
struct OKXMemory: Sendable {
    /// By order id.
    var notes: [String: OKXOrderNote] = [:]
    var cancelled: [(order: RestingOrder, atNs: Int64)] = []
    /// By tag; empty: the whole account. When the timer fires, in monotonic nanoseconds.
    var timers: [String: Int64] = [:]
}
