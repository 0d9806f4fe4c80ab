import ExchangeKit
import FlatbookCore
import FlatbookTestKit

/// A right plugin with one thing wrong, for the cases that run on a simulator.
struct Careless: ExchangePlugin {
    enum Defect: String, CaseIterable, Sendable {
        case overlooksShorts, readsHalf
        case bothSidesAtOnce, sideNotGuaranteed
        case firstPageOnly, samePageForever
        case limitTooHigh, limitTooLow, throttleNotSeen
        case closesTwice
        case flatIsDone, flatIsUnknown
        case partIsAll
        case wrongKeyIsRetried
        case cancelStopsAccount
        case failedReadIsFlat

        var foundBy: PluginContract.Case {
            switch self {
            case .overlooksShorts, .readsHalf: .readCloseReadFlat
            case .bothSidesAtOnce, .sideNotGuaranteed: .oneSideOnly
            case .firstPageOnly, .samePageForever: .pagesEnd
            case .limitTooHigh, .limitTooLow, .throttleNotSeen: .publishedLimitHolds
            case .closesTwice: .lostReplyIsNeverSentTwice
            case .flatIsDone, .flatIsUnknown: .alreadyFlatIsSaid
            case .partIsAll: .partialFailureIsSeen
            case .wrongKeyIsRetried: .wrongKeyStopsItsAccountOnly
            case .cancelStopsAccount: .closesWithoutTheRightToCancel
            case .failedReadIsFlat: .failedReadIsNotFlat
            }
        }

        /// What it must say, so that it is not found by chance.
        var says: String {
            switch self {
            case .overlooksShorts, .readsHalf: "is read where"
            case .bothSidesAtOnce: "short legs were closed with the long"
            case .sideNotGuaranteed: "was closed though long was asked"
            case .firstPageOnly: "of 230 orders are shown"
            case .samePageForever: "never ends"
            case .limitTooHigh: "is refused at call"
            case .limitTooLow, .throttleNotSeen: "is not refused beyond"
            case .closesTwice: "a close opened a position"
            case .flatIsDone, .flatIsUnknown: "a close of nothing is"
            case .partIsAll: "a close that left a leg open says it was executed"
            case .wrongKeyIsRetried: "a wrong key is retry"
            case .cancelStopsAccount: "a refused cancel of"
            case .failedReadIsFlat: "a failed read says flat"
            }
        }
    }

    let right: any ExchangePlugin
    let defect: Defect

    var profile: ExchangeProfile {
        var profile = right.profile
        for index in profile.limits.indices {
            if defect == .limitTooHigh { profile.limits[index].capacity += 1 }
            if defect == .limitTooLow, profile.limits[index].capacity > 1 { profile.limits[index].capacity -= 1 }
        }
        return profile
    }

    func partitions(of account: Account) -> [Partition] { right.partitions(of: account) }
    func host(for account: Account) -> String? { right.host(for: account) }
    func reasonUnclosable(_ silo: Silo, account: Account) -> String? { right.reasonUnclosable(silo, account: account) }
    func serverTime(in reply: VenueReply) -> WallTime? { right.serverTime(in: reply) }

    func closeMethods(for account: Account) -> [CloseMethod] {
        let methods = right.closeMethods(for: account)
        switch defect {
        case .bothSidesAtOnce:
            return methods.filter { $0.reach == .symbol }.map { method in
                var method = method
                method.reach = .side
                method.guaranteesSide = true
                return method
            }
        case .sideNotGuaranteed:
            return methods.map { method in
                var method = method
                if method.reach == .side {
                    method.guaranteesSide = true
                    method.modes = [.oneWay, .hedge]
                }
                return method
            }
        case .closesTwice: return methods.filter(\.isSized)
        default: return methods
        }
    }

    func request(for read: Read, account: Account) -> VenueRequest { right.request(for: read, account: account) }

    func request(for mutation: Mutation, account: Account) -> VenueRequest {
        guard case .close(var call) = mutation else { return right.request(for: mutation, account: account) }
        if defect == .bothSidesAtOnce { call.method.reach = .symbol }
        var request = right.request(for: .close(call), account: account)
        if defect == .closesTwice {
            let body = String(decoding: request.body, as: UTF8.self)
            request.body = Array(body.replacing(#""reduceOnly":"YES""#, with: #""reduceOnly":"NO""#).utf8)
        }
        return request
    }

    func signing(of request: VenueRequest, at timestamp: WallTime, account: Account) -> SigningRecipe {
        right.signing(of: request, at: timestamp, account: account)
    }

    func answer(
        to read: Read, in reply: VenueReply, account: Account, instruments: InstrumentBook
    ) -> ReadResult {
        let result = right.answer(to: read, in: reply, account: account, instruments: instruments)
        switch result {
        case .answer(.positions(let rows, let next)):
            switch defect {
            case .overlooksShorts: return .answer(.positions(rows.filter { $0.key.side == .long }, next: next))
            case .readsHalf: return .answer(.positions(rows.map(Self.half), next: next))
            default: return result
            }
        case .answer(.orders(let rows, let next)):
            if defect == .firstPageOnly { return .answer(.orders(rows, next: nil)) }
            if defect == .samePageForever { return .answer(.orders(rows, next: next ?? "1")) }
            return result
        case .failed(var outcome):
            if case .positions = read, defect == .failedReadIsFlat { return .answer(.positions([], next: nil)) }
            if defect == .throttleNotSeen, outcome.errorClass == .rateLimited { outcome.errorClass = .retry }
            if defect == .wrongKeyIsRetried, outcome.errorClass == .fatalAccount { outcome.errorClass = .retry }
            return .failed(outcome)
        default: return result
        }
    }

    private static func half(_ row: Position) -> Position {
        var row = row
        row.quantity = (try? row.quantity.multiplied(by: Amount("0.5"))) ?? row.quantity
        return row
    }

    func outcome(of mutation: Mutation, in reply: VenueReply, account: Account) -> Outcome {
        var outcome = right.outcome(of: mutation, in: reply, account: account)
        switch defect {
        case .flatIsDone where outcome.errorClass == .alreadyFlat:
            outcome.effect = .executed
            outcome.errorClass = .ok
        case .flatIsUnknown where outcome.errorClass == .alreadyFlat:
            outcome.effect = .unknown
            outcome.errorClass = .unknown
        case .partIsAll:
            outcome.effect = .executed
            outcome.errorClass = .ok
        case .cancelStopsAccount:
            if case .cancel = mutation, outcome.refusal != nil { outcome.errorClass = .fatalAccount }
        default: break
        }
        return outcome
    }
}
