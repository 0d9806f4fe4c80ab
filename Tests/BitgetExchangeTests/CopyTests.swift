import BitgetExchange
import ExchangeKit
import FlatbookCore
import Testing

@Suite("Bitget's copied positions")
struct CopyTests {
    private func envelope(_ data: String) -> VenueReply { reply(#"{"code":"00000","requestTime":1,"data":\#(data)}"#) }

    private func body(_ call: CloseCall) -> String {
        String(decoding: bitget.request(for: .close(call), account: follower).body, as: UTF8.self)
    }

    private static let good = [
        "trackingNo": #""900""#, "symbol": #""BTCUSDT""#, "posSide": #""long""#, "openSize": #""1""#,
        "openAvgPrice": #""10""#, "closeSize": #""0""#, "closeTime": #""0""#, "openTime": #""1767685000000""#,
    ]

    private func row(_ changes: [String: String?]) -> String {
        var fields = Self.good
        for (name, value) in changes { fields[name] = value }
        return "{" + fields.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    private func page(_ numbers: some Sequence<Int>, endID: String? = nil, cursor: String? = nil) -> ReadResult {
        let list = "[" + numbers.map { row(["trackingNo": "\"\($0)\""]) }.joined(separator: ",") + "]"
        let data = endID.map { #"{"trackingList":\#(list),"endId":\#($0)}"# } ?? list
        return answer(.positions(product: copyUSDT, cursor: cursor), envelope(data))
    }

    private func next(_ result: ReadResult) -> String? {
        guard case .answer(.positions(_, let next)) = result else { return "failed" }
        return next
    }

    private func copies(_ rows: String..., product: String = copyUSDT, book: InstrumentBook = InstrumentBook())
        -> [Position]?
    {
        let data = envelope("[" + rows.joined(separator: ",") + "]")
        guard
            case .answer(.positions(let found, _)) = answer(.positions(product: product, cursor: nil), data, book: book)
        else { return nil }
        return found
    }

    @Test("are asked for by product, in pages of a hundred")
    func requests() {
        let first = bitget.request(for: copyRead, account: account())
        #expect(first.path == "/api/v2/copy/mix-follower/query-current-orders")
        #expect(first.rawQuery == "limit=100&productType=USDT-FUTURES")
        let second = bitget.request(for: .positions(product: "copy:COIN-FUTURES", cursor: "77"), account: follower)
        #expect(second.rawQuery == "idLessThan=77&limit=100&productType=COIN-FUTURES")
        #expect(bitget.request(for: copyRead, account: account(.demo)).headers.contains(.init("paptrading", "1")))
    }

    @Test("are closed by side or by number, never by product alone")
    func closes() {
        let head = #"{"productType":"USDT-FUTURES","#
        #expect(body(followerClose(.short)) == head + #""symbol":"BTCUSDT","holdSide":"short"}"#)
        #expect(
            body(followerClose(.long, number: "1268210334554726403"))
                == head + #""trackingNo":"1268210334554726403","symbol":"BTCUSDT","holdSide":"long"}"#)
        #expect(
            body(followerClose(.short, number: "5", mode: .oneWay))
                == head + #""trackingNo":"5","symbol":"BTCUSDT","holdSide":"short"}"#)
        var call = followerClose(.long, number: "5")
        call.legs = []
        call.instrument = nil
        call.side = nil
        #expect(body(call) == head + #""trackingNo":"MISSING","symbol":"MISSING","holdSide":"MISSING"}"#)
        call.method.reach = .side
        #expect(body(call) == head + #""symbol":"MISSING","holdSide":"MISSING"}"#)
        // A reach that is not offered is never widened to.
        call.method.reach = .product
        #expect(body(call).contains(#""trackingNo":"MISSING""#))
        #expect(bitget.request(for: closeCopies, account: follower).path == "/api/v2/copy/mix-follower/close-positions")
    }

    @Test("page on below the last number, and end")
    func paging() {
        #expect(next(page(1...3)) == nil)
        #expect(next(page(1...3, endID: #""1""#)) == nil)
        #expect(next(page((1...100).reversed())) == "1")
        #expect(next(page((1...100).reversed(), endID: #""1""#)) == "1")
        #expect(next(page((1...100).reversed(), endID: "null", cursor: "101")) == "1")
        #expect(next(page((101...200).reversed(), cursor: "1000")) == "101")
        // The documented page where the limit is not heeded.
        #expect(next(page((1...20).reversed(), endID: #""1""#)) == "1")
        #expect(next(page((1...50).reversed())) == "1")
        #expect(next(page((1...20).reversed(), endID: #""1""#, cursor: "1")) == nil)
        #expect(next(page([Int]())) == nil)
        #expect(next(page([Int](), endID: #""""#, cursor: "1")) == nil)
        // A row that both pages show is one position.
        guard case .answer(.positions(let rest, nil)) = page([7, 6], cursor: "7") else {
            Issue.record("no second page")
            return
        }
        #expect(rest.map(\.key.positionID) == ["6"])
        // A full page that leads nowhere new cannot be known to be the last.
        for cursor in ["1", "0"] {
            #expect(failure(page((1...100).reversed(), cursor: cursor))?.code == "malformed-reply")
            #expect(failure(page((1...100).reversed(), endID: #""1""#, cursor: cursor))?.code == "malformed-reply")
        }
        #expect(
            failure(page((1...100).reversed(), endID: #""1190384645049036802""#, cursor: "1190384645049036801")) != nil)
    }

    @Test("count as one-way where their row does not say the mode")
    func modes() {
        #expect(copies(row([:]))?.map(\.mode) == [.oneWay])
        for name in ["posMode", "holdMode"] {
            #expect(copies(row([name: #""hedge_mode""#]))?.map(\.mode) == [.hedge])
            #expect(copies(row([name: #""one_way_mode""#]))?.map(\.mode) == [.oneWay])
            #expect(copies(row([name: #""net""#])) == nil)
        }
    }

    @Test("are worth what is left of them, and gone only when their row says so or is gone")
    func sizes() {
        #expect(copies(row(["closeSize": #""0.25""#]))?.map(\.quantity.description) == ["0.75"])
        for closed in [#""1""#, #""2""#, #""""#, "null", nil] {
            #expect(copies(row(["closeSize": closed]))?.map(\.quantity.description) == ["1"])
        }
        #expect(copies(row(["openSize": #""0""#])) == [])
        for time in [#""0""#, #""""#, "null", "0", nil] { #expect(copies(row(["closeTime": time]))?.count == 1) }
        for time in [#""1767685000001""#, "1767685000001"] { #expect(copies(row(["closeTime": time])) == []) }
    }

    @Test("carry the coin of their contract where their row does not name it")
    func coins() {
        #expect(copies(row([:]))?.map(\.key.marginCurrency) == ["USDT"])
        #expect(copies(row(["marginCoin": #""usdc""#]))?.map(\.key.marginCurrency) == ["USDC"])
        #expect(copies(row([:]), product: "copy:USDC-FUTURES")?.map(\.key.marginCurrency) == ["USDC"])
        let coin = "COIN-FUTURES"
        let book = InstrumentBook([Instrument(nativeID: "XBTUSD", symbol: "BTC/USD:BTC", product: coin)])
        #expect(
            copies(row(["symbol": #""xbtusd""#]), product: "copy:COIN-FUTURES", book: book)?.map(\.key.marginCurrency)
                == ["BTC"])
        #expect(
            copies(row(["symbol": #""ethusd""#]), product: "copy:COIN-FUTURES")?.map(\.key.marginCurrency) == ["ETH"])
        #expect(copies(row(["marginMode": #""cross""#]))?.map(\.key.marginMode) == [.cross])
        #expect(copies(row(["marginMode": #""isolated""#]))?.map(\.key.marginMode) == [.isolated])
    }

    @Test("with one wrong field are no read")
    func wrongField() {
        #expect(copies(row([:]))?.count == 1)
        let wrong: [String: [String?]] = [
            "trackingNo": [nil, "null", "\"\"", "{}"], "symbol": [nil, "\"\"", "true"],
            "posSide": [nil, "\"\"", "\"net\""], "openSize": [nil, "\"\"", "\"x\"", "\"-1\""],
            "openAvgPrice": [nil, "\"\"", "\"0\"", "\"x\""], "closeSize": ["\"-1\"", "{}"],
            "closeTime": ["\"x\"", "\"-1\"", "true"], "openTime": ["\"x\""], "marginMode": ["\"portfolio\""],
            "marginCoin": ["[]"],
        ]
        for (name, values) in wrong {
            for value in values { #expect(copies(row([name: value])) == nil, "\(name): \(value ?? "missing")") }
        }
        #expect(copies(row([:]), row(["symbol": #""ETHUSDT""#])) == nil, "two rows of one number")
        for data in [
            "null", "{}", "1", #""success""#, #"{"trackingList":{}}"#, #"{"endId":null}"#, "[null]", #"{"list":[]}"#,
        ] {
            #expect(failure(answer(copyRead, envelope(data)))?.code == "malformed-reply", "\(data)")
        }
    }

    @Test(
        "whose close is answered in no known shape leave its effect unknown",
        arguments: [
            "null", "{}", "[]", #""success""#, #"{"orderIdList":{}}"#, #"{"orderIdList":[""]}"#,
            #"{"orderIdList":[{}]}"#,
        ])
    func oddClose(data: String) {
        let outcome = outcome(closeCopies, envelope(data), of: follower)
        #expect(outcome.effect == .unknown && outcome.code == "malformed-reply")
    }

    @Test("are refused to keys without the right and to accounts that follow nobody")
    func refusedReads() throws {
        for code in ["40014", "40040", "40199"] {
            let failed = try #require(failure(answer(copyRead, refusal(code))))
            #expect(failed.errorClass == .fatalAccount && failed.refusal == .permission, "\(code)")
        }
        for code in ["31057", "31001", "31025", "40732", "40731", "40854"] {
            let failed = try #require(failure(answer(copyRead, refusal(code))))
            #expect(failed.errorClass == .fatalAccount && failed.refusal == .wrongAccountKind, "\(code)")
            #expect(failed.action != nil)
        }
        // Nothing but those: what is no refusal by right or kind must not look like a silo that does not exist.
        for code in ["40017", "40725", "45001", "40850", "43065", "99999", "22002"] {
            #expect(try #require(failure(answer(copyRead, refusal(code)))).refusal == nil, "\(code)")
        }
    }

    @Test(
        "say in the follower's call what else its codes mean",
        arguments: [
            ("43065", ErrorClass.notFound), ("45082", .notFound), ("40857", .notFound), ("31009", .adapt),
            ("40744", .adapt), ("43064", .adapt), ("31006", .retry), ("40865", .retry), ("31023", .retry),
            ("40866", .retry), ("40746", .retry), ("40733", .alreadyFlat), ("45106", .alreadyFlat),
            ("22002", .alreadyFlat), ("31057", .fatalCall), ("40019", .fatalCall), ("40009", .fatalAccount),
        ])
    func closeCodes(code: String, expected: ErrorClass) {
        let outcome = outcome(closeCopies, refusal(code), of: follower)
        #expect(outcome.errorClass == expected && outcome.effect == .none)
    }

    @Test("that the key may not close do not keep the plain positions open")
    func missingRight() {
        for code in ["40014", "40731", "40854"] {
            let copies = outcome(closeCopies, refusal(code), of: follower)
            #expect(copies.errorClass == .fatalCall && copies.refusal != nil, "\(code)")
            #expect(outcome(flashClose, refusal(code), of: follower).errorClass == .fatalAccount)
        }
        // On the plain calls the same family of codes names the role to set.
        #expect(outcome(flashClose, refusal("40866")).action?.contains("copy-follower") == true)
        #expect(outcome(flashClose, refusal("40866")).errorClass == .fatalCall)
    }
}
