import FlatbookCore
import FlatbookExecutor
import FlatbookReporter
import Logging

/// What `--log-level` shows on stderr beside the progress: decisions at `info`, calls at `debug`. Never a credential: the
/// engine holds none.
struct RunLog {
    private let logger: Logger

    init(_ options: CommonOptions) {
        var logger = Logger(label: "flatbook") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = Logger.Level(rawValue: options.level) ?? .warning
        self.logger = logger
    }

    func notice(_ notice: EngineNotice) {
        switch notice {
        case .runStarted(let run, let accounts): logger.info("run \(run), \(accounts) accounts")
        case .snapshot(let account, let legs, let notional):
            logger.info("snapshot of \(account): \(legs) legs, \(notional.description) USD")
        case .callStarted(let intent):
            logger.debug(
                "call \(intent.id) attempt \(intent.attempt): \(intent.mutation.operation) \(printable(intent.mutation.target)) \(intent.requestDigest)"
            )
        case .callEnded(let result, _, _):
            logger.debug(
                "call \(result.id): \(result.outcome.effect.rawValue) \(result.outcome.errorClass.rawValue) \(printable(result.outcome.code))"
            )
        case .accountEnded(let verdict): logger.info("account \(verdict.account): \(verdict.state.rawValue)")
        case .penalty(let penalty, _):
            logger.warning("\(penalty.bucket.limit) is paused: \(printable(penalty.evidence))")
        case .warning(let text): logger.notice("\(printable(text))")
        }
    }
}
