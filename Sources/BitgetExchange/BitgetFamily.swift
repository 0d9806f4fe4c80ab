public import ExchangeKit
public import FlatbookCore

/// Which of the exchange's two API families an account belongs to (§3.10). Each refuses the other's accounts.
enum BitgetFamily: String {
    /// API v2.
    case classic
    /// API v3, the "unified trading account".
    case unified

    /// Codes by which API v2 says that an account is unified, and API v3 that it is classic (§3.10, §6).
    static let isUnified = "40085"
    static let isClassic = "40084 25245"

    static func said(by code: String) -> BitgetFamily? {
        if code == isUnified { return .unified }
        return isClassic.split(separator: " ").contains { $0 == code } ? .classic : nil
    }

    /// What the accounts file says; nil for `auto`, which is the default.
    static func configured(_ account: Account) -> BitgetFamily? {
        account.options["api"]?.first.flatMap(BitgetFamily.init)
    }

    /// What the exchange said in this run.
    static func learned(_ account: Account) -> BitgetFamily? { account.facts["api"].flatMap(BitgetFamily.init) }

    /// The family to speak to: classic until the exchange says otherwise.
    static func of(_ account: Account) -> BitgetFamily { configured(account) ?? learned(account) ?? .classic }

    /// Turns "you are of the other family" into something learned, once, where the accounts file leaves it open.
    ///
    /// A request of before the lesson may still be under way: its late answer repeats what is known and refuses nothing.
    /// An exchange that says both is not believed.
    static func judge(_ outcome: Outcome, _ account: Account) -> Outcome {
        guard outcome.errorClass == .fatalAccount, let said = said(by: outcome.code), configured(account) == nil else {
            return outcome
        }
        var outcome = outcome
        let known = learned(account)
        guard known == nil || known == said else {
            outcome.action = "The exchange calls the account classic and unified; set options.api to what it is."
            return outcome
        }
        outcome.errorClass = .adapt
        outcome.refusal = nil
        outcome.action = "This is a \(said.rawValue) account; it is asked again through its own API."
        if known == nil { outcome.learned = ["api": said.rawValue] }
        return outcome
    }
}

extension Bitget {
    /// Marks the partitions of copied positions, beside the plain ones of the same product.
    static let copyPrefix = "copy:"

    /// The exchange's own word for a product, with or without the mark.
    static func productType(_ product: String) -> String {
        product.hasPrefix(copyPrefix) ? String(product.dropFirst(copyPrefix.count)) : product
    }

    public func notRead(for account: Account) -> [ExchangeProfile.NotRead] {
        guard BitgetFamily.of(account) == .unified else { return [] }
        return [.init(silo: "copy", reason: "API v3 has no known call for copied positions")]
    }

    static func isFollower(_ account: Account) -> Bool { account.options["role"]?.first == "copy-follower" }

    /// Classic: one partition for each product's plain positions and one for its copied ones (§3.6). A key without the
    /// right to copy trading, or an account that is no follower, leaves the copied ones out as not read, unless the
    /// account is said to be a follower. Unified: one for each product (§3.10).
    public func partitions(of account: Account) -> [Partition] {
        let products = account.options["products"] ?? Self.products
        switch BitgetFamily.of(account) {
        case .classic:
            let plain = products.map { product in
                Partition(
                    id: product, covers: [product], instruments: [product], orderLists: profile.orderLists,
                    protectiveLists: profile.protectiveLists)
            }
            let copied = products.map { product in
                Partition(
                    id: Self.copyPrefix + product, covers: [Self.copyPrefix + product], instruments: [product],
                    hasControl: false, refusedAs: Self.isFollower(account) ? nil : "copy")
            }
            return plain + copied
        case .unified:
            return products.map { product in
                Partition(
                    id: product, covers: [product], instruments: [product], orderLists: Self.unifiedLists,
                    protectiveLists: Self.unifiedProtectiveLists, hasControl: false)
            }
        }
    }

    public func closeMethods(for account: Account) -> [CloseMethod] {
        switch BitgetFamily.of(account) {
        case .classic: profile.closeMethods + (Self.isFollower(account) ? Self.followerMethods : [])
        case .unified: Self.unifiedMethods
        }
    }

    public func reasonUnclosable(_ silo: Silo, account: Account) -> String? {
        guard silo == .copy, !Self.isFollower(account) else { return nil }
        return "held by copy trading: set options.role to copy-follower"
    }
}
