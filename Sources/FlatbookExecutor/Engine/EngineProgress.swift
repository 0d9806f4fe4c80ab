public import FlatbookCore

/// Where a run stands, for one line on a terminal.
public struct RunProgress: Hashable, Sendable {
    public var accounts = 0
    public var flat = 0
    public var closing = 0
    public var failed = 0
    /// USD still open inside the selection, as of the last complete reads.
    public var openNotional = Amount.zero
    public var calls = 0
    public var reads = 0
    /// The limit that holds up the next call.
    public var binding: String?
    /// An estimate: the longest queue at its limit's pace, then the proof. Nil before the snapshots are in.
    public var timeLeft: TimeSpan?

    public init() {}
}

extension Engine {
    /// A summary of the fold and the queues; changes nothing.
    public var progress: RunProgress {
        var progress = RunProgress()
        progress.calls = machine.callOrder.count
        progress.reads = reads
        var longest = 0
        for name in machine.accountOrder {
            guard let account = machine.accounts[name], account.listed.account.enabled else { continue }
            progress.accounts += 1
            for key in account.openLegs {
                guard let row = account.legs[key]?.current, let sum = try? progress.openNotional.adding(row.notional)
                else { continue }
                progress.openNotional = sum
            }
            switch account.verdict?.state {
            case .flat, .alreadyFlat: progress.flat += 1
            case .dust, .residual, .refused, .skipped, .unknown: progress.failed += 1
            case nil:
                if account.snapshot != nil, !account.openLegs.isEmpty { progress.closing += 1 }
                longest = max(longest, queued(name))
            }
        }
        progress.binding = venueOrder.compactMap { venues[$0]?.binding?.limit }.first
        if machine.planned != nil, let verify = machine.header?.plans.first?.verify {
            progress.timeLeft = .seconds(longest) + verify.interval * verify.reads + configuration.settle
        }
        return progress
    }
}
