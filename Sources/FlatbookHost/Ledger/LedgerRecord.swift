import FlatbookCore

/// One event of a ledger file.
enum LedgerRecord: Equatable {
    case acquire(Permit)
    case settle(id: UInt64, at: Instant)
    case release(id: UInt64)
    case abandon(id: UInt64, at: Instant, allowance: TimeSpan)
    /// `remaining` is what was left of it when it was written: all that means anything after a reboot.
    case penalty(Penalty, remaining: TimeSpan)
}

/// Records in a file: length and checksum of the payload (4 bytes each, little endian), then the payload.
enum LedgerCoding {
    static let frameHeader = 8
    /// More than any call's buckets need; a longer length is a torn or foreign tail.
    static let longest = 65_536

    static func frame(_ record: LedgerRecord) -> [UInt8] {
        var writer = Writer()
        switch record {
        case .acquire(let permit):
            writer.byte(1)
            writer.number(permit.id)
            writer.number(UInt64(bitPattern: permit.takenAt.nanoseconds))
            writer.number(UInt64(permit.costs.count))
            for cost in permit.costs {
                writer.text(cost.key.limit)
                writer.text(cost.key.scope)
                writer.number(UInt64(bitPattern: Int64(cost.weight)))
                writer.number(UInt64(bitPattern: Int64(cost.capacity)))
                writer.number(UInt64(bitPattern: cost.window.nanoseconds))
            }
        case .settle(let id, let at):
            writer.byte(2)
            writer.number(id)
            writer.number(UInt64(bitPattern: at.nanoseconds))
        case .release(let id):
            writer.byte(3)
            writer.number(id)
        case .abandon(let id, let at, let allowance):
            writer.byte(4)
            writer.number(id)
            writer.number(UInt64(bitPattern: at.nanoseconds))
            writer.number(UInt64(bitPattern: allowance.nanoseconds))
        case .penalty(let penalty, let remaining):
            writer.byte(5)
            writer.text(penalty.bucket.limit)
            writer.text(penalty.bucket.scope)
            writer.number(UInt64(bitPattern: penalty.until.nanoseconds))
            writer.number(UInt64(bitPattern: remaining.nanoseconds))
            writer.text(String(decoding: penalty.evidence.utf8.prefix(1000), as: UTF8.self))
        }
        let payload = writer.bytes
        var head = Writer()
        head.word(UInt32(payload.count))
        head.word(checksum(payload[...]))
        return head.bytes + payload
    }

    /// The whole records at the start of `bytes`, and how many bytes they take. What follows is torn.
    static func records(in bytes: [UInt8]) -> (records: [LedgerRecord], length: Int) {
        var records: [LedgerRecord] = []
        var offset = 0
        while offset + frameHeader <= bytes.count {
            var head = Reader(bytes: bytes[offset..<(offset + frameHeader)])
            guard let length = head.word(), let sum = head.word(), length <= longest,
                offset + frameHeader + Int(length) <= bytes.count
            else { break }
            let payload = bytes[(offset + frameHeader)..<(offset + frameHeader + Int(length))]
            guard checksum(payload) == sum, let record = decode(payload) else { break }
            records.append(record)
            offset += frameHeader + Int(length)
        }
        return (records, offset)
    }

    private static func decode(_ payload: ArraySlice<UInt8>) -> LedgerRecord? {
        var reader = Reader(bytes: payload)
        switch reader.byte() {
        case 1:
            guard let id = reader.number(), let takenAt = reader.signed(), let count = reader.number(), count < 100
            else { return nil }
            var costs: [BucketCost] = []
            for _ in 0..<count {
                guard let limit = reader.text(), let scope = reader.text(), let weight = reader.signed(),
                    let capacity = reader.signed(), let window = reader.signed()
                else { return nil }
                costs.append(
                    BucketCost(
                        key: BucketKey(limit: limit, scope: scope), weight: Bound.count(weight, atLeast: 0),
                        capacity: Bound.count(capacity, atLeast: 1), window: Bound.span(window)))
            }
            return .acquire(Permit(id: id, costs: costs, takenAt: Bound.instant(takenAt)))
        case 2:
            guard let id = reader.number(), let at = reader.signed() else { return nil }
            return .settle(id: id, at: Bound.instant(at))
        case 3: return reader.number().map { .release(id: $0) }
        case 4:
            guard let id = reader.number(), let at = reader.signed(), let allowance = reader.signed() else {
                return nil
            }
            return .abandon(id: id, at: Bound.instant(at), allowance: Bound.span(allowance))
        case 5:
            guard let limit = reader.text(), let scope = reader.text(), let until = reader.signed(),
                let remaining = reader.signed(), let evidence = reader.text()
            else { return nil }
            let penalty = Penalty(
                bucket: BucketKey(limit: limit, scope: scope), until: Bound.instant(until), evidence: evidence)
            return .penalty(penalty, remaining: Bound.span(remaining))
        default: return nil
        }
    }

    /// Numbers as far as arithmetic on them cannot overflow: a damaged or foreign file must not end the process, and no
    /// weight may free what others hold.
    private enum Bound {
        private static let mostSpan = Int64.max / 64
        private static let mostInstant = Int64.max / 4

        static func count(_ value: Int64, atLeast least: Int) -> Int {
            Int(min(max(value, Int64(least)), 1_000_000_000))
        }

        static func span(_ nanoseconds: Int64) -> TimeSpan {
            TimeSpan(nanoseconds: min(max(nanoseconds, 0), mostSpan))
        }

        static func instant(_ nanoseconds: Int64) -> Instant {
            Instant(nanoseconds: min(max(nanoseconds, -mostInstant), mostInstant))
        }
    }

    /// FNV-1a, 32 bits: finds torn writes; nobody is kept from forging one's own file.
    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
    }

    private struct Writer {
        var bytes: [UInt8] = []
        mutating func byte(_ value: UInt8) { bytes.append(value) }
        mutating func word(_ value: UInt32) {
            for shift in 0..<4 { byte(UInt8(truncatingIfNeeded: value >> (8 * shift))) }
        }
        mutating func number(_ value: UInt64) {
            for shift in 0..<8 { byte(UInt8(truncatingIfNeeded: value >> (8 * shift))) }
        }
        mutating func text(_ text: String) {
            let utf8 = Array(text.utf8.prefix(8000))
            word(UInt32(utf8.count))
            bytes += utf8
        }
    }

    private struct Reader {
        var bytes: ArraySlice<UInt8>
        mutating func byte() -> UInt8? { bytes.popFirst() }
        mutating func word() -> UInt32? {
            guard bytes.count >= 4 else { return nil }
            var value: UInt32 = 0
            for shift in 0..<4 { value |= UInt32(bytes.removeFirst()) << (8 * shift) }
            return value
        }
        mutating func number() -> UInt64? {
            guard bytes.count >= 8 else { return nil }
            var value: UInt64 = 0
            for shift in 0..<8 { value |= UInt64(bytes.removeFirst()) << (8 * shift) }
            return value
        }
        mutating func signed() -> Int64? { number().map { Int64(bitPattern: $0) } }
        mutating func text() -> String? {
            guard let count = word(), Int(count) <= bytes.count else { return nil }
            let text = String(decoding: bytes.prefix(Int(count)), as: UTF8.self)
            bytes = bytes.dropFirst(Int(count))
            return text
        }
    }
}
