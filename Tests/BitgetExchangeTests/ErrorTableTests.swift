import BitgetExchange
import ExchangeKit
import FlatbookCore
import Testing

/// What every code of `bitget.md` §6 must mean, typed here a second time from the sheet. 40085, 40084 and 25245 depend on
/// the account: FamilyTests.
@Suite("Bitget's error table")
struct ErrorTableTests {
    struct Row: Sendable, CustomStringConvertible {
        var code: String
        var mutation: Mutation
        var errorClass: ErrorClass
        var effect: Effect
        var refusal: Outcome.Refusal?
        var description: String { code }
    }

    private static func rows(
        _ codes: String, _ errorClass: ErrorClass, _ effect: Effect = .none, _ refusal: Outcome.Refusal? = nil,
        on mutation: Mutation = flashClose
    ) -> [Row] {
        codes.split(separator: " ").map {
            Row(
                code: String($0), mutation: mutation, errorClass: errorClass, effect: effect, refusal: refusal)
        }
    }

    private static let done =
        rows("22002 43043 25227 45014 31008 40837", .alreadyFlat)
        + rows("40859 40743 40894 40733 45106 50066 45066", .alreadyFlat)
        + rows(
            "22001 43004 31054 40768 40109 43001 45057 43020 43025 43033 31007 25204 notExistend", .notFound,
            on: cancelRegular)
        + rows("43021 43026 45031 45134 50062", .notFound, on: cancelPlan)
    private static let waiting =
        rows("429 1001 25004 70228 50009", .rateLimited) + rows("45129", .rateLimited, on: cancelRegular)
        + rows("40200 25003 25239 40842 40878 40115 22043 22044 22067", .retry)
        + rows("40844 40308 41114 45043 25102 25106 50027 22045 25209 70220", .market)
        + rows("40931 22033 22037 45108 40780 45009 25012 40760 25008 43112 50022 22041", .market)
        + rows(
            "40010 40910 25001 50008 40015 40725 45001 25000 50031 43059 40908", .unknown, .unknown)
        + rows("43118 45034 40786 50060 25212", .duplicateId, .unknown)
        + rows("40004 40005 40008 40911 40078 40079", .clockSkew)
    private static let changing =
        rows(
            "40755 40757 40804 40717 43029 45003 45005 45006 25225 25226 25231 40939 40928 25232", .conflict,
            on: marketClose)
        + rows("40888 45104", .adapt)
        + rows(
            "43007 45112 40762 45133 25208 43006 45111 22034 45110 22038 40808", .adapt, on: marketClose)
        + rows("40774 45021 45020 43075 25236 25237", .adapt, on: marketClose)
    private static let fatal =
        rows("40001 40002 40003 40006 40011 40012 40036 40037 40041 40009", .fatalAccount, .none, .credentials)
        + rows("40018 40038 22010", .fatalAccount, .none, .ipBinding)
        + rows("40014 40025 40040 40199 40061 40068 40048", .fatalAccount, .none, .permission)
        + rows(
            "40013 40022 40023 40024 40026 40031 40710 40752 40753 40916 25006 25007", .fatalAccount, .none,
            .restricted)
        + rows("40000 40035 40100 40101 40103 40104 40111 40016", .fatalAccount, .none, .restricted)
        + rows("40099 22030 40105 40110", .fatalAccount, .none, .wrongEnvironment)
        + rows("40128 40854 40731", .fatalAccount, .none, .wrongAccountKind)
        + rows(
            "40017 400171 400172 40019 40020 40034 40053 40057 40072 40102 40811 40813 41101 43123 22004 22012",
            .fatalCall)
        + rows("40309 40845 41113 25104 40404 40007 40912 40304 40305 40402", .fatalCall)
        + rows("31001 31025 40732 31057 40850 40866 40864 40868 40867 40746", .fatalCall)
        + rows("31006 40865 31023", .retry) + rows("31009 40744 40858 43044 43064", .adapt)
        + rows("43065 45082 40857", .notFound)

    static let table = done + waiting + changing + fatal

    @Test("gives each code its one meaning", arguments: table)
    func meaning(row: Row) {
        // 2026-01-05, a Monday: outside every release window.
        let outcome = outcome(row.mutation, refusal(row.code, at: "1767585381615"))
        #expect(outcome.errorClass == row.errorClass)
        #expect(outcome.effect == row.effect)
        #expect(outcome.refusal == row.refusal)
        #expect(outcome.code == row.code)
        #expect((outcome.penalty != nil) == (row.errorClass == .rateLimited))
        let needsAction: Set<ErrorClass> = [.alreadyFlat, .notFound, .duplicateId]
        #expect(outcome.action != nil || needsAction.contains(row.errorClass))
    }

    @Test("gives each code the same meaning in a failure row", arguments: table)
    func meaningInRow(row: Row) throws {
        let body =
            #"{"code":"00000","requestTime":1767585381615,"data":{"successList":[],"failureList":"#
            + #"[{"orderId":"11","errorMsg":"x","errorCode":"\#(row.code)"}]}}"#
        guard row.mutation != marketClose else { return }
        let outcome = outcome(row.mutation, reply(body))
        #expect(outcome.rows.map(\.errorClass) == [row.errorClass])
        #expect(outcome.rows.map(\.code) == [row.code])
        #expect(outcome.effect == row.effect)
    }

    @Test("has a row for each code of the sheet but those of the account's family, once")
    func complete() {
        #expect(Self.table.count == 217)
        #expect(Set(Self.table.map(\.code)).count == Self.table.count)
    }

    @Test("never reads an effect into a code on a read", arguments: table)
    func onReads(row: Row) throws {
        for read in everyRead where read != .identity || row.code != "40014" {
            let failed = try #require(failure(answer(read, refusal(row.code, at: "1767585381615"))))
            #expect(failed.effect == .none)
            #expect(failed.errorClass != .alreadyFlat && failed.errorClass != .ok)
            if row.effect == .unknown { #expect(failed.errorClass == .retry) }
        }
    }

    @Test("keeps the meaning of a code to the calls it is said of")
    func byRoute() {
        for code in ["22002", "43043", "40859"] {
            #expect(outcome(cancelRegular, refusal(code)).effect == .unknown)
            #expect(outcome(marketClose, refusal(code)).errorClass == .alreadyFlat)
        }
        for code in ["22001", "40768", "40109"] {
            #expect(outcome(flashClose, refusal(code)).effect == .unknown)
            #expect(outcome(cancelPlan, refusal(code)).errorClass == .notFound)
        }
    }

    @Test("does not know a code that is not listed", arguments: ["99999", "00001", "0", "x y\n", "40 014"])
    func unlisted(code: String) throws {
        let text = code.replacing("\n", with: "\\n")
        for mutation in everyMutation {
            let outcome = outcome(mutation, refusal(text))
            #expect(outcome.effect == .unknown && outcome.errorClass == .unknown)
            #expect(!outcome.code.contains("\n"))
        }
        for read in everyRead {
            #expect(try #require(failure(answer(read, refusal(text)))).errorClass == .fatalCall)
        }
    }

    @Test(
        "takes a step error for noise only while the exchange releases software",
        arguments: [
            // 2026-01-05 is a Monday; times are UTC.
            ("1767596400000", ErrorClass.adapt),  // Monday 07:00
            ("1767679199000", .adapt), ("1767679200000", .unknown),  // Tuesday 05:59:59, 06:00:00
            ("1767689999000", .unknown), ("1767690000000", .adapt),  // Tuesday 08:59:59, 09:00:00
            ("1767769200000", .unknown), ("1767855600000", .unknown),  // Wednesday, Thursday 07:00
            ("1767942000000", .adapt), ("null", .unknown),  // Friday 07:00; no stamp
        ])
    func releaseWindow(stamp: String, expected: ErrorClass) {
        let outcome = outcome(marketClose, refusal("40808", at: stamp))
        #expect(outcome.errorClass == expected)
        #expect(outcome.effect == (expected == .unknown ? .unknown : .none))
    }

    @Test("does not let a missing right to cancel or to read orders stop the closes")
    func permissionByRoute() throws {
        #expect(outcome(flashClose, refusal("40014")).errorClass == .fatalAccount)
        for mutation in [cancelRegular, cancelPlan] {
            let outcome = outcome(mutation, refusal("40014"))
            #expect(outcome.errorClass == .fatalCall && outcome.refusal == .permission)
        }
        let list = Read.orders(product: usdt, list: "normal_plan", cursor: nil)
        #expect(try #require(failure(answer(list, refusal("40014")))).errorClass == .fatalCall)
        let positions = Read.positions(product: usdt, cursor: nil)
        #expect(try #require(failure(answer(positions, refusal("40014")))).errorClass == .fatalAccount)
    }
}

@Suite("Bitget's HTTP statuses")
struct StatusTests {
    @Test("close the route for a second after the exchange's own 429, which was not executed")
    func ownThrottle() {
        for mutation in everyMutation {
            let outcome = outcome(mutation, refusal("429", status: 429))
            #expect(outcome.effect == .none && outcome.errorClass == .rateLimited)
            let route = bitget.request(for: mutation, account: account()).route
            #expect(outcome.penalty == Outcome.PenaltyHint(limit: route, duration: .seconds(1)))
            #expect(bitget.profile.limit(route) != nil)
        }
        for read in everyRead {
            let failed = failure(answer(read, refusal("429", status: 429)))
            #expect(failed?.errorClass == .rateLimited && failed?.effect == Effect.none)
            #expect(failed?.penalty?.limit == bitget.request(for: read, account: account()).route)
        }
    }

    @Test(
        "leave the effect of a mutation unknown wherever the exchange's own refusal is missing",
        arguments: [
            (429, "<html>slow down</html>"), (429, ""), (429, #"{"code":"40017","msg":"x","requestTime":1}"#),
            (429, #"{"code":429}"#), (500, #"{"code":"40725","msg":"x","requestTime":1}"#),
            (503, #"{"code":"40200","msg":"x","requestTime":1}"#), (500, #"{"code":"429","msg":"x"}"#),
            (502, "<html>bad gateway</html>"), (504, ""), (520, "<html></html>"), (403, "<html>blocked</html>"),
            (403, ""), (404, "<html>openresty</html>"), (200, ""), (200, "<html></html>"), (302, ""),
            (200, #"{"message":"failure to get a peer from the ring-balancer"}"#),
            (200, #"{"code":1,"message":"System error"}"#), (200, #"{"code":0,"data":{"successList":[]}}"#),
            (400, #"{"code":"00000","data":{"successList":[{"orderId":"1"}],"failureList":[]}}"#),
            (500, #"{"code":"00000","data":{"successList":[{"orderId":"1"}],"failureList":[]}}"#),
            (500, #"{"code":"22002","msg":"x"}"#), (301, #"{"code":"22002","msg":"x"}"#),
        ])
    func unknown(status: Int, body: String) {
        for mutation in everyMutation {
            let outcome = outcome(mutation, reply(body, status: status))
            #expect(outcome.effect == .unknown && outcome.errorClass == .unknown)
            #expect(!outcome.code.isEmpty)
        }
        for read in everyRead {
            let failed = failure(answer(read, reply(body, status: status)))
            #expect(failed != nil && failed?.effect == Effect.none)
        }
    }

    @Test("tell an edge block from a refused key")
    func edgeBlock() throws {
        let outcome = outcome(flashClose, reply("<html>", status: 403))
        #expect(outcome.code == "http-403" && outcome.refusal == nil)
        #expect(try #require(outcome.action).contains("edge"))
        let read = failure(answer(.positions(product: usdt, cursor: nil), reply("", status: 403)))
        #expect(read?.code == "http-403" && read?.refusal == nil)
    }

    @Test("read a refusal under 200 as under 400, and accept `message` for `msg`")
    func refusalUnder200() {
        let body = #"{"code":"22002","message":"没有仓位","requestTime":1765292553209,"data":null}"#
        for status in [200, 400, 401, 422] {
            let outcome = outcome(flashClose, reply(body, status: status))
            #expect(outcome.errorClass == .alreadyFlat && outcome.effect == .none)
            #expect(outcome.message == "没有仓位")
        }
    }

    @Test("keep messages printable and short")
    func printable() {
        let long = String(repeating: "a", count: 500)
        let body = #"{"code":"40017","msg":"\u001b[2J\u202e\n\#(long)","requestTime":1}"#
        let message = outcome(flashClose, reply(body, status: 400)).message
        #expect(message.unicodeScalars.count == 200)
        #expect(message.hasPrefix("\u{FFFD}[2J\u{FFFD}\u{FFFD}aaa"))
    }
}
