import ExchangeKit
import FlatbookCore

/// Cases 8 and 9.
extension PluginContract {
    static func symbols(_ exchange: ExchangeUnderTest) -> [String] {
        var problems = Problems()
        let book = exchange.book
        problems.expect(!book.all.isEmpty, "no list of instruments is recorded")
        var natives: [String: String] = [:]
        for instrument in book.all {
            let name = "\(instrument.product) \(instrument.nativeID)"
            problems.expect(
                isCanonical(instrument.symbol), "\(name) has the symbol \(instrument.symbol), which is not canonical")
            if let other = natives.updateValue(name, forKey: instrument.product + " " + instrument.symbol),
                other != name
            {
                problems.add("\(name) and \(other) are both \(instrument.symbol)")
            }
            for spelling in [instrument.nativeID, instrument.nativeID.lowercased()] {
                problems.expect(
                    book.find(nativeID: spelling, product: instrument.product)?.symbol == instrument.symbol,
                    "\(spelling) in \(instrument.product) is not found again")
            }
            closeNames(instrument, exchange, &problems)
        }
        for row in ContractSamples.positions(exchange) {
            let listed = book.all.filter { $0.nativeID == row.key.instrument }
            problems.expect(
                listed.isEmpty || listed.contains { $0.symbol == row.symbol },
                "the position \(ContractText.line(row)) has a symbol of another instrument")
        }
        return problems.list
    }

    /// `BASE/QUOTE`, then `:SETTLE`, `-EXPIRY` and `-STRIKE-C` where they apply; letters of any script.
    private static func isCanonical(_ symbol: String) -> Bool {
        let pair = symbol.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard pair.count == 2, !pair[0].isEmpty else { return false }
        let rest = pair[1].split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(rest.count), rest.allSatisfy({ !$0.isEmpty }) else { return false }
        if rest.count == 1 { return !rest[0].contains("-") }
        let parts = rest[1].split(separator: "-", omittingEmptySubsequences: false)
        return [1, 2, 4].contains(parts.count) && parts.allSatisfy { !$0.isEmpty }
            && symbol.allSatisfy { !$0.isWhitespace }
    }

    /// A close of the instrument says the exchange's own id of it.
    private static func closeNames(
        _ instrument: Instrument, _ exchange: ExchangeUnderTest, _ problems: inout Problems
    ) {
        for sample in ContractSamples(exchange).closes {
            guard case .close(var call) = sample.mutation, call.product == instrument.product, call.instrument != nil
            else { continue }
            call.instrument = instrument.nativeID
            for index in call.legs.indices { call.legs[index].instrument = instrument.nativeID }
            let request = exchange.plugin.request(for: .close(call), account: sample.account)
            let said = NamedValues(request)
            // A position's id stands for its instrument.
            let namesPosition = call.legs.contains { $0.positionID.map(said.says) ?? false }
            problems.expect(
                namesPosition || said.says(instrument.nativeID),
                "a close of \(instrument.nativeID) by \(call.method.operation) does not name it")
        }
    }
}

extension PluginContract {
    static func reach(_ exchange: ExchangeUnderTest) -> [String] {
        var problems = Problems()
        let samples = ContractSamples(exchange)
        for method in samples.untried { problems.add("no recorded position fits \(method)") }
        let natives = Set(exchange.book.all.map(\.nativeID) + ContractSamples.positions(exchange).map(\.key.instrument))
        for sample in samples.closes {
            guard case .close(let call) = sample.mutation else { continue }
            let check = ReachCheck(exchange: exchange, account: sample.account, call: call)
            check.names(natives, &problems)
            check.sides(&problems)
            check.nothingWidens(&problems)
            check.separates(&problems)
        }
        return problems.list
    }
}

/// Whether one close request names exactly what its method says it reaches.
private struct ReachCheck {
    let exchange: ExchangeUnderTest
    let account: Account
    let call: CloseCall

    private var what: String { ContractSamples.words(.close(call)) }

    private func said(_ edit: (inout CloseCall) -> Void = { _ in }) -> NamedValues {
        var changed = call
        edit(&changed)
        return NamedValues(exchange.plugin.request(for: .close(changed), account: account))
    }

    private func differs(_ edit: (inout CloseCall) -> Void) -> Bool {
        var changed = call
        edit(&changed)
        let request = exchange.plugin.request(for: .close(changed), account: account)
        return request.body != exchange.plugin.request(for: .close(call), account: account).body
            || request.query != exchange.plugin.request(for: .close(call), account: account).query
    }

    /// A position's id stands for its instrument and side.
    private var namesPosition: Bool {
        guard let id = call.legs.first?.positionID else { return false }
        return call.method.reach == .leg && said().says(id)
    }

    func names(_ natives: Set<String>, _ problems: inout Problems) {
        let said = said()
        if call.method.reach == .product {
            problems.expect(!natives.contains { said.says($0) }, "\(what) names one instrument")
            return
        }
        problems.expect(
            namesPosition || said.says(call.instrument ?? ""), "\(what) does not name its instrument")
        let others = natives.filter { $0 != call.instrument && said.says($0) }
        problems.expect(others.isEmpty, "\(what) also names \(others.sorted())")
        if call.method.isSized {
            problems.expect(said.says(call.quantity?.description ?? ""), "\(what) does not say its size")
        }
    }

    func sides(_ problems: inout Problems) {
        let other = differs { call in
            call.side = call.side?.opposite
            for index in call.legs.indices { call.legs[index].side = call.legs[index].side.opposite }
        }
        // A net position has one side at a time, and an id names the side with the position.
        let mustName = call.method.reach <= .side && !namesPosition && (call.mode == .hedge || call.method.isSized)
        if mustName { problems.expect(other, "\(what) is the same request for the other side") }
        if call.method.reach >= .symbol { problems.expect(!other, "\(what) names a side") }
    }

    /// A call without the name of what it closes says no less than the whole one: it must be refused, never wider.
    func nothingWidens(_ problems: inout Problems) {
        let names = said().names
        guard call.method.reach != .product else { return }
        for (text, edit) in [
            ("its instrument", { (call: inout CloseCall) in call.instrument = nil }),
            (
                "any instrument",
                { call in
                    call.instrument = nil
                    for index in call.legs.indices { call.legs[index].instrument = "" }
                }
            ),
            ("its side", { call in call.side = nil }),
        ] {
            let without = said(edit)
            problems.expect(without.names == names, "\(what) without \(text) leaves out what names it")
            problems.expect(
                without.pairs.allSatisfy { !$0.value.isEmpty }, "\(what) without \(text) sends an empty value")
        }
    }

    /// Different targets, different requests.
    func separates(_ problems: inout Problems) {
        guard call.method.reach != .product else { return }
        if !namesPosition {
            let instrument = differs { call in
                call.instrument = "OTHER-" + (call.instrument ?? "")
                for index in call.legs.indices { call.legs[index].instrument = "OTHER-" + call.legs[index].instrument }
            }
            problems.expect(instrument, "\(what) is the same request for another instrument")
        }
        if call.method.isSized {
            problems.expect(differs { $0.quantity = Amount(987_654) }, "\(what) is the same request for another size")
        }
        if call.method.reach == .leg, !namesPosition, !exchange.oneMarginModePerInstrument {
            let margin = differs { call in
                let other: MarginMode = call.legs.first?.marginMode == .cross ? .isolated : .cross
                call.marginMode = other
                for index in call.legs.indices { call.legs[index].marginMode = other }
            }
            problems.expect(margin, "\(what) is the same request for the other margin mode")
        }
    }
}
