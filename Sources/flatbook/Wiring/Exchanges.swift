import BingXExchange
import BitgetExchange
import ExchangeKit
import FlatbookConfiguration
import FlatbookCore
import OKXExchange

/// The exchanges this build can talk to. A new one is one line here.
enum Exchanges {
    static let all: [any ExchangePlugin] = [Bitget(), OKX(), BingX()]

    static let byID: [ExchangeID: any ExchangePlugin] =
        Dictionary(all.map { ($0.profile.id, $0) }, uniquingKeysWith: { first, _ in first })

    static var descriptions: [ExchangeDescription] {
        all.map { plugin in
            let own = plugin.profile.options
            let elsewhere = all.flatMap { $0.profile.options.map(\.name) }.filter { name in
                !own.contains { $0.name == name }
            }
            return ExchangeDescription(
                id: plugin.profile.id, credentialFields: plugin.profile.credentialFields,
                options: own.map { .init(name: $0.name, allowed: $0.allowed, isList: $0.isList) },
                knownElsewhere: elsewhere)
        }
    }
}
