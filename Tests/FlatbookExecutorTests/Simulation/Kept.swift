import FlatbookSimulation
import Testing

/// Records every promise that a run broke, by the exchanges' truth.
func expectKept(
    _ run: SimulatedRun, _ seed: UInt64, sourceLocation: Testing.SourceLocation = #_sourceLocation
) {
    for violation in Judge.violations(of: run) {
        Issue.record("seed \(seed): \(violation)", sourceLocation: sourceLocation)
    }
}
