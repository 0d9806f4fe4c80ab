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
        let head = """
            version: 1
            defaults:
              environment: simulated
              endpoint: http://127.0.0.1:\(port)
            accounts:

            """
        return head + accounts.map(entry).joined()
    }

    private func entry(_ account: SimulatedAccount) -> String {
        let credentials = Self.fields(account.venue).map { "\($0): \"file:../secrets.json#/{name}/\($0)\"" }
        var text = "  - {name: \(account.name), exchange: \(account.venue.rawValue), uid: \"\(account.uid)\", "
        text += "credentials: {\(credentials.joined(separator: ", "))}"
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
