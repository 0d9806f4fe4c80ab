import ExchangeKit
import FlatbookCore

/// Cases 10 to 15.
extension Drill {
    /// A started exchange with the seat alone, its instruments listed.
    func session(
        _ seat: ContractSeat, _ troubles: Set<ContractScene.Trouble> = [], _ problems: inout Problems
    ) async throws -> DrillSession {
        let wire = try await stage.open(ContractScene([seat], troubles))
        var session = DrillSession(exchange, wire, seat)
        try await session.list(&problems)
        return session
    }

    /// What was read is what is there.
    func compare(_ rows: [Position], _ legs: [ContractLeg], _ seat: ContractSeat, _ problems: inout Problems) {
        func line(_ instrument: String, _ side: Side, _ quantity: Amount) -> String {
            "\(instrument) \(side) \(quantity)"
        }
        let read = rows.map { line($0.key.instrument, $0.key.side, $0.quantity) }.sorted()
        let truth = legs.map { line($0.instrument, $0.side, $0.quantity) }.sorted()
        problems.expect(read == truth, "\(seat): \(read) is read where \(truth) is open")
    }

    /// No close took more than the seat held, and none opened anything.
    func withinReach(_ session: DrillSession, _ problems: inout Problems) async {
        let truth = await session.wire.truth()
        problems.expect(truth.exposureIncreases == 0, "\(session.seat): a close opened a position")
        for closed in truth.closed[session.account.name] ?? [] {
            let held = session.seat.legs.filter { $0.instrument == closed.instrument && $0.side == closed.side }
            let sum = held.reduce(Amount.zero) { (try? $0.adding($1.quantity)) ?? $0 }
            problems.expect(closed.quantity <= sum, "\(session.seat): \(closed.quantity) of \(sum) was closed")
        }
    }

    /// Closes everything that is read, at most three times over.
    func flatten(_ session: inout DrillSession, _ problems: inout Problems) async throws {
        for _ in 0..<4 {
            guard let rows = try await session.positions(&problems) else { return }
            if rows.isEmpty { break }
            let plan = session.calls(for: rows)
            for leg in plan.unclosable { problems.add("\(session.seat): \(leg.key.instrument): \(leg.reason)") }
            for call in plan.calls { _ = try await session.close(call) }
        }
        let left = await session.isOpen()
        problems.expect(left.isEmpty, "\(session.seat): \(left.map(\.instrument)) stay open")
    }

    func readCloseReadFlat(_ seat: ContractSeat, _ problems: inout Problems) async throws {
        var session = try await session(seat, [], &problems)
        if let rows = try await session.positions(&problems) {
            compare(rows, seat.legs, seat, &problems)
            problems.expect(
                rows.allSatisfy { $0.symbol != $0.key.instrument }, "\(seat): a position has no canonical symbol")
            // A book of copies may not say its mode.
            problems.expect(
                rows.allSatisfy { $0.mode == seat.mode || $0.key.silo == .copy },
                "\(seat): a position has the other mode")
            for call in session.calls(for: rows).calls {
                let outcome = try await session.close(call)
                problems.expect(
                    outcome?.effect == .executed && outcome?.errorClass == .ok,
                    "\(seat): a close is \(outcome.map { "\($0.effect) \($0.errorClass) \($0.code)" } ?? "lost")")
            }
            let after = try await session.positions(&problems)
            problems.expect(after?.isEmpty == true, "\(seat): not read as flat after every close")
            for partition in exchange.plugin.partitions(of: seat.account) where partition.hasControl {
                let control = try await session.answer(.control(product: partition.id))
                problems.expect(
                    control == .answer(.control(consistentWithFlat: true)),
                    "\(seat): control of \(partition.id): \(session.words(control))")
            }
        }
        let left = await session.isOpen()
        problems.expect(left.isEmpty, "\(seat): \(left.map(\.instrument)) stay open")
        await withinReach(session, &problems)
        await session.wire.end()
    }

    /// Only the long side was asked. In one-way mode the position may be short by the time the close arrives.
    func oneSideOnly(_ seat: ContractSeat, _ problems: inout Problems) async throws {
        var session = try await session(seat, [], &problems)
        if let rows = try await session.positions(&problems) {
            for call in session.calls(for: rows, sides: [.long]).calls { _ = try await session.close(call) }
            let expected = seat.legs.filter { $0.side == .short }
            let left = await session.isOpen().filter { $0.side == .short }
            problems.expect(
                Set(left) == Set(expected),
                "\(seat): \(expected.count - left.count) short legs were closed with the long")
            await withinReach(session, &problems)
        }
        await session.wire.end()
        guard seat.mode == .oneWay, let leg = seat.legs.first(where: { $0.side == .long }) else { return }
        let flip = ContractScene.Trouble.flips(account: seat.account.name, instrument: leg.instrument)
        var flipping = try await self.session(seat, [flip], &problems)
        if let rows = try await flipping.positions(&problems) {
            let meant = rows.filter { $0.key.instrument == leg.instrument && $0.key.side == .long }
            let calls = flipping.calls(for: rows, sides: [.long]).calls
                .filter { call in call.legs.contains { key in meant.contains { $0.key == key } } }
            for call in calls {
                let outcome = try await flipping.close(call)
                problems.expect(outcome?.effect != .executed, "\(seat): a close of what flipped says it was executed")
            }
            let left = await flipping.isOpen().filter { $0.instrument == leg.instrument }
            if !calls.isEmpty {
                problems.expect(
                    left.map(\.side) == [.short] && left.map(\.quantity) == [leg.quantity],
                    "\(seat): what flipped to short was closed though long was asked")
            }
            problems.expect(
                await flipping.wire.truth().exposureIncreases == 0, "\(seat): a close of what flipped opened a position"
            )
        }
        await flipping.wire.end()
    }

    /// More resting orders than one page holds, each seen once.
    func pagesEnd(_ seat: ContractSeat, _ problems: inout Problems) async throws {
        var crowded = seat
        crowded.orders = 230
        let session = try await session(crowded, [], &problems)
        var ids: [String] = []
        var isReadable = false
        for partition in exchange.plugin.partitions(of: seat.account) {
            for list in partition.orderLists {
                var cursor: String?
                var pages = 0
                repeat {
                    await session.wire.pass(.milliseconds(1100))
                    let result = try await session.answer(.orders(product: partition.id, list: list, cursor: cursor))
                    guard case .answer(.orders(let page, let next)) = result else {
                        problems.add("\(seat): \(list) of \(partition.id): \(session.words(result))")
                        break
                    }
                    isReadable = true
                    ids += page.map(\.id)
                    cursor = next
                    pages += 1
                    if pages > 50 { problems.add("\(seat): \(list) of \(partition.id) never ends") }
                } while cursor != nil && pages <= 50
            }
        }
        if isReadable {
            problems.expect(
                ids.count == Set(ids).count, "\(seat): \(ids.count - Set(ids).count) orders are shown twice")
            problems.expect(
                Set(ids).count == crowded.orders, "\(seat): \(Set(ids).count) of \(crowded.orders) orders are shown")
        }
        await session.wire.end()
    }

    /// So many requests as are published, at once; then one more; then, a window later, another.
    func publishedLimitHolds(_ seat: ContractSeat, _ problems: inout Problems) async throws {
        let plugin = exchange.plugin
        var requests: [(request: VenueRequest, mutation: Mutation?, read: Read?)] = []
        for partition in plugin.partitions(of: seat.account).prefix(1) {
            let read = Read.positions(product: partition.id, cursor: nil)
            requests.append((plugin.request(for: read, account: seat.account), nil, read))
        }
        var flat = seat
        flat.legs = []
        var opening = try await session(seat, [], &problems)
        let rows = try await opening.positions(&problems) ?? []
        await opening.wire.end()
        if let call = opening.calls(for: rows).calls.first {
            let mutation = Mutation.close(call)
            requests.append((plugin.request(for: mutation, account: seat.account), mutation, nil))
        }
        for (request, mutation, read) in requests {
            guard let limit = tightest(of: request) else {
                problems.add("\(seat): \(request.route) has no limit")
                continue
            }
            let session = try await session(flat, [], &problems)
            await session.wire.pass(limit.window + .seconds(70))
            func isThrottled() async throws -> Bool? {
                guard let reply = try await session.send(request) else { return nil }
                if let mutation {
                    let outcome = plugin.outcome(of: mutation, in: reply, account: seat.account)
                    return outcome.errorClass == .rateLimited && outcome.effect == .none
                }
                guard let read else { return nil }
                let result = plugin.answer(to: read, in: reply, account: seat.account, instruments: InstrumentBook())
                if case .failed(let outcome) = result { return outcome.errorClass == .rateLimited }
                return false
            }
            for number in 1...limit.capacity {
                problems.expect(
                    try await isThrottled() == false,
                    "\(seat): \(request.route) is refused at call \(number) of \(limit.capacity)")
            }
            problems.expect(
                try await isThrottled() == true,
                "\(seat): \(request.route) is not refused beyond \(limit.id), or not read as such")
            problems.expect(
                await session.wire.truth().rateLimitRejections == 1,
                "\(seat): \(request.route) saw other refusals than one")
            await session.wire.pass(limit.window + .milliseconds(1))
            problems.expect(
                try await isThrottled() == false, "\(seat): \(request.route) is still refused a window later")
            await session.wire.end()
        }
    }

    /// The limit that binds a burst of one request: the smallest number of calls.
    private func tightest(of request: VenueRequest) -> RateLimit? {
        let profile = exchange.plugin.profile
        let costs = profile.route(request.route)?.costs ?? []
        let limits = costs.compactMap { cost -> RateLimit? in
            // A rule against the same call twice is no rate.
            guard var limit = profile.limit(cost.limit), !limit.scope.contains(.target) else { return nil }
            limit.capacity /= max(1, cost.weight)
            return limit
        }
        return limits.min { ($0.capacity, $1.window) < ($1.capacity, $0.window) }
    }
}
