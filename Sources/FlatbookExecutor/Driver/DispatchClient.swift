public import ExchangeKit
public import FlatbookCore

/// Signs and sends what the engine dispatches.
public protocol DispatchClient: Sendable {
    /// - Throws: ``TransportError``; nothing written means that the call may be made again.
    func perform(_ dispatch: Dispatch) async throws(TransportError) -> TimedReply
}

/// The two clocks and the wait of a running process.
public protocol RunClock: Sendable {
    func now() -> Now
    /// Returns at `instant` or when the task is cancelled.
    func sleep(until instant: Instant) async
}

/// Answers the engine's question before the first call.
public protocol Confirming: Sendable {
    func confirm(_ work: PlannedWork) async -> Bool
}
