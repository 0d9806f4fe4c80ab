import FlatbookSimulation
import Testing

@Suite("A crash at every point of every append", .serialized)
struct CrashPointTests {
    // Three and ten accounts run in release mode: `flatbook-drill --crash-points`, part of scripts/check.
    @Test("one account: six points each, all flat afterwards, every call accounted for")
    func exhaustive() throws {
        let summary = try CrashPoints(accounts: 1).run()
        #expect(summary.violations.isEmpty, "\(summary.violations)")
        #expect(summary.appends > 5 && summary.points == 6 * summary.appends)
        // All of them but the points after the last append.
        #expect(summary.crashes >= summary.points - 3)
    }
}
