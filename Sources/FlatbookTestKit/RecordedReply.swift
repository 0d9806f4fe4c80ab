public import ExchangeKit
public import Foundation

/// An exchange's reply as it was recorded, kept as `Fixtures/<name>.json` beside the tests that read it.
public struct RecordedReply: Hashable, Sendable, CustomStringConvertible {
    /// The file's name without `.json`: what was asked, then the case, e.g. `close.captured`.
    public var name: String
    /// The HTTP status that came with it.
    public var status: Int

    public init(_ name: String, status: Int = 200) {
        self.name = name
        self.status = status
    }

    public var description: String { "\(name) (HTTP \(status))" }

    /// - Throws: what Foundation throws where the file cannot be read.
    public func reply(from bundle: Bundle) throws -> VenueReply {
        let folder = (bundle.resourceURL ?? bundle.bundleURL).appendingPathComponent("Fixtures")
        let body = try Data(contentsOf: folder.appendingPathComponent(name + ".json"))
        return VenueReply(status: status, body: Array(body))
    }

    /// The names of every recording in a bundle, sorted: to prove that each has a test.
    public static func names(in bundle: Bundle) throws -> [String] {
        let folder = (bundle.resourceURL ?? bundle.bundleURL).appendingPathComponent("Fixtures")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
    }
}
