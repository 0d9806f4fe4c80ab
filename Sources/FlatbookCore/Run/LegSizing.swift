/// What the answers taught of a leg's size: the fold of refusals, never of memory. How much is open comes from reads alone.
public struct LegSizing: Hashable, Sendable {
    /// Most orders of one leg, whatever its size.
    static let maximumParts = 200
    /// A cap that is not listed is found within so many halvings.
    static let maximumHalvings = 12

    /// The whole position is too large for one close: sized orders one after another.
    public internal(set) var isInParts = false
    /// Which of several legs a call was refused for is not said: it goes by itself.
    public internal(set) var isAlone = false
    /// The smallest order that was refused as too large.
    public internal(set) var refused: Amount?
    public internal(set) var halvings = 0
    /// Orders made while in parts, refused ones included.
    public internal(set) var parts = 0
    /// The smallest size of one that was not the whole rest.
    public internal(set) var partSize: Amount?
    /// Most orders that may be made; nil before the first.
    public internal(set) var budget: Int?
    /// What was open when the last call was made.
    public internal(set) var openAtCall: Amount?
    /// So much, or less, is below what the exchange lets anyone close.
    public internal(set) var dust: Amount?

    public init() {}

    /// A part is about to be sent while `open` is what the last complete read showed.
    mutating func begin(_ close: CloseCall, open: Amount?, rounds: Int) {
        openAtCall = open
        guard close.method.isSized, let part = close.quantity, let open else { return }
        if part < open { isInParts = true }
        guard isInParts else { return }
        parts += 1
        guard budget == nil || (part < open && partSize.map { part < $0 } ?? true) else { return }
        if part < open { partSize = part }
        budget = min(Self.maximumParts, parts - 1 + (open.parts(of: part) ?? Self.maximumParts) + rounds)
    }

    /// Whether less is open than when the last call was made.
    func hasShrunk(to open: Amount?) -> Bool {
        guard let open, let openAtCall else { return false }
        return open < openAtCall
    }

    /// Whether all that the last part wanted is gone: the order is done, and the rest may go.
    func isDone(_ part: Amount?, open: Amount?) -> Bool {
        guard let part, let open, let openAtCall, let left = try? openAtCall.adding(part.negated) else { return false }
        return open <= left
    }

    /// What a refused size changes. False where it changes nothing, so that the refusal counts as a round.
    ///
    /// - Parameter isExact: the refusal can be about this leg only.
    mutating func adapt(to obstacle: Obstacle?, of close: CloseCall, open: Amount?, isExact: Bool) -> Bool {
        guard obstacle == .tooLarge || obstacle == .tooSmall else { return false }
        guard isExact else {
            defer { isAlone = true }
            return !isAlone
        }
        if obstacle == .tooLarge, close.method.isSized {
            guard let size = close.quantity, halvings < Self.maximumHalvings else { return false }
            halvings += 1
            isInParts = true
            refused = min(refused ?? size, size)
            return true
        }
        if obstacle == .tooLarge {
            defer { isInParts = true }
            return !isInParts
        }
        if close.method.isSized {
            // The rest is too small for an order: the whole-position close takes it.
            isInParts = false
            return false
        }
        dust = open
        return true
    }

    /// Whether nothing more may be tried at this size.
    func isOver(open: Amount) -> Bool {
        if let dust, open <= dust { return true }
        return isInParts && budget.map { parts >= $0 } ?? false
    }
}
