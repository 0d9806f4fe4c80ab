import ExchangeKit
import FlatbookCore
import FlatbookExecutor
import FlatbookPlanner
import FlatbookReporter

/// `plan`, `run --dry-run` and `positions`: reads, and has nothing to change anything with (I16).
struct Previewing {
    let request: RunRequest
    private var options: CommonOptions { request.options }
    private let clock = SystemRunClock()

    init(_ request: RunRequest) { self.request = request }

    func plan(asJSON: Bool) async throws -> Int32 {
        let (plans, selected) = try Workspace.select(plans: request.plans, options: options, only: request.only)
        let work = try await read(plans: plans, selected: selected)
        let preview = preview(work, plans: plans)
        for (index, plan) in plans.enumerated() {
            let names = Set(selected.filter { $0.plan == index }.map(\.account.name))
            let rows = work.items.filter { names.contains($0.account.name) }.flatMap(\.selected)
            warn(plan, legs: rows.count, notional: rows.reduce(.zero) { (try? $0.adding($1.notional)) ?? $0 })
        }
        Output(wantsJSON: asJSON).result(
            asJSON ? PlanTable.json(preview) : PlanTable.render(preview, width: terminalWidth()))
        return try exitCode(work)
    }

    func positions(selected: [(account: Account, plan: Int)], plan: PlanDocument, asJSON: Bool) async throws -> Int32 {
        let work = try await read(plans: [plan], selected: selected)
        let rows = work.items.flatMap { item in
            (item.selected + item.outside).map { (exchange: item.account.exchange, position: $0) }
        }.sorted { $0.position.key < $1.position.key }
        let problems = work.items.compactMap { item in
            item.verdict.map { "\(item.account.name): \($0.state.rawValue): \($0.reason ?? "")" }
        }
        Output(wantsJSON: asJSON).result(
            asJSON
                ? PositionsTable.json(rows, problems: problems) : PositionsTable.render(rows, problems: problems))
        return try exitCode(work)
    }

    /// 0 with a printed preview; where every account was refused for its key there is nothing to preview.
    private func exitCode(_ work: PlannedWork) throws -> Int32 {
        let enabled = work.items.filter(\.account.enabled)
        if !enabled.isEmpty, enabled.allSatisfy({ $0.verdict?.cause == .credentials }) { return 77 }
        if !enabled.isEmpty, enabled.allSatisfy({ $0.verdict?.cause == .exchangeDown }) { return 75 }
        return 0
    }

    private func warn(_ plan: PlanDocument, legs: Int, notional: Amount) {
        if let most = plan.guards.maxLegs, legs > most {
            Output.note("warning: a run would be refused: \(legs) legs, guards.maxLegs allows \(most)")
        }
        if let most = plan.guards.maxNotional, notional > most {
            Output.note("warning: a run would be refused: \(notional) USD, guards.maxNotional allows \(most)")
        }
    }

    private func read(
        plans: [PlanDocument], selected: [(account: Account, plan: Int)]
    ) async throws -> PlannedWork {
        let started = clock.now()
        var selected = selected
        let simulator = try await EmbeddedSimulator.start(for: &selected)
        let workspace = try await Workspace.resolve(plans: plans, selected: selected, options: options)
        let launcher = try RunLauncher(options: options, workspace: workspace)
        let header = try launcher.header(id: "preview", startedAt: started)
        let (end, _) = try await launcher.drive(
            mode: .preview, header: header, epoch: 1, journal: nil, allowNoMatch: request.allowNoMatch,
            progress: ProgressPrinter(options))
        await simulator?.stop()
        switch end {
        case .preview(let work): return work
        case .invalid(let problems): throw CommandFailure.invalid(problems)
        case .keptOut(let reason):
            throw CommandFailure(
                14, "\(reason). Nothing was sent; `flatbook limits` shows the limits, run again when the ban is over")
        case .unreachable(let reason):
            throw CommandFailure(75, "no exchange could be reached: \(reason). Check network and endpoint")
        case .interrupted(let signal): throw CommandFailure(signal == "SIGTERM" ? 143 : 130, "interrupted by \(signal)")
        case .broken(let violation): throw CommandFailure(1, "\(violation)")
        case .closed, .refused, .journalFailed: throw CommandFailure(1, "a preview ended as a run")
        }
    }

    private func preview(_ work: PlannedWork, plans: [PlanDocument]) -> PlanPreview {
        let planned = work.items.compactMap(\.planned)
        var reads: [String: [[BucketCost]]] = [:]
        for item in work.items { reads[item.account.name] = item.readCosts }
        let forecast = PlanForecast.of(
            planned,
            ForecastAssumptions(
                roundTrip: max(work.medianRoundTrip, .milliseconds(1)), settle: .milliseconds(300),
                verification: plans.first?.verify ?? .init(), reads: reads))
        let known = Exchanges.all.flatMap(\.profile.limits)
        let limits = known.compactMap { limit -> PlanPreview.LimitUse? in
            guard let calls = forecast.callsPerLimit[limit.id], calls > 0 else { return nil }
            return .init(limit: limit, calls: calls, windows: forecast.windows[limit.id] ?? [])
        }
        let keepsOrders = plans.allSatisfy { $0.orders == .keep }
        return PlanPreview(
            plans: plans.map(\.name), environment: work.items.first?.account.environment ?? .simulated,
            accounts: work.items.count { !$0.selected.isEmpty }, legs: work.legs, notional: work.notional,
            ordersToCancel: keepsOrders ? 0 : work.items.map(\.openers.count).reduce(0, +),
            calls: forecast.calls.map { .init(call: $0.call, plannedAt: $0.at) }, limits: limits,
            lowerBound: forecast.lowerBound, binding: forecast.binding?.limit, lastClose: forecast.lastClose,
            timeToFlat: forecast.timeToFlat, roundTrip: work.medianRoundTrip, excluded: excluded(work))
    }

    private func excluded(_ work: PlannedWork) -> [PlanPreview.Excluded] {
        var out: [PlanPreview.Excluded] = []
        for item in work.items {
            if let verdict = item.verdict {
                out.append(
                    .init(
                        account: item.account.name, what: "account",
                        reason: "\(verdict.state.rawValue): \(verdict.reason ?? "")", notional: nil))
            }
            for leg in item.unclosable {
                let row = item.selected.first { $0.key == leg.key }
                out.append(
                    .init(
                        account: item.account.name,
                        what: "\(row?.symbol ?? leg.key.instrument) \(leg.key.side.rawValue)",
                        reason: "refused: \(leg.reason)", notional: row?.notional))
            }
            for row in item.outside {
                out.append(
                    .init(
                        account: item.account.name, what: "\(row.symbol) \(row.key.side.rawValue)",
                        reason: "outside this plan", notional: row.notional))
            }
        }
        return out
    }
}
