import ExchangeKit
import FlatbookCore

/// Case 6.
extension PluginContract {
    static func hostile(_ exchange: ExchangeUnderTest) -> [String] {
        var problems = Problems()
        let judge = HostileJudge(exchange)
        for subject in judge.subjects {
            let body = subject.reply.body
            let original = judge.reading(of: subject, body)
            problems.expect(original.isGood, "\(subject.name) is not read as it stands")
            for damage in BodyDamage.unreadable(body) {
                problems.expect(
                    !judge.reading(of: subject, damage.body).isGood, "\(subject.name), \(damage.what), is accepted")
            }
            guard let value = try? JSONValue.parse(body) else { continue }
            for damage in BodyDamage.mistyped(
                value, gaps: Set(exchange.documentedGaps.keys), eitherShape: subject.eitherShape)
            {
                let reading = judge.reading(of: subject, damage.body)
                if let problem = reading.problem(against: original, changesNumber: damage.isNumber) {
                    problems.add("\(subject.name), \(damage.what): \(problem)")
                }
                let isVerdict = damage.member == exchange.successMember
                problems.expect(!(isVerdict && reading.isGood), "\(subject.name), \(damage.what), is accepted")
            }
        }
        for (index, damage) in BodyDamage.huge.enumerated() {
            // A long number takes time to read: one read and one close stand for all.
            let subjects = judge.oneOfEachKind
            let few = subjects.filter(\.isPositions).prefix(1) + subjects.suffix(1)
            for subject in index == 0 ? Array(few) : subjects {
                problems.expect(
                    !judge.reading(of: subject, damage.body).isGood, "\(damage.what) is accepted as \(subject.name)")
            }
        }
        return problems.list
    }
}

/// Reads recorded replies, whole and damaged, and says whether the damaged one was taken for more than it is.
struct HostileJudge {
    enum Call {
        case read(Read)
        case mutate(Mutation, Effect)
    }
    struct Subject {
        var name: String
        var call: Call
        var account: Account
        var reply: VenueReply
        var eitherShape: Set<String> = []

        var isPositions: Bool {
            if case .read(.positions) = call { true } else { false }
        }
    }
    enum Reading {
        case failed
        case answer(ReadAnswer)
        case outcome(Outcome)

        /// Whether it says that something is so, rather than that nothing is known.
        var isGood: Bool {
            switch self {
            case .failed: false
            case .answer: true
            case .outcome(let outcome): outcome.effect != .unknown
            }
        }

        func problem(against original: Reading, changesNumber: Bool) -> String? {
            switch (original, self) {
            case (_, .failed): nil
            case (.answer(let whole), .answer(let damaged)):
                Self.problem(whole, damaged, changesNumber: changesNumber)
            case (.outcome(let whole), .outcome(let damaged)):
                damaged.effect == .unknown || damaged.effect == whole.effect
                    || (damaged.effect == .partial && whole.effect == .executed)
                    ? nil : "has effect \(damaged.effect) \(damaged.errorClass)"
            default: "is read as something else"
            }
        }

        private static func problem(_ whole: ReadAnswer, _ damaged: ReadAnswer, changesNumber: Bool) -> String? {
            switch (whole, damaged) {
            case (.positions(let a, let next), .positions(let b, let after)):
                if b.count < a.count { return "\(a.count) positions became \(b.count)" }
                if next != nil, after == nil { return "the next page is lost" }
                if !changesNumber, rows(a) != rows(b) { return "other positions are read" }
                return nil
            case (.orders(let a, let next), .orders(let b, let after)):
                if b.count < a.count { return "\(a.count) orders became \(b.count)" }
                if next != nil, after == nil { return "the next page is lost" }
                return nil
            case (.instruments(let a, let next), .instruments(let b, let after)):
                // A row that cannot be read may be left out: what is not listed is still read and closed by its id.
                if b.count > a.count { return "\(a.count) instruments became \(b.count)" }
                if next != nil, after == nil { return "the next page is lost" }
                return nil
            case (.control(let a), .control(let b)): return !a && b ? "an open account reads as flat" : nil
            case (.serverTime, .serverTime), (.identity, .identity): return nil
            default: return "is read as something else"
            }
        }

        private static func rows(_ positions: [Position]) -> [LegKey: Amount] {
            Dictionary(positions.map { ($0.key, $0.quantity) }, uniquingKeysWith: { a, _ in a })
        }
    }

    let exchange: ExchangeUnderTest
    let subjects: [Subject]
    private let book: InstrumentBook

    init(_ exchange: ExchangeUnderTest) {
        self.exchange = exchange
        book = exchange.book
        let reads = exchange.reads.compactMap { recorded in
            exchange.account(recorded.account).map {
                Subject(
                    name: recorded.name, call: .read(recorded.read), account: $0, reply: Self.trimmed(recorded.reply),
                    eitherShape: recorded.eitherShape)
            }
        }
        let mutations = exchange.mutations.filter { $0.effect == .executed || $0.effect == .partial }
        subjects =
            reads
            + mutations.compactMap { recorded in
                exchange.account(recorded.mutation.account).map {
                    Subject(
                        name: recorded.name, call: .mutate(recorded.mutation, recorded.effect), account: $0,
                        reply: Self.trimmed(recorded.reply))
                }
            }
    }

    /// Space behind a text is no part of it: a body cut there is whole.
    private static func trimmed(_ reply: VenueReply) -> VenueReply {
        var reply = reply
        while let last = reply.body.last, last == 0x20 || last == 0x0A || last == 0x0D { reply.body.removeLast() }
        return reply
    }

    var oneOfEachKind: [Subject] {
        var seen: Set<String> = []
        return subjects.filter { subject in
            switch subject.call {
            case .read(let read): seen.insert(PluginContract.kind(of: read)).inserted
            case .mutate(let mutation, _): seen.insert(mutation.operation).inserted
            }
        }
    }

    func reading(of subject: Subject, _ body: [UInt8]) -> Reading {
        let reply = VenueReply(status: subject.reply.status, body: body)
        switch subject.call {
        case .mutate(let mutation, _):
            return .outcome(exchange.plugin.outcome(of: mutation, in: reply, account: subject.account))
        case .read(let read):
            let result = exchange.plugin.answer(to: read, in: reply, account: subject.account, instruments: book)
            guard case .answer(let answer) = result else { return .failed }
            return .answer(answer)
        }
    }
}

/// Bodies that are not what the exchange sent.
struct BodyDamage {
    var what: String
    var body: [UInt8]
    /// Whether a number was replaced by another: that is no damage a plugin could see.
    var isNumber = false
    /// The outermost member that was damaged.
    var member: String?

    /// None of these is a JSON text, so none is an answer.
    static func unreadable(_ body: [UInt8]) -> [BodyDamage] {
        var all = [
            BodyDamage(what: "empty", body: []),
            BodyDamage(what: "as spaces", body: Array("  \r\n".utf8)),
            BodyDamage(what: "as HTML", body: Array("<!DOCTYPE html><html><body>OK</body></html>".utf8)),
            BodyDamage(what: "sent twice", body: body + body),
            BodyDamage(what: "with more behind it", body: body + Array("x".utf8)),
            BodyDamage(what: "with a zero byte behind it", body: body + [0]),
            BodyDamage(what: "with a byte order mark", body: [0xEF, 0xBB, 0xBF] + body),
            BodyDamage(what: "in a list", body: Array("[".utf8) + body + Array("]".utf8)),
            BodyDamage(what: "nested deeply", body: Array(repeating: UInt8(ascii: "["), count: 100_000) + body),
            BodyDamage(
                what: "nested deeply in objects",
                body: Array(String(repeating: "{\"data\":", count: 50_000).utf8) + body
                    + Array(repeating: UInt8(ascii: "}"), count: 50_000)),
        ]
        for index in body.indices {
            all.append(BodyDamage(what: "cut at byte \(index)", body: Array(body.prefix(index))))
            var broken = body
            broken[index] = 0xFF
            all.append(BodyDamage(what: "no UTF-8 at byte \(index)", body: broken))
        }
        if let value = try? JSONValue.parse(body) {
            for path in paths(value) where !path.isEmpty {
                if let twice = doubled(value, path[...]) {
                    all.append(BodyDamage(what: "with \(text(path)) twice", body: Array(twice.utf8)))
                }
            }
        }
        return all
    }

    /// 50 MB of nothing, and 50 MB that begin well.
    static var huge: [BodyDamage] {
        let size = 50 << 20
        return [
            BodyDamage(
                what: "50 MB of one number",
                body: Array("{\"code\":".utf8) + Array(repeating: UInt8(ascii: "7"), count: size)),
            BodyDamage(what: "50 MB of HTML", body: Array(repeating: UInt8(ascii: "<"), count: size)),
            BodyDamage(what: "50 MB of nesting", body: Array(repeating: UInt8(ascii: "["), count: size)),
        ]
    }

    // MARK: Wrong types at every node

    private enum Step: Hashable { case member(String), element(Int) }

    /// Every value, one at a time, as something of another type; and every member, one at a time, left out.
    static func mistyped(_ value: JSONValue, gaps: Set<String>, eitherShape: Set<String>) -> [BodyDamage] {
        var all: [BodyDamage] = []
        for path in paths(value) {
            guard let node = node(value, path[...]) else { continue }
            let isGap = path.contains { if case .member(let name) = $0 { gaps.contains(name) } else { false } }
            var replacements: [(String, JSONValue)] = [
                ("null", .null), ("true", .bool(true)), ("a list", .array([])), ("an object", .object([])),
                ("7", .number("7")), ("text", .string("?")),
            ]
            if case .member(let name)? = path.last, eitherShape.contains(name) {
                replacements.removeAll { $0.1 == .array([]) || $0.1 == .object([]) }
            }
            let documented: [JSONValue] = [.null, .string("?"), .number("7")]
            replacements.removeAll { isSameType($0.1, node) || (isGap && documented.contains($0.1)) }
            if case .member(let name)? = path.last, gaps.contains(name + "=") {
                replacements.removeAll { $0.1 == .string("?") || $0.1 == .number("7") }
            }
            if path.count == 1, node.text != nil { replacements.append(("another code", other(node))) }
            for (name, replacement) in replacements {
                let body = changed(value, path[...]) { _ in replacement }
                let isNumber = node.text != nil && replacement.text.map { $0 != "?" } ?? false
                all.append(
                    BodyDamage(
                        what: "\(text(path)) as \(name)", body: Array(body.serialized().utf8), isNumber: isNumber,
                        member: outermost(path)))
            }
            if case .member? = path.last, !isGap {
                let body = without(value, path[...])
                all.append(
                    BodyDamage(
                        what: "without \(text(path))", body: Array(body.serialized().utf8), member: outermost(path)))
            }
        }
        return all
    }

    private static func outermost(_ path: [Step]) -> String? {
        if case .member(let name)? = path.first { name } else { nil }
    }

    /// Another value of the same type, such as a code of failure beside the rows of a success.
    private static func other(_ node: JSONValue) -> JSONValue {
        if case .number = node { .number("100500") } else { .string("100500") }
    }

    /// An empty list for a list is a legal reply, and so is another word for a word.
    private static func isSameType(_ a: JSONValue, _ b: JSONValue) -> Bool {
        switch (a, b) {
        case (.null, .null), (.bool, .bool), (.array, .array), (.object, .object), (.number, .number): true
        // "?" for text that is a number is damage, for other text it is another text.
        case (.string, .string(let text)): (try? Amount(text)) == nil
        default: false
        }
    }

    private static func paths(_ value: JSONValue) -> [[Step]] {
        var all: [[Step]] = [[]]
        switch value {
        case .object(let members):
            for member in members { all += paths(member.value).map { [.member(member.name)] + $0 } }
        case .array(let elements):
            for (index, element) in elements.enumerated() { all += paths(element).map { [.element(index)] + $0 } }
        default: break
        }
        return all
    }

    private static func text(_ path: [Step]) -> String {
        guard !path.isEmpty else { return "everything" }
        return path.map {
            switch $0 {
            case .member(let name): name
            case .element(let index): String(index)
            }
        }.joined(separator: ".")
    }

    private static func node(_ value: JSONValue, _ path: ArraySlice<Step>) -> JSONValue? {
        guard let step = path.first else { return value }
        switch step {
        case .member(let name): return value[name].flatMap { node($0, path.dropFirst()) }
        case .element(let index): return value.elements.flatMap { node($0[index], path.dropFirst()) }
        }
    }

    private static func changed(
        _ value: JSONValue, _ path: ArraySlice<Step>, _ change: (JSONValue) -> JSONValue
    ) -> JSONValue {
        guard let step = path.first else { return change(value) }
        switch (step, value) {
        case (.member(let name), .object(var members)):
            for index in members.indices where members[index].name == name {
                members[index].value = changed(members[index].value, path.dropFirst(), change)
            }
            return .object(members)
        case (.element(let index), .array(var elements)):
            elements[index] = changed(elements[index], path.dropFirst(), change)
            return .array(elements)
        default: return value
        }
    }

    private static func without(_ value: JSONValue, _ path: ArraySlice<Step>) -> JSONValue {
        guard case .member(let name)? = path.last else { return value }
        return changed(value, path.dropLast()) { parent in
            .object((parent.members ?? []).filter { $0.name != name })
        }
    }

    /// The member stands twice in its object; two programs read such a text in two ways.
    private static func doubled(_ value: JSONValue, _ path: ArraySlice<Step>) -> String? {
        guard case .member(let name)? = path.last else { return nil }
        let twice = changed(value, path.dropLast()) { parent in
            let members = parent.members ?? []
            return .object(members + members.filter { $0.name == name })
        }
        return twice.serialized()
    }
}
