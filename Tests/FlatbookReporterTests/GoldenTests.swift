import FlatbookCore
import Foundation
import Testing

@testable import FlatbookReporter

/// A report with everything that is hard to print.
enum Sample {
    static func leg(_ account: String, _ instrument: String, _ state: FinalState) -> RunReport.LegRow {
        let isFlat = state == .flat
        var row = RunReport.LegRow(
            key: LegKey(
                account: account, product: "USDT-FUTURES", instrument: instrument, side: .long, marginMode: .cross,
                marginCurrency: "USDT"),
            exchange: ExchangeID("bitget"), symbol: "\(instrument.dropLast(4))/USDT:USDT", quantityBefore: Amount(3),
            notionalBefore: (try? Amount("1473.756")) ?? .zero, entryPrice: try? Amount("93730.1"), markPrice: nil,
            state: state, reason: isFlat ? nil : "=HYPERLINK(\"x\") \u{202E}\u{1B}[31m,\r\n\"e\u{301}\"\u{301}",
            closedBy: isFlat ? "us" : nil, reopened: isFlat ? 0 : 2,
            quantityAfter: isFlat ? .zero : state == .unknown ? nil : Amount(1),
            firstCallAt: WallTime(milliseconds: 1_790_000_000_123),
            flatProvenAt: isFlat ? WallTime(milliseconds: 1_790_000_003_000) : nil,
            proof: isFlat
                ? [1_790_000_001_500, 1_790_000_002_900].map {
                    RunReport.Proof(sentAt: WallTime(milliseconds: $0), serverTime: nil, digest: "sha256:ab")
                } : [],
            error: isFlat
                ? nil
                : ErrorNote(
                    errorClass: "market", exchangeCode: "40931", message: "risk 控制", action: "close it on the site"))
        row.notionalAfter = isFlat ? .zero : Amount(491)
        return row
    }

    static func account(_ name: String, _ state: FinalState, disabled: Bool = false) -> RunReport.AccountRow {
        let isFlat = state == .flat || state == .alreadyFlat
        return RunReport.AccountRow(
            name: name, exchange: ExchangeID("bitget"), uid: disabled ? nil : "0123", state: state,
            reason: isFlat ? nil : "@cmd 🚨", positionMode: isFlat ? .hedge : nil,
            evidence: isFlat ? "controlled" : nil, read: ["USDT-FUTURES", "COIN-FUTURES"],
            notRead: [.init(silo: "copy", reason: "not supported by this version")], legs: 1,
            notionalBefore: Amount(1473), notionalAfter: isFlat ? .zero : Amount(491),
            timeToFlat: isFlat ? .milliseconds(3005) : nil, openersRemain: isFlat ? 0 : 2, error: nil,
            isDisabled: disabled)
    }

    static let report: RunReport = {
        var totals = RunReport.Totals()
        totals.accounts = 3
        totals.accountsFlat = 1
        totals.legs = 3
        totals.legsFlat = 1
        totals.notionalBefore = Amount(4421)
        totals.notionalAfter = Amount(982)
        totals.calls = 2
        totals.attempts = 3
        totals.reads = 41
        totals.lowerBound = .milliseconds(39_000)
        totals.openOutsideSelection.accounts = 1
        totals.openOutsideSelection.legs = 2
        totals.openOutsideSelection.notional = Amount(77)
        let call = RunReport.CallRow(
            id: "a/1", account: "a", operation: "bitget.close-positions", target: "USDT-FUTURES",
            plannedAt: .milliseconds(1001), sentAt: WallTime(milliseconds: 1_790_000_000_123), answeredAt: nil,
            attempt: 1, effect: .unknown, errorClass: .unknown, exchangeCode: "timeout", message: "+1 no reply",
            orderIDs: ["1190384645049036801", "2"], limitWait: .milliseconds(250))
        let limit = RateLimit(
            id: "bitget.close-positions", scope: [.uid, .route], capacity: 1, window: .seconds(1), source: "§3.4",
            readOn: "2026-11-20")
        return RunReport(
            run: RunReport.Run(
                id: "20260921T141320Z-eod-7f3a", plans: ["eod"], planDigest: "sha256:00", environment: .production,
                status: "unknown", exitCode: 11, startedAt: WallTime(milliseconds: 1_790_000_000_000),
                finishedAt: WallTime(milliseconds: 1_790_000_060_000),
                deadline: WallTime(milliseconds: 1_790_000_900_000), host: "desk", version: "0.1.0",
                journalHead: "sha256:ff", lateCloseUntil: WallTime(milliseconds: 1_790_000_090_000)),
            totals: totals,
            accounts: [
                account("a", .unknown), account("b", .residual), account("c", .flat),
                account("=d", .skipped, disabled: true),
            ],
            legs: [leg("a", "BTCUSDT", .unknown), leg("b", "龙虾USDT", .residual), leg("c", "ETHUSDT", .flat)],
            calls: [call],
            limits: [.init(exchange: ExchangeID("bitget"), limit: limit, peakUsed: 1, rejections: 0)])
    }()
}

@Suite("Reports")
struct GoldenTests {
    @Test(
        "are the golden files, byte for byte",
        arguments: ["report.json", "legs.csv", "calls.csv", "accounts.csv", "table.txt"])
    func golden(name: String) throws {
        let text: String
        switch name {
        case "report.json": text = ReportJSON.render(Sample.report)
        case "legs.csv": text = ReportCSV.legs(Sample.report)
        case "calls.csv": text = ReportCSV.calls(Sample.report)
        case "accounts.csv": text = ReportCSV.accounts(Sample.report)
        default: text = ReportTable.render(Sample.report, width: 100, color: false)
        }
        let url = try #require(Bundle.module.url(forResource: "Golden", withExtension: nil)).appending(path: name)
        if let folder = ProcessInfo.processInfo.environment["FLATBOOK_GOLDEN_OUT"] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder).appending(path: name))
            Issue.record("wrote \(name); run again without FLATBOOK_GOLDEN_OUT")
            return
        }
        #expect(try Data(contentsOf: url) == Data(text.utf8))
    }

    @Test("have the contract's columns in the contract's order")
    func columns() throws {
        func header(_ csv: String) -> String { String(csv.prefix { $0 != "\r\n" }) }
        #expect(
            header(ReportCSV.legs(Sample.report))
                == "account,exchange,silo,symbol,instrument,side,marginMode,marginCurrency,positionId,quantityBefore,"
                + "notionalBefore,entryPrice,markPrice,state,reason,closedBy,reopened,quantityAfter,averagePrice,"
                + "slippageBps,fee,realizedPnl,firstCallAt,flatProvenAt,proof,error")
        #expect(
            header(ReportCSV.calls(Sample.report))
                == "id,account,operation,target,plannedSecond,sentAt,answeredAt,attempt,effect,class,exchangeCode,"
                + "message,orderIds,limitWaitMs")
        #expect(
            header(ReportCSV.accounts(Sample.report))
                == "name,exchange,uid,state,positionMode,evidence,read,notRead,legs,notionalBefore,notionalAfter,"
                + "secondsToFlat,openersRemain,error,reason")
    }

    @Test("the JSON is valid and keeps ids and amounts as text")
    func json() throws {
        let value = try JSONValue.parse(Array(ReportJSON.render(Sample.report).utf8))
        #expect(value["calls"]?.elements?.first?["orderIds"]?.elements?.first == .string("1190384645049036801"))
        #expect(value["calls"]?.elements?.first?["plannedSecond"] == .number("1.001"))
        #expect(value["legs"]?.elements?.first?["averagePrice"] == .null)
        #expect(value["totals"]?["lowerBoundSeconds"] == .number("39.000"))
    }

    @Test(
        "text that a spreadsheet takes for a formula is made harmless, a number stays one",
        arguments: [
            ("=1+1", "'=1+1"), ("+cmd", "'+cmd"), ("-cmd", "'-cmd"), ("@x", "'@x"), ("\tx", "'\tx"), ("-1.5", "-1.5"),
            ("plain", "plain"),
        ])
    func formulas(text: String, harmless: String) {
        #expect(ReportCSV.harmless(text) == harmless)
    }

    @Test("no cell can be broken out of: quotes are doubled by scalar")
    func quotes() {
        let csv = ReportCSV.legs(Sample.report)
        // Outside quoted cells there is no quote, so the number of quotes is even and every row has the same cells.
        var isQuoted = false
        var cells = [1]
        for scalar in csv.unicodeScalars {
            switch scalar {
            case "\"": isQuoted.toggle()
            case "," where !isQuoted: cells[cells.count - 1] += 1
            case "\n" where !isQuoted: cells.append(1)
            default: continue
            }
        }
        #expect(!isQuoted)
        #expect(cells == [26, 26, 26, 26, 1])
    }

    @Test("say first what matters")
    func headline() {
        #expect(
            ReportTable.headline(Sample.report)
                == "NOT PROVEN; 1 of 3 accounts flat, proven; 1 unknown; 1 residual; 982 USD still open; "
                + "1 account holds 2 positions outside this plan; 6 resting orders can open positions again")
    }

    @Test("are written whole, for the owner alone, and leave nothing else behind")
    func writes() throws {
        let folder = NSTemporaryDirectory() + "flatbook-report-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for _ in 0..<2 { try ReportWriter.write(Sample.report, formats: ["json", "csv"], directory: folder) }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        #expect(names == ["accounts.csv", "calls.csv", "legs.csv", "report.json"])
        for name in names {
            let attributes = try FileManager.default.attributesOfItem(atPath: folder + "/" + name)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
        #expect(
            try String(contentsOfFile: folder + "/report.json", encoding: .utf8) == ReportJSON.render(Sample.report))
    }

    @Test("a folder that cannot be made is told with its path")
    func unwritable() {
        let error = #expect(throws: ReportError.self) {
            try ReportWriter.write(Sample.report, formats: ["json"], directory: "/proc/flatbook/x")
        }
        #expect(error?.path == "/proc/flatbook")
    }
}
