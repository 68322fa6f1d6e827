// SPDX-License-Identifier: Apache-2.0
import Logging
import VctlAPI

/// Everything that can be configured, with its default.
struct Configuration: Equatable, Sendable {
    /// Where the inventory, secrets, seeds, volumes and images are.
    var stateDirectory = "/var/lib/vctld"
    /// The socket for reading and writing.
    var socket = Wire.defaultSocket
    /// The socket whose callers may only read; empty: none.
    var readOnlySocket = Wire.readOnlySocket(beside: Wire.defaultSocket)
    var logLevel = Logger.Level.info
    /// libvirt's connection URI.
    var libvirtURI = "qemu:///system"
    var access = Access()
    /// Where paths that requests name may lie.
    var allowedPaths = ["/var/lib/libvirt/images", "/var/lib/vctld/volumes", "/srv", "/mnt", "/media"]
    /// How many days an operation that ended is kept.
    var operationRetentionDays = 30
    /// How many seconds a stop waits for operations to reach the end of a step.
    var shutdownGraceSeconds = 20
    /// How many bytes of each serial console are kept.
    var consoleLogBytes = 8 << 20
    /// How many events are kept.
    var keptEvents = 100_000
    var http = HTTP()
    var guests = Guests()

    /// What is done for VMs unasked.
    struct Guests: Equatable, Sendable {
        /// How often a VM that crashes is started again within the window.
        var crashRestarts = 5
        var crashWindowMinutes = 10
        /// Seconds before the first restart; each further one within the window waits twice as long.
        var crashPauseSeconds = 2
    }

    /// Which groups have which role. All empty: whoever can open the socket is admin.
    struct Access: Equatable, Sendable {
        var admin: [String] = []
        var operators: [String] = []
        var viewer: [String] = []

        var isEmpty: Bool { admin.isEmpty && operators.isEmpty && viewer.isEmpty }
    }

    /// The limits of the HTTP server.
    struct HTTP: Equatable, Sendable {
        var maximumConnections = 1024
        /// Seconds after which a connection without a request is closed.
        var idleSeconds = 60
        /// Seconds without progress after which a client that does not read is dropped.
        var stallSeconds = 30
        /// Seconds between two signs of life on an event stream.
        var keepAliveSeconds = 15
    }
}

/// Why the daemon cannot start as it was told: one or two sentences for a person.
struct StartError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
