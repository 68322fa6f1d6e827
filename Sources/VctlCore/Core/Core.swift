// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import HostNet
import Libvirt
import Logging
import Synchronization
import VctlAPI

/// What the house proper must be told.
public struct CoreConfiguration: Sendable {
    public var stateDirectory: String
    /// libvirt's URI.
    public var uri: String
    /// Folders of the host from which an admin may name files.
    public var allowedPaths: [String]
    public var retentionDays = 30
    public var keepEvents = 100_000
    /// So many bytes of each serial console are kept.
    public var consoleLogBytes: Int64 = 8 << 20
    /// How long a stop waits for operations to come to the end of their step.
    public var shutdownGraceSeconds = 10.0
    /// Rebuild the inventory, even if there is one.
    public var recover = false
    /// When VMs that have crashed are started again.
    public var crashes = CrashLimits()

    /// The defaults for a state directory and a libvirt.
    public init(stateDirectory: String, uri: String, allowedPaths: [String]) {
        self.stateDirectory = stateDirectory
        self.uri = uri
        self.allowedPaths = allowedPaths
    }
}

/// All services, wired.
public final class Core: Sendable {
    public let vms: VMService
    public let networks: NetworkService
    public let pools: PoolService
    public let images: ImageService
    public let profiles: ProfileService
    public let bridges: BridgeService
    public let taps: TAPService
    public let securityGroups: SecurityGroupService
    public let operations: OperationService
    public let events: EventService
    public let warnings: WarningService
    public let audit: AuditService
    public let host: HostService
    /// The state directory that was opened.
    public let state: StateDirectory

    let inventory: Inventory
    let engine: OperationEngine
    let environment: VMEnvironment
    private let configuration: CoreConfiguration
    private let logger: Logger
    private let tasks = Mutex<[Task<Void, Never>]>([])

    /// Opens the state directory and the inventory, rebuilding the latter where it was lost.
    /// - Throws: ``InventoryError``, ``Problem``, or what the file system says.
    public convenience init(_ configuration: CoreConfiguration, logger: Logger) async throws {
        let isReal = !configuration.uri.hasPrefix("test:")
        try await self.init(
            configuration, hypervisor: Hypervisor(uri: configuration.uri),
            table: isReal ? Self.table : { _, _ in nil }, logger: logger,
            fault: { _ in false })
    }

    private static func table(_ family: String, _ name: String) -> any PacketTable {
        geteuid() == 0 ? NftablesTable(family: family, name: name) : NoTable()
    }

    /// - Parameter table: the table of a family and a name that rules are written to, where there may be one.
    init(
        _ configuration: CoreConfiguration, hypervisor: Hypervisor,
        table: (String, String) -> (any PacketTable)? = { _, _ in nil }, logger: Logger,
        hostLinks: any HostLinks = KernelLinks(),
        fault: @escaping @Sendable (JournalPoint) -> Bool
    ) async throws {
        self.configuration = configuration
        self.logger = logger
        state = try StateDirectory(path: configuration.stateDirectory)
        state.removeUnfinished()
        let opened = try await Self.open(state, configuration, logger)
        inventory = opened
        let watcher = Watcher(inventory: opened, hypervisor: hypervisor, logger: logger)
        let rules = table("inet", state.tableName)
        let firewall = Firewall(
            inventory: opened, table: rules, kept: rules == nil ? nil : KeptRules(state), logger: logger)
        let nicGuard = NICGuard(
            inventory: opened, table: table("bridge", state.tableName), logger: logger)
        let built = VMEnvironment(
            state: state, inventory: opened, hypervisor: hypervisor, watcher: watcher,
            accelerator: AcceleratorCheck(uri: configuration.uri), firewall: firewall,
            nicGuard: nicGuard, allowedPaths: configuration.allowedPaths, logger: logger, hostLinks: hostLinks
        )
        environment = built
        watcher.renames.withLock { $0 = { await built.finishRename($0) } }
        watcher.networksRead.withLock { $0 = { await firewall.check(asksKernel: false) } }
        watcher.vmsRead.withLock { $0 = { await nicGuard.noticed($0) } }
        let rescues = RescueFiles(inventory: opened, state: state)
        watcher.stopped.withLock {
            $0 = {
                do { try await rescues.tidy() } catch {
                    logger.warning("what a rescue wrote is left", metadata: ["error": "\(error)"])
                }
            }
        }
        engine = OperationEngine(
            inventory: opened, kinds: Self.kinds(built), link: hypervisor, logger: logger,
            ended: {
                await watcher.operationEnded()
                await firewall.check(asksKernel: false)
                await nicGuard.check(asksKernel: false)
            }, fault: fault)
        let acceptance = Acceptance(inventory: opened, engine: engine, hasher: state.hasher)
        vms = VMService(environment: built, acceptance: acceptance)
        networks = NetworkService(environment: built, acceptance: acceptance)
        pools = PoolService(environment: built, acceptance: acceptance)
        images = ImageService(
            inventory: opened, engine: engine, state: state, readers: built.readers)
        profiles = ProfileService(inventory: opened, state: state)
        bridges = BridgeService(environment: built, acceptance: acceptance)
        taps = TAPService(environment: built, acceptance: acceptance)
        securityGroups = SecurityGroupService(inventory: opened, state: state, nicGuard: nicGuard)
        operations = OperationService(inventory: opened, engine: engine)
        events = EventService(inventory: opened)
        warnings = WarningService(inventory: opened)
        audit = AuditService(inventory: opened)
        host = HostService(environment: built, startedAt: .now)
    }

    /// Every kind of operation that there is.
    static func kinds(_ environment: VMEnvironment) -> [any OperationKind] {
        [
            VMCreateOperation(environment: environment), VMDefineOperation(environment: environment),
            VMCloneOperation(environment: environment),
            VMPowerOperation(environment: environment),
            VMDeleteOperation(environment: environment), VMMarkOperation(environment: environment),
            VMDiskOperation(environment: environment), VMNICOperation(environment: environment),
            NetworkCreateOperation(environment: environment),
            NetworkDeleteOperation(environment: environment),
            NetworkPowerOperation(environment: environment), NetworkDefineOperation(environment: environment),
            NetworkForwardOperation(environment: environment),
            PoolCreateOperation(environment: environment), PoolPowerOperation(environment: environment),
            PoolMarkOperation(environment: environment), PoolDeleteOperation(environment: environment),
            VolumeCreateOperation(environment: environment),
            VolumeResizeOperation(environment: environment),
            VolumeDeleteOperation(environment: environment),
            VolumeRewriteOperation(environment: environment),
            ImageImport(state: environment.state), ImagePublish(environment: environment),
            ImageDelete(state: environment.state, readers: environment.readers),
            BridgeCreateOperation(environment: environment),
            BridgeSetOperation(environment: environment),
            BridgeDeleteOperation(environment: environment),
            TAPCreateOperation(environment: environment), TAPDeleteOperation(environment: environment),
        ]
    }

    private static func open(
        _ state: StateDirectory, _ configuration: CoreConfiguration, _ logger: Logger
    ) async throws -> Inventory {
        let recovery = Recovery(state: state)
        if configuration.recover { try recovery.setAside() }
        let needed = configuration.recover || recovery.isNeeded
        let inventory = try Inventory(path: state.database, instance: state.instance)
        if needed {
            logger.warning("the inventory is rebuilt from marks and kept objects; \(Recovery.lost)")
            try await recovery.fill(inventory)
        }
        return inventory
    }

    /// Begins to follow libvirt and takes up what an earlier daemon left. Returns at once.
    public func start() async throws {
        try await sweepRequests()
        try await ImageRecovery.sweep(state, inventory)
        try await ImageRecovery.checkFiles(inventory)
        try await ProfileRecovery.sweep(state, inventory)
        try await BridgeSettling(environment: environment).settleAll()
        try await BridgeSettling(environment: environment).sweep()
        let keeping = LinkKeeping(environment: environment)
        try await keeping.run()
        await NetworkService.sweepProbes(environment)
        try await ForwardRecovery.sweep(state, inventory)
        try await PoolRecovery.sweep(state, inventory)
        let uploads = UploadNotes(state: state)
        let left = uploads.all()
        try await SecurityGroupRecovery.sweep(state, inventory)
        try await engine.resume()
        let environment = environment
        let bytes = configuration.consoleLogBytes
        let retention = Retention(
            inventory: inventory, operationDays: configuration.retentionDays, events: configuration.keepEvents
        )
        let loops: [Task<Void, Never>] = [
            Task { await environment.firewall.run() },
            Task { await environment.nicGuard.run() },
            Task { await environment.watcher.run() },
            Task { await BridgeSettling(environment: environment).run() },
            Task { await environment.pools.run() },
            Task { [inventory] in _ = try? await uploads.sweep(left, inventory) },
            Task { await keeping.keep() },
            Task { await AddressWatcher(environment: environment).run() },
            Task { await GuestWatcher(environment: environment).run() },
            Task { [vms] in await BootStart(vms: vms, operations: operations).run() },
            Task { [vms, limits = configuration.crashes] in
                await CrashRestart(vms: vms, limits: limits).run()
            },
            Task<Void, Never> { _ = await environment.accelerator.result() },
            Task { await ConsoleTrimmer(environment: environment, most: bytes).run() },
            Task {
                while !Task.isCancelled {
                    try? await retention.run(now: .now)
                    try? await Task.sleep(for: .seconds(3600))
                }
            },
        ]
        tasks.withLock { $0 = loops }
    }

    /// Removes what requests brought that were never accepted.
    private func sweepRequests() async throws {
        let known = try await inventory.read { db in
            try String.fetchAll(db, sql: "SELECT id FROM vm").compactMap { ObjectID($0) }
        }
        SeedFiles(state).sweep(known: Set(known))
        DefinitionFiles(state).sweep(known: Set(known))
    }

    /// Ends streams, stops operations at their next step, and closes the inventory. VMs notice nothing.
    public func shutdown() async {
        inventory.bus.close()
        let loops = tasks.withLock { $0 }
        for task in loops { task.cancel() }
        await environment.consoles.shutdown()
        await engine.stop(grace: configuration.shutdownGraceSeconds)
        environment.hypervisor.managed.close()
        // What still reads the inventory would take its end for an error.
        _ = await Patience.of(.seconds(2)) { for task in loops { await task.value } }
        try? inventory.close()
    }
}
