/// What every plugin must pass: numbered cases, each a list of problems that is empty where the plugin passed.
///
/// A new exchange describes itself once (``ExchangeUnderTest``) and runs all of them. Cases 1 to 9 need no simulator.
public enum PluginContract {
    /// One numbered case. The numbers are stable: documentation and commit messages name them.
    public enum Case: Int, CaseIterable, Hashable, Sendable, CustomStringConvertible {
        case profileIsSane = 1
        case sameCallSameBytes = 2
        case everySignedPartMatters = 3
        case noSecretLeaks = 4
        case oneReadingEach = 5
        case hostileBodiesProveNothing = 6
        case statusAndCodeAreClassified = 7
        case symbolsRoundTrip = 8
        case requestsNameTheirReach = 9
        case readCloseReadFlat = 10
        case oneSideOnly = 11
        case pagesEnd = 12
        case publishedLimitHolds = 13
        case lostReplyIsNeverSentTwice = 14
        case alreadyFlatIsSaid = 15
        case partialFailureIsSeen = 16
        case wrongKeyStopsItsAccountOnly = 17
        case closesWithoutTheRightToCancel = 18
        case failedReadIsNotFlat = 19

        public var title: String {
            switch self {
            case .profileIsSane: "the profile is sane, and every limit has a source and a date"
            case .sameCallSameBytes: "the same call gives the same bytes, on a declared route"
            case .everySignedPartMatters: "signature vectors hold, and each signed part matters"
            case .noSecretLeaks: "no secret stands outside headers and signed fields"
            case .oneReadingEach: "each recorded reply has one reading"
            case .hostileBodiesProveNothing: "hostile bodies are never accepted and never trap"
            case .statusAndCodeAreClassified: "status and code are classified"
            case .symbolsRoundTrip: "symbols go from native to canonical and back"
            case .requestsNameTheirReach: "a close names exactly its reach, in hedge and one-way mode"
            case .readCloseReadFlat: "read, close, read flat, in hedge and one-way mode"
            case .oneSideOnly: "one side only when one side was asked, also when the position flips meanwhile"
            case .pagesEnd: "pagination ends and shows everything once"
            case .publishedLimitHolds: "no rejection at the published limit, and one beyond it"
            case .lostReplyIsNeverSentTwice: "a lost reply is unknown, then read, then closed within its reach"
            case .alreadyFlatIsSaid: "a close of nothing says so and changes nothing"
            case .partialFailureIsSeen: "what a close left open is seen as open"
            case .wrongKeyStopsItsAccountOnly: "a wrong key stops its own account only"
            case .closesWithoutTheRightToCancel: "a missing right to cancel does not stop the close"
            case .failedReadIsNotFlat: "a failed read is not flat"
            }
        }

        /// Whether the case needs ``ExchangeUnderTest/stage``.
        public var needsStage: Bool { rawValue >= Case.readCloseReadFlat.rawValue }

        public var description: String { "case \(rawValue): \(title)" }
    }

    /// Runs one case; an empty list means that the exchange passed it.
    ///
    /// - Parameter stage: replaces the exchange's own, e.g. to run a case over HTTP.
    public static func problems(
        _ number: Case, of exchange: ExchangeUnderTest, on stage: (any ContractStage)? = nil
    ) async -> [String] {
        switch number {
        case .profileIsSane: return profile(exchange)
        case .sameCallSameBytes: return bytes(exchange)
        case .everySignedPartMatters: return signature(exchange)
        case .noSecretLeaks: return secrets(exchange)
        case .oneReadingEach: return readings(exchange)
        case .hostileBodiesProveNothing: return hostile(exchange)
        case .statusAndCodeAreClassified: return classification(exchange)
        case .symbolsRoundTrip: return symbols(exchange)
        case .requestsNameTheirReach: return reach(exchange)
        default:
            guard let stage = stage ?? exchange.stage else { return ["there is no simulator to run this case on"] }
            return await Drill(exchange: exchange, stage: stage).problems(number)
        }
    }
}

/// Collects what is wrong, at most so much that a person still reads it.
struct Problems {
    private(set) var all: [String] = []
    private var dropped = 0

    mutating func expect(_ condition: Bool, _ text: @autoclosure () -> String) {
        if !condition { add(text()) }
    }

    mutating func add(_ text: String) {
        if all.count < 40 { all.append(text) } else { dropped += 1 }
    }

    var list: [String] { dropped == 0 ? all : all + ["and \(dropped) more"] }
}
