import CLibFuzzer
import Foundation

/// `FlatbookFuzz TARGET [libFuzzer's options] [CORPUS…]`; `--list`, `--limits [TARGET…]` and `--seeds FIXTURES CORPUS` do without libFuzzer.
@main
enum Main {
    /// libFuzzer starts the program again for merging and minimising, with its own arguments only.
    private static let variable = "FLATBOOK_FUZZ_TARGET"

    static func main() {
        let arguments = CommandLine.arguments
        switch arguments.dropFirst().first {
        case "--list": for target in FuzzTarget.all { print(target.name, target.maximumLength, target.dictionary) }
        case "--limits": exit(Limits.run(Array(arguments.dropFirst(2))) ? 0 : 1)
        case "--seeds" where arguments.count == 4: Seeds.write(fixtures: arguments[2], corpus: arguments[3])
        case let name?:
            if let target = FuzzTarget.named(name) {
                setenv(variable, name, 1)
                fuzz(target, skipping: 1)
            } else if let target = FuzzTarget.named(ProcessInfo.processInfo.environment[variable] ?? "") {
                fuzz(target, skipping: 0)
            } else {
                fail("no target \(name); --list names them")
            }
        case nil: fail("name a target; --list names them")
        }
    }

    private static func fail(_ text: String) -> Never {
        FileHandle.standardError.write(Data((text + "\n").utf8))
        exit(2)
    }

    private static func fuzz(_ target: FuzzTarget, skipping skipped: Int) {
        Watch.prepare(target)
        var count = CommandLine.argc - CInt(skipped)
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv + skipped
        _ = LLVMFuzzerRunDriver(&count, &arguments) { bytes, size in
            Watch.run(Array(UnsafeBufferPointer(start: bytes, count: size)))
            return 0
        }
    }
}

/// The target of this process, and how long its slowest input took. libFuzzer calls from one thread.
enum Watch {
    /// The product's own work is measured: promises that parse again are left out.
    nonisolated(unsafe) static var isMeasuring = false
    nonisolated(unsafe) private static var body: ([UInt8]) -> Void = { _ in }
    nonisolated(unsafe) private static var slowest: UInt64 = 0

    static func prepare(_ target: FuzzTarget) {
        body = target.make()
        atexit { print("flatbook-fuzz: slowest \(Double(Watch.slowest / 1000) / 1000) ms") }
    }

    static func run(_ bytes: [UInt8]) {
        let start = nanoseconds()
        body(bytes)
        slowest = max(slowest, nanoseconds() - start)
    }

    /// Of this process's own work, so that a busy machine does not count.
    static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
