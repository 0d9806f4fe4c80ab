import FlatbookCore

/// Reads accounts files into accounts, and checks what must be unique over all of them.
struct AccountsReader {
    private(set) var accounts: [Account] = []
    private let exchanges: [ExchangeDescription]
    private let problems: Problems
    private var places: [String: SourceLocation] = [:]
    private var identities: [Identity: Account] = [:]

    private struct Identity: Hashable {
        var exchange: ExchangeID
        var environment: TradingEnvironment
        var uid: String
    }

    private static let ownKeys = ["name", "uid"]
    private static let sharedKeys = [
        "exchange", "environment", "egress", "endpoint", "tags", "enabled", "reason", "credentials", "options",
    ]

    init(exchanges: [ExchangeDescription], problems: Problems) {
        self.exchanges = exchanges
        self.problems = problems
    }

    mutating func read(_ root: Section) {
        root.check(known: ["version", "egress", "defaults", "accounts"])
        let egresses = egress(of: root)
        let defaults = root.section("defaults")
        if let defaults {
            defaults.check(known: Self.sharedKeys + Self.ownKeys)
            for name in Self.ownKeys {
                if let field = defaults.field(name) {
                    defaults.report(field, "cannot stand in defaults: every account has its own.")
                }
            }
        }
        guard let field = root.field("accounts") else {
            return root.missing("accounts", hint: "List the accounts there.")
        }
        guard case .list(let items) = field.node.kind else {
            return root.report(field, "must be a list of accounts.", hint: "Start each one with \"- name: …\".")
        }
        for (index, item) in items.enumerated() {
            let place = Field(node: item, path: "accounts[\(index)]")
            guard var section = Section(place, file: root.file, problems: problems) else { continue }
            section.layers += defaults?.layers ?? []
            account(section, egresses: egresses)
        }
    }

    /// The names that a file declares as routes out of this host.
    private func egress(of root: Section) -> [String] {
        guard let section = root.section("egress"), let layer = section.layers.first else { return ["default"] }
        for entry in layer.entries {
            let field = Field(node: entry.value, path: section.key(entry.key))
            if case .nothing = entry.value.kind { continue }
            guard isName(entry.key, atMost: 63) else {
                problems.add(root.file, entry.line, "egress", "holds a name that is not valid: \(shown(entry.key)).")
                continue
            }
            Section(field, file: root.file, problems: problems)?.check(known: [], later: ["proxy", "bind"])
        }
        return ["default"] + layer.entries.map(\.key)
    }

    // MARK: - One account

    private mutating func account(_ section: Section, egresses: [String]) {
        let before = problems.reported
        section.check(known: Self.ownKeys + Self.sharedKeys)
        let name = name(section)
        let uid = uid(section)
        let exchange = exchange(section)
        if section.field("environment") == nil {
            section.missing("environment", hint: "It is production, demo or simulated.")
        }
        let environment = section.choice("environment", of: TradingEnvironment.allCases)
        let egress = egress(section, declared: egresses)
        let endpoint = endpoint(section, environment: environment)
        let tags = tags(section)
        let enabled = enabled(section)
        let reason = reason(section)
        let credentials = credentials(section, name: name ?? "", exchange: exchange, environment: environment)
        let options = options(section, exchange: exchange)
        guard let name else { return }
        let account = Account(
            name: name, exchange: exchange?.id ?? ExchangeID(""), environment: environment ?? .production, uid: uid,
            egress: egress, endpoint: endpoint, tags: tags, enabled: enabled,
            disabledReason: enabled ? nil : reason, credentials: credentials, options: options,
            source: SourceLocation(file: section.file, line: section.line))
        checkUnique(account, section, identityKnown: exchange != nil && environment != nil)
        if problems.reported == before, exchange != nil, environment != nil { accounts.append(account) }
    }

    private mutating func checkUnique(_ account: Account, _ section: Section, identityKnown: Bool) {
        let nameLine = section.field("name")?.line ?? section.line
        if let first = places[account.name] {
            problems.add(
                section.file, nameLine, section.key("name"),
                "\(shown(account.name)) is already the name of the account at \(first.file):\(first.line).",
                hint: "Names are unique over all files.")
        } else {
            places[account.name] = SourceLocation(file: section.file, line: nameLine)
        }
        guard identityKnown, let uid = account.uid else { return }
        let identity = Identity(exchange: account.exchange, environment: account.environment, uid: uid)
        if let first = identities[identity] {
            problems.add(
                section.file, section.field("uid")?.line ?? section.line, section.key("uid"),
                "\(account.name) has the uid of \(first.name) (\(first.source.file):\(first.source.line)): "
                    + "\(shown(uid)) on \(account.exchange) \(account.environment.rawValue).",
                hint: "Remove one of them.")
        } else {
            identities[identity] = account
        }
    }

    private func name(_ section: Section) -> String? {
        // A name in `defaults` is refused once there and is no name of an account.
        var own = section
        own.layers = Array(section.layers.prefix(1))
        guard own.field("name") != nil else {
            own.missing("name")
            return nil
        }
        guard let text = own.text("name") else { return nil }
        guard isName(text.text, atMost: 63) else {
            own.report(
                text,
                "is \(shown(text.text)), but must be 1 to 63 of a-z, 0-9, \".\", \"_\" and \"-\", "
                    + "starting with a letter or digit.")
            return nil
        }
        return text.text
    }

    private func uid(_ section: Section) -> String? {
        var own = section
        own.layers = Array(section.layers.prefix(1))
        guard let text = own.text("uid") else { return nil }
        guard text.text.utf8.count <= 64, text.text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            own.report(text, "must be the exchange's user id: at most 64 characters without blanks.")
            return nil
        }
        return text.text
    }

    private func exchange(_ section: Section) -> ExchangeDescription? {
        guard section.field("exchange") != nil else {
            section.missing("exchange", hint: "It is \(alternatives(exchanges.map(\.id.rawValue))).")
            return nil
        }
        guard let text = section.text("exchange") else { return nil }
        if let known = exchanges.first(where: { $0.id.rawValue == text.text }) { return known }
        let names = exchanges.map(\.id.rawValue)
        section.report(
            text, "is \(shown(text.text)), which is no exchange of this version.",
            hint: didYouMean(text.text, in: names) ?? "Use \(alternatives(names)).")
        return nil
    }

    private func egress(_ section: Section, declared: [String]) -> String {
        guard let text = section.text("egress") else { return "default" }
        if !declared.contains(text.text) {
            section.report(
                text, "is \(shown(text.text)), which the egress section of this file does not declare.",
                hint: didYouMean(text.text, in: declared) ?? "Use default, the host's own route.")
        }
        return text.text
    }

    private func endpoint(_ section: Section, environment: TradingEnvironment?) -> String? {
        guard let text = section.text("endpoint") else { return nil }
        do {
            let endpoint = try EndpointText.parse(text.text)
            // Elsewhere a real exchange could answer, with the bare keys that only `simulated` allows.
            if environment == .simulated, !AccountSelection.isLoopback(endpoint) {
                section.report(text, "must be on this host: the environment is simulated.")
            }
            return endpoint
        } catch {
            section.report(text, error.message, hint: "Write it as https://host or http://127.0.0.1:9001.")
            return nil
        }
    }

    /// Those of `defaults` and the account's own together.
    private func tags(_ section: Section) -> [String] {
        var tags: [String] = []
        for layer in section.layers.reversed() {
            var one = section
            one.layers = [layer]
            for tag in one.texts("tags") ?? [] {
                guard tag.text.utf8.count <= 63, tag.text.utf8.allSatisfy(isTagByte) else {
                    one.report(
                        tag, "is \(shown(tag.text)), but must be a word of letters, digits, \".\", \"_\" and \"-\".")
                    continue
                }
                if !tags.contains(tag.text) { tags.append(tag.text) }
            }
        }
        return tags
    }

    private func enabled(_ section: Section) -> Bool {
        guard let text = section.text("enabled") else { return true }
        switch text.text {
        case "true": return true
        case "false": return false
        default:
            section.report(text, "is \(shown(text.text)), but must be true or false.")
            return false
        }
    }

    private func reason(_ section: Section) -> String? {
        guard let text = section.text("reason") else { return nil }
        let isClean = text.text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        guard text.text.count <= 200, isClean else {
            section.report(text, "must be one line of at most 200 characters.")
            return nil
        }
        return text.text
    }
}

// MARK: - Credentials and options

extension AccountsReader {
    /// Credential fields that any exchange has.
    private static let everyField = ["key", "secret", "passphrase"]

    private func credentials(
        _ section: Section, name: String, exchange: ExchangeDescription?, environment: TradingEnvironment?
    ) -> [String: CredentialReference] {
        guard let merged = merged(section, "credentials") else {
            if let exchange, !exchange.credentialFields.isEmpty {
                section.missing(
                    "credentials", hint: "\(exchange.id) needs \(exchange.credentialFields.joined(separator: ", ")).")
            }
            return [:]
        }
        let folder = section.file.lastIndex(of: "/").map { String(section.file[...$0]) } ?? ""
        var references: [String: CredentialReference] = [:]
        for field in exchange?.credentialFields ?? Self.everyField {
            guard merged.field(field) != nil else {
                if let exchange { section.missing("credentials.\(field)", "is missing: \(exchange.id) needs it.") }
                continue
            }
            guard let text = merged.text(field) else { continue }
            let written = text.text.replacing("{NAME}", with: variable(name)).replacing("{name}", with: name)
            do {
                references[field] = try CredentialText.parse(written, folder: folder, environment: environment)
            } catch {
                merged.report(text, error.message, hint: error.hint)
            }
        }
        if let exchange {
            for layer in merged.layers {
                var one = merged
                one.layers = [layer]
                // Defaults serve accounts of several exchanges: a passphrase there is for those that have one.
                let isDefault = layer.path.hasPrefix("defaults")
                one.check(known: exchange.credentialFields + (isDefault ? Self.everyField : []))
            }
        }
        return references
    }

    /// Upper case, with `_` for what a shell takes in no variable.
    private func variable(_ name: String) -> String {
        String(name.uppercased().map { $0 == "-" || $0 == "." ? "_" : $0 })
    }

    /// A map of the account over that of `defaults`, key by key.
    private func merged(_ section: Section, _ name: String) -> Section? {
        var result: Section?
        for layer in section.layers {
            var one = section
            one.layers = [layer]
            guard let found = one.section(name) else { continue }
            if result == nil { result = found } else { result?.layers += found.layers }
        }
        return result
    }

    private func options(_ section: Section, exchange: ExchangeDescription?) -> [String: [String]] {
        guard let exchange, let merged = merged(section, "options") else { return [:] }
        var options: [String: [String]] = [:]
        let known = exchange.options.map(\.name)
        for layer in merged.layers {
            for entry in layer.entries where !known.contains(entry.key) {
                let isElsewhere = (exchange.knownElsewhere + LaterOptions.names).contains(entry.key)
                problems.add(
                    section.file, entry.line,
                    Section.join(layer.path, shownKey(entry.key)),
                    isElsewhere
                        ? "is an option of another exchange, not of \(exchange.id)."
                        : "is no option of \(exchange.id).",
                    hint: didYouMean(entry.key, in: known))
            }
        }
        for rule in exchange.options {
            guard let values = merged.texts(rule.name), let field = merged.field(rule.name) else { continue }
            if case .list(let items) = field.node.kind {
                if items.isEmpty { merged.report(field, "is empty.", hint: "Leave it out for everything.") }
                if items.count > 1, !rule.isList { merged.report(field, "takes one value only.") }
            }
            for value in values {
                guard rule.allowed.contains(value.text) else {
                    merged.refuse(value, allowed: rule.allowed, later: LaterOptions.values[rule.name] ?? [])
                    continue
                }
                if options[rule.name]?.contains(value.text) != true {
                    options[rule.name, default: []].append(value.text)
                }
            }
        }
        return options
    }
}

/// Options that the contract names and a later version brings.
private enum LaterOptions {
    static let names = ["instrumentTypes", "site"]
    static let values = ["api": ["unified"], "role": ["copy-follower"]]
}

/// `[a-z0-9][a-z0-9._-]*`, bounded.
func isName(_ text: String, atMost most: Int) -> Bool {
    guard let first = text.utf8.first, text.utf8.count <= most, isLowerOrDigit(first) else { return false }
    return text.utf8.allSatisfy { isLowerOrDigit($0) || [0x2D, 0x2E, 0x5F].contains($0) }
}

func isLowerOrDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}

private func isTagByte(_ byte: UInt8) -> Bool {
    isLowerOrDigit(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        || [0x2D, 0x2E, 0x5F].contains(byte)
}
