import FlatbookCore

/// One row of the error table (§6): codes that mean the same for the calls named.
struct BitgetErrorRow: Sendable {
    /// The calls for which the codes have this meaning: `22002` on a close means flat, elsewhere nothing known.
    enum Calls: Sendable {
        case all, closes, cancels
        /// The two calls of a copy-trading follower (§3.6).
        case copyReads, copyCloses

        func include(_ route: String) -> Bool {
            switch self {
            case .all: true
            case .closes: BitgetRoute.closes.contains(route)
            case .cancels: BitgetRoute.cancels.contains(route)
            case .copyReads: route == BitgetRoute.copyPositions
            case .copyCloses: route == BitgetRoute.followerClose
            }
        }
    }

    var codes: [String]
    var calls: Calls
    var errorClass: ErrorClass
    var effect: Effect
    var refusal: Outcome.Refusal?
    /// What stands in the way: the reason by name.
    var obstacle: Obstacle?
    /// What the operator can do.
    var action: String?

    init(
        _ codes: String, _ errorClass: ErrorClass, on calls: Calls = .all, effect: Effect = .none,
        refusal: Outcome.Refusal? = nil,
        because obstacle: Obstacle? = nil, _ action: String? = nil
    ) {
        self.codes = codes.split(separator: " ").map(String.init)
        self.calls = calls
        self.errorClass = errorClass
        self.effect = effect
        self.refusal = refusal
        self.obstacle = obstacle
        self.action = action
    }
}

/// Every code of §6. Codes are remapped from time to time, so retired ones stay.
enum BitgetErrorTable {
    /// `40808` means a step error, but in the exchange's release windows it appears for no reason (§5).
    static let spuriousInReleaseWindow = "40808"

    static let rows: [BitgetErrorRow] =
        follower + nothingToDo + throttled + passing + unknown + blocked + shaped + account + call + copy

    /// What a code means on a route: rows of few calls stand before those of all.
    static func row(_ code: String, route: String) -> BitgetErrorRow? {
        index[code]?.first { $0.calls.include(route) }
    }

    private static let index: [String: [BitgetErrorRow]] = {
        var index: [String: [BitgetErrorRow]] = [:]
        for row in rows { for code in row.codes { index[code, default: []].append(row) } }
        return index
    }()

    /// What the follower's calls mean by codes that say something else, or less, elsewhere.
    private static let follower = [
        BitgetErrorRow(
            "40014", .fatalAccount, on: .copyReads, refusal: .permission,
            "Give the key the right to read copy trading."),
        BitgetErrorRow(
            "40014", .fatalAccount, on: .copyCloses, refusal: .permission, "Give the key the right to copy trading."),
        // An ordinary account without copies answers with an empty list; these say that it is no follower at all.
        BitgetErrorRow(
            "31057 31001 31025 40732", .fatalAccount, on: .copyReads, refusal: .wrongAccountKind,
            "The account follows nobody; set options.role to normal if that is so."),
        // "Close it through the copy endpoint" cannot be meant here, so too many were asked for at once.
        BitgetErrorRow(
            "40866 40864 40868 40867 40746", .retry, on: .copyCloses,
            "The exchange closes only so many copied positions at a time; it is tried again."),
    ]

    private static let nothingToDo = [
        BitgetErrorRow("22002 43043 25227 45014 31008 40837", .alreadyFlat, on: .closes),
        // Being closed already: reading the positions decides, as for "no position". `45066` is a typo of one list.
        BitgetErrorRow("40859 40743 40894 40733 45106 50066 45066", .alreadyFlat, on: .closes),
        BitgetErrorRow(
            "22001 43004 31054 40768 40109 43001 45057 43020 43025 43033 31007 25204 notExistend", .notFound,
            on: .cancels),
        BitgetErrorRow("43021 43026 45031 45134 50062", .notFound, on: .cancels),
    ]

    private static let throttled = [
        BitgetErrorRow(
            "429 1001 25004 70228 50009 45129", .rateLimited,
            "Lower the plan's share if other programs use this account or address.")
    ]

    private static let passing = [
        BitgetErrorRow("40200 25003 25239 40842 40878", .retry, "The exchange asks to try again; nothing was done."),
        BitgetErrorRow(
            "22043 22044 22067", .retry,
            because: .adl, "Auto-deleveraging is running and flash close is refused meanwhile; it is tried again."),
        BitgetErrorRow("40115", .retry, "The account is being switched to another account type; wait until that ends."),
        BitgetErrorRow(
            "40844 40308 41114 45043 25102 25106 50027", .market,
            because: .suspended, "The contract is in maintenance or settlement; close it when trading is open again."),
        BitgetErrorRow(
            "22045 25209 70220", .market, because: .illiquid,
            "There is no liquidity to close against; watch the order book."),
    ]

    private static let unknown = [
        BitgetErrorRow(
            "40010 40910 25001 50008 40015 40725 45001 25000 50031 43059 40908", .unknown, effect: .unknown,
            "The exchange failed while handling the call; the positions show whether it was done.")
    ]

    private static let blocked = [
        BitgetErrorRow(
            "40931 22033 40780", .market,
            because: .riskControl, "The exchange's risk control forbids closing; ask the exchange or close on its site."
        ),
        BitgetErrorRow(
            "22037 45108", .market, because: .barred,
            "The API is barred from closing this contract; close it on the site."),
        BitgetErrorRow(
            "45009 25012 40760 25008 43112 50022", .market,
            because: .liquidation,
            "The account is at risk or being liquidated; the exchange handles its positions itself."),
        BitgetErrorRow(
            "22041", .market, because: .delivery,
            "The contract is near delivery and cannot be closed; the exchange settles it itself."),
    ]

    private static let shaped = [
        BitgetErrorRow(
            "40755 40757 40804 40717 43029 45003 45005 45006 25225 25226 25231 40939 40928 25232", .conflict,
            because: .held, "The account's own orders hold the position; cancel them."),
        BitgetErrorRow(
            "40888 45104 43007 45112 40762 45133 25208", .adapt,
            because: .tooLarge, "The position is larger than one call may close; close it in parts."),
        BitgetErrorRow(
            "43006 45111 22034 45110", .adapt, because: .tooSmall,
            "The position is smaller than an order may be; close it on the site."),
        BitgetErrorRow("22038 40808", .adapt, because: .step, "The size does not fit the contract's step."),
        BitgetErrorRow(
            "40774 45021 45020 43075 25236 25237", .adapt, because: .mode,
            "The account's position mode differs; it is read again."),
        // A flash close carries no id of ours, so an earlier copy may be at work: only the positions tell.
        BitgetErrorRow("43118 45034 40786 50060 25212", .duplicateId, effect: .unknown),
        BitgetErrorRow(
            "40004 40005 40008 40911 40078 40079", .clockSkew, "Check that this host's clock is synchronised."),
    ]

    private static let account = [
        BitgetErrorRow(
            "40001 40002 40003 40006 40011 40012 40036 40037 40041", .fatalAccount, refusal: .credentials,
            "Check key, secret and passphrase of this account."),
        BitgetErrorRow(
            "40009", .fatalAccount, refusal: .credentials,
            "Check the secret of this account; if every account says so, report it as an error of flatbook."),
        BitgetErrorRow(
            "40018 40038", .fatalAccount, refusal: .ipBinding, "Add this host's address to the key's IP whitelist."),
        BitgetErrorRow("22010", .fatalAccount, refusal: .ipBinding, "Bind the key to an IP address first."),
        BitgetErrorRow(
            "40014 40025 40040 40199 40061 40068 40048", .fatalAccount, refusal: .permission,
            "Give the key the right to read and trade futures, and use the sub-account's own key."),
        BitgetErrorRow(
            "40013 40022 40023 40024 40026 40031 40710 40752 40753 40916 25006 25007", .fatalAccount,
            refusal: .restricted, "The account is restricted or frozen; ask the exchange."),
        BitgetErrorRow(
            "40000 40035 40100 40101 40103 40104 40111 40016", .fatalAccount, refusal: .restricted,
            "The exchange asks for identity checks or bars this region; finish them on its site."),
        BitgetErrorRow(
            "40099 22030 40105 40110", .fatalAccount, refusal: .wrongEnvironment,
            "The key belongs to the other environment; set environment to production or demo accordingly."),
        BitgetErrorRow(
            BitgetFamily.isUnified, .fatalAccount, refusal: .wrongAccountKind,
            "This is a unified account; set options.api to unified or auto."),
        BitgetErrorRow(
            BitgetFamily.isClassic, .fatalAccount, refusal: .wrongAccountKind,
            "This is a classic account; set options.api to classic or auto."),
        BitgetErrorRow(
            "40128", .fatalAccount, refusal: .wrongAccountKind,
            "The account is being switched to another kind; check it on the site and run again afterwards."),
        BitgetErrorRow(
            "40854 40731", .fatalAccount, refusal: .wrongAccountKind,
            "The key or the product is none of classic copy trading: leave it out by options.products, or check the key."
        ),
    ]

    private static let call = [
        BitgetErrorRow(
            "40017 400171 400172 40019 40020 40034 40053 40057 40072 40102 40811 40813 41101 43123", .fatalCall,
            "The exchange refuses the parameters; report it as an error of flatbook."),
        BitgetErrorRow(
            "22004", .fatalCall, because: .barred,
            "This contract cannot be traded through the API; close it on the site."),
        BitgetErrorRow("22012", .fatalCall, "The contract does not belong to this product type."),
        BitgetErrorRow(
            "40309 40845 41113 25104", .fatalCall, because: .delisted,
            "The contract is delisted; look at it on the site."),
        BitgetErrorRow(
            "40404 40007 40912 40304 40305 40402", .fatalCall,
            "The exchange refuses the request's form; report it as an error of flatbook."),
    ]

    private static let copy = [
        BitgetErrorRow(
            "31001 31025 40732 31057 40850", .fatalCall, because: .copyTrading,
            "This is a call of copy trading; check the account's role."),
        BitgetErrorRow("31006 40865 31023", .retry, "The copied order is still being worked on; it is tried again."),
        BitgetErrorRow(
            "31009 40744 40858 43044 43064", .adapt, because: .copyTrading,
            "The copied order has changed; it is read again."),
        BitgetErrorRow("43065 45082 40857", .notFound, "The copied order is unknown."),
        BitgetErrorRow(
            "40866 40864 40868 40867 40746", .fatalCall, because: .copyTrading,
            "The position belongs to copy trading: set options.role to copy-follower, or close it on the site."),
    ]
}
