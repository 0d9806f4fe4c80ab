package import FlatbookCore

/// `report.json` in the contract's shape and order (§6): schema `flatbook.report/1`.
package enum ReportJSON {
    package static func render(_ report: RunReport) -> String { value(report).serialized(pretty: true) + "\n" }

    package static func value(_ report: RunReport) -> JSONValue {
        .object([
            .init("schema", .string("flatbook.report/1")),
            .init("run", run(report.run)),
            .init("totals", totals(report.totals)),
            .init("accounts", .array(report.accounts.map { .object(account($0)) })),
            .init("legs", .array(report.legs.map { .object(leg($0)) })),
            .init("calls", .array(report.calls.map { .object(call($0)) })),
            .init("limits", .array(report.limits.map(limit))),
        ])
    }

    static func run(_ run: RunReport.Run) -> JSONValue {
        .object([
            .init("id", .string(run.id)),
            .init("plans", .array(run.plans.map { .string($0) })),
            .init("planDigest", .string(run.planDigest)),
            .init("environment", .string(run.environment.rawValue)),
            .init("status", .string(run.status)),
            .init("exitCode", .integer(run.exitCode)),
            .init("startedAt", .string(run.startedAt.rfc3339)),
            .init("finishedAt", time(run.finishedAt)),
            .init("deadline", .string(run.deadline.rfc3339)),
            .init("host", .string(run.host)),
            .init("version", .string(run.version)),
            .init("journalHead", .string(run.journalHead)),
            .init("lateCloseUntil", time(run.lateCloseUntil)),
        ])
    }

    static func totals(_ totals: RunReport.Totals) -> JSONValue {
        .object([
            .init("accounts", .integer(totals.accounts)),
            .init("accountsFlat", .integer(totals.accountsFlat)),
            .init("legs", .integer(totals.legs)),
            .init("legsFlat", .integer(totals.legsFlat)),
            .init("notionalBefore", amount(totals.notionalBefore)),
            .init("notionalAfter", amount(totals.notionalAfter)),
            .init("calls", .integer(totals.calls)),
            .init("attempts", .integer(totals.attempts)),
            .init("reads", .integer(totals.reads)),
            .init("rateLimitRejections", .integer(totals.rateLimitRejections)),
            .init("ordersCancelled", .integer(totals.ordersCancelled)),
            .init("secondsToFlat", seconds(totals.timeToFlat)),
            .init("lowerBoundSeconds", seconds(totals.lowerBound)),
            .init("exposureSeconds", amount(totals.exposureSeconds)),
            .init(
                "openOutsideSelection",
                .object([
                    .init("accounts", .integer(totals.openOutsideSelection.accounts)),
                    .init("legs", .integer(totals.openOutsideSelection.legs)),
                    .init("notional", amount(totals.openOutsideSelection.notional)),
                ])),
        ])
    }

    static func account(_ row: RunReport.AccountRow) -> [JSONValue.Member] {
        [
            .init("name", .string(row.name)),
            .init("exchange", .string(row.exchange.rawValue)),
            .init("uid", .optional(row.uid)),
            .init("state", .string(row.state.rawValue)),
            .init("positionMode", .optional(row.positionMode?.rawValue)),
            .init("evidence", .optional(row.evidence)),
            .init("read", .array(row.read.map { .string($0) })),
            .init(
                "notRead",
                .array(
                    row.notRead.map {
                        .object([.init("silo", .string($0.silo)), .init("reason", .string($0.reason))])
                    })),
            .init("legs", .integer(row.legs)),
            .init("notionalBefore", amount(row.notionalBefore)),
            .init("notionalAfter", amount(row.notionalAfter)),
            .init("secondsToFlat", seconds(row.timeToFlat)),
            .init("openersRemain", .integer(row.openersRemain)),
            .init("error", error(row.error)),
            // Beyond the contract's columns: some states have a reason without an error of the exchange.
            .init("reason", .optional(row.reason)),
        ]
    }

    static func leg(_ row: RunReport.LegRow) -> [JSONValue.Member] {
        let proof = row.proof.map { proof in
            JSONValue.object([
                .init("sentAt", .string(proof.sentAt.rfc3339)), .init("serverTime", time(proof.serverTime)),
                .init("digest", .string(proof.digest)),
            ])
        }
        return [
            .init("account", .string(row.key.account)),
            .init("exchange", .string(row.exchange.rawValue)),
            .init("silo", .string(row.key.silo.rawValue)),
            .init("symbol", .string(row.symbol)),
            .init("instrument", .string(row.key.instrument)),
            .init("side", .string(row.key.side.rawValue)),
            .init("marginMode", .string(row.key.marginMode.rawValue)),
            .init("marginCurrency", .string(row.key.marginCurrency)),
            .init("positionId", .optional(row.key.positionID)),
            .init("quantityBefore", amount(row.quantityBefore)),
            .init("notionalBefore", amount(row.notionalBefore)),
            .init("entryPrice", amount(row.entryPrice)),
            .init("markPrice", amount(row.markPrice)),
            .init("state", .string(row.state.rawValue)),
            .init("reason", .optional(row.reason)),
            .init("closedBy", .optional(row.closedBy)),
            .init("reopened", .integer(row.reopened)),
            .init("quantityAfter", amount(row.quantityAfter)),
            .init("averagePrice", amount(row.averagePrice)),
            .init("slippageBps", amount(row.slippageBps)),
            .init("fee", amount(row.fee)),
            .init("realizedPnl", amount(row.realizedPnl)),
            .init("firstCallAt", time(row.firstCallAt)),
            .init("flatProvenAt", time(row.flatProvenAt)),
            .init("proof", .array(proof)),
            .init("error", error(row.error)),
        ]
    }

    static func call(_ row: RunReport.CallRow) -> [JSONValue.Member] {
        [
            .init("id", .string(row.id)),
            .init("account", .string(row.account)),
            .init("operation", .string(row.operation)),
            .init("target", .string(row.target)),
            .init("plannedSecond", seconds(row.plannedAt)),
            .init("sentAt", time(row.sentAt)),
            .init("answeredAt", time(row.answeredAt)),
            .init("attempt", .integer(row.attempt)),
            .init("effect", .string(row.effect.rawValue)),
            .init("class", .string(row.errorClass.rawValue)),
            .init("exchangeCode", .string(row.exchangeCode)),
            .init("message", .string(row.message)),
            .init("orderIds", .array(row.orderIDs.map { .string($0) })),
            .init("limitWaitMs", .number(String(row.limitWait.milliseconds))),
        ]
    }

    private static func limit(_ use: RunClosing.LimitUse) -> JSONValue {
        .object([
            .init("id", .string(use.limit.id)),
            .init("scope", .string(use.limit.scopeText)),
            .init("capacity", .integer(use.limit.capacity)),
            .init("windowSeconds", .number(milliseconds(use.limit.window.milliseconds))),
            .init("source", .string(use.limit.source)),
            .init("peakUsed", .integer(use.peakUsed)),
            .init("rejections", .integer(use.rejections)),
        ])
    }

    static func error(_ note: ErrorNote?) -> JSONValue {
        guard let note else { return .null }
        return .object([
            .init("class", .string(note.errorClass)), .init("exchangeCode", .string(note.exchangeCode)),
            .init("message", .string(note.message)), .init("action", .string(note.action)),
        ])
    }

    private static func amount(_ amount: Amount?) -> JSONValue { .optional(amount?.description) }
    private static func time(_ time: WallTime?) -> JSONValue { .optional(time?.rfc3339) }
    private static func seconds(_ span: TimeSpan?) -> JSONValue {
        span.map { .number(milliseconds($0.milliseconds)) } ?? .null
    }

    /// Seconds with three decimals, by integers: `12.345`.
    static func milliseconds(_ value: Int64) -> String {
        let rest = String(abs(value) % 1000)
        return (value < 0 ? "-" : "") + "\(abs(value) / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }
}
