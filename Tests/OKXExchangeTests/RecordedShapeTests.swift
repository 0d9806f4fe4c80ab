import ExchangeKit
import FlatbookCore
import FlatbookTestKit
import Foundation
import OKXExchange
import Testing

/// Lists in every shape of `okx.md` §3.3 and §3.4: the sheet's sample rows with other values, not captures.
@Suite("OKX's lists, as recorded")
struct RecordedShapeTests {
    private func recorded(_ name: String) throws -> VenueReply { try RecordedReply(name).reply(from: .module) }

    private func rows(_ name: String, types: [String]? = nil) throws -> [String]? {
        positions(answer(readPositions, try recorded(name), of: account(types: types)))?.map { position in
            let key = position.key
            return [
                key.product, position.symbol, key.side.rawValue, position.quantity.description, position.mode.rawValue,
                key.marginMode.rawValue, key.marginCurrency, String(key.positionID?.suffix(2) ?? ""),
                position.notional.description,
            ].joined(separator: " ")
        }
    }

    @Test("keep both sides and both margin modes of one instrument apart")
    func hedge() throws {
        #expect(
            try rows("positions.hedge") == [
                "SWAP BTC/USDT:USDT long 2.5 hedge cross USDT 01 1502.2",
                "SWAP BTC/USDT:USDT short 1 hedge cross USDT 02 600.9",
                "SWAP BTC/USDT:USDT long 0.3 hedge isolated USDT 03 180.3",
            ])
    }

    private static let allTypes = [
        "SWAP BTC/USD:BTC short 7 one-way cross BTC 11 700",
        "FUTURES BTC/USD:BTC-260327 long 4 one-way cross BTC 12 400",
        "OPTION BTC/USD:BTC-260327-60000-C short 2 one-way cross BTC 13 1201.8",
        "MARGIN BTC/USDT long 0.5 one-way cross USDT 14 30043.9",
        "MARGIN ETH/USDT short 3 one-way isolated ETH 15 3",
    ]

    @Test("read inverse, dated, option and margin positions, and pass over event contracts")
    func types() throws {
        #expect(try rows("positions.all-types") == Self.allTypes)
        for type in ["SWAP", "FUTURES", "OPTION", "MARGIN"] {
            #expect(try rows("positions.all-types", types: [type]) == Self.allTypes.filter { $0.hasPrefix(type) })
        }
    }

    @Test("find nothing open in rows of empty texts")
    func zeroRows() throws { #expect(try rows("positions.zero-rows") == []) }

    @Test("are closed by the very fields that the row gave")
    func closes() throws {
        let all = positions(answer(readPositions, try recorded("positions.all-types")))
        let hedge = positions(answer(readPositions, try recorded("positions.hedge")))
        var bodies: [String] = []
        for position in try #require(all) + (try #require(hedge)) {
            let key = position.key
            let call = close(
                key.instrument, key.product, side: key.side, mode: position.mode, marginMode: key.marginMode,
                currency: key.marginCurrency)
            bodies.append(text(okx.request(for: .close(call), account: account(level: "2")).body))
        }
        let tag = #","tag":"flatbook"}"#
        #expect(
            bodies == [
                #"{"instId":"BTC-USD-SWAP","mgnMode":"cross""# + tag,
                #"{"instId":"BTC-USD-260327","mgnMode":"cross""# + tag,
                #"{"instId":"BTC-USD-260327-60000-C","mgnMode":"cross""# + tag,
                #"{"instId":"BTC-USDT","mgnMode":"cross","ccy":"USDT""# + tag,
                #"{"instId":"ETH-USDT","mgnMode":"isolated""# + tag,
                #"{"instId":"BTC-USDT-SWAP","mgnMode":"cross","posSide":"long""# + tag,
                #"{"instId":"BTC-USDT-SWAP","mgnMode":"cross","posSide":"short""# + tag,
                #"{"instId":"BTC-USDT-SWAP","mgnMode":"isolated","posSide":"long""# + tag,
            ])
    }

    private func shown(_ name: String, list: String) throws -> [String]? {
        orders(answer(readOrders(list), try recorded(name)))?.map { order in
            let last = String(order.id.suffix(2))
            return [
                order.product, order.symbol, last, order.side.rawValue, order.effect.rawValue,
                order.protective ? "protective" : "-", order.marginCurrency ?? "-",
            ].joined(separator: " ")
        }
    }

    @Test("of orders tell entries from closes, and leave spot out")
    func pending() throws {
        #expect(
            try shown("orders.pending", list: "pending") == [
                "SWAP BTC/USDT:USDT 84 short closes - -", "SWAP BTC/USDT:USDT 83 long opens - -",
                "SWAP BTC/USDT:USDT 82 long closes - -", "MARGIN BTC/USDT 81 short opens - USDT",
            ])
        // The spot order, last of the page, is still where the next one starts.
        guard case .answer(.orders(_, let next)) = answer(readOrders(), try recorded("orders.pending")) else {
            Issue.record("the page must be read")
            return
        }
        #expect(next == "680800019749904380")
        #expect(failure(answer(readOrders(after: next), try recorded("orders.pending"))) != nil)
    }

    @Test("of algo orders tell TP/SL that close from triggers that open, paused ones too")
    func algos() throws {
        #expect(
            try shown("orders.algo", list: "conditional,oco") == [
                "SWAP BTC/USDT:USDT 84 short closes protective -", "SWAP BTC/USDT:USDT 83 long opens - -",
            ])
        // An algo list has no `ordId`, a list of orders no `algoId`: each is no page of the other.
        #expect(failure(answer(readOrders(), try recorded("orders.algo"))) != nil)
        #expect(failure(answer(readOrders("trigger"), try recorded("orders.pending"))) != nil)
    }

    @Test("of the risk snapshot say whether anything is open, in the types asked for")
    func snapshots() throws {
        let open = try recorded("snapshot.open")
        #expect(answer(readControl, open) == .answer(.control(consistentWithFlat: false)))
        #expect(
            answer(readControl, open, of: account(types: ["MARGIN"])) == .answer(.control(consistentWithFlat: true)))
        #expect(
            answer(readControl, try recorded("snapshot.flat")) == .answer(.control(consistentWithFlat: true)))
        // Neither is a list of positions, and a list of positions is no snapshot.
        #expect(failure(answer(readPositions, open)) != nil)
        #expect(failure(answer(readControl, try recorded("positions.swap"))) != nil)
    }

    @Test("of a placed order give its id and the exchange's time")
    func placed() throws {
        let accepted = try recorded("order.accepted")
        let found = outcome(closeSized, accepted)
        #expect(found.effect == .executed && found.errorClass == .ok && found.orderIDs == ["680800019749904384"])
        #expect(okx.serverTime(in: accepted) == WallTime(milliseconds: 1_790_000_001_101))
    }
}
