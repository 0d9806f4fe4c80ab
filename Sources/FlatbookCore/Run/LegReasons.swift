/// Why a leg is still open, in words for the operator; the error beside it says what to do.
extension LegState {
    /// Whether less is open than when its last call was made.
    var hasShrunk: Bool { sizing.hasShrunk(to: current?.quantity) }

    /// What closed it, as far as the exchange says: its own word first, then what stood in the way when it went.
    var closer: Closer {
        if executedByUs { return .us }
        return endedBy ?? obstacle?.closer ?? .other
    }

    /// Nil where it is no dust.
    var dustReason: String? {
        guard let open = current, let dust = sizing.dust, open.quantity <= dust else { return nil }
        return "below what the exchange lets anyone close: \(open.quantity), worth \(open.notional) USD"
    }

    /// - Parameter stop: why nothing more may be sent, where that is so.
    func residualReason(stop: String?) -> String {
        // What stood in the way stays worth knowing when time runs out on it.
        if let stop { return obstacle.map { "\(stop); \($0.reason)" } ?? stop }
        if reopened > 0 { return "opened again \(reopened) times" }
        if sizing.isInParts, sizing.isOver(open: current?.quantity ?? .zero) {
            return "still open after \(sizing.parts) orders"
        }
        guard let failure else { return "still open after \(rounds) closes" }
        return Self.reason(obstacle, failure.message.isEmpty ? failure.errorClass : failure.message)
    }

    /// The named reason, and behind it the exchange's own words.
    static func reason(_ obstacle: Obstacle?, _ message: String) -> String {
        guard let obstacle else { return message }
        return message.isEmpty ? obstacle.reason : "\(obstacle.reason): \(message)"
    }
}
