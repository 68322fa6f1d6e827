// SPDX-License-Identifier: Apache-2.0
import Logging
import VctlAPI

/// What operations on VMs work with.
struct VMEnvironment: Sendable {
    let state: StateDirectory
    let inventory: Inventory
    let hypervisor: Hypervisor
    let watcher: Watcher
    let accelerator: AcceleratorCheck
    /// Folders of the host from which an admin may name files.
    let allowedPaths: [String]
    let logger: Logger
    /// The links of the host.
    let hostLinks: any HostLinks
    /// The rules of networks.
    let firewall: Firewall
    /// The rules of what guests may send.
    let nicGuard: NICGuard
    /// Who is on the serial consoles.
    let consoles = ConsoleHub()
    /// Who changes a VM's definition.
    let turns = Turns()
    /// Who changes a link.
    let linkTurns = Turns()
    /// Who makes a picture of a screen.
    let pictures = Turns()
    let lanes: AgentLanes
    /// What pools there are, and what is in them.
    let pools: PoolWatcher
    /// Who looks at files that may be on a server that does not answer.
    let looks: Looks
    /// Who asks a guest's agent.
    private let agentTurns = Turns()

    init(
        state: StateDirectory, inventory: Inventory, hypervisor: Hypervisor, watcher: Watcher,
        accelerator: AcceleratorCheck, firewall: Firewall, nicGuard: NICGuard,
        allowedPaths: [String], logger: Logger,
        hostLinks: any HostLinks = KernelLinks()
    ) {
        self.state = state
        self.inventory = inventory
        self.hypervisor = hypervisor
        self.watcher = watcher
        self.accelerator = accelerator
        self.allowedPaths = allowedPaths
        self.logger = logger
        self.hostLinks = hostLinks
        self.firewall = firewall
        self.nicGuard = nicGuard
        let (records, looks) = (PoolRecords(hypervisor), Looks())
        self.looks = looks
        readers = FileReaders(hypervisor, state, records, looks, inventory)
        lanes = AgentLanes(uri: hypervisor.uri)
        pools = PoolWatcher(
            inventory: inventory, hypervisor: hypervisor, state: state, records: records, logger: logger)
    }

    /// The guest agent of a VM.
    /// - Parameter seconds: how long one command may take.
    func agent(of vm: ObjectReference, seconds: Int32 = 10) -> GuestAgent {
        GuestAgent(vm: vm, lanes: lanes, turns: agentTurns, seconds: seconds)
    }

    /// Who would lose data if files were removed.
    let readers: FileReaders

    /// Reads one domain and stores what it is now, so that a caller sees what its operation did.
    func observe(_ id: ObjectID) async throws {
        try await watcher.refresh(id)
    }
}
