import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// What a command left behind.
struct Outcome: Sendable {
    var code: Int32
    var stdout: String
    var stderr: String

    var all: String { stdout + stderr }
    var lineCount: Int { all.split(separator: "\n", omittingEmptySubsequences: false).count - 1 }
}

/// Something that a test waited for did not happen.
struct Unmet: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// One process of the real binary, whose lines can be awaited.
final class Child: Sendable {
    let pid: Int32
    private let process: Process
    private let state: State

    /// What two reading threads and the end of the process report.
    private final class State: Sendable {
        private let lock = NSCondition()
        private nonisolated(unsafe) var bytes: [Data] = [Data(), Data()]
        private nonisolated(unsafe) var ended = [false, false]
        private nonisolated(unsafe) var code: Int32?

        func add(_ data: Data, to channel: Int) {
            lock.withLock {
                bytes[channel].append(data)
                lock.broadcast()
            }
        }

        func end(_ channel: Int) {
            lock.withLock {
                ended[channel] = true
                lock.broadcast()
            }
        }

        func exit(_ value: Int32) {
            lock.withLock {
                code = value
                lock.broadcast()
            }
        }

        var text: [String] { lock.withLock { bytes.map { String(decoding: $0, as: UTF8.self) } } }

        /// Blocks its thread until `seen` answers or the time is over; nil then.
        func wait<T>(until end: Date, _ seen: (_ out: Data, _ err: Data, _ code: Int32?) -> T?) -> T? {
            lock.lock()
            defer { lock.unlock() }
            while true {
                let isOver = ended[0] && ended[1] ? code : nil
                if let value = seen(bytes[0], bytes[1], isOver) { return value }
                if isOver != nil { return nil }
                if !lock.wait(until: end) { return nil }
            }
        }
    }

    init(_ arguments: [String], in folder: URL, environment: [String: String], program: URL = Binary.url) throws {
        let process = Process()
        let pipes = [Pipe(), Pipe()]
        let state = State()
        process.executableURL = program
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipes[0]
        process.standardError = pipes[1]
        process.terminationHandler = { ended in
            state.exit(ended.terminationReason == .exit ? ended.terminationStatus : 128 + ended.terminationStatus)
        }
        try process.run()
        for (channel, pipe) in pipes.enumerated() {
            let handle = pipe.fileHandleForReading
            Thread.detachNewThread {
                while case let data = handle.availableData, !data.isEmpty { state.add(data, to: channel) }
                state.end(channel)
            }
        }
        self.process = process
        self.state = state
        pid = process.processIdentifier
    }

    /// Sends a signal to this process only.
    func send(_ signal: Int32) {
        if process.isRunning { kill(pid, signal) }
    }

    /// The end of the process; kills it and throws when it takes longer.
    func outcome(within seconds: Double = 90) async throws -> Outcome {
        let code = await Self.offPool { self.state.wait(until: Date() + seconds) { _, _, code in code } }
        guard let code else {
            send(SIGKILL)
            throw Unmet("process \(pid) did not end within \(seconds) s\n\(state.text.joined(separator: "\n"))")
        }
        let text = state.text
        return Outcome(code: code, stdout: text[0], stderr: text[1])
    }

    /// The first complete line of stdout.
    func firstLine(within seconds: Double = 60) async throws -> String {
        let line = await Self.offPool {
            self.state.wait(until: Date() + seconds) { out, _, _ in
                out.firstIndex(of: 10).map { String(decoding: out[..<$0], as: UTF8.self) }
            }
        }
        guard let line else { throw Unmet("no line on stdout of \(pid): \(state.text)") }
        return line
    }

    /// Waits until `text` stood `count` times on stderr; false when the process ended before.
    func sees(_ text: String, times count: Int = 1, within seconds: Double = 60) async throws -> Bool {
        let needle = Data(text.utf8)
        let seen: Bool? = await Self.offPool {
            self.state.wait(until: Date() + seconds) { _, err, code in
                if Self.count(needle, in: err) >= count { return true }
                return code == nil ? nil : false
            }
        }
        guard let seen else { throw Unmet("\(text) did not come \(count) times: \(state.text)") }
        return seen
    }

    private static func count(_ needle: Data, in data: Data) -> Int {
        var found = 0
        var start = data.startIndex
        while let range = data.range(of: needle, in: start..<data.endIndex) {
            found += 1
            start = range.upperBound
        }
        return found
    }

    /// Waiting blocks a thread of its own, never one of the pool that all tests share.
    private static func offPool<T: Sendable>(_ work: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { done in
            Thread.detachNewThread { done.resume(returning: work()) }
        }
    }
}

/// The binary under test: beside the test bundle, or where FLATBOOK_BINARY says.
enum Binary {
    static let url: URL = {
        if let path = ProcessInfo.processInfo.environment["FLATBOOK_BINARY"] { return URL(fileURLWithPath: path) }
        let bundle = Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
        return bundle.resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent("flatbook")
    }()
}

/// At most a few desks at once, so that timing of one does not starve another on a small machine.
actor Slots {
    static let shared = Slots(max(4, ProcessInfo.processInfo.activeProcessorCount))
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { free = count }

    func take() async {
        if free > 0 {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func give() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
