import ExchangeKit
import FlatbookCore

extension Engine {
    /// What the exchange lists of each contract's sizes, and what its answers taught of each leg's (F49, F51).
    func limitSizes(of planned: inout PlannedAccount, _ account: AccountState, venue: Venue) {
        for row in planned.positions {
            let listed = venue.instruments.find(nativeID: row.key.instrument, product: row.key.product)
            let sizing = account.legs[row.key]?.sizing ?? LegSizing()
            planned.sizes[row.key] = SizeLimit(
                cap: listed?.maximumMarketQuantity, step: listed?.quantityStep, minimum: listed?.minimumQuantity,
                refused: sizing.refused, isWholeRefused: sizing.isInParts)
            if sizing.isInParts {
                planned.inParts.insert(row.key)
            } else if sizing.isAlone {
                planned.alone.insert(row.key)
            }
        }
        // A leg that goes in parts is not touched by a wider call for its neighbours, whose order may be under way.
        let ready = Set(planned.positions.map(\.key))
        planned.outside += account.openLegs.filter { !ready.contains($0) }.compactMap { account.legs[$0] }
            .filter(\.sizing.isInParts).compactMap(\.current)
    }
}
