import BingXExchange
import ExchangeKit
import FlatbookCore
import Testing

/// `bingx.md` §6.2 and §4, written from the sheet.
@Suite("BingX's errors")
struct ErrorTableTests {
    struct Case: Sendable, CustomStringConvertible {
        var code: String
        var text: String
        var close: ErrorClass
        var cancel: ErrorClass?
        var read: ErrorClass?
        var description: String { "\(code) \(text)" }
        init(
            _ code: String, _ text: String, _ close: ErrorClass, cancel: ErrorClass? = nil, read: ErrorClass? = nil
        ) {
            self.code = code
            self.text = text
            self.close = close
            self.cancel = cancel
            self.read = read
        }
    }

    static let cases: [Case] =
        [
            Case("101205", "No position to close", .alreadyFlat, cancel: .unknown, read: .fatalCall),
            Case("109420", "position not exist", .alreadyFlat, cancel: .unknown, read: .fatalCall),
            Case("80017", "position not exist", .alreadyFlat), Case("109422", "position not exist", .alreadyFlat),
            Case("109422", "order status illegal", .alreadyFlat, cancel: .notFound),
            Case("80018", "order is already filled, The order doesn't exist", .unknown, cancel: .notFound),
            Case("80016", "x", .unknown, cancel: .notFound), Case("109421", "x", .unknown, cancel: .notFound),
            Case("100404", "The order doesn't exist", .fatalCall, cancel: .notFound),
            Case("80001", "The order doesn't exist", .unknown, cancel: .notFound),
            Case("101400", "No position to close", .alreadyFlat), Case("80001", "No position to close", .alreadyFlat),
            Case("101290", "Reduce Only order can only decrease the position", .alreadyFlat),
            Case("80001", "actual position is occupied by a Limit Order", .conflict),
            Case("101481", "x", .duplicateId), Case("101400", "clientOrderID unique check failed", .duplicateId),
            Case("80019", "order is being processed", .unknown), Case("109423", "x", .unknown, read: .retry),
            Case("100400", "Gateway timeout", .unknown, read: .retry), Case("101500", "x", .unknown, read: .retry),
            Case("109500", "symbol not exist", .fatalCall, read: .fatalCall),
            Case("80001", "assets are being processed", .retry), Case("109400", "assets are being processed", .retry),
            Case("101514", "x", .retry), Case("101515", "x", .retry), Case("100410", "rate limited", .rateLimited),
            Case("109429", "can retry after time: 1773274715335", .rateLimited), Case("100409", "x", .rateLimited),
            Case("100421", "Null timestamp or timestamp mismatch", .clockSkew),
            Case("100421", "pair restricted", .fatalCall),
            Case("109400", "timestamp is invalid", .clockSkew, read: .clockSkew),
            Case("80014", "timestamp is invalid", .clockSkew), Case("109425", "symbol not exist", .fatalCall),
            Case("109400", "symbol not exist", .fatalCall), Case("100204", "x", .fatalCall),
            Case("80014", "API orders are temporarily disabled", .market),
            Case("109400", "API orders are temporarily disabled", .market),
            Case(
                "109400", "In the One-way mode, the 'PositionSide' field can only be set to BOTH.", .adapt),
            Case("109414", "In the Hedge mode, the 'ReduceOnly' field can not be filled.", .adapt),
            Case("109400", "copy trading signal in process", .retry), Case("101202", "x", .adapt),
            Case("101400", "The minimum order amount is 2 USDT", .adapt), Case("109430", "x", .conflict),
            Case("104103", "x", .fatalCall), Case("109401", "x", .fatalCall),
            Case("109400", "bad", .fatalCall, read: .fatalCall),
            Case("100400", "this api is not exist", .fatalCall), Case("100404", "path", .fatalCall),
            Case("109424", "order is being processed", .unknown), Case("109424", "paused", .market),
            Case("80012", #"{\"Code\":101253,\"Msg\":\"margin is not enough\"}"#, .unknown, read: .retry),
            Case("80012", #"{\"Code\":101205,\"Msg\":\"No position to close\"}"#, .alreadyFlat, read: .retry),
            Case("80012", "code:100410:The endpoint is limited", .rateLimited, read: .rateLimited),
            Case("555555", "novel", .unknown, cancel: .unknown, read: .fatalCall),
        ]
        + ["101212", "110203", "110424"].map { Case($0, "exceeds available", .conflict) }
        + ["109201", "101209"].map { Case($0, "same order number is only allowed once within 1 second", .duplicateId) }
        + ["80012", "109500", "110500", "100500", "100503", "109701"].map {
            Case($0, "The current system is busy", .unknown, cancel: .unknown, read: .retry)
        }
        + ["101214", "101219", "101412", "80020", "109403"].map { Case($0, "later", .retry, read: .retry) }
        + ["109415", "109418", "109417", "101415", "110280", "100490", "101413"].map { Case($0, "paused", .market) }
        + ["101485", "110422", "110425"].map { Case($0, "size", .adapt) }
        + [
            "100001", "100412", "100413", "100419", "100403", "100414", "100441", "101210", "101483",
            "101484", "104414",
        ].map { Case($0, "no", .fatalAccount, read: .fatalAccount) }
        // Reads of orders differ here: see ``permissionOfOrders()``.
        + [Case("100004", "Permission denied", .fatalAccount)]

    private func refused(_ row: Case) -> VenueReply { reply(#"{"code":\#(row.code),"msg":"\#(row.text)","data":{}}"#) }

    @Test("have the class of the sheet", arguments: cases)
    func classes(row: Case) {
        for mutation in [closeAll, closeOne, sized, closeCoin] {
            let outcome = outcome(mutation, refused(row))
            #expect(outcome.errorClass == row.close)
            let isOpen = row.close == .unknown || row.close == .duplicateId
            #expect(outcome.effect == (isOpen ? .unknown : Effect.none))
        }
        if let cancel = row.cancel { #expect(outcome(cancelTwo, refused(row)).errorClass == cancel) }
        for read in everyRead {
            let failed = failure(read, refused(row))
            #expect(failed?.effect == Effect.none)
            if let expected = row.read { #expect(failed?.errorClass == expected) }
        }
    }

    @Test(
        "of an account say why it cannot be used",
        arguments: [
            ("100413", Outcome.Refusal.credentials), ("100001", .credentials), ("100412", .credentials),
            ("100419", .ipBinding), ("100004", .permission), ("100403", .wrongAccountKind), ("100414", .restricted),
        ])
    func refusals(code: String, refusal: Outcome.Refusal) {
        #expect(failure(.identity, reply(#"{"code":\#(code),"msg":"no"}"#))?.refusal == refusal)
        #expect(outcome(closeAll, reply(#"{"code":"\#(code)","msg":"no"}"#)).refusal == refusal)
    }

    @Test("of the right to trade do not end an account where only orders are read or cancelled")
    func permissionOfOrders() {
        #expect(outcome(cancelTwo, refusal("100004", "no")).errorClass == .fatalCall)
        let orders = Read.orders(product: "swap", list: "orders", cursor: nil)
        #expect(failure(orders, refusal("100004", "no"))?.errorClass == .fatalCall)
    }

    @Test(
        "of a limit close the endpoint for as long as their text says",
        arguments: [
            ("rate limited", 1, nil), ("", 1, nil),
            (
                "code:100410:The endpoint trigger frequency limit rule is currently in the disabled period and will be "
                    + "unblocked after 1727193814249", 1, 1_727_193_814_249
            ),
            (
                "over 20 error code:100202 requests within 480000 ms, can retry after time: 1727193970155", 1,
                1_727_193_970_155
            ),
            ("can Retry After Time:1773274715", 1, 1_773_274_715_000),
            ("the endpoint is temporarily restricted", 300, nil), ("Too many repeated errors", 300, nil),
            ("will be unblocked after soon", 300, nil), ("can retry after time: 17", 300, nil),
            ("can retry after time: 99999999999999999999", 300, nil),
        ] as [(String, Int, Int64?)])
    func penalties(text: String, seconds: Int, until: Int64?) {
        for code in ["100410", "109429"] {
            let outcome = outcome(closeAll, refusal(code, text))
            #expect(outcome.effect == Effect.none && outcome.errorClass == .rateLimited)
            #expect(outcome.penalty?.limit == "bingx.close-all-positions")
            #expect(outcome.penalty?.duration == .seconds(seconds))
            #expect(outcome.penalty?.until?.milliseconds == until)
        }
    }

    @Test("of the gateway stop the address, and leave a mutation open unless the exchange's own code came along")
    func gateway() {
        for (status, seconds) in [(429, 60), (418, 300), (403, 300)] {
            let html = reply("<html></html>", status: status)
            #expect(outcome(closeAll, html).effect == .unknown)
            #expect(outcome(closeAll, html).penalty?.limit == "bingx.address")
            let read = failure(.positions(product: "swap", cursor: nil), html)
            #expect(read?.errorClass == .rateLimited)
            #expect(read?.penalty?.duration == .seconds(seconds))
        }
        let own = outcome(closeAll, refusal("100410", "rate limited", status: 429))
        #expect(own.effect == Effect.none && own.errorClass == .rateLimited)
        #expect(outcome(closeAll, refusal("100500", "x", status: 429)).effect == .unknown)
        for status in [500, 502, 504] {
            #expect(outcome(closeAll, refusal("100413", "x", status: status)).effect == .unknown)
            #expect(outcome(closeAll, reply("", status: status)).effect == .unknown)
            #expect(failure(.identity, reply("", status: status))?.errorClass == .retry)
        }
        #expect(outcome(closeAll, reply(#"{"code":0,"data":{"success":[1]}}"#, status: 404)).effect == .unknown)
    }
}
