import FlatbookCore
import FlatbookCrypto
import Foundation

/// The hash chain of a run and the canonical form of its entries.
enum Chain {
    static func genesis(of run: String) -> [UInt8] { sha256(Array(run.utf8)) }

    /// SHA-256 of previous hash, seq, length (both 8 bytes, big-endian) and body.
    static func hash(previous: [UInt8], seq: Int64, body: Data) -> [UInt8] {
        var bytes = previous
        bytes.reserveCapacity(previous.count + 16 + body.count)
        for value in [seq, Int64(body.count)] { withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) } }
        bytes.append(contentsOf: body)
        return sha256(bytes)
    }

    static func encode(_ entry: JournalEntry) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(entry)
    }

    static func text(_ hash: [UInt8]) -> String {
        "sha256:" + Hex.encode(hash)
    }
}

extension RunEvent {
    /// The columns by which rows are found without reading their bodies.
    var columns: (kind: String, account: String?, call: String?) {
        switch self {
        case .opened: ("opened", nil, nil)
        case .resumed: ("resumed", nil, nil)
        case .identified(let account, _): ("identified", account, nil)
        case .learned(let account, _): ("learned", account, nil)
        case .snapshot(let snapshot): ("snapshot", snapshot.account, nil)
        case .planned: ("planned", nil, nil)
        case .intent(let intent): ("intent", intent.mutation.account, intent.id)
        case .outcome(let result): ("outcome", result.account, result.id)
        case .resolved(let resolution): ("resolved", resolution.account, resolution.id)
        case .observed(let observation): ("observed", observation.account, nil)
        case .controlled(let account, _): ("controlled", account, nil)
        case .legRefused(let account, _, _): ("legRefused", account, nil)
        case .legEnded(let account, _): ("legEnded", account, nil)
        case .penalty: ("penalty", nil, nil)
        case .accountEnded(let verdict): ("accountEnded", verdict.account, nil)
        case .executed(let executions): ("executed", executions.account, nil)
        case .interrupted: ("interrupted", nil, nil)
        case .closed: ("closed", nil, nil)
        }
    }
}
