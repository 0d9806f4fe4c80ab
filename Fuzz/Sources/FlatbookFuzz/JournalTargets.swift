import ExchangeKit
import FlatbookCore
@testable import FlatbookJournal
import Foundation

extension FuzzTarget {
    /// The body of a journal's row: what is read is written again as the same entry.
    static let journalEntry = FuzzTarget("journal-entry", dictionary: "journal", extremes: Extremes.json) {
        { bytes in
            guard let entry = try? JSONDecoder().decode(JournalEntry.self, from: Data(bytes)) else { return }
            guard let text = try? Chain.encode(entry),
                let again = try? JSONDecoder().decode(JournalEntry.self, from: text)
            else { broken("an entry does not read back") }
            promise(again == entry, "an entry reads back as another")
            _ = entry.event.columns
            _ = (entry.wall.rfc3339, entry.wall.compact)
        }
    }

    /// A journal of three runs with any bytes changed: an error, or exactly the entries that were written.
    static let journalFile = FuzzTarget("journal-file", maximumLength: 256, dictionary: "numbers") {
        let (file, runs) = written()
        let location = JournalLocation(path: Scratch.folder + "/journal.sqlite")
        return { bytes in
            var chooser = Chooser(bytes)
            var damaged = file
            if chooser.byte() % 4 == 0 { damaged.removeLast(min(damaged.count, chooser.byte() << 8 | chooser.byte())) }
            while !chooser.isEmpty, !damaged.isEmpty {
                let place = (chooser.byte() << 8 | chooser.byte()) % damaged.count
                damaged[place] = UInt8(chooser.byte())
            }
            _ = Scratch.write(damaged, to: "journal.sqlite")
            for suffix in ["-wal", "-shm"] { unlink(location.path + suffix) }
            guard let journal = try? SQLiteJournal.open(location, mode: .read) else { return }
            defer { journal.close() }
            do throws(JournalError) { _ = try journal.runs() } catch { check(error) }
            for (run, entries) in runs {
                do throws(JournalError) {
                    promise(try journal.entries(of: run) == entries, "run \(run) reads as another")
                } catch { check(error) }
            }
        }
    }

    private static func check(_ error: JournalError) { Said.check(error.message, atMost: 1000, "the journal's error") }

    /// The bytes of a small journal, and its entries by run.
    private static func written() -> (file: [UInt8], runs: [(String, [JournalEntry])]) {
        let location = JournalLocation(path: Scratch.folder + "/template.sqlite")
        let holder = JournalHolder(run: "a", pid: 1, host: "h", since: WallTime(milliseconds: 0))
        var options = SQLiteJournal.Options()
        options.reserveBytes = 4096
        options.allowsNetworkFileSystem = true
        let runs = ["run-a", "run-b", "run-c"].map { ($0, JournalSamples.entries(of: $0)) }
        do {
            let journal = try SQLiteJournal.open(location, mode: .write(holder), options: options)
            for (_, entries) in runs {
                try Blocking.value { () async -> Result<Void, JournalError> in
                    do throws(JournalError) { return .success(try await journal.append(entries)) } catch {
                        return .failure(error)
                    }
                }.get()
            }
            journal.close()
            return (Array(try Data(contentsOf: URL(fileURLWithPath: location.path))), runs)
        } catch { fatalError("\(error)") }
    }
}

/// Entries of every kind, also the seeds of `journal-entry`.
enum JournalSamples {
    static func entries(of run: String) -> [JournalEntry] {
        let holder = RunHolder(host: "desk-1", pid: 7, bootID: "boot", version: "0.1.0")
        let plan = PlanDocument(name: "eod", accounts: [Pattern("*")])
        let venue = VenueTarget.okx
        var account = venue.accounts[0]
        // Facts have entries of their own.
        account.facts = [:]
        let header = RunHeader(
            id: run, plans: [plan], planDigest: "sha256:00", environment: .production,
            accounts: [RunHeader.RunAccount(account: account, plan: 0)], deadline: Instant(nanoseconds: 9),
            deadlineWall: WallTime(milliseconds: 9), startedWall: WallTime(milliseconds: 1), holder: holder)
        let key = LegKey(
            account: "desk-a-01", product: "SWAP", instrument: "BTC-USDT-SWAP", side: .long, marginMode: .cross,
            marginCurrency: "USDT")
        let amount = (try? Amount("0.015")) ?? .zero
        let position = Position(
            key: key, symbol: "BTC/USDT:USDT", quantity: amount, notional: Amount(1200), entryPrice: amount,
            mode: .oneWay)
        let order = RestingOrder(
            id: "9", product: "SWAP", instrument: "BTC-USDT-SWAP", symbol: "BTC/USDT:USDT", side: .long,
            effect: .opens, list: "pending")
        let snapshot = AccountSnapshot(
            account: "desk-a-01", positions: [position], read: ["SWAP"], notRead: [.init(silo: "grid", reason: "no")],
            orders: [order], sentAt: Instant(nanoseconds: 2), receivedAt: Instant(nanoseconds: 3),
            serverTime: WallTime(milliseconds: 5), digest: "sha256:11")
        let mutations = venue.questions.compactMap { question -> Mutation? in
            guard case .mutate(let mutation) = question.call else { return nil }
            return mutation
        }
        var events: [RunEvent] = [
            .opened(header), .resumed(holder), .identified(account: "desk-a-01", identity: Identity(uid: "1")),
            .learned(account: "desk-a-01", facts: ["acctLv": "3"]), .snapshot(snapshot),
            .planned(
                PlanSummary(
                    snapshotDigest: "sha256:22", calls: 1, legs: 1, notional: Amount(1200), lowerBound: .seconds(1))),
        ]
        for (number, mutation) in mutations.prefix(4).enumerated() {
            events.append(
                .intent(
                    CallIntent(
                        id: "desk-a-01/\(number)", attempt: 1, mutation: mutation, requestDigest: "sha256:33",
                        life: .seconds(30), plannedAt: .seconds(1), limitWait: .zero)))
            events.append(
                .resolved(
                    CallResolution(
                        id: "desk-a-01/\(number)", account: "desk-a-01", verdict: .executed, evidence: "positions")))
        }
        events += [
            .controlled(account: "desk-a-01", products: ["SWAP"]),
            .legRefused(account: "desk-a-01", leg: key, reason: "no method"),
            .penalty(
                Penalty(
                    bucket: BucketKey(limit: "okx.order", scope: "uid"), until: Instant(nanoseconds: 7), evidence: "429"
                ),
                exchange: ExchangeID("okx")),
            .accountEnded(AccountVerdict(account: "desk-a-01", state: .flat, legs: [.init(key: key, state: .flat)])),
            .interrupted(signal: "TERM"),
            .closed(
                RunClosing(status: "flat", exitCode: 0, reads: 4, limits: [], medianRoundTrip: .milliseconds(40))),
        ]
        return events.enumerated().map { number, event in
            JournalEntry(
                run: run, epoch: 1, at: Instant(nanoseconds: Int64(number)), wall: WallTime(milliseconds: 1000),
                event: event)
        }
    }
}
