import BingXExchange
import ExchangeKit
import FlatbookCore
import FlatbookTestKit
import Foundation
import Testing

/// Samples of `bingx.md` §3.2–§3.5, §5 and §10, each with its one reading. The position id of the close was changed.
@Suite("BingX's recorded replies")
struct RecordedReplyTests {
    struct Case: Sendable, CustomStringConvertible {
        var recorded: RecordedReply
        var mutation: Mutation
        var effect: Effect
        var errorClass: ErrorClass
        var orderIDs: [String]
        var description: String { recorded.description }
    }

    static let cases = [
        Case(
            recorded: RecordedReply("close-all.swap"), mutation: closeAll, effect: .executed, errorClass: .ok,
            orderIDs: ["1727686766700486656", "1727686767048613888"]),
        Case(
            recorded: RecordedReply("close-all.cswap"), mutation: closeCoin, effect: .executed, errorClass: .ok,
            orderIDs: ["1811673520637231104"]),
        Case(
            recorded: RecordedReply("close-position"), mutation: closeOne, effect: .executed, errorClass: .ok,
            orderIDs: ["1770656007907930112"]),
        Case(
            recorded: RecordedReply("order.filled"), mutation: sized, effect: .executed, errorClass: .ok,
            orderIDs: ["1745839584339562496"]),
        Case(
            recorded: RecordedReply("refused.signature"), mutation: closeAll, effect: Effect.none,
            errorClass: .fatalAccount, orderIDs: []),
    ]

    @Test("to mutations have one outcome", arguments: cases)
    func outcomes(recorded: Case) throws {
        let outcome = outcome(recorded.mutation, try recorded.recorded.reply(from: .module))
        #expect(outcome.effect == recorded.effect && outcome.errorClass == recorded.errorClass)
        #expect(outcome.orderIDs == recorded.orderIDs)
    }

    @Test("to a read of positions give the position")
    func positions() throws {
        let reply = try RecordedReply("positions.one-way").reply(from: .module)
        let position = Position(
            key: leg("LTC-USDT", .long, id: "1792480725958881280"), symbol: "LTC/USDT:USDT",
            quantity: try Amount("0.1"), notional: try Amount("7.3136"), entryPrice: try Amount("83.53"),
            markPrice: try Amount("73.14"), mode: .oneWay)
        #expect(
            answer(.positions(product: "swap", cursor: nil), reply) == .answer(.positions([position], next: nil)))
    }

    @Test("each have a test")
    func everyOne() throws {
        let tested = Self.cases.map(\.recorded.name) + ["positions.one-way"]
        #expect(try RecordedReply.names(in: .module) == tested.sorted())
    }
}
