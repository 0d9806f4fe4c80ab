/// Orders that are over, the exchange's own among them (sheet §3.3).
extension ExchangeSimulation {
    func orderHistory(_ call: BitgetCall, _ index: Int) -> BitgetAnswer {
        let bound = call.field("idLessThan").flatMap { Int64($0) } ?? Int64.max
        let from = call.field("startTime").flatMap { Int64($0) } ?? 0
        let limit = min(100, max(1, call.field("limit").flatMap { Int($0) } ?? 100))
        let symbol = call.field("symbol")?.uppercased()
        let state = world.states[index]
        var rows: [(id: Int64, row: Wire)] = []
        for order in state.orders where order.isDone && order.product == call.product {
            let closes = order.kind != .open
            add(
                &rows, order.id, order.symbol, order.filled, order.createdMs,
                historySides(index, order.leg, closes ? "close" : "open"))
        }
        for ended in state.ended where ended.leg.product == call.product {
            add(&rows, ended.id, ended.leg.symbol, ended.quantity, ended.atMs, endingSides(index, ended))
        }
        let chosen = rows.filter { $0.id < bound }.sorted { $0.id > $1.id }.prefix(limit)
        guard let last = chosen.last else {
            return BitgetAnswer(data: .object([("entrustedList", .null), ("endId", .null)]))
        }
        return BitgetAnswer(
            data: .object([("entrustedList", .list(chosen.map(\.row))), ("endId", .text(String(last.id)))]))

        func add(
            _ rows: inout [(id: Int64, row: Wire)], _ id: String, _ name: String, _ filled: Fixed, _ ms: Int64,
            _ sides: [(String, Wire)]
        ) {
            guard let number = Int64(id), symbol == nil || symbol == name.uppercased(), ms >= from else { return }
            let stamp = Wire.text(String(ms))
            rows.append(
                (
                    number,
                    .object(
                        [
                            ("symbol", .text(name)), ("size", .decimal(filled)), ("orderId", .text(id)),
                            ("clientOid", .text("")), ("baseVolume", .decimal(filled)),
                            ("status", .text(filled > .zero ? "filled" : "canceled")), ("orderType", .text("market")),
                        ] + sides + [("cTime", stamp), ("uTime", stamp)])
                ))
        }
    }

    private func historySides(_ index: Int, _ leg: PositionSide, _ trade: String) -> [(String, Wire)] {
        let isHedge = world.states[index].account.isHedge
        let buys = (leg == .long) == (trade == "open")
        return [
            ("side", .text(buys ? "buy" : "sell")), ("posSide", .text(isHedge ? leg.rawValue : "net")),
            ("tradeSide", .text(isHedge ? trade : buys ? "buy_single" : "sell_single")),
            ("posMode", .text(bitgetMode(index))),
        ]
    }

    private func endingSides(_ index: Int, _ ended: EndedPosition) -> [(String, Wire)] {
        let word =
            switch ended.by {
            case .liquidation: ended.isWhole ? "burst_close" : "reduce_close"
            case .adl: "dte_sys_adl_close"
            case .delivery: "delivery_close"
            }
        let isHedge = world.states[index].account.isHedge
        let side = ended.leg.side
        return [
            ("side", .text(side == .long ? "sell" : "buy")), ("posSide", .text(isHedge ? side.rawValue : "net")),
            ("tradeSide", .text("\(word)_\(side.rawValue)")), ("posMode", .text(bitgetMode(index))),
        ]
    }
}
