import FlatbookCore
import Testing

@testable import FlatbookReporter

@Suite("CSV")
struct ReportCSVTests {
    /// RFC 4180 §2, strictly; nil for anything else.
    static func parse(_ text: String) -> [[String]]? {
        var rows: [[String]] = []
        var row: [String] = []
        var field = String.UnicodeScalarView()
        var rest = Array(text.unicodeScalars)[...]
        while !rest.isEmpty {
            field = .init()
            if rest.first == "\"" {
                rest.removeFirst()
                while true {
                    guard let next = rest.popFirst() else { return nil }
                    if next != "\"" {
                        field.append(next)
                    } else if rest.first == "\"" {
                        field.append("\"")
                        rest.removeFirst()
                    } else {
                        break
                    }
                }
            } else {
                while let next = rest.first, next != ",", next != "\r" {
                    if next == "\"" || next == "\n" { return nil }
                    field.append(next)
                    rest.removeFirst()
                }
            }
            row.append(String(field))
            guard let end = rest.popFirst() else { return nil }
            if end == "\r" {
                guard rest.popFirst() == "\n" else { return nil }
                rows.append(row)
                row = []
            } else if end != "," {
                return nil
            }
        }
        return row.isEmpty ? rows : nil
    }

    private func rows(_ text: String) throws -> [[String: String]] {
        let table = try #require(Self.parse(text))
        let header = try #require(table.first)
        return try table.dropFirst().map { row in
            try #require(row.count == header.count)
            return Dictionary(zip(header, row), uniquingKeysWith: { first, _ in first })
        }
    }

    static let files: [(columns: String, make: @Sendable (RunReport) -> String)] = [
        (ReportJSONTests.leg, ReportCSV.legs), (ReportJSONTests.call, ReportCSV.calls),
        (ReportJSONTests.account, ReportCSV.accounts),
    ]

    @Test("the header row is the contract's columns, in an empty report too", arguments: files.indices)
    func header(index: Int) throws {
        let (columns, make) = Self.files[index]
        let expected = columns.split(separator: " ").map(String.init)
        #expect(Self.parse(make(NastyReport.empty)) == [expected])
        #expect(Self.parse(make(NastyReport.report))?.first == expected)
    }

    @Test("every row parses back with as many fields as the header, quotes and newlines included")
    func parsesBack() throws {
        let accounts = try rows(ReportCSV.accounts(NastyReport.report))
        #expect(accounts.count == 8)
        #expect(accounts[2]["name"] == "台北-桌🙂")
        #expect(accounts[4]["name"] == "'=HYPERLINK(\"http://x\";\"y\")")
        #expect(accounts[4]["reason"] == "'+1 read failed\n@ line 2")
        #expect(accounts[5]["error"]?.hasPrefix("{\"class\":\"fatalAccount\"") == true)
        #expect(accounts[1]["error"]?.isEmpty == true)
        let calls = try rows(ReportCSV.calls(NastyReport.report))
        #expect(calls[2]["message"] == "'=1+1,\"a\"\r\nb")
        #expect(calls[2]["orderIds"] == "[\"11\",\"=12\"]")
        #expect(calls[4]["sentAt"]?.isEmpty == true)
        #expect(try rows(ReportCSV.legs(NastyReport.report)).count == 7)
    }

    @Test("no field begins with what a spreadsheet takes for a formula, unless it is a plain number")
    func noFormula() throws {
        for (_, make) in Self.files {
            for row in try rows(make(NastyReport.report)) {
                for (name, field) in row where (try? Amount(field)) == nil {
                    let first = field.unicodeScalars.first ?? "x"
                    #expect(
                        !"=+-@\t\r\n\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}".unicodeScalars.contains(first),
                        "\(name): \(field)")
                }
            }
        }
    }

    @Test(
        "text is made harmless, numbers stay numbers",
        arguments: [
            ("=1+1", "'=1+1"), ("+1", "'+1"), ("@x", "'@x"), ("-x", "'-x"), ("-1+2", "'-1+2"), ("-5", "-5"),
            ("-0.015", "-0.015"), ("\t=1", "'\t=1"), ("\r\n=1", "'\r\n=1"), ("\u{FF1D}1", "'\u{FF1D}1"), ("-", "'-"),
            (" =1", "' =1"), ("a=1", "a=1"), ("", ""), ("'=1", "'=1"), ("  plain", "  plain"),
        ])
    func harmless(text: String, expected: String) {
        #expect(Array(ReportCSV.harmless(text).unicodeScalars) == Array(expected.unicodeScalars))
    }

    @Test("no cell can steer a terminal: controls and reordering marks are replaced, line breaks stay")
    func controls() throws {
        for (_, make) in Self.files {
            let text = make(NastyReport.report)
            for scalar in text.unicodeScalars where !"\r\n\t".unicodeScalars.contains(scalar) {
                #expect(scalar.properties.generalCategory != .control)
                #expect(!(0x202A...0x202E).contains(scalar.value) && !(0x2066...0x2069).contains(scalar.value))
            }
        }
    }

    @Test("a quote under a combining mark is still doubled")
    func combiningQuote() throws {
        var report = NastyReport.empty
        report.accounts = [NastyReport.account("a\"\u{301},b", .unknown)]
        #expect(try rows(ReportCSV.accounts(report)).first?["name"] == "a\"\u{301},b")
    }
}
