import Foundation

/// One parser, or a family of them, that reads bytes from outside.
struct FuzzTarget: Sendable {
    /// As the command line, the corpus folder and the table name it.
    var name: String
    /// Of an input, in bytes.
    var maximumLength: Int
    /// File in `Dictionaries`, without its ending.
    var dictionary: String
    /// Prepares what all inputs share and gives the function that takes one input: it returns, or stops the program.
    var make: @Sendable () -> ([UInt8]) -> Void
    /// Inputs at the product's own bounds, built in memory: nesting, huge numbers, long texts.
    var extremes: @Sendable () -> [Extremes.Named]

    init(
        _ name: String, maximumLength: Int = 4096, dictionary: String,
        extremes: @escaping @Sendable () -> [Extremes.Named] = { [] },
        make: @escaping @Sendable () -> ([UInt8]) -> Void
    ) {
        self.name = name
        self.maximumLength = maximumLength
        self.dictionary = dictionary
        self.extremes = extremes
        self.make = make
    }

    static let all: [FuzzTarget] =
        [json, amount, times, patterns] + VenueTarget.all
        + [plan, accounts, credentialText, endpoint, secrets, journalEntry, journalFile, ledger, lockCards, report]
        + SimulatorTarget.all

    static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// A promise that an input broke. Ends the program, so that libFuzzer keeps the input.
func broken(_ what: String) -> Never {
    FileHandle.standardError.write(Data("flatbook-fuzz: BROKEN: \(what)\n".utf8))
    abort()
}

func promise(_ holds: Bool, _ what: @autoclosure () -> String) {
    if !holds { broken(what()) }
}

/// Takes an input apart: a few bytes choose, the rest is read as it came.
struct Chooser {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    mutating func byte() -> Int { rest.popFirst().map(Int.init) ?? 0 }

    mutating func number() -> Int64 {
        var value: UInt64 = 0
        for _ in 0..<8 { value = value << 8 | UInt64(byte()) }
        return Int64(bitPattern: value)
    }

    mutating func pick<Value>(_ values: [Value]) -> Value { values[byte() % values.count] }

    /// Up to a line feed, which goes too.
    mutating func line() -> [UInt8] {
        let line = rest.prefix { $0 != 0x0A }
        rest = rest.dropFirst(line.count + 1)
        return Array(line)
    }

    mutating func text() -> String { String(decoding: line(), as: UTF8.self) }

    var bytes: [UInt8] { Array(rest) }
    var isEmpty: Bool { rest.isEmpty }
}

/// What messages of every kind must be.
enum Said {
    /// One line that a terminal may show: no controls, nothing that reorders letters, not endless.
    static func check(_ text: String, atMost most: Int, _ what: String) {
        var count = 0
        for scalar in text.unicodeScalars {
            count += 1
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
                broken("\(what) holds U+\(String(scalar.value, radix: 16))")
            default: continue
            }
        }
        promise(count <= most, "\(what) has \(count) scalars")
    }

    /// Stands in for a secret; no message may repeat it.
    static let canary = "cAnArY-5ecr3t"

    static func checkSecret(_ text: String, _ what: String) {
        promise(!text.contains(canary), "\(what) repeats a secret")
    }
}

/// A folder of this process in memory, for parsers that read files themselves.
enum Scratch {
    static let folder: String = {
        let base = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
        let path = base + "/flatbook-fuzz-\(getpid())"
        mkdir(path, 0o700)
        atexit { try? FileManager.default.removeItem(atPath: Scratch.folder) }
        return path
    }()

    /// Replaces a file of mode 0600.
    static func write(_ bytes: [UInt8], to name: String) -> String {
        let path = folder + "/" + name
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { fatalError("cannot write \(path)") }
        defer { close(file) }
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
            guard count > 0 else { fatalError("cannot write \(path)") }
            done += count
        }
        return path
    }
}
