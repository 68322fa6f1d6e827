// SPDX-License-Identifier: Apache-2.0
import GRDB
import Libvirt
import VctlAPI
import VirtXML

extension Doctor {
    /// All checks of this host.
    convenience init(_ environment: VMEnvironment, files: HostFiles = HostFiles()) {
        let facts = LibvirtFacts(environment, files)
        self.init(
            Self.machine(environment, facts, files) + Self.storage(environment, facts, files)
                + Self.networks(environment, facts, files))
    }

    private static func machine(
        _ environment: VMEnvironment, _ facts: LibvirtFacts, _ files: HostFiles
    ) -> [any HostCheck] {
        let accelerator = environment.accelerator
        return [
            KVMFindings(files: files, isQemu: accelerator.isQemu, verdict: { await accelerator.again() }),
            KVMAccessFindings(user: facts.user),
            CgroupFindings(files: files),
            LibvirtVersionFindings(hypervisor: environment.hypervisor),
            QemuVersionFindings(hypervisor: environment.hypervisor),
            ProgramFindings(),
            ConfinementFindings(files: files, capabilities: facts.capabilities),
        ]
    }

    private static func storage(
        _ environment: VMEnvironment, _ facts: LibvirtFacts, _ files: HostFiles
    ) -> [any HostCheck] {
        let inventory = environment.inventory
        return [
            AccessFindings(files: files, user: facts.user, folders: facts.folders),
            SpaceFindings(folders: facts.fileSystems),
            MemoryFindings(files: files),
            SwapFindings(
                files: files,
                promised: {
                    let sql = """
                        SELECT sum(document ->> '$.memoryBytes') FROM vm WHERE state IN ('running', 'paused')
                        """
                    return try await inventory.read { try Int64.fetchOne($0, sql: sql) ?? 0 }
                }),
            HugePageFindings(files: files),
            ClockFindings(),
        ]
    }

    private static func networks(
        _ environment: VMEnvironment, _ facts: LibvirtFacts, _ files: HostFiles
    ) -> [any HostCheck] {
        let kernel = KernelParts(files: files)
        return [
            BridgeFindings(kernel: kernel),
            TapFindings(kernel: kernel),
            VhostFindings(kernel: kernel),
            FirewallFindings(files: files, libvirt: facts.version),
            ForwardPolicyFindings(kernel: kernel),
            ForwardingFindings(family: .ipv4, files: files, networks: facts.networks),
            ForwardingFindings(family: .ipv6, files: files, networks: facts.networks),
            KeptBridgeFindings(lacks: { try await BridgeLacks(environment: environment).all() }),
            DnsmasqFindings(networks: facts.networks),
            NetworkServiceFindings(causes: { try await NetworkService.standing(environment) }),
        ]
    }
}

/// What several checks ask libvirt; each is asked once at a time, since its answer may take a minute on a
/// host where KVM hangs, and it serves few questions at once.
struct LibvirtFacts: Sendable {
    /// For what libvirt asks QEMU, which it does once after its start; shorter than a client waits.
    static let patience = Duration.seconds(45)

    private let files: HostFiles
    let capabilities: @Sendable () async throws -> CapabilitiesXML
    let version: @Sendable () async throws -> LibvirtVersion
    let networks: @Sendable () async throws -> [NetworkXML]
    /// The folders of files that QEMU opens.
    let folders: @Sendable () async throws -> [DiskFolder]
    /// Where what grows is kept.
    let fileSystems: @Sendable () async throws -> [DiskFolder]

    init(_ environment: VMEnvironment, _ files: HostFiles) {
        let (hypervisor, state) = (environment.hypervisor, environment.state)
        // The networks and pools of libvirt's test driver are made up.
        let isReal = environment.accelerator.isQemu
        self.files = files
        let known = SharedReading {
            try CapabilitiesXML(parsing: try await hypervisor.connection().capabilities())
        }
        capabilities = { try await known.value() }
        version = { try await hypervisor.connection().libraryVersion() }
        let active = SharedReading {
            try await hypervisor.connection().networkRecords().filter(\.isActive).map {
                try NetworkXML(parsing: $0.xml)
            }
        }
        networks = { isReal ? try await active.value() : [] }
        let pools = SharedReading { try await Self.folders(ofPools: hypervisor) }
        // Without libvirt there is still our own.
        let others = { @Sendable in isReal ? (try? await pools.value()) ?? [] : [] }
        folders = {
            let own = ["volumes", "images", "seeds"].map {
                DiskFolder(what: "vctld's", path: state.path + "/" + $0)
            }
            return own + (await others())
        }
        fileSystems = { [DiskFolder(what: "vctld's state", path: state.path)] + (await others()) }
    }

    /// Whom QEMU runs as.
    var user: @Sendable () async -> QemuUser? {
        let (capabilities, files) = (capabilities, files)
        return { QemuUser(try? await capabilities(), QemuConfiguration(files)) }
    }

    private static func folders(ofPools hypervisor: Hypervisor) async throws -> [DiskFolder] {
        try await hypervisor.poolConnection().storagePoolRecords().filter(\.isActive).compactMap { record in
            let pool = try PoolXML(parsing: record.xml)
            guard ["dir", "fs", "netfs"].contains(pool.type ?? ""), let path = pool.targetPath else {
                return nil
            }
            return DiskFolder(what: "pool \(record.name)", path: path)
        }
    }
}
