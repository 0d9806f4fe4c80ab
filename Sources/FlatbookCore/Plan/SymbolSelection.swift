/// Which instruments and sides a plan selects, as written: what is open today plays no part.
public struct SymbolSelection: Hashable, Sendable, Codable {
    public var patterns: [Pattern]
    public var sides: [Side]

    public init(patterns: [Pattern], sides: [Side]) {
        self.patterns = patterns
        self.sides = sides
    }

    /// Whether the instrument is selected. `!` wins over everything.
    public func selects(symbol: String, nativeID: String, exchange: ExchangeID) -> Bool {
        var selected = false
        for pattern in patterns where Self.matches(pattern, symbol: symbol, nativeID: nativeID, exchange: exchange) {
            if pattern.isExclusion { return false }
            selected = true
        }
        return selected
    }

    public func selects(_ position: Position, exchange: ExchangeID) -> Bool {
        sides.contains(position.key.side)
            && selects(symbol: position.symbol, nativeID: position.key.instrument, exchange: exchange)
    }

    /// A pattern is a glob over canonical symbols, or `exchange:nativeId` with a glob over native ids.
    public static func matches(_ pattern: Pattern, symbol: String, nativeID: String, exchange: ExchangeID) -> Bool {
        let prefix = exchange.rawValue + ":"
        if pattern.text.hasPrefix(prefix) {
            return Pattern.glob(pattern.text.dropFirst(prefix.count), matches: nativeID)
        }
        return Pattern.glob(pattern.text, matches: symbol)
    }

    /// `symbols: ["*"]` without exclusion and both sides: the only selection that an account- or product-wide reach may serve.
    public var isEverything: Bool {
        bothSides && patterns.allSatisfy { !$0.isExclusion } && patterns.contains { $0.text == "*" }
    }

    public var bothSides: Bool { Set(sides).count == 2 }
}
