import FlatbookCore
import FlatbookExecutor
import FlatbookReporter
import Foundation

/// Shows a run while it happens, on stderr: one updating line on a terminal, plain lines elsewhere, or JSON lines.
final class ProgressPrinter {
    enum Style { case terminal, plain, json, none }

    /// At most this often for the updating line, and for plain summaries.
    private static let lineEvery = TimeSpan.milliseconds(100)
    private static let plainEvery = TimeSpan.seconds(5)

    private let style: Style
    private let log: RunLog
    private var lastLine: Instant?
    private var hasLine = false
    private var last = RunProgress()

    init(_ options: CommonOptions) {
        log = RunLog(options)
        switch options.progressMode {
        case "plain": style = .plain
        case "json": style = .json
        case "none": style = .none
        default: style = isatty(2) == 1 ? .terminal : .plain
        }
    }

    func notice(_ notice: EngineNotice, now: Now) {
        log.notice(notice)
        switch style {
        case .none: if case .warning(let text) = notice { write(text) }
        case .json: if let line = ProgressJSON.line(notice, now: now) { Output.line(line) }
        case .terminal, .plain:
            guard let text = Self.plain(notice, isTerse: style == .terminal) else { return }
            clear()
            write(text)
        }
    }

    func step(_ engine: Engine, now: Now) {
        guard style == .terminal || style == .plain else { return }
        let every = style == .terminal ? Self.lineEvery : Self.plainEvery
        guard lastLine.map({ now.instant - $0 >= every }) ?? (style == .terminal) else {
            if lastLine == nil { lastLine = now.instant }
            return
        }
        let progress = engine.progress
        lastLine = now.instant
        guard progress != last else { return }
        last = progress
        let text = Self.line(progress)
        if style == .terminal {
            clear()
            StandardStreams.note(fitted(text))
            hasLine = true
        } else {
            write(text)
        }
    }

    func finish() { clear() }

    private func write(_ text: String) { Output.note(text) }

    private func clear() {
        guard hasLine else { return }
        StandardStreams.note("\r\u{1B}[2K")
        hasLine = false
    }

    /// A line longer than the terminal would wrap and could not be wiped.
    private func fitted(_ text: String) -> String {
        var size = winsize()
        let width = ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
        return String(text.prefix(max(10, width - 1)))
    }

    /// `12/24 flat · 9 closing · 0 failed · 1234567.8 USD open · 40 calls · bitget.close-positions · 12 s left`.
    static func line(_ progress: RunProgress) -> String {
        let open = (try? progress.openNotional.roundedDown(to: Amount("0.01"))) ?? progress.openNotional
        var parts = [
            "\(progress.flat)/\(progress.accounts) flat", "\(progress.closing) closing", "\(progress.failed) failed",
            "\(open) USD open", "\(progress.calls) calls",
        ]
        if let binding = progress.binding { parts.append("limit \(binding)") }
        if let left = progress.timeLeft { parts.append("~\(max(0, left.milliseconds / 1000)) s left") }
        return parts.joined(separator: " · ")
    }

    /// - Parameter isTerse: leaves out what the updating line shows anyway.
    static func plain(_ notice: EngineNotice, isTerse: Bool) -> String? {
        switch notice {
        case .runStarted(let run, let accounts): return "run \(run): \(accounts) accounts"
        case .snapshot(let account, let legs, let notional):
            return isTerse ? nil : "\(account): \(legs) open positions, \(notional) USD"
        case .callStarted: return nil
        case .callEnded(let result, let operation, let target):
            if isTerse, result.outcome.errorClass == .ok { return nil }
            let outcome = result.outcome
            let answer =
                outcome.errorClass == .ok
                ? "accepted" : "\(outcome.errorClass.rawValue) \(outcome.code) \(outcome.message)"
            return printable("\(result.account): \(operation) \(target): \(answer)")
        case .accountEnded(let verdict):
            let isFlat = verdict.state == .flat || verdict.state == .alreadyFlat
            if isTerse, isFlat { return nil }
            return "\(verdict.account): \(verdict.state.rawValue)"
                + (verdict.reason.map { " (\(printable($0)))" } ?? "")
        case .penalty(let penalty, let exchange):
            return "\(exchange): \(penalty.bucket.limit) is paused: \(printable(penalty.evidence))"
        case .warning(let text): return "warning: \(printable(text))"
        }
    }
}

/// `--progress json`: one object a line.
enum ProgressJSON {
    static func line(_ notice: EngineNotice, now: Now) -> String? {
        func make(_ type: String, _ members: [JSONValue.Member]) -> String {
            JSONValue.object([.init("type", .string(type)), .init("at", .string(now.wall.rfc3339))] + members)
                .serialized()
        }
        switch notice {
        case .runStarted(let run, let accounts):
            return make("run_start", [.init("run", .string(run)), .init("accounts", .number(String(accounts)))])
        case .snapshot(let account, let legs, let notional):
            return make(
                "snapshot",
                [
                    .init("account", .string(account)), .init("legs", .number(String(legs))),
                    .init("notional", .string(notional.description)),
                ])
        case .callStarted(let intent):
            return make(
                "call_start",
                [
                    .init("id", .string(intent.id)), .init("account", .string(intent.mutation.account)),
                    .init("operation", .string(intent.mutation.operation)),
                    .init("target", .string(intent.mutation.target)), .init("attempt", .number(String(intent.attempt))),
                ])
        case .callEnded(let result, let operation, let target):
            return make(
                "call_end",
                [
                    .init("id", .string(result.id)), .init("account", .string(result.account)),
                    .init("operation", .string(operation)), .init("target", .string(target)),
                    .init("effect", .string(result.outcome.effect.rawValue)),
                    .init("class", .string(result.outcome.errorClass.rawValue)),
                    .init("exchangeCode", .string(result.outcome.code)),
                ])
        case .accountEnded(let verdict): return accountEnded(verdict, make)
        case .penalty(let penalty, let exchange):
            return make(
                "penalty",
                [
                    .init("exchange", .string(exchange.rawValue)), .init("limit", .string(penalty.bucket.limit)),
                    .init("scope", .string(penalty.bucket.scope)),
                    .init("until", .string(now.wall(at: penalty.until).rfc3339)),
                    .init("evidence", .string(penalty.evidence)),
                ])
        case .warning(let text): return make("warning", [.init("message", .string(text))])
        }
    }

    /// One `leg_state` for each leg, or one for the account where it has none.
    private static func accountEnded(
        _ verdict: AccountVerdict, _ make: (String, [JSONValue.Member]) -> String
    ) -> String {
        guard !verdict.legs.isEmpty else {
            return make(
                "leg_state",
                [
                    .init("account", .string(verdict.account)), .init("symbol", .null), .init("side", .null),
                    .init("state", .string(verdict.state.rawValue)),
                    .init("reason", verdict.reason.map { .string($0) } ?? .null),
                ])
        }
        return verdict.legs.map { leg in
            make(
                "leg_state",
                [
                    .init("account", .string(verdict.account)), .init("symbol", .string(leg.key.instrument)),
                    .init("side", .string(leg.key.side.rawValue)), .init("state", .string(leg.state.rawValue)),
                    .init("reason", leg.reason.map { .string($0) } ?? .null),
                ])
        }.joined(separator: "\n")
    }

    static func runEnd(status: String, exitCode: Int, now: Now) -> String {
        JSONValue.object([
            .init("type", .string("run_end")), .init("at", .string(now.wall.rfc3339)),
            .init("status", .string(status)), .init("exitCode", .number(String(exitCode))),
        ]).serialized()
    }
}
