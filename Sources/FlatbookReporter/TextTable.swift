import FlatbookCore

/// Columns of text for a terminal. Everything from outside is made printable first.
struct TextTable {
    enum Alignment { case left, right }

    private let header: [(title: String, alignment: Alignment)]
    private var rows: [[String]] = []

    init(_ header: [(title: String, alignment: Alignment)]) { self.header = header }

    mutating func add(_ cells: [String]) { rows.append(cells.map(printable)) }

    var isEmpty: Bool { rows.isEmpty }

    /// - Parameters:
    ///   - width: lines are cut there.
    ///   - wrapsLast: the last column is never cut: it goes on below itself, or below its row where too little room is left.
    func render(width: Int, wrapsLast: Bool = false) -> String {
        let titles = header.map(\.title)
        let widths = header.indices.map { column in
            ([titles] + rows).map { displayWidth(column < $0.count ? $0[column] : "") }.max() ?? 0
        }
        guard wrapsLast, let last = header.indices.last else {
            return ([titles] + rows).map { cut(line($0, widths, upTo: header.count), to: width) + "\n" }.joined()
        }
        let indent = widths.dropLast().reduce(0) { $0 + $1 + 2 }
        let room = width - indent
        if room >= Self.leastRoom {
            return ([titles] + rows).map { row in
                let parts = wrapped(row[last], width: room)
                return parts.enumerated().map { index, part in
                    let start = index == 0 ? line(row, widths, upTo: last, padded: true) : blanks(indent)
                    return (start + part).trimmed + "\n"
                }.joined()
            }.joined()
        }
        let head = cut(line(titles, widths, upTo: last), to: width) + "\n"
        return head
            + rows.map { row in
                let below = row[last].isEmpty ? [] : wrapped(row[last], width: width - 4)
                return cut(line(row, widths, upTo: last), to: width) + "\n" + below.map { "    \($0)\n" }.joined()
            }.joined()
    }

    /// With less room than this a wrapped column is worse than one below its row.
    private static let leastRoom = 36

    private func line(_ row: [String], _ widths: [Int], upTo end: Int, padded: Bool = false) -> String {
        let cells = (0..<end).map { column -> String in
            let text = column < row.count ? row[column] : ""
            let pad = blanks(widths[column] - displayWidth(text))
            return header[column].alignment == .left ? text + pad : pad + text
        }
        return padded ? cells.map { $0 + "  " }.joined() : cells.joined(separator: "  ").trimmed
    }
}

private func blanks(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

extension String {
    /// Without trailing blanks.
    var trimmed: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}

/// The text in lines of at most `width` columns, broken at blanks; longer words are broken anywhere. At least one line.
func wrapped(_ text: String, width: Int) -> [String] {
    let width = max(width, 2)
    var lines: [String] = []
    var line = ""
    var used = 0
    for word in text.split(separator: " ") {
        let size = displayWidth(String(word))
        if used > 0, used + 1 + size > width {
            lines.append(line)
            (line, used) = ("", 0)
        }
        if used > 0 {
            line += " "
            used += 1
        }
        for character in word {
            let step = displayWidth(String(character))
            if used + step > width {
                lines.append(line)
                (line, used) = ("", 0)
            }
            line.append(character)
            used += step
        }
    }
    return lines + [line]
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
            || (0xFFE0...0xFFE6).contains(value) || (0x1F1E6...0x1F1FF).contains(value)
            || (0x1F300...0x1FAFF).contains(value) || (0x20000...0x3FFFD).contains(value)
            || character.unicodeScalars.contains("\u{FE0F}")
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

/// A notional for people: two decimals, rounded towards zero, in groups of three, e.g. `1,234,567.80`. What is open is never shown as zero.
func money(_ amount: Amount) -> String {
    guard let cents = try? Amount("0.01"), let rounded = try? amount.roundedDown(to: cents) else {
        return amount.description
    }
    if rounded.isZero, !amount.isZero { return "<0.01" }
    let parts = rounded.magnitude.description.split(separator: ".")
    let whole = parts.first ?? "0"
    var grouped = ""
    for (index, digit) in whole.enumerated() {
        if index > 0, (whole.count - index) % 3 == 0 { grouped += "," }
        grouped.append(digit)
    }
    let decimals = parts.count > 1 ? String(parts[1]) : ""
    return (rounded.isNegative ? "-" : "") + grouped + "." + decimals
        + String(repeating: "0", count: 2 - decimals.count)
}

/// `1 account`, `2 accounts`.
func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
