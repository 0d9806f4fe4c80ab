/// How much of a position one sized order may close, in the exchange's unit.
public struct SizeLimit: Hashable, Sendable {
    /// The largest market order, where the exchange lists one.
    public var cap: Amount?
    /// The step that a size must be a multiple of, unless it is the whole rest.
    public var step: Amount?
    /// The smallest order.
    public var minimum: Amount?
    /// The smallest order of this leg that was refused as too large: the next one is half of it at most.
    public var refused: Amount?
    /// Whether the whole position is known to be too large for one close.
    public var isWholeRefused: Bool

    public init(
        cap: Amount? = nil, step: Amount? = nil, minimum: Amount? = nil, refused: Amount? = nil,
        isWholeRefused: Bool = false
    ) {
        self.cap = cap
        self.step = step
        self.minimum = minimum
        self.refused = refused
        self.isWholeRefused = isWholeRefused
    }

    /// The size of the next order: at most the cap and rounded down to the step, or exactly all that is left.
    ///
    /// What remains afterwards is never less than the smallest order: the last part must not be dust.
    ///
    /// - Returns: nil where no order fits between the smallest and the largest one.
    public func part(of quantity: Amount) -> Amount? {
        guard !quantity.isZero, !quantity.isNegative else { return nil }
        guard let ceiling = ceiling(of: quantity), ceiling < quantity else { return quantity }
        guard var part = rounded(ceiling), isEnough(part) else { return nil }
        if let minimum, let rest = try? quantity.adding(part.negated), rest < minimum {
            guard let less = try? part.adding(minimum.negated), let smaller = rounded(less), isEnough(smaller)
            else { return part }
            part = smaller
        }
        return part
    }

    /// Nil: the whole may be tried.
    private func ceiling(of quantity: Amount) -> Amount? {
        var ceiling = cap
        if let half = refused.flatMap(Self.half) { ceiling = min(ceiling ?? half, half) }
        // A cap that is not listed is looked for by halving.
        if ceiling == nil, isWholeRefused { ceiling = Self.half(quantity) }
        return ceiling
    }

    private static func half(_ amount: Amount) -> Amount? {
        (try? Amount("0.5")).flatMap { try? amount.multiplied(by: $0) }
    }

    private func rounded(_ amount: Amount) -> Amount? {
        guard let step, !step.isZero else { return amount }
        return try? amount.roundedDown(to: step)
    }

    private func isEnough(_ part: Amount) -> Bool {
        !part.isZero && !part.isNegative && (minimum.map { part >= $0 } ?? true)
    }
}

extension Amount {
    /// How many parts of this size the whole takes, the last one smaller; nil where the part is nothing or it does not fit.
    public func parts(of part: Amount) -> Int? {
        guard !part.isZero, !part.isNegative, !isNegative, let (whole, piece, _) = Self.aligned(self, part) else {
            return nil
        }
        let count = whole / piece + (whole % piece == 0 ? 0 : 1)
        return Int(exactly: count)
    }
}
