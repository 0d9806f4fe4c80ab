import FlatbookCore

/// Columns of text for a terminal. Everything from outside is made printable first.
struct TextTable {
    enum Alignment { case left, right }

    private let header: [(title: String, alignment: Alignment)]
    private var rows: [[String]] = []

    init(_ header: [(title: String, alignment: Alignment)]) { self.header = header }

    mutating func add(_ cells: [String]) { rows.append(cells.map(printable)) }

    var isEmpty: Bool { rows.isEmpty }

    /// - Parameter width: lines are cut there.
    func render(width: Int) -> String {
        let titles = header.map(\.title)
        let widths = header.indices.map { column in
            ([titles] + rows).map { displayWidth(column < $0.count ? $0[column] : "") }.max() ?? 0
        }
        return ([titles] + rows).map { row in
            let cells = header.indices.map { column -> String in
                let text = column < row.count ? row[column] : ""
                let pad = String(repeating: " ", count: widths[column] - displayWidth(text))
                return header[column].alignment == .left ? text + pad : pad + text
            }
            return cut(cells.joined(separator: "  ").trimmed, to: width) + "\n"
        }.joined()
    }
}

extension String {
    /// Without trailing blanks.
    var trimmed: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}

/// Text from outside without anything that moves a cursor or reorders letters.
package func printable(_ text: String) -> String {
    var out = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
            out.append("\u{FFFD}")
        default: out.append(scalar)
        }
    }
    return String(out)
}

/// Columns a text takes: wide letters and emoji take two, as far as their ranges tell.
func displayWidth(_ text: String) -> Int {
    text.reduce(0) { width, character in
        guard let value = character.unicodeScalars.first?.value else { return width }
        let isWide =
            (0x1100...0x115F).contains(value) || (0x2E80...0xA4CF).contains(value)
            || (0xAC00...0xD7A3).contains(value) || (0xF900...0xFAFF).contains(value)
            || (0xFE30...0xFE6F).contains(value) || (0xFF00...0xFF60).contains(value)
            || (0x1F300...0x1FAFF).contains(value)
        return width + (isWide ? 2 : 1)
    }
}

private func cut(_ text: String, to width: Int) -> String {
    guard displayWidth(text) > width, width > 1 else { return text }
    var out = ""
    var used = 0
    for character in text {
        used += displayWidth(String(character))
        if used >= width { break }
        out.append(character)
    }
    return out + "…"
}

/// A notional for people: two decimals at most.
func money(_ amount: Amount) -> String {
    guard let cents = try? Amount("0.01"), let rounded = try? amount.roundedDown(to: cents) else {
        return amount.description
    }
    return rounded.description
}
