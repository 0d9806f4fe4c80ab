import FlatbookCore

/// A value with where it stands.
struct Field {
    var node: YAMLTree
    /// e.g. `accounts[3].uid`.
    var path: String
    var line: Int { node.line }
}

/// A text with where it stands.
struct FieldText {
    var text: String
    var path: String
    var line: Int
}

/// One mapping of a file, or several merged: the nearest layer that has a key wins.
struct Section {
    struct Layer {
        var entries: [YAMLTree.Entry]
        var path: String
    }

    var layers: [Layer]
    var file: String
    /// 1-based, where what is missing should stand.
    var line: Int
    var problems: Problems

    /// - Returns: nil where the field is no mapping; that is reported.
    init?(_ field: Field, file: String, problems: Problems) {
        guard case .map(let entries) = field.node.kind else {
            problems.add(
                file, field.line, field.path.isEmpty ? nil : field.path,
                field.path.isEmpty ? "must be a mapping of keys to values." : "must be a mapping: {key: value}.")
            return nil
        }
        layers = [Layer(entries: entries, path: field.path)]
        self.file = file
        line = field.line
        self.problems = problems
    }

    var path: String { layers.first?.path ?? "" }

    func key(_ name: String) -> String { Self.join(path, name) }

    static func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : path + "." + name }

    func field(_ name: String) -> Field? {
        for layer in layers {
            guard let entry = layer.entries.first(where: { $0.key == name }) else { continue }
            // A value can stand lines below its key; the key is what a person looks for.
            var node = entry.value
            if case .nothing = node.kind { node.line = entry.line }
            return Field(node: node, path: Self.join(layer.path, name))
        }
        return nil
    }

    func report(_ message: String, hint: String? = nil) {
        problems.add(file, line, path.isEmpty ? nil : path, message, hint: hint)
    }

    func report(_ field: Field, _ message: String, hint: String? = nil) {
        problems.add(file, field.line, field.path, message, hint: hint)
    }

    func report(_ text: FieldText, _ message: String, hint: String? = nil) {
        problems.add(file, text.line, text.path, message, hint: hint)
    }

    func missing(_ name: String, _ message: String = "is missing.", hint: String? = nil) {
        problems.add(file, line, key(name), message, hint: hint)
    }

    /// Refuses every key that is not known, naming the nearest; those of a later stage by name.
    func check(known: [String], later: [String] = []) {
        guard let layer = layers.first else { return }
        for entry in layer.entries where !known.contains(entry.key) {
            // The search for the nearest spelling would be for nothing.
            if problems.isFull { break }
            let isLater = later.contains(entry.key)
            problems.add(
                file, entry.line, Self.join(layer.path, shownKey(entry.key)),
                isLater ? "is not supported yet." : "is not a key that can stand here.",
                hint: isLater ? "Remove it, or make it a comment." : didYouMean(entry.key, in: known))
        }
    }

    func section(_ name: String) -> Section? {
        guard let field = field(name) else { return nil }
        return Section(field, file: file, problems: problems)
    }

    func text(_ name: String) -> FieldText? { field(name).flatMap(text) }

    func text(_ field: Field) -> FieldText? {
        switch field.node.kind {
        case .text(let text) where !text.isEmpty: return FieldText(text: text, path: field.path, line: field.line)
        case .text, .nothing: report(field, "has no value.", hint: "Give it one, or remove the key.")
        case .list: report(field, "must be one value, not a list.")
        case .map: report(field, "must be one value, not a mapping.")
        }
        return nil
    }

    /// A list of texts; one text stands for a list of one.
    func texts(_ name: String) -> [FieldText]? {
        guard let field = field(name) else { return nil }
        guard case .list(let items) = field.node.kind else { return text(field).map { [$0] } }
        return items.enumerated().compactMap { text(Field(node: $1, path: "\(field.path)[\($0)]")) }
    }

    /// One of the words that an enumeration has.
    func choice<T: RawRepresentable>(_ name: String, of all: [T], later: [String] = []) -> T?
    where T.RawValue == String {
        text(name).flatMap { choice($0, of: all, later: later) }
    }

    func choice<T: RawRepresentable>(_ text: FieldText, of all: [T], later: [String] = []) -> T?
    where T.RawValue == String {
        if let value = all.first(where: { $0.rawValue == text.text }) { return value }
        refuse(text, allowed: all.map(\.rawValue), later: later)
        return nil
    }

    func refuse(_ text: FieldText, allowed: [String], later: [String] = []) {
        if later.contains(text.text) {
            report(text, "\(shown(text.text)) is not supported yet.", hint: "Use \(alternatives(allowed)).")
        } else {
            report(
                text, "is \(shown(text.text)), but must be \(alternatives(allowed)).",
                hint: didYouMean(text.text, in: allowed))
        }
    }

    /// A whole number in plain digits.
    func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(name) else { return nil }
        if let value = wholeNumber(text.text), range.contains(value) { return value }
        let bounds =
            range.upperBound == .max
            ? "of \(range.lowerBound) or more" : "from \(range.lowerBound) to \(range.upperBound)"
        report(text, "is \(shown(text.text)), but must be a whole number \(bounds).")
        return nil
    }

    /// A length of time such as `500ms`, `1s`, `5m`, `1h30m`.
    func span(_ name: String, atLeast least: TimeSpan) -> TimeSpan? {
        text(name).flatMap { span($0, atLeast: least) }
    }

    func span(_ text: FieldText, atLeast least: TimeSpan) -> TimeSpan? {
        guard let span = DurationText.parse(text.text) else {
            report(text, "is \(shown(text.text)), but must be a duration such as 500ms, 1s, 5m or 1h30m.")
            return nil
        }
        guard span >= least else {
            report(text, "is \(shown(text.text)), but must be at least \(DurationText.describe(least)).")
            return nil
        }
        guard span <= DurationText.most else {
            report(text, "is \(shown(text.text)), but must be at most \(DurationText.describe(DurationText.most)).")
            return nil
        }
        return span
    }
}

/// Plain digits only, as `Int.init` takes signs too.
func wholeNumber(_ text: some StringProtocol) -> Int? {
    text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(text) : nil
}
