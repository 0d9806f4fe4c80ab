import FlatbookSimulation
import Foundation

/// What a campaign came to, for people and for scripts.
struct DrillReport {
    var summary: Campaign.Summary
    var regressions: Campaign.Summary
    var first: UInt64
    var seconds: Double
    var showsCoverage: Bool

    private var failures: [Campaign.Outcome] { regressions.failures + summary.failures }

    var text: String {
        var lines: [String] = []
        for failure in failures {
            lines.append("seed \(failure.seed) FAILED; replay: flatbook drill --seed \(failure.seed)")
            lines += failure.violations.prefix(5).map { "  " + $0 }
        }
        let failed = summary.failedSeeds + regressions.failedSeeds
        lines.append(
            failed == 0
                ? "\(summary.seeds) seeds, every promise kept"
                : "\(failed) of \(summary.seeds + regressions.seeds) seeds broke a promise")
        let seeds = max(1, summary.seeds)
        lines.append("  seeds        \(first) to \(first &+ UInt64(seeds) &- 1), and \(regressions.seeds) kept ones")
        lines.append("  faults       \(summary.faults), \(Self.mean(summary.faults, seeds)) a seed")
        lines.append("  crashes      \(summary.crashes), \(Self.mean(summary.crashes, seeds)) a seed")
        lines.append("  requests     \(summary.requests), \(Self.mean(summary.requests, seeds)) a seed")
        lines.append("  calls        \(summary.calls), \(Self.mean(summary.calls, seeds)) a seed")
        lines.append(
            "  legs         \(summary.legs), \(summary.flatLegs) proven flat, \(summary.reopened) opened again")
        lines.append(
            "  accounts     \(summary.accounts), \(summary.flatAccounts) proven flat, \(summary.unknownAccounts) unknown"
        )
        if seconds > 0 {
            lines.append("  time         \(Self.tenth(seconds)) s, \(Int(Double(seeds) / seconds)) seeds a second")
        }
        if showsCoverage {
            let missing = summary.coverage.missing
            lines.append(
                "  state × event: \(Coverage.legal.count - missing.count) of \(Coverage.legal.count) legal pairs met")
            lines += missing.map { "    never: \($0)" }
            lines += summary.coverage.unexpected.map { "    unexpected: \($0)" }
            lines += summary.coverage.pairs.sorted { $0.key < $1.key }.map { "    \($0.key): \($0.value)" }
        }
        return lines.joined(separator: "\n")
    }

    var json: String {
        let object: [String: Any] = [
            "schema": "flatbook.drill/1", "first": first, "seeds": summary.seeds, "regressions": regressions.seeds,
            "failed": summary.failedSeeds + regressions.failedSeeds, "faults": summary.faults,
            "crashes": summary.crashes, "calls": summary.calls, "legs": summary.legs, "legsFlat": summary.flatLegs,
            "accounts": summary.accounts, "accountsFlat": summary.flatAccounts,
            "accountsUnknown": summary.unknownAccounts, "reopened": summary.reopened,
            "legalPairs": Coverage.legal.count, "missingPairs": summary.coverage.missing,
            "unexpectedPairs": summary.coverage.unexpected,
            "failures": failures.map { ["seed": $0.seed, "violations": $0.violations] as [String: Any] },
        ]
        let data = try? JSONSerialization.data(
            withJSONObject: object, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
        return data.map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    /// One digit after the point.
    private static func mean(_ count: Int, _ seeds: Int) -> String { tenth(Double(count) / Double(seeds)) }

    private static func tenth(_ value: Double) -> String { String(format: "%.1f", value) }
}
