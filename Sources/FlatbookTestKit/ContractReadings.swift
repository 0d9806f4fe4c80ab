import ExchangeKit
import FlatbookCore

/// Cases 5 and 7.
extension PluginContract {
    static func readings(_ exchange: ExchangeUnderTest) -> [String] {
        var problems = Problems()
        let samples = ContractSamples(exchange)
        for method in samples.untried { problems.add("no recorded position fits \(method)") }
        checkCoverage(exchange, samples, &problems)
        let book = exchange.book
        for recorded in exchange.reads {
            guard let account = exchange.account(recorded.account) else {
                problems.add("\(recorded.name) names no account")
                continue
            }
            let result = exchange.plugin.answer(
                to: recorded.read, in: recorded.reply, account: account, instruments: book)
            let again = exchange.plugin.answer(
                to: recorded.read, in: recorded.reply, account: account, instruments: book)
            problems.expect(result == again, "\(recorded.name) is read differently each time")
            switch result {
            case .failed(let outcome): problems.add("\(recorded.name) is no answer: \(outcome.code) \(outcome.message)")
            case .answer(let answer):
                let lines = ContractText.lines(answer)
                problems.expect(lines == recorded.means, "\(recorded.name) means \(lines), not \(recorded.means)")
                checkOwners(answer, recorded, account, exchange, &problems)
            }
            checkForeign(recorded, account, exchange, samples, book, &problems)
        }
        for recorded in exchange.mutations { check(recorded, exchange, samples, book, &problems) }
        return problems.list
    }

    /// Every kind of read and every close operation must have been recorded.
    private static func checkCoverage(
        _ exchange: ExchangeUnderTest, _ samples: ContractSamples, _ problems: inout Problems
    ) {
        let recorded = Set(exchange.reads.map { kind(of: $0.read) })
        for needed in Set(samples.reads.map { kind(of: $0.read) }).subtracting(recorded).sorted() {
            problems.add("no reply to a read of \(needed) is recorded")
        }
        let flat = exchange.reads.contains {
            if case .positions = $0.read { $0.means.isEmpty } else { false }
        }
        problems.expect(flat, "no flat positions reply is recorded")
        let accepted = Set(exchange.mutations.filter { $0.effect == .executed }.map(\.mutation.operation))
        for operation in Set(samples.closes.map(\.mutation.operation)).subtracting(accepted).sorted() {
            problems.add("no accepted \(operation) is recorded")
        }
    }

    static func kind(of read: Read) -> String {
        switch read {
        case .serverTime: "serverTime"
        case .identity: "identity"
        case .permissions: "permissions"
        case .settings: "settings"
        case .instruments: "instruments"
        case .positions: "positions"
        case .orders: "orders"
        case .control: "control"
        case .endings, .executions: "endings"
        }
    }

    /// Rows belong to the account that asked and to the products that its read speaks for.
    private static func checkOwners(
        _ answer: ReadAnswer, _ recorded: RecordedRead, _ account: Account, _ exchange: ExchangeUnderTest,
        _ problems: inout Problems
    ) {
        guard case .positions(let rows, _) = answer, case .positions(let product, _) = recorded.read else { return }
        let partition = exchange.plugin.partitions(of: account).first { $0.id == product }
        guard let partition else { return problems.add("\(recorded.name) reads \(product), which is no partition") }
        problems.expect(Set(rows.map(\.key)).count == rows.count, "\(recorded.name) has two rows of one key")
        for row in rows {
            problems.expect(row.key.account == account.name, "\(recorded.name) has a row of \(row.key.account)")
            problems.expect(
                partition.covers.contains(row.key.product), "\(recorded.name) has a row of product \(row.key.product)")
            problems.expect(!row.quantity.isZero && !row.quantity.isNegative, "\(recorded.name) has a row without size")
            problems.expect(!row.notional.isNegative, "\(recorded.name) has a row of negative value")
        }
    }

    /// A reply to something else, with something in it, is never read as positions or as a done close.
    private static func checkForeign(
        _ recorded: RecordedRead, _ account: Account, _ exchange: ExchangeUnderTest, _ samples: ContractSamples,
        _ book: InstrumentBook, _ problems: inout Problems
    ) {
        guard !recorded.means.isEmpty else { return }
        if kind(of: recorded.read) != "positions" {
            for sample in samples.reads where kind(of: sample.read) == "positions" {
                let result = exchange.plugin.answer(
                    to: sample.read, in: recorded.reply, account: sample.account, instruments: book)
                if case .answer = result { problems.add("\(recorded.name) is taken for positions (\(sample.read))") }
            }
        }
        // Resting orders have ids as accepted closes have.
        guard kind(of: recorded.read) != "orders" else { return }
        var blamed: Set<String> = []
        for sample in samples.closes where sample.account.name == account.name {
            let outcome = exchange.plugin.outcome(of: sample.mutation, in: recorded.reply, account: sample.account)
            guard outcome.effect != .unknown, blamed.insert(sample.mutation.operation).inserted else { continue }
            problems.add(
                "\(recorded.name) is taken for a close: \(outcome.effect) by \(ContractSamples.words(sample.mutation))")
        }
    }

    private static func check(
        _ recorded: RecordedMutation, _ exchange: ExchangeUnderTest, _ samples: ContractSamples,
        _ book: InstrumentBook, _ problems: inout Problems
    ) {
        guard let account = exchange.account(recorded.mutation.account) else {
            return problems.add("\(recorded.name) names no account")
        }
        let outcome = exchange.plugin.outcome(of: recorded.mutation, in: recorded.reply, account: account)
        problems.expect(
            outcome == exchange.plugin.outcome(of: recorded.mutation, in: recorded.reply, account: account),
            "\(recorded.name) is read differently each time")
        let text = "\(outcome.effect) \(outcome.errorClass) \(outcome.orderIDs)"
        problems.expect(
            outcome.effect == recorded.effect && outcome.errorClass == recorded.errorClass
                && outcome.orderIDs == recorded.orderIDs,
            "\(recorded.name) means \(text), not \(recorded.effect) \(recorded.errorClass) \(recorded.orderIDs)")
        guard recorded.effect == .executed || recorded.effect == .partial else { return }
        for sample in samples.reads where kind(of: sample.read) == "positions" {
            let result = exchange.plugin.answer(
                to: sample.read, in: recorded.reply, account: sample.account, instruments: book)
            if case .answer = result { problems.add("\(recorded.name) is taken for positions (\(sample.read))") }
        }
    }
}

extension PluginContract {
    /// Statuses that are no success, whatever the body says.
    private static let failures = [301, 400, 401, 403, 404, 408, 418, 429, 500, 502, 503, 504, 520]

    static func classification(_ exchange: ExchangeUnderTest) -> [String] {
        var problems = Problems()
        let samples = ContractSamples(exchange)
        contradictions(exchange, &problems)
        pages(exchange, samples, &problems)
        for refusal in exchange.refusals {
            for sample in samples.mutations { check(refusal, sample, exchange, &problems) }
            for sample in samples.reads { check(refusal, sample, exchange, &problems) }
        }
        return problems.list
    }

    /// A body of success under another status proves nothing.
    private static func contradictions(_ exchange: ExchangeUnderTest, _ problems: inout Problems) {
        let book = exchange.book
        for status in failures {
            for recorded in exchange.reads where recorded.reply.status == 200 {
                guard let account = exchange.account(recorded.account) else { continue }
                let reply = VenueReply(status: status, body: recorded.reply.body)
                let result = exchange.plugin.answer(
                    to: recorded.read, in: reply, account: account, instruments: book)
                if case .answer = result { problems.add("\(recorded.name) is an answer under status \(status)") }
            }
            for recorded in exchange.mutations where recorded.effect == .executed {
                guard let account = exchange.account(recorded.mutation.account) else { continue }
                let reply = VenueReply(status: status, body: recorded.reply.body)
                let outcome = exchange.plugin.outcome(of: recorded.mutation, in: reply, account: account)
                problems.expect(
                    outcome.effect == .unknown, "\(recorded.name) has effect \(outcome.effect) under status \(status)")
            }
        }
    }

    /// What a gateway in between says is not the exchange's word: a mutation may have been done.
    private static func pages(
        _ exchange: ExchangeUnderTest, _ samples: ContractSamples, _ problems: inout Problems
    ) {
        let bodies = ["", "<html><body>Too Many Requests</body></html>", "error code: 1015", "{}", "[]", "null"]
        for status in [200] + failures {
            for body in bodies {
                let reply = VenueReply(status: status, body: Array(body.utf8))
                for sample in samples.mutations {
                    let outcome = exchange.plugin.outcome(of: sample.mutation, in: reply, account: sample.account)
                    problems.expect(
                        outcome.effect == .unknown,
                        "\"\(body)\" with status \(status) has effect \(outcome.effect) on \(sample.mutation.operation)"
                    )
                }
                for sample in samples.reads {
                    let result = exchange.plugin.answer(
                        to: sample.read, in: reply, account: sample.account, instruments: InstrumentBook())
                    if case .answer = result {
                        problems.add("\"\(body)\" with status \(status) is an answer to \(sample.read)")
                    }
                }
            }
        }
    }

    private static func check(
        _ refusal: RecordedRefusal, _ sample: ContractSamples.MutationSample, _ exchange: ExchangeUnderTest,
        _ problems: inout Problems
    ) {
        let operation = sample.mutation.operation
        guard refusal.operations?.contains(operation) ?? true else { return }
        let outcome = exchange.plugin.outcome(of: sample.mutation, in: refusal.reply, account: sample.account)
        var isClose = false
        if case .close = sample.mutation { isClose = true }
        let right: Bool =
            switch refusal.meaning {
            case .throttled: outcome.effect == .none && outcome.errorClass == .rateLimited
            case .flat: !isClose || (outcome.effect == .none && outcome.errorClass == .alreadyFlat)
            case .wrongKey:
                outcome.effect == .none && outcome.errorClass == .fatalAccount && outcome.refusal == .credentials
            case .noPermission:
                outcome.effect == .none && outcome.refusal == .permission
                    && (!isClose || [.fatalAccount, .fatalCall].contains(outcome.errorClass))
                    // What cannot be cancelled does not stop a close.
                    && (isClose || outcome.errorClass == .fatalCall)
            case .unlisted: outcome.effect == .unknown && outcome.errorClass == .unknown
            }
        let kind = "\(outcome.effect) \(outcome.errorClass) \(outcome.refusal.map(\.rawValue) ?? "-")"
        problems.expect(right, "\(refusal.meaning) on \(operation) is \(kind)")
    }

    private static func check(
        _ refusal: RecordedRefusal, _ sample: ContractSamples.ReadSample, _ exchange: ExchangeUnderTest,
        _ problems: inout Problems
    ) {
        guard refusal.operations == nil else { return }
        let result = exchange.plugin.answer(
            to: sample.read, in: refusal.reply, account: sample.account, instruments: InstrumentBook())
        guard case .failed(let outcome) = result else {
            // A key may lack the right to say who it is, and still close.
            let isShy =
                refusal.meaning == .noPermission
                && ["identity", "permissions", "settings"].contains(kind(of: sample.read))
            return problems.expect(isShy, "\(refusal.meaning) is an answer to \(sample.read)")
        }
        problems.expect(outcome.effect == .none, "\(refusal.meaning) on \(sample.read) has effect \(outcome.effect)")
        switch refusal.meaning {
        case .throttled:
            problems.expect(
                outcome.errorClass == .rateLimited, "\(refusal.meaning) on \(sample.read) is \(outcome.errorClass)")
        case .wrongKey where !sample.read.isPublic:
            problems.expect(
                outcome.errorClass == .fatalAccount && outcome.refusal == .credentials,
                "\(refusal.meaning) on \(sample.read) is \(outcome.errorClass)")
        default: break
        }
    }
}
