package import FlatbookCore

/// `flatbook plan`, for a terminal and as JSON.
package enum PlanTable {
    private static let mostCalls = 200

    package static func render(_ plan: PlanPreview, width: Int) -> String {
        var out =
            "\(plan.environment.rawValue): \(count(plan.calls.count, "call")) would close "
            + "\(count(plan.legs, "position")) of \(count(plan.accounts, "account")), \(money(plan.notional)) USD; "
            + "\(count(plan.ordersToCancel, "resting order")) would be cancelled. Nothing was sent.\n\n"
        var calls = TextTable([
            ("SECOND", .right), ("ACCOUNT", .left), ("CALL", .left), ("TARGET", .left), ("LEGS", .right),
            ("USD", .right),
        ])
        for item in plan.calls.prefix(mostCalls) {
            calls.add([
                ReportJSON.milliseconds(item.plannedAt.milliseconds), item.call.account, item.call.method.operation,
                item.call.target, String(item.call.legs.count), money(item.call.notional),
            ])
        }
        if !calls.isEmpty { out += calls.render(width: width) }
        if plan.calls.count > mostCalls { out += "… and \(plan.calls.count - mostCalls) more, see --format json\n" }
        var excluded = TextTable([("STAYS", .left), ("WHAT", .left), ("USD", .right), ("WHY", .left)])
        for item in plan.excluded {
            excluded.add([item.account, item.what, item.notional.map(money) ?? "", item.reason])
        }
        if !excluded.isEmpty { out += "\n" + excluded.render(width: width, wrapsLast: true) }
        out += "\n" + limits(plan, width: width) + "\n"
        let binding = plan.binding.map { " (\($0))" } ?? ""
        return out
            + "first to last close: at least \(ReportJSON.milliseconds(plan.lowerBound.milliseconds)) s\(binding), "
            + "planned \(ReportJSON.milliseconds(plan.lastClose.milliseconds)) s after the start\n"
            + "expected proven flat after \(ReportJSON.milliseconds(plan.timeToFlat.milliseconds)) s at a round trip of "
            + "\(plan.roundTrip.milliseconds) ms\n"
    }

    private static func limits(_ plan: PlanPreview, width: Int) -> String {
        var table = TextTable([
            ("LIMIT", .left), ("PER", .left), ("ALLOWS", .right), ("REQUESTS", .right), ("PER WINDOW", .left),
        ])
        for use in plan.limits {
            let windows = use.windows.prefix(12).map(String.init).joined(separator: " ")
            table.add([
                use.limit.id, use.limit.scopeText,
                "\(use.limit.capacity)/\(ReportJSON.milliseconds(use.limit.window.milliseconds)) s", String(use.calls),
                windows + (use.windows.count > 12 ? " …" : ""),
            ])
        }
        return table.render(width: width)
    }

    package static func json(_ plan: PlanPreview) -> String {
        func seconds(_ span: TimeSpan) -> JSONValue { .number(ReportJSON.milliseconds(span.milliseconds)) }
        return JSONValue.object([
            .init("plans", .array(plan.plans.map { .string($0) })),
            .init("environment", .string(plan.environment.rawValue)),
            .init("accounts", .integer(plan.accounts)),
            .init("legs", .integer(plan.legs)),
            .init("notional", .string(plan.notional.description)),
            .init("ordersToCancel", .integer(plan.ordersToCancel)),
            .init(
                "calls",
                .array(
                    plan.calls.map { item in
                        .object([
                            .init("account", .string(item.call.account)),
                            .init("operation", .string(item.call.method.operation)),
                            .init("target", .string(item.call.target)),
                            .init("plannedSecond", seconds(item.plannedAt)),
                            .init("notional", .string(item.call.notional.description)),
                            .init(
                                "legs",
                                .array(
                                    item.call.legs.map { key in
                                        .object([
                                            .init("instrument", .string(key.instrument)),
                                            .init("side", .string(key.side.rawValue)),
                                            .init("marginMode", .string(key.marginMode.rawValue)),
                                        ])
                                    })),
                        ])
                    })),
            .init(
                "limits",
                .array(
                    plan.limits.map { use in
                        .object([
                            .init("id", .string(use.limit.id)), .init("scope", .string(use.limit.scopeText)),
                            .init("capacity", .integer(use.limit.capacity)),
                            .init("windowSeconds", seconds(use.limit.window)), .init("requests", .integer(use.calls)),
                            .init("windows", .array(use.windows.map { .integer($0) })),
                        ])
                    })),
            .init("lowerBoundSeconds", seconds(plan.lowerBound)),
            .init("binding", .optional(plan.binding)),
            .init("lastCloseSeconds", seconds(plan.lastClose)),
            .init("secondsToFlat", seconds(plan.timeToFlat)),
            .init("roundTripMs", .number(String(plan.roundTrip.milliseconds))),
            .init(
                "excluded",
                .array(
                    plan.excluded.map { item in
                        .object([
                            .init("account", .string(item.account)), .init("what", .string(item.what)),
                            .init("reason", .string(item.reason)),
                            .init("notional", .optional(item.notional?.description)),
                        ])
                    })),
        ]).serialized(pretty: true) + "\n"
    }
}

/// `flatbook positions`.
package enum PositionsTable {
    package static func render(_ rows: [(exchange: ExchangeID, position: Position)], problems: [String]) -> String {
        var out = ""
        var table = TextTable([
            ("ACCOUNT", .left), ("EXCHANGE", .left), ("SYMBOL", .left), ("SIDE", .left), ("MARGIN", .left),
            ("QUANTITY", .right), ("ENTRY", .right), ("MARK", .right), ("USD", .right),
        ])
        for (exchange, row) in rows {
            table.add([
                row.key.account, exchange.rawValue, row.symbol, row.key.side.rawValue, row.key.marginMode.rawValue,
                row.quantity.description, row.entryPrice?.description ?? "", row.markPrice?.description ?? "",
                money(row.notional),
            ])
        }
        out +=
            rows.isEmpty
            ? (problems.isEmpty ? "no open positions\n" : "no open positions in what was read\n")
            : table.render(width: 400)
        return out + problems.map { printable($0) + "\n" }.joined()
    }

    package static func json(_ rows: [(exchange: ExchangeID, position: Position)], problems: [String]) -> String {
        JSONValue.object([
            .init(
                "positions",
                .array(
                    rows.map { exchange, row in
                        .object([
                            .init("account", .string(row.key.account)), .init("exchange", .string(exchange.rawValue)),
                            .init("silo", .string(row.key.silo.rawValue)), .init("symbol", .string(row.symbol)),
                            .init("instrument", .string(row.key.instrument)),
                            .init("side", .string(row.key.side.rawValue)),
                            .init("marginMode", .string(row.key.marginMode.rawValue)),
                            .init("marginCurrency", .string(row.key.marginCurrency)),
                            .init("positionMode", .string(row.mode.rawValue)),
                            .init("quantity", .string(row.quantity.description)),
                            .init("notional", .string(row.notional.description)),
                            .init("entryPrice", .optional(row.entryPrice?.description)),
                            .init("markPrice", .optional(row.markPrice?.description)),
                        ])
                    })),
            .init("problems", .array(problems.map { .string($0) })),
        ]).serialized(pretty: true) + "\n"
    }
}
