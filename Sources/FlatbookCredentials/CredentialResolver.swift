package import FlatbookCore
package import FlatbookCrypto

/// Fetches what the accounts' credential references point to, once per run. Each file is read and each command run
/// once, however many accounts name it.
package struct CredentialResolver: Sendable {
    /// Bounds of everything that is waited for or held.
    package struct Limits: Sendable {
        /// For each command.
        package var command: Duration = .seconds(10)
        /// For all commands together.
        package var total: Duration = .seconds(30)
        /// Commands that run at a time.
        package var concurrent = 16
        package var outputBytes = 65_536
        package var fileBytes = 4_194_304
        package init() {}
    }

    private let environment: [String: String]
    private let limits: Limits

    /// - Parameter environment: the process environment.
    package init(environment: [String: String], limits: Limits = Limits()) {
        self.environment = environment
        self.limits = limits
    }

    /// The credentials of each account by its name, or the first problem in the order of `fields`.
    ///
    /// - Parameter fields: the credential fields that an account of the exchange must have.
    package func resolve(
        _ accounts: [Account], fields: (ExchangeID) -> [String]
    ) async -> [String: Result<[String: Secret], CredentialProblem>] {
        let needed = accounts.map { ($0, fields($0.exchange)) }
        var commands: Set<[String]> = []
        for (account, names) in needed {
            for name in names {
                if case .command(let arguments, _) = account.credentials[name] { commands.insert(arguments) }
            }
        }
        let outputs = await CommandRunner(environment: environment, limits: limits).run(commands)
        var resolution = Resolution(environment: environment, limits: limits, outputs: outputs)
        var results: [String: Result<[String: Secret], CredentialProblem>] = [:]
        for (account, names) in needed { results[account.name] = resolution.credentials(of: account, names) }
        return results
    }
}

/// One pass over the accounts, with what was read so far. It and its plain bytes are gone when the pass ends.
private struct Resolution {
    private enum Source: Hashable {
        case file(String)
        case systemd(String)
        case command([String])
    }

    private let environment: [String: String]
    private let limits: CredentialResolver.Limits
    private let outputs: [[String]: Result<[UInt8], SourceFault>]
    private var contents: [Source: Result<[UInt8], SourceFault>] = [:]
    private var documents: [Source: Result<JSONValue, SourceFault>] = [:]

    init(
        environment: [String: String], limits: CredentialResolver.Limits,
        outputs: [[String]: Result<[UInt8], SourceFault>]
    ) {
        self.environment = environment
        self.limits = limits
        self.outputs = outputs
    }

    mutating func credentials(of account: Account, _ fields: [String]) -> Result<[String: Secret], CredentialProblem> {
        var secrets: [String: Secret] = [:]
        for field in fields {
            guard let reference = account.credentials[field] else {
                return .failure(
                    CredentialProblem(
                        field: field, "the account has no such credential", hint: "Add \(field) to its credentials."))
            }
            do throws(SourceFault) {
                let bytes = try value(of: reference, account)
                guard !bytes.isEmpty else { throw SourceFault("\(place(reference)) is empty") }
                guard String(validating: bytes, as: UTF8.self) != nil, bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
                else { throw SourceFault("\(place(reference)) is not one line of text") }
                secrets[field] = Secret(bytes)
            } catch {
                return .failure(CredentialProblem(field: field, error.message, hint: error.hint))
            }
        }
        return .success(secrets)
    }

    private mutating func value(of reference: CredentialReference, _ account: Account) throws(SourceFault) -> [UInt8] {
        switch reference {
        case .environment(let name):
            guard let text = environment[name] else {
                throw SourceFault("the environment variable \(name) is not set")
            }
            return Array(text.utf8)
        case .file(let path, let pointer): return try text(at: pointer, in: .file(path), reference)
        case .command(let arguments, let pointer): return try text(at: pointer, in: .command(arguments), reference)
        case .systemdCredential(let name):
            guard let folder = environment["CREDENTIALS_DIRECTORY"], !folder.isEmpty else {
                throw SourceFault(
                    "$CREDENTIALS_DIRECTORY is not set", hint: "Start flatbook by systemd with LoadCredential=.")
            }
            guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(UInt8(ascii: "/")) else {
                throw SourceFault("\"\(name)\" is no name of a systemd credential")
            }
            return try text(at: nil, in: .systemd(folder + "/" + name), reference)
        case .literal(let text):
            guard account.environment == .simulated else {
                throw SourceFault(
                    "a bare value is allowed for simulated accounts only",
                    hint: "Use env:, file:, exec: or credential:.")
            }
            return Array(text.utf8)
        }
    }

    private mutating func text(
        at pointer: String?, in source: Source, _ reference: CredentialReference
    ) throws(SourceFault) -> [UInt8] {
        guard let pointer else { return trimmed(try content(of: source).get()) }
        guard let way = JSONPointer(pointer) else {
            throw SourceFault(
                "the JSON pointer \(pointer) is malformed", hint: "It starts with / and escapes ~ as ~0 and / as ~1.")
        }
        guard let found = way.value(in: try document(in: source, reference).get()) else {
            throw SourceFault("\(place(reference)) has nothing at \(pointer)")
        }
        guard let text = found.text else { throw SourceFault("\(place(reference)) has no text at \(pointer)") }
        return Array(text.utf8)
    }

    private mutating func content(of source: Source) -> Result<[UInt8], SourceFault> {
        if let known = contents[source] { return known }
        let result =
            switch source {
            case .command(let arguments): outputs[arguments] ?? .failure(SourceFault("the command was not run"))
            case .file(let path): read(path, .own)
            case .systemd(let path): read(path, .systemd)
            }
        contents[source] = result
        return result
    }

    private func read(_ path: String, _ custody: SecretFile.Custody) -> Result<[UInt8], SourceFault> {
        do throws(SourceFault) {
            return .success(try SecretFile.read(path, custody: custody, limit: limits.fileBytes))
        } catch { return .failure(error) }
    }

    private mutating func document(
        in source: Source, _ reference: CredentialReference
    ) -> Result<JSONValue, SourceFault> {
        if let known = documents[source] { return known }
        let result = content(of: source).flatMap { bytes -> Result<JSONValue, SourceFault> in
            do throws(JSONError) { return .success(try JSONValue.parse(bytes)) } catch {
                return .failure(SourceFault("\(place(reference)) is no JSON: \(error)"))
            }
        }
        documents[source] = result
        return result
    }

    private func place(_ reference: CredentialReference) -> String {
        switch reference {
        case .environment(let name): "the environment variable \(name)"
        case .file(let path, _): "the file \(path)"
        case .command(let arguments, _): "the output of \(arguments.first ?? "the command")"
        case .systemdCredential(let name): "the systemd credential \(name)"
        case .literal: "the value"
        }
    }

    private func trimmed(_ bytes: [UInt8]) -> [UInt8] {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        guard let first = bytes.firstIndex(where: { !isSpace($0) }),
            let last = bytes.lastIndex(where: { !isSpace($0) })
        else { return [] }
        return Array(bytes[first...last])
    }
}
