/// School arithmetic on decimal text, for comparison with `Amount`: slow, without bounds, and written apart from it.
enum Decimals {
    /// Digits, most significant first, and how many of them stand behind the point.
    private struct Number {
        var isNegative = false
        var digits: [Int] = []
        var places = 0
    }

    /// Of `-?digits[.digits][e±digits]`; anything else is the caller's to refuse.
    private static func read(_ text: String) -> Number {
        var number = Number()
        var exponent: Int?
        var isNegativeExponent = false
        var isBehindPoint = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "-"): if exponent == nil { number.isNegative = true } else { isNegativeExponent = true }
            case UInt8(ascii: "."): isBehindPoint = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"): exponent = 0
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let digit = Int(byte - UInt8(ascii: "0"))
                if let sofar = exponent {
                    exponent = sofar * 10 + digit
                } else {
                    number.digits.append(digit)
                    if isBehindPoint { number.places += 1 }
                }
            default: continue
            }
        }
        number.places -= (isNegativeExponent ? -1 : 1) * (exponent ?? 0)
        if number.places < 0 {
            number.digits += [Int](repeating: 0, count: -number.places)
            number.places = 0
        }
        return number
    }

    private static func text(_ number: Number) -> String {
        var digits = number.digits
        var places = number.places
        if digits.count <= places { digits = [Int](repeating: 0, count: places + 1 - digits.count) + digits }
        while places > 0, digits.last == 0 {
            digits.removeLast()
            places -= 1
        }
        let whole = digits.prefix(digits.count - places).drop { $0 == 0 }
        let text =
            (whole.isEmpty ? "0" : whole.map(String.init).joined())
            + (places > 0 ? "." + digits.suffix(places).map(String.init).joined() : "")
        return number.isNegative && digits.contains { $0 != 0 } ? "-" + text : text
    }

    static func canonical(_ text: String) -> String { Self.text(read(text)) }

    private static func aligned(_ a: String, _ b: String) -> (Number, Number) {
        var (x, y) = (read(a), read(b))
        let places = max(x.places, y.places)
        x.digits += [Int](repeating: 0, count: places - x.places)
        y.digits += [Int](repeating: 0, count: places - y.places)
        (x.places, y.places) = (places, places)
        let count = max(x.digits.count, y.digits.count)
        x.digits = [Int](repeating: 0, count: count - x.digits.count) + x.digits
        y.digits = [Int](repeating: 0, count: count - y.digits.count) + y.digits
        return (x, y)
    }

    static func sum(_ a: String, _ b: String) -> String {
        let (x, y) = aligned(a, b)
        guard x.isNegative != y.isNegative else {
            return text(Number(isNegative: x.isNegative, digits: added(x.digits, y.digits), places: x.places))
        }
        let isLess = x.digits.lexicographicallyPrecedes(y.digits)
        let (large, small) = isLess ? (y, x) : (x, y)
        return text(
            Number(
                isNegative: large.isNegative, digits: subtracted(large.digits, small.digits), places: large.places))
    }

    private static func added(_ a: [Int], _ b: [Int]) -> [Int] {
        var out: [Int] = []
        var carry = 0
        for index in a.indices.reversed() {
            let sum = a[index] + b[index] + carry
            out.append(sum % 10)
            carry = sum / 10
        }
        return [carry] + out.reversed()
    }

    private static func subtracted(_ a: [Int], _ b: [Int]) -> [Int] {
        var out: [Int] = []
        var borrow = 0
        for index in a.indices.reversed() {
            var difference = a[index] - b[index] - borrow
            borrow = difference < 0 ? 1 : 0
            if difference < 0 { difference += 10 }
            out.append(difference)
        }
        return out.reversed()
    }

    static func product(_ a: String, _ b: String) -> String {
        let (x, y) = (read(a), read(b))
        var out = [Int](repeating: 0, count: x.digits.count + y.digits.count)
        for (i, p) in x.digits.enumerated() {
            for (j, q) in y.digits.enumerated() { out[i + j + 1] += p * q }
        }
        for index in out.indices.dropFirst().reversed() {
            out[index - 1] += out[index] / 10
            out[index] %= 10
        }
        return text(
            Number(isNegative: x.isNegative != y.isNegative, digits: out, places: x.places + y.places))
    }

    /// Below zero, zero or above: the sign of the difference.
    static func compare(_ a: String, _ b: String) -> Int {
        let difference = sum(a, b.hasPrefix("-") ? String(b.dropFirst()) : "-" + b)
        return difference == "0" ? 0 : difference.hasPrefix("-") ? -1 : 1
    }
}
