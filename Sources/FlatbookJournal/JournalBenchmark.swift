import FlatbookCore
import Foundation
import GRDB

/// How many intents a second become durable, against the same inserts with one transaction each.
package enum JournalBenchmark {
    package struct Result: Sendable, CustomStringConvertible {
        package var entries: Int
        package var intentsPerSecond: Int
        package var commits: Int
        package var rawPerSecond: Int

        package var description: String {
            "\(entries) durable intents: \(intentsPerSecond) a second in \(commits) commits (at least 2000); "
                + "one transaction each: \(rawPerSecond) a second; ratio "
                + String(format: "%.1f", Double(intentsPerSecond) / Double(max(1, rawPerSecond)))
        }
    }

    /// - Parameters:
    ///   - concurrency: callers that wait for their intent at the same time, as lanes of a run do.
    ///   - directory: where the two databases are made; removed by the caller.
    package static func run(entries: Int, concurrency: Int, directory: String) async throws -> Result {
        let location = JournalLocation(path: directory + "/bench.sqlite")
        let holder = JournalHolder(run: "bench", pid: Int(getpid()), host: "", since: WallTime(milliseconds: 0))
        let journal = try SQLiteJournal.open(location, mode: .write(holder))
        try await journal.append([opening])
        let clock = ContinuousClock()
        let began = clock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<concurrency {
                group.addTask {
                    for number in stride(from: lane, to: entries, by: concurrency) {
                        try await journal.append([intent(number)])
                    }
                }
            }
            try await group.waitForAll()
        }
        let grouped = clock.now - began
        let commits = journal.commitCount
        journal.close()
        let raw = try raw(min(entries, 2000), path: directory + "/raw.sqlite")
        return Result(
            entries: entries, intentsPerSecond: perSecond(entries, grouped), commits: commits,
            rawPerSecond: perSecond(min(entries, 2000), raw))
    }

    private static func raw(_ entries: Int, path: String) throws -> Duration {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
            try db.execute(sql: "CREATE TABLE event(seq INTEGER PRIMARY KEY, body BLOB, hash BLOB) STRICT")
        }
        let encoder = JSONEncoder()
        let clock = ContinuousClock()
        let began = clock.now
        for number in 0..<entries {
            let body = try encoder.encode(intent(number))
            try queue.write { db in
                try db.execute(
                    sql: "INSERT INTO event(body, hash) VALUES (?, ?)",
                    arguments: [body, Data(repeating: 1, count: 32)])
            }
        }
        return clock.now - began
    }

    private static func perSecond(_ count: Int, _ time: Duration) -> Int {
        Int(Double(count) / (Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18))
    }

    private static func entry(_ event: RunEvent) -> JournalEntry {
        JournalEntry(
            run: "bench", epoch: 1, at: Instant(nanoseconds: 0), wall: WallTime(milliseconds: 0), event: event)
    }

    private static var opening: JournalEntry {
        entry(
            .opened(
                RunHeader(
                    id: "bench", plans: [], planDigest: "", environment: .simulated, accounts: [],
                    deadline: Instant(nanoseconds: .max), deadlineWall: WallTime(milliseconds: 0),
                    startedWall: WallTime(milliseconds: 0),
                    holder: RunHolder(host: "", pid: 0, bootID: "", version: ""))))
    }

    private static func intent(_ number: Int) -> JournalEntry {
        let key = LegKey(
            account: "desk-a-\(number % 200)", product: "USDT-FUTURES", instrument: "BTCUSDT", side: .long,
            marginMode: .cross, marginCurrency: "USDT")
        let call = CloseCall(
            account: key.account,
            method: CloseMethod(
                operation: "bitget.close-positions", reach: .symbol, isSized: false, modes: [.oneWay, .hedge],
                guaranteesSide: false),
            product: key.product, instrument: key.instrument, legs: [key], mode: .oneWay, notional: Amount(1_000))
        return entry(
            .intent(
                CallIntent(
                    id: "\(key.account)/\(number)", attempt: 1, mutation: .close(call),
                    requestDigest: "sha256:" + String(repeating: "0", count: 64), life: .seconds(38),
                    plannedAt: nil, limitWait: .zero)))
    }
}
