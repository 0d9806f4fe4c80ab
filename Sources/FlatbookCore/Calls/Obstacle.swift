/// What stands in the way of a close, as far as the exchange's answer says it: the readable half of an error class.
///
/// It names the reason in reports, and it says what may follow: a size that is too large is closed in parts, a state that
/// passes by itself is waited out until the deadline.
public enum Obstacle: String, Hashable, Sendable, Codable, CaseIterable {
    case tooLarge, tooSmall, step
    case suspended, barred, delisted, delivery, adl, liquidation, riskControl, illiquid
    case held, rules, mode, margin, copyTrading

    /// What reports say; the exchange's own message follows it.
    public var reason: String {
        switch self {
        case .tooLarge: "larger than one close may be"
        case .tooSmall: "smaller than an order may be"
        case .step: "the size does not fit the contract's step"
        case .suspended: "trading is suspended"
        case .barred: "the exchange does not let it be closed by API"
        case .delisted: "the contract is delisted"
        case .delivery: "the contract is being delivered"
        case .adl: "auto-deleveraging is under way"
        case .liquidation: "the exchange is liquidating"
        case .riskControl: "the exchange's risk control forbids it"
        case .illiquid: "there is nothing to trade against"
        case .held: "orders hold the size"
        case .rules: "the account has not accepted the contract's rules"
        case .mode: "the account's mode does not allow it"
        case .margin: "there is not enough margin"
        case .copyTrading: "copy trading holds the position"
        }
    }

    /// Whether it ends without the operator: such a leg is tried, slower and slower, until the deadline (F47).
    public var passes: Bool {
        switch self {
        case .suspended, .delivery, .adl, .liquidation, .illiquid: true
        case .tooLarge, .tooSmall, .step, .barred, .delisted, .riskControl, .held, .rules, .mode, .margin,
            .copyTrading:
            false
        }
    }

    /// What has closed a leg that vanishes while this stands in the way.
    public var closer: Closer? {
        switch self {
        case .adl: .adl
        case .liquidation: .liquidation
        case .delivery: .delivery
        case .suspended, .illiquid, .tooLarge, .tooSmall, .step, .barred, .delisted, .riskControl, .held, .rules,
            .mode, .margin, .copyTrading:
            nil
        }
    }
}

/// What closed a leg (contract §6, `closedBy`).
public enum Closer: String, Hashable, Sendable, Codable, CaseIterable { case us, liquidation, adl, delivery, other }
