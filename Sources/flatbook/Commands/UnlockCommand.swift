import ArgumentParser
import FlatbookCore
import FlatbookHost
import FlatbookReporter
import Foundation

struct UnlockCommand: ParsableCommand, ExecutableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock",
        abstract: "Break an account's lock by the id from its message: its holder sends nothing more for that account.",
        discussion: "For a holder that is stopped or hangs. One that has ended holds nothing: just run again.")

    @Argument(help: "The lock's id, as \"locked by …, lock ID\" names it.")
    var id: String

    @OptionGroup var options: CommonOptions

    func execute() async throws -> Int32 {
        let asJSON = try options.tableOrJSON()
        let outcome: Unlocking
        do {
            let locks = AccountLocks(directory: try HostDirectory(environment: ProcessInfo.processInfo.environment))
            outcome = try locks.unlock(id: id, by: Operator.text, bootID: bootID(), now: SystemRunClock().now())
        } catch {
            throw CommandFailure(74, "\(error)")
        }
        switch outcome {
        case .unknown:
            throw CommandFailure(
                64, "no lock on this host has the id \(printable(id)): take it from \"locked by …, lock ID\"")
        case .stale(let card, let why):
            throw CommandFailure(64, "nothing to break: \(why). It was held by \(printable("\(card)"))")
        case .broken(let broken):
            tell(broken, asJSON: asJSON)
            return 0
        }
    }

    private func tell(_ broken: BrokenLock, asJSON: Bool) {
        let card = broken.card
        guard asJSON else {
            return Output(wantsJSON: false).result(
                "broken: \(printable("\(card)")). It sends nothing more for this account; a new run may take it now. "
                    + "What it had signed may execute for some seconds more, so orders with a size wait for that.")
        }
        let document = JSONValue.object([
            .init("id", .string(card.id)), .init("epoch", .number(String(broken.epoch))),
            .init("run", .string(card.run)), .init("plan", .string(card.plan)), .init("host", .string(card.host)),
            .init("pid", .number(String(card.pid))), .init("since", .string(card.since)),
        ])
        Output(wantsJSON: true).result(document.serialized(pretty: true))
    }
}
