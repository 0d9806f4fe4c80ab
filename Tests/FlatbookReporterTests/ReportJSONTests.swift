import FlatbookCore
import Testing

@testable import FlatbookReporter

@Suite("report.json")
struct ReportJSONTests {
    // By hand from contract §6, so that no change of the code changes them.
    static let run =
        "id plans planDigest environment status exitCode startedAt finishedAt deadline host version journalHead "
        + "lateCloseUntil"
    static let totals =
        "accounts accountsFlat legs legsFlat notionalBefore notionalAfter calls attempts reads rateLimitRejections "
        + "ordersCancelled secondsToFlat lowerBoundSeconds exposureSeconds openOutsideSelection"
    /// `reason` is ours, behind the contract's.
    static let account =
        "name exchange uid state positionMode evidence read notRead legs notionalBefore notionalAfter secondsToFlat "
        + "openersRemain error reason"
    static let leg =
        "account exchange silo symbol instrument side marginMode marginCurrency positionId quantityBefore "
        + "notionalBefore entryPrice markPrice state reason closedBy reopened quantityAfter averagePrice slippageBps "
        + "fee realizedPnl firstCallAt flatProvenAt proof error"
    static let call =
        "id account operation target plannedSecond sentAt answeredAt attempt effect class exchangeCode message "
        + "orderIds limitWaitMs"
    static let limit = "id scope capacity windowSeconds source peakUsed rejections"

    private func keys(_ value: JSONValue?) -> String? {
        value?.members.map { $0.map(\.name).joined(separator: " ") }
    }

    private func document() throws -> JSONValue {
        try JSONValue.parse(Array(ReportJSON.render(NastyReport.report).utf8))
    }

    @Test("has the contract's keys in the contract's order, in every row")
    func keysInOrder() throws {
        let json = try document()
        #expect(keys(json) == "schema run totals accounts legs calls limits")
        #expect(json["schema"] == .string("flatbook.report/1"))
        #expect(keys(json["run"]) == Self.run)
        #expect(keys(json["totals"]) == Self.totals)
        #expect(keys(json["totals"]?["openOutsideSelection"]) == "accounts legs notional")
        for (part, expected, count) in [
            ("accounts", Self.account, 8), ("legs", Self.leg, 7), ("calls", Self.call, 5), ("limits", Self.limit, 1),
        ] {
            let rows = try #require(json[part]?.elements)
            #expect(rows.count == count)
            for row in rows { #expect(keys(row) == expected) }
        }
        let account = json["accounts"]?.elements?[2]
        #expect(keys(account?["error"]) == "class exchangeCode message action")
        #expect(keys(account?["notRead"]?.elements?.first) == "silo reason")
        #expect(keys(json["legs"]?.elements?.first?["proof"]?.elements?.first) == "sentAt serverTime digest")
    }

    @Test("amounts are strings, counts and seconds numbers, times RFC 3339 in UTC with milliseconds")
    func types() throws {
        let json = try document()
        #expect(json["totals"]?["notionalBefore"] == .string("1284567.891234"))
        #expect(json["totals"]?["secondsToFlat"] == .null)
        #expect(json["totals"]?["lowerBoundSeconds"] == .number("6.005"))
        #expect(json["totals"]?["openOutsideSelection"]?["notional"] == .string("77.5"))
        #expect(json["run"]?["startedAt"] == .string("2026-11-20T20:55:00.000Z"))
        #expect(json["run"]?["finishedAt"] == .string("2026-11-20T20:56:01.234Z"))
        let legs = try #require(json["legs"]?.elements)
        #expect(legs[0]["markPrice"] == .string("-37.63"))
        #expect(legs[2]["markPrice"] == .null)
        #expect(legs[5]["quantityAfter"] == .null)
        #expect(legs[0]["proof"]?.elements?[1]["serverTime"] == .null)
        let calls = try #require(json["calls"]?.elements)
        #expect(calls[0]["plannedSecond"] == .number("-0.005"))
        #expect(calls[0]["limitWaitMs"] == .number("1200"))
        #expect(calls[2]["orderIds"] == .array([.string("11"), .string("=12")]))
        #expect(calls[4]["plannedSecond"] == .null)
    }

    @Test("text from outside arrives unchanged, and its raw bytes are safe to print")
    func textSurvives() throws {
        let text = ReportJSON.render(NastyReport.report)
        let accounts = try #require(try document()["accounts"]?.elements)
        #expect(accounts[2]["name"] == .string("台北-桌🙂"))
        let message = "instrument suspended, \"see notice\"\r\nsecond line\u{202E}txet"
        #expect(accounts[2]["error"]?["message"] == .string(message))
        for scalar in text.unicodeScalars where scalar != "\n" {
            #expect(scalar.properties.generalCategory != .control)
            #expect(scalar.properties.generalCategory != .format)
        }
        #expect(try document() == ReportJSON.value(NastyReport.report))
    }

    @Test("an empty report is a whole document")
    func empty() throws {
        let json = try JSONValue.parse(Array(ReportJSON.render(NastyReport.empty).utf8))
        #expect(keys(json["run"]) == Self.run)
        #expect(json["legs"] == .array([]))
    }

    @Test(
        "milliseconds print as seconds with three decimals",
        arguments: [
            (0, "0.000"), (7, "0.007"), (1000, "1.000"), (61_234, "61.234"), (-5, "-0.005"), (-1500, "-1.500"),
        ] as [(Int64, String)])
    func seconds(value: Int64, text: String) { #expect(ReportJSON.milliseconds(value) == text) }
}
