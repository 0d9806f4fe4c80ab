/// What one answer to a close means for the legs it covers.
extension AccountState {
    mutating func apply(_ result: CallResult, of close: CloseCall, call: CallRecord) {
        let outcome = result.outcome
        if case .unknown = call.stage {
            // Lost: counted as a round, and settled by reading.
            for key in close.legs { legs[key]?.rounds += 1 }
            return
        }
        unresolved.removeAll { $0 == result.id }
        lastDefiniteAt = max(lastDefiniteAt ?? result.answeredAt, result.answeredAt)
        for key in close.legs {
            let row = outcome.rows.first {
                $0.errorClass != .ok && ($0.instrument?.uppercased() == key.instrument.uppercased())
            }
            if let row {
                let named = close.legs.count { $0.instrument == key.instrument }
                note(key, Refusal(row, of: outcome, isExact: named == 1), close, at: result.answeredAt)
            } else {
                switch outcome.effect {
                case .executed, .partial:
                    legs[key]?.rounds += 1
                    legs[key]?.executedByUs = true
                    // A failed row without a symbol may be any of the legs: remember it as the last "no".
                    if let nameless = outcome.rows.first(where: { $0.errorClass != .ok && $0.instrument == nil }) {
                        let refusal = Refusal(nameless, of: outcome, isExact: close.legs.count == 1)
                        legs[key]?.failure = refusal.note
                        legs[key]?.obstacle = refusal.obstacle
                        adaptSize(key, refusal, close)
                    }
                case .none, .unknown:
                    note(
                        key, Refusal(outcome, isExact: close.legs.count == 1), close, at: result.answeredAt)
                }
            }
        }
    }

    /// A "no", of the whole call or of one row.
    private struct Refusal {
        var errorClass: ErrorClass
        var code: String
        var message: String
        var action: String?
        var obstacle: Obstacle?
        /// It can be about one leg of the call only.
        var isExact: Bool

        init(_ row: Outcome.Row, of outcome: Outcome, isExact: Bool) {
            errorClass = row.errorClass
            code = row.code
            message = row.message
            action = row.action ?? outcome.action
            obstacle = row.obstacle
            self.isExact = isExact
        }

        init(_ outcome: Outcome, isExact: Bool) {
            errorClass = outcome.errorClass
            code = outcome.code
            message = outcome.message
            action = outcome.action
            obstacle = outcome.obstacle
            self.isExact = isExact
        }

        var note: ErrorNote {
            ErrorNote(errorClass: errorClass.rawValue, exchangeCode: code, message: message, action: action ?? "")
        }
    }

    /// Records a "no": which class waits, which gives up.
    private mutating func note(_ key: LegKey, _ refusal: Refusal, _ close: CloseCall, at answered: Instant) {
        guard var leg = legs[key] else { return }
        switch refusal.errorClass {
        case .ok, .alreadyFlat: leg.rounds += 1
        case .retry, .rateLimited, .market, .clockSkew, .notFound:
            leg.failure = refusal.note
            leg.obstacle = refusal.obstacle
            leg.softFailures += 1
            leg.blockedUntil = answered + Self.backOff(leg.softFailures)
        case .adapt, .conflict, .unknown, .duplicateId:
            leg.failure = refusal.note
            leg.obstacle = refusal.obstacle
            legs[key] = leg
            if !adaptSize(key, refusal, close) { legs[key]?.rounds += 1 }
            return
        case .fatalCall, .fatalAccount, .fatalVenue:
            leg.failure = refusal.note
            leg.obstacle = refusal.obstacle
            let words = "\(refusal.code) \(refusal.message)"
            leg.refusal = LegState.reason(refusal.obstacle, words)
        }
        legs[key] = leg
    }

    /// A wrong size changes how the leg goes next. False where it does not.
    @discardableResult
    private mutating func adaptSize(_ key: LegKey, _ refusal: Refusal, _ close: CloseCall) -> Bool {
        guard var leg = legs[key] else { return false }
        let wasInParts = leg.sizing.isInParts
        let isNew = leg.sizing.adapt(
            to: refusal.obstacle, of: close, open: leg.current?.quantity, isExact: refusal.isExact)
        if refusal.isExact, refusal.obstacle == .tooSmall, close.method.isSized, !wasInParts {
            // Only an order can keep to the selected side here; a close of the whole position could not.
            leg.refusal = LegState.reason(.tooSmall, "\(refusal.code) \(refusal.message)")
        }
        legs[key] = leg
        return isNew
    }

    /// 1, 2, 4 … at most 30 s: how long "not now" is respected (`bitget.md` §6: ADL 2–10 s, maintenance minutes).
    static func backOff(_ failures: Int) -> TimeSpan {
        .seconds(min(30, 1 << min(5, max(0, failures - 1))))
    }
}
