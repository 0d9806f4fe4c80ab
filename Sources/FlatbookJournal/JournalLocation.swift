package import FlatbookCore

/// Where a journal lies: a path, or `sqlite:PATH`.
package struct JournalLocation: Hashable, Sendable {
    /// Path of the database file.
    package let path: String

    package init(path: String) { self.path = path }

    /// Reads what `--journal` was given.
    ///
    /// - Throws: ``JournalError`` with `cannotOpen` for an empty path or a scheme that this version does not know.
    package init(parsing text: String) throws(JournalError) {
        var path = text
        if let colon = text.firstIndex(of: ":"), !text[..<colon].contains("/") {
            let scheme = text[..<colon]
            guard scheme == "sqlite" else {
                throw JournalError(
                    .cannotOpen, "\(scheme): journals are not supported yet. Give a path or sqlite:PATH.")
            }
            path = String(text[text.index(after: colon)...])
            // sqlite:///var/x and sqlite:/var/x are the same file.
            if path.hasPrefix("///") { path.removeFirst(2) }
        }
        guard !path.isEmpty, !path.contains("\0") else {
            throw JournalError(.cannotOpen, "The journal's path is empty. Give a path or sqlite:PATH.")
        }
        self.path = path
    }

    package var lockPath: String { path + ".lock" }
    package var directory: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
    /// Deleted when the disk is full, so that the verdicts still fit: `journal.sqlite` has `journal.reserve`.
    package var reservePath: String {
        (path.hasSuffix(".sqlite") ? String(path.dropLast(7)) : path) + ".reserve"
    }
}
