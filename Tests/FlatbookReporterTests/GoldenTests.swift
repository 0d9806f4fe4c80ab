import FlatbookCore
import Foundation
import Testing

@testable import FlatbookReporter

/// What the operator and their spreadsheets get, byte for byte.
///
/// `FLATBOOK_REGENERATE=1 swift test --filter Golden` writes the files anew and fails, so that it cannot stay on.
@Suite("Golden files")
struct GoldenTests {
    static let outputs: [(name: String, make: @Sendable (RunReport) -> String)] = [
        ("report.json", ReportJSON.render), ("legs.csv", ReportCSV.legs), ("calls.csv", ReportCSV.calls),
        ("accounts.csv", ReportCSV.accounts), ("table-160.txt", { ReportTable.render($0, width: 160, color: false) }),
        ("table-80.txt", { ReportTable.render($0, width: 80, color: false) }),
        ("table-color.txt", { ReportTable.render($0, width: 160, color: true) }),
    ]

    @Test("each output equals its golden file", arguments: outputs.indices)
    func equalsGolden(index: Int) throws {
        let (name, make) = Self.outputs[index]
        let text = make(NastyReport.report)
        if ProcessInfo.processInfo.environment["FLATBOOK_REGENERATE"] == "1" {
            let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")
            try Data(text.utf8).write(to: source.appendingPathComponent(name))
            Issue.record("\(name) was written anew: look at the difference, then unset FLATBOOK_REGENERATE")
            return
        }
        let folder = try #require(Bundle.module.resourceURL).appendingPathComponent("Golden")
        let golden = try Data(contentsOf: folder.appendingPathComponent(name))
        let isEqual = Array(text.utf8) == Array(golden)
        #expect(isEqual, "\(name) is now:\n\(text)")
    }

    @Test("nothing printed on a terminal moves the cursor, reorders letters; no table passes its width")
    func tableIsPrintable() {
        for width in [60, 80, 120, 160] {
            let text = ReportTable.render(NastyReport.report, width: width, color: false)
            let blocks = text.split(separator: "\n\n")
            #expect(blocks.count == 5, "headline, three tables, totals")
            for line in blocks.dropFirst().dropLast().joined(separator: "\n").split(separator: "\n") {
                #expect(displayWidth(String(line)) <= width, "at \(width): \(line)")
            }
            for line in text.split(separator: "\n") {
                #expect(line.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
                #expect(line.unicodeScalars.allSatisfy { $0.properties.generalCategory != .format })
            }
        }
    }
}
