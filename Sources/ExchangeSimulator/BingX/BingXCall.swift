import Foundation

/// A request taken apart.
struct BingXCall: Sendable {
    var arrival: Arrival
    /// Query and body together, decoded, in the order received; of a name in both, the query's value.
    private(set) var pairs: [(name: String, value: String)]
    private var fields: [String: String] = [:]
    private var isJSON = false

    init(_ arrival: Arrival) {
        self.arrival = arrival
        pairs = arrival.pairs
        let named = Set(pairs.map(\.name))
        pairs += bodyPairs().filter { !named.contains($0.name) }
        for (name, value) in pairs { fields[name] = value }
    }

    var request: SimulatedRequest { arrival.request }
    var ns: Int64 { arrival.ns }
    var ms: Int64 { arrival.ms }
    var label: String { arrival.label }
    var route: BingXRoute? { BingXRoute(rawValue: arrival.label) }
    var key: String? { request.header("x-bx-apikey") }
    var product: String { route?.product ?? "swap" }
    var symbol: String? { field("symbol")?.uppercased() }
    /// A parameter; nil where it is missing or empty.
    func field(_ name: String) -> String? { fields[name].flatMap { $0.isEmpty ? nil : $0 } }
    func whole(_ name: String) -> Int64? { field(name).flatMap { Int64($0) } }
    var clientOrderID: String? { (field("clientOrderId") ?? field("clientOrderID"))?.lowercased() }

    /// The texts of a JSON array in a parameter; nil where it is missing or not one.
    func list(_ name: String) -> [String]? {
        guard let text = field(name) else { return nil }
        guard let values = try? JSONDecoder().decode([BingXValue].self, from: Data(text.utf8)) else { return nil }
        return values.map(\.text)
    }

    private mutating func bodyPairs() -> [(name: String, value: String)] {
        guard let first = request.body.first else { return [] }
        let type = request.header("content-type")?.lowercased() ?? ""
        isJSON = type.hasPrefix("application/json") || (type.isEmpty && first == UInt8(ascii: "{"))
        guard isJSON else {
            var form = arrival
            form.query = String(decoding: request.body, as: UTF8.self)
            return form.pairs
        }
        let object = try? JSONDecoder().decode([String: BingXValue].self, from: Data(request.body))
        return (object ?? [:]).map { ($0.key, $0.value.text) }.sorted { $0.0 < $1.0 }
    }

    /// Whether the signature is that of the parameters in the order received, or sorted; a JSON body only sorted.
    func isSigned(with secret: String) -> Bool {
        let signed = pairs.filter { $0.name != "signature" }
        let sorted = signed.sorted { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) }
        let given = field("signature")
        return (isJSON ? [sorted] : [signed, sorted]).contains { pairs in
            let text = pairs.map { $0.name + "=" + $0.value }.joined(separator: "&")
            return BingXSignature.sign(text, secret: secret) == given
        }
    }
}

/// The exchange's own check of a signature (sheet §2).
package enum BingXSignature {
    /// Lower-case hex of HMAC-SHA256; nil if the library refuses.
    package static func sign(_ text: String, secret: String) -> String? {
        let digits = Array("0123456789abcdef".utf8)
        guard let mac = BitgetSignature.mac(Array(text.utf8), secret: secret) else { return nil }
        return String(decoding: mac.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

/// A JSON value as the signature sees it: text without quotes, arrays without blanks.
private enum BingXValue: Decodable {
    case text(String)
    case flag(Bool)
    case number(Decimal)
    case list([BingXValue])

    init(from decoder: any Decoder) throws {
        let box = try decoder.singleValueContainer()
        if let text = try? box.decode(String.self) {
            self = .text(text)
        } else if let flag = try? box.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? box.decode(Decimal.self) {
            self = .number(number)
        } else {
            self = .list(try box.decode([BingXValue].self))
        }
    }

    var text: String {
        switch self {
        case .text(let text): text
        case .flag(let flag): flag ? "true" : "false"
        case .number(let number): number.description
        case .list(let values): "[" + values.map(\.quoted).joined(separator: ",") + "]"
        }
    }

    private var quoted: String {
        if case .text(let text) = self { "\"" + text + "\"" } else { text }
    }
}
