import Dispatch
import FlatbookHost
import Foundation

/// SIGINT and SIGTERM as a stream. The first finishes what is in flight; the second ends the process at once: the
/// journal is safe at any instruction.
enum Signals {
    ///
    /// - Parameter halt: watched too, and told as one more signal.
    static func stream(watching halt: Halt? = nil) -> AsyncStream<String> {
        let (stream, feed) = AsyncStream<String>.makeStream()
        let counter = Counter()
        for (number, name) in [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM")] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if counter.next() > 1 { _exit(number == SIGTERM ? 143 : 130) }
                Output.note("\(name): finishing what is in flight; press again to end at once")
                feed.yield(name)
            }
            // A signal before the registration would be lost: nobody hears of readiness before it.
            let registered = DispatchSemaphore(value: 0)
            source.setRegistrationHandler { registered.signal() }
            source.resume()
            counter.keep(source)
            _ = registered.wait(timeout: .now() + 1)
        }
        if let halt { counter.keep(HaltWatch.timer(halt, feed)) }
        return stream
    }

    private final class Counter: Sendable {
        private let lock = NSLock()
        private nonisolated(unsafe) var count = 0
        private nonisolated(unsafe) var sources: [any DispatchSourceProtocol] = []

        func next() -> Int {
            lock.withLock {
                count += 1
                return count
            }
        }

        func keep(_ source: any DispatchSourceProtocol) { lock.withLock { sources.append(source) } }
    }
}
