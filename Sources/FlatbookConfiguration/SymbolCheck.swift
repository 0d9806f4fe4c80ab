package import FlatbookCore

/// What the instrument lists say about a plan's symbols (contract §3).
package enum SymbolCheck {
    /// More names than this are not searched for the nearest spelling.
    private static let searched = 2000

    /// Every symbol pattern must match an instrument of each selected exchange, `exchange:nativeId` one of that exchange.
    ///
    /// Instruments decide, not open positions: nothing open in BTC today is no error.
    ///
    /// - Parameter exchanges: those of the selected accounts.
    /// - Parameter answered: those of them whose lists are known; nil: all. The others are checked when they answer.
    /// - Parameter allowNoMatch: `--allow-no-match`; it excuses positive patterns only, because a misspelt exclusion
    ///   would close what was to stay open.
    package static func check(
        plan: PlanDocument, exchanges: [ExchangeID], answered: Set<ExchangeID>? = nil,
        instruments: [ExchangeID: [Instrument]], allowNoMatch: Bool
    ) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        let selected = Set(exchanges).sorted()
        let judged = answered.map { known in selected.filter { known.contains($0) } } ?? selected
        for (index, pattern) in plan.symbols.enumerated() where !(allowNoMatch && !pattern.isExclusion) {
            let key = "symbols[\(index)]"
            let line = pattern.line > 0 ? pattern.line : plan.source.line
            func report(_ message: String, meant: String?) {
                let hint = meant.map { "Did you mean \"\(pattern.isExclusion ? "!" : "")\($0)\"?" }
                diagnostics.append(
                    Diagnostic(file: plan.source.file, line: line, key: key, "\"\(pattern)\" \(message)", hint: hint))
            }
            if let prefix = exchangePrefix(pattern.text) {
                let exchange = ExchangeID(prefix)
                guard selected.contains(exchange) else {
                    let name = nearest(prefix, in: selected.map(\.rawValue))
                    report(
                        "names the exchange \(prefix), of which no account is selected.",
                        meant: name.map { $0 + pattern.text.dropFirst(prefix.count) })
                    continue
                }
                guard judged.contains(exchange) else { continue }
                let listed = instruments[exchange] ?? []
                guard !listed.contains(where: { matches(pattern, $0, exchange) }) else { continue }
                let id = spelling(String(pattern.text.dropFirst(prefix.count + 1)), in: listed.map(\.nativeID))
                report("matches no instrument of \(prefix).", meant: id.map { prefix + ":" + $0 })
                continue
            }
            let missing = judged.filter { exchange in
                !(instruments[exchange] ?? []).contains { matches(pattern, $0, exchange) }
            }
            guard !missing.isEmpty else { continue }
            let listed = missing.flatMap { instruments[$0] ?? [] }
            // A native id in place of a symbol is the usual mistake, and no edit distance leads from one to the other.
            let meant =
                listed.first { $0.nativeID == pattern.text }?.symbol ?? spelling(pattern.text, in: listed.map(\.symbol))
            report("matches no instrument of \(missing.map(\.rawValue).joined(separator: ", ")).", meant: meant)
        }
        return diagnostics
    }

    /// Refuses a granularity that reaches beyond the selection: `symbol` takes both sides, `account` everything.
    package static func granularity(plan: PlanDocument) -> [Diagnostic] {
        let selection = SymbolSelection(patterns: plan.symbols, sides: plan.sides)
        let message: String
        switch plan.granularity {
        case .symbol where !selection.bothSides:
            message = "symbol closes both sides of an instrument, but the plan selects one side."
        case .account where !selection.isEverything:
            message = "account closes everything, but the plan does not select every symbol on both sides."
        case .auto, .side, .symbol, .account: return []
        }
        return [
            Diagnostic(
                file: plan.source.file, line: plan.source.line, key: "granularity", message,
                hint: "Use auto: it takes the fewest calls that stay inside the selection.")
        ]
    }

    private static func matches(_ pattern: Pattern, _ instrument: Instrument, _ exchange: ExchangeID) -> Bool {
        SymbolSelection.matches(pattern, symbol: instrument.symbol, nativeID: instrument.nativeID, exchange: exchange)
    }

    /// `okx` of `okx:BTC-USDT-SWAP`. Every canonical symbol has a `/` before its `:`, so this is never one.
    private static func exchangePrefix(_ text: String) -> String? {
        guard let colon = text.firstIndex(of: ":"), colon != text.startIndex else { return nil }
        let prefix = text[..<colon]
        let isName = prefix.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
        return isName ? String(prefix) : nil
    }

    private static func spelling(_ word: String, in names: [String]) -> String? {
        // Misspellings rarely hit the first letter: those names come first where the list is long.
        guard names.count > searched, let letter = word.lowercased().first else { return nearest(word, in: names) }
        let alike = names.filter { $0.lowercased().first == letter }
        return nearest(word, in: Array(alike.prefix(searched)))
    }
}
