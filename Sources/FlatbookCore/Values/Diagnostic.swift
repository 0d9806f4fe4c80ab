/// One problem in something a person wrote, with where it is and what to do.
public struct Diagnostic: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Severity: String, Hashable, Sendable { case error, warning }

    public var severity: Severity
    /// Path as the user gave it.
    public var file: String?
    /// 1-based.
    public var line: Int?
    /// Path of keys in the file, e.g. `accounts[3].uid`.
    public var key: String?
    public var message: String
    /// What to do, one sentence; e.g. the nearest spelling.
    public var hint: String?

    public init(
        _ severity: Severity = .error, file: String? = nil, line: Int? = nil, key: String? = nil, _ message: String,
        hint: String? = nil
    ) {
        self.severity = severity
        self.file = file
        self.line = line
        self.key = key
        self.message = message
        self.hint = hint
    }

    /// `plans/eod.yaml:7: symbols[1]: matches no instrument. Did you mean "BTC/USDT:USDT"?`
    public var description: String {
        var place = file ?? ""
        if let line { place += ":\(line)" }
        let parts = [place, key ?? "", message].filter { !$0.isEmpty }
        let text = parts.joined(separator: ": ")
        guard let hint else { return text }
        return text + (text.last.map { ".!?".contains($0) } ?? true ? " " : ". ") + hint
    }
}
