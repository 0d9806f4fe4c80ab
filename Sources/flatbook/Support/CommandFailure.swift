import FlatbookCore
import FlatbookReporter
import Foundation

/// Why a command did not do its work: what, where and what to do, on one screen.
struct CommandFailure: Error {
    var exitCode: Int32
    var message: String
    var diagnostics: [Diagnostic]

    init(_ exitCode: Int32, _ message: String, _ diagnostics: [Diagnostic] = []) {
        self.exitCode = exitCode
        self.message = message
        self.diagnostics = diagnostics
    }

    /// Problems of accounts or plan files: exit 78, nothing sent.
    static func invalid(_ diagnostics: [Diagnostic]) -> CommandFailure {
        let errors = diagnostics.filter { $0.severity == .error }
        return CommandFailure(
            78, errors.count == 1 ? "1 problem; nothing was sent" : "\(errors.count) problems; nothing was sent", errors
        )
    }
}

/// Results go to stdout, everything else to stderr; with `--format json` stdout is one JSON document even on failure.
struct Output {
    /// As many diagnostics as fit a screen.
    static let mostDiagnostics = 30

    var wantsJSON: Bool

    func result(_ text: String) {
        let code = StandardStreams.result(text.utf8.last == UInt8(ascii: "\n") ? text : text + "\n")
        if code != 0 { Self.note("the result could not be written to stdout: \(String(cString: strerror(code)))") }
    }

    /// Lines for people. Parts of them may come from files of other processes, so nothing in them steers the terminal.
    static func note(_ text: String) {
        line(
            text.split(separator: "\n", omittingEmptySubsequences: false).map { printable(String($0)) }.joined(
                separator: "\n"))
    }

    /// A line that is safe as it stands, e.g. JSON.
    static func line(_ text: String) {
        StandardStreams.note(text + "\n")
    }

    func fail(_ failure: CommandFailure) {
        for diagnostic in failure.diagnostics.prefix(Self.mostDiagnostics) {
            Self.note("\(diagnostic.severity.rawValue): \(diagnostic)")
        }
        if failure.diagnostics.count > Self.mostDiagnostics {
            Self.note("… and \(failure.diagnostics.count - Self.mostDiagnostics) more")
        }
        Self.note("flatbook: \(failure.message)")
        guard wantsJSON else { return }
        let problems = failure.diagnostics.map { diagnostic in
            JSONValue.object([
                .init("severity", .string(diagnostic.severity.rawValue)),
                .init("file", diagnostic.file.map { .string($0) } ?? .null),
                .init("line", diagnostic.line.map { .number(String($0)) } ?? .null),
                .init("key", diagnostic.key.map { .string($0) } ?? .null),
                .init("message", .string(diagnostic.message)),
                .init("hint", diagnostic.hint.map { .string($0) } ?? .null),
            ])
        }
        let document = JSONValue.object([
            .init(
                "error",
                .object([
                    .init("exitCode", .number(String(failure.exitCode))), .init("message", .string(failure.message)),
                    .init("diagnostics", .array(problems)),
                ]))
        ])
        result(document.serialized(pretty: true))
    }
}
