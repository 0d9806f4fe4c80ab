package import FlatbookCore
import Glibc

/// A report file that could not be written.
package struct ReportError: Error, CustomStringConvertible {
    package var path: String
    package var reason: String
    package var description: String { "\(path): \(reason)" }
}

/// Writes the report's files so that a reader sees a whole file or none: temporary name, fsync, rename, fsync of the folder.
package enum ReportWriter {
    /// - Parameter formats: any of `json`, `csv`. An empty set writes `json`.
    /// - Throws: ``ReportError`` for the first file that cannot be written; files written before stay.
    package static func write(
        _ report: RunReport, formats: Set<String>, directory: String
    ) throws(ReportError) {
        try makeDirectory(directory)
        if formats.isEmpty || formats.contains("json") {
            try write(ReportJSON.render(report), name: "report.json", in: directory)
        }
        if formats.contains("csv") {
            try write(ReportCSV.legs(report), name: "legs.csv", in: directory)
            try write(ReportCSV.calls(report), name: "calls.csv", in: directory)
            try write(ReportCSV.accounts(report), name: "accounts.csv", in: directory)
        }
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure(directory) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failure(directory) }
    }

    /// Positions are nobody else's business: 0700, like the files 0600.
    private static func makeDirectory(_ path: String) throws(ReportError) {
        var prefix = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            prefix += (prefix.isEmpty || prefix == "/" ? "" : "/") + part
            if mkdir(prefix, 0o700) != 0, errno != EEXIST { throw failure(prefix) }
        }
    }

    private static func write(_ text: String, name: String, in directory: String) throws(ReportError) {
        let path = directory + "/" + name
        let temporary = directory + "/." + name + ".\(getpid()).new"
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure(path) }
        var isDone = false
        defer {
            close(file)
            if !isDone { unlink(temporary) }
        }
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(path) }
            written += count
        }
        guard fsync(file) == 0, rename(temporary, path) == 0 else { throw failure(path) }
        isDone = true
    }

    private static func failure(_ path: String) -> ReportError {
        ReportError(path: path, reason: String(cString: strerror(errno)))
    }
}
