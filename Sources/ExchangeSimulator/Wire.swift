/// The simulator's own JSON writer. Key order is the order written: the same state gives the same bytes.
indirect enum Wire: Sendable {
    case text(String)
    case number(Int64)
    /// Digits as they are, without quotes: a decimal, or an id.
    case bare(String)
    case flag(Bool)
    case null
    case list([Wire])
    case object([(String, Wire)])

    var bytes: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(256)
        write(to: &out)
        return out
    }

    private func write(to out: inout [UInt8]) {
        switch self {
        case .text(let text): Self.quote(text, to: &out)
        case .number(let number): out += String(number).utf8
        case .bare(let digits): out += digits.utf8
        case .flag(let flag): out += (flag ? "true" : "false").utf8
        case .null: out += "null".utf8
        case .list(let items):
            out.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                item.write(to: &out)
            }
            out.append(UInt8(ascii: "]"))
        case .object(let fields):
            out.append(UInt8(ascii: "{"))
            for (index, field) in fields.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                Self.quote(field.0, to: &out)
                out.append(UInt8(ascii: ":"))
                field.1.write(to: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
    }

    private static func quote(_ text: String, to out: inout [UInt8]) {
        let hex = Array("0123456789abcdef".utf8)
        out.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += [UInt8(ascii: "\\"), byte]
            case 0..<32: out += Array("\\u00".utf8) + [hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            default: out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
    }
}

extension Wire {
    static func decimal(_ value: Fixed) -> Wire { .text(value.description) }
}
