import ExchangeSimulator
import FlatbookCore
import FlatbookExecutor
import Testing

/// One kind of resting order at one kind of account, as the exchange's sheet tells them apart.
struct OrderKind: Sendable, CustomTestStringConvertible {
    enum Place: Sendable { case book, trigger, twap }

    /// A classic or unified account at Bitget; contracts in USDT or in coin at BingX.
    enum Family: String, Sendable, CaseIterable { case bitget, unified, okx, bingx, coin }

    var family: Family
    var type: String
    var place = Place.trigger
    /// Whether closing ones are TP/SL of a position: swept under `cancel-openers` too.
    var isStop = false
    /// How the read of its list is recognised: the end of the path, and a part of the query.
    var list: (path: String, query: String)

    var testDescription: String { "\(family.rawValue) \(type)" }
    var account: String { (family == .unified ? "bitget" : family == .coin ? "bingx" : family.rawValue) + "-001" }
    /// The sheet names no call that cancels a coin-margined order of BingX by its id.
    var mayCancel: Bool { family != .coin }

    var contract: (symbol: String, product: String) {
        switch family {
        case .bitget, .unified: ("ETHUSDT", "USDT-FUTURES")
        case .okx: ("ETH-USDT-SWAP", "SWAP")
        case .bingx: ("ETH-USDT", "swap")
        case .coin: ("ETH-USD", "cswap")
        }
    }

    /// bitget.md §3.3: limit orders, and three queries of trigger orders.
    private static let bitget =
        [OrderKind(family: .bitget, type: "limit", place: .book, list: ("orders-pending", "status=live"))]
        + ["normal_plan", "track_plan"].map {
            OrderKind(family: .bitget, type: $0, list: ("orders-plan-pending", "planType=" + $0))
        }
        + ["profit_plan", "loss_plan", "pos_profit", "pos_loss", "moving_plan"].map {
            OrderKind(
                family: .bitget, type: $0, isStop: true, list: ("orders-plan-pending", "planType=profit_loss"))
        }

    /// bitget.md §3.10.
    private static let unified = [
        OrderKind(family: .unified, type: "limit", place: .book, list: ("unfilled-orders", "")),
        OrderKind(family: .unified, type: "trigger", list: ("unfilled-strategy-orders", "type=trigger")),
        OrderKind(family: .unified, type: "tpsl", isStop: true, list: ("unfilled-strategy-orders", "type=tpsl")),
    ]

    /// okx.md §3.4: one list a type, but for the first two.
    private static let okx =
        [OrderKind(family: .okx, type: "limit", place: .book, list: ("orders-pending", ""))]
        + ["conditional", "oco"].map {
            OrderKind(family: .okx, type: $0, isStop: true, list: ("orders-algo-pending", "conditional"))
        }
        + ["trigger", "move_order_stop", "chase", "iceberg", "twap", "smart_iceberg"].map {
            OrderKind(family: .okx, type: $0, list: ("orders-algo-pending", "ordType=" + $0))
        }

    /// bingx.md §3.2: all in one list but TWAP orders; §10: coin-margined contracts have a list of their own, no TWAP.
    private static func bingx(_ family: Family) -> [OrderKind] {
        let list = (path: family == .coin ? "cswap/v1/trade/openOrders" : "swap/v2/trade/openOrders", query: "")
        let stops = ["STOP_MARKET", "STOP", "TAKE_PROFIT_MARKET", "TAKE_PROFIT", "TRAILING_TP_SL"]
        return [OrderKind(family: family, type: "LIMIT", place: .book, list: list)]
            + ["TRIGGER_MARKET", "TRIGGER_LIMIT", "TRAILING_STOP_MARKET"].map {
                OrderKind(family: family, type: $0, list: list)
            } + stops.map { OrderKind(family: family, type: $0, isStop: true, list: list) }
    }

    private static let twap = OrderKind(
        family: .bingx, type: "TWAP", place: .twap, list: ("twap/openOrders", ""))

    static let all = bitget + unified + okx + bingx(.bingx) + [twap] + bingx(.coin)
    /// TP/SL of Bitget close by their kind; every other one opens where nothing says that it closes.
    static let opening = all.filter { !($0.isStop && ($0.family == .bitget || $0.family == .unified)) }
    static let stops = all.filter(\.isStop)
    /// Closing, but no TP/SL. Orders in the book go with their position at Bitget and OKX.
    static let closing = all.filter { !$0.isStop && ($0.place != .book || $0.family == .bingx) }
}

/// An account with one long contract and one resting order of a kind.
struct OrderStage {
    let bench: FaultBench
    let kind: OrderKind

    /// - Parameter edit: changes what the exchange does; orders outlive their position unless it says otherwise.
    init(
        _ kind: OrderKind, closes: Bool, orders: PlanDocument.Orders = .cancelOpeners, hasPosition: Bool = true,
        edit: (inout SimulationConfiguration) -> Void = { _ in }
    ) throws {
        self.kind = kind
        var fleet = FaultFleet(
            bitget: kind.account.hasPrefix("bitget") ? 1 : 0, okx: kind.family == .okx ? 1 : 0,
            bingx: kind.account.hasPrefix("bingx") ? 1 : 0,
            // One-way, nothing in the row of a TWAP order says that it only closes: then it counts as one that opens.
            hedge: kind.place == .twap && closes, hasPosition: false)
        let slot = try #require(fleet.slots[kind.account])
        if kind.family == .unified { fleet.builder.makeUnified(slot) }
        let (symbol, product) = kind.contract
        if hasPosition { fleet.position(kind.account, symbol, product: product) }
        switch kind.place {
        case .book:
            fleet.builder.resting(slot, symbol, product: product, leg: .long, closes: closes, size: Fixed(1))
        case .trigger:
            fleet.builder.plan(
                slot, symbol, product: product, type: kind.type, leg: .long, closes: closes, size: Fixed(1))
        case .twap:
            fleet.edit(kind.account) {
                $0.bingx.twaps = [
                    SimulatedTwap(id: "987654321", symbol: symbol, leg: .long, closes: closes, size: Fixed(1))
                ]
            }
        }
        let configuration = fleet.configuration {
            $0.switches.attachedTriggersRemain = true
            $0.okx.algosOutliveTheirPosition = true
            edit(&$0)
        }
        bench = FaultBench(configuration, plan: .whole { $0.orders = orders }) {
            if kind.family == .unified { $0.options["api"] = ["unified"] }
        }
    }

    /// Resting orders of every kind that the exchange still holds.
    var remaining: Int {
        guard let account = bench.simulation.accounts.first(where: { $0.name == kind.account }) else { return -1 }
        return account.resting.count + account.plans.count + account.bingx.twaps.count
    }

    var cancels: Int { places(of: isCancel).count }

    /// Where entries of the journal stand.
    private func places(of isMeant: (RunEvent) -> Bool) -> [Int] {
        bench.durable.indices.filter { isMeant(bench.durable[$0].event) }
    }

    private func isCancel(_ event: RunEvent) -> Bool {
        if case .intent(let intent) = event, case .cancel = intent.mutation { true } else { false }
    }

    private func isClose(_ event: RunEvent) -> Bool {
        if case .intent(let intent) = event, case .close = intent.mutation { true } else { false }
    }

    var firstCancel: Int? { places(of: isCancel).first }
    var firstClose: Int? { places(of: isClose).first }

    /// Complete reads between the last close and the first cancel that show nothing.
    var readsBeforeSweep: Int {
        guard let close = places(of: isClose).last, let cancel = firstCancel, close < cancel else { return 0 }
        return bench.durable[close..<cancel].count { entry in
            if case .observed(let read) = entry.event { read.positions.isEmpty } else { false }
        }
    }

    /// Complete reads after the last cancel: something was changed, so it is read once more.
    var readsAfterSweep: Int {
        guard let cancel = places(of: isCancel).last else { return 0 }
        return bench.durable[cancel...].count { if case .observed = $0.event { true } else { false } }
    }

    /// Lets every read of the kind's list, or those after the first so many, end in an error that says nothing; cancels
    /// may stay without an answer.
    func failList(after good: Int = 0, mutingCancels: Bool = false) {
        let (path, query) = kind.list
        var asked = 0
        bench.road = { passing in
            if mutingCancels, passing.isMutation, passing.isCancel { return .mute }
            guard passing.path.hasSuffix(path), query.isEmpty || passing.query.contains(query) else { return .open }
            asked += 1
            guard asked > good else { return .open }
            return .answered(.text(500, "<html>internal error</html>"))
        }
    }
}

extension FaultBench.Passing {
    /// Cancels of all three exchanges: BingX deletes orders, and has one path for a TWAP order.
    var isCancel: Bool { method == "DELETE" || path.lowercased().contains("cancel") }
}
