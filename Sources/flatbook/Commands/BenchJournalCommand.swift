import ArgumentParser
import FlatbookJournal

struct BenchJournalCommand: ParsableCommand, ExecutableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-journal", abstract: "Measure durable intents a second.", shouldDisplay: false)

    @Option(name: .long) var entries = 20_000
    @Option(name: .long) var concurrency = 64
    @Option(name: .long) var directory = "."

    func execute() async throws -> Int32 {
        let result = try await JournalBenchmark.run(
            entries: entries, concurrency: concurrency, directory: directory)
        Output(wantsJSON: true).result("\(result)")
        return 0
    }
}
