import ExchangeKit
import FlatbookCore
import OKXExchange
import Testing

@Suite("Positions that OKX closed itself")
struct EndingTests {
    private let read = Read.endings(product: "all")

    @Test("liquidation and auto-deleveraging are told apart, everything else says nothing")
    func types() throws {
        let types = ["1", "2", "3", "4", "5", "6", ""]
        let rows = types.map { type in
            #"{"instId":"BTC-USDT-SWAP","direction":"short","posId":"7","type":"\#(type)","uTime":"1790000000000"}"#
        }
        let answer = answer(read, reply(#"{"code":"0","data":[\#(rows.joined(separator: ","))],"msg":""}"#))
        guard case .answer(.endings(let endings)) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(endings.map(\.by) == [.liquidation, .liquidation, .adl, .adl])
        #expect(endings.allSatisfy { $0.side == .short && $0.positionID == "7" && $0.instrument == "BTC-USDT-SWAP" })
        #expect(endings.first?.at == WallTime(milliseconds: 1_790_000_000_000))
    }

    @Test("a refused history is no answer")
    func refused() {
        guard case .failed = answer(read, reply(#"{"code":"50011","data":[],"msg":""}"#, status: 429)) else {
            Issue.record("an answer was read from a refusal")
            return
        }
    }

    @Test("one read asks for all types")
    func request() {
        let reads = OKX().endingReads(of: account(), products: ["SWAP"])
        #expect(reads == [read])
        let request = OKX().request(for: read, account: account())
        #expect(request.path == "/api/v5/account/positions-history" && request.rawQuery == "limit=100")
    }
}
