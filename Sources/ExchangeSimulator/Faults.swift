/// What can go wrong with one request.
package enum FaultKind: String, CaseIterable, Hashable, Sendable {
    // Before execution.
    case tooMany, serverError, edgeBlock, cutBefore, hangBefore, slow, releaseWindow
    // After execution.
    case cutAfter, hangAfter, gatewayAfter, systemErrorAfter, truncateAfter, wrongLengthAfter
    // The client sees a cut connection; the exchange executes it seconds later.
    case lateExecution
    // Reads only: success without the rows, or not JSON.
    case failedRead

    /// Whether the fault fits a call of this kind.
    func fits(mutation: Bool) -> Bool {
        switch self {
        case .failedRead: !mutation
        case .systemErrorAfter, .lateExecution: mutation
        default: true
        }
    }
}

/// The named campaigns of `flatbook simulate --faults`.
package enum FaultProfile: String, CaseIterable, Sendable {
    case none, light, heavy, blackout, stale, failedread, partial, penalty, reopen, skew, keys
}

/// Faults as data: rates in a thousand, drawn from the seed per account, route and count of the call.
package struct FaultPlan: Sendable {
    package var perMille: [FaultKind: Int] = [:]
    /// Nothing answers in these spans, in milliseconds since the first request.
    package var blackouts: [ClosedRange<Int64>] = []
    /// Position reads lag by one of these, in milliseconds; drawn per account.
    package var readLagMs: ClosedRange<Int64>?
    /// Position reads of an account show nothing at all for so long, once, 1.2 to 15 s after the clock's origin; the
    /// length is drawn per account.
    package var emptyCacheMs: ClosedRange<Int64>?
    /// Legs that come back in `failureList`, and legs that come back nowhere.
    package var legFailurePerMille = 0
    package var legOmittedPerMille = 0
    /// A leg fails at most this often.
    package var maxFailuresPerLeg = 2
    /// After a close to zero: an opener fires, or a bot opens the symbol again.
    package var reopenPerMille = 0
    package var maxReopensPerAccount = 3
    /// A position moves, flips or vanishes just before a close.
    package var shiftPerMille = 0
    /// A penalty box of one account: 429 for all its calls.
    package var penaltyPerMille = 0
    package var penaltyMs: ClosedRange<Int64> = 2_000...8_000
    /// One lock of the whole address, in milliseconds since the first request.
    package var addressLock: ClosedRange<Int64>?
    package var clockOffsetMs: Int64 = 0
    package var clockDriftPPM: Int64 = 0
    /// Accounts whose key does not work.
    package var brokenKeyPerMille = 0
    /// No per-request fault after this, in milliseconds since the first request; nil: never ends.
    package var quietAfterMs: Int64?

    package init() {}

    /// A named campaign. `light` and `heavy` enable a subset that the seed chooses (swarm testing), so that rare
    /// combinations are met and each single fault is also seen without the others.
    package static func named(_ profile: FaultProfile, seed: UInt64) -> FaultPlan {
        var plan = FaultPlan()
        var random = SplitMix64(seed, "profile", profile.rawValue)
        switch profile {
        case .none: break
        case .light: plan.enableSubset(&random, rates: 2...12)
        case .heavy:
            plan.enableSubset(&random, rates: 15...60)
            if random.chance(perMille: 500) { plan.readLagMs = 100...1_500 }
            if random.chance(perMille: 500) {
                plan.legFailurePerMille = 80
                plan.legOmittedPerMille = 40
            }
            if random.chance(perMille: 400) { plan.reopenPerMille = 60 }
            if random.chance(perMille: 400) { plan.shiftPerMille = 60 }
            if random.chance(perMille: 300) { plan.penaltyPerMille = 4 }
            if random.chance(perMille: 300) { plan.clockOffsetMs = random.inside(-25_000...25_000) }
        case .blackout:
            let start = random.inside(300...2_500)
            plan.blackouts = [start...(start + random.inside(3_000...9_000))]
        case .stale: plan.readLagMs = 400...3_000
        case .failedread: plan.perMille[.failedRead] = 150
        case .partial:
            plan.legFailurePerMille = 250
            plan.legOmittedPerMille = 120
        case .penalty:
            plan.penaltyPerMille = 25
            plan.perMille[.tooMany] = 30
            let start = random.inside(1_000...3_000)
            plan.addressLock = start...(start + 15_000)
        case .reopen:
            plan.reopenPerMille = 350
            plan.shiftPerMille = 150
        case .skew:
            plan.clockOffsetMs = (random.chance(perMille: 500) ? 1 : -1) * random.inside(35_000...90_000)
            plan.clockDriftPPM = random.inside(-200...200)
        case .keys: plan.brokenKeyPerMille = 250
        }
        return plan
    }

    private mutating func enableSubset(_ random: inout SplitMix64, rates: ClosedRange<Int64>) {
        for kind in FaultKind.allCases where random.chance(perMille: 500) {
            perMille[kind] = Int(random.inside(rates))
        }
    }

    /// The fault of one request, if any: the first that its own draw hits.
    func fault(mutation: Bool, elapsedMs: Int64, random: inout SplitMix64) -> FaultKind? {
        if blackouts.contains(where: { $0.contains(elapsedMs) }) { return .cutBefore }
        if let quietAfterMs, elapsedMs >= quietAfterMs { return nil }
        for kind in FaultKind.allCases {
            guard let rate = perMille[kind], kind.fits(mutation: mutation) else { continue }
            if random.chance(perMille: rate) { return kind }
        }
        return nil
    }

    /// The codes that a failed leg may carry, each with a market reason (sheet §9 #21).
    static let legCodes = ["22041", "22044", "40931", "40888", "43118", "40844", "22045"]
}

/// A key that the exchange does not accept, and why.
package enum KeyDefect: String, CaseIterable, Sendable {
    case unknownKey, wrongSecret, wrongPassphrase, missingPermission, boundElsewhere, otherEnvironment, unified

    func apply(to account: inout SimulatedAccount) {
        switch self {
        case .unknownKey: account.key += "-revoked"
        case .wrongSecret: account.secret += "-rotated"
        case .wrongPassphrase:
            // BingX has no passphrase.
            if account.venue == .bingx { account.bingx.isFrozen = true } else { account.passphrase += "x" }
        case .missingPermission:
            account.authorities.removeAll { ["cpow", "coow", "ttow"].contains($0) }
            account.okx.permissions.remove("trade")
            account.bingx.permissions.remove(3)
        case .boundElsewhere: account.boundAddresses = ["203.0.113.7"]
        case .otherEnvironment:
            // The keys of BingX are valid in both.
            if account.venue == .bingx {
                account.secret += "-rotated"
            } else {
                account.environment = account.environment == .live ? .demo : .live
            }
        case .unified:
            // Copies are of the classic kind only: they could not be reached any more.
            if account.venue == .bitget, !account.isFollower, !account.isUnified {
                account.isUnified = true
            } else {
                account.secret += "-rotated"
            }
        }
    }
}
