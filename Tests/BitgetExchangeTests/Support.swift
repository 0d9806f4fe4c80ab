import BitgetExchange
import ExchangeKit
import FlatbookCore

let bitget = Bitget()
let usdt = "USDT-FUTURES"

func account(_ environment: TradingEnvironment = .production) -> Account {
    Account(name: "desk-a-01", exchange: ExchangeID("bitget"), environment: environment)
}

func reply(_ text: String, status: Int = 200) -> VenueReply { VenueReply(status: status, body: Array(text.utf8)) }

func refusal(_ code: String, status: Int = 400, at stamp: String = "1767685381615") -> VenueReply {
    reply(#"{"code":"\#(code)","msg":"x","requestTime":\#(stamp),"data":null}"#, status: status)
}

func leg(_ instrument: String = "BTCUSDT", _ side: Side = .long, mode: MarginMode = .cross) -> LegKey {
    LegKey(
        account: "desk-a-01", product: usdt, instrument: instrument, side: side, marginMode: mode,
        marginCurrency: "USDT")
}

func close(
    _ reach: Reach, side: Side? = nil, mode: PositionMode = .hedge, quantity: Amount? = nil,
    marginMode: MarginMode = .cross
) -> CloseCall {
    let isSized = reach == .leg
    return CloseCall(
        account: "desk-a-01",
        method: CloseMethod(
            operation: isSized ? "bitget.place-order" : "bitget.close-positions", reach: reach, isSized: isSized,
            modes: [mode], guaranteesSide: side != nil),
        product: usdt, instrument: reach == .product ? nil : "BTCUSDT", side: side,
        legs: [leg("BTCUSDT", side ?? .long, mode: marginMode)], quantity: quantity, marginMode: marginMode,
        marginCurrency: "USDT", mode: mode, notional: Amount(100))
}

func cancel(_ ids: [String] = ["11", "12"], list: String = "normal") -> CancelCall {
    CancelCall(
        account: "desk-a-01",
        operation: bitget.profile.cancelOperations[list] ?? "", product: usdt, instrument: "BTCUSDT", list: list,
        orderIDs: ids, marginCurrency: "USDT")
}

let flashClose = Mutation.close(close(.product))
let marketClose = Mutation.close(close(.leg, side: .long, mode: .oneWay, quantity: Amount(1)))
let cancelRegular = Mutation.cancel(cancel())
let cancelPlan = Mutation.cancel(cancel(list: "pos_loss"))
let everyMutation = [flashClose, marketClose, cancelRegular, cancelPlan]

let everyRead: [Read] = [
    .serverTime, .identity, .instruments(product: usdt, cursor: nil), .positions(product: usdt, cursor: nil),
    .orders(product: usdt, list: "normal/live", cursor: nil),
    .orders(product: usdt, list: "normal/partially_filled", cursor: "9"),
    .orders(product: usdt, list: "normal_plan", cursor: nil), .orders(product: usdt, list: "track_plan", cursor: nil),
    .orders(product: usdt, list: "profit_loss", cursor: "9"), .control(product: usdt),
]

func answer(
    _ read: Read, _ reply: VenueReply, book: InstrumentBook = InstrumentBook()
) -> ReadResult {
    bitget.answer(to: read, in: reply, account: account(), instruments: book)
}

func outcome(_ mutation: Mutation, _ reply: VenueReply) -> Outcome {
    bitget.outcome(of: mutation, in: reply, account: account())
}

func failure(_ result: ReadResult) -> Outcome? {
    guard case .failed(let outcome) = result else { return nil }
    return outcome
}
