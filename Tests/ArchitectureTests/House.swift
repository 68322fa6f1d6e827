// SPDX-License-Identifier: Apache-2.0

/// The picture of DESIGN.md, "The house": what each target may import. Nothing else is allowed.
enum House {
    /// A target of the product and its arrows.
    struct Room {
        /// Targets of this package.
        var rooms: Set<String> = []
        /// Modules of other packages.
        var modules: Set<String> = []
        /// Whether all of Foundation may be loaded; it costs milliseconds at each start of a program.
        var foundation = true
        /// Whether the compiler's checks of concurrency may be overruled, with a reason.
        var mayOverruleConcurrency = false
    }

    static let rooms: [String: Room] = [
        "vctl": Room(rooms: ["VctlClient", "VctlAPI"], modules: ["ArgumentParser"], foundation: false),
        "VctlClient": Room(rooms: ["VctlAPI"], foundation: false),
        "VctlAPI": Room(foundation: false),
        "vctld": Room(
            rooms: ["VctlCore", "VctlAPI", "CHost"],
            modules: [
                "ArgumentParser", "HTTPTypes", "Hummingbird", "HummingbirdCore", "Logging", "NIOCore",
                "NIOPosix", "NIOHTTP1", "NIOHTTPTypes", "TOMLKit",
            ]),
        "vctl-guard": Room(rooms: ["HostNet"], foundation: false),
        "VctlCore": Room(
            rooms: ["VctlAPI", "Libvirt", "VirtXML", "HostNet", "CHost", "CZlib"],
            modules: ["GRDB", "Subprocess", "Crypto", "Yams", "CYaml", "Logging", "Metrics"]),
        "Libvirt": Room(rooms: ["CLibvirt"], mayOverruleConcurrency: true),
        "VirtXML": Room(rooms: ["CLibxml2"], mayOverruleConcurrency: true),
        "HostNet": Room(rooms: ["CNetlink", "CNftables", "CHost"], mayOverruleConcurrency: true),
        "CLibvirt": Room(),
        "CLibxml2": Room(),
        "CNetlink": Room(),
        "CNftables": Room(),
        "CHost": Room(),
        "CZlib": Room(),
    ]

    /// Parts of the toolchain that every target may import.
    static let toolchain: Set<String> = [
        "Swift", "Synchronization", "Glibc", "Musl", "Darwin", "Dispatch", "FoundationEssentials",
    ]
    /// Parts of the toolchain that load all of Foundation.
    static let foundation: Set<String> = [
        "Foundation", "FoundationNetworking", "FoundationInternationalization", "FoundationXML",
    ]
    /// Names that say nothing about what is inside.
    static let emptyNames: Set<String> = [
        "Utils", "Utilities", "Common", "Models", "Protocols", "Helpers", "Misc",
    ]
}
