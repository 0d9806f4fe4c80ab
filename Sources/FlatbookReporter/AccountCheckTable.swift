package import FlatbookCore

/// `flatbook accounts check`.
package enum AccountCheckTable {
    package static func render(_ checks: [AccountCheck], width: Int, pin: Bool) -> String {
        var table = TextTable([
            ("ACCOUNT", .left), ("EXCHANGE", .left), ("STATE", .left), ("UID", .left), ("TRADE", .left),
            ("WITHDRAW", .left), ("IP", .left), ("CLOCK", .right), ("MODE", .left), ("KIND", .left), ("NOTE", .left),
        ])
        for check in checks {
            func state(_ kind: AccountCheck.Finding.Kind) -> String {
                check.findings.first { $0.kind == kind }?.state.rawValue ?? ""
            }
            table.add([
                check.account.name, check.account.exchange.rawValue, check.state.rawValue,
                check.identity.uid ?? "", state(.trade), state(.withdraw), state(.ip),
                check.clockOffset.map { "\($0) ms" } ?? "", check.identity.positionMode?.rawValue ?? "",
                check.identity.accountKind ?? "", note(check),
            ])
        }
        let passed = checks.count { $0.state == .passed }
        let enabled = checks.count { $0.state != .skipped }
        return table.render(width: width, wrapsLast: true) + "\n\(passed) of \(enabled) accounts passed\n"
            + (pin ? "\n" + pins(checks) : "")
    }

    /// What is wrong, what may be wrong, what cannot be read, and what to do.
    private static func note(_ check: AccountCheck) -> String {
        var parts = check.findings.filter { $0.state == .fail || $0.state == .warn }.map(\.detail)
        if check.state == .unreachable {
            parts += check.findings.filter { $0.state == .unknown }.map(\.detail)
        }
        parts += check.notRead.map { "not read: \($0.silo), \($0.reason)" }
        if let action = check.action { parts.append("→ " + action) }
        return parts.joined(separator: "; ")
    }

    /// The `uid` lines that pin the accounts, file by file.
    static func pins(_ checks: [AccountCheck]) -> String {
        let open = unpinned(checks)
        guard !open.isEmpty else { return "every account is pinned\n" }
        var out = ""
        var file = ""
        for check in open {
            if check.account.source.file != file {
                file = check.account.source.file
                out += "# \(printable(file))\n"
            }
            out += "  - name: \(check.account.name)\n    uid: \"\(printable(check.identity.uid ?? ""))\"\n"
        }
        return out
    }

    private static func unpinned(_ checks: [AccountCheck]) -> [AccountCheck] {
        checks.filter { $0.account.uid == nil && $0.identity.uid != nil }
    }

    package static func json(_ checks: [AccountCheck], exitCode: Int, pin: Bool) -> String {
        var members: [JSONValue.Member] = [
            .init("exitCode", .integer(exitCode)),
            .init("accounts", .array(checks.map(json))),
        ]
        if pin {
            members.append(
                .init(
                    "pin",
                    .array(
                        unpinned(checks).map { check in
                            .object([
                                .init("name", .string(check.account.name)),
                                .init("file", .string(check.account.source.file)),
                                .init("line", .integer(check.account.source.line)),
                                .init("uid", .optional(check.identity.uid)),
                            ])
                        })))
        }
        return JSONValue.object(members).serialized(pretty: true) + "\n"
    }

    private static func json(_ check: AccountCheck) -> JSONValue {
        let identity = check.identity
        return .object([
            .init("name", .string(check.account.name)), .init("exchange", .string(check.account.exchange.rawValue)),
            .init("environment", .string(check.account.environment.rawValue)),
            .init("state", .string(check.state.rawValue)), .init("uid", .optional(identity.uid)),
            .init("expectedUid", .optional(check.account.uid)), .init("parentUid", .optional(identity.parentUID)),
            .init("mayTrade", identity.mayTrade.map { .bool($0) } ?? .null),
            .init("mayWithdraw", identity.mayWithdraw.map { .bool($0) } ?? .null),
            .init("boundIps", identity.boundIPs.map { .array($0.map { .string($0) }) } ?? .null),
            .init("clockOffsetMs", check.clockOffset.map { .integer(Int($0)) } ?? .null),
            .init("positionMode", .optional(identity.positionMode?.rawValue)),
            .init("accountKind", .optional(identity.accountKind)),
            .init("read", .array(check.read.map { .string($0) })),
            .init(
                "notRead",
                .array(
                    check.notRead.map {
                        .object([.init("silo", .string($0.silo)), .init("reason", .string($0.reason))])
                    })),
            .init("openPositions", .integer(check.openPositions)),
            .init(
                "checks",
                .array(
                    check.findings.map {
                        .object([
                            .init("check", .string($0.kind.rawValue)), .init("state", .string($0.state.rawValue)),
                            .init("detail", .string($0.detail)),
                        ])
                    })),
            .init("action", .optional(check.action)),
        ])
    }
}
