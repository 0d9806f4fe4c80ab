import ExchangeKit
@testable import FlatbookConfiguration
@testable import FlatbookCore
import Foundation

extension FuzzTarget {
    /// What the parser accepts prints to a text that parses to the same value, is safe to show, and cannot be cut.
    static let json = FuzzTarget("json", dictionary: "json", extremes: Extremes.json) {
        { bytes in
            let value: JSONValue
            do throws(JSONError) { value = try JSONValue.parse(bytes) } catch {
                promise(error.offset <= bytes.count, "the error's offset lies behind the text")
                return
            }
            if Watch.isMeasuring { return }
            for pretty in [false, true] {
                let text = value.serialized(pretty: pretty)
                guard let again = try? JSONValue.parse(Array(text.utf8)) else { broken("printed JSON does not parse") }
                promise(again == value, "printed JSON parses to another value")
                promise(again.serialized(pretty: pretty) == text, "JSON prints differently the second time")
                for scalar in text.unicodeScalars where scalar.value < 0x20 || scalar.value == 0x7F {
                    promise(pretty && scalar == "\n", "printed JSON holds a control character")
                }
            }
            if case .object = value { cut(bytes) }
            if case .array = value { cut(bytes) }
            // A second opinion of a parser that is not ours. It knows no numbers beyond those of floating point.
            if bytes.count < 1024, !value.hasNumber {
                let other = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
                promise(other != nil, "Foundation takes it for no JSON")
            }
        }
    }

    private static func cut(_ bytes: [UInt8]) {
        guard let end = bytes.lastIndex(where: { !" \n\r\t".utf8.contains($0) }) else { return }
        for length in [end, end / 2] {
            promise((try? JSONValue.parse(Array(bytes.prefix(length)))) == nil, "JSON cut at \(length) is accepted")
        }
    }

    /// Two lines of decimal text: each prints as its own digits say, and arithmetic is exact or refuses.
    static let amount = FuzzTarget("amount", maximumLength: 256, dictionary: "numbers", extremes: Extremes.numbers) {
        { bytes in
            var chooser = Chooser(bytes)
            let texts = [chooser.text(), chooser.text()]
            let amounts = texts.compactMap { try? Amount($0) }
            for text in texts {
                guard let amount = try? Amount(text) else { continue }
                promise(amount.description == Decimals.canonical(text), "\(text) reads as \(amount)")
                promise((try? Amount(amount.description)) == amount, "\(amount) does not read back")
                _ = amount.approximate
                promise(!amount.magnitude.isNegative && amount.negated.negated == amount, "signs of \(amount)")
            }
            guard amounts.count == 2 else { return }
            let (a, b) = (amounts[0], amounts[1])
            if let sum = try? a.adding(b) {
                promise((try? b.adding(a)) == sum, "\(a) + \(b) depends on the order")
                if let back = try? sum.adding(b.negated) { promise(back == a, "\(a) + \(b) - \(b) is \(back)") }
                promise(Decimals.sum(a.description, b.description) == sum.description, "\(a) + \(b) is \(sum)")
                _ = (sum.magnitude, sum.negated)
            }
            if let product = try? a.multiplied(by: b) {
                promise((try? b.multiplied(by: a)) == product, "\(a) · \(b) depends on the order")
                promise(
                    Decimals.product(a.description, b.description) == product.description, "\(a) · \(b) is \(product)")
                _ = (product.magnitude, product.negated)
            }
            let order = Decimals.compare(a.description, b.description)
            promise((a < b) == (order < 0) && (b < a) == (order > 0) && (a == b) == (order == 0), "order of \(a), \(b)")
            if let rounded = try? a.roundedDown(to: b) {
                promise(rounded.magnitude <= a.magnitude, "\(a) rounded down to \(b) is \(rounded)")
                promise(rounded.isZero || rounded.isNegative == a.isNegative, "rounding \(a) changes its sign")
            }
        }
    }

    /// Durations of plan files, stamps of exchanges, and times that are printed.
    static let times = FuzzTarget("times", maximumLength: 256, dictionary: "numbers", extremes: Extremes.numbers) {
        { bytes in
            var chooser = Chooser(bytes)
            let text = chooser.text()
            if let span = DurationText.parse(text) {
                promise(span >= .zero, "\(text) is a negative duration")
                let printed = DurationText.describe(span)
                promise(DurationText.parse(printed) == span, "\(printed) does not read back")
            }
            if let time = ReplyText.time(text) {
                promise(time.milliseconds > 0 && time.rfc3339.hasSuffix("Z"), "stamp \(time.rfc3339)")
            }
            Said.check(ReplyText.printable(text), atMost: 200, "printable text")
            Said.check(ReplyText.code(text), atMost: 32 * 200, "a code")
            let wall = WallTime(milliseconds: chooser.number())
            promise(wall.rfc3339.hasSuffix("Z") && wall.compact.hasSuffix("Z"), "time \(wall.milliseconds)")
            _ = TimeSpan.milliseconds(chooser.number()).seconds
        }
    }

    /// A pattern line and a name line: globs match as the plain definition says.
    static let patterns = FuzzTarget("patterns", maximumLength: 256, dictionary: "names", extremes: Extremes.globs) {
        { bytes in
            var chooser = Chooser(bytes)
            let pattern = Pattern(chooser.text())
            let (symbol, native) = (chooser.text(), chooser.text())
            promise(Pattern(pattern.description) == pattern || pattern.text.hasPrefix("!"), "\(pattern) reads back")
            if pattern.text.count <= 64, symbol.count <= 64 {
                promise(
                    Pattern.glob(pattern.text, matches: symbol) == Globs.matches(pattern.text, symbol),
                    "\(pattern.text) against \(symbol)")
            }
            let selection = SymbolSelection(patterns: [Pattern("*"), pattern], sides: [.long, .short])
            let exchange = ExchangeID("okx")
            let selected = selection.selects(symbol: symbol, nativeID: native, exchange: exchange)
            let matched = SymbolSelection.matches(pattern, symbol: symbol, nativeID: native, exchange: exchange)
            promise(selected == !(pattern.isExclusion && matched), "an exclusion does not win")
            let instruments = [Instrument(nativeID: native, symbol: symbol, product: "SWAP")]
            let plan = PlanDocument(name: "p", accounts: [Pattern("*")], symbols: [pattern])
            let found = SymbolCheck.check(
                plan: plan, exchanges: [exchange], instruments: [exchange: instruments], allowNoMatch: false)
            promise(found.isEmpty == matched || pattern.text.contains(":"), "the check and the match differ")
            _ = nearest(symbol, in: [native, pattern.text])
        }
    }
}

extension JSONValue {
    var hasNumber: Bool {
        switch self {
        case .number: true
        case .array(let elements): elements.contains(where: \.hasNumber)
        case .object(let members): members.contains { $0.value.hasNumber }
        default: false
        }
    }
}

/// Globs by their definition: a table over all prefixes.
enum Globs {
    static func matches(_ glob: String, _ text: String) -> Bool {
        let (p, t) = (Array(glob), Array(text))
        var row = [Bool](repeating: false, count: t.count + 1)
        row[0] = true
        for sign in p {
            var next = [Bool](repeating: false, count: t.count + 1)
            if sign == "*" {
                var any = false
                for j in 0...t.count {
                    any = any || row[j]
                    next[j] = any
                }
            } else {
                for j in 0..<t.count where row[j] && (sign == "?" || sign == t[j]) { next[j + 1] = true }
            }
            row = next
        }
        return row[t.count]
    }
}
