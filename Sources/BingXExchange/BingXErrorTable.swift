import FlatbookCore

/// One row of the error table (§6.2): codes, with a text where the same code means several things.
struct BingXErrorRow: Sendable {
    /// The calls for which the row holds: "no position" on a read says nothing, "no such order" on a close neither.
    enum Calls: Sendable { case all, reads, writes, closes, cancels }

    var codes: [String]
    var calls: Calls
    /// Lower-case pieces, one of which the message must hold; empty = any message.
    var texts: [String]
    var errorClass: ErrorClass
    var effect: Effect
    var refusal: Outcome.Refusal?
    /// What stands in the way: the reason by name.
    var obstacle: Obstacle?
    /// What the operator can do.
    var action: String?

    init(
        _ codes: String, _ errorClass: ErrorClass, on calls: Calls = .all, saying texts: [String] = [],
        effect: Effect = .none, refusal: Outcome.Refusal? = nil,
        because obstacle: Obstacle? = nil, _ action: String? = nil
    ) {
        self.codes = codes.split(separator: " ").map(String.init)
        self.calls = calls
        self.texts = texts
        self.errorClass = errorClass
        self.effect = effect
        self.refusal = refusal
        self.obstacle = obstacle
        self.action = action
    }

    func matches(_ kind: BingXCallKind, _ message: String) -> Bool {
        let fits =
            switch calls {
            case .all: true
            case .reads: kind == .read
            case .writes: kind != .read
            case .closes: kind == .close
            case .cancels: kind == .cancel
            }
        return fits && (texts.isEmpty || texts.contains { message.contains($0) })
    }
}

/// What a code answers: the same one means different things to each.
enum BingXCallKind: Sendable { case read, close, cancel }

/// Every code of §6.2 in both numberings (§6.1). The first row that matches counts, so those with a text come first.
enum BingXErrorTable {
    static let rows: [BingXErrorRow] = byText + nothingToDo + throttled + passing + blocked + account + call

    static func row(_ code: String, _ message: String, _ kind: BingXCallKind) -> BingXErrorRow? {
        let text = message.lowercased()
        return index[code]?.first { $0.matches(kind, text) }
    }

    private static let index: [String: [BingXErrorRow]] = {
        var index: [String: [BingXErrorRow]] = [:]
        for row in rows { for code in row.codes { index[code, default: []].append(row) } }
        return index
    }()

    /// 109400 and what it was before: bad parameters, and half a dozen states of the account and the market.
    private static let general = "109400 80014 80001 109414"
    private static let positionsTell =
        "The exchange failed while handling the call; the positions show whether it was done."

    private static let byText = [
        BingXErrorRow(general + " 101400", .alreadyFlat, on: .closes, saying: ["no position to close"]),
        BingXErrorRow("80001 100404", .notFound, on: .cancels, saying: ["order doesn't exist", "order not exist"]),
        BingXErrorRow(
            general, .conflict, on: .writes, saying: ["occupied by a limit order"], because: .held,
            "The account's own orders hold the position; cancel them."),
        BingXErrorRow("101400 " + general, .duplicateId, saying: ["unique check failed"], effect: .unknown),
        BingXErrorRow(
            "109201 101209", .fatalCall, saying: ["leverage"], because: .mode,
            "The exchange refuses the order's leverage; look at the contract's leverage on the site."),
        BingXErrorRow(
            "100421 " + general, .clockSkew, saying: ["timestamp"], "Check that this host's clock is synchronised."),
        BingXErrorRow(
            "100421", .fatalCall, saying: ["restrict", "too many"], because: .barred,
            "The exchange refuses this contract; close it on the site."),
        BingXErrorRow(
            general, .retry, saying: ["assets are being processed"], "Funding is being settled; it is tried again."),
        BingXErrorRow(
            general, .market, saying: ["temporarily disabled"], because: .suspended,
            "The exchange has halted orders by API; close on its site if it cannot wait."),
        BingXErrorRow(
            general, .retry, saying: ["copy trading signal"], because: .copyTrading,
            "Copy trading is at work on the account; it is tried again."),
        BingXErrorRow(
            general + " 109500", .fatalCall, saying: ["symbol not exist"], because: .delisted,
            "The exchange does not know the contract; look at it on the site."),
        BingXErrorRow(
            "109500 80001", .fatalCall, saying: ["pending orders or open positions"], because: .mode,
            "The exchange takes the call for a change of modes; report it as an error of flatbook."),
        BingXErrorRow(
            general, .adapt, on: .writes, saying: ["positionside", "position side", "reduceonly", "reduce only"],
            because: .mode,
            "The account's position mode differs; it is read again."),
        BingXErrorRow(
            "101400 " + general, .adapt, on: .writes, saying: ["minimum", "at least", "less than"],
            because: .tooSmall, tooSmall),
        // No cap of an order is documented (§3.1, §11.5) and none has a code [U]: words that name one are believed, since
        // the codes they come with are refusals in any case.
        BingXErrorRow(
            "101400 110422 " + general, .adapt, on: .writes, saying: ["maximum", "exceeds the max", "too large"],
            because: .tooLarge, "The position is larger than one order may close; close it in parts."),
        BingXErrorRow("100400", .unknown, on: .writes, saying: ["timeout"], effect: .unknown, positionsTell),
        BingXErrorRow("100400", .retry, on: .reads, saying: ["timeout"]),
        BingXErrorRow("109422", .notFound, on: .cancels, saying: ["order", "filled"]),
        BingXErrorRow("109424", .unknown, on: .writes, saying: ["process"], effect: .unknown, positionsTell),
    ]

    private static let nothingToDo = [
        BingXErrorRow("101205 109420 80017 109422", .alreadyFlat, on: .closes),
        // Reduce-only with nothing to reduce: flat, or the position has changed its side. Reading decides.
        BingXErrorRow("101290", .alreadyFlat, on: .closes),
        BingXErrorRow("80018 80016 109421", .notFound, on: .cancels),
        BingXErrorRow("80018 80016 109421", .unknown, on: .closes, effect: .unknown, positionsTell),
    ]

    private static let throttled = [
        BingXErrorRow(
            "100410 109429 100409", .rateLimited,
            "Lower the plan's share if other programs use this account or address.")
    ]

    private static let passing = [
        // No word that nothing was done: an earlier send, or this one, may be at work (§6.2: RECONCILE).
        BingXErrorRow("109201 101209 101481", .duplicateId, effect: .unknown),
        BingXErrorRow("80019 109423 101500", .unknown, on: .writes, effect: .unknown, positionsTell),
        BingXErrorRow("80019 109423 101500", .retry, on: .reads),
        BingXErrorRow(
            "80012 109500 110500 100500 100503 109701", .unknown, on: .writes, effect: .unknown, positionsTell),
        BingXErrorRow("80012 109500 110500 100500 100503 109701", .retry, on: .reads),
        BingXErrorRow(
            "101214 101219 101412", .retry, "Funding is being settled or the account is busy; it is tried again."),
        BingXErrorRow(
            "101514 101515", .retry, because: .riskControl,
            "The exchange has suspended trading of the account; ask the exchange if it lasts."),
        BingXErrorRow(
            "80020 109403 40029", .retry, because: .riskControl,
            "The exchange's risk control refuses the account; ask the exchange if it lasts."),
    ]

    private static let tooSmall = "The position is smaller than an order may be; close it whole or on the site."

    private static let blocked = [
        BingXErrorRow(
            "101212 110203 110424", .conflict, on: .writes, because: .held,
            "The account's own orders hold the position; cancel them."),
        BingXErrorRow(
            "109430", .conflict, on: .writes, because: .held,
            "TWAP orders of the account hold the position; cancel them."),
        BingXErrorRow(
            "109415 109417 110280 100490 101413 109424", .market, because: .suspended,
            "The contract is paused or not listed yet; close it when trading is open again."),
        BingXErrorRow(
            "109418", .market, because: .delisted,
            "The contract is offline; the exchange settles it, look at it on the site."),
        BingXErrorRow(
            "101415", .market, because: .barred,
            "The exchange does not close this contract by API; close it on the site."),
        BingXErrorRow("101202 101485 110422 110425", .adapt, on: .writes, because: .tooSmall, tooSmall),
    ]

    private static let account = [
        BingXErrorRow(
            "100001 100412", .fatalAccount, refusal: .credentials, "Check key and secret of this account."),
        BingXErrorRow(
            "100413", .fatalAccount, refusal: .credentials,
            "Check the key of this account; one without an address list is deleted after 14 days without use."),
        BingXErrorRow(
            "100419", .fatalAccount, refusal: .ipBinding, "Add this host's address to the key's whitelist."),
        BingXErrorRow(
            "100004", .fatalAccount, refusal: .permission, "Give the key the rights to read and to trade perpetuals."),
        BingXErrorRow("100403", .fatalAccount, refusal: .wrongAccountKind, "The call is for main accounts only."),
        BingXErrorRow(
            "100414 100441 101210 101483 101484 104414", .fatalAccount, refusal: .restricted,
            "The exchange restricts this account; ask the exchange."),
        BingXErrorRow("100421", .clockSkew, "Check that this host's clock is synchronised."),
    ]

    private static let call = [
        BingXErrorRow(
            "109425 100204", .fatalCall, because: .delisted,
            "The exchange does not know the contract; look at it on the site."),
        BingXErrorRow(
            "104103 109401", .fatalCall, because: .mode,
            "The exchange takes the call for a change of modes; report it as an error of flatbook."),
        // What is left of 80001 stays unknown on writes: it was a catch-all before October 2025.
        BingXErrorRow(
            "109400 80014 109414 100400 100404", .fatalCall, "The exchange refuses the request's parameters; report it."
        ),
    ]
}
