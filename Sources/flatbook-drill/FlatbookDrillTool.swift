import ArgumentParser
import FlatbookDrill
import Glibc

/// `flatbook drill` without the HTTP stack: what CI and the check of the seeded bugs build.
@main
struct FlatbookDrillTool {
    static func main() {
        do {
            let command = try DrillCommand.parse()
            exit(command.drill())
        } catch {
            DrillCommand.exit(withError: error)
        }
    }
}
