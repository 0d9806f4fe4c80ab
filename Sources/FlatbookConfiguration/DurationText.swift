import FlatbookCore

/// Durations as the plan file writes them.
enum DurationText {
    /// A bound that keeps every sum of times far from overflow.
    static let most = TimeSpan.seconds(7 * 24 * 3600)

    /// In nanoseconds, largest first: a part may stand only behind a larger one.
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000),
    ]

    /// - Returns: nil for anything but whole numbers with units, e.g. `1h30m`.
    static func parse(_ text: String) -> TimeSpan? {
        var rest = text[...]
        var total: Int64 = 0
        var next = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            let unit = rest.dropFirst(digits.count).prefix { $0.isASCII && $0.isLetter }
            guard digits.count <= 9, let count = wholeNumber(digits),
                let place = units[next...].firstIndex(where: { $0.name == unit })
            else { return nil }
            let (part, overflow) = Int64(count).multipliedReportingOverflow(by: units[place].nanoseconds)
            let (sum, carry) = total.addingReportingOverflow(part)
            if overflow || carry { return nil }
            total = sum
            next = place + 1
            rest = rest.dropFirst(digits.count + unit.count)
        }
        return next > 0 ? TimeSpan(nanoseconds: total) : nil
    }

    /// The shortest form that ``parse(_:)`` takes back, of whole milliseconds.
    static func describe(_ span: TimeSpan) -> String {
        var rest = span.nanoseconds
        var text = ""
        for unit in units where rest >= unit.nanoseconds {
            text += "\(rest / unit.nanoseconds)\(unit.name)"
            rest %= unit.nanoseconds
        }
        return text.isEmpty ? "0s" : text
    }
}
