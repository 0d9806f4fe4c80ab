import ExchangeKit
import FlatbookCore
import OKXExchange
import Testing

@Suite("OKX's positions")
struct PositionTests {
    private static let good = [
        "instType": #""SWAP""#, "instId": #""BTC-USDT-SWAP""#, "mgnMode": #""cross""#, "posSide": #""net""#,
        "pos": #""1""#, "ccy": #""USDT""#, "posCcy": #""""#, "posId": #""7""#, "avgPx": #""9""#, "markPx": #""10""#,
        "notionalUsd": #""100""#, "cTime": #""1723988225682""#,
    ]

    private func row(_ changes: [String: String?]) -> String {
        var fields = Self.good
        for (name, value) in changes { fields[name] = value }
        return "{" + fields.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    private func read(_ rows: String..., types: [String]? = nil, book: InstrumentBook = InstrumentBook())
        -> ReadResult
    {
        let body = #"{"code":"0","data":[\#(rows.joined(separator: ","))]}"#
        return answer(readPositions, reply(body), of: account(types: types), book: book)
    }

    private func only(_ changes: [String: String?], book: InstrumentBook = InstrumentBook()) -> Position? {
        let rows = positions(read(row(changes), book: book))
        return rows?.count == 1 ? rows?.first : nil
    }

    @Test(
        "of all four types say side, mode and symbol",
        arguments: [
            ("SWAP", "BTC-USDT-SWAP", "net", "-0.6", "", Side.short, PositionMode.oneWay, "BTC/USDT:USDT"),
            ("SWAP", "BTC-USD-SWAP", "net", "3", "", .long, .oneWay, "BTC/USD:BTC"),
            ("SWAP", "BTC-USD_UM-SWAP", "net", "3", "", .long, .oneWay, "BTC/USD:USD"),
            ("SWAP", "BTC-USDT-SWAP", "long", "3", "", .long, .hedge, "BTC/USDT:USDT"),
            ("SWAP", "BTC-USDT-SWAP", "short", "3", "", .short, .hedge, "BTC/USDT:USDT"),
            ("FUTURES", "BTC-USD-260327", "short", "2", "", .short, .hedge, "BTC/USD:BTC-260327"),
            ("OPTION", "BTC-USD-260327-60000-C", "net", "-1", "", .short, .oneWay, "BTC/USD:BTC-260327-60000-C"),
            ("MARGIN", "BTC-USDT", "net", "0.5", "BTC", .long, .oneWay, "BTC/USDT"),
            ("MARGIN", "BTC-USDT", "net", "0.5", "USDT", .short, .oneWay, "BTC/USDT"),
        ])
    func types(
        type: String, id: String, posSide: String, pos: String, posCcy: String, side: Side, mode: PositionMode,
        symbol: String
    ) {
        let position = only([
            "instType": "\"\(type)\"", "instId": "\"\(id)\"", "posSide": "\"\(posSide)\"", "pos": "\"\(pos)\"",
            "posCcy": "\"\(posCcy)\"",
        ])
        #expect(position?.key.product == type && position?.key.instrument == id)
        #expect(position?.key.side == side && position?.mode == mode && position?.symbol == symbol)
        #expect(position?.quantity.isNegative == false && position?.heldByOrders == .zero)
        #expect(position?.key.positionID == "7")
    }

    @Test("keep margin modes and margin currencies apart")
    func identities() {
        let rows = positions(
            read(
                row([:]), row(["mgnMode": #""isolated""#, "posId": #""8""#]),
                row(["ccy": #""BTC""#, "posId": #""9""#]), row(["posSide": #""long""#, "posId": #""""#]),
                row(["posSide": #""short""#, "posId": #""""#, "ccy": #""""#])))
        #expect(rows?.count == 5)
        #expect(Set(rows?.map(\.key) ?? []).count == 5)
        #expect(rows?[1].key.marginMode == .isolated && rows?[2].key.marginCurrency == "BTC")
        #expect(rows?[3].key.positionID == nil && rows?[4].key.marginCurrency == "")
    }

    @Test("named twice are no read")
    func duplicates() {
        #expect(failure(read(row([:]), row(["posId": #""8""#]))) != nil)
        #expect(failure(read(row([:]), row(["instId": #""btc-usdt-swap""#, "posId": #""8""#]))) != nil)
        #expect(failure(read(row([:]), row(["mgnMode": #""isolated""#]))) != nil)
    }

    @Test("of size zero are flat and nothing else of them is read")
    func flat() {
        let blank =
            #"{"instType":"SWAP","instId":"BTC-USDT-SWAP","pos":"0","posSide":"","mgnMode":"","avgPx":"","notionalUsd":"","cTime":""}"#
        #expect(positions(read(blank)) == [])
        // One instrument can have one for each margin mode and side.
        #expect(positions(read(blank, blank)) == [])
        #expect(positions(read(row(["pos": #""0.000""#, "markPx": "true", "cTime": "[]"]))) == [])
        #expect(positions(read(row([:]), blank))?.count == 1)
        // Not even the type and the instrument need be there.
        #expect(positions(read(#"{"pos":"0"}"#, #"{"instType":"","instId":"","pos":"0"}"#, row([:])))?.count == 1)
        #expect(failure(read(#"{"pos":"1"}"#)) != nil)
        let empty =
            #"{"instType":"SWAP","instId":"BTC-USDT-SWAP","pos":"","avgPx":"","notionalUsd":"","upl":"","imr":""}"#
        #expect(positions(read(empty)) == [])
    }

    @Test("without a size, or with an empty one beside signs of a position, are no read")
    func noSize() {
        for pos in [nil, "null", "{}", "true", #""x""#, #""1,5""#, #""0x1""#] as [String?] {
            #expect(failure(read(row(["pos": pos]))) != nil, "\(pos ?? "missing")")
        }
        #expect(failure(read(row(["pos": #""""#]))) != nil)
        #expect(failure(read(row(["pos": #""""#, "avgPx": #""""#, "notionalUsd": #""5""#]))) != nil)
    }

    @Test("of types not asked for, or of none of ours, are passed over; of a misspelt one of ours are no read")
    func otherTypes() {
        let events = row(["instType": #""EVENTS""#, "posSide": #""odd""#])
        #expect(positions(read(events)) == [])
        #expect(positions(read(row(["instType": #""FUTURES""#]), types: ["SWAP"])) == [])
        #expect(positions(read(row([:]), types: ["SWAP"]))?.count == 1)
        for type in [#""swap""#, #""SWAP ""#, #""7""#, "7"] { #expect(failure(read(row(["instType": type]))) != nil) }
    }

    @Test("with one wrong field are no read")
    func wrongFields() {
        #expect(only([:]) != nil)
        let wrong: [String: [String?]] = [
            "instType": [nil, "null", #""""#, "{}"], "instId": [nil, #""""#, "[]", "true"],
            "mgnMode": [nil, #""""#, #""portfolio""#, "1"], "posSide": [nil, #""""#, #""both""#, "null"],
            "ccy": ["[]", "true"], "posId": ["{}", "false"], "markPx": [#""x""#, #""-1""#, "[]"],
            "avgPx": [#""-1""#, "true"], "notionalUsd": [#""x""#, "[]"], "cTime": [#""x""#, "[]", #""-1""#],
        ]
        for (name, values) in wrong {
            for value in values {
                let failed = failure(read(row([name: value])))
                #expect(failed?.code == "malformed-reply", "\(name): \(value ?? "missing")")
                #expect(failed?.effect == Effect.none)
            }
        }
        #expect(failure(read(row(["posSide": #""long""#, "pos": #""-1""#]))) != nil)
        let margin = ["instType": #""MARGIN""#, "instId": #""BTC-USDT""#]
        for coin in [#""""#, #""ETH""#, "null"] { #expect(only(margin.merging(["posCcy": coin]) { $1 }) == nil) }
    }

    private static func book(_ id: String, _ symbol: String, _ product: String, _ value: String) -> InstrumentBook {
        InstrumentBook([
            Instrument(nativeID: id, symbol: symbol, product: product, contractValue: try? Amount(value))
        ])
    }

    @Test("are worth what the exchange says, unsigned, else contracts times their value")
    func notional() throws {
        #expect(only(["notionalUsd": #""-360.5""#])?.notional == (try Amount("360.5")))
        let linear = Self.book("BTC-USDT-SWAP", "BTC/USDT:USDT", "SWAP", "0.01")
        #expect(only(["notionalUsd": #""""#, "pos": #""-3""#], book: linear)?.notional == (try Amount("0.3")))
        let inverse = Self.book("BTC-USD-SWAP", "BTC/USD:BTC", "SWAP", "100")
        let changes = ["instId": #""BTC-USD-SWAP""#, "notionalUsd": #""""#, "pos": #""3""#]
        #expect(only(changes, book: inverse)?.notional == Amount(300))
        let option = Self.book("BTC-USD-260327-60000-C", "BTC/USD:BTC-260327-60000-C", "OPTION", "0.01")
        let optionRow = [
            "instType": #""OPTION""#, "instId": #""BTC-USD-260327-60000-C""#, "notionalUsd": #""""#, "pos": #""-2""#,
            "markPx": #""0.05""#, "idxPx": #""60000""#,
        ]
        #expect(only(optionRow, book: option)?.notional == Amount(1200))
        let margin = [
            "instType": #""MARGIN""#, "instId": #""BTC-USDT""#, "posCcy": #""BTC""#, "notionalUsd": #""""#,
            "pos": #""0.5""#,
        ]
        #expect(only(margin)?.notional == Amount(5))
        // Beyond all measure: a guard by value must not see a small number.
        let vast = [
            "pos": #""99999999999999999999999""#, "markPx": #""99999999999999999999999""#, "notionalUsd": #""""#,
        ]
        #expect(failure(read(row(vast), book: linear)) != nil)
    }

    @Test("of bought options in a spot account are closed as cross")
    func cash() { #expect(only(["mgnMode": #""cash""#])?.key.marginMode == .cross) }

    private func control(_ body: String, types: [String]? = nil) -> ReadResult {
        answer(readControl, reply(#"{"code":"0","data":\#(body)}"#), of: account(types: types))
    }

    @Test("in the risk snapshot are no flat account")
    func snapshot() {
        let open = #"[{"adjEq":"","balData":[],"posData":[{"instType":"SWAP","instId":"X","pos":"-1"}],"ts":"1"}]"#
        #expect(control(open) == .answer(.control(consistentWithFlat: false)))
        #expect(control(open, types: ["MARGIN"]) == .answer(.control(consistentWithFlat: true)))
        for flat in [#"[{"posData":[]}]"#, #"[{"posData":[{"instType":"SWAP","pos":"0"}]}]"#] {
            #expect(control(flat) == .answer(.control(consistentWithFlat: true)))
        }
        for odd in [
            "[]", "[{}]", "{}", #"[{"posData":null}]"#, #"[{"posData":{}}]"#, #"[{"posData":[1]}]"#,
            #"[{"posData":[{"pos":"0"}]}]"#, #"[{"posData":[{"instType":"SWAP"}]}]"#,
            #"[{"posData":[{"instType":"SWAP","pos":null}]}]"#, #"[{"posData":[]},{"posData":[]}]"#,
        ] { #expect(failure(control(odd)) != nil, "\(odd)") }
    }
}
