package import FlatbookCore

/// What an accounts file may say about one exchange, taken from its plugin.
package struct ExchangeDescription: Sendable {
    package struct OptionRule: Sendable {
        /// e.g. `products`.
        package var name: String
        package var allowed: [String]
        /// Whether several values may be given.
        package var isList: Bool

        package init(name: String, allowed: [String], isList: Bool) {
            self.name = name
            self.allowed = allowed
            self.isList = isList
        }
    }

    package var id: ExchangeID
    /// The fields that an account must have, and no others, e.g. `key`.
    package var credentialFields: [String]
    package var options: [OptionRule]
    /// Option names of other exchanges, for a clear message.
    package var knownElsewhere: [String]

    package init(
        id: ExchangeID, credentialFields: [String], options: [OptionRule], knownElsewhere: [String] = []
    ) {
        self.id = id
        self.credentialFields = credentialFields
        self.options = options
        self.knownElsewhere = knownElsewhere
    }
}
