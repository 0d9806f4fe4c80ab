import Foundation

/// A request taken apart.
struct OKXCall: Sendable {
    var arrival: Arrival
    /// Parameters of a GET, or of the body's one object; `""` counts as not given.
    private var fields: [String: String] = [:]
    /// The body's objects: one, or those of an array.
    private(set) var items: [[String: String]] = []
    private(set) var isReadable = true

    init(_ arrival: Arrival) {
        self.arrival = arrival
        for (name, value) in arrival.pairs { fields[name] = value }
        guard isPost else { return }
        let parsed = try? JSONSerialization.jsonObject(with: Data(arrival.request.body))
        switch parsed {
        case let object as [String: Any]: items = [Self.flat(object)]
        case let list as [Any]:
            items = list.compactMap { $0 as? [String: Any] }.map(Self.flat)
            isReadable = !items.isEmpty && items.count == list.count
        default: isReadable = false
        }
        if items.count == 1 { fields = items[0] }
    }

    private static func flat(_ object: [String: Any]) -> [String: String] {
        object.compactMapValues { value in
            switch value {
            case let text as String: text
            case let number as NSNumber:
                CFGetTypeIDIsBoolean(number) ? (number.boolValue ? "true" : "false") : number.stringValue
            default: nil
            }
        }
    }

    /// `NSNumber` hides whether the JSON said `true` or `1`.
    private static func CFGetTypeIDIsBoolean(_ number: NSNumber) -> Bool { String(cString: number.objCType) == "c" }

    var request: SimulatedRequest { arrival.request }
    var isPost: Bool { arrival.request.method == "POST" }
    var ns: Int64 { arrival.ns }
    var ms: Int64 { arrival.ms }
    var route: OKXRoute? { OKXRoute(rawValue: arrival.path) }
    var key: String? { request.header("ok-access-key") }
    func field(_ name: String) -> String? { fields[name].flatMap { $0.isEmpty ? nil : $0 } }
    var instrument: String { field("instId") ?? items.first?["instId"] ?? "" }
    var isTrue: (String) -> Bool { { field($0)?.lowercased() == "true" } }

    /// Whether the signature is that of the raw target and the raw body (sheet §2.2).
    func isSigned(with secret: String) -> Bool {
        guard let stamp = request.header("ok-access-timestamp"), let given = request.header("ok-access-sign") else {
            return false
        }
        let message = Array((stamp + request.method + request.target).utf8) + (isPost ? request.body : [])
        guard let made = BitgetSignature.sign(message, secret: secret), made.utf8.count == given.utf8.count else {
            return false
        }
        // Every byte is looked at, whatever the first difference.
        return zip(made.utf8, given.utf8).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// Milliseconds since 1970 of `2020-12-08T09:08:57.715Z`, with or without milliseconds; nil for anything else.
    static func milliseconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 20 || bytes.count == 24, bytes.last == UInt8(ascii: "Z"), bytes[10] == UInt8(ascii: "T"),
            bytes.count == 20 || bytes[19] == UInt8(ascii: ".")
        else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (48...57).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19),
            let fraction = bytes.count == 24 ? number(20..<23) : 0
        else { return nil }
        // Days by the civil calendar, counted from March.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1_000 + fraction
    }
}

/// An address list's entry: one address, or an IPv4 block.
enum OKXAddress {
    static func isListed(_ address: String, in entries: [String]) -> Bool {
        entries.contains { entry in
            let parts = entry.split(separator: "/").map(String.init)
            guard parts.count == 2, let bits = UInt32(parts[1]), bits <= 32, let base = number(parts[0]),
                let other = number(address)
            else { return entry == address }
            return bits == 0 || base >> (32 - bits) == other >> (32 - bits)
        }
    }

    private static func number(_ text: String) -> UInt32? {
        let parts = text.split(separator: ".").compactMap { UInt8($0) }
        return parts.count == 4 ? parts.reduce(0) { $0 << 8 | UInt32($1) } : nil
    }
}
