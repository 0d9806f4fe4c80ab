import Foundation

/// A request taken apart.
struct OKXCall: Sendable {
    enum Body: Sendable { case none, empty, invalid, object, list }

    var arrival: Arrival
    /// Of the query, or of the body's object; of a list, its first item.
    private(set) var fields: [String: String] = [:]
    /// The items of a list.
    private(set) var items: [OKXItem] = []
    private(set) var body: Body = .none

    init(_ arrival: Arrival) {
        self.arrival = arrival
        guard request.method == "POST" else {
            for (name, value) in arrival.pairs { fields[name] = value }
            return
        }
        readBody()
    }

    var request: SimulatedRequest { arrival.request }
    var ns: Int64 { arrival.ns }
    var ms: Int64 { arrival.ms }
    var route: OKXRoute? { OKXRoute(rawValue: arrival.label) }
    var key: String? { request.header("ok-access-key") }
    /// A parameter; nil where it is missing or empty: both mean the same here (sheet §1).
    func field(_ name: String) -> String? { fields[name].flatMap { $0.isEmpty ? nil : $0 } }
    var item: OKXItem { OKXItem(fields: fields) }

    private mutating func readBody() {
        guard !request.body.isEmpty else {
            body = .empty
            return
        }
        switch try? JSONDecoder().decode(OKXValue.self, from: Data(request.body)) {
        case .object(let object):
            fields = object.mapValues(\.text)
            items = [OKXItem(fields: fields)]
            body = .object
        case .list(let list):
            for case .object(let object) in list { items.append(OKXItem(fields: object.mapValues(\.text))) }
            fields = items.first?.fields ?? [:]
            body = items.count == list.count ? .list : .invalid
        default: body = .invalid
        }
    }
}

/// The parameters of one order, close or cancel.
struct OKXItem: Sendable {
    var fields: [String: String]
    func field(_ name: String) -> String? { fields[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// A truth value, as a JSON Boolean or as text; nil: neither.
    func flag(_ name: String) -> Bool? { (field(name) ?? "false").lowercased() == "true" ? true : isFalse(name) }

    private func isFalse(_ name: String) -> Bool? { (field(name) ?? "false").lowercased() == "false" ? false : nil }

    /// Whether the text, if there is one, is of 1 to `most` letters and digits.
    func isPlain(_ name: String, most: Int) -> Bool {
        guard let text = field(name) else { return true }
        return text.utf8.count <= most
            && text.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) }
    }
}

/// A JSON value; what is not text becomes it.
private enum OKXValue: Decodable {
    case text(String)
    case list([OKXValue])
    case object([String: OKXValue])

    init(from decoder: any Decoder) throws {
        let box = try decoder.singleValueContainer()
        if box.decodeNil() {
            self = .text("")
        } else if let text = try? box.decode(String.self) {
            self = .text(text)
        } else if let flag = try? box.decode(Bool.self) {
            self = .text(flag ? "true" : "false")
        } else if let number = try? box.decode(Decimal.self) {
            self = .text(number.description)
        } else if let list = try? box.decode([OKXValue].self) {
            self = .list(list)
        } else {
            self = .object(try box.decode([String: OKXValue].self))
        }
    }

    var text: String {
        switch self {
        case .text(let text): text
        case .list, .object: ""
        }
    }
}

/// The exchange's reading of timestamps.
enum OKXClock {
    /// `2020-12-08T09:08:57.715Z`, with or without milliseconds; nil for anything else.
    static func milliseconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 20 || bytes.count == 24, bytes.last == UInt8(ascii: "Z") else { return nil }
        for (place, mark) in [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")]
        where bytes[place] != mark.utf8.first { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (48...57).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 60
        else { return nil }
        var fraction: Int64 = 0
        if bytes.count == 24 {
            guard bytes[19] == UInt8(ascii: "."), let value = number(20..<23) else { return nil }
            fraction = value
        }
        return milliseconds(year, month, day, hour: hour) + (minute * 60 + second) * 1_000 + fraction
    }

    /// Days by the civil calendar, counted from 1970.
    static func milliseconds(_ year: Int64, _ month: Int64, _ day: Int64, hour: Int64) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let era = shifted / 400
        let ofEra = shifted - era * 400
        let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let days = era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
        return (days * 24 + hour) * 3_600_000
    }
}

/// Addresses that a key is bound to: exact, or a block such as `203.0.113.0/24`.
enum OKXAddress {
    static func matches(_ entry: String, _ address: String) -> Bool {
        let parts = entry.split(separator: "/", maxSplits: 1).map(String.init)
        guard let block = parts.first.flatMap(bytes), let seen = bytes(address), block.count == seen.count else {
            return entry == address
        }
        let bits = parts.count > 1 ? Int(parts[1]) ?? block.count * 8 : block.count * 8
        for bit in 0..<min(bits, block.count * 8) {
            let mask = UInt8(0x80) >> UInt8(bit % 8)
            if block[bit / 8] & mask != seen[bit / 8] & mask { return false }
        }
        return true
    }

    private static func bytes(_ text: String) -> [UInt8]? {
        let isLong = text.contains(":")
        var out = [UInt8](repeating: 0, count: isLong ? 16 : 4)
        return inet_pton(isLong ? AF_INET6 : AF_INET, text, &out) == 1 ? out : nil
    }
}

/// The exchange's own check of a signature (sheet §2.2): over the target and the body as they came.
enum OKXSignature {
    static func isRight(_ given: String, for request: SimulatedRequest, timestamp: String, secret: String) -> Bool {
        let message = Array((timestamp + request.method + request.target).utf8) + request.body
        guard let wanted = BitgetSignature.sign(message, secret: secret) else { return false }
        let (a, b) = (Array(wanted.utf8), Array(given.utf8))
        guard a.count == b.count else { return false }
        // Every byte is looked at, however early they differ.
        return zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
