/// What came into one leg and what went out of it, whoever did it. Positions of one side that the exchange keeps apart
/// (cross and isolated, several ids) are one leg here.
package struct LegBook: Hashable, Sendable {
    /// What was open at first.
    package internal(set) var initial = Fixed.zero
    /// Opened or added by the exchange's side: bots, openers, scripts.
    package internal(set) var openedByVenue = Fixed.zero
    /// Opened or added by a client's order: must stay zero.
    package internal(set) var openedByClient = Fixed.zero
    package internal(set) var closedByClient = Fixed.zero
    /// Taken by liquidation, scripts or the like.
    package internal(set) var closedByVenue = Fixed.zero
    /// When the leg last came up from zero, in monotonic nanoseconds; nil: it was open from the start.
    package internal(set) var openSinceNs: Int64?

    /// What must be open now.
    package var open: Fixed { initial + openedByVenue + openedByClient - closedByClient - closedByVenue }

    /// Closing fills never exceed what there was to close.
    package var isSound: Bool { open >= .zero && openedByClient == .zero }
}

/// Who moved a position.
enum Mover: Sendable { case client, venue }

extension Truth {
    mutating func noteInitial(_ key: LegKey, _ quantity: Fixed) {
        books[key, default: LegBook()].initial += quantity
    }

    mutating func noteOpened(_ key: LegKey, _ quantity: Fixed, by mover: Mover, atNs ns: Int64) {
        if books[key]?.open ?? .zero == .zero { books[key, default: LegBook()].openSinceNs = ns }
        switch mover {
        case .client: books[key, default: LegBook()].openedByClient += quantity
        case .venue: books[key, default: LegBook()].openedByVenue += quantity
        }
    }

    mutating func noteClosed(_ key: LegKey, _ quantity: Fixed, by mover: Mover) {
        switch mover {
        case .client: books[key, default: LegBook()].closedByClient += quantity
        case .venue: books[key, default: LegBook()].closedByVenue += quantity
        }
    }
}
