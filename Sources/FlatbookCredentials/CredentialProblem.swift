/// Why an account's credentials cannot be used. Names places and modes, never content of any source.
package struct CredentialProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The credential field, e.g. `secret`.
    package var field: String
    package var message: String
    /// What to do, one sentence.
    package var hint: String?

    package init(field: String, _ message: String, hint: String? = nil) {
        self.field = field
        self.message = message
        self.hint = hint
    }

    /// `secret: the file keys.json has mode 0644. Run: chmod 600 keys.json`
    package var description: String { "\(field): \(message)" + (hint.map { ". \($0)" } ?? "") }
}

/// A problem of a source, before it is known which fields it strikes.
struct SourceFault: Error, Hashable, Sendable {
    var message: String
    var hint: String?

    init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }
}
