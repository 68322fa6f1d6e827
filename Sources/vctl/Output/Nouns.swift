// SPDX-License-Identifier: Apache-2.0
import VctlClient

/// A kind of object: what its lists look like, and where one is found.
struct Noun: Sendable {
    /// `vm`, as endpoints and messages name it.
    let name: String
    /// The member that `--format name` prints.
    let nameField: String
    /// All columns that there are.
    let columns: [Column]
    /// The keys of those that are shown without `--columns`.
    let usual: [String]

    static let vm = Noun(
        name: "vm", nameField: "name",
        columns: [
            Column("name"), Column("state"), Column("cpus", number: true), .bytes("memoryBytes", "MEMORY"),
            Column(
                "addresses", field: "nics", shown: { Cell.addresses($0).joined(separator: ",") },
                plain: { Cell.addresses($0).joined(separator: ";") }),
            Column("image", shown: { $0["name"]?.text ?? "" }, plain: { $0["name"]?.text ?? "" }),
            Column("id"), Column("stateReason", "REASON"), Column("labels", shown: Cell.labels),
            Column("managed", shown: Cell.yes), Column("autostart", shown: Cell.yes),
            Column("autostartOrder", "ORDER", number: true),
            Column("autostartDelaySeconds", "DELAY", number: true), Column("onCrash", "ON-CRASH"),
            Column("protected", shown: Cell.yes), Column("accelerator"), Column("firmware"),
            Column("machine"), Column("tpm", "TPM", shown: Cell.yes),
            Column("pending", shown: Cell.keys, plain: Cell.labels),
            Column("createdAt", "CREATED", shown: Cell.time),
            Column("observedAt", "OBSERVED", shown: Cell.time),
            Column("agent", shown: Cell.setting("state"), plain: Cell.setting("state")),
            Column("operation"), Column("description"), Column("rescue"), Column("profile"),
        ],
        usual: ["name", "state", "cpus", "memoryBytes", "addresses", "image", "pending"])

    /// Disks and NICs are parts of a VM, and their lists are cut out of it.
    static let disk = Noun(
        name: "disk", nameField: "target",
        columns: [
            Column("target"), Column("device"), Column("bus"), Column("format"), Column("role"),
            Column("path"),
            Column("serial"), Column("readOnly", "READ-ONLY", shown: Cell.yes),
        ],
        usual: ["target", "device", "bus", "format", "role", "path"])

    static let nic = Noun(
        name: "nic", nameField: "mac",
        columns: [
            Column("mac"), Column("network"), Column("model"), Column("tap"),
            Column("link", shown: Cell.upOrDown), Column("addresses", shown: Cell.ownAddresses),
            Column("bridge"), Column("vlan", "VLAN", number: true), Column("mtu", "MTU", number: true),
            Column("queues", number: true), Column("isolated", shown: Cell.yes),
            Column("antiSpoofing", "ANTI-SPOOFING", shown: Cell.yes), Column("ip", "IP", shown: Cell.list),
            Column("securityGroups", "SG", shown: Cell.list),
            Column("boot", number: true), Column("inbound", shown: Cell.rateLimit, plain: Cell.averageRate),
            Column("outbound", shown: Cell.rateLimit, plain: Cell.averageRate),
        ],
        usual: ["mac", "network", "model", "tap", "link", "addresses"])

    static let network = Noun(
        name: "network", nameField: "name",
        columns: [
            Column("name"), Column("model"), Column("state"), Column("bridge"), Column("subnet"),
            Column("subnet6"), Column("usedBy", "USED-BY", shown: Cell.list),
            Column("managed", shown: Cell.yes),
            Column("id"), Column("mode"), Column("hostAddresses", "HOST-ADDRESSES", shown: Cell.list),
            Column("dhcpRanges", "DHCP-RANGES", shown: Cell.list), Column("domain"),
            Column("ntpServers", "NTP-SERVERS", shown: Cell.list), Column("routes", shown: Cell.list),
            Column("mtu", "MTU", number: true), Column("vlan", "VLAN", number: true),
            Column("hostAccess", "HOST-ACCESS", shown: Cell.yes), Column("labels", shown: Cell.labels),
            Column("autostart", shown: Cell.yes), Column("protected", shown: Cell.yes),
            Column("createdAt", "CREATED", shown: Cell.time),
            Column("observedAt", "OBSERVED", shown: Cell.time), Column("operation"),
        ],
        usual: ["name", "model", "state", "bridge", "subnet", "subnet6", "usedBy", "managed"])

    static let lease = Noun(
        name: "leases", nameField: "address",
        columns: [
            Column("address"), Column("mac"), Column("vm", "VM"), Column("hostname"),
            Column("reserved", shown: Cell.yes), Column("expiresAt", "EXPIRES", shown: Cell.time),
        ],
        usual: ["address", "mac", "vm", "hostname", "reserved", "expiresAt"])

    static let reservation = Noun(
        name: "reservation", nameField: "address",
        columns: [Column("address"), Column("mac"), Column("vm", "VM"), Column("hostname")],
        usual: ["address", "mac", "vm", "hostname"])

    static let forward = Noun(
        name: "forward", nameField: "id",
        columns: [
            Column("protocol"), Column("address"), Column("ports"), Column("vm", "VM"),
            Column("vmAddress", "VM-ADDRESS"), Column("vmPorts", "VM-PORTS"), Column("id"), Column("network"),
            Column("mac"), Column("createdAt", "CREATED", shown: Cell.time),
        ],
        usual: ["protocol", "address", "ports", "vm", "vmAddress", "vmPorts", "id"])

    static let record = Noun(
        name: "dns", nameField: "name", columns: [Column("name"), Column("address")],
        usual: ["name", "address"])

    static let pool = Noun(
        name: "pool", nameField: "name",
        columns: [
            Column("name"), Column("type"), Column("state"), Column("health"),
            .bytes("capacityBytes", "CAPACITY"), .bytes("allocationBytes", "ALLOCATION"),
            .bytes("availableBytes", "AVAILABLE"), Column("volumes", number: true), Column("target"),
            Column("managed", shown: Cell.yes), Column("usedBy", "USED-BY", shown: Cell.list), Column("id"),
            Column("backend"), Column("source"), Column("problem"), Column("labels", shown: Cell.labels),
            Column("autostart", shown: Cell.yes), Column("protected", shown: Cell.yes),
            Column("createdAt", "CREATED", shown: Cell.time),
            Column("observedAt", "OBSERVED", shown: Cell.time), Column("operation"),
        ],
        usual: [
            "name", "type", "state", "health", "capacityBytes", "allocationBytes", "availableBytes",
            "volumes", "target", "managed",
        ])

    static let volume = Noun(
        name: "volume", nameField: "fullName",
        columns: [
            Column("volume", field: "fullName"), Column("format"), Column("state"),
            .bytes("capacityBytes", "CAPACITY"), .bytes("allocationBytes", "ALLOCATION"),
            Column("usedBy", "USED-BY", shown: Cell.list), Column("managed", shown: Cell.yes),
            Column("path"), Column("backing"), Column("pool"), Column("name"), Column("id"),
            Column("labels", shown: Cell.labels), Column("createdAt", "CREATED", shown: Cell.time),
            Column("operation"),
        ],
        usual: ["volume", "format", "state", "capacityBytes", "allocationBytes", "usedBy", "path"])

    /// What stands for an object in a path of the API.
    func parameters(_ name: String) throws -> [String] {
        self.name == Noun.volume.name ? try VolumeName.parameters(name) : [name]
    }

    static let image = Noun(
        name: "image", nameField: "name",
        columns: [
            Column("name"), Column("state"), Column("format"), .bytes("virtualSizeBytes", "VIRTUAL"),
            .bytes("sizeBytes", "SIZE"), Column("usedBy", "USED-BY", shown: Cell.list),
            Column("createdAt", "CREATED", shown: Cell.time), Column("id"), Column("checksum"),
            Column("source"),
            Column("labels", shown: Cell.labels), Column("protected", shown: Cell.yes),
            .bytes("receivedBytes", "RECEIVED"), Column("operation"), Column("description"),
        ],
        usual: ["name", "state", "format", "virtualSizeBytes", "sizeBytes", "usedBy", "createdAt"])

    static let profile = Noun(
        name: "profile", nameField: "name",
        columns: [
            Column("name"),
            Column("image", field: "settings", shown: Cell.setting("image"), plain: Cell.setting("image")),
            Column("cpus", field: "settings", shown: Cell.setting("cpus"), plain: Cell.setting("cpus")),
            Column(
                "memory", field: "settings", shown: Cell.bytes("memoryBytes"),
                plain: Cell.setting("memoryBytes")),
            Column("description"), Column("id"), Column("labels", shown: Cell.labels),
            Column("hasCloudInit", "CLOUD-INIT", shown: Cell.yes),
            Column("createdAt", "CREATED", shown: Cell.time),
        ],
        usual: ["name", "image", "cpus", "memory", "description"])

    static let bridge = Noun(
        name: "bridge", nameField: "name",
        columns: [
            Column("name"), Column("state"), Column("origin"), Column("network"),
            Column("addresses", shown: Cell.list), Column("ports", shown: Cell.list),
            Column("managed", shown: Cell.yes), Column("up", shown: Cell.yes), Column("id"), Column("mac"),
            Column("mtu", "MTU", number: true), Column("stp", "STP", shown: Cell.yes),
            Column("confirmBy", "CONFIRM-BY", shown: Cell.time),
            Column("vlanAware", "VLAN-AWARE", shown: Cell.yes), Column("problems", shown: Cell.list),
            Column("labels", shown: Cell.labels),
            Column("createdAt", "CREATED", shown: Cell.time), Column("operation"),
        ],
        usual: ["name", "state", "origin", "network", "addresses", "ports", "confirmBy"])

    static let tap = Noun(
        name: "tap", nameField: "name",
        columns: [
            Column("name"), Column("state"), Column("owner"), Column("queues", number: true),
            Column("bridge"), Column("up", shown: Cell.yes), Column("inUse", "IN-USE", shown: Cell.yes),
            Column("vm", "VM"), Column("managed", shown: Cell.yes), Column("id"), Column("mac"),
            Column("mtu", "MTU", number: true), Column("labels", shown: Cell.labels),
            Column("createdAt", "CREATED", shown: Cell.time), Column("operation"),
        ],
        usual: ["name", "state", "owner", "bridge", "inUse", "vm", "managed"])

    static let securityGroup = Noun(
        name: "securitygroup", nameField: "name",
        columns: [
            Column("name"), Column("rules", shown: Cell.list), Column("usedBy", "USED-BY", shown: Cell.list),
            Column("description"), Column("id"), Column("labels", shown: Cell.labels),
            Column("createdAt", "CREATED", shown: Cell.time),
        ],
        usual: ["name", "rules", "usedBy", "description"])

    static let operation = Noun(
        name: "operation", nameField: "id",
        columns: [
            Column("id"), Column("kind"), Column("status"),
            Column("resources", "SUBJECT", shown: Cell.references, plain: Cell.references),
            Column("progress", shown: Cell.progress, plain: Cell.progress),
            Column("createdAt", "CREATED", shown: Cell.time),
            Column("finishedAt", "FINISHED", shown: Cell.time),
            Column("startedAt", "STARTED", shown: Cell.time),
            Column("requestor", "BY", shown: Cell.user, plain: Cell.user), Column("parent"),
            Column("error", shown: { $0["detail"]?.text ?? "" }, plain: { $0["code"]?.text ?? "" }),
            Column("warnings", shown: Cell.list), Column("cancellable", shown: Cell.yes),
        ],
        usual: ["id", "kind", "status", "resources", "progress", "createdAt", "requestor"])

    static let event = Noun(
        name: "event", nameField: "sequence",
        columns: [
            Column("sequence", "SEQ", number: true), Column("time", shown: Cell.time), Column("type"),
            Column("subject", shown: Cell.reference, plain: Cell.reference), Column("origin"),
            Column("data", shown: Cell.labels), Column("operation"),
        ],
        usual: ["sequence", "time", "type", "subject", "origin", "data"])

    static let warning = Noun(
        name: "warning", nameField: "id",
        columns: [
            Column("id"), Column("code"), Column("subject", shown: Cell.reference, plain: Cell.reference),
            Column("count", number: true), Column("lastSeenAt", "LAST-SEEN", shown: Cell.time),
            Column("acknowledged", "ACK", shown: Cell.yes), Column("message"), Column("hint"),
            Column("firstSeenAt", "FIRST-SEEN", shown: Cell.time),
        ],
        usual: ["id", "code", "subject", "count", "lastSeenAt", "acknowledged", "message"])

    static let audit = Noun(
        name: "audit", nameField: "sequence",
        columns: [
            Column("sequence", "SEQ", number: true), Column("time", shown: Cell.time),
            Column("requestor", "USER", shown: Cell.user, plain: Cell.user), Column("action"),
            Column("target"),
            Column("outcome"), Column("code"), Column("operation"),
        ],
        usual: ["sequence", "time", "requestor", "action", "target", "outcome", "code"])

    static let top = Noun(
        name: "vm", nameField: "name",
        columns: [
            Column("name"), Column("cpuPercent", "CPU%", number: true, shown: Cell.tenths),
            .bytes("memoryBytes", "MEMORY"),
            .rate("diskReadBytesPerSecond", "READ"), .rate("diskWrittenBytesPerSecond", "WRITE"),
            .rate("networkReceivedBytesPerSecond", "RECEIVE"), .rate("networkSentBytesPerSecond", "SEND"),
            Column("cpus", number: true), .bytes("memoryMaximumBytes", "HAS"), Column("id"),
        ],
        usual: [
            "name", "cpuPercent", "memoryBytes", "diskReadBytesPerSecond", "diskWrittenBytesPerSecond",
            "networkReceivedBytesPerSecond", "networkSentBytesPerSecond",
        ])

    static let host = Noun(
        name: "host", nameField: "hostname",
        columns: [
            Column("hostname"), Column("version"), Column("libvirt", shown: { $0["uri"]?.text ?? "" }),
            Column("accelerator", shown: { $0["kind"]?.text ?? "" }, plain: { $0["kind"]?.text ?? "" }),
            Column("vms", number: true), Column("running", number: true), Column("instance"),
            Column("cpus", number: true), .bytes("memoryBytes", "MEMORY"),
        ],
        usual: ["hostname", "version", "libvirt", "accelerator", "vms", "running"])

    /// The noun whose columns a command prints.
    static func printed(by path: [String]) -> Noun? {
        if path.last == "top" { return top }
        if path.last == "doctor" { return finding }
        if path.last == "check" { return self.path }
        return path == ["vctl", "list"] ? vm : path.reversed().lazy.compactMap(known).first
    }

    private static func known(_ name: String) -> Noun? {
        [
            vm, network, lease, reservation, record, forward, disk, nic, pool, volume, image, bridge, tap,
            securityGroup, operation, event, warning, audit, host, finding, path,
        ].first {
            $0.name == name
        }
    }

    static let path = Noun(
        name: "path", nameField: "from",
        columns: [
            Column("from"), Column("to"), Column("family"), Column("expected"), Column("seen"),
            Column("expectedSource", "EXPECTED SOURCE"), Column("source", "SEEN SOURCE"), Column("verdict"),
            Column("causes", shown: Cell.list),
        ],
        usual: [
            "from", "to", "family", "expected", "seen", "expectedSource", "source", "verdict", "causes",
        ])

    static let finding = Noun(
        name: "finding", nameField: "check",
        columns: [
            Column("check"), Column("status"), Column("message", limit: 1000), Column("hint", limit: 1000),
        ],
        usual: ["check", "status", "message", "hint"])

    /// The columns of a table.
    /// - Throws: a ``Failure`` that names the unknown column and the known ones.
    func chosen(_ keys: String?) throws -> [Column] {
        let keys = keys?.split(separator: ",").map(String.init) ?? usual
        guard !keys.isEmpty else { throw Failure.usage("--columns names no column", hint: known) }
        return try keys.map { key in
            guard let column = columns.first(where: { $0.key.lowercased() == key.lowercased() }) else {
                throw Failure.usage("there is no column \"\(key)\"", hint: known)
            }
            return column
        }
    }

    private var known: String { "the columns are \(columns.map(\.key).joined(separator: ","))" }
}
