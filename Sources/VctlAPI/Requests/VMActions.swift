// SPDX-License-Identifier: Apache-2.0

/// A merge patch (RFC 7396) of a VM: what is absent stays.
public struct VMPatch: Codable, Sendable {
    /// Another name; of a running VM it is pending until that stops.
    public var name: Name?
    public var description: RemovableText?
    /// A `null` removes the label.
    public var labels: [String: String?]?
    public var protected: Bool?
    public var autostart: Bool?
    /// Its place among those that vctld starts with the host; `null`: none.
    public var autostartOrder: Removable<Int>?
    /// Seconds before the next one is started; `null`: none.
    public var autostartDelaySeconds: Removable<Int>?
    public var onCrash: CrashAction?
    /// New cloud-init user-data, read by the guest at its next boot.
    public var cloudInit: Secret?
    /// New cloud-init network-config.
    public var networkConfig: Secret?
    /// Virtual CPUs. More than now are added at once, as far as there is room; fewer wait for the next start.
    public var cpus: Int?
    /// The most CPUs that it can have while it runs.
    public var maxCpus: Int?
    /// Memory: at once as far as balloon and DIMMs reach, else at the next start.
    public var memoryBytes: ByteCount?
    /// The most memory that it can have while it runs.
    public var maxMemoryBytes: ByteCount?
    public var firmware: Firmware?
    /// Whether it has an emulated TPM 2.0.
    public var tpm: Bool?
    /// Another screen, from the next start on.
    public var graphics: GraphicsKind?
    /// QEMU's machine type.
    public var machine: String?
    public var cpuModel: String?
    /// A kernel on the host; `null`: boot from the disks. For admins, like `initrd`.
    public var kernel: RemovableText?
    public var initrd: RemovableText?
    public var cmdline: RemovableText?
    /// A user of the running guest, for `sshKeys` and `password`; its agent changes them at once.
    public var user: String?
    /// Public keys that the user may log in with besides those that it has.
    public var sshKeys: [String]?
    public var password: Secret?
    /// Changes of libvirt's definition by hand, for admins.
    public var xmlPatch: [XMLPatch]?
    /// Another definition for libvirt in place of the present one, for admins; UUID, name and our metadata
    /// stay.
    public var xml: String?
    /// Nothing is changed until a field is set.
    public init() {}
}

/// A change of one place of libvirt's definition.
public struct XMLPatch: Codable, Hashable, Sendable {
    /// XPath 1.0; it has to find exactly one element or attribute.
    public var xpath: String
    /// The new text or value; `null` removes the place.
    public var value: RemovableText
    public init(xpath: String, value: RemovableText) {
        self.xpath = xpath
        self.value = value
    }
}

/// How to take over a VM that somebody else made.
public struct VMAdopt: Codable, Sendable {
    /// Labels that it gets.
    public var labels: [String: String]?
    public init() {}
}

/// How to start a VM.
public struct VMStart: Codable, Sendable {
    /// Start paused, before the first instruction.
    public var paused: Bool?
    /// Throw away the saved memory of a suspended VM.
    public var discardState: Bool?
    /// An ISO on the host that it boots from this once, before its own disks. For admins.
    public var rescueISO: String?
    /// An image that it boots from this once, before its own disks; what it writes there is thrown away.
    public var rescueImage: Reference?
    public init() {}
}

/// How to stop a VM: the agent is asked, then ACPI; after the grace time it is powered off if `force` is set.
public struct VMStop: Codable, Sendable {
    /// Seconds to wait for the guest, 60 without it; 0 with `force`: power off at once.
    public var graceSeconds: Int?
    public var force: Bool?
    public init() {}
}

/// How to restart a VM: stop, then start, with the new definition.
public struct VMRestart: Codable, Sendable {
    public var graceSeconds: Int?
    public var force: Bool?
    public init() {}
}

/// What to wait for.
public struct VMWait: Codable, Sendable {
    /// `running`, `stopped`, `ip`, `agent`, `cloud-init`, `tcp:PORT`.
    public var condition: WaitCondition
    /// Seconds until the reply says that it does not hold yet: 0 to 300, 30 without it.
    public var timeoutSeconds: Int?
    public init(condition: WaitCondition) { self.condition = condition }
}

/// The end of a wait.
public struct WaitOutcome: Codable, Sendable {
    public var condition: WaitCondition
    /// Whether it holds; `false` once the time has passed.
    public var met: Bool
    /// What is still missing.
    public var reason: String?
    public var vm: VM
    public init(condition: WaitCondition, met: Bool, reason: String? = nil, vm: VM) {
        self.condition = condition
        self.met = met
        self.reason = reason
        self.vm = vm
    }
}

/// A condition that `vm wait` and `--wait-for` know.
public enum WaitCondition: Hashable, Sendable, CustomStringConvertible {
    case running, stopped, ip, agent
    case cloudInit
    case tcp(Int)

    public var description: String {
        switch self {
        case .running: "running"
        case .stopped: "stopped"
        case .ip: "ip"
        case .agent: "agent"
        case .cloudInit: "cloud-init"
        case .tcp(let port): "tcp:\(port)"
        }
    }
}

extension WaitCondition: CheckedString {
    public init(checking text: String) throws(InvalidValue) {
        let fixed: [WaitCondition] = [.running, .stopped, .ip, .agent, .cloudInit]
        if let known = fixed.first(where: { $0.description == text }) {
            self = known
            return
        }
        // `Int` would also read "+80" and "080".
        guard text.hasPrefix("tcp:"), let port = Int(text.dropFirst(4)), (1...65535).contains(port),
            text == "tcp:\(port)"
        else {
            throw InvalidValue(
                value: text, problem: "wait for running, stopped, ip, agent, cloud-init or tcp:PORT")
        }
        self = .tcp(port)
    }
    public static var schema: Schema {
        let port =
            "[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
        return Schema(type: "string", pattern: "^(running|stopped|ip|agent|cloud-init|tcp:(\(port)))$")
    }
    public static var example: WaitCondition { .running }
}

/// An empty body: `{}`.
public struct Empty: Codable, Hashable, Sendable {
    public init() {}
    public init(from decoder: any Decoder) throws { _ = try decoder.container(keyedBy: NoKey.self) }
    private enum NoKey: CodingKey {}
}
