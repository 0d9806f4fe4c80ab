import FlatbookCore

/// A hand-made report with everything that a file format or a terminal could stumble over.
enum NastyReport {
    static let start: Int64 = 1_795_208_100_000  // 2026-11-20T20:55:00Z
    static func wall(_ milliseconds: Int64) -> WallTime { WallTime(milliseconds: start + milliseconds) }

    static let report = RunReport(
        run: RunReport.Run(
            id: "20261120T205500Z-eod-flatten-7f3a", plans: ["eod-flatten", "收盘\"平仓\""], planDigest: "sha256:01ab",
            environment: .production, status: "unknown", exitCode: 11, startedAt: wall(0), finishedAt: wall(61_234),
            deadline: wall(300_000), host: "desk\u{1B}[31m-1", version: "0.1.0", journalHead: "sha256:ff00",
            lateCloseUntil: wall(99_001)),
        totals: totals, accounts: accounts, legs: legs, calls: calls, limits: limits)

    static let empty = RunReport(
        run: RunReport.Run(
            id: "r", plans: [], planDigest: "", environment: .simulated, status: "flat", exitCode: 0,
            startedAt: wall(0), finishedAt: nil, deadline: wall(1), host: "", version: "", journalHead: "",
            lateCloseUntil: nil),
        totals: RunReport.Totals(), accounts: [], legs: [], calls: [], limits: [])

    private static let totals: RunReport.Totals = {
        var totals = RunReport.Totals()
        totals.accounts = 7
        totals.accountsFlat = 2
        totals.legs = 7
        totals.legsFlat = 2
        totals.notionalBefore = number("1284567.891234")
        totals.notionalAfter = number("1034567.891")
        totals.calls = 4
        totals.attempts = 5
        totals.reads = 41
        totals.rateLimitRejections = 1
        totals.ordersCancelled = 12
        totals.lowerBound = .milliseconds(6005)
        totals.exposureSeconds = number("61234567.89")
        totals.openOutsideSelection.accounts = 2
        totals.openOutsideSelection.legs = 3
        totals.openOutsideSelection.notional = number("77.5")
        return totals
    }()

    static func number(_ text: String) -> Amount { (try? Amount(text)) ?? .zero }

    static func account(
        _ name: String, _ state: FinalState, reason: String? = nil, legs: Int = 0, before: String = "0",
        after: String = "0", openers: Int = 0, error: ErrorNote? = nil, isDisabled: Bool = false
    ) -> RunReport.AccountRow {
        let isFlat = state == .flat || state == .alreadyFlat
        return RunReport.AccountRow(
            name: name, exchange: ExchangeID("bitget"), uid: isFlat ? "1190384645049036801" : nil, state: state,
            reason: reason, positionMode: isFlat ? .hedge : nil, evidence: isFlat ? "controlled" : nil,
            read: isFlat ? ["USDT-FUTURES", "COIN-FUTURES"] : [],
            notRead: [.init(silo: "copy", reason: "not read by \"this\" version, yet")], legs: legs,
            notionalBefore: number(before), notionalAfter: number(after),
            timeToFlat: isFlat ? .milliseconds(1007) : nil, openersRemain: openers, error: error,
            isDisabled: isDisabled)
    }

    private static let accounts: [RunReport.AccountRow] = [
        account("desk-a-01", .flat, legs: 2, before: "250000.000234", openers: 3),
        account("desk-a-02", .alreadyFlat),
        account(
            "台北-桌🙂", .residual, legs: 2, before: "1034500", after: "1034500",
            error: ErrorNote(
                errorClass: "market", exchangeCode: "40774",
                message: "instrument suspended, \"see notice\"\r\nsecond line\u{202E}txet", action: "close it by hand")),
        account("desk-a-03", .dust, reason: "below the smallest order", legs: 1, before: "0.004", after: "0.004"),
        account(
            "=HYPERLINK(\"http://x\";\"y\")", .unknown, reason: "+1 read failed\n@ line 2", legs: 2, before: "67.891"),
        account(
            "desk-a-04", .refused, reason: "@SUM(A1)",
            error: ErrorNote(
                errorClass: "fatalAccount", exchangeCode: "40018", message: "Invalid IP",
                action: "add this host's address to the key's list")),
        account("desk-a-05", .skipped, reason: "-locked by run r-1 of plan \"x\", host h, pid 7"),
        account("desk-a-99", .skipped, reason: "disabled: =cmd|' /C calc'!A0\t\u{7}", isDisabled: true),
    ]

    static func leg(
        _ account: String, _ instrument: String, _ side: Side, _ state: FinalState, before: String, after: String?,
        reason: String? = nil, error: ErrorNote? = nil
    ) -> RunReport.LegRow {
        let isFlat = state == .flat
        var row = RunReport.LegRow(
            key: LegKey(
                account: account, product: "USDT-FUTURES", instrument: instrument, side: side, marginMode: .cross,
                marginCurrency: "USDT", positionID: isFlat ? "77" : nil),
            exchange: ExchangeID("bitget"), symbol: "\(instrument.dropLast(4))/USDT:USDT",
            quantityBefore: number("0.015"), notionalBefore: number(before),
            entryPrice: isFlat ? number("64000.5") : nil, markPrice: isFlat ? number("-37.63") : nil, state: state,
            reason: reason, closedBy: isFlat ? "us" : nil, reopened: isFlat ? 0 : 1,
            quantityAfter: after.map(number), firstCallAt: isFlat ? wall(250) : nil,
            flatProvenAt: isFlat ? wall(1007) : nil,
            proof: isFlat
                ? [
                    .init(sentAt: wall(400), serverTime: wall(402), digest: "sha256:aa"),
                    .init(sentAt: wall(1000), serverTime: nil, digest: "sha256:bb"),
                ] : [],
            error: error)
        if isFlat {
            row.averagePrice = number("63998.25")
            row.slippageBps = number(side == .long ? "-0.35" : "1.2")
            row.fee = number("0.57598425")
            row.realizedPnl = number("-12.5")
        }
        row.notionalAfter = after == nil ? nil : isFlat ? .zero : number(before)
        return row
    }

    private static let legs: [RunReport.LegRow] = [
        leg("desk-a-01", "BTCUSDT", .long, .flat, before: "200000.000234", after: "0"),
        leg("desk-a-01", "ETHUSDT", .short, .flat, before: "50000", after: "0"),
        leg("台北-桌🙂", "DOGEUSDT", .long, .residual, before: "34500", after: "100.5", reason: "3 rounds, still open"),
        leg(
            "台北-桌🙂", "龙虾USDT", .short, .residual, before: "1000000", after: "9",
            error: ErrorNote(
                errorClass: "market", exchangeCode: "40774", message: "suspended\u{0}", action: "close it by hand")),
        leg("desk-a-03", "XRPUSDT", .long, .dust, before: "0.004", after: "0.015", reason: "below the smallest order"),
        leg("=HYPERLINK(\"http://x\";\"y\")", "BTCUSDT", .long, .unknown, before: "67", after: nil, reason: "no read"),
        leg(
            "=HYPERLINK(\"http://x\";\"y\")", "ETHUSDT", .long, .unknown, before: "0.891", after: nil, reason: "no read"
        ),
    ]

    private static let calls: [RunReport.CallRow] = [
        call("desk-a-01/1", message: "success", code: "00000", effect: .executed, .ok),
        call("台北-桌🙂/1", message: "-5", code: "-1", effect: .none, .market),
        call("台北-桌🙂/2", message: "=1+1,\"a\"\r\nb", code: "+400", effect: .partial, .retry, orders: ["11", "=12"]),
        call("desk-a-03/1", message: "\u{FF1D}1\u{2066}\u{2028}", code: "@x", effect: .none, .fatalCall),
        RunReport.CallRow(
            id: "=x/1", account: "=x", operation: "bitget.close-positions", target: "BTCUSDT", plannedAt: nil,
            sentAt: nil, answeredAt: nil, attempt: 2, effect: .unknown, errorClass: .unknown, exchangeCode: "",
            message: "no outcome was recorded", orderIDs: [], limitWait: .zero),
    ]

    private static func call(
        _ id: String, message: String, code: String, effect: Effect, _ errorClass: ErrorClass, orders: [String] = []
    ) -> RunReport.CallRow {
        RunReport.CallRow(
            id: id, account: String(id.dropLast(2)), operation: "bitget.close-positions", target: "BTCUSDT long",
            plannedAt: .milliseconds(-5), sentAt: wall(250), answeredAt: wall(312), attempt: 1, effect: effect,
            errorClass: errorClass, exchangeCode: code, message: message, orderIDs: orders,
            limitWait: .milliseconds(1200))
    }

    private static let limits: [RunClosing.LimitUse] = [
        .init(exchange: ExchangeID("bitget"), limit: limit, peakUsed: 1, rejections: 1)
    ]
    static let limit = RateLimit(
        id: "bitget.close-positions", scope: [.uid, .route], capacity: 1, window: .milliseconds(1000),
        source: "docs, \"Flash Close\" §1", readOn: "2026-11-01")
}
