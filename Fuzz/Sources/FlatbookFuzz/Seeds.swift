import ExchangeKit
import FlatbookCore
@testable import FlatbookJournal
import Foundation

/// Makes the seeds that follow from code and fixtures: recorded replies under every call that reads them, journal entries.
enum Seeds {
    /// - Parameters:
    ///   - fixtures: folder `Tests`, with `<Exchange>ExchangeTests/Fixtures`.
    ///   - corpus: folder with a folder per target.
    static func write(fixtures: String, corpus: String) {
        for (venue, folder) in zip(VenueTarget.venues, ["Bitget", "OKX", "BingX"]) {
            let source = "\(fixtures)/\(folder)ExchangeTests/Fixtures"
            for name in (try? FileManager.default.contentsOfDirectory(atPath: source))?.sorted() ?? [] {
                guard let data = FileManager.default.contents(atPath: source + "/" + name) else { continue }
                replies(Array(data), venue, name, corpus)
            }
        }
        for entry in JournalSamples.entries(of: "run-a") {
            guard let body = try? Chain.encode(entry) else { continue }
            save(Array(body), corpus, "journal-entry", "\(entry.event.columns.kind)-\(entry.at.nanoseconds)")
        }
    }

    /// Once for each kind of reading: where it is good for no call, as the answer to the first one.
    private static func replies(_ body: [UInt8], _ venue: VenueTarget, _ name: String, _ corpus: String) {
        var written = 0
        for (number, question) in venue.questions.enumerated() {
            let reply = VenueReply(status: 200, body: body)
            let isGood: Bool
            switch question.call {
            case .read(let read):
                let result = venue.plugin.answer(
                    to: read, in: reply, account: question.account, instruments: InstrumentBook())
                if case .answer = result { isGood = true } else { isGood = false }
            case .mutate(let mutation):
                isGood = venue.plugin.outcome(of: mutation, in: reply, account: question.account).effect != .unknown
            }
            guard isGood, written < 3 else { continue }
            written += 1
            save([UInt8(number), 0, 0, 0] + body, corpus, "\(venue.exchange)-replies", "\(name)-\(number)")
        }
        if written == 0 { save([0, 0, 0, 0] + body, corpus, "\(venue.exchange)-replies", name) }
    }

    private static func save(_ bytes: [UInt8], _ corpus: String, _ target: String, _ name: String) {
        let folder = "\(corpus)/\(target)"
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try? Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name))
    }
}
