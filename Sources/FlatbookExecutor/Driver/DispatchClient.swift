public import ExchangeKit
public import FlatbookCore

/// Signs and sends what the engine dispatches.
public protocol DispatchClient: Sendable {
    /// - Throws: ``TransportError``; nothing written means that the call may be made again.
    func perform(_ dispatch: Dispatch) async throws(TransportError) -> TimedReply
    /// Ends calls under way and opens new connections from now on: the host was asleep.
    func dropConnections() async
}

extension DispatchClient {
    public func dropConnections() async {}
}

/// The two clocks and the wait of a running process.
public protocol RunClock: Sendable {
    func now() -> Now
    /// How long the host has been asleep since it was booted: the boot clock minus the clock that stands still meanwhile.
    func asleep() -> TimeSpan
    /// Returns at `instant` or when the task is cancelled.
    func sleep(until instant: Instant) async
}

extension RunClock {
    public func asleep() -> TimeSpan { .zero }
}

/// Answers the engine's question before the first call.
public protocol Confirming: Sendable {
    func confirm(_ work: PlannedWork) async -> Bool
}
