/// A point on the host's boot-time clock, in nanoseconds.
///
/// Every wait, limit and lease is measured on it, so a step of the wall clock changes nothing (I20). On Linux the
/// wiring reads `CLOCK_BOOTTIME`, which goes on counting while the machine sleeps.
public struct Instant: Hashable, Comparable, Sendable, Codable {
    /// Nanoseconds since an arbitrary origin that is fixed until the next boot.
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public init(from decoder: any Decoder) throws {
        nanoseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(nanoseconds)
    }

    public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
    public static func + (a: Instant, b: TimeSpan) -> Instant { Instant(nanoseconds: a.nanoseconds + b.nanoseconds) }
    public static func - (a: Instant, b: TimeSpan) -> Instant { Instant(nanoseconds: a.nanoseconds - b.nanoseconds) }
    public static func - (a: Instant, b: Instant) -> TimeSpan { TimeSpan(nanoseconds: a.nanoseconds - b.nanoseconds) }
}

/// A length of time in nanoseconds; may be negative.
public struct TimeSpan: Hashable, Comparable, Sendable, Codable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public init(from decoder: any Decoder) throws {
        nanoseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(nanoseconds)
    }

    public static let zero = TimeSpan(nanoseconds: 0)
    public static func seconds(_ n: Int) -> TimeSpan { TimeSpan(nanoseconds: Int64(n) * 1_000_000_000) }
    /// Saturates: an exchange may name any number.
    public static func milliseconds(_ n: Int64) -> TimeSpan {
        let (product, overflow) = n.multipliedReportingOverflow(by: 1_000_000)
        return TimeSpan(nanoseconds: overflow ? (n < 0 ? .min / 2 : .max / 2) : product)
    }

    /// Whole milliseconds, rounded towards zero.
    public var milliseconds: Int64 { nanoseconds / 1_000_000 }
    /// Seconds, for display only.
    public var seconds: Double { Double(nanoseconds) / 1e9 }

    public static func < (a: TimeSpan, b: TimeSpan) -> Bool { a.nanoseconds < b.nanoseconds }
    public static func + (a: TimeSpan, b: TimeSpan) -> TimeSpan { TimeSpan(nanoseconds: a.nanoseconds + b.nanoseconds) }
    public static func - (a: TimeSpan, b: TimeSpan) -> TimeSpan { TimeSpan(nanoseconds: a.nanoseconds - b.nanoseconds) }
    public static func * (a: TimeSpan, b: Int) -> TimeSpan { TimeSpan(nanoseconds: a.nanoseconds * Int64(b)) }
    public static func / (a: TimeSpan, b: Int) -> TimeSpan { TimeSpan(nanoseconds: a.nanoseconds / Int64(b)) }
}

/// Milliseconds since 1970-01-01T00:00:00Z, UTC: what exchanges stamp and reports print. Never used to order or to wait.
public struct WallTime: Hashable, Comparable, Sendable, Codable {
    public var milliseconds: Int64

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    public init(from decoder: any Decoder) throws {
        milliseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(milliseconds)
    }

    public static func < (a: WallTime, b: WallTime) -> Bool { a.milliseconds < b.milliseconds }
    public static func + (a: WallTime, b: TimeSpan) -> WallTime {
        WallTime(milliseconds: a.milliseconds + b.nanoseconds / 1_000_000)
    }

    /// RFC 3339 in UTC with milliseconds, e.g. `2026-11-20T20:55:00.123Z`. Pure integer arithmetic.
    public var rfc3339: String {
        let (days, inDay) = floorDivide(milliseconds, 86_400_000)
        let (y, m, d) = civil(fromDays: days)
        let (hour, rest) = (inDay / 3_600_000, inDay % 3_600_000)
        return pad(y, 4) + "-" + pad(m, 2) + "-" + pad(d, 2) + "T" + pad(hour, 2) + ":" + pad(rest / 60_000, 2)
            + ":" + pad(rest % 60_000 / 1000, 2) + "." + pad(rest % 1000, 3) + "Z"
    }

    /// The compact form in run ids, e.g. `20261120T205500Z`.
    public var compact: String {
        let text = rfc3339
        return String(text.prefix(19).filter { $0 != "-" && $0 != ":" }) + "Z"
    }
}

/// Both clocks, read together. The wiring makes it; everything pure takes it as a parameter.
public struct Now: Hashable, Sendable {
    public var instant: Instant
    public var wall: WallTime

    public init(instant: Instant, wall: WallTime) {
        self.instant = instant
        self.wall = wall
    }

    /// The wall time of another instant, by this pair. For display.
    public func wall(at other: Instant) -> WallTime { wall + (other - instant) }
}

private func floorDivide(_ a: Int64, _ b: Int64) -> (Int64, Int64) {
    let (quotient, rest) = a.quotientAndRemainder(dividingBy: b)
    return rest < 0 ? (quotient - 1, rest + b) : (quotient, rest)
}

private func pad(_ value: Int64, _ width: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, width - text.count)) + text
}

/// Days since 1970-01-01 to a proleptic Gregorian date (Hinnant, "chrono-compatible low-level date algorithms").
private func civil(fromDays days: Int64) -> (Int64, Int64, Int64) {
    let z = days + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let mp = (5 * dayOfYear + 2) / 153
    let month = mp < 10 ? mp + 3 : mp - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * mp + 2) / 5 + 1)
}
