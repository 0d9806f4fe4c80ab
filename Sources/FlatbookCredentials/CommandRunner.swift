import Subprocess

/// Runs credential helpers: no shell, almost no environment, nothing on standard input, bounded in time and output.
struct CommandRunner: Sendable {
    /// What helpers need to find themselves, their settings and their agent; nothing that could hold a credential.
    static let passedVariables = [
        "PATH", "HOME", "USER", "LOGNAME", "LANG", "TMPDIR", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR",
    ]

    var environment: [String: String]
    var limits: CredentialResolver.Limits

    /// The output of each different command; at most ``CredentialResolver/Limits/concurrent`` run at a time.
    func run(_ commands: Set<[String]>) async -> [[String]: Result<[UInt8], SourceFault>] {
        let end = ContinuousClock.now + limits.total
        // Sorted, so that the same accounts run the same helpers in the same order.
        var waiting = commands.sorted { $0.lexicographicallyPrecedes($1) }[...]
        return await withTaskGroup(of: ([String], Result<[UInt8], SourceFault>).self) { group in
            var results: [[String]: Result<[UInt8], SourceFault>] = [:]
            func startNext() {
                guard let command = waiting.popFirst() else { return }
                group.addTask { (command, await output(of: command, before: end)) }
            }
            for _ in 0..<max(1, limits.concurrent) { startNext() }
            while let (command, result) = await group.next() {
                results[command] = result
                startNext()
            }
            return results
        }
    }

    private func output(
        of command: [String], before end: ContinuousClock.Instant
    ) async -> Result<[UInt8], SourceFault> {
        guard let name = command.first, !name.isEmpty else { return .failure(SourceFault("the command is empty")) }
        let now = ContinuousClock.now
        guard now < end else {
            return .failure(SourceFault("\(label(name)) was not started: all commands together took \(limits.total)"))
        }
        let deadline = min(now + limits.command, end)
        return await withTaskGroup(of: Result<[UInt8], SourceFault>?.self) { group in
            group.addTask { await execute(command, name) }
            group.addTask {
                try? await Task.sleep(until: deadline, clock: .continuous)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first ?? .failure(SourceFault("\(label(name)) did not end in time (\(deadline - now))"))
        }
    }

    private func execute(_ command: [String], _ name: String) async -> Result<[UInt8], SourceFault> {
        var options = PlatformOptions()
        // A session of its own, so that what the helper starts dies with it.
        options.createSession = true
        options.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .milliseconds(100))
        ]
        let variables = Self.passedVariables.compactMap { key in environment[key].map { Array("\(key)=\($0)".utf8) } }
        do {
            let result = try await Subprocess.run(
                name.utf8.contains(UInt8(ascii: "/")) ? .path(literal(name)) : .name(name),
                arguments: Arguments(Array(command.dropFirst())), environment: .custom(variables),
                platformOptions: options, input: .none, output: .bytes(limit: limits.outputBytes), error: .discarded)
            switch result.terminationStatus {
            case .exited(0): return .success(result.standardOutput)
            case .exited(let code):
                return .failure(SourceFault("\(label(name)) ended with status \(code)", hint: tryIt))
            case .signaled(let signal): return .failure(SourceFault("\(label(name)) was ended by signal \(signal)"))
            }
        } catch let error as SubprocessError where error.code == .outputLimitExceeded {
            return .failure(SourceFault("\(label(name)) printed more than \(limits.outputBytes) bytes"))
        } catch let error as SubprocessError where error.code == .executableNotFound {
            return .failure(SourceFault("\(label(name)) was not found"))
        } catch {
            // The error's own text may quote arguments.
            return .failure(SourceFault("\(label(name)) could not be run", hint: tryIt))
        }
    }

    private var tryIt: String { "Run it by hand with only PATH and HOME set to see why." }

    /// The program alone: arguments may hold a token.
    private func label(_ name: String) -> String { "the command \(name)" }

    /// Makes a path of Subprocess's without importing the package that defines it.
    private func literal<Path: ExpressibleByStringLiteral>(_ text: Path.StringLiteralType) -> Path {
        Path(stringLiteral: text)
    }
}
