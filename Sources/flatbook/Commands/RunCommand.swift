import ArgumentParser

struct RunCommand: ParsableCommand, ExecutableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Flatten what the plans select, prove it, and leave a report.",
        discussion: "Asks first on a terminal; without one it needs --yes. Exit 0 only when everything is proven flat.")

    @Argument(help: "Plan files.")
    var plans: [String]

    @Flag(name: .long, help: "Print what a run would do; equals `flatbook plan`.")
    var dryRun = false

    @Option(name: .long, parsing: .upToNextOption, help: "Narrow the accounts: name globs, tag:, exchange:, !pattern.")
    var only: [String] = []

    @Option(name: .long, help: "Take the legs that this run left open, leg by leg.")
    var onlyOpenOf: String?

    @Flag(name: .long, help: "Symbol patterns that match nothing are no error (not for ! patterns).")
    var allowNoMatch = false

    @OptionGroup var options: CommonOptions

    func execute() async throws -> Int32 {
        let asJSON = try options.tableOrJSON()
        let request = RunRequest(
            plans: plans, only: only, onlyOpenOf: onlyOpenOf, allowNoMatch: allowNoMatch, options: options)
        if dryRun { return try await Previewing(request).plan(asJSON: asJSON) }
        return try await Running(request).run(asJSON: asJSON)
    }
}

struct PlanCommand: ParsableCommand, ExecutableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Read positions and print what a run would do. Changes nothing.")

    @Argument(help: "Plan files.")
    var plans: [String]

    @Option(name: .long, parsing: .upToNextOption, help: "Narrow the accounts: name globs, tag:, exchange:, !pattern.")
    var only: [String] = []

    @Flag(name: .long, help: "Symbol patterns that match nothing are no error (not for ! patterns).")
    var allowNoMatch = false

    @OptionGroup var options: CommonOptions

    func execute() async throws -> Int32 {
        try await Previewing(
            RunRequest(plans: plans, only: only, onlyOpenOf: nil, allowNoMatch: allowNoMatch, options: options)
        ).plan(asJSON: try options.tableOrJSON())
    }
}

struct DemoCommand: ParsableCommand, ExecutableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Needs no key: starts the simulator, runs plans/demo.yaml and prints the report.")

    @Option(name: .long, help: "The demo's plan.")
    var plan = "plans/demo.yaml"

    @OptionGroup var options: CommonOptions

    func execute() async throws -> Int32 {
        var options = options
        options.yes = true
        let request = RunRequest(plans: [plan], only: [], onlyOpenOf: nil, allowNoMatch: false, options: options)
        return try await Running(request).run(asJSON: try options.tableOrJSON())
    }
}

/// What `run`, `plan` and `demo` were asked for.
struct RunRequest {
    var plans: [String]
    var only: [String]
    var onlyOpenOf: String?
    var allowNoMatch: Bool
    var options: CommonOptions
}
