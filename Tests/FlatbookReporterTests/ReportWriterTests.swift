import FlatbookCore
import Foundation
import Testing

@testable import FlatbookReporter

@Suite("Report files")
struct ReportWriterTests {
    /// A folder of its own for one test, removed afterwards.
    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "flatbook-reports-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    private func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    @Test(
        "writes the files of the formats, readable by their owner only, into a folder that it makes",
        arguments: [
            ([], ["report.json"]), (["json"], ["report.json"]), (["csv"], ["accounts.csv", "calls.csv", "legs.csv"]),
            (["json", "csv"], ["accounts.csv", "calls.csv", "legs.csv", "report.json"]),
        ] as [(Set<String>, [String])])
    func writes(formats: Set<String>, files: [String]) throws {
        try inFolder { folder in
            let target = folder + "/2026/run"
            try ReportWriter.write(NastyReport.report, formats: formats, directory: target)
            #expect(try names(target) == files)
            for name in files { #expect(try mode(target + "/" + name) == 0o600) }
            #expect(try mode(target) == 0o700)
        }
    }

    @Test("a second write gives the same bytes, and takes away rights that an older file gave")
    func sameBytes() throws {
        try inFolder { folder in
            let path = folder + "/report.json"
            try ReportWriter.write(NastyReport.report, formats: ["json"], directory: folder)
            let first = try Data(contentsOf: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
            try ReportWriter.write(NastyReport.report, formats: ["json"], directory: folder)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == first)
            #expect(Array(first) == Array(ReportJSON.render(NastyReport.report).utf8))
            #expect(try mode(path) == 0o600)
        }
    }

    @Test("a folder that takes no file is named, and what stood there stays")
    func cannotReplace() throws {
        try inFolder { folder in
            // A folder under the file's name: the rename fails, for root too.
            try FileManager.default.createDirectory(
                atPath: folder + "/report.json/x", withIntermediateDirectories: true)
            #expect {
                try ReportWriter.write(NastyReport.report, formats: ["json"], directory: folder)
            } throws: {
                ($0 as? ReportError)?.path == folder + "/report.json"
            }
            #expect(try names(folder) == ["report.json"])
        }
    }

    @Test("a read-only folder is named, and no temporary file is left", .enabled(if: geteuid() != 0))
    func readOnly() throws {
        try inFolder { folder in
            try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: folder)
            #expect {
                try ReportWriter.write(NastyReport.report, formats: ["json"], directory: folder)
            } throws: {
                ($0 as? ReportError)?.path == folder + "/report.json"
            }
            #expect(try names(folder).isEmpty)
        }
    }

    @Test("a folder that the kernel keeps closed, even for root, is named")
    func kernelFolder() {
        #expect {
            try ReportWriter.write(NastyReport.report, formats: ["json"], directory: "/proc/self")
        } throws: {
            ($0 as? ReportError)?.path == "/proc/self/report.json"
        }
        #expect {
            try ReportWriter.write(NastyReport.report, formats: ["json"], directory: "/proc/self/reports/x")
        } throws: {
            ($0 as? ReportError)?.path == "/proc/self/reports"
        }
    }

    @Test("a file in the way of the folder is named")
    func fileInTheWay() throws {
        try inFolder { folder in
            try Data().write(to: URL(fileURLWithPath: folder + "/reports"))
            #expect {
                try ReportWriter.write(NastyReport.report, formats: ["json"], directory: folder + "/reports")
            } throws: {
                String(describing: $0).hasPrefix(folder + "/reports/report.json: ")
            }
        }
    }
}
