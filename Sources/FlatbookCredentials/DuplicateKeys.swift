package import FlatbookCore
package import FlatbookCrypto

extension CredentialResolver {
    /// Two accounts that are one: the same API key on the same exchange and environment.
    package struct DuplicateKey: Hashable, Sendable {
        /// Listed earlier.
        package var first: String
        package var second: String

        package init(first: String, second: String) {
            self.first = first
            self.second = second
        }
    }

    /// Every account whose key an earlier one has, paired with the first that has it. Compares digests, not keys.
    package static func duplicateKeys(
        in credentials: [String: [String: Secret]], of accounts: [Account], field: String = "key"
    ) -> [DuplicateKey] {
        struct Identity: Hashable {
            var exchange: ExchangeID
            var environment: TradingEnvironment
            var digest: [UInt8]
        }
        var owners: [Identity: String] = [:]
        var duplicates: [DuplicateKey] = []
        for account in accounts {
            guard let key = credentials[account.name]?[field] else { continue }
            let digest = key.withBytes { bytes in
                var digest = SHA256Digest()
                digest.update(bytes)
                return digest.finish()
            }
            let identity = Identity(exchange: account.exchange, environment: account.environment, digest: digest)
            if let owner = owners[identity] {
                duplicates.append(DuplicateKey(first: owner, second: account.name))
            } else {
                owners[identity] = account.name
            }
        }
        return duplicates
    }
}
