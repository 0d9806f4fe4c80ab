package import FlatbookCore

/// `flatbook runs`.
package enum RunsTable {
    package static func render(_ runs: [RunSummary]) -> String {
        guard !runs.isEmpty else { return "no runs\n" }
        var table = TextTable([
            ("RUN", .left), ("STARTED", .left), ("ENVIRONMENT", .left), ("ACCOUNTS", .right), ("STATUS", .left),
            ("EXIT", .right),
        ])
        for run in runs {
            table.add([
                run.id, run.startedAt.rfc3339, run.environment.rawValue, String(run.accounts),
                run.status ?? "unfinished", run.exitCode.map(String.init) ?? "",
            ])
        }
        return table.render(width: 400)
    }

    package static func json(_ runs: [RunSummary]) -> String {
        JSONValue.object([
            .init(
                "runs",
                .array(
                    runs.map { run in
                        .object([
                            .init("id", .string(run.id)), .init("plans", .array(run.plans.map { .string($0) })),
                            .init("environment", .string(run.environment.rawValue)),
                            .init("startedAt", .string(run.startedAt.rfc3339)),
                            .init("lastEntryAt", .string(run.lastEntryAt.rfc3339)),
                            .init("accounts", .integer(run.accounts)), .init("status", .optional(run.status)),
                            .init("exitCode", run.exitCode.map { .integer($0) } ?? .null),
                        ])
                    }))
        ]).serialized(pretty: true) + "\n"
    }
}

/// `flatbook limits`.
package enum LimitsTable {
    package static func render(_ limits: [RateLimit]) -> String {
        var table = TextTable([
            ("LIMIT", .left), ("CALLS", .right), ("SECONDS", .right), ("PER", .left), ("READ ON", .left),
            ("SOURCE", .left),
        ])
        for limit in limits {
            table.add([
                limit.id, String(limit.capacity), ReportJSON.milliseconds(limit.window.milliseconds), limit.scopeText,
                limit.readOn, limit.source,
            ])
        }
        return table.render(width: 400)
    }

    package static func json(_ limits: [RateLimit]) -> String {
        JSONValue.object([
            .init(
                "limits",
                .array(
                    limits.map { limit in
                        .object([
                            .init("id", .string(limit.id)), .init("scope", .string(limit.scopeText)),
                            .init("capacity", .integer(limit.capacity)),
                            .init("windowSeconds", .number(ReportJSON.milliseconds(limit.window.milliseconds))),
                            .init("source", .string(limit.source)), .init("readOn", .string(limit.readOn)),
                        ])
                    }))
        ]).serialized(pretty: true) + "\n"
    }
}

/// `flatbook accounts list`.
package enum AccountsTable {
    package static func render(_ accounts: [Account]) -> String {
        var table = TextTable([
            ("ACCOUNT", .left), ("EXCHANGE", .left), ("ENVIRONMENT", .left), ("UID", .left), ("TAGS", .left),
            ("ENABLED", .left), ("WHERE", .left),
        ])
        for account in accounts {
            table.add([
                account.name, account.exchange.rawValue, account.environment.rawValue, account.uid ?? "not pinned",
                account.tags.joined(separator: ","),
                account.enabled ? "yes" : "no" + (account.disabledReason.map { ": \($0)" } ?? ""),
                "\(account.source.file):\(account.source.line)",
            ])
        }
        return table.render(width: 400)
    }

    package static func json(_ accounts: [Account]) -> String {
        JSONValue.object([
            .init(
                "accounts",
                .array(
                    accounts.map { account in
                        .object([
                            .init("name", .string(account.name)), .init("exchange", .string(account.exchange.rawValue)),
                            .init("environment", .string(account.environment.rawValue)),
                            .init("uid", .optional(account.uid)), .init("egress", .string(account.egress)),
                            .init("endpoint", .optional(account.endpoint)),
                            .init("tags", .array(account.tags.map { .string($0) })),
                            .init("enabled", .bool(account.enabled)),
                            .init("reason", .optional(account.disabledReason)),
                            .init("file", .string(account.source.file)), .init("line", .integer(account.source.line)),
                        ])
                    }))
        ]).serialized(pretty: true) + "\n"
    }
}
