import BingXExchange
import ExchangeKit
import FlatbookCore

let bingx = BingX()
let bitcoin = InstrumentBook([
    Instrument(nativeID: "BTC-USDT", symbol: "BTC/USDT:USDT", product: "swap"),
    Instrument(nativeID: "BTC-USD", symbol: "BTC/USD:BTC", product: "cswap", contractValue: Amount(100)),
])

func account(_ environment: TradingEnvironment = .production) -> Account {
    Account(name: "desk-a-01", exchange: ExchangeID("bingx"), environment: environment)
}

func reply(_ text: String, status: Int = 200) -> VenueReply { VenueReply(status: status, body: Array(text.utf8)) }
func success(_ data: String) -> VenueReply { reply(#"{"code":0,"msg":"","data":\#(data)}"#) }

func refusal(_ code: String, _ message: String, status: Int = 200) -> VenueReply {
    let quoted = message.replacing("\"", with: "\\\"")
    return reply(#"{"code":\#(code),"msg":"\#(quoted)","data":{}}"#, status: status)
}

func leg(_ instrument: String, _ side: Side, product: String = "swap", id: String? = nil) -> LegKey {
    LegKey(
        account: "desk-a-01", product: product, instrument: instrument, side: side, marginMode: .cross,
        marginCurrency: "USDT", positionID: id)
}

func close(
    _ operation: String, _ reach: Reach, _ instrument: String? = nil, mode: PositionMode = .hedge, side: Side? = nil,
    product: String = "swap", id: String? = nil, quantity: String? = nil, attempt: String? = nil
) -> Mutation {
    let quantity = quantity.flatMap { try? Amount($0) }
    let method = CloseMethod(
        operation: operation, reach: reach, isSized: quantity != nil, modes: [mode], guaranteesSide: false)
    return .close(
        CloseCall(
            account: "desk-a-01", method: method, product: product, instrument: instrument, side: side,
            legs: [leg(instrument ?? "BTC-USDT", side ?? .long, product: product, id: id)], quantity: quantity,
            mode: mode, notional: Amount(100), attemptID: attempt))
}

func cancel(_ ids: [String], list: String = "orders") -> Mutation {
    .cancel(
        CancelCall(
            account: "desk-a-01", operation: bingx.profile.cancelOperations[list] ?? "", product: "swap",
            instrument: "BTC-USDT", list: list, orderIDs: ids))
}

let closeAll = close("bingx.close-all-positions", .product)
let closeSymbol = close("bingx.close-all-positions", .symbol, "BTC-USDT")
let closeOne = close(
    "bingx.close-position", .leg, "LTC-USDT", side: .long, id: "1769649551460794368")
let sized = close("bingx.order", .leg, "ETH-USDT", mode: .oneWay, side: .long, quantity: "0.25")
let closeCoin = close("bingx.cswap-close-all-positions", .product, product: "cswap")
let cancelTwo = cancel(["1735924831603391122", "1735924833239172233"])
let cancelTWAP = cancel(["5596903086063901779"], list: "twap")
let everyMutation = [closeAll, closeSymbol, closeOne, sized, closeCoin, cancelTwo, cancelTWAP]

let everyRead: [Read] =
    [.serverTime, .identity, .permissions, .settings, .orders(product: "swap", list: "twap", cursor: nil)]
    + ["swap", "cswap"].flatMap { product -> [Read] in
        [
            .instruments(product: product, cursor: nil), .positions(product: product, cursor: nil),
            .control(product: product),
            .orders(product: product, list: product == "swap" ? "orders" : "cswap-orders", cursor: nil),
        ]
    }

func answer(_ read: Read, _ reply: VenueReply) -> ReadResult {
    bingx.answer(to: read, in: reply, account: account(), instruments: bitcoin)
}

func failure(_ read: Read, _ reply: VenueReply) -> Outcome? {
    guard case .failed(let outcome) = answer(read, reply) else { return nil }
    return outcome
}

func outcome(_ mutation: Mutation, _ reply: VenueReply) -> Outcome {
    bingx.outcome(of: mutation, in: reply, account: account())
}
