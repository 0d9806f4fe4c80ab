import ExchangeKit
import ExchangeSimulator
import FlatbookCore
import Foundation

/// The files that let `flatbook run` work on a simulator: accounts with endpoint, secrets 0600, a plan for all.
struct SimulatedFiles {
    let directory: String
    let port: Int
    let accounts: [SimulatedAccount]

    func write() throws {
        let files = FileManager.default
        do {
            for folder in ["accounts", "plans"] {
                try files.createDirectory(atPath: directory + "/" + folder, withIntermediateDirectories: true)
            }
            try write(secrets, to: "secrets.json", mode: 0o600)
            try write(accountsFile, to: "accounts/simulated.yaml", mode: 0o644)
            try write(planFile, to: "plans/all.yaml", mode: 0o644)
        } catch {
            throw CommandFailure(74, "cannot write to \(directory): \(error.localizedDescription)")
        }
    }

    private func write(_ text: String, to name: String, mode: Int) throws {
        let path = directory + "/" + name
        try Data().write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    private var secrets: String {
        JSONValue.object(
            accounts.map { account in
                .init(
                    account.name,
                    .object(
                        Self.fields(account.venue).map { field in
                            let value =
                                switch field {
                                case "key": account.key
                                case "secret": account.secret
                                default: account.passphrase
                                }
                            return .init(field, .string(value))
                        }))
            }
        ).serialized(pretty: true)
    }

    private var accountsFile: String {
        // One exchange stands in the defaults, several at their accounts.
        let venues = Set(accounts.map(\.venue))
        let exchange = venues.count == 1 ? venues.first.map { "\n  exchange: \($0.rawValue)" } ?? "" : ""
        let head = """
            version: 1
            defaults:\(exchange)
              environment: simulated
              endpoint: http://127.0.0.1:\(port)
              credentials:
                key: "file:../secrets.json#/{name}/key"
                secret: "file:../secrets.json#/{name}/secret"
                passphrase: "file:../secrets.json#/{name}/passphrase"
            accounts:

            """
        return head + accounts.map { entry($0, namesExchange: venues.count > 1) }.joined()
    }

    private func entry(_ account: SimulatedAccount, namesExchange: Bool) -> String {
        var text = "  - {name: \(account.name)"
        if namesExchange { text += ", exchange: \(account.venue.rawValue)" }
        text += ", uid: \"\(account.uid)\""
        if account.isFollower { text += ", options: {role: copy-follower}" }
        return text + "}\n"
    }

    /// What the plugin of the exchange wants to sign with.
    private static func fields(_ venue: SimulatedVenue) -> [String] {
        Exchanges.byID[ExchangeID(venue.rawValue)]?.profile.credentialFields ?? []
    }

    private var planFile: String {
        """
        version: 1
        name: all
        accounts: ["*"]
        symbols: ["*"]

        """
    }
}
