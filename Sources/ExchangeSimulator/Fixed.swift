/// The simulator's own exact decimal: a whole number of 10⁻¹² units.
///
/// Kept apart from the product's number type on purpose: a wrong digit there must be caught here, not mirrored.
package struct Fixed: Hashable, Comparable, Sendable, CustomStringConvertible {
    package static let zero = Fixed(raw: 0)
    static let unit: Int128 = 1_000_000_000_000
    static let places = 12

    package var raw: Int128

    init(raw: Int128) { self.raw = raw }

    /// A whole number.
    package init(_ whole: Int) { raw = Int128(whole) * Self.unit }

    /// `units` divided by ten to the power of `places` (0…12).
    init(units: Int64, places: Int) {
        raw = Int128(units) * Self.unit / Self.power(places)
    }

    /// Plain decimal text: an optional sign, digits, at most one point; nil for anything else.
    package init?(_ text: String) {
        var whole: Int128 = 0
        var fraction = -1
        var digits = 0
        var negative = false
        for (position, byte) in text.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "-") where position == 0: negative = true
            case UInt8(ascii: ".") where fraction < 0: fraction = 0
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                guard digits < 36, fraction < Self.places else { return nil }
                whole = whole * 10 + Int128(byte - UInt8(ascii: "0"))
                digits += 1
                if fraction >= 0 { fraction += 1 }
            default: return nil
            }
        }
        guard digits > 0 else { return nil }
        let scaled = whole.multipliedReportingOverflow(by: Self.power(Self.places - max(fraction, 0)))
        guard !scaled.overflow else { return nil }
        raw = negative ? -scaled.partialValue : scaled.partialValue
    }

    static func power(_ exponent: Int) -> Int128 {
        var value: Int128 = 1
        for _ in 0..<max(0, exponent) { value *= 10 }
        return value
    }

    package static func < (a: Fixed, b: Fixed) -> Bool { a.raw < b.raw }
    package static func + (a: Fixed, b: Fixed) -> Fixed { Fixed(raw: a.raw + b.raw) }
    package static func - (a: Fixed, b: Fixed) -> Fixed { Fixed(raw: a.raw - b.raw) }
    package static prefix func - (a: Fixed) -> Fixed { Fixed(raw: -a.raw) }
    /// Cut to 10⁻¹², toward zero.
    package static func * (a: Fixed, b: Fixed) -> Fixed { Fixed(raw: a.raw * b.raw / unit) }
    package static func += (a: inout Fixed, b: Fixed) { a.raw += b.raw }
    package static func -= (a: inout Fixed, b: Fixed) { a.raw -= b.raw }

    /// The value times `numerator` divided by `denominator`, toward zero.
    package func scaled(_ numerator: Int, over denominator: Int) -> Fixed {
        Fixed(raw: raw * Int128(numerator) / Int128(denominator))
    }

    /// Cut down to a multiple of `step`.
    package func floored(to step: Fixed) -> Fixed {
        step.raw > 0 ? Fixed(raw: raw / step.raw * step.raw) : self
    }

    package func isMultiple(of step: Fixed) -> Bool { step.raw <= 0 || raw % step.raw == 0 }

    package var magnitude: Fixed { Fixed(raw: raw < 0 ? -raw : raw) }

    package var description: String {
        let size = raw < 0 ? -raw : raw
        let whole = size / Self.unit
        var rest = size % Self.unit
        var text = (raw < 0 ? "-" : "") + String(whole)
        guard rest > 0 else { return text }
        var count = Self.places
        while rest % 10 == 0 {
            rest /= 10
            count -= 1
        }
        let tail = String(rest)
        text += "." + String(repeating: "0", count: count - tail.utf8.count) + tail
        return text
    }
}

extension Fixed: ExpressibleByStringLiteral {
    /// For tables and tests; text that is not a number is zero.
    package init(stringLiteral text: String) { self = Fixed(text) ?? .zero }
}
