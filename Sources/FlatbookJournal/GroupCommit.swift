import FlatbookCore
import Foundation
import GRDB
import Synchronization

/// Batches concurrent appends: while one batch is being synced, the next one gathers.
///
/// A batch closes when nobody waits or at 256 entries, so nobody ever waits for company. The only thread that writes
/// is the serial queue's.
final class GroupCommit: Sendable {
    private static let batchLimit = 256

    private struct Request: Sendable {
        var entries: [JournalEntry]
        var bodies: [Data]
        var waiter: CheckedContinuation<Result<Void, JournalError>, Never>
    }

    private struct State {
        var waiting: [Request] = []
        var isDraining = false
        var failure: JournalError?
        var count = 0
    }

    private let state: Mutex<State>
    private let database: DatabaseQueue
    private let path: String
    private let beforeCommit: (@Sendable (Int) throws -> Void)?
    private let thread = DispatchQueue(label: "flatbook.journal.commit", qos: .userInitiated)

    init(
        queue: DatabaseQueue, path: String, isReader: Bool, beforeCommit: (@Sendable (Int) throws -> Void)? = nil
    ) {
        database = queue
        self.beforeCommit = beforeCommit
        self.path = path
        var state = State()
        if isReader { state.failure = JournalError(.readOnly, "\(path) was opened to be read.") }
        self.state = Mutex(state)
    }

    var count: Int { state.withLock { $0.count } }
    var failure: JournalError? { state.withLock { $0.failure } }

    /// Refuses what comes later; the first failure stays.
    func stop(_ failure: JournalError) {
        state.withLock { $0.failure = $0.failure ?? failure }
        // What was accepted before is still written, and has ended when this returns.
        thread.sync {}
    }

    func append(_ entries: [JournalEntry]) async throws(JournalError) {
        guard !entries.isEmpty else { return }
        let bodies: [Data]
        do {
            // Encoded by the callers, side by side, so that the writing thread only hashes and inserts.
            bodies = try entries.map(Chain.encode)
        } catch {
            let failure = JournalError(.inputOutput, "\(path): an entry cannot be written as JSON: \(error)")
            stop(failure)
            throw failure
        }
        let result = await withCheckedContinuation { waiter in
            enqueue(Request(entries: entries, bodies: bodies, waiter: waiter))
        }
        try result.get()
    }

    private func enqueue(_ request: Request) {
        let failure = state.withLock { state -> JournalError? in
            if let failure = state.failure { return failure }
            state.waiting.append(request)
            if !state.isDraining {
                state.isDraining = true
                thread.async { self.drain() }
            }
            return nil
        }
        if let failure { request.waiter.resume(returning: .failure(failure)) }
    }

    private func drain() {
        while let batch = nextBatch() {
            var written = 0
            var failure: JournalError?
            do {
                (written, failure) = try commit(batch)
            } catch {
                failure = JournalFailure.map(error, path: path)
            }
            let lost = state.withLock { state -> [Request] in
                if written > 0 { state.count += 1 }
                guard let failure else { return [] }
                // Final: after a failed fsync the kernel may claim that the next one succeeded.
                state.failure = failure
                state.isDraining = false
                defer { state.waiting = [] }
                return state.waiting
            }
            for request in batch.prefix(written) { request.waiter.resume(returning: .success(())) }
            guard let failure else { continue }
            for request in batch.dropFirst(written) + lost { request.waiter.resume(returning: .failure(failure)) }
            return
        }
    }

    private func nextBatch() -> [Request]? {
        state.withLock { state in
            var (size, requests) = (0, 0)
            for request in state.waiting {
                if requests > 0, size + request.entries.count > Self.batchLimit { break }
                size += request.entries.count
                requests += 1
            }
            guard requests > 0 else {
                state.isDraining = false
                return nil
            }
            defer { state.waiting.removeFirst(requests) }
            return Array(state.waiting.prefix(requests))
        }
    }

    /// One transaction, one fsync. A fenced request ends the batch; what came before it is committed.
    private func commit(_ batch: [Request]) throws -> (written: Int, failure: JournalError?) {
        try database.writeWithoutTransaction { db in
            var written = 0
            var failure: JournalError?
            try db.inTransaction(.immediate) {
                var rows = try RowWriter(db, path: path)
                for request in batch {
                    failure = try rows.refusal(of: request.entries)
                    if failure != nil { break }
                    for (entry, body) in zip(request.entries, request.bodies) { try rows.insert(entry, body: body) }
                    written += 1
                }
                try rows.finish()
                try beforeCommit?(count + 1)
                return .commit
            }
            return (written, failure)
        }
    }
}
