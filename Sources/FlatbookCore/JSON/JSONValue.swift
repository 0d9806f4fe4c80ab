/// A JSON value that keeps what money needs: the raw text of numbers, and the order of members.
public indirect enum JSONValue: Hashable, Sendable {
    public struct Member: Hashable, Sendable {
        public var name: String
        public var value: JSONValue
        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    case null
    case bool(Bool)
    /// The number's text as received, e.g. `1190384645049036801` or `1e-8`.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// The member's value, nil where this is no object or has no such member. A member that is `null` gives `.null`.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// A string, or the raw text of a number.
    public var text: String? {
        switch self {
        case .string(let text), .number(let text): text
        case .null, .bool, .array, .object: nil
        }
    }

    public var elements: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    public var members: [Member]? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    public var isNull: Bool { self == .null }
}
