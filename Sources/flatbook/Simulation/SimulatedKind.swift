import ExchangeSimulator

/// The kinds of accounts that `flatbook simulate --accounts` makes.
enum SimulatedKind: String, CaseIterable {
    case bitget, okx, bingx
    /// Followers of copy trading, with copied and ordinary positions.
    case bitgetCopy = "bitget-copy"
    /// Accounts of the unified API (v3).
    case bitgetUnified = "bitget-unified"

    var venue: SimulatedVenue {
        switch self {
        case .bitget, .bitgetCopy, .bitgetUnified: .bitget
        case .okx: .okx
        case .bingx: .bingx
        }
    }

    /// A random fleet of several kinds. Kinds of one exchange share its uids, so their numbers go on.
    static func fleet(
        _ counts: [(kind: SimulatedKind, count: Int)], positions: Int, seed: UInt64
    ) -> FleetBuilder {
        var identities: [FleetBuilder.Identity] = []
        var kinds: [SimulatedKind] = []
        for venue in SimulatedVenue.allCases {
            let own = counts.filter { $0.kind.venue == venue }
            var made = FleetBuilder.identities(venue: venue, count: own.reduce(0) { $0 + $1.count }, seed: seed)[...]
            for (kind, count) in own {
                for (index, identity) in made.prefix(count).enumerated() {
                    var identity = identity
                    let number = String(index + 1)
                    identity.name =
                        kind.rawValue + "-" + String(repeating: "0", count: max(0, 3 - number.count)) + number
                    identities.append(identity)
                    kinds.append(kind)
                }
                made = made.dropFirst(count)
            }
        }
        var fleet = FleetBuilder.random(identities, positionsPerAccount: positions, seed: seed)
        for (slot, kind) in kinds.enumerated() { kind.shape(slot, of: &fleet, seed: seed) }
        return fleet
    }

    /// What makes an account of this kind differ from an ordinary one.
    func shape(_ slot: Int, of fleet: inout FleetBuilder, seed: UInt64) {
        switch self {
        case .bitget, .okx, .bingx: return
        case .bitgetCopy: fleet.makeFollower(slot, copies: 3, seed: seed)
        case .bitgetUnified: fleet.makeUnified(slot)
        }
    }
}
