import Glibc
import Synchronization

/// stdout and stderr, whatever has become of them: a reader that went away, a full disk or a stopped terminal ends no run
/// and delays none. `FileHandle` traps where a write fails.
enum StandardStreams {
    /// How long a stalled stderr is waited for, in milliseconds; after that its text is dropped until it takes some again.
    private static let patience: Int32 = 200
    /// A pipe that is ready takes this much without blocking (`PIPE_BUF`).
    private static let piece = 4096

    private static let isStalled = Mutex(false)

    /// A descriptor that is closed at the start would be given to the next file or socket, and texts would go into it.
    static func holdOpen() {
        for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) == -1 { _ = open("/dev/null", O_RDWR) }
    }

    /// What a user is told on the way. Dropped where nobody takes it.
    static func note(_ text: String) {
        isStalled.withLock { stalled in
            let code = write(text, to: 2, waiting: stalled ? 0 : patience)
            stalled = code == EAGAIN
        }
    }

    /// What a command was called for: waits for its reader as long as that takes.
    ///
    /// - Returns: 0, or the error of the write that failed.
    static func result(_ text: String) -> Int32 { write(text, to: 1, waiting: -1) }

    private static func write(_ text: String, to descriptor: Int32, waiting: Int32) -> Int32 {
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let ready = poll(&state, 1, waiting)
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return EAGAIN }
            let end = min(bytes.count, written + piece)
            let count = bytes[written..<end].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { return errno }
            written += count
        }
        return 0
    }
}
