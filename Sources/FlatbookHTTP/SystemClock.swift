package import FlatbookCore
import Glibc

/// The host's two clocks. Waits and limits use the boot clock, which goes on while the machine sleeps.
package struct SystemClock: Sendable {
    package init() {}

    package func now() -> Now { Now(instant: Self.boot(), wall: Self.wall()) }

    /// Returns at `instant`, or throws when the task is cancelled.
    package func sleep(until instant: Instant) async throws {
        let left = instant - Self.boot()
        guard left > .zero else { return }
        try await Task.sleep(for: .nanoseconds(left.nanoseconds), tolerance: .zero, clock: .continuous)
    }

    /// The boot clock minus the one that stands still while the host sleeps.
    package func asleep() -> TimeSpan {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let awake = Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
        return Self.boot() - awake
    }

    static func boot() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    private static func wall() -> WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
