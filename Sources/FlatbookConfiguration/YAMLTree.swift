import FlatbookCore
import Yams

/// A YAML document as text with lines: scalars keep their text, whatever type YAML would give them.
struct YAMLTree {
    struct Entry {
        var key: String
        /// 1-based, of the key.
        var line: Int
        var value: YAMLTree
    }

    enum Kind {
        case text(String)
        /// An empty place, `~` or `null`.
        case nothing
        case list([YAMLTree])
        case map([Entry])
    }

    var kind: Kind
    /// 1-based.
    var line: Int

    /// Deeper than any key of ours stands; a bound for the recursion.
    private static let maximumDepth = 16

    /// Parses one document. JSON is read as the YAML that it is.
    ///
    /// - Returns: nil where the text is no document; `problems` then says why.
    static func parse(_ text: String, file: String, problems: Problems) -> YAMLTree? {
        // Anchors are found before the parser expands them, so that no small file can unfold into a large tree.
        let marks = YAMLMarks.find(in: text)
        for mark in marks {
            problems.add(file, mark.line, nil, mark.message, hint: mark.hint)
        }
        guard marks.isEmpty else { return nil }
        do {
            let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            // Nodes hold their anchors weakly; the parser keeps them alive.
            return try withExtendedLifetime(parser) {
                guard let root = try parser.singleRoot() else {
                    problems.add(file, 1, nil, "is empty.", hint: "It must start with \"version: 1\".")
                    return nil
                }
                let before = problems.reported
                let place = Place(file: file, lastLine: YAMLFault.lines(text), problems: problems)
                let tree = convert(root, depth: 0, place)
                // A tree with something cut out would only give misleading problems.
                return problems.reported == before ? tree : nil
            }
        } catch let error as YamlError {
            let place = YAMLFault(error, in: text)
            problems.add(file, place.line, place.key, place.message, hint: place.hint)
        } catch {
            problems.add(file, nil, nil, "cannot be read as YAML.")
        }
        return nil
    }

    /// None, and what the parser resolves a key to.
    private static let standardTags = [Tag.Name.implicit, .str, .seq, .map].map(\.rawValue)

    /// Where nodes stand.
    private struct Place {
        var file: String
        /// 1-based. The parser puts an empty value at the end of a file on the line behind it.
        var lastLine: Int
        var problems: Problems

        func line(of node: Node) -> Int? { node.mark.map { min($0.line, max(1, lastLine)) } }
    }

    private static func convert(_ node: Node, depth: Int, _ place: Place) -> YAMLTree? {
        let (file, problems) = (place.file, place.problems)
        let line = place.line(of: node) ?? 1
        guard depth < maximumDepth else {
            problems.add(file, line, nil, "is nested too deeply.")
            return nil
        }
        let tag: Tag
        switch node {
        case .scalar(let scalar): tag = scalar.tag
        case .mapping(let mapping): tag = mapping.tag
        case .sequence(let sequence): tag = sequence.tag
        case .alias:
            problems.add(file, line, nil, YAMLMarks.aliasMessage)
            return nil
        }
        guard node.anchor == nil else {
            problems.add(file, line, nil, YAMLMarks.aliasMessage)
            return nil
        }
        // `!desk-a` without quotes is a tag on nothing: the exclusion would be lost.
        guard standardTags.contains(tag.rawValue) else {
            problems.add(file, line, nil, "holds a YAML tag.", hint: "Put text that starts with ! in quotes.")
            return nil
        }
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain || scalar.style == .any
            let isNothing = isPlain && ["", "~", "null"].contains(scalar.string)
            return YAMLTree(kind: isNothing ? .nothing : .text(scalar.string), line: line)
        case .sequence(let sequence):
            let items = sequence.compactMap { convert($0, depth: depth + 1, place) }
            return YAMLTree(kind: .list(items), line: line)
        case .mapping(let mapping):
            return map(mapping, line: line, depth: depth, place)
        case .alias: return nil
        }
    }

    private static func map(_ mapping: Node.Mapping, line: Int, depth: Int, _ place: Place) -> YAMLTree {
        let (file, problems) = (place.file, place.problems)
        var entries: [Entry] = []
        var lines: [String: Int] = [:]
        for (key, value) in mapping {
            let keyLine = place.line(of: key) ?? line
            guard case .scalar(let scalar) = key else {
                problems.add(file, keyLine, nil, "has a key that is no word.")
                continue
            }
            if let first = lines.updateValue(keyLine, forKey: scalar.string) {
                problems.add(file, keyLine, shownKey(scalar.string), "is given twice; the first is on line \(first).")
                continue
            }
            guard let value = convert(value, depth: depth + 1, place) else { continue }
            entries.append(Entry(key: scalar.string, line: keyLine, value: value))
        }
        return YAMLTree(kind: .map(entries), line: line)
    }
}

/// What the YAML parser objects to, in our words.
struct YAMLFault {
    var line: Int?
    var key: String?
    var message: String
    var hint: String?

    init(_ error: YamlError, in text: String) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            line = min(mark.line, max(1, Self.lines(text)))
            message = "is not valid YAML: \(problem)."
            if problem.contains("cannot start any token") { hint = "Put such text in quotes." }
            if problem.contains("another document") { hint = "One file holds one document." }
        case .reader(let problem, let offset, _, _):
            line = offset.map { 1 + text.prefix($0).count(where: \.isNewline) }
            message = "is not valid YAML: \(problem)."
        case .duplicatedKeysInMapping(let duplicates, let context):
            let name = duplicates.min() ?? ""
            let second = Self.secondLine(of: name, after: context.mark, in: text)
            line = second ?? context.mark.line
            key = shownKey(name)
            message =
                second == nil
                ? "is given twice in one place." : "is given twice; the first is on line \(context.mark.line)."
            hint = "Remove one of them."
        default: message = "cannot be read as YAML."
        }
    }

    static func lines(_ text: String) -> Int {
        text.utf8.count { $0 == UInt8(ascii: "\n") } + (text.utf8.last == UInt8(ascii: "\n") ? 0 : 1)
    }

    /// The parser tells only where a doubled key stands first; the second stands below it in the same column.
    private static func secondLine(of name: String, after mark: Mark, in text: String) -> Int? {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for index in lines.indices.dropFirst(mark.line) {
            let indent = lines[index].prefix { $0 == " " }.count
            let rest = lines[index].dropFirst(indent)
            if rest.isEmpty || rest.hasPrefix("#") { continue }
            guard indent >= mark.column - 1 else { return nil }
            guard indent == mark.column - 1 else { continue }
            if ["", "\"", "'"].contains(where: { rest.hasPrefix($0 + name + $0 + ":") }) { return index + 1 }
        }
        return nil
    }
}
