import FlatbookCore
import Foundation

/// Credential references as the accounts file writes them. No message repeats one: it may be a secret put in the wrong place.
enum CredentialText {
    struct Problem: Error {
        var message: String
        var hint: String?
    }

    static let schemes = ["env:", "file:", "exec:", "credential:"]

    /// - Parameter folder: of the accounts file, with its trailing slash; empty for the working directory.
    /// - Throws: ``Problem``.
    static func parse(
        _ text: String, folder: String, environment: TradingEnvironment?
    ) throws(Problem) -> CredentialReference {
        if let name = tail(text, "env:") {
            guard !name.isEmpty, name.utf8.allSatisfy(isWord) else {
                throw Problem(message: "has no valid name of an environment variable behind env:.")
            }
            return .environment(name: name)
        }
        if let rest = tail(text, "file:") { return try file(rest, folder: folder) }
        if let rest = tail(text, "exec:") { return try command(rest) }
        if let name = tail(text, "credential:") {
            guard !name.isEmpty, name != ".", name != "..", !holds(name, "/"), !holds(name, "\0") else {
                throw Problem(message: "has no valid name behind credential:.", hint: "It is the name of one file.")
            }
            return .systemdCredential(name: name)
        }
        if text.hasPrefix("vault:") {
            throw Problem(message: "refers to the vault, which is not supported yet.", hint: "Use \(usable).")
        }
        guard environment == .simulated else {
            let prefix = text.firstIndex(of: ":").map { String(text[...$0]) }
            throw Problem(
                message: "is a bare value, which only a simulated account may have.",
                hint: prefix.flatMap { didYouMean($0, in: schemes) } ?? "Use \(usable).")
        }
        return .literal(text)
    }

    private static let usable = "env:NAME, file:PATH, exec:COMMAND or credential:NAME"

    private static func tail(_ text: String, _ scheme: String) -> String? {
        text.hasPrefix(scheme) ? String(text.dropFirst(scheme.count)) : nil
    }

    /// Looks at bytes, as the system does: a combining mark behind the sign makes another character of both.
    private static func holds(_ text: String, _ sign: Unicode.Scalar) -> Bool { text.unicodeScalars.contains(sign) }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func file(_ text: String, folder: String) throws(Problem) -> CredentialReference {
        var path = text[...]
        var pointer: String?
        if let mark = text.range(of: "#/") {
            path = text[..<mark.lowerBound]
            pointer = String(text[text.index(before: mark.upperBound)...])
        }
        guard !path.isEmpty, !holds(String(path), "\0") else { throw Problem(message: "has no path behind file:.") }
        return .file(path: path.hasPrefix("/") ? String(path) : folder + path, pointer: pointer)
    }

    private static func command(_ text: String) throws(Problem) -> CredentialReference {
        var command = text[...]
        var pointer: String?
        // Only at the very end: `#/` inside an argument belongs to the command.
        if let mark = text.range(of: "#/", options: .backwards) {
            let tail = text[text.index(before: mark.upperBound)...]
            if !tail.contains(where: { $0.isWhitespace || $0 == "'" || $0 == "\"" }) {
                command = text[..<mark.lowerBound]
                pointer = String(tail)
            }
        }
        let arguments = try split(command)
        guard let program = arguments.first, !program.isEmpty else {
            throw Problem(message: "has no command behind exec:.")
        }
        return .command(arguments: arguments, pointer: pointer)
    }

    /// At white space, with `'…'` and `"…"` around what holds some. No shell: nothing else has a meaning.
    private static func split(_ command: Substring) throws(Problem) -> [String] {
        var arguments: [String] = []
        var current: String?
        var quote: Character?
        for character in command {
            if let open = quote {
                if character == open { quote = nil } else { current = (current ?? "") + String(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                current = current ?? ""
            } else if character.isWhitespace {
                if let argument = current { arguments.append(argument) }
                current = nil
            } else {
                current = (current ?? "") + String(character)
            }
        }
        guard quote == nil else { throw Problem(message: "has a quote that is not closed in its command.") }
        guard !holds(String(command), "\0") else { throw Problem(message: "has a zero byte in its command.") }
        if let argument = current { arguments.append(argument) }
        return arguments
    }
}
