import Dispatch
import FlatbookCore
import FlatbookHost

/// Ends a run in order when this host is halted. The send gate refuses by itself; this makes the run know.
enum HaltWatch {
    /// Yields ``RunVerdict/halt`` once; a run that sends nothing hears of it within a quarter of a second.
    static func timer(_ halt: Halt, _ feed: AsyncStream<String>.Continuation) -> any DispatchSourceTimer {
        let timer = DispatchSource.makeTimerSource(queue: .global())
        timer.schedule(deadline: .now(), repeating: .milliseconds(250))
        timer.setEventHandler {
            guard halt.isRaised, !timer.isCancelled else { return }
            timer.cancel()
            Output.note("\(text(halt)): finishing what is in flight")
            feed.yield(RunVerdict.halt)
        }
        timer.resume()
        return timer
    }

    static func text(_ halt: Halt) -> String { halt.card.map { "\($0)" } ?? "halted (\(halt.path))" }

    /// - Throws: exit 13 while the host is halted: a new run and a resumed one would send nothing.
    static func refuseStart(_ halt: Halt) throws {
        guard halt.isRaised else { return }
        throw CommandFailure(
            13,
            "this host is \(text(halt)); nothing was sent. `flatbook halt --release` lets runs begin and go on again")
    }
}
