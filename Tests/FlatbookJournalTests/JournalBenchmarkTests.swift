import Foundation
import Testing

@testable import FlatbookJournal

@Suite("The journal's benchmark measures what it says")
struct JournalBenchmarkTests {
    @Test("every intent of waiting callers is durable, several of them in one commit")
    func grouped() async throws {
        let folder = NSTemporaryDirectory() + "journal-bench-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let result = try await JournalBenchmark.run(entries: 300, concurrency: 30, directory: folder)
        #expect(result.entries == 300)
        // The opening's commit is one more; thirty callers that wait cannot need three hundred.
        #expect((2..<300).contains(result.commits))
        #expect(result.intentsPerSecond > 0 && result.rawPerSecond > 0)
        let journal = try SQLiteJournal.open(JournalLocation(path: folder + "/bench.sqlite"), mode: .read)
        #expect(try journal.entries(of: "bench").count == 301)
        #expect(result.description.hasPrefix("300 durable intents: \(result.intentsPerSecond) a second"))
    }
}
