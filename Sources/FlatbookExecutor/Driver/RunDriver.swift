public import FlatbookCore
import ExchangeKit

/// Drives an ``Engine`` in real time: events in, effects out, nothing decided here.
public struct RunDriver {
    public var client: any DispatchClient
    /// Nil for a preview, which journals nothing.
    public var journal: (any JournalWriter)?
    public var clock: any RunClock
    public var confirming: any Confirming
    /// Called in order on the driver's loop; must be quick.
    public var onNotice: (EngineNotice, Now) -> Void
    /// Called after each step, for progress lines.
    public var onStep: (Engine, Now) -> Void

    public init(
        client: any DispatchClient, journal: (any JournalWriter)?, clock: any RunClock, confirming: any Confirming,
        onNotice: @escaping (EngineNotice, Now) -> Void, onStep: @escaping (Engine, Now) -> Void = { _, _ in }
    ) {
        self.client = client
        self.journal = journal
        self.clock = clock
        self.confirming = confirming
        self.onNotice = onNotice
        self.onStep = onStep
    }

    /// The boot clock running ahead by more than this means that the host slept (`reliability.md` §2.4).
    static let shortestSleep = TimeSpan.seconds(1)

    private enum Incoming: Sendable {
        case engine(EngineEvent)
        case appended(UInt64, JournalError?)
        /// Only to look at the clocks.
        case look
    }

    /// Runs the engine to its end. Cancelling the surrounding task stops nothing by itself: send a signal instead.
    ///
    /// - Parameter signals: names of signals as they arrive, e.g. `SIGINT`; the second one ends the wait at once.
    public func run(_ engine: Engine, signals: AsyncStream<String>) async -> EngineEnd {
        let (stream, feed) = AsyncStream<Incoming>.makeStream()
        feed.yield(.engine(.start))
        return await withDiscardingTaskGroup(returning: EngineEnd.self) { group in
            group.addTask {
                for await signal in signals { feed.yield(.engine(.stop(signal: signal))) }
            }
            var appends: [(entries: [JournalEntry], ticket: UInt64)] = []
            var isAppending = false
            var scheduled: Instant?
            var asleep = clock.asleep()
            // A host that slept is noticed within a second, also where nothing else happens.
            group.addTask { [clock] in
                while !Task.isCancelled {
                    await clock.sleep(until: clock.now().instant + .seconds(1))
                    feed.yield(.look)
                }
            }
            func appendNext() {
                guard !isAppending, let last = appends.last, let journal else { return }
                isAppending = true
                let batch = appends.flatMap(\.entries)
                appends = []
                group.addTask {
                    do throws(JournalError) {
                        try await journal.append(batch)
                        feed.yield(.appended(last.ticket, nil))
                    } catch {
                        feed.yield(.appended(last.ticket, error))
                    }
                }
            }
            for await incoming in stream {
                let now = clock.now()
                if let due = scheduled, due <= now.instant { scheduled = nil }
                var effects: [EngineEffect] = []
                let sleep = clock.asleep() - asleep
                if sleep > Self.shortestSleep {
                    asleep = asleep + sleep
                    effects = engine.handle(.woke(after: sleep), now: now)
                    group.addTask { [client] in await client.dropConnections() }
                }
                switch incoming {
                case .look: break
                case .engine(let event): effects += engine.handle(event, now: now)
                case .appended(let ticket, let error):
                    isAppending = false
                    effects += engine.handle(error.map { .journalFailed($0) } ?? .durable(ticket: ticket), now: now)
                }
                for effect in effects {
                    switch effect {
                    case .append(let entries, let ticket): appends.append((entries, ticket))
                    case .send(let dispatch):
                        group.addTask { [client] in
                            do throws(TransportError) {
                                feed.yield(.engine(.replied(id: dispatch.id, try await client.perform(dispatch))))
                            } catch {
                                feed.yield(.engine(.failed(id: dispatch.id, error)))
                            }
                        }
                    case .wake(let instant):
                        guard let instant, scheduled.map({ instant < $0 }) ?? true else { continue }
                        scheduled = instant
                        group.addTask { [clock] in
                            await clock.sleep(until: instant)
                            feed.yield(.engine(.tick))
                        }
                    case .confirm(let work):
                        group.addTask { [confirming] in
                            feed.yield(.engine(.confirmed(await confirming.confirm(work))))
                        }
                    case .notice(let notice): onNotice(notice, now)
                    case .finished(let end):
                        group.cancelAll()
                        feed.finish()
                        return end
                    }
                }
                appendNext()
                onStep(engine, now)
            }
            return .interrupted(signal: "cancelled")
        }
    }
}
