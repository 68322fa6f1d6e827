// SPDX-License-Identifier: Apache-2.0
import CLibvirt

extension Domain {
    /// How a domain is started.
    public struct StartFlags: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Started, but not yet running.
        public static let paused = Self(VIR_DOMAIN_START_PAUSED)
        /// Stopped when the connection goes.
        public static let autodestroy = Self(VIR_DOMAIN_START_AUTODESTROY)
        /// A saved state is not read from the page cache.
        public static let bypassCache = Self(VIR_DOMAIN_START_BYPASS_CACHE)
        /// A saved state is thrown away.
        public static let forceBoot = Self(VIR_DOMAIN_START_FORCE_BOOT)
        /// Check the definition against the schema (transient domains only).
        public static let validate = Self(VIR_DOMAIN_START_VALIDATE)
        /// Make the UEFI variables anew.
        public static let resetNVRAM = Self(VIR_DOMAIN_START_RESET_NVRAM)
    }

    /// Who is asked to shut the guest down, or to restart it; an empty set leaves it to libvirt.
    public struct PowerMode: LibvirtFlags {
        /// libvirt's bits; the same for shutdown and reboot.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// The ACPI power button.
        public static let acpi = Self(VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
        /// The guest agent.
        public static let agent = Self(VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)
        /// The init of a container.
        public static let initctl = Self(VIR_DOMAIN_SHUTDOWN_INITCTL)
        /// A signal to the init of a container.
        public static let signal = Self(VIR_DOMAIN_SHUTDOWN_SIGNAL)
    }

    /// Starts it.
    /// - Throws: `LibvirtError`, `operationInvalid` if it runs.
    public func start(_ flags: StartFlags = []) async throws {
        try await call { _ = try check(virDomainCreateWithFlags($0, flags.rawValue)) }
    }

    /// Pulls the plug.
    /// - Parameter graceful: give up (`resourceBusy`) rather than kill a hypervisor that stays.
    /// - Throws: `LibvirtError`, `operationInvalid` if it does not run.
    public func destroy(graceful: Bool = false) async throws {
        let flags = graceful ? VIR_DOMAIN_DESTROY_GRACEFUL.rawValue : 0
        try await call { _ = try check(virDomainDestroyFlags($0, flags)) }
    }

    /// Asks the guest to shut down; does not wait until it has.
    /// - Throws: `LibvirtError`, `agentUnresponsive` if the agent was to be asked and does not answer.
    public func shutdown(_ mode: PowerMode = []) async throws {
        try await call { _ = try check(virDomainShutdownFlags($0, mode.rawValue)) }
    }

    /// Asks the guest to restart.
    /// - Throws: `LibvirtError`.
    public func reboot(_ mode: PowerMode = []) async throws {
        try await call { _ = try check(virDomainReboot($0, mode.rawValue)) }
    }

    /// Pushes the reset button.
    /// - Throws: `LibvirtError`.
    public func reset() async throws {
        try await call { _ = try check(virDomainReset($0, 0)) }
    }

    /// Stops its CPUs.
    /// - Throws: `LibvirtError`.
    public func suspend() async throws {
        try await call { _ = try check(virDomainSuspend($0)) }
    }

    /// Lets its CPUs go on.
    /// - Throws: `LibvirtError`.
    public func resume() async throws {
        try await call { _ = try check(virDomainResume($0)) }
    }

    /// Wakes a guest that sleeps (`pmsuspended`).
    /// - Throws: `LibvirtError`.
    public func wakeUp() async throws {
        try await call { _ = try check(virDomainPMWakeup($0, 0)) }
    }

    /// Injects a non-maskable interrupt.
    /// - Throws: `LibvirtError`.
    public func injectNMI() async throws {
        try await call { _ = try check(virDomainInjectNMI($0, 0)) }
    }

    /// Types keys, given as Linux key codes, held for some milliseconds.
    /// - Throws: `LibvirtError`.
    public func sendKeys(_ codes: [UInt32], holdMilliseconds: UInt32 = 50) async throws {
        try await call { raw in
            var codes = codes
            _ = try check(
                virDomainSendKey(
                    raw, VIR_KEYCODE_SET_LINUX.rawValue, holdMilliseconds, &codes, Int32(codes.count), 0))
        }
    }
}
