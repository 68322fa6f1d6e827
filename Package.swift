// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// Half of the time that a short command takes would go into loading five libraries and relocating itself.
let startsFast: [LinkerSetting] = [
    .unsafeFlags(["-static-executable", "-use-ld=lld"], .when(configuration: .release))
]

func library(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = ["README.md"]) -> Target
{
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

func program(
    _ name: String, _ dependencies: [Target.Dependency], linkerSettings: [LinkerSetting] = []
) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, exclude: ["README.md"], swiftSettings: strict,
        linkerSettings: linkerSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

let package = Package(
    name: "vctl",
    products: [
        .executable(name: "vctl", targets: ["vctl"]),
        .executable(name: "vctld", targets: ["vctld"]),
        .executable(name: "vctl-guard", targets: ["vctl-guard"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        .systemLibrary(name: "CLibvirt", pkgConfig: "libvirt", providers: [.apt(["libvirt-dev"])]),
        .systemLibrary(name: "CLibxml2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(
            name: "CNetlink", pkgConfig: "libnl-route-3.0", providers: [.apt(["libnl-route-3-dev"])]),
        .systemLibrary(name: "CNftables", pkgConfig: "libnftables", providers: [.apt(["libnftables-dev"])]),
        .target(name: "CHost", exclude: ["README.md"]),
        library("HostNet", ["CNetlink", "CNftables", "CHost"]),
        library("Libvirt", ["CLibvirt"]),
        library("VirtXML", ["CLibxml2"]),
        library("VctlAPI", []),
        library("VctlClient", ["VctlAPI"]),
        library(
            "VctlCore",
            [
                "VctlAPI", "Libvirt", "VirtXML", "HostNet", "CHost", "CZlib",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "Yams", package: "Yams"),
            ]),
        program("vctl-guard", ["HostNet"]),
        program(
            "vctld",
            [
                "VctlCore", "CHost",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "TOMLKit", package: "TOMLKit"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        program(
            "vctl",
            [
                "VctlClient", "VctlAPI",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], linkerSettings: startsFast),
        tests("LibvirtTests", ["Libvirt"]),
        tests("HostNetTests", ["HostNet", "CHost"]),
        tests("VirtXMLTests", ["VirtXML"], resources: [.copy("Fixtures")]),
        tests("VctlAPITests", ["VctlAPI"]),
        tests(
            "VctlCoreTests",
            [
                "VctlCore", "VctlAPI", "Libvirt", "VirtXML", "HostNet", "CZlib",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        tests("vctldTests", ["vctld", "VctlClient"]),
        tests("vctlTests", ["vctl", "VctlClient"]),
        tests("ArchitectureTests", []),
        tests("IntegrationTests", ["VctlAPI", "VctlClient", "Libvirt"]),
    ]
)
