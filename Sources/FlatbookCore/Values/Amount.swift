/// Why a text is no amount, or a result does not fit.
public enum AmountError: Error, Hashable, Sendable {
    case notAnAmount
    case tooManyDigits
}

/// An exact decimal: an integer of at most 38 digits times a power of ten.
///
/// Exchanges send amounts as decimal text and expect the same digits back, so an amount never passes through
/// `Double`, and text that is not wholly an amount, such as `1.5 BTC`, `1,5`, `0x10` or `NaN`, is refused.
///
///     let size = try Amount("0.015")
public struct Amount: Sendable {
    /// The digits as an integer; the value is `significand / 10^scale`.
    let significand: Int128
    /// Digits behind the point, 0 to 38. Kept canonical: no trailing zeros behind the point.
    let scale: Int

    public static let zero = Amount(significand: 0, scale: 0)

    init(significand: Int128, scale: Int) {
        var (s, n) = (significand, scale)
        while n > 0, s % 10 == 0 {
            s /= 10
            n -= 1
        }
        self.significand = s
        self.scale = n
    }

    public init(_ integer: Int) { self.init(significand: Int128(integer), scale: 0) }

    /// Parses `-?digits[.digits][e±digits]`, the forms that exchanges and plan files carry.
    ///
    /// - Throws: ``AmountError/notAnAmount`` for anything else, ``AmountError/tooManyDigits`` above 38 digits.
    public init(_ text: some StringProtocol) throws(AmountError) {
        var digits: Int128 = 0
        var scale = 0
        var exponent = 0
        var seen = (digit: false, point: false, digitAfterPoint: false)
        var bytes = Array(text.utf8)[...]
        let negative = bytes.first == UInt8(ascii: "-")
        if negative { bytes = bytes.dropFirst() }
        loop: while let byte = bytes.first {
            bytes = bytes.dropFirst()
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let (m, o1) = digits.multipliedReportingOverflow(by: 10)
                let (s, o2) = m.addingReportingOverflow(Int128(byte - UInt8(ascii: "0")))
                if o1 || o2 { throw .tooManyDigits }
                digits = s
                seen.digit = true
                if seen.point {
                    scale += 1
                    seen.digitAfterPoint = true
                }
            case UInt8(ascii: ".") where !seen.point && seen.digit: seen.point = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                guard seen.digit, let e = Self.exponent(bytes) else { throw .notAnAmount }
                exponent = e
                bytes = []
                break loop
            default: throw .notAnAmount
            }
        }
        guard seen.digit, seen.point == seen.digitAfterPoint else { throw .notAnAmount }
        var s = negative ? -digits : digits
        var n = scale - exponent
        while n < 0, s != 0 {
            let (m, overflow) = s.multipliedReportingOverflow(by: 10)
            if overflow { throw .tooManyDigits }
            s = m
            n += 1
        }
        while n > 0, s % 10 == 0, s != 0 {
            s /= 10
            n -= 1
        }
        if s == 0 { n = 0 }
        guard n <= 38 else { throw .tooManyDigits }
        self.init(significand: s, scale: n)
    }

    private static func exponent(_ bytes: ArraySlice<UInt8>) -> Int? {
        var rest = bytes
        let negative = rest.first == UInt8(ascii: "-")
        if negative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        guard !rest.isEmpty, rest.count <= 3 else { return nil }
        var value = 0
        for byte in rest {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return negative ? -value : value
    }

    public var isZero: Bool { significand == 0 }
    public var isNegative: Bool { significand < 0 }
    public var magnitude: Amount { Amount(significand: significand < 0 ? -significand : significand, scale: scale) }

    private static let powers: [Int128] = {
        var all: [Int128] = [1]
        for _ in 1...38 { all.append(all[all.count - 1] * 10) }
        return all
    }()

    /// Both significands at the larger scale, or nil where that does not fit.
    static func aligned(_ a: Amount, _ b: Amount) -> (Int128, Int128, Int)? {
        let scale = max(a.scale, b.scale)
        let (x, o1) = a.significand.multipliedReportingOverflow(by: powers[scale - a.scale])
        let (y, o2) = b.significand.multipliedReportingOverflow(by: powers[scale - b.scale])
        return o1 || o2 ? nil : (x, y, scale)
    }

    /// The exact sum.
    /// - Throws: ``AmountError/tooManyDigits`` if it needs more than 38 digits.
    public func adding(_ other: Amount) throws(AmountError) -> Amount {
        guard let (x, y, scale) = Self.aligned(self, other) else { throw .tooManyDigits }
        let (sum, overflow) = x.addingReportingOverflow(y)
        // The least integer has no opposite.
        if overflow || sum == .min { throw .tooManyDigits }
        return Amount(significand: sum, scale: scale)
    }

    /// The exact product.
    /// - Throws: ``AmountError/tooManyDigits`` if it needs more than 38 digits, or more than 38 behind the point.
    public func multiplied(by other: Amount) throws(AmountError) -> Amount {
        let (product, overflow) = significand.multipliedReportingOverflow(by: other.significand)
        if overflow || product == .min { throw .tooManyDigits }
        let result = Amount(significand: product, scale: scale + other.scale)
        if result.scale > 38 { throw .tooManyDigits }
        return result
    }

    public var negated: Amount { Amount(significand: -significand, scale: scale) }

    /// Rounded towards zero to a multiple of `step`; `step` must be positive.
    public func roundedDown(to step: Amount) throws(AmountError) -> Amount {
        guard !step.isZero, !step.isNegative, let (x, y, scale) = Self.aligned(self, step) else { throw .tooManyDigits }
        return Amount(significand: x - x % y, scale: scale)
    }

    /// The quotient to at most so many digits behind the point, rounded half away from zero; nil where it does not fit.
    public func divided(by other: Amount, decimals: Int) -> Amount? {
        guard !other.isZero, (0...38).contains(decimals), let (x, y, _) = Self.aligned(self, other) else { return nil }
        let isNegative = (x < 0) != (y < 0)
        let (dividend, divisor) = (x.magnitude, y.magnitude)
        var (quotient, rest) = dividend.quotientAndRemainder(dividingBy: divisor)
        for _ in 0..<decimals {
            let (widened, o1) = rest.multipliedReportingOverflow(by: 10)
            let (digit, next) = widened.quotientAndRemainder(dividingBy: divisor)
            let (moved, o2) = quotient.multipliedReportingOverflow(by: 10)
            let (sum, o3) = moved.addingReportingOverflow(digit)
            if o1 || o2 || o3 { return nil }
            (quotient, rest) = (sum, next)
        }
        if rest >= divisor - rest { quotient += 1 }
        guard quotient <= UInt128(Int128.max) else { return nil }
        let signed = Int128(quotient)
        return Amount(significand: isNegative ? -signed : signed, scale: decimals)
    }

    /// An approximation for ordering, display widths and charts; never for an amount that is sent or compared for safety.
    public var approximate: Double { Double(significand) / Double(Self.powers[scale]) }
}

extension Amount: Hashable, Comparable {
    public static func < (a: Amount, b: Amount) -> Bool {
        if let (x, y, _) = aligned(a, b) { return x < y }
        // Alignment overflows only where the values differ by many orders of magnitude or in sign.
        if (a.significand < 0) != (b.significand < 0) { return a.significand < 0 }
        let (wholeA, wholeB) = (a.significand / powers[a.scale], b.significand / powers[b.scale])
        if wholeA != wholeB { return wholeA < wholeB }
        return a.approximate < b.approximate
    }
}

extension Amount: CustomStringConvertible {
    /// Plain decimal digits without exponent or trailing zeros, e.g. `0.015`.
    public var description: String {
        let digits = String(significand.magnitude)
        let sign = significand < 0 ? "-" : ""
        guard scale > 0 else { return sign + digits }
        let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
        return sign + padded.dropLast(scale) + "." + padded.suffix(scale)
    }
}

extension Amount: Codable {
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        self = try Amount(text)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
