import FlatbookCore
import Testing

@testable import FlatbookReporter

@Suite("Lists as JSON and as tables")
struct ListTableTests {
    static let nasty = "=a\"b\\\n\u{1B}[2J\u{202E}台🙂"
    private static let account = Account(
        name: nasty, exchange: ExchangeID("bitget"), environment: .simulated, tags: [nasty, "b"], enabled: false,
        disabledReason: nasty, source: SourceLocation(file: nasty, line: 7))
    private static let position = Position(
        key: LegKey(
            account: nasty, product: "USDT-FUTURES", instrument: "BTCUSDT", side: .long, marginMode: .isolated,
            marginCurrency: "USDT"),
        symbol: nasty, quantity: NastyReport.number("0.015"), notional: NastyReport.number("1234.5"), mode: .hedge)
    private static let runs = [
        RunSummary(
            id: "r-1", plans: [nasty], environment: .demo, startedAt: NastyReport.wall(0),
            lastEntryAt: NastyReport.wall(1), accounts: 2, status: nil, exitCode: nil, lastEpoch: 1),
        RunSummary(
            id: "r-2", plans: [], environment: .demo, startedAt: NastyReport.wall(0), lastEntryAt: NastyReport.wall(1),
            accounts: 2, status: "flat", exitCode: 0, lastEpoch: 1),
    ]
    private static let plan = PlanPreview(
        plans: [nasty], environment: .production, accounts: 1, legs: 1, notional: NastyReport.number("1234.5"),
        ordersToCancel: 3,
        calls: [
            .init(
                call: CloseCall(
                    account: nasty,
                    method: CloseMethod(
                        operation: "bitget.close-positions", reach: .symbol, isSized: false, modes: [.hedge],
                        guaranteesSide: false),
                    product: "USDT-FUTURES", instrument: nasty, legs: [position.key], mode: .hedge,
                    notional: NastyReport.number("1234.5")),
                plannedAt: .milliseconds(1500))
        ],
        limits: [.init(limit: NastyReport.limit, calls: 14, windows: [1, 1, 2])], lowerBound: .milliseconds(1000),
        binding: nil, lastClose: .milliseconds(1500), timeToFlat: .milliseconds(2500), roundTrip: .milliseconds(120),
        excluded: [.init(account: nasty, what: "account", reason: nasty, notional: nil)])

    static let documents: [(name: String, json: String, table: String)] = [
        ("runs", RunsTable.json(runs), RunsTable.render(runs)),
        ("limits", LimitsTable.json([NastyReport.limit]), LimitsTable.render([NastyReport.limit])),
        ("accounts", AccountsTable.json([account]), AccountsTable.render([account])),
        ("calls", PlanTable.json(plan), PlanTable.render(plan, width: 100)),
        (
            "positions", PositionsTable.json([(ExchangeID("bitget"), position)], problems: [nasty]),
            PositionsTable.render([(ExchangeID("bitget"), position)], problems: [nasty])
        ),
    ]

    @Test("the JSON is one valid document with its rows", arguments: documents.indices)
    func validJSON(index: Int) throws {
        let document = Self.documents[index]
        let json = try JSONValue.parse(Array(document.json.utf8))
        #expect(json[document.name]?.elements?.isEmpty == false)
        #expect(!document.json.unicodeScalars.contains("\u{1B}"))
    }

    @Test("the table prints nothing that steers a terminal", arguments: documents.indices)
    func printableTable(index: Int) {
        let text = Self.documents[index].table
        #expect(!text.isEmpty)
        for scalar in text.unicodeScalars where scalar != "\n" {
            #expect(scalar.properties.generalCategory != .control)
            #expect(scalar.properties.generalCategory != .format)
        }
    }

    @Test("what has nothing to list says so, and is valid JSON")
    func empty() throws {
        #expect(RunsTable.render([]) == "no runs\n")
        #expect(PositionsTable.render([], problems: []) == "no open positions\n")
        #expect(
            PositionsTable.render([], problems: ["a: not read"]) == "no open positions in what was read\na: not read\n")
        for json in [
            RunsTable.json([]), LimitsTable.json([]), AccountsTable.json([]), PositionsTable.json([], problems: []),
        ] {
            _ = try JSONValue.parse(Array(json.utf8))
        }
    }

    @Test("text in the JSON arrives unchanged, absent values are null")
    func content() throws {
        let accounts = try JSONValue.parse(Array(Self.documents[2].json.utf8))
        let row = try #require(accounts["accounts"]?.elements?.first)
        #expect(row["name"] == .string(Self.nasty))
        #expect(row["uid"] == .null)
        let runs = try JSONValue.parse(Array(Self.documents[0].json.utf8))
        #expect(runs["runs"]?.elements?[0]["exitCode"] == .null)
        #expect(runs["runs"]?.elements?[1]["exitCode"] == .number("0"))
    }

    @Test("a plan says that nothing was sent, when it would be done and what stays")
    func planText() {
        let text = Self.documents[3].table
        #expect(text.contains("Nothing was sent."))
        #expect(text.contains("1 call would close 1 position of 1 account, 1,234.50 USD"))
        #expect(text.contains("STAYS"))
        #expect(text.contains("expected proven flat after 2.500 s"))
    }
}
