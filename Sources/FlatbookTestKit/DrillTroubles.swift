import ExchangeKit
import FlatbookCore

/// Cases 14 to 19.
extension Drill {
    /// The exchange did it, and nobody heard: only a read tells what is left.
    func lostReply(_ seat: ContractSeat, _ problems: inout Problems) async throws {
        var session = try await session(seat, [], &problems)
        if let rows = try await session.positions(&problems), let call = session.calls(for: rows).calls.first {
            // The reply arrives at nobody.
            _ = try await session.close(call)
            guard let after = try await session.positions(&problems) else { return await session.wire.end() }
            compare(after, await session.isOpen(), seat, &problems)
            problems.expect(after.count < rows.count, "\(seat): a close whose reply was lost closed nothing")
            // The same again, as a resend after the lost request died: it must find nothing more within its reach.
            let again = try await session.close(call)
            problems.expect(
                again.map { $0.effect != .executed && $0.effect != .partial } ?? false || call.method.isSized == false,
                "\(seat): the same close was executed twice")
            try await flatten(&session, &problems)
            await withinReach(session, &problems)
        }
        await session.wire.end()
    }

    func alreadyFlat(_ seat: ContractSeat, _ problems: inout Problems) async throws {
        var session = try await session(seat, [], &problems)
        if let rows = try await session.positions(&problems) {
            let calls = session.calls(for: rows).calls
            try await flatten(&session, &problems)
            let before = await session.wire.truth().closed
            for call in calls {
                let outcome = try await session.close(call)
                // An exchange that closes by a position's id may say that it knows no such position.
                let isSaid =
                    outcome?.errorClass == .alreadyFlat
                    || (outcome?.errorClass == .notFound && call.legs.allSatisfy { $0.positionID != nil })
                problems.expect(
                    outcome?.effect == Effect.none && isSaid,
                    "\(seat): a close of nothing is \(outcome.map { "\($0.effect) \($0.errorClass) \($0.code)" } ?? "lost")"
                )
            }
            problems.expect(await session.wire.truth().closed == before, "\(seat): a close of nothing closed something")
            await withinReach(session, &problems)
        }
        await session.wire.end()
    }

    func partialFailure(_ seat: ContractSeat, _ problems: inout Problems) async throws {
        var session = try await session(seat, [.legsFailOnce], &problems)
        if let rows = try await session.positions(&problems) {
            for call in session.calls(for: rows).calls {
                let outcome = try await session.close(call)
                let left = await session.isOpen()
                let isOpen = call.legs.contains { key in
                    left.contains { $0.instrument == key.instrument && $0.side == key.side }
                }
                guard isOpen else { continue }
                problems.expect(
                    outcome?.errorClass != .alreadyFlat, "\(seat): a close that closed nothing says already flat")
                problems.expect(
                    outcome?.effect != .executed, "\(seat): a close that left a leg open says it was executed")
            }
            if let after = try await session.positions(&problems) {
                compare(after, await session.isOpen(), seat, &problems)
            }
            try await flatten(&session, &problems)
            await withinReach(session, &problems)
        }
        await session.wire.end()
    }

    /// Two accounts; the key of the first is wrong.
    func wrongKey(_ seat: ContractSeat, _ problems: inout Problems) async throws {
        var other = seat
        other.account.name = seat.account.name + "-b"
        let wire = try await stage.open(ContractScene([seat, other]))
        for field in exchange.plugin.profile.credentialFields {
            var session = DrillSession(exchange, wire, seat)
            try await session.list(&problems)
            session.credentials[field] = "0123456789abcdef0123456789abcdef"
            for partition in exchange.plugin.partitions(of: seat.account).prefix(1) {
                await wire.pass(.milliseconds(1100))
                let read = try await session.answer(.positions(product: partition.id, cursor: nil))
                guard case .failed(let outcome)? = read else {
                    problems.add("\(seat): a wrong \(field) reads \(session.words(read))")
                    continue
                }
                problems.expect(
                    outcome.errorClass == .fatalAccount && outcome.refusal == .credentials,
                    "\(seat): a wrong \(field) is \(outcome.errorClass) \(outcome.code) on a read")
            }
        }
        // The good key of the second account, and then of the first, still closes all there is.
        for seat in [other, seat] {
            var session = DrillSession(exchange, wire, seat)
            try await session.list(&problems)
            if let rows = try await session.positions(&problems), let call = session.calls(for: rows).calls.first {
                var wrong = session
                wrong.credentials["secret"] = "0123456789abcdef0123456789abcdef"
                let outcome = try await wrong.close(call)
                problems.expect(
                    outcome?.effect == Effect.none && outcome?.errorClass == .fatalAccount,
                    "\(seat): a close with a wrong secret is \(outcome.map { "\($0.effect) \($0.errorClass)" } ?? "lost")"
                )
                problems.expect(
                    await session.isOpen().count == seat.legs.count,
                    "\(seat): a close with a wrong secret closed something")
            }
            try await flatten(&session, &problems)
        }
        await wire.end()
    }

    /// What refuses a cancel stands in no way of the close.
    func withoutCancels(_ seat: ContractSeat, _ problems: inout Problems) async throws {
        var session = try await session(seat, [], &problems)
        let refusals = exchange.refusals.filter { $0.meaning == .noPermission && $0.operations == nil }
        problems.expect(!refusals.isEmpty, "no refusal of a missing permission is recorded for every call")
        for partition in exchange.plugin.partitions(of: seat.account) {
            for list in partition.orderLists {
                guard let operation = exchange.plugin.profile.cancelOperations[list], let leg = seat.legs.first else {
                    continue
                }
                let call = CancelCall(
                    account: seat.account.name, operation: operation, product: partition.id,
                    instrument: leg.instrument, list: list, orderIDs: ["1"])
                for refusal in refusals {
                    let outcome = exchange.plugin.outcome(
                        of: .cancel(call), in: refusal.reply, account: seat.account)
                    problems.expect(
                        outcome.errorClass != .fatalAccount && outcome.effect == .none,
                        "\(seat): a refused cancel of \(list) is \(outcome.effect) \(outcome.errorClass)")
                    let read = exchange.plugin.answer(
                        to: .orders(product: partition.id, list: list, cursor: nil), in: refusal.reply,
                        account: seat.account, instruments: InstrumentBook())
                    if case .failed(let outcome) = read {
                        problems.expect(
                            outcome.errorClass != .fatalAccount, "\(seat): a refused read of \(list) stops the account")
                    } else {
                        problems.add("\(seat): a refused read of \(list) is an answer")
                    }
                }
            }
        }
        try await flatten(&session, &problems)
        await session.wire.end()
    }

    func failedRead(_ seat: ContractSeat, _ problems: inout Problems) async throws {
        let wire = try await stage.open(ContractScene([seat], [.readsFail]))
        var session = DrillSession(exchange, wire, seat)
        for _ in 0..<20 {
            await wire.pass(.milliseconds(1100))
            let rows = try await session.positions(&problems, expectsFailure: true)
            problems.expect(rows?.isEmpty != true, "\(seat): a failed read says flat")
        }
        let left = await session.isOpen()
        problems.expect(left.count == seat.legs.count, "\(seat): a read closed something")
        await wire.end()
    }
}
