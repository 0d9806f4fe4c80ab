/// Cancels (sheet §3.4, §9 #30, #31).
extension ExchangeSimulation {
    /// Takes orders out of the book; they are shown as cancelled for two hours.
    mutating func withdraw(_ index: Int, atNs ns: Int64, _ isChosen: (RestingOrder) -> Bool) {
        let gone = world.states[index].account.resting.filter(isChosen)
        guard !gone.isEmpty else { return }
        world.states[index].account.resting.removeAll(where: isChosen)
        for order in gone {
            if world.states[index].orderIndex[order.id] == nil {
                world.states[index].okx.cancelled.append((order, ns))
            } else {
                world.states[index].okx.notes[order.id]?.cancelSource = "1"
            }
        }
    }

    /// One cancel; the code that refuses it, or nil.
    private mutating func cancel(_ item: OKXItem, _ index: Int, _ call: OKXCall) -> (id: String, code: String?) {
        let id = item.field("ordId")
        let client = item.field("clOrdId")
        let symbol = item.field("instId")
        guard symbol != nil else { return (id ?? "", "50014") }
        guard id != nil || client != nil else { return ("", "50014") }
        let found = world.states[index].account.resting.last {
            $0.symbol == symbol && (id.map { [own = $0.id] in own == $0 } ?? ($0.clientOid == client))
        }
        if let found {
            withdraw(index, atNs: call.ns) { $0.id == found.id }
            return (found.id, nil)
        }
        // A market order that has not filled yet.
        let slot = world.states[index].orders.lastIndex {
            $0.symbol == symbol && !$0.isDone && (id.map { [own = $0.id] in own == $0 } ?? ($0.clientOid == client))
        }
        guard let slot else { return (id ?? "", "51400") }
        let order = world.states[index].orders[slot].id
        world.states[index].orders[slot].isDone = true
        world.states[index].okx.notes[order]?.cancelSource = "1"
        return (order, nil)
    }

    private func cancelRow(_ item: OKXItem, _ id: String, _ code: String?, _ ms: Int64) -> Wire {
        .texts([
            "clOrdId": item.field("clOrdId") ?? "", "ordId": id, "ts": String(ms), "sCode": code ?? "0",
            "sMsg": code.map(OKXMessages.text) ?? "",
        ])
    }

    /// `0` where all went well, `1` where nothing did, `2` in between.
    func combined(_ rows: [Wire], failed: Int) -> OKXAnswer {
        var answer = OKXAnswer.success(rows, executed: failed < rows.count, isTimed: true)
        guard failed > 0 else { return answer }
        answer.code = failed == rows.count ? "1" : "2"
        answer.message = failed == rows.count ? "All operations failed" : "Bulk operation partially succeeded."
        return answer
    }

    mutating func cancelOne(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        let done = cancel(call.item, index, call)
        if done.code == "50014" { return .failure("50014") }
        return combined([cancelRow(call.item, done.id, done.code, call.ms)], failed: done.code == nil ? 0 : 1)
    }

    mutating func cancelBatch(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        guard !call.items.isEmpty else { return .failure("50014") }
        guard call.items.count <= 20 else { return .failure(okx.tooManyItemsCode ?? "51111") }
        var rows: [Wire] = []
        var failed = 0
        for item in call.items {
            let done = cancel(item, index, call)
            if done.code != nil { failed += 1 }
            rows.append(cancelRow(item, done.id, done.code, call.ms))
        }
        return combined(rows, failed: failed)
    }

    mutating func cancelAlgos(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        guard !call.items.isEmpty else { return .failure("50014") }
        guard call.items.count <= 10 else { return .failure(okx.tooManyItemsCode ?? "51406") }
        var rows: [Wire] = []
        var failed = 0
        for item in call.items {
            let id = item.field("algoId")
            let found = world.states[index].account.plans.firstIndex {
                $0.id == id && $0.symbol == item.field("instId")
            }
            if let found { world.states[index].account.plans.remove(at: found) } else { failed += 1 }
            let code = found == nil ? "51400" : "0"
            rows.append(
                .texts([
                    "algoId": id ?? "", "algoClOrdId": item.field("algoClOrdId") ?? "", "clOrdId": "", "tag": "",
                    "sCode": code, "sMsg": found == nil ? OKXMessages.text(code) : "",
                ]))
        }
        return combined(rows, failed: failed)
    }

    // MARK: The dead man's switch

    mutating func cancelAfter(_ call: OKXCall, _ index: Int) -> OKXAnswer {
        guard let seconds = call.field("timeOut").flatMap({ Int64($0) }), seconds == 0 || (10...120).contains(seconds)
        else { return .failure("51000", "Parameter timeOut error") }
        let tag = call.field("tag") ?? ""
        world.states[index].okx.timers[tag] = seconds == 0 ? nil : call.ns + seconds * 1_000_000_000
        let fires = seconds == 0 ? 0 : call.ms / 1_000 + seconds
        return .success(
            [.texts(["triggerTime": String(fires), "tag": tag, "ts": String(call.ms / 1_000)])], executed: true)
    }

    /// Timers that are due: looked at when the account is next heard of.
    mutating func fireTimers(_ index: Int, atNs ns: Int64) {
        for (tag, due) in world.states[index].okx.timers where due <= ns {
            world.states[index].okx.timers[tag] = nil
            let notes = world.states[index].okx.notes
            withdraw(index, atNs: due) { tag.isEmpty || notes[$0.id]?.tag == tag }
        }
    }
}
