import Foundation

/// The product's own bounds: every extreme input once, each under a second and all under the memory bound.
enum Limits {
    private static let longest: UInt64 = 1_000_000_000
    /// Of the process, in MiB, the input's own bytes included.
    private static let mostMemory = 256

    static func run(_ names: [String]) -> Bool {
        Watch.isMeasuring = true
        var isGood = true
        for target in FuzzTarget.all where names.isEmpty || names.contains(target.name) {
            let extremes = target.extremes()
            guard !extremes.isEmpty else { continue }
            let body = target.make()
            var slowest: (UInt64, String) = (0, "")
            for extreme in extremes {
                let (name, bytes) = (extreme.name, extreme.make())
                let start = Watch.nanoseconds()
                body(bytes)
                let time = Watch.nanoseconds() - start
                if time > slowest.0 { slowest = (time, name) }
                if time > longest {
                    print("\(target.name): \(name), \(bytes.count) bytes: \(time / 1_000_000) ms")
                    isGood = false
                }
            }
            print(
                "\(target.name): \(extremes.count) inputs, slowest \(slowest.0 / 1_000_000) ms (\(slowest.1)), peak \(peak()) MiB"
            )
        }
        if peak() > mostMemory { isGood = false }
        return isGood
    }

    private static func peak() -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return (Int(line.filter(\.isNumber)) ?? 0) / 1024
    }
}
