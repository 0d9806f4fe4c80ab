/// Finds what the files may not hold: anchors, aliases and tags. They start with `&`, `*` and `!` at the start of a value.
///
/// It reads just enough YAML for that: quotes, comments, and where a value can start.
struct YAMLMarks {
    struct Mark {
        var line: Int
        var character: UInt8

        var message: String {
            switch character {
            case UInt8(ascii: "!"): "has text that starts with ! and stands in no quotes."
            case UInt8(ascii: "*"): "has text that starts with * and stands in no quotes."
            default: YAMLMarks.aliasMessage
            }
        }

        var hint: String {
            let sign = String(UnicodeScalar(character))
            return "YAML gives it another meaning: write \"\(sign)…\" in quotes."
        }
    }

    static let aliasMessage = "has a YAML anchor or alias; these files have none."

    /// More in one file say nothing new.
    private static let most = 20

    private let bytes: [UInt8]
    private var index = 0
    private var line = 1
    private var flowDepth = 0
    private var atStart = true
    private var found: [Mark] = []

    static func find(in text: String) -> [Mark] {
        var marks = YAMLMarks(bytes: Array(text.utf8))
        while marks.index < marks.bytes.count, marks.found.count < most { marks.step() }
        return marks.found
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func isBlank(at place: Int) -> Bool {
        guard place >= 0, place < bytes.count else { return true }
        return bytes[place] == 0x20 || bytes[place] == 0x09 || bytes[place] == 0x0A || bytes[place] == 0x0D
    }

    private mutating func step() {
        let byte = bytes[index]
        switch byte {
        case 0x0A:
            line += 1
            atStart = true
        case 0x20, 0x09, 0x0D: break
        case UInt8(ascii: "#") where isBlank(at: index - 1):
            while index + 1 < bytes.count, bytes[index + 1] != 0x0A { index += 1 }
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            if atStart || flowDepth > 0 {
                flowDepth += 1
                atStart = true
            }
        case UInt8(ascii: "]"), UInt8(ascii: "}"):
            flowDepth = max(0, flowDepth - 1)
            atStart = false
        case UInt8(ascii: ",") where flowDepth > 0: atStart = true
        case UInt8(ascii: ":") where isBlank(at: index + 1) || flowDepth > 0 && followsQuote: atStart = true
        case UInt8(ascii: "-") where atStart && isBlank(at: index + 1),
            UInt8(ascii: "?") where atStart && isBlank(at: index + 1):
            break
        case UInt8(ascii: "'") where atStart, UInt8(ascii: "\"") where atStart:
            skipQuoted(byte)
            atStart = false
        case UInt8(ascii: "&") where atStart, UInt8(ascii: "*") where atStart, UInt8(ascii: "!") where atStart:
            found.append(Mark(line: line, character: byte))
            atStart = false
        default: atStart = false
        }
        index += 1
    }

    private var followsQuote: Bool {
        index > 0 && (bytes[index - 1] == UInt8(ascii: "\"") || bytes[index - 1] == UInt8(ascii: "'"))
    }

    /// From the opening quote to the closing one; `''` and `\"` stand for a quote inside.
    private mutating func skipQuoted(_ quote: UInt8) {
        index += 1
        while index < bytes.count {
            if bytes[index] == quote {
                guard quote == UInt8(ascii: "'"), index + 1 < bytes.count, bytes[index + 1] == quote else { return }
                index += 1
            }
            if bytes[index] == 0x0A { line += 1 }
            if quote == UInt8(ascii: "\""), bytes[index] == UInt8(ascii: "\\") {
                index += 1
                if index < bytes.count, bytes[index] == 0x0A { line += 1 }
            }
            index += 1
        }
    }
}
