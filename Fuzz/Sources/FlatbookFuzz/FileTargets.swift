import ExchangeKit
@testable import FlatbookConfiguration
import FlatbookCore
@testable import FlatbookCredentials
import FlatbookCrypto
import Foundation
import Synchronization

extension FuzzTarget {
    private static let exchanges = VenueTarget.venues.map { venue in
        ExchangeDescription(
            id: venue.plugin.profile.id, credentialFields: venue.plugin.profile.credentialFields,
            options: venue.plugin.profile.options.map { .init(name: $0.name, allowed: $0.allowed, isList: $0.isList) },
            knownElsewhere: ["site", "role"])
    }

    /// A plan file of any bytes: a plan that keeps every bound, or problems that name a line of it.
    static let plan = FuzzTarget("plan", dictionary: "yaml", extremes: Extremes.yaml) {
        let loader = ConfigurationLoader(exchanges: exchanges)
        return { bytes in
            let (plans, problems) = loader.loadPlans(paths: [Scratch.write(bytes, to: "plan.yaml")])
            check(problems, bytes)
            promise(plans.isEmpty != problems.isEmpty, "\(plans.count) plans and \(problems.count) problems")
            guard let plan = plans.first else { return }
            promise(!plan.accounts.isEmpty && !plan.symbols.isEmpty && !plan.sides.isEmpty, "nothing is selected")
            promise(plan.accounts.contains { !$0.isExclusion }, "only exclusions")
            promise(plan.verify.reads >= 2 && plan.verify.interval >= .milliseconds(100), "fewer than two reads")
            promise(plan.guards.deadline > .zero && plan.guards.deadline <= .seconds(7 * 86_400), "deadline")
            for share in plan.share.values {
                promise(!share.isZero && !share.isNegative && share <= Amount(1), "share")
            }
            for pattern in plan.symbols { Said.check(pattern.text, atMost: 200, "a pattern") }
        }
    }

    /// An accounts file of any bytes, or a good one with any text as a credential: no message may show that text.
    static let accounts = FuzzTarget("accounts", dictionary: "yaml", extremes: Extremes.yaml) {
        let loader = ConfigurationLoader(exchanges: exchanges)
        let folder = Scratch.folder + "/accounts"
        mkdir(folder, 0o700)
        return { bytes in
            var file = bytes
            var hidden = false
            if bytes.first == UInt8(ascii: "S") {
                hidden = true
                file = withSecret(Array(bytes.dropFirst()))
            }
            _ = Scratch.write(file, to: "accounts/a.yaml")
            let (accounts, problems) = loader.loadAccounts(directory: folder)
            check(problems, file)
            if hidden { for problem in problems { Said.checkSecret(problem.description, "a problem") } }
            for account in accounts {
                promise(!account.name.isEmpty && account.name.utf8.count <= 63, "name \(account.name)")
                for (_, reference) in account.credentials {
                    if case .literal = reference {
                        promise(account.environment == .simulated, "a bare credential outside the simulator")
                    }
                }
                if account.environment == .simulated, let endpoint = account.endpoint {
                    promise(AccountSelection.isLoopback(endpoint), "a simulated account at \(endpoint)")
                }
            }
            promise(Set(accounts.map(\.name)).count == accounts.count, "two accounts of one name")
        }
    }

    /// A live account whose secret is the given text around the canary, in quotes.
    private static func withSecret(_ bytes: [UInt8]) -> [UInt8] {
        var text = String(decoding: bytes, as: UTF8.self).unicodeScalars.filter {
            $0.value >= 0x20 && $0.value != 0x7F && !(0xD800..<0xE000).contains($0.value)
        }
        text.insert(
            contentsOf: Said.canary.unicodeScalars, at: text.index(text.startIndex, offsetBy: text.count / 2))
        let quoted = String(text).replacing("'", with: "''")
        return Array(
            """
            version: 1
            accounts:
            - {name: a, exchange: bitget, environment: production, credentials: {key: 'env:A', secret: '\(quoted)', passphrase: 'env:B'}}
            """.utf8)
    }

    private static func check(_ problems: [Diagnostic], _ bytes: [UInt8]) {
        let lines =
            1 + bytes.count { $0 == 0x0A || $0 == 0x0D } + bytes.count { $0 == 0x85 || $0 == 0xA8 || $0 == 0xA9 }
        promise(problems.count <= 501, "\(problems.count) problems")
        for problem in problems {
            Said.check(problem.message, atMost: 600, "a problem")
            Said.check(problem.hint ?? "", atMost: 600, "a hint")
            Said.check(problem.key ?? "", atMost: 400, "a key")
            if let line = problem.line { promise((1...lines).contains(line), "line \(line) of \(lines)") }
        }
    }

    /// One credential reference as an accounts file writes it.
    static let credentialText = FuzzTarget("credential-text", maximumLength: 512, dictionary: "names") {
        { bytes in
            let written = String(decoding: bytes, as: UTF8.self)
            for text in [written, written + Said.canary, Said.canary + written] {
                for environment in [TradingEnvironment.production, .simulated] {
                    do throws(CredentialText.Problem) {
                        switch try CredentialText.parse(text, folder: "keys/", environment: environment) {
                        case .environment(let name): promise(!name.isEmpty, "no name of a variable")
                        case .file(let path, let pointer):
                            promise(!path.isEmpty && !path.utf8.contains(0), "path \(path)")
                            promise(pointer?.hasPrefix("/") ?? true, "a pointer without /")
                        case .command(let arguments, _):
                            promise(arguments.first?.isEmpty == false, "no command")
                            promise(!arguments.contains { $0.utf8.contains(0) }, "a zero byte in a command")
                        case .systemdCredential(let name):
                            promise(!name.contains("/") && name != "..", "name \(name)")
                        case .literal: promise(environment == .simulated, "a bare credential outside the simulator")
                        }
                    } catch {
                        let said = error.message + " " + (error.hint ?? "")
                        Said.check(said, atMost: 400, "a problem")
                        Said.checkSecret(said, "a problem")
                    }
                }
            }
        }
    }

    /// An endpoint: what is accepted is https, or stays on this host.
    static let endpoint = FuzzTarget("endpoint", maximumLength: 512, dictionary: "names") {
        { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            _ = AccountSelection.isLoopback(text)
            for text in [text, "http://" + text, "https://" + text] {
                do throws(EndpointText.Problem) {
                    let endpoint = try EndpointText.parse(text)
                    promise(endpoint.hasPrefix("https://") || AccountSelection.isLoopback(endpoint), endpoint)
                    promise(!endpoint.contains("@") && !endpoint.hasSuffix("/"), endpoint)
                    promise(endpoint.utf8.allSatisfy { (0x21...0x7E).contains($0) }, "endpoint \(endpoint)")
                    promise((try? EndpointText.parse(endpoint)) == endpoint, "\(endpoint) does not read back")
                } catch { Said.check(error.message, atMost: 200, "a problem") }
            }
        }
    }

    /// A secret file of any bytes, whole and by a JSON pointer: no problem shows what is in it.
    static let secrets = FuzzTarget("secrets", dictionary: "json", extremes: Extremes.secrets) {
        { bytes in
            var chooser = Chooser(bytes)
            let pointer = chooser.text()
            var content = chooser.bytes
            content.insert(contentsOf: Said.canary.utf8, at: content.count / 2)
            let path = Scratch.write(content, to: "secret")
            if let way = JSONPointer(pointer), let value = try? JSONValue.parse(content) { _ = way.value(in: value) }
            let references = [CredentialReference.file(path: path, pointer: nil), .file(path: path, pointer: pointer)]
            for reference in references {
                let account = Account(
                    name: "a", exchange: ExchangeID("okx"), environment: .production, credentials: ["key": reference])
                switch Blocking.value({ await CredentialResolver(environment: [:]).resolve([account]) { _ in ["key"] } }
                )["a"] {
                case .success(let secrets)?:
                    guard let secret = secrets["key"] else { broken("no secret") }
                    promise(!secret.isEmpty, "an empty secret")
                    Said.checkSecret("\(secret) \(String(reflecting: secret))", "a secret")
                    secret.withBytes { bytes in
                        promise(bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "a secret of several lines")
                    }
                case .failure(let problem)?:
                    if !pointer.contains(Said.canary) { Said.checkSecret(problem.description, "a problem") }
                case nil: broken("no answer")
                }
            }
        }
    }
}

/// Waits for asynchronous work on this thread: libFuzzer's function is synchronous.
enum Blocking {
    static func value<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) -> Value {
        let done = DispatchSemaphore(value: 0)
        let box = Box<Value>()
        Task.detached {
            let value = await work()
            box.result.withLock { $0 = value }
            done.signal()
        }
        done.wait()
        guard let value = box.result.withLock({ $0 }) else { fatalError("no value") }
        return value
    }

    private final class Box<Value: Sendable>: Sendable {
        let result = Mutex<Value?>(nil)
    }
}
