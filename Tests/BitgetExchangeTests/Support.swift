import BitgetExchange
import ExchangeKit
import FlatbookCore

let bitget = Bitget()
let usdt = "USDT-FUTURES"

func account(
    _ environment: TradingEnvironment = .production, api: String? = nil, role: String? = nil, knownAs: String? = nil
) -> Account {
    var account = Account(name: "desk-a-01", exchange: ExchangeID("bitget"), environment: environment)
    if let api { account.options["api"] = [api] }
    if let role { account.options["role"] = [role] }
    if let knownAs { account.facts["api"] = knownAs }
    return account
}

let follower = account(role: "copy-follower")
let unified = account(knownAs: "unified")

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

/// Of a unified account.
let everyUnifiedRead: [Read] = [
    .identity, .settings, .positions(product: usdt, cursor: nil),
    .orders(product: usdt, list: "unfilled", cursor: nil), .orders(product: usdt, list: "strategy/tpsl", cursor: nil),
    .orders(product: usdt, list: "strategy/trigger", cursor: nil),
]

let copyUSDT = "copy:USDT-FUTURES"
let copyRead = Read.positions(product: copyUSDT, cursor: nil)

/// A close of copied positions: a side, or the one with this number.
func followerClose(_ side: Side? = .long, number: String? = nil, mode: PositionMode = .hedge) -> CloseCall {
    let key = LegKey(
        account: "desk-a-01", silo: .copy, product: copyUSDT, instrument: "BTCUSDT", side: side ?? .long,
        marginMode: .cross, marginCurrency: "USDT", positionID: number ?? "1")
    return CloseCall(
        account: "desk-a-01",
        method: CloseMethod(
            operation: "bitget.follower-close-positions", reach: number == nil ? .side : .leg, isSized: false,
            modes: [mode], guaranteesSide: true, silo: .copy),
        product: copyUSDT, instrument: "BTCUSDT", side: side, legs: [key], marginMode: number == nil ? nil : .cross,
        marginCurrency: "USDT", mode: mode, notional: Amount(100))
}

func unifiedClose(_ reach: Reach, side: Side? = nil) -> CloseCall {
    var call = close(reach, side: side)
    call.method.operation = "bitget.v3-close-positions"
    return call
}

func unifiedCancel(_ ids: [String] = ["11", "12"], list: String = "unfilled") -> CancelCall {
    cancel(ids, list: list)
}

let closeCopies = Mutation.close(followerClose())
let closeUnified = Mutation.close(unifiedClose(.product))
let cancelUnified = Mutation.cancel(unifiedCancel())
let cancelStrategy = Mutation.cancel(unifiedCancel(["11"], list: "strategy/tpsl"))
let newMutations = [closeCopies, closeUnified, cancelUnified, cancelStrategy]

func answer(
    _ read: Read, _ reply: VenueReply, book: InstrumentBook = InstrumentBook(), of owner: Account = account()
) -> ReadResult {
    bitget.answer(to: read, in: reply, account: owner, instruments: book)
}

func outcome(_ mutation: Mutation, _ reply: VenueReply, of owner: Account = account()) -> Outcome {
    bitget.outcome(of: mutation, in: reply, account: owner)
}

func failure(_ result: ReadResult) -> Outcome? {
    guard case .failed(let outcome) = result else { return nil }
    return outcome
}
