import ExchangeKit

/// What only accounts of this exchange have.
package struct BingXTraits: Sendable {
    package var permissions: Set<Int> = [2, 3]
    package init() {}
}

/// The behaviours that the sheet marks as variants or unverified.
package struct BingXSwitches: Sendable {
    package init() {}
}

extension SimulatedInstrument {
    package static let bingxCatalogue: [SimulatedInstrument] = []
}

extension ExchangeSimulation {
    mutating func serveBingX(_ arrival: Arrival) -> SimulatedDelivery {
        let answer = GatewayAnswer.html(404, "Not Found")
        let voice = GatewayVoice(
            tooMany: { answer }, spurious: { _ in answer }, systemError: { _ in answer }, failedRead: { _ in answer })
        return deliver(answer, arrival, uid: "", mutation: false, fault: nil, voice: voice)
    }

    mutating func executeLateBingX(_ arrival: Arrival, account: Int) -> Bool { false }
}

extension FleetBuilder {
    /// One contract of a random fleet: a position and perhaps orders.
    mutating func openBingX(_ slot: Int, _ instrument: SimulatedInstrument, _ random: inout SplitMix64) {}
    /// What an account has besides.
    mutating func finishBingX(_ slot: Int, _ random: inout SplitMix64) {}
}
