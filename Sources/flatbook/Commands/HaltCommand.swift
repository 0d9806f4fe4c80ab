import ArgumentParser
import FlatbookCore
import FlatbookHost
import Foundation

struct HaltCommand: ParsableCommand, ExecutableCommand {
    static let configuration = CommandConfiguration(
        commandName: "halt",
        abstract: "Stop every run of this user on this host from changing anything; --release ends it.",
        discussion: "Runs under way end within a moment and can be resumed; reads go on, and new runs are refused.")

    @Flag(name: .long, help: "Let runs begin and go on again.")
    var release = false

    @Flag(name: .long, help: "Only show whether this host is halted: exit 0 if it is not, 13 if it is.")
    var status = false

    @Option(name: .long, help: "Why, for whoever finds it.")
    var reason: String?

    @OptionGroup var options: CommonOptions

    func validate() throws {
        if release, status { throw ValidationError("--release and --status exclude each other.") }
        if reason != nil, release || status { throw ValidationError("--reason goes with raising the halt.") }
    }

    func execute() async throws -> Int32 {
        let asJSON = try options.tableOrJSON()
        do {
            let halt = Halt(directory: try HostDirectory(environment: ProcessInfo.processInfo.environment))
            if status {
                tell(halt, halt.isRaised ? HaltWatch.text(halt) : "not halted", asJSON: asJSON)
                return halt.isRaised ? 13 : 0
            }
            if release {
                let was = HaltWatch.text(halt)
                let isNew = try halt.release()
                tell(halt, isNew ? "released; it was \(was)" : "not halted; nothing to release", asJSON: asJSON)
                return 0
            }
            let isNew = try halt.raise(
                HaltCard(by: Operator.text, since: SystemRunClock().now().wall, reason: reason))
            tell(halt, (isNew ? "" : "already ") + HaltWatch.text(halt), asJSON: asJSON)
            return 0
        } catch {
            throw CommandFailure(74, "\(error)")
        }
    }

    private func tell(_ halt: Halt, _ text: String, asJSON: Bool) {
        guard asJSON else { return Output(wantsJSON: false).result(text) }
        let card = halt.card
        let document = JSONValue.object([
            .init("halted", .bool(halt.isRaised)), .init("by", card.map { .string($0.by) } ?? .null),
            .init("since", card.map { .string($0.since.rfc3339) } ?? .null),
            .init("reason", card?.reason.map { .string($0) } ?? .null), .init("message", .string(text)),
        ])
        Output(wantsJSON: true).result(document.serialized(pretty: true))
    }
}

/// Who types: for lock and halt cards.
enum Operator {
    static var text: String { "\(NSUserName())@\(hostName()), pid \(getpid())" }
}
