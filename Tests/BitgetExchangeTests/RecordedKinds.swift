import ExchangeKit
import FlatbookCore
import FlatbookTestKit

/// Recorded replies of copy trading (`bitget.md` §3.6) and of unified accounts (§3.10).
extension RecordedReplyTests {
    private static func copy(
        _ number: String, _ side: Side, _ mode: MarginMode = .cross, size: String, at price: String, worth: String,
        _ positionMode: PositionMode
    ) -> Position {
        Position(
            key: LegKey(
                account: "desk-a-01", silo: .copy, product: copyUSDT, instrument: "BTCUSDT", side: side,
                marginMode: mode, marginCurrency: "USDT", positionID: number),
            symbol: "BTC/USDT:USDT", quantity: amount(size), notional: amount(worth), entryPrice: amount(price),
            mode: positionMode, openedAt: WallTime(milliseconds: 1_767_685_000_000))
    }

    static let copyReadCases = [
        ReadCase(
            recorded: RecordedReply("copy.array"), read: copyRead,
            answer: .positions(
                [
                    copy(
                        "1268210334554726403", .long, size: "0.02", at: "93730.1", worth: "1874.602", .oneWay)
                ], next: nil)),
        ReadCase(
            recorded: RecordedReply("copy.object"), read: copyRead,
            answer: .positions(
                [copy("1268210334554726403", .short, .isolated, size: "0.3", at: "100", worth: "30", .hedge)],
                next: nil), owner: follower),
        ReadCase(
            recorded: RecordedReply("copy.flat-array"), read: copyRead, answer: .positions([], next: nil)),
        ReadCase(
            recorded: RecordedReply("copy.flat-object"), read: copyRead, answer: .positions([], next: nil)),
        ReadCase(
            recorded: RecordedReply("settings.classic"), read: .settings,
            answer: .identity(Identity(positionMode: .hedge, accountKind: "classic"))),
    ]

    static let unifiedReadCases = [
        ReadCase(
            recorded: RecordedReply("v3-settings.unified"), read: .identity,
            answer: .identity(Identity(uid: "1000007", positionMode: .oneWay, accountKind: "unified")),
            owner: unified),
        ReadCase(
            recorded: RecordedReply("v3-settings.switching"), read: .settings,
            answer: .identity(Identity(uid: "1000007", accountKind: "unified (switching)")), owner: unified),
        ReadCase(
            recorded: RecordedReply("v3-positions.hedge"), read: .positions(product: usdt, cursor: nil),
            answer: .positions(
                [
                    Position(
                        key: leg("BTCUSDT", .long, mode: .isolated), symbol: "BTC/USDT:USDT",
                        quantity: amount("0.75"), notional: amount("82.5"), entryPrice: amount("100"),
                        markPrice: amount("110"), heldByOrders: amount("0.25"), mode: .hedge,
                        openedAt: WallTime(milliseconds: 1_767_685_000_000))
                ], next: nil), owner: unified),
        ReadCase(
            recorded: RecordedReply("v3-positions.sheet"), read: .positions(product: usdt, cursor: nil),
            answer: .positions(
                [
                    Position(
                        key: leg("BTCUSDT", .short), symbol: "BTC/USDT:USDT", quantity: amount("2"),
                        notional: amount("100"), entryPrice: amount("50"), mode: .oneWay)
                ], next: nil), owner: unified),
        ReadCase(
            recorded: RecordedReply("v3-positions.flat"), read: .positions(product: usdt, cursor: nil),
            answer: .positions([], next: nil), owner: unified),
        ReadCase(
            recorded: RecordedReply("v3-positions.null"), read: .positions(product: usdt, cursor: nil),
            answer: .positions([], next: nil), owner: unified),
        ReadCase(
            recorded: RecordedReply("v3-orders.unfilled"), read: .orders(product: usdt, list: "unfilled", cursor: nil),
            answer: .orders(
                [
                    plain("1321461395365855233", "BTCUSDT", "BTC/USDT:USDT", .long, .closes),
                    plain("1321461395365855235", "ETHUSDT", "ETHUSDT", .short, .opens),
                    plain("1321461395365855236", "ETHUSDT", "ETHUSDT", .short, .closes),
                ], next: nil), owner: unified),
        ReadCase(
            recorded: RecordedReply("v3-orders.empty"), read: .orders(product: usdt, list: "unfilled", cursor: nil),
            answer: .orders([], next: nil), owner: unified),
        ReadCase(
            recorded: RecordedReply("v3-strategy.tpsl"),
            read: .orders(product: usdt, list: "strategy/tpsl", cursor: nil),
            answer: .orders(
                [
                    plain(
                        "1330984742276198400", "BTCUSDT", "BTC/USDT:USDT", .long, .closes, "strategy/tpsl",
                        protective: true),
                    plain("1330984742276198402", "BTCUSDT", "BTC/USDT:USDT", .long, .opens, "strategy/tpsl"),
                ], next: nil), owner: unified),
        ReadCase(
            recorded: RecordedReply("v3-strategy.trigger"),
            read: .orders(product: usdt, list: "strategy/trigger", cursor: nil),
            answer: .orders(
                [plain("1330984742276198402", "BTCUSDT", "BTC/USDT:USDT", .short, .opens, "strategy/trigger")],
                next: nil), owner: unified),
    ]

    private static func plain(
        _ id: String, _ instrument: String, _ symbol: String, _ side: Side, _ effect: RestingOrder.Effect,
        _ list: String = "unfilled", protective: Bool = false
    ) -> RestingOrder {
        RestingOrder(
            id: id, product: usdt, instrument: instrument, symbol: symbol, side: side, effect: effect, list: list,
            protective: protective)
    }

    static let copyMutationCases = [
        MutationCase(
            recorded: RecordedReply("follower-close.ids"), mutation: closeCopies, effect: .executed, errorClass: .ok,
            orderIDs: ["121212121212", liveID], owner: follower),
        MutationCase(
            recorded: RecordedReply("follower-close.empty"), mutation: closeCopies, effect: .none,
            errorClass: .alreadyFlat, owner: follower),
        MutationCase(
            recorded: RecordedReply("follower-close.null"), mutation: closeCopies, effect: .none,
            errorClass: .alreadyFlat, owner: follower),
        MutationCase(
            recorded: RecordedReply("follower-close.processed", status: 400), mutation: closeCopies, effect: .none,
            errorClass: .alreadyFlat, owner: follower),
    ]

    static let unifiedMutationCases = [
        MutationCase(
            recorded: RecordedReply("v3-close.done"), mutation: closeUnified, effect: .executed, errorClass: .ok,
            orderIDs: [liveID, "123", "124"], rows: ["- ok ", "- ok ", "ETHUSDT ok "], owner: unified),
        MutationCase(
            recorded: RecordedReply("v3-close.rows"), mutation: closeUnified, effect: .partial, errorClass: .ok,
            orderIDs: ["123"], rows: ["BTCUSDT ok ", "ETHUSDT market 25209", "- unknown 24056"], owner: unified),
        MutationCase(
            recorded: RecordedReply("v3-close.all-refused"), mutation: closeUnified, effect: .none,
            errorClass: .adapt, rows: ["- alreadyFlat 25227", "- adapt 25208"], owner: unified),
        MutationCase(
            recorded: RecordedReply("v3-close.flat", status: 400), mutation: closeUnified, effect: .none,
            errorClass: .alreadyFlat, owner: unified),
        MutationCase(
            recorded: RecordedReply("v3-close.null"), mutation: closeUnified, effect: .none, errorClass: .alreadyFlat,
            owner: unified),
        MutationCase(
            recorded: RecordedReply("v3-cancel.batch"), mutation: cancelUnified, effect: .partial, errorClass: .ok,
            orderIDs: ["11"], rows: ["- ok ", "- notFound 25204"], owner: unified),
        MutationCase(
            recorded: RecordedReply("v3-cancel.batch-list"), mutation: cancelUnified, effect: .executed,
            errorClass: .ok, orderIDs: ["11", "12"], rows: ["- ok ", "- ok "], owner: unified),
        MutationCase(
            recorded: RecordedReply("v3-cancel.strategy"), mutation: cancelStrategy, effect: .executed,
            errorClass: .ok, orderIDs: ["11"], rows: ["- ok "], owner: unified),
    ]
}
