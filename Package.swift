// swift-tools-version: 6.2
import PackageDescription

// The settings of every target. SwiftPM ignores a misspelt feature name, so change these with care.
let strict: [SwiftSetting] =
    [
        "ExistentialAny", "InternalImportsByDefault", "MemberImportVisibility",
        "NonisolatedNonsendingByDefault", "InferIsolatedConformances",
    ].map { .enableUpcomingFeature($0) } + [.treatAllWarnings(as: .error)]

// A layer of ours: its name, what it imports, and a test target of the same name with "Tests".
func layer(
    _ name: String, _ dependencies: [Target.Dependency] = [], testedWith: [Target.Dependency] = [],
    resources: [Resource] = []
) -> [Target] {
    [
        .target(name: name, dependencies: dependencies, swiftSettings: strict),
        .testTarget(
            name: "\(name)Tests", dependencies: [.target(name: name)] + dependencies + testedWith,
            resources: resources, swiftSettings: strict),
    ]
}

// A plugin and its tests: the same dependencies every time. A new exchange is `exchange("Acme")`.
func exchange(_ name: String) -> [Target] {
    layer(
        "\(name)Exchange", ["FlatbookCore", "ExchangeKit"], testedWith: ["FlatbookTestKit", "FlatbookCrypto"],
        resources: [.copy("Fixtures")])
}

// The exchanges flatbook can talk to. One line each.
let plugins = ["Bitget", "OKX", "BingX"]

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let package = Package(
    name: "flatbook",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "flatbook", targets: ["flatbook"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])])
    ]
        + layer("FlatbookCore")
        + layer("FlatbookCrypto", ["COpenSSL"])
        + layer("ExchangeKit", ["FlatbookCore", "FlatbookCrypto", logging])
        + plugins.flatMap(exchange)
        + layer("FlatbookPlanner", ["FlatbookCore"])
        + layer(
            "FlatbookExecutor", ["FlatbookCore", "ExchangeKit", logging],
            testedWith: [
                "FlatbookPlanner", "FlatbookTestKit", "ExchangeSimulator", "FlatbookCrypto", "FlatbookSimulation",
            ] + plugins.map { .target(name: "\($0)Exchange") })
        + layer(
            "FlatbookJournal",
            ["FlatbookCore", "FlatbookCrypto", .product(name: "GRDB", package: "GRDB.swift")],
            resources: [.copy("Fixtures")])
        + layer("FlatbookHost", ["FlatbookCore"])
        + layer("FlatbookReporter", ["FlatbookCore"], resources: [.copy("Golden")])
        + layer(
            "FlatbookHTTP",
            [
                "FlatbookCore", "ExchangeKit", .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ])
        + layer("FlatbookConfiguration", ["FlatbookCore", .product(name: "Yams", package: "Yams")])
        + layer(
            "FlatbookCredentials",
            ["FlatbookCore", "FlatbookCrypto", .product(name: "Subprocess", package: "swift-subprocess")])
        + layer(
            "ExchangeSimulator", ["FlatbookCore", "ExchangeKit", "COpenSSL"])
        + layer(
            "FlatbookSimulation",
            [
                "FlatbookCore", "FlatbookCrypto", "ExchangeKit", "ExchangeSimulator", "FlatbookPlanner",
                "FlatbookExecutor",
            ] + plugins.map { .target(name: "\($0)Exchange") })
        + layer(
            "SimulatorServer",
            [
                "ExchangeSimulator", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            testedWith: ["FlatbookCore", "ExchangeKit"])
        + [
            .target(
                name: "FlatbookTestKit",
                dependencies: [
                    "FlatbookCore", "ExchangeKit", "ExchangeSimulator", "FlatbookCrypto", "FlatbookPlanner",
                ],
                swiftSettings: strict),
            .testTarget(
                name: "PluginContractTests",
                dependencies: [
                    "FlatbookTestKit", "FlatbookCore", "FlatbookCrypto", "ExchangeKit", "ExchangeSimulator",
                    "SimulatorServer", "FlatbookHTTP", "FlatbookExecutor", "FlatbookPlanner",
                ] + plugins.map { .target(name: "\($0)Exchange") },
                swiftSettings: strict),
            .target(
                name: "FlatbookDrill",
                dependencies: [
                    "FlatbookSimulation", .product(name: "ArgumentParser", package: "swift-argument-parser"),
                ], swiftSettings: strict),
            .executableTarget(
                name: "flatbook-drill",
                dependencies: [
                    "FlatbookDrill", .product(name: "ArgumentParser", package: "swift-argument-parser"),
                ], swiftSettings: strict),
            .executableTarget(
                name: "flatbook",
                dependencies: [
                    "FlatbookCore", "FlatbookCrypto", "ExchangeKit", "FlatbookPlanner", "FlatbookExecutor",
                    "FlatbookJournal", "FlatbookHost", "FlatbookReporter", "FlatbookHTTP", "FlatbookConfiguration",
                    "FlatbookCredentials", "ExchangeSimulator", "SimulatorServer", "FlatbookDrill", logging,
                    .product(name: "ArgumentParser", package: "swift-argument-parser"),
                ] + plugins.map { .target(name: "\($0)Exchange") },
                swiftSettings: strict),
            .testTarget(
                name: "flatbookTests",
                dependencies: [
                    "FlatbookCore", "FlatbookHost", "FlatbookJournal", "ExchangeSimulator", "SimulatorServer",
                ],
                swiftSettings: strict),
        ],
    swiftLanguageModes: [.v6]
)
