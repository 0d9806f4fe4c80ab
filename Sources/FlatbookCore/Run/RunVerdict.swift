/// The run's status and exit code by contract §5, from its accounts' verdicts.
public struct RunVerdict: Hashable, Sendable {
    public var status: String
    public var exitCode: Int

    public init(status: String, exitCode: Int) {
        self.status = status
        self.exitCode = exitCode
    }

    /// A halt is an orderly end from outside, as SIGTERM is.
    public static func exitCode(ofStop signal: String) -> Int { signal == "SIGINT" ? 130 : 143 }

    /// What ``RunEvent/interrupted(signal:)`` names where no signal stopped the run.
    public static let halt = "halt"
    public static let journalFailure = "journal failure"

    /// - Parameter signal: the signal that stopped the run, if one did; or ``halt`` or ``journalFailure``.
    public init(_ machine: RunMachine, signal: String? = nil) {
        let counted = machine.accountOrder.compactMap { machine.accounts[$0] }.filter(\.listed.account.enabled)
        let verdicts = counted.map { $0.verdict }
        func all(_ causes: Set<AccountVerdict.Cause>) -> Bool {
            let open = verdicts.filter { $0?.state != .flat && $0?.state != .alreadyFlat }
            return !open.isEmpty && open.allSatisfy { $0?.cause.map(causes.contains) ?? false }
        }
        func any(_ states: FinalState...) -> Bool {
            verdicts.contains { $0.map { states.contains($0.state) } ?? false }
        }
        let dustCounts = counted.contains { $0.verdict?.state == .dust && $0.plan.verify.dust == .report }
        if !verdicts.isEmpty, machine.callOrder.isEmpty, verdicts.allSatisfy({ $0?.cause == .credentials }) {
            self.init(status: "refused", exitCode: 77)
        } else if signal == Self.journalFailure {
            self.init(status: "failed", exitCode: 74)
        } else if let signal {
            self.init(status: "interrupted", exitCode: Self.exitCode(ofStop: signal))
        } else if verdicts.contains(nil) || any(.unknown) {
            self.init(status: "unknown", exitCode: 11)
        } else if verdicts.contains(where: { $0?.cause == .deadline }) {
            self.init(status: "deadline", exitCode: 15)
        } else if all([.rateLimited]) {
            self.init(status: "residual", exitCode: 14)
        } else if all([.exchangeDown, .locked]) {
            self.init(status: any(.residual) ? "residual" : "refused", exitCode: 75)
        } else if any(.residual) || dustCounts {
            self.init(status: "residual", exitCode: 10)
        } else if any(.refused, .skipped) {
            self.init(status: "refused", exitCode: 10)
        } else {
            self.init(status: "flat", exitCode: 0)
        }
    }
}
