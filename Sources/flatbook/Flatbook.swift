import ArgumentParser
import FlatbookDrill
import Foundation
import Glibc

/// The command line: parses, runs one command, ends with its exit code (contract §5).
@main
struct Flatbook: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flatbook",
        abstract: "Flattens derivatives positions across many exchange sub-accounts, and proves it.",
        version: Version.text,
        subcommands: [
            PlanCommand.self, RunCommand.self, ResumeCommand.self, AbandonCommand.self, RunsCommand.self,
            ReportCommand.self, HaltCommand.self, UnlockCommand.self, PositionsCommand.self, AccountsCommand.self,
            LimitsCommand.self, SimulateCommand.self, DemoCommand.self, DrillCommand.self, BenchJournalCommand.self,
        ])

    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        signal(SIGPIPE, SIG_IGN)
        StandardStreams.holdOpen()
        FileDescriptors.raise()
        // A limit on the size of files is then an error of the journal's write, which stops the run in order.
        signal(SIGXFSZ, SIG_IGN)
        refuseCoreDumps()
        do {
            let command = try parseAsRoot(arguments)
            if let executable = command as? any ExecutableCommand {
                let code = try await executable.execute()
                finish(code)
            }
            var plain = command
            try plain.run()
            finish(0)
        } catch let failure as CommandFailure {
            Output(wantsJSON: wantsJSON(arguments)).fail(failure)
            finish(failure.exitCode)
        } catch {
            let code = exitCode(for: error).rawValue
            if code == 0 {
                print(message(for: error))
                finish(0)
            }
            // An error of ours that nobody classified is an internal one; everything else is usage.
            let isUsage = code == ExitCode.validationFailure.rawValue
            Output(wantsJSON: wantsJSON(arguments)).fail(
                CommandFailure(isUsage ? 64 : 1, Self.withoutPrefix(fullMessage(for: error))))
            finish(isUsage ? 64 : 1)
        }
    }

    /// A core file would hold credentials (`reliability.md` §4.1).
    private static func refuseCoreDumps() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    }

    /// Before the arguments are understood, e.g. for a usage error: stdout must be JSON all the same.
    private static func wantsJSON(_ arguments: [String]) -> Bool {
        if arguments.contains("--format=json") { return true }
        if let index = arguments.firstIndex(of: "--format"), arguments.dropFirst(index + 1).first == "json" {
            return true
        }
        return !arguments.contains { $0.hasPrefix("--format") }
            && ProcessInfo.processInfo.environment["FLATBOOK_FORMAT"] == "json"
    }

    /// The parser begins its texts with `Error: `; ours begin with the program's name.
    private static func withoutPrefix(_ text: String) -> String {
        text.hasPrefix("Error: ") ? String(text.dropFirst(7)) : text
    }

    private static func finish(_ code: Int32) -> Never {
        fflush(nil)
        Glibc.exit(code)
    }
}

/// A command that ends with a code of contract §5.
protocol ExecutableCommand {
    func execute() async throws -> Int32
}

extension DrillCommand: ExecutableCommand {
    func execute() async throws -> Int32 { drill() }
}

enum Version {
    static let text = "0.1.0"
}
