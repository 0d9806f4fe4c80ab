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
                note(
                    key, row.errorClass, code: row.code, message: row.message, action: outcome.action,
                    at: result.answeredAt)
            } else {
                switch outcome.effect {
                case .executed, .partial:
                    legs[key]?.rounds += 1
                    legs[key]?.executedByUs = true
                    // A failed row without a symbol may be any of the legs: remember it as the last "no".
                    if let nameless = outcome.rows.first(where: { $0.errorClass != .ok && $0.instrument == nil }) {
                        legs[key]?.failure = ErrorNote(
                            errorClass: nameless.errorClass.rawValue, exchangeCode: nameless.code,
                            message: nameless.message, action: outcome.action ?? "")
                    }
                case .none, .unknown:
                    note(
                        key, outcome.errorClass, code: outcome.code, message: outcome.message, action: outcome.action,
                        at: result.answeredAt)
                }
            }
        }
    }

    /// Records a "no": which class waits, which gives up.
    private mutating func note(
        _ key: LegKey, _ errorClass: ErrorClass, code: String, message: String, action: String?, at answered: Instant
    ) {
        guard var leg = legs[key] else { return }
        let failure = ErrorNote(
            errorClass: errorClass.rawValue, exchangeCode: code, message: message, action: action ?? "")
        switch errorClass {
        case .ok, .alreadyFlat: leg.rounds += 1
        case .retry, .rateLimited, .market, .clockSkew, .notFound:
            leg.failure = failure
            leg.softFailures += 1
            leg.blockedUntil = answered + Self.backOff(leg.softFailures)
        case .adapt, .conflict, .unknown, .duplicateId:
            leg.failure = failure
            leg.rounds += 1
        case .fatalCall, .fatalAccount, .fatalVenue:
            leg.failure = failure
            leg.refusal = "\(code) \(message)"
        }
        legs[key] = leg
    }

    /// 1, 2, 4 … at most 30 s: how long "not now" is respected (`bitget.md` §6: ADL 2–10 s, maintenance minutes).
    static func backOff(_ failures: Int) -> TimeSpan {
        .seconds(min(30, 1 << min(5, max(0, failures - 1))))
    }
}
