import FlatbookCore

/// Reads one plan file.
struct PlanReader {
    let root: Section

    private var problems: Problems { root.problems }

    /// - Returns: nil where something is wrong; that is reported.
    func read() -> PlanDocument? {
        let before = problems.reported
        root.check(
            known: [
                "version", "name", "accounts", "symbols", "sides", "orders", "sequence", "granularity", "share",
                "unknown", "verify", "guards", "reports",
            ], later: ["schedule", "hooks", "notify"])
        let name = name()
        if root.field("accounts") == nil {
            root.missing("accounts", hint: "Name accounts, tag:…, exchange:… or environment:….")
        }
        let accounts = patterns("accounts")
        var plan = PlanDocument(name: name ?? "", accounts: accounts ?? [])
        plan.source = SourceLocation(file: root.file, line: root.field("name")?.line ?? root.line)
        if let symbols = patterns("symbols") { plan.symbols = symbols }
        if let sides = sides() { plan.sides = sides }
        plan.orders = root.choice("orders", of: [.keep, .cancelOpeners, .cancelAll]) ?? plan.orders
        plan.sequence = root.choice("sequence", of: [.exposure, .account, .symbol], later: ["linked"]) ?? plan.sequence
        plan.granularity = root.choice("granularity", of: [.auto, .side, .symbol, .account]) ?? plan.granularity
        plan.afterUnknown = root.choice("unknown", of: [.resend, .wait]) ?? plan.afterUnknown
        if let share = share() { plan.share = share }
        if let section = root.section("verify") { plan.verify = verification(section) }
        if let section = root.section("guards") { plan.guards = guards(section) }
        if let formats = reportFormats() { plan.reportFormats = formats }
        guard problems.reported == before, root.field("version") != nil, name != nil, accounts != nil else {
            return nil
        }
        return plan
    }

    private func name() -> String? {
        guard root.field("name") != nil else {
            root.missing("name")
            return nil
        }
        guard let text = root.text("name") else { return nil }
        let isValid = text.text.utf8.count <= 40 && text.text.utf8.allSatisfy { isLowerOrDigit($0) || $0 == 0x2D }
        guard isValid else {
            root.report(text, "is \(shown(text.text)), but must be 1 to 40 of a-z, 0-9 and \"-\".")
            return nil
        }
        return text.text
    }

    private func patterns(_ name: String) -> [Pattern]? {
        guard let texts = root.texts(name), let field = root.field(name) else { return nil }
        if case .list(let items) = field.node.kind, items.isEmpty {
            root.report(field, "is empty.", hint: "Write [\"*\"] for everything.")
            return nil
        }
        var patterns: [Pattern] = []
        for text in texts {
            let pattern = Pattern(text.text, line: text.line)
            let isClean = pattern.text.unicodeScalars.allSatisfy { !$0.properties.isWhitespace && $0.value >= 0x20 }
            guard !pattern.text.isEmpty, !pattern.text.hasPrefix("!"), isClean, pattern.text.utf8.count <= 200 else {
                root.report(text, "is \(shown(text.text)), which is no pattern.")
                continue
            }
            patterns.append(pattern)
        }
        if !patterns.isEmpty, patterns.count == texts.count, patterns.allSatisfy(\.isExclusion) {
            root.report(field, "only excludes, so nothing is selected.", hint: "Add \"*\" before the exclusions.")
        }
        return patterns
    }

    private func sides() -> [Side]? {
        guard let texts = root.texts("sides"), let field = root.field("sides") else { return nil }
        if texts.isEmpty {
            root.report(field, "is empty.", hint: "Write [long, short], or leave it out for both.")
            return nil
        }
        return Array(Set(texts.compactMap { root.choice($0, of: Side.allCases) })).sorted()
    }

    /// A number for every limit, or one for each scope; `*` is what the map does not name.
    private func share() -> [String: Amount]? {
        guard let field = root.field("share") else { return nil }
        guard case .map = field.node.kind else {
            return root.text(field).flatMap(part).map { ["*": $0] }
        }
        guard let section = Section(field, file: root.file, problems: problems) else { return nil }
        let scopes = ["*"] + ScopeDimension.allCases.map(\.rawValue)
        section.check(known: scopes)
        var share: [String: Amount] = ["*": Amount(1)]
        for scope in scopes {
            guard let text = section.text(scope), let part = part(text) else { continue }
            share[scope] = part
        }
        return share
    }

    private func part(_ text: FieldText) -> Amount? {
        if let amount = try? Amount(text.text), !amount.isNegative, !amount.isZero, amount <= Amount(1) {
            return amount
        }
        root.report(text, "is \(shown(text.text)), but must be above 0 and at most 1.")
        return nil
    }

    private func verification(_ section: Section) -> PlanDocument.Verification {
        var verify = PlanDocument.Verification()
        section.check(known: ["reads", "interval", "timeout", "rounds", "control", "dust"])
        verify.reads = section.integer("reads", in: 2...100) ?? verify.reads
        verify.interval = section.span("interval", atLeast: .milliseconds(100)) ?? verify.interval
        verify.timeout = section.span("timeout", atLeast: .milliseconds(1)) ?? verify.timeout
        verify.rounds = section.integer("rounds", in: 0...100) ?? verify.rounds
        verify.control = section.choice("control", of: [.preferred, .required]) ?? verify.control
        verify.dust = section.choice("dust", of: [.accept, .report]) ?? verify.dust
        return verify
    }

    private func guards(_ section: Section) -> PlanDocument.Guards {
        var guards = PlanDocument.Guards()
        section.check(
            known: [
                "environment", "maxAccounts", "maxNotional", "maxLegs", "maxFailures", "deadline", "afterDeadline",
            ])
        guards.environment = section.choice("environment", of: TradingEnvironment.allCases)
        guards.maxAccounts = section.integer("maxAccounts", in: 1...Int.max)
        guards.maxLegs = section.integer("maxLegs", in: 1...Int.max)
        guards.maxNotional = notional(section)
        guards.maxFailuresPercent = failures(section)
        guards.deadline = deadline(section) ?? guards.deadline
        guards.afterDeadline = section.choice("afterDeadline", of: [.stop, .continue]) ?? guards.afterDeadline
        return guards
    }

    private func notional(_ section: Section) -> Amount? {
        guard let text = section.text("maxNotional") else { return nil }
        if let amount = try? Amount(text.text), !amount.isNegative, !amount.isZero { return amount }
        section.report(text, "is \(shown(text.text)), but must be an amount in USD above 0, such as 5000000.")
        return nil
    }

    private func failures(_ section: Section) -> Int? {
        guard let text = section.text("maxFailures") else { return nil }
        if text.text.hasSuffix("%"), let percent = wholeNumber(text.text.dropLast()), (1...100).contains(percent) {
            return percent
        }
        section.report(text, "is \(shown(text.text)), but must be 1% to 100%.")
        return nil
    }

    private func deadline(_ section: Section) -> TimeSpan? {
        guard let text = section.text("deadline") else { return nil }
        let parts = text.text.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 2 || parts.count == 3, parts.allSatisfy({ $0.count <= 2 && wholeNumber($0) != nil }) {
            section.report(
                text, "is a time of day, which is not supported yet.", hint: "Write a duration such as 5m.")
            return nil
        }
        return section.span(text, atLeast: .milliseconds(1))
    }

    private func reportFormats() -> [String]? {
        guard let section = root.section("reports") else { return nil }
        section.check(known: ["formats"])
        guard let texts = section.texts("formats"), let field = section.field("formats") else { return nil }
        if texts.isEmpty {
            section.report(field, "is empty.", hint: "Write [json, csv], or leave it out.")
            return nil
        }
        var formats: [String] = []
        for text in texts {
            guard ["json", "csv"].contains(text.text) else {
                section.refuse(text, allowed: ["json", "csv"], later: ["html"])
                continue
            }
            if !formats.contains(text.text) { formats.append(text.text) }
        }
        return formats
    }
}
