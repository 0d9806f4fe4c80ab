import ExchangeKit
import FlatbookCore

/// What a request takes from the buckets of its exchange.
struct RequestCosts {
    var plugin: any ExchangePlugin
    var egress: String
    /// The account's uid, or what stands in for it.
    var uid: String
    /// Part of each limit that may be used, by scope dimension; `*` for all.
    var share: [String: Amount] = [:]

    /// - Parameter reserve: room kept for closes in buckets that accounts share.
    /// - Throws: ``InvariantViolation`` for a request that its plugin does not declare (I14).
    func costs(of request: VenueRequest, reserve: Int = 0) throws(InvariantViolation) -> [BucketCost] {
        guard let route = plugin.profile.route(request.route), route.path == request.path else {
            throw InvariantViolation(.i14DeclaredRoutes, "\(request.route) \(request.path) is not declared")
        }
        return route.costs.compactMap { cost -> BucketCost? in
            guard let limit = plugin.profile.limit(cost.limit) else { return nil }
            let scope = limit.scope.sorted().map { dimension -> String in
                switch dimension {
                case .ip: "ip=\(egress)"
                case .uid: "uid=\(uid)"
                case .route: "route=\(route.id)"
                case .routeGroup, .product, .instrument, .target:
                    "\(dimension.rawValue)=\(request.scope[dimension] ?? "")"
                }
            }
            let part = limit.scope.compactMap { share[$0.rawValue] }.min() ?? share["*"] ?? Amount(1)
            let scaled = (try? part.multiplied(by: Amount(limit.capacity)).roundedDown(to: Amount(1))) ?? Amount(1)
            let items = route.countsItems.contains(cost.limit) ? max(1, request.items) : 1
            // A share below one batch must not make the batch impossible.
            let capacity = max(cost.weight * items, Int(scaled.description) ?? 1)
            let reserved = limit.scope.contains(.uid) ? 0 : min(reserve, capacity - 1)
            return BucketCost(
                key: BucketKey(limit: limit.id, scope: scope.joined(separator: " ")), weight: cost.weight * items,
                capacity: max(cost.weight * items, capacity - reserved), window: limit.window)
        }
    }
}
