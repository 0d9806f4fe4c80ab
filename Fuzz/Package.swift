// swift-tools-version: 6.2
import PackageDescription

// The fuzzers stand beside the product: `swift build` of the root knows nothing of them and pays nothing for them.
// `Layers` holds links to the folders of ../Sources that have parsers, so that they are compiled here with coverage
// instrumentation, with `package` access, and without the HTTP stack.

/// As in ../Package.swift, with libFuzzer's instrumentation and access for `@testable`.
let instrumented: [SwiftSetting] =
    [
        "ExistentialAny", "InternalImportsByDefault", "MemberImportVisibility",
        "NonisolatedNonsendingByDefault", "InferIsolatedConformances",
    ].map { .enableUpcomingFeature($0) } + [
        .treatAllWarnings(as: .error), .unsafeFlags(["-sanitize=fuzzer", "-enable-testing"]),
    ]

func layer(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Layers/\(name)", swiftSettings: instrumented)
}

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let package = Package(
    name: "flatbook-fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        .systemLibrary(
            name: "COpenSSL", path: "Layers/COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        layer("FlatbookCore"),
        layer("FlatbookCrypto", ["COpenSSL"]),
        layer("ExchangeKit", ["FlatbookCore", "FlatbookCrypto", logging]),
        layer("BitgetExchange", ["FlatbookCore", "ExchangeKit"]),
        layer("OKXExchange", ["FlatbookCore", "ExchangeKit"]),
        layer("BingXExchange", ["FlatbookCore", "ExchangeKit"]),
        layer("FlatbookJournal", ["FlatbookCore", "FlatbookCrypto", .product(name: "GRDB", package: "GRDB.swift")]),
        layer("FlatbookHost", ["FlatbookCore"]),
        layer("FlatbookReporter", ["FlatbookCore"]),
        layer("FlatbookConfiguration", ["FlatbookCore", .product(name: "Yams", package: "Yams")]),
        layer(
            "FlatbookCredentials",
            ["FlatbookCore", "FlatbookCrypto", .product(name: "Subprocess", package: "swift-subprocess")]),
        layer("ExchangeSimulator", ["FlatbookCore", "ExchangeKit", "COpenSSL"]),
        .target(name: "CLibFuzzer"),
        .executableTarget(
            name: "FlatbookFuzz",
            dependencies: [
                "CLibFuzzer", "FlatbookCore", "FlatbookCrypto", "ExchangeKit", "BitgetExchange", "OKXExchange",
                "BingXExchange", "FlatbookJournal", "FlatbookHost", "FlatbookReporter", "FlatbookConfiguration",
                "FlatbookCredentials", "ExchangeSimulator",
            ],
            swiftSettings: instrumented,
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]),
    ],
    swiftLanguageModes: [.v6]
)
