import ExchangeKit
import FlatbookCore
import OKXExchange
import Testing

/// Every code of `okx.md` §6, written down from the sheet, with what it means for a close or, where said, a cancel.
@Suite("OKX's error codes")
struct ErrorTableTests {
    struct Row: Sendable, CustomStringConvertible {
        var codes: [String]
        var status: Int
        var errorClass: ErrorClass
        var effect: Effect
        var refusal: Outcome.Refusal?
        var description: String { "\(codes.joined(separator: " ")) → \(errorClass)" }

        init(
            _ codes: String, _ status: Int, _ errorClass: ErrorClass, effect: Effect = .none,
            refusal: Outcome.Refusal? = nil
        ) {
            self.codes = codes.split(separator: " ").map(String.init)
            self.status = status
            self.errorClass = errorClass
            self.effect = effect
            self.refusal = refusal
        }

        init(_ codes: String, _ errorClass: ErrorClass, effect: Effect = .none, refusal: Outcome.Refusal? = nil) {
            self.init(codes, 200, errorClass, effect: effect, refusal: refusal)
        }
    }

    static let closes: [Row] = [
        Row("51023 51043 51169 51170 51112 51058 70064 59216 59300", .alreadyFlat),
        Row("51032 59218 51342", .retry),
        Row("50011 51113 58102", 429, .rateLimited), Row("50011 50061 50040 58102", .rateLimited),
        Row("50001", 503, .unknown, effect: .unknown), Row("50013", 429, .unknown, effect: .unknown),
        Row("50026 51054 51149", 500, .unknown, effect: .unknown), Row("50004", 400, .unknown, effect: .unknown),
        Row("50005", 410, .market), Row("50046 50062", .market),
        Row("50042 50071 51016 51011", .duplicateId, effect: .unknown),
        Row("50102 50112 50107", 401, .clockSkew), Row("51115", 429, .conflict),
        Row("51125 51126 51168 51206 51148 51134 51117 51167", .conflict),
        Row("51108 51207 51005 51101 51202 51203 51201 51185", .adapt),
        Row("51010 50016 51041 51128 50072 54075 51000 50014 50015 51173 51066 51144", .adapt),
        Row("51000 50014 50015", 400, .adapt), Row("51156 51159 51324", .adapt),
        Row("51022 51021 51027 51028 51029 51030 50023", .market),
        Row("54011 54012 54072 54094 51124 51110 51196 51197", .market),
        Row("54005 54006 54092 51155 50032 50033 50051 50052", .market),
        Row("51006 51031 51116 51135 51136 51137 51138 51109 54084 54085", .retry),
        Row("50017 50018 50019 50020 50021 50022 50009", .retry),
        Row("51037 51038 51209 51210 51211 51212 51213 51214", .retry),
        Row("51008 51127 51131 51119", .adapt),
        Row(
            "50103 50104 50105 50106 50108 50109 50111 50113 50114 50119", 401, .fatalAccount,
            refusal: .credentials),
        Row("50100", 400, .fatalAccount, refusal: .credentials),
        Row("50119", 200, .fatalAccount, refusal: .credentials),
        Row("50101", 401, .fatalAccount, refusal: .wrongEnvironment),
        Row("50110 50121", 401, .fatalAccount, refusal: .ipBinding),
        Row("50121", 200, .fatalAccount, refusal: .ipBinding),
        Row("50120 50030 50041", .fatalAccount, refusal: .permission),
        Row("50035", 403, .fatalAccount, refusal: .ipBinding),
        Row(
            "50007 50008 50012 50027 50028 50029 50059 50060 4088 51009 51024 51733 51341", .fatalAccount,
            refusal: .restricted),
        Row("59500 59604 59508 59510 58115", .fatalAccount, refusal: .restricted),
        Row("50067", .fatalAccount, refusal: .wrongEnvironment),
        Row("50000 50002 50006 50115 51111 51406", 400, .fatalCall),
        Row("50010 50024 50025 51001 51002 51015 51003 51501 54009", .fatalCall),
        // Of §1: not in demo, or in demo only.
        Row("50038 50053", .fatalCall),
    ]

    @Test("mean for a close what the sheet says, at the top and in an item", arguments: closes)
    func close(row: Row) {
        for code in row.codes {
            let top = outcome(closeWhole, refusal(code, status: row.status))
            #expect(top.errorClass == row.errorClass && top.effect == row.effect, "\(code)")
            #expect(top.refusal == row.refusal && top.code == code, "\(code)")
            let item = outcome(
                closeWhole, reply(#"{"code":"1","msg":"","data":[{"sCode":"\#(code)","sMsg":"x"}]}"#))
            #expect(item.errorClass == row.errorClass && item.effect == row.effect, "\(code)")
        }
    }

    @Test(
        "behind a 5xx leave open whether a close was executed", arguments: [500, 502, 503], ["51115", "51023", "50011"])
    func behindServerError(status: Int, code: String) {
        let found = outcome(closeWhole, refusal(code, status: status))
        #expect(found.effect == .unknown && found.errorClass == .unknown && found.code == code)
    }

    @Test("never depend on the HTTP status of a refusal where a code is given", arguments: [200, 400, 401, 403, 429])
    func anyStatus(status: Int) {
        #expect(outcome(closeWhole, refusal("51115", status: status)).errorClass == .conflict)
        #expect(outcome(closeWhole, refusal("51023", status: status)).errorClass == .alreadyFlat)
        #expect(outcome(closeWhole, refusal("50119", status: status)).refusal == .credentials)
        #expect(outcome(closeWhole, refusal("50011", status: status)).errorClass == .rateLimited)
    }

    @Test(
        "of orders that are gone let a cancel pass and tell a close nothing",
        arguments: "51400 51401 51402 51405 51503 51603 51063 51410 51416 51412".split(separator: " ").map(String.init))
    func gone(code: String) {
        for mutation in [cancelPending, cancelAlgo] {
            let found = outcome(mutation, refusal(code))
            #expect(found.errorClass == .notFound && found.effect == .none)
        }
        #expect(outcome(closeWhole, refusal(code)).effect == .unknown)
        #expect(outcome(cancelPending, refusal("51023")).effect == .unknown)
    }

    @Test("that the sheet does not list are unknown for a call and waited out on a read", arguments: ["99999", "1234"])
    func unlisted(code: String) {
        for mutation in everyMutation {
            let found = outcome(mutation, refusal(code))
            #expect(found.effect == .unknown && found.errorClass == .unknown)
        }
        for read in everyRead {
            #expect(failure(answer(read, refusal(code)))?.errorClass == .retry)
            #expect(failure(answer(read, refusal(code, status: 400)))?.errorClass == .retry)
            #expect(failure(answer(read, refusal(code, status: 500)))?.errorClass == .retry)
            let throttled = failure(answer(read, refusal(code, status: 429)))
            #expect(throttled?.errorClass == .rateLimited && throttled?.penalty?.duration == .seconds(2))
        }
    }

    @Test("with a sub-code count as the code before it, and short codes have none")
    func subCodes() {
        #expect(outcome(closeWhole, refusal("51115_1000")).errorClass == .conflict)
        for code in ["0_1", "_0", "0_", "1_0", "51115_", "51115_1_2"] {
            #expect(outcome(closeWhole, refusal(code)).effect == .unknown, "\(code)")
            #expect(failure(answer(readPositions, refusal(code))) != nil, "\(code)")
        }
    }

    @Test("of throttling close the route's own limit for two seconds")
    func penalty() {
        let cases: [(Mutation, String)] = [
            (closeWhole, "okx.close-position"), (closeSized, "okx.order"),
            (cancelPending, "okx.cancel-batch-orders"), (cancelAlgo, "okx.cancel-algos"),
        ]
        for (mutation, limit) in cases {
            let found = outcome(mutation, refusal("50011", status: 429))
            #expect(found.penalty == Outcome.PenaltyHint(limit: limit, duration: .seconds(2)))
            #expect(okx.profile.limit(limit) != nil)
        }
        // The limit of all new orders together is the one that closes, at the top and in an item.
        let item = #"{"code":"1","data":[{"ordId":"","sCode":"50061","sMsg":"x"}]}"#
        for found in [outcome(closeSized, refusal("50061")), outcome(closeSized, reply(item))] {
            #expect(found.penalty?.limit == "okx.new-orders")
        }
        #expect(outcome(closeWhole, refusal("50061")).penalty?.limit == "okx.close-position")
        #expect(okx.profile.route("okx.order")?.costs.contains { $0.limit == "okx.new-orders" } == true)
        let read = failure(answer(readPositions, refusal("50011", status: 429)))
        #expect(read?.errorClass == .rateLimited && read?.penalty?.limit == "okx.positions")
    }

    /// Those that speak of a position say nothing of an order.
    private static let closesOnly = Set(
        "51023 51043 51169 51170 51112 51058 70064 59216 59300 51032 59218 51342".split(separator: " ").map(String.init)
    )

    @Test("mean the same for a cancel, at the top and in an item, but for those of positions", arguments: closes)
    func cancels(row: Row) {
        for code in row.codes {
            let isOfClose = Self.closesOnly.contains(code)
            let effect = isOfClose ? .unknown : row.effect
            // A right that is missing is told of the cancel alone: closing goes on.
            let errorClass = isOfClose ? .unknown : row.refusal == .permission ? .fatalCall : row.errorClass
            for (mutation, id) in [(cancelPending, "ordId"), (cancelAlgo, "algoId")] {
                let top = outcome(mutation, refusal(code, status: row.status))
                #expect(top.errorClass == errorClass && top.effect == effect && top.rows.isEmpty, "\(code)")
                #expect(isOfClose || top.refusal == row.refusal, "\(code)")
                let items = ["11", "12"].map { #"{"\#(id)":"\#($0)","sCode":"\#(code)","sMsg":"x"}"# }
                let found = outcome(mutation, reply(#"{"code":"1","data":[\#(items.joined(separator: ","))]}"#))
                #expect(found.errorClass == errorClass && found.effect == effect, "\(code)")
                #expect(found.rows.map(\.orderID) == ["11", "12"], "\(code)")
            }
        }
    }

    @Test("on a read never claim an effect, and wait where nothing is wrong with the account", arguments: closes)
    func reads(row: Row) {
        let waits: Set<ErrorClass> = [.alreadyFlat, .unknown, .duplicateId, .retry]
        for code in row.codes {
            let expected = waits.contains(row.errorClass) ? .retry : row.errorClass
            #expect(
                failure(answer(readPositions, refusal(code, status: row.status)))?.errorClass == expected, "\(code)")
            for read in everyRead {
                // The documented way of saying that this site has no such algo orders.
                if read == readOrders("chase"), ["51000", "50016"].contains(code) { continue }
                // And of saying that no option of a family is listed.
                if case .instruments("OPTION", _) = read, code == "51001" { continue }
                let failed = failure(answer(read, refusal(code, status: row.status)))
                #expect(failed != nil && failed?.effect == Effect.none, "\(code)")
                #expect(failed?.errorClass != .alreadyFlat && failed?.errorClass != .ok, "\(code)")
            }
        }
    }

    @Test("of a missing right stop the account, but not for the lists and cancels of orders")
    func permission() {
        #expect(outcome(closeWhole, refusal("50120")).errorClass == .fatalAccount)
        #expect(failure(answer(readPositions, refusal("50120")))?.errorClass == .fatalAccount)
        #expect(outcome(cancelPending, refusal("50120")).errorClass == .fatalCall)
        #expect(outcome(cancelAlgo, refusal("50120")).errorClass == .fatalCall)
        #expect(failure(answer(readOrders(), refusal("50120")))?.errorClass == .fatalCall)
        #expect(failure(answer(readOrders("trigger"), refusal("50120")))?.errorClass == .fatalCall)
    }

    @Test("of a wrong site name the option to change")
    func site() {
        #expect(outcome(closeWhole, refusal("50119", status: 401)).action?.contains("options.site") == true)
    }
}
