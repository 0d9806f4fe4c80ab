import FlatbookCore
import Testing

@testable import FlatbookReporter

@Suite("The report on a terminal")
struct ReportTableTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var status = "flat"
        var states: [FinalState] = []
        var left = "0"
        var outside = (accounts: 0, legs: 0)
        var openers = 0
        var expected: String
        var testDescription: String { expected }
    }

    static let headlines: [Case] = [
        Case(states: [.flat, .alreadyFlat], expected: "2 of 2 accounts flat, proven"),
        Case(states: [.flat], expected: "1 of 1 account flat, proven"),
        Case(expected: "no account was selected"),
        Case(
            states: [.flat], outside: (1, 1),
            expected: "1 of 1 account flat, proven; 1 account holds 1 position outside this plan"),
        Case(
            states: [.flat, .flat], outside: (3, 41),
            expected: "2 of 2 accounts flat, proven; 3 accounts hold 41 positions outside this plan"),
        Case(
            states: [.flat], openers: 1,
            expected: "1 of 1 account flat, proven; 1 resting order can open a position again"),
        Case(
            states: [.flat], openers: 7,
            expected: "1 of 1 account flat, proven; 7 resting orders can open positions again"),
        Case(
            status: "residual", states: [.flat, .residual, .dust], left: "1234567.891",
            expected: "NOT FLAT: 1 of 3 accounts flat, proven; 1 residual, 1 dust; 1,234,567.89 USD still open"),
        Case(
            status: "unknown", states: [.unknown, .unknown, .flat], left: "5",
            expected: "NOT PROVEN: 1 of 3 accounts flat, proven; 2 unknown; 5.00 USD still open when last seen"),
        Case(
            status: "deadline", states: [.residual], left: "5",
            expected: "DEADLINE PASSED: 0 of 1 account flat, proven; 1 residual; 5.00 USD still open"),
        Case(
            status: "interrupted", states: [.unknown],
            expected: "INTERRUPTED: 0 of 1 account flat, proven; 1 unknown"),
        Case(status: "failed", states: [.unknown], expected: "FAILED: 0 of 1 account flat, proven; 1 unknown"),
        Case(
            status: "refused", states: [.refused, .skipped],
            expected: "REFUSED: 0 of 2 accounts flat, proven; 1 refused, 1 skipped"),
        Case(
            states: [.flat, .dust], left: "0.004",
            expected: "1 of 2 accounts flat, proven; 1 dust; less than 0.01 USD still open"),
    ]

    @Test("the headline says first what matters", arguments: headlines)
    func headline(example: Case) {
        var report = NastyReport.empty
        report.run.status = example.status
        report.accounts = example.states.enumerated().map { NastyReport.account("a\($0.offset)", $0.element) }
        if !report.accounts.isEmpty { report.accounts[0].openersRemain = example.openers }
        // Disabled accounts are listed and do not count.
        report.accounts.append(NastyReport.account("off", .skipped, isDisabled: true))
        report.totals.accounts = example.states.count
        report.totals.accountsFlat = example.states.count { $0 == .flat || $0 == .alreadyFlat }
        report.totals.notionalAfter = NastyReport.number(example.left)
        report.totals.openOutsideSelection.accounts = example.outside.accounts
        report.totals.openOutsideSelection.legs = example.outside.legs
        #expect(ReportTable.headline(report) == example.expected)
    }

    private func lines(_ report: RunReport, width: Int = 160) -> [String] {
        ReportTable.render(report, width: width, color: false).split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
    }

    @Test("the headline is the first line")
    func headlineFirst() {
        #expect(lines(NastyReport.report, width: 60).first == printable(ReportTable.headline(NastyReport.report)))
    }

    @Test("what is open comes before what is flat: unknown first, then by size; disabled accounts stand last")
    func order() throws {
        let lines = lines(NastyReport.report)
        func line(_ text: String) throws -> Int { try #require(lines.firstIndex { $0.contains(text) }, "\(text)") }
        #expect(try line("no read") < line("龙虾"))
        #expect(try line("龙虾") < line("DOGE"))
        #expect(try line("DOGE") < line("Invalid IP"))
        #expect(try line("desk-a-05") < line("desk-a-01"))
        #expect(try line("desk-a-01") < line("desk-a-99"))
    }

    @Test("no reason and no action is cut, however narrow the terminal", arguments: [60, 80, 160])
    func nothingCut(width: Int) {
        let text = ReportTable.render(NastyReport.report, width: width, color: false)
        let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains("add this host's address to the key's list") || width == 60)
        for word in ["address", "key's", "list", "smallest", "hand"] { #expect(text.contains(word)) }
    }

    @Test("accounts with openers are named")
    func openers() {
        #expect(lines(NastyReport.report).contains { $0.contains("desk-a-01 (3)") })
    }

    @Test("long lists end with how many more there are and where")
    func longLists() {
        var report = NastyReport.empty
        report.accounts = (0..<100).map { NastyReport.account("u\($0)", .unknown) }
        report.accounts += (0..<100).map { NastyReport.account("f\($0)", .flat) }
        report.totals.accounts = 200
        let text = ReportTable.render(report, width: 100, color: false)
        #expect(text.contains("… and 40 more, see accounts.csv and legs.csv"))
        #expect(text.contains("… and 70 more, see accounts.csv"))
    }

    @Test("colour is used only where asked, green for exit code 0, red for the others")
    func color() {
        #expect(ReportTable.render(NastyReport.empty, width: 80, color: true).hasPrefix("\u{1B}[1;32m"))
        #expect(ReportTable.render(NastyReport.report, width: 80, color: true).hasPrefix("\u{1B}[1;31m"))
        #expect(!ReportTable.render(NastyReport.report, width: 80, color: false).contains("\u{1B}"))
    }

    @Test(
        "wide letters count two columns",
        arguments: [("abc", 3), ("台北", 4), ("🙂", 2), ("e\u{301}", 1), ("⚠\u{FE0F}", 2), ("🇨🇭", 2), ("𠀋", 2)])
    func widths(text: String, width: Int) { #expect(displayWidth(text) == width) }

    @Test(
        "money has two decimals and groups of three",
        arguments: [
            ("0", "0.00"), ("5", "5.00"), ("999.999", "999.99"), ("1000", "1,000.00"), ("-1234567.5", "-1,234,567.50"),
            ("0.004", "<0.01"), ("123456789012", "123,456,789,012.00"),
        ])
    func moneyText(text: String, expected: String) { #expect(money(NastyReport.number(text)) == expected) }
}
