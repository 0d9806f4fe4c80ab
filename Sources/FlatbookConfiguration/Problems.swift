import FlatbookCore

/// Collects what is wrong in the files of one answer. What stands in `defaults` is read once for every account and
/// reported once.
final class Problems {
    /// Nobody mends more in one go, and a file can hold a million.
    private static let most = 500

    private(set) var all: [Diagnostic] = []
    var isFull: Bool { all.count >= Self.most }
    /// Counts repetitions too: every account that a fault in `defaults` spoils is spoilt.
    private(set) var reported = 0
    private var seen: Set<Diagnostic> = []

    func add(_ file: String?, _ line: Int?, _ key: String?, _ message: String, hint: String? = nil) {
        let diagnostic = Diagnostic(file: file, line: line, key: key, message, hint: hint)
        reported += 1
        guard !isFull else { return }
        if seen.insert(diagnostic).inserted { all.append(diagnostic) }
    }

    /// By file as it was read, then by line: the order in which a person mends them.
    func sorted(files: [String]) -> [Diagnostic] {
        let order = Dictionary(files.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        return all.enumerated().sorted { a, b in
            let (x, y) = (a.element, b.element)
            let (fileA, fileB) = (order[x.file ?? ""] ?? -1, order[y.file ?? ""] ?? -1)
            return (fileA, x.line ?? 0, a.offset) < (fileB, y.line ?? 0, b.offset)
        }.map(\.element)
    }
}

/// Text of a file as a message may show it: in quotes, bounded, without control characters.
func shown(_ text: String) -> String {
    let clean = text.unicodeScalars.prefix(61).map { scalar in
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: "?"
        default: String(scalar)
        }
    }
    return "\"" + clean.prefix(60).joined() + (clean.count > 60 ? "…" : "") + "\""
}

/// A key of a file as a message may show it.
func shownKey(_ key: String) -> String { String(shown(key).dropFirst().dropLast()) }

func didYouMean(_ word: String, in candidates: [String]) -> String? {
    nearest(word, in: candidates).map { "Did you mean \"\($0)\"?" }
}

/// `a, b or c`.
func alternatives(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " or " + last
}
