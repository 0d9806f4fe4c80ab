import FlatbookCore

/// One row of the error table (§6): codes that mean the same for the calls named.
struct OKXErrorRow: Sendable {
    enum Calls: Sendable { case all, closes, cancels }

    var codes: [String]
    var errorClass: ErrorClass
    var calls: Calls
    var refusal: Outcome.Refusal?
    /// What stands in the way: the reason by name.
    var obstacle: Obstacle?
    /// What the operator can do.
    var action: String?

    init(
        _ codes: String, _ errorClass: ErrorClass, on calls: Calls = .all, refusal: Outcome.Refusal? = nil,
        because obstacle: Obstacle? = nil, _ action: String? = nil
    ) {
        self.codes = codes.split(separator: " ").map(String.init)
        self.errorClass = errorClass
        self.calls = calls
        self.refusal = refusal
        self.obstacle = obstacle
        self.action = action
    }
}

/// Every code of §6.
enum OKXErrorTable {
    static let closeRoutes: Set<String> = [OKXRoute.closePosition, OKXRoute.order]
    static let cancelRoutes: Set<String> = [OKXRoute.cancelOrder, OKXRoute.cancelOrders, OKXRoute.cancelAlgos]
    static let orderRoutes = cancelRoutes.union([OKXRoute.orders, OKXRoute.algos])

    static let rows: [OKXErrorRow] = nothingToDo + passing + unknown + shaped + key + account + instrument + call

    static func row(_ code: String, route: String) -> OKXErrorRow? {
        index[code]?.first {
            switch $0.calls {
            case .all: true
            case .closes: closeRoutes.contains(route)
            case .cancels: cancelRoutes.contains(route)
            }
        }
    }

    private static let index: [String: [OKXErrorRow]] = {
        var index: [String: [OKXErrorRow]] = [:]
        for row in rows { for code in row.codes { index[code, default: []].append(row) } }
        return index
    }()

    private static let nothingToDo = [
        OKXErrorRow("51023 51043", .alreadyFlat, on: .closes),
        OKXErrorRow("51169 51170 51112 51058", .alreadyFlat, on: .closes),
        OKXErrorRow("70064 59216 59300", .alreadyFlat, on: .closes),
        // A close is under way already and may take seconds: wait between looks, or the rounds are used up meanwhile.
        OKXErrorRow("51032 59218 51342", .retry, on: .closes, "A close of this position is under way already."),
        OKXErrorRow("51400 51401 51402 51405 51503 51603 51063 51410 51416 51412", .notFound, on: .cancels),
    ]

    private static let passing = [
        OKXErrorRow(
            "50011 50061 51113 50040 58102", .rateLimited,
            "Lower the plan's share if other programs use this account or address."),
        OKXErrorRow("50001", .unknown, "The exchange is in maintenance; look at its status page."),
        OKXErrorRow(
            "50005 50046 50062", .market, because: .barred,
            "The exchange has switched this function off; close on its site."),
        OKXErrorRow(
            "50017 50018 50019", .retry, because: .adl, "Auto-deleveraging is running; the position is read again."),
        OKXErrorRow(
            "50020 50021 50022 50009", .retry, because: .liquidation,
            "The exchange is liquidating the account and handles it itself."),
        OKXErrorRow(
            "51037 51038 51209 51210 51211 51212 51213 51214", .retry,
            because: .riskControl,
            "The account may only send orders that reduce its risk, one for each underlying at a time."),
        OKXErrorRow(
            "51006 51031 51116 51135 51136 51137 51138 51109 54084 54085", .retry,
            because: .illiquid,
            "The price is outside the band that the exchange allows, or nobody offers; it is tried again."),
    ]

    private static let unknown = [
        OKXErrorRow("50013", .unknown, "The exchange was too busy; the positions show whether the call was done."),
        OKXErrorRow(
            "50026 50004 51054 51149", .unknown,
            "The exchange failed while handling the call; the positions show whether it was done."),
        OKXErrorRow("50042 50071 51016 51011", .duplicateId),
    ]

    private static let shaped = [
        OKXErrorRow(
            "51115 51125 51126 51168 51206 51148 51134 51117", .conflict,
            because: .held, "The account's own closing orders hold the position; cancel them."),
        OKXErrorRow("51167", .conflict, because: .held, "A block-trade order is pending; cancel it on the site."),
        OKXErrorRow(
            "51108 51207", .adapt, because: .tooLarge,
            "The position is larger than one market close may be; close it in parts."),
        OKXErrorRow(
            "51005 51101 51202 51203 51201 51185", .adapt, because: .tooLarge,
            "The order is larger than the exchange allows at once."),
        // Of orders; the sheet does not list 51020, the simulator of this project and common clients do.
        OKXErrorRow(
            "51020", .adapt, because: .tooSmall,
            "The size is below the smallest order; close the whole position on the site."),
        OKXErrorRow(
            "51121", .adapt, because: .step,
            "The size does not fit the contract's lot; report it as an error of flatbook."),
        OKXErrorRow(
            "51010 50016 51041 51128 50072 54075", .adapt,
            because: .mode, "The account mode does not allow this; check the account's settings on the site."),
        OKXErrorRow(
            "51000 50014 50015", .adapt, because: .mode,
            "The account's position mode may have changed; it is read again."),
        OKXErrorRow(
            "51173", .adapt, because: .mode, "The margin position has no debt; sell or buy the coins on the site."),
        OKXErrorRow("51066", .adapt, because: .mode, "Options take no market orders; close this option on the site."),
        OKXErrorRow(
            "51144", .adapt, because: .mode, "This position must be closed with another currency; see the message."),
        OKXErrorRow(
            "51156 51159 51324", .adapt, because: .copyTrading,
            "A lead trader's position is closed by the copy-trading page."),
        OKXErrorRow(
            "50102 50112 50107", .clockSkew, "Check that this host's clock is synchronised."),
    ]

    private static let key = [
        OKXErrorRow(
            "50100 50103 50104 50105 50106 50108 50109 50111 50114", .fatalAccount, refusal: .credentials,
            "Check key, secret and passphrase of this account."),
        OKXErrorRow(
            "50113", .fatalAccount, refusal: .credentials,
            "Check the secret of this account; if every account says so, report it as an error of flatbook."),
        OKXErrorRow(
            "50119", .fatalAccount, refusal: .credentials,
            "The key is unknown at this site; check the key, and set options.site to where the account was opened."),
        OKXErrorRow(
            "50101", .fatalAccount, refusal: .wrongEnvironment,
            "The key belongs to the other environment; set environment to production or demo accordingly."),
        OKXErrorRow(
            "50110 50121", .fatalAccount, refusal: .ipBinding,
            "Add this host's address, which the message names, to the key's IP list."),
        OKXErrorRow(
            "50120 50030 50041", .fatalAccount, refusal: .permission,
            "Give the key the right to read and to trade."),
        OKXErrorRow("50035", .fatalAccount, refusal: .ipBinding, "Bind the key to an IP address first."),
    ]

    private static let account = [
        OKXErrorRow(
            "50007 50008 50012 50027 50028 50029 50059 50060 4088 51009 51024 51733 51341", .fatalAccount,
            refusal: .restricted, because: .riskControl,
            "The account is restricted; ask the exchange, or close on its site."),
        OKXErrorRow(
            "59500 59604 59508 59510 58115", .fatalAccount, refusal: .restricted,
            "The sub-account is suspended or unknown; check it with the main account."),
        OKXErrorRow(
            "50067", .fatalAccount, refusal: .wrongEnvironment,
            "The account belongs to another site; set options.site."),
        OKXErrorRow(
            "51008 51127 51131 51119", .adapt, because: .margin,
            "There is not enough margin for this order; close on the site."),
    ]

    private static let instrument = [
        OKXErrorRow(
            "51022 51021", .market, because: .suspended,
            "The instrument is suspended or not listed yet; close it when it trades."),
        OKXErrorRow(
            "51027 51028", .market, because: .delivery,
            "The contract is expired or being delivered; the exchange settles it itself."),
        OKXErrorRow(
            "51029 51030 50023", .market, because: .suspended, "The contract is in settlement; it is tried again."),
        OKXErrorRow(
            "54011 54012 54072 54094 51124 51110 51196 51197", .market,
            because: .suspended,
            "The market is protected now and takes no market orders; close it later or on the site."),
        OKXErrorRow(
            "54005 54006 54092 51155 50032 50033 50051 50052", .market,
            because: .rules, "The instrument is blocked for this account; accept its rules on the site."),
    ]

    private static let call = [
        OKXErrorRow(
            "50000 50002 50006 50010 50024 50025 50115 51002 51015 51003 51111 51406 51501 54009", .fatalCall,
            "The exchange refuses the parameters; report it as an error of flatbook."),
        OKXErrorRow(
            "51001", .fatalCall, because: .delisted, "The instrument is expired or delisted; look at it on the site."),
        OKXErrorRow(
            "50038 50053", .fatalCall, because: .mode,
            "This function exists only in the other environment (demo or production)."),
    ]
}
