import FlatbookCore
import GRDB

/// SQLite's errors in the operator's terms.
enum JournalFailure {
    static func map(_ error: any Error, path: String) -> JournalError {
        if let error = error as? JournalError { return error }
        guard let error = error as? DatabaseError else {
            return JournalError(.inputOutput, "\(path): \(error). Check the disk, then resume the run.")
        }
        let what = "\(path): \(error.message ?? "SQLite error \(error.resultCode.rawValue)")."
        return switch error.resultCode {
        case .SQLITE_FULL: JournalError(.diskFull, "\(what) Free some space, then resume the run.")
        case .SQLITE_READONLY:
            JournalError(.readOnly, "\(what) Make the file and its directory writable, or choose another --journal.")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            JournalError(
                .corrupt, "\(what) Keep the file for examination; check positions with a dry run on a new --journal.")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            JournalError(.locked, "\(what) Another program holds the database; end it, then try again.")
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            JournalError(.cannotOpen, "\(what) Check the path and its permissions, or choose another --journal.")
        default: JournalError(.inputOutput, "\(what) Check the disk, then resume the run.")
        }
    }
}
