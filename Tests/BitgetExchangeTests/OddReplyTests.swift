import BitgetExchange
import ExchangeKit
import FlatbookCore
import Testing

@Suite("Bitget's odd replies")
struct OddReplyTests {
    private func envelope(_ data: String) -> VenueReply { reply(#"{"code":"00000","requestTime":1,"data":\#(data)}"#) }

    @Test(
        "to reads are no reads",
        arguments: [
            "null", "{}", "1", "true", #""success""#, "[null]", "[1]", "[[]]", #"["x"]"#, #"{"list":[]}"#,
            #"{"entrustedList":{}}"#, #"{"entrustedList":"","endId":null}"#, #"{"endId":null}"#,
            #"{"serverTime":null}"#,
            #"{"serverTime":"12x"}"#, #"{"serverTime":""}"#, #"{"serverTime":-1}"#, #"{"userId":""}"#,
            #"{"userId":null}"#, #"{"userId":["1"]}"#, #"{"userId":"1","authorities":"coor"}"#,
            #"{"userId":"1","authorities":[1]}"#,
        ])
    func wrongData(data: String) {
        for read in everyRead {
            let failed = failure(answer(read, envelope(data)))
            #expect(failed?.code == "malformed-reply")
            #expect(failed?.effect == Effect.none && failed?.errorClass == .unknown)
        }
    }

    @Test(
        "without a whole envelope are no reads and no outcomes",
        arguments: [
            #"{"code":"00000","requestTime":1}"#, #"{"code":0,"data":[]}"#, #"{"code":null,"data":[]}"#,
            #"{"data":[]}"#, #"{"code":"","data":[]}"#, #"[{"code":"00000","data":[]}]"#,
            #"{"code":"00000","data":[],"code":"00000"}"#, #"{"code":"00000","data":[],"data":[]}"#,
            "\u{FEFF}{\"code\":\"00000\",\"data\":[]}", #"{"code":"00000","data":[]}{}"#,
            #"{"code":"00000","data":[]} x"#,
            "<!DOCTYPE html><html></html>", "", " ", "null", #"{"Code":"00000","data":[]}"#,
        ])
    func wrongEnvelope(body: String) {
        for read in everyRead {
            #expect(failure(answer(read, reply(body)))?.code == "malformed-reply")
        }
        for mutation in everyMutation {
            let outcome = outcome(mutation, reply(body))
            #expect(outcome.effect == .unknown && outcome.code == "malformed-reply")
        }
    }

    @Test("that nest without end are refused")
    func deep() {
        let deep = String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)
        #expect(failure(answer(.positions(product: usdt, cursor: nil), envelope(deep))) != nil)
        #expect(outcome(flashClose, envelope(deep)).effect == .unknown)
    }

    private static let good = [
        "symbol": #""BTCUSDT""#, "marginCoin": #""USDT""#, "holdSide": #""long""#, "total": #""1""#,
        "marginMode": #""crossed""#, "posMode": #""hedge_mode""#, "markPrice": #""10""#, "openPriceAvg": #""9""#,
        "locked": #""0""#, "cTime": #""1767685000000""#,
    ]

    private func row(_ changes: [String: String?]) -> String {
        var fields = Self.good
        for (name, value) in changes { fields[name] = value }
        return "{" + fields.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    private func positions(_ rows: String...) -> ReadResult {
        answer(.positions(product: usdt, cursor: nil), envelope("[" + rows.joined(separator: ",") + "]"))
    }

    @Test("with one wrong field in a position are no reads")
    func wrongField() {
        guard case .answer(.positions(let rows, _)) = positions(row([:])) else {
            Issue.record("the unchanged row must be read")
            return
        }
        #expect(rows.count == 1)
        let wrong: [String: [String?]] = [
            "symbol": [nil, "null", "\"\"", "{}", "true"], "marginCoin": [nil, "\"\"", "[]"],
            "holdSide": [nil, "\"\"", "\"net\"", "\"both\"", "null"],
            "total": [nil, "null", "\"\"", "\"1 BTC\"", "\"1,5\"", "\"NaN\"", "\"-1\"", "{}", "true", "\"0x1\""],
            "marginMode": [nil, "\"\"", "\"portfolio\""], "posMode": [nil, "\"\"", "\"net\""],
            "markPrice": ["\"x\"", "\"-1\"", "[]", "\"1e999\""], "openPriceAvg": ["\"-1\"", "true", "\" \""],
            "locked": ["\"-1\"", "\"x\""], "cTime": ["\"x\"", "\"-1\"", "[]", "\"99999999999999999999\""],
        ]
        for (name, values) in wrong {
            for value in values {
                #expect(
                    failure(positions(row([name: value])))?.code == "malformed-reply", "\(name): \(value ?? "missing")")
            }
        }
        #expect(failure(positions(row(["markPrice": "\"0\"", "openPriceAvg": "\"\""]))) != nil)
        #expect(
            failure(
                positions(row(["total": "\"99999999999999999999999\"", "markPrice": "\"99999999999999999999999\""])))
                != nil)
    }

    @Test("with two rows of one position are no reads, whatever the case of their symbols")
    func twoRows() {
        #expect(failure(positions(row([:]), row(["symbol": "\"btcusdt\"", "total": "\"0\""]))) != nil)
        guard
            case .answer(.positions(let rows, _)) = positions(
                row([:]), row(["holdSide": "\"short\""]), row(["symbol": "\"ETHUSDT\""]),
                row(["marginCoin": "\"USDC\""]))
        else {
            Issue.record("four positions must be read")
            return
        }
        #expect(Set(rows.map(\.key)).count == 4)
    }

    @Test("of the account list without a row, a currency or a result prove nothing")
    func control() {
        let control = Read.control(product: usdt)
        for data in [
            "[]", #"[{"unrealizedPL":"0"}]"#, #"[{"marginCoin":"USDT"}]"#,
            #"[{"marginCoin":"USDT","unrealizedPL":"x"}]"#, #"[{"marginCoin":"USDT","unrealizedPL":[]}]"#,
        ] {
            #expect(failure(answer(control, envelope(data)))?.code == "malformed-reply", "\(data)")
        }
    }

    @Test(
        "of the account list with any result are inconsistent with flat",
        arguments: ["unrealizedPL", "crossedUnrealizedPL", "isolatedUnrealizedPL"])
    func controlOpen(field: String) {
        var fields = ["unrealizedPL": "0", "crossedUnrealizedPL": "", "isolatedUnrealizedPL": "0.0"]
        fields[field] = "-1e-8"
        let text = fields.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\"\($0.value)\"" }.joined(separator: ",")
        let data = #"[{"marginCoin":"USDT",\#(text)}]"#
        #expect(answer(.control(product: usdt), envelope(data)) == .answer(.control(consistentWithFlat: false)))
    }

    @Test(
        "to a flash close leave its effect unknown",
        arguments: [
            "null", "{}", "[]", #""success""#, #"{"result":false}"#, #"{"successList":{}}"#,
            #"{"successList":"","failureList":[]}"#, #"{"successList":[{}],"failureList":[]}"#,
            #"{"successList":[1]}"#, #"{"successList":[{"orderId":""}]}"#, #"{"successList":[{"orderId":{}}]}"#,
            #"{"successList":[{"orderId":"1","symbol":[]}]}"#, #"{"successList":[{"orderId":"1"}],"failureList":[7]}"#,
            #"{"successList":[{"orderId":"1"}],"failureList":[{"errorCode":{}}]}"#,
            #"{"successList":[{"orderId":"1"}],"failureList":{}}"#,
        ])
    func oddClose(data: String) {
        let outcome = outcome(flashClose, envelope(data))
        #expect(outcome.effect == .unknown && outcome.errorClass == .unknown && outcome.code == "malformed-reply")
    }

    @Test(
        "to a market order leave its effect unknown",
        arguments: ["null", "{}", "[]", #""success""#, #"{"orderId":"","clientOid":""}"#, #"{"orderId":{}}"#])
    func oddPlace(data: String) {
        #expect(outcome(marketClose, envelope(data)).effect == .unknown)
    }

    @Test(
        "to a cancel prove only what they name",
        arguments: [
            (#"{"successList":[],"failureList":[]}"#, Effect.unknown),
            (#"{"successList":[{"orderId":"99"}],"failureList":[]}"#, .unknown),
            (#"{"successList":[{"orderId":"11"},{"orderId":"12"},{"orderId":"13"}]}"#, .unknown),
            (#"{"successList":[{"orderId":"11"}],"failureList":null}"#, .partial),
            (#"{"successList":[{"orderId":"11"},{"orderId":12}]}"#, .executed),
            (#"{"successList":null,"failureList":[{"orderId":"11","errorCode":"40768"}]}"#, Effect.none),
        ])
    func oddCancel(data: String, effect: Effect) {
        #expect(outcome(cancelRegular, envelope(data)).effect == effect)
    }

    @Test("with an unlisted status or a bad step still give a list of contracts, or none at all")
    func contracts() {
        let read = Read.instruments(product: "USDC-FUTURES", cursor: nil)
        let good =
            #"[{"symbol":"btcperp","baseCoin":"BTC","symbolStatus":"novel","volumePlace":"3","sizeMultiplier":""}]"#
        guard case .answer(.instruments(let list, nil)) = answer(read, envelope(good)) else {
            Issue.record("no answer")
            return
        }
        #expect(list.map(\.nativeID) == ["BTCPERP"])
        #expect(list.map(\.symbol) == ["BTC/USDC:USDC"])
        #expect(list.map(\.trading) == [.open])
        #expect(list.map { $0.quantityStep?.description } == ["0.001"])
        for bad in [
            #"[{"symbol":"A"}]"#, #"[{"baseCoin":"A"}]"#, #"[{"symbol":"A","baseCoin":"A","volumePlace":"-1"}]"#,
            #"[{"symbol":"A","baseCoin":"A","volumePlace":"99"}]"#,
            #"[{"symbol":"A","baseCoin":"A","minTradeNum":"x"}]"#,
            #"[{"symbol":"A","baseCoin":"A"},{"symbol":"a","baseCoin":"A"}]"#,
        ] {
            #expect(failure(answer(read, envelope(bad))) != nil, "\(bad)")
        }
    }
}
