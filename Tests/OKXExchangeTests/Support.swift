import ExchangeKit
import FlatbookCore
import OKXExchange

let okx = OKX()

func account(
    _ environment: TradingEnvironment = .production, types: [String]? = nil, site: String? = nil,
    level: String? = nil
) -> Account {
    var account = Account(name: "okx-hedge-1", exchange: ExchangeID("okx"), environment: environment)
    if let types { account.options["instrumentTypes"] = types }
    if let site { account.options["site"] = [site] }
    if let level { account.facts["acctLv"] = level }
    return account
}

func reply(_ text: String, status: Int = 200) -> VenueReply { VenueReply(status: status, body: Array(text.utf8)) }

/// Rows under the success code.
func list(_ rows: String...) -> VenueReply {
    reply(#"{"code":"0","msg":"","data":[\#(rows.joined(separator: ","))]}"#)
}

func refusal(_ code: String, status: Int = 200) -> VenueReply {
    reply(#"{"code":"\#(code)","data":[],"msg":"x"}"#, status: status)
}

func close(
    _ instrument: String = "BTC-USDT-SWAP", _ product: String = "SWAP", side: Side = .long,
    mode: PositionMode = .oneWay, marginMode: MarginMode = .cross, currency: String = "USDT", sized: Amount? = nil,
    frees: Bool? = nil, attempt: String? = nil
) -> CloseCall {
    let key = LegKey(
        account: "okx-hedge-1", product: product, instrument: instrument, side: side, marginMode: marginMode,
        marginCurrency: currency)
    return CloseCall(
        account: "okx-hedge-1",
        method: CloseMethod(
            operation: sized == nil ? "okx.close-position" : "okx.order", reach: .leg, isSized: sized != nil,
            modes: [mode], guaranteesSide: sized != nil || mode == .hedge),
        product: product, instrument: instrument, side: side, legs: [key], quantity: sized, marginMode: marginMode,
        marginCurrency: currency, mode: mode, notional: Amount(100), freesHeldSize: frees, attemptID: attempt)
}

func cancel(
    _ ids: [String] = ["11", "12"], list: String = "pending", instrument: String = "BTC-USDT-SWAP",
    product: String = "SWAP"
) -> CancelCall {
    CancelCall(
        account: "okx-hedge-1", operation: okx.profile.cancelOperations[list] ?? "", product: product,
        instrument: instrument, list: list, orderIDs: ids)
}

let closeWhole = Mutation.close(close())
let closeSized = Mutation.close(close(sized: Amount(1)))
let cancelPending = Mutation.cancel(cancel())
let cancelAlgo = Mutation.cancel(cancel(list: "trigger"))
let everyMutation = [closeWhole, closeSized, cancelPending, cancelAlgo]

let readPositions = Read.positions(product: "all", cursor: nil)
let readControl = Read.control(product: "all")

func readOrders(_ list: String = "pending", after cursor: String? = nil) -> Read {
    .orders(product: "all", list: list, cursor: cursor)
}

let everyRead: [Read] = [
    .serverTime, .identity, .instruments(product: "SWAP", cursor: nil),
    .instruments(product: "OPTION", cursor: "ETH-USD"), readPositions, readControl, readOrders(),
    readOrders("conditional,oco"), readOrders("trigger", after: "9"), readOrders("chase"),
]

func answer(
    _ read: Read, _ reply: VenueReply, of owner: Account = account(), book: InstrumentBook = InstrumentBook()
) -> ReadResult {
    okx.answer(to: read, in: reply, account: owner, instruments: book)
}

func outcome(_ mutation: Mutation, _ reply: VenueReply, of owner: Account = account()) -> Outcome {
    okx.outcome(of: mutation, in: reply, account: owner)
}

func failure(_ result: ReadResult) -> Outcome? {
    guard case .failed(let outcome) = result else { return nil }
    return outcome
}

func positions(_ result: ReadResult) -> [Position]? {
    guard case .answer(.positions(let rows, nil)) = result else { return nil }
    return rows
}

func orders(_ result: ReadResult) -> [RestingOrder]? {
    guard case .answer(.orders(let rows, _)) = result else { return nil }
    return rows
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
