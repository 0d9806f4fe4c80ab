import ExchangeKit
import FlatbookCore

/// Cases 1 and 2.
extension PluginContract {
    static func profile(_ exchange: ExchangeUnderTest) -> [String] {
        var problems = Problems()
        let profile = exchange.plugin.profile
        checkNames(profile, &problems)
        for limit in profile.limits { check(limit, &problems) }
        for route in profile.routes { check(route, profile, &problems) }
        for method in profile.closeMethods { check(method, profile, "the profile", &problems) }
        for (environment, host) in profile.hosts {
            problems.expect(
                host.hasPrefix("https://") && !host.hasSuffix("/"), "host of \(environment.rawValue) is \(host)")
        }
        problems.expect(profile.hosts[.production] != nil, "there is no host for production")
        for option in profile.options {
            problems.expect(!option.allowed.isEmpty, "option \(option.name) allows nothing")
            checkUnique(option.allowed, "value of option \(option.name)", &problems)
        }
        for (list, operation) in profile.cancelOperations.sorted(by: { $0.key < $1.key }) {
            checkMutation(operation, "cancelOperations[\(list)]", profile, &problems)
        }
        problems.expect(profile.maxCancelsPerCall > 0, "maxCancelsPerCall is \(profile.maxCancelsPerCall)")
        problems.expect(
            profile.signatureLife > .zero && profile.signatureLife <= .seconds(3600),
            "signatureLife is \(profile.signatureLife.milliseconds) ms")
        for account in exchange.accounts { check(account, exchange, &problems) }
        for meaning in RecordedRefusal.Meaning.allCases {
            problems.expect(
                exchange.refusals.contains { $0.meaning == meaning }, "no refusal is recorded that means \(meaning)")
        }
        return problems.list
    }

    private static func checkNames(_ profile: ExchangeProfile, _ problems: inout Problems) {
        problems.expect(!profile.id.rawValue.isEmpty, "the exchange has no id")
        checkUnique(profile.limits.map(\.id), "limit", &problems)
        checkUnique(profile.routes.map(\.id), "route", &problems)
        checkUnique(profile.products, "product", &problems)
        checkUnique(profile.options.map(\.name), "option", &problems)
        checkUnique(profile.credentialFields, "credential field", &problems)
        problems.expect(!profile.products.isEmpty, "there is no product")
        problems.expect(!profile.closeMethods.isEmpty, "there is no close method")
        problems.expect(!profile.credentialFields.isEmpty, "there is no credential field")
        problems.expect(!profile.credentialFields.contains(""), "a credential field has no name")
    }

    private static func checkUnique(_ names: [String], _ what: String, _ problems: inout Problems) {
        var seen: Set<String> = []
        for name in names {
            problems.expect(!name.isEmpty, "a \(what) has no name")
            problems.expect(seen.insert(name).inserted, "\(what) \(name) is declared twice")
        }
    }

    private static func check(_ limit: RateLimit, _ problems: inout Problems) {
        problems.expect(limit.capacity > 0, "limit \(limit.id) has capacity \(limit.capacity)")
        problems.expect(limit.window > .zero, "limit \(limit.id) has no window")
        problems.expect(limit.source.contains { !$0.isWhitespace }, "limit \(limit.id) has no source")
        problems.expect(isDate(limit.readOn), "limit \(limit.id) was read on \"\(limit.readOn)\", which is no date")
        problems.expect(!limit.scope.isEmpty, "limit \(limit.id) counts by nothing")
    }

    private static func isDate(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.count) == [4, 2, 2], let year = Int(parts[0]), let month = Int(parts[1]),
            let day = Int(parts[2])
        else { return false }
        return year >= 2020 && (1...12).contains(month) && (1...31).contains(day)
    }

    private static func check(
        _ route: ExchangeProfile.Route, _ profile: ExchangeProfile, _ problems: inout Problems
    ) {
        problems.expect(route.path.hasPrefix("/"), "route \(route.id) has the path \(route.path)")
        problems.expect(!route.costs.isEmpty, "route \(route.id) counts in no limit")
        for cost in route.costs {
            problems.expect(cost.weight > 0, "route \(route.id) weighs \(cost.weight) in \(cost.limit)")
            guard let limit = profile.limit(cost.limit) else {
                problems.add("route \(route.id) counts in \(cost.limit), which is no limit")
                continue
            }
            problems.expect(
                cost.weight <= limit.capacity, "route \(route.id) weighs more in \(limit.id) than it admits")
        }
        for limit in route.countsItems {
            problems.expect(
                route.costs.contains { $0.limit == limit },
                "route \(route.id) counts items in \(limit) it has no part in")
        }
    }

    private static func check(
        _ method: CloseMethod, _ profile: ExchangeProfile, _ place: String, _ problems: inout Problems
    ) {
        let name = "\(place): \(method.operation) with reach \(method.reach)"
        checkMutation(method.operation, name, profile, &problems)
        problems.expect(!method.modes.isEmpty, "\(name) is exact in no position mode")
        problems.expect(method.products.map { !$0.isEmpty } ?? true, "\(name) closes no product")
        problems.expect(
            !(method.isSized && method.reach > .side), "\(name) states one size for several sides or symbols")
        problems.expect(
            !(method.guaranteesSide && method.reach > .side), "\(name) guarantees a side that it does not name")
    }

    private static func checkMutation(
        _ operation: String, _ place: String, _ profile: ExchangeProfile, _ problems: inout Problems
    ) {
        guard let route = profile.route(operation) else {
            return problems.add("\(place) names \(operation), which is no route")
        }
        problems.expect(route.isMutation, "\(place) names \(operation), which is no mutation")
    }

    private static func check(_ account: Account, _ exchange: ExchangeUnderTest, _ problems: inout Problems) {
        let profile = exchange.plugin.profile
        let partitions = exchange.plugin.partitions(of: account)
        problems.expect(account.exchange == profile.id, "\(account.name) is an account of \(account.exchange)")
        problems.expect(!partitions.isEmpty, "\(account.name) has nothing to read")
        checkUnique(partitions.map(\.id), "partition of \(account.name)", &problems)
        for partition in partitions {
            problems.expect(!partition.covers.isEmpty, "\(account.name): partition \(partition.id) covers nothing")
            problems.expect(
                partition.protectiveLists.isSubset(of: partition.orderLists),
                "\(account.name): partition \(partition.id) has protective lists it does not read")
            for list in partition.orderLists {
                problems.expect(
                    profile.cancelOperations[list] != nil, "\(account.name): orders of list \(list) cannot be cancelled"
                )
            }
        }
        let methods = exchange.plugin.closeMethods(for: account)
        problems.expect(!methods.isEmpty, "\(account.name) can close nothing")
        for method in methods { check(method, profile, account.name, &problems) }
    }
}

extension PluginContract {
    static func bytes(_ exchange: ExchangeUnderTest) -> [String] {
        var problems = Problems()
        let samples = ContractSamples(exchange)
        let first = samples.requests()
        let again = ContractSamples(exchange).requests()
        for (one, two) in zip(first, again) {
            problems.expect(one.request == two.request, "\(one.what) gives different requests")
            checkRoute(one.request, one.what, exchange.plugin.profile, &problems)
            let stamp = WallTime(milliseconds: 1_790_000_000_000)
            let recipe = exchange.plugin.signing(of: one.request, at: stamp, account: one.account)
            problems.expect(
                recipe == exchange.plugin.signing(of: two.request, at: stamp, account: two.account),
                "\(one.what) is signed differently each time")
        }
        for sample in samples.reads {
            let request = exchange.plugin.request(for: sample.read, account: sample.account)
            problems.expect(
                exchange.plugin.profile.route(request.route)?.isMutation == false,
                "\(sample.read) is read on the mutating route \(request.route)")
        }
        for sample in samples.mutations {
            let request = exchange.plugin.request(for: sample.mutation, account: sample.account)
            problems.expect(
                exchange.plugin.profile.route(request.route)?.isMutation == true,
                "\(ContractSamples.words(sample.mutation)) goes to the reading route \(request.route)")
            // A cancel of one order may have a call of its own.
            guard case .close = sample.mutation else { continue }
            problems.expect(
                request.route == sample.mutation.operation,
                "\(ContractSamples.words(sample.mutation)) goes to \(request.route)")
        }
        return problems.list
    }

    private static func checkRoute(
        _ request: VenueRequest, _ what: String, _ profile: ExchangeProfile, _ problems: inout Problems
    ) {
        guard let route = profile.route(request.route) else {
            return problems.add("\(what) goes to \(request.route), which is no route")
        }
        problems.expect(request.path == route.path, "\(what) goes to \(request.path) instead of \(route.path)")
        problems.expect(request.items > 0, "\(what) names \(request.items) items")
        problems.expect(
            !(request.method == .get && !request.body.isEmpty), "\(what) is a GET with a body")
        for cost in route.costs {
            let scope = profile.limit(cost.limit)?.scope ?? []
            for dimension in scope.intersection([.product, .instrument, .target]) {
                problems.expect(
                    request.scope[dimension] != nil,
                    "\(what) counts by \(dimension.rawValue) in \(cost.limit), and does not say it")
            }
        }
    }
}
