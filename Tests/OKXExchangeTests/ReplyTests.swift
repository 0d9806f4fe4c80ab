import ExchangeKit
import FlatbookCore
import FlatbookTestKit
import Foundation
import OKXExchange
import Testing

@Suite("OKX's replies")
struct ReplyTests {
    private func recorded(_ name: String, status: Int = 200) throws -> VenueReply {
        try RecordedReply(name, status: status).reply(from: .module)
    }

    @Test("to reads, as recorded, have one reading")
    func reads() throws {
        #expect(
            answer(.serverTime, try recorded("time"))
                == .answer(.serverTime(WallTime(milliseconds: 1_790_000_000_123))))
        #expect(okx.serverTime(in: try recorded("time")) == WallTime(milliseconds: 1_790_000_000_123))
        #expect(answer(readPositions, try recorded("positions.flat")) == .answer(.positions([], next: nil)))
        #expect(answer(readOrders(), try recorded("orders.empty")) == .answer(.orders([], next: nil)))
        let identity = Identity(
            uid: "44705892343619584", parentUID: "44705892343610000", mayTrade: true, mayWithdraw: false,
            boundIPs: ["117.37.203.58"], positionMode: .hedge, accountKind: "futures",
            facts: ["acctLv": "2", "posMode": "long_short_mode"])
        for read in [Read.identity, .permissions, .settings] {
            #expect(answer(read, try recorded("config")) == .answer(.identity(identity)))
        }
        #expect(
            answer(.instruments(product: "SWAP", cursor: nil), try recorded("instruments.swap"))
                == .answer(
                    .instruments(
                        [
                            Instrument(
                                nativeID: "BTC-USDT-SWAP", symbol: "BTC/USDT:USDT", product: "SWAP",
                                quantityStep: try Amount("0.01"), minimumQuantity: try Amount("0.01"),
                                maximumMarketQuantity: Amount(12000), trading: .open,
                                contractValue: try Amount("0.01"))
                        ], next: nil)))
        var key = LegKey(
            account: "okx-hedge-1", product: "SWAP", instrument: "BTC-USDT-SWAP", side: .short, marginMode: .cross,
            marginCurrency: "USDT")
        key.positionID = "1725119205811617792"
        #expect(
            answer(readPositions, try recorded("positions.swap"))
                == .answer(
                    .positions(
                        [
                            Position(
                                key: key, symbol: "BTC/USDT:USDT", quantity: try Amount("0.6"),
                                notional: try Amount("360.5"), entryPrice: try Amount("60082.256"),
                                markPrice: try Amount("60087.9"), mode: .oneWay,
                                openedAt: WallTime(milliseconds: 1_723_988_225_682))
                        ], next: nil)))
    }

    @Test("to calls, as recorded, have one reading")
    func calls() throws {
        let accepted = outcome(closeWhole, try recorded("close.accepted"))
        #expect(accepted.effect == .executed && accepted.errorClass == .ok && accepted.orderIDs.isEmpty)
        let expected: [(String, Int, ErrorClass, Effect)] = [
            ("close.51115.orders-hold", 429, .conflict, .none), ("close.51023.no-position", 200, .alreadyFlat, .none),
            ("close.50011.throttled", 429, .rateLimited, .none), ("close.50011.number", 429, .rateLimited, .none),
            ("close.50011.http-200", 200, .rateLimited, .none), ("close.code-1.51000", 200, .adapt, .none),
            ("order.accepted", 200, .unknown, .unknown),
            ("close.50102.clock", 401, .clockSkew, .none), ("close.edge-500", 500, .unknown, .unknown),
            ("close.edge-403", 403, .unknown, .unknown), ("order.51603", 200, .unknown, .unknown),
        ]
        for (name, status, errorClass, effect) in expected {
            let found = outcome(closeWhole, try recorded(name, status: status))
            #expect(found.errorClass == errorClass && found.effect == effect, "\(name)")
        }
        #expect(outcome(cancelPending, try recorded("order.51603")).errorClass == .notFound)
        let mixed = outcome(cancelPending, try recorded("cancel.mixed"))
        #expect(mixed.effect == .executed && mixed.errorClass == .ok)
        #expect(mixed.rows.map(\.errorClass) == [.ok, .notFound])
        #expect(okx.serverTime(in: try recorded("cancel.mixed")) == WallTime(milliseconds: 1_790_000_001_000))
    }

    @Test("are all recorded for a test")
    func complete() throws {
        #expect(
            Set(try RecordedReply.names(in: .module)) == [
                "time", "config", "instruments.swap", "positions.swap", "positions.flat", "orders.empty",
                "close.accepted", "close.51115.orders-hold", "close.51023.no-position", "close.50011.throttled",
                "close.50011.number", "close.50102.clock", "close.edge-500", "close.edge-403", "cancel.mixed",
                "order.51603", "positions.hedge", "positions.all-types", "positions.zero-rows", "orders.pending",
                "orders.algo", "snapshot.open", "snapshot.flat", "close.50011.http-200", "close.code-1.51000",
                "order.accepted",
            ])
    }

    @Test(
        "that do not say what became of a close leave it unknown",
        arguments: [
            #"{"code":"0","msg":""}"#, #"{"code":"0","data":[],"msg":""}"#, #"{"code":"0","data":{},"msg":""}"#,
            #"{"code":"1","data":[],"msg":""}"#, #"{"code":"2","data":[],"msg":""}"#,
            #"{"code":"1","data":[{"sCode":"0"}]}"#, #"{"code":"51115","data":[{"sCode":"0"}]}"#,
            #"{"code":"0","data":[{"instId":"ETH-USDT-SWAP"}]}"#, #"{"code":"0","data":[{"clOrdId":"","tag":""}]}"#,
            #"{"code":"0","data":[{"ts":"1790000000123"}]}"#,
            #"{"code":"0","data":[{"instType":"SWAP","instId":"BTC-USDT-SWAP","pos":"1"}]}"#,
            #"{"code":"0","data":[{"instId":"BTC-USDT-SWAP"},{"instId":"BTC-USDT-SWAP"}]}"#,
        ])
    func unknownClose(body: String) {
        for mutation in [closeWhole, closeSized] { #expect(outcome(mutation, reply(body)).effect == .unknown) }
    }

    @Test("of success under another status than success leave the call unknown", arguments: [302, 400, 429, 500])
    func contradictory(status: Int) throws {
        #expect(outcome(closeWhole, try recorded("close.accepted", status: status)).effect == .unknown)
        #expect(failure(answer(readPositions, try recorded("positions.flat", status: status))) != nil)
    }

    @Test("with a code in an item under the success code are decided by the item")
    func itemDecides() {
        let body = #"{"code":"0","data":[{"instId":"BTC-USDT-SWAP","sCode":"51023","sMsg":"x"}]}"#
        #expect(outcome(closeWhole, reply(body)).errorClass == .alreadyFlat)
        // Under a code of a refusal too (§5): the item is about this very call.
        let both = #"{"code":"51000","data":[{"sCode":"50004","sMsg":"timeout"}]}"#
        #expect(outcome(closeWhole, reply(both, status: 400)).effect == .unknown)
        let gone = #"{"code":"51000","data":[{"instId":"BTC-USDT-SWAP","sCode":"51023"}]}"#
        #expect(outcome(closeWhole, reply(gone)).errorClass == .alreadyFlat)
        let empty = #"{"code":"51023","data":[{"instId":"BTC-USDT-SWAP","sCode":""}]}"#
        #expect(outcome(closeWhole, reply(empty)).errorClass == .alreadyFlat)
        let refused = #"{"code":"1","data":[{"sCode":"51000","sMsg":"Parameter posSide error"}]}"#
        #expect(outcome(closeWhole, reply(refused, status: 400)).errorClass == .adapt)
    }

    @Test("of a sized order give its id")
    func placed() {
        let body = #"{"code":"0","data":[{"ordId":"77","sCode":"0","sMsg":""}],"inTime":"1790000001000123"}"#
        let found = outcome(closeSized, reply(body))
        #expect(found.effect == .executed && found.orderIDs == ["77"])
        for body in [#"{"code":"0","data":[{"ordId":"77"}]}"#, #"{"code":"0","data":[{"sCode":"0"}]}"#] {
            #expect(outcome(closeSized, reply(body)).effect == .unknown)
        }
    }

    @Test("that echo another attempt's id are not the call's, an empty one is")
    func attempts() {
        let mutation = Mutation.close(close(attempt: "a1"))
        func effect(_ id: String) -> Effect {
            outcome(mutation, reply(#"{"code":"0","data":[{"clOrdId":"\#(id)","instId":"BTC-USDT-SWAP"}]}"#)).effect
        }
        #expect(effect("a1") == .executed && effect("") == .executed)
        #expect(effect("b2") == .unknown)
    }

    private func cancelled(_ items: String...) -> Outcome {
        outcome(cancelPending, reply(#"{"code":"1","data":[\#(items.joined(separator: ","))]}"#))
    }

    @Test("to a cancel answer for each order that was asked for, and for no other")
    func cancels() {
        let ok = #"{"ordId":"11","sCode":"0"}"#
        let gone = #"{"ordId":"11","sCode":"51400"},{"ordId":"12","sCode":"51401"}"#
        #expect(cancelled(gone).errorClass == .notFound && cancelled(gone).effect == .none)
        let partial = cancelled(ok)
        #expect(partial.effect == .partial)
        #expect(partial.rows.first { $0.orderID == "12" }?.errorClass == .unknown)
        #expect(cancelled(ok, ok).effect == .unknown)
        #expect(cancelled(ok, #"{"ordId":"13","sCode":"0"}"#).effect == .unknown)
        #expect(cancelled(#"{"ordId":"11"}"#).effect == .unknown)
        #expect(cancelled().effect == .unknown)
        let unnamed = cancelled(#"{"ordId":"","sCode":"50026"}"#, #"{"ordId":"","sCode":"51400"}"#)
        #expect(unnamed.rows.map(\.orderID) == ["11", "12"])
        #expect(unnamed.rows.map(\.errorClass) == [.unknown, .notFound])
        let refused = cancelled(#"{"ordId":"11","sCode":"51000_1"}"#, #"{"ordId":"12","sCode":"51000"}"#)
        #expect(refused.errorClass == .adapt && refused.effect == .none)
        let algo = outcome(
            cancelAlgo,
            reply(#"{"code":"0","data":[{"algoId":"11","sCode":"0"},{"algoId":"12","sCode":"51412"}]}"#))
        #expect(algo.rows.map(\.errorClass) == [.ok, .notFound])
    }

    @Test("without the exchange's envelope leave a call unknown, a 429 too", arguments: [200, 302, 403, 404, 429, 502])
    func foreign(status: Int) {
        for body in ["", "<html>Too Many Requests</html>", "null", "[]", "{}", #"{"code":"","data":[]}"#] {
            for mutation in everyMutation {
                #expect(outcome(mutation, reply(body, status: status)).effect == .unknown)
            }
            for read in everyRead {
                let failed = failure(answer(read, reply(body, status: status)))
                #expect(failed != nil && failed?.effect == Effect.none)
                if status == 429 { #expect(failed?.errorClass == .rateLimited) }
            }
        }
    }

    @Test("cut at any byte prove nothing", arguments: try RecordedReply.names(in: .module))
    func truncated(name: String) throws {
        let whole = try recorded(name).body
        // What stands behind the last brace, a line feed, is no part of the reply.
        let end = try #require(whole.lastIndex(of: UInt8(ascii: "}")))
        // One read with rows, one with a part that proves flatness, one that takes a refusal for an empty list.
        let reads = [readPositions, readControl, readOrders("chase")]
        for length in 0..<end {
            let cut = VenueReply(status: 200, body: Array(whole.prefix(length)))
            let proven = reads.filter { failure(answer($0, cut)) == nil }
            #expect(proven.isEmpty, "\(length)")
            #expect(outcome(closeWhole, cut).effect == .unknown, "\(length)")
            #expect(outcome(cancelPending, cut).effect == .unknown, "\(length)")
        }
    }

    @Test(
        "of hostile shape prove nothing",
        arguments: [
            #"{"code":"0","data":[],"code":"0"}"#, #"{"code":"0","data":[],"data":[]}"#, #"{"code":"0"}"#,
            #"{"code":"0","data":null}"#, #"{"code":"0","data":{}}"#, #"{"code":"0","data":"[]"}"#,
            #"{"code":"0","data":[null]}"#, #"{"code":"0","data":[1]}"#, #"{"code":"0","data":[[]]}"#,
            #"{"code":true,"data":[]}"#, #"{"code":null,"data":[]}"#, #"{"code":[],"data":[]}"#,
            #"{"code":"0.0","data":[]}"#, #"{"code":0e1,"data":[]}"#, #"{"code":" 0","data":[]}"#,
            #"[{"code":"0","data":[]}]"#, #"{"code":"0","data":[]}{}"#, #"{"Code":"0","data":[]}"#,
            #"{"code":"0","data":[],"error_code":"500"}"#, "\u{FEFF}{\"code\":\"0\",\"data\":[]}",
        ])
    func hostile(body: String) {
        for read in everyRead { #expect(failure(answer(read, reply(body))) != nil) }
        for mutation in everyMutation { #expect(outcome(mutation, reply(body)).effect == .unknown) }
    }

    @Test("that nest without end, or are huge, neither trap nor pass")
    func huge() {
        let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        let long = #"{"code":"0","msg":""# + String(repeating: "a", count: 5_000_000)
        for body in [#"{"code":"0","data":\#(deep)}"#, long] {
            #expect(failure(answer(readPositions, reply(body))) != nil)
            #expect(outcome(closeWhole, reply(body)).effect == .unknown)
        }
    }

    @Test("tell the exchange's time by its own stamps and never by those of prices")
    func stamps() {
        func time(_ body: String) -> WallTime? { okx.serverTime(in: reply(body)) }
        let stamp = WallTime(milliseconds: 1_790_000_001_000)
        #expect(time(#"{"code":"51115","data":[],"inTime":"1790000001000999"}"#) == stamp)
        #expect(time(#"{"code":"0","data":[],"outTime":"1790000001000999"}"#) == stamp)
        for body in [
            #"{"code":"0","data":[{"ts":"1790000000123","markPx":"1"}]}"#, #"{"code":"0","data":[]}"#,
            #"{"code":"0","data":[],"inTime":"-1790000001000999"}"#, #"{"code":"0","data":[],"inTime":"12"}"#,
            #"{"code":"0","data":[],"inTime":"99999999999999999999999"}"#, #"{"code":"0","data":[{"ts":"x"}]}"#,
            #"{"code":"0","data":[{"ts":"1"},{"ts":"2"}]}"#, "", "<html>",
        ] { #expect(time(body) == nil, "\(body)") }
    }
}
