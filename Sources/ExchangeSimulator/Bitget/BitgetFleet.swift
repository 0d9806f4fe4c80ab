extension FleetBuilder {
    /// What an account of a random fleet has besides its contracts.
    mutating func finishBitget(_ slot: Int, _ random: inout SplitMix64) {}
}
