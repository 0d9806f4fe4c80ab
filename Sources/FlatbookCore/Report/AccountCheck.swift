/// What `accounts check` found of one account.
public struct AccountCheck: Sendable {
    /// One thing that was looked at.
    public struct Finding: Hashable, Sendable {
        public enum Kind: String, Hashable, Sendable, CaseIterable {
            case identity, trade, withdraw, ip, clock
            case positionMode = "position-mode"
            case kind = "account-kind"
            case reads
        }
        /// `fail` refuses the account; `warn` and `unknown` do not.
        public enum State: String, Hashable, Sendable { case pass, warn, fail, unknown }
        public var kind: Kind
        public var state: State
        public var detail: String
        public init(_ kind: Kind, _ state: State, _ detail: String) {
            self.kind = kind
            self.state = state
            self.detail = detail
        }
    }

    public enum State: String, Hashable, Sendable { case passed, refused, unreachable, skipped }

    public var account: Account
    public var identity = Identity()
    public var findings: [Finding] = []
    public var state = State.passed
    /// What the operator can do; nil where there is nothing to do.
    public var action: String?
    /// Exchange clock minus this host's, in milliseconds.
    public var clockOffset: Int64?
    public var read: [String] = []
    public var notRead: [AccountSnapshot.NotRead] = []
    public var openPositions = 0

    public init(account: Account) { self.account = account }

    /// A clock that differs by more than this is told, in milliseconds: requests carry the exchange's time, so it does
    /// no harm, but it means that this host is not synchronised.
    static let clockWarning: Int64 = 2000
}

extension AccountCheck {
    /// Judges what the exchange said of the key.
    ///
    /// - Parameter expected: the addresses of this host that the key must be bound to; empty = not asked.
    public mutating func judge(expected: [String]) {
        judgeIdentity()
        switch identity.mayTrade {
        case true?: findings.append(.init(.trade, .pass, "may trade futures"))
        case false?:
            findings.append(.init(.trade, .fail, "may not trade futures"))
            refuse("give the key the right to trade futures")
        case nil: findings.append(.init(.trade, .unknown, "the exchange does not say"))
        }
        switch identity.mayWithdraw {
        case true?:
            findings.append(.init(.withdraw, .warn, "may withdraw or transfer: more than closing needs"))
            action = action ?? "take the right to withdraw and transfer from the key"
        case false?: findings.append(.init(.withdraw, .pass, "may not withdraw"))
        case nil: findings.append(.init(.withdraw, .unknown, "the exchange does not say"))
        }
        judgeAddresses(expected)
        judgeClock()
        findings.append(
            .init(
                .positionMode, identity.positionMode == nil ? .unknown : .pass,
                identity.positionMode?.rawValue ?? "the exchange does not say"))
        findings.append(
            .init(.kind, identity.accountKind == nil ? .unknown : .pass, identity.accountKind ?? "not said"))
        let silos = notRead.map { "\($0.silo) (\($0.reason))" }.joined(separator: ", ")
        findings.append(
            .init(
                .reads, .pass,
                "\(read.joined(separator: ", ")): \(openPositions) open" + (silos.isEmpty ? "" : "; not read: \(silos)")
            ))
    }

    private mutating func judgeIdentity() {
        guard let found = identity.uid else {
            findings.append(.init(.identity, .unknown, "this key may not read its uid"))
            return
        }
        guard let expected = account.uid else {
            findings.append(.init(.identity, .warn, "uid \(found), not pinned"))
            action = action ?? "add uid: \"\(found)\" to \(account.name) in \(account.source.file)"
            return
        }
        if expected == found {
            findings.append(.init(.identity, .pass, "uid \(found)"))
        } else {
            findings.append(.init(.identity, .fail, "uid \(found), the accounts file says \(expected)"))
            refuse("put the right key or uid into \(account.source.file)")
        }
    }

    private mutating func judgeAddresses(_ expected: [String]) {
        guard let bound = identity.boundIPs else {
            let detail = "the exchange does not say which addresses the key is bound to"
            findings.append(.init(.ip, expected.isEmpty ? .unknown : .fail, detail))
            if !expected.isEmpty { refuse("look at the key's addresses on the exchange's site") }
            return
        }
        guard !bound.isEmpty else {
            findings.append(.init(.ip, .warn, "the key is bound to no address"))
            action = action ?? "bind the key to this host's address"
            return
        }
        let missing = expected.filter { address in !bound.contains { AddressRange.contains($0, address) } }
        if missing.isEmpty {
            findings.append(.init(.ip, .pass, "bound to \(bound.joined(separator: ", "))"))
        } else {
            findings.append(
                .init(.ip, .fail, "bound to \(bound.joined(separator: ", ")), not \(missing.joined(separator: ", "))"))
            refuse("add \(missing.joined(separator: ", ")) to the key's addresses")
        }
    }

    private mutating func judgeClock() {
        guard let offset = clockOffset else {
            findings.append(.init(.clock, .unknown, "not measured"))
            return
        }
        let isClose = abs(offset) <= Self.clockWarning
        findings.append(.init(.clock, isClose ? .pass : .warn, "\(offset) ms ahead of this host"))
        if !isClose { action = action ?? "synchronise this host's clock" }
    }

    /// The exchange, or a finding, says no.
    public mutating func refuse(_ action: String) {
        state = .refused
        self.action = action
    }
}

/// An address list's entry: one address, or a block such as `203.0.113.0/24`.
enum AddressRange {
    static func contains(_ entry: String, _ address: String) -> Bool {
        let parts = entry.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let bits = Int(parts[1]), (0...32).contains(bits), let base = number(parts[0]),
            let other = number(Substring(address))
        else { return entry == address }
        let mask: UInt32 = bits == 0 ? 0 : ~0 << UInt32(32 - bits)
        return base & mask == other & mask
    }

    private static func number(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard parts.count == 4 else { return nil }
        return parts.reduce(UInt32?(0)) { sum, part in sum.flatMap { sum in part.map { sum << 8 | UInt32($0) } } }
    }
}
