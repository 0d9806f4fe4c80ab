/// What a flash close does with the part of a leg that resting close orders hold. The sheet leaves it open.
package enum LockedBehaviour: Hashable, Sendable { case closesAvailable, cancelsClosers, refuses }

/// What a flash close says of a leg whose close was accepted and has not filled yet.
package enum ClosingBehaviour: Hashable, Sendable { case noPosition, duplicateRow, closingRow }

/// A failure that the exchange gives for one symbol.
package struct SymbolFailure: Hashable, Sendable {
    package enum Form: Hashable, Sendable {
        /// A row of `failureList` under a success envelope.
        case row
        /// The whole call fails.
        case call
        /// Neither closed nor named.
        case omitted
    }
    package var form: Form
    package var code: String
    /// How often; further closes succeed. nil: always.
    package var times: Int?
    package init(_ form: Form, code: String = "40931", times: Int? = nil) {
        self.form = form
        self.code = code
        self.times = times
    }
}

/// The behaviours that the sheet marks as variants or unverified: the client must live with each.
package struct BitgetSwitches: Sendable {
    package var requestTimeAsText = false
    package var rowsWithSymbol = true
    package var resultFalse = false
    package var nullLists = false
    package var chineseMessages = false
    /// HTTP status of a business error: 400 as seen live, 200 as one page claims.
    package var businessErrorStatus = 400
    /// A flash close without positions: `22002`, or success with empty lists.
    package var flatCloseIsEmpty = false
    /// Draws the five reply variants above anew for each call, from the seed.
    package var drawsReplyVariants = false
    package var locked: LockedBehaviour = .cancelsClosers
    package var closing: ClosingBehaviour = .noPosition
    package var wrongPassphraseCode = "40012"
    package var duplicateClientOidCode = "43118"
    package var attachedTriggersRemain = false
    /// Order detail answers `40109` for this long after acceptance.
    package var detailHiddenMs: Int64 = 0
    /// Lists of fills leave an order's out for this long after acceptance.
    package var fillsHiddenMs: Int64 = 0
    package var fillsInTwoSteps = false
    package var listsZeroPositions = false
    package var ipLockIsHTML = false
    package var window: WindowKind = .sliding
    package var refusedRequestsCount = false
    /// Off: violations are recorded and the request is served.
    package var enforcesLimits = true
    /// By symbol.
    package var failures: [String: SymbolFailure] = [:]
    package var copy = BitgetCopySwitches()
    package var unified = BitgetUnifiedSwitches()

    package init() {}
}

/// Everything that decides what a simulation does. The same value and the same requests give the same bytes.
package struct SimulationConfiguration: Sendable {
    package var seed: UInt64
    /// Multiplies every capacity: 10 is ten times looser, 0.5 half; never below one request.
    package var limitsScale: Double
    package var accounts: [SimulatedAccount]
    package var instruments: [SimulatedInstrument]
    package var faults: FaultPlan
    package var switches: BitgetSwitches
    package var okx: OKXSwitches
    package var bingx: BingXSwitches
    /// From acceptance to fill, in milliseconds; drawn per order.
    package var fillDelayMs: ClosedRange<Int64>
    /// By how much closes fill worse than the mark, in hundredths of a percent; twice that in a second step.
    package var closeSlippageBps = 0
    /// Position reads show the state of this long ago, in milliseconds.
    package var readLagMs: Int64
    /// Added to the time that the caller gives: what the exchange takes as now, in milliseconds.
    package var clockOffsetMs: Int64
    /// Microseconds a second that the exchange's clock gains.
    package var clockDriftPPM: Int64
    /// How long an address stays locked after the limit of its own, in milliseconds.
    package var addressLockMs: Int64

    package init(
        seed: UInt64, accounts: [SimulatedAccount], instruments: [SimulatedInstrument] = SimulatedInstrument.everything,
        limitsScale: Double = 1, faults: FaultPlan = FaultPlan(), switches: BitgetSwitches = BitgetSwitches(),
        okx: OKXSwitches = OKXSwitches(), bingx: BingXSwitches = BingXSwitches(),
        fillDelayMs: ClosedRange<Int64> = 20...120, readLagMs: Int64 = 0, clockOffsetMs: Int64 = 0,
        clockDriftPPM: Int64 = 0, addressLockMs: Int64 = 300_000
    ) {
        self.seed = seed
        self.accounts = accounts
        self.instruments = instruments
        self.limitsScale = limitsScale
        self.faults = faults
        self.switches = switches
        self.okx = okx
        self.bingx = bingx
        self.fillDelayMs = fillDelayMs
        self.readLagMs = readLagMs
        self.clockOffsetMs = clockOffsetMs
        self.clockDriftPPM = clockDriftPPM
        self.addressLockMs = addressLockMs
    }
}
