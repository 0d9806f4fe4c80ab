/// The invariants of `reliability.md` §1.9, by name. A broken one stops dispatch and ends the run with exit code 1.
public enum Invariant: String, Hashable, Sendable, CaseIterable {
    /// Every mutation has a durable intent before its first byte leaves.
    case i1IntentBeforeSend = "I1"
    /// At most one unresolved mutation per leg, but for the one early repeat of a whole-position native close.
    case i2OneUnresolved = "I2"
    /// Attempt k+1 only after attempt k is settled, or under the early repeat.
    case i3NextAfterSettled = "I3"
    /// No leg grows or flips because of us.
    case i4NeverGrows = "I4"
    /// No call that could open a position.
    case i5NoOpeningCall = "I5"
    /// Arrivals never exceed a limit in any window.
    case i6WithinLimits = "I6"
    /// Flat needs two qualifying reads in the journal.
    case i7FlatIsProven = "I7"
    /// No false flat.
    case i8NoFalseFlat = "I8"
    /// Every listed account has exactly one verdict.
    case i9OneVerdict = "I9"
    /// A crash never makes the verdicts less conservative.
    case i10CrashConservative = "I10"
    /// No intent of a fenced epoch is accepted.
    case i11OneEpoch = "I11"
    /// The journal is dense and its chain verifies.
    case i12ChainVerifies = "I12"
    /// No secret in any output.
    case i13NoSecret = "I13"
    /// No request outside the plugin's declared routes.
    case i14DeclaredRoutes = "I14"
    /// Nothing is sent into a closed scope.
    case i15PenaltyRespected = "I15"
    /// A dry run cannot change anything.
    case i16DryRunReads = "I16"
    /// Exact decimals, ids as strings.
    case i17ExactMoney = "I17"
    /// A healthy exchange means the run ends.
    case i18Progress = "I18"
    /// Net delta stays within its cap.
    case i19HedgeOrder = "I19"
    /// Wall-clock steps change displayed times only.
    case i20MonotonicTime = "I20"
    /// Same seed, same journal.
    case i21Deterministic = "I21"
    /// A stop waits for what is in flight.
    case i22StopDrains = "I22"
    /// A lowered budget holds from the next dispatch on.
    case i23BudgetCut = "I23"
    /// Reads never starve closes.
    case i24ClosesFirst = "I24"
}

/// A broken promise: the run stops at once, whatever the build.
public struct InvariantViolation: Error, Hashable, Sendable, CustomStringConvertible {
    public var invariant: Invariant
    public var detail: String

    public init(_ invariant: Invariant, _ detail: String) {
        self.invariant = invariant
        self.detail = detail
    }

    public var description: String { "invariant \(invariant.rawValue) (\(invariant)) is broken: \(detail)" }
}
