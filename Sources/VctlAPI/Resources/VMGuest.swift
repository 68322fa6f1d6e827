// SPDX-License-Identifier: Apache-2.0

extension VM {
    /// The guest's agent, where the VM has a channel for one and runs.
    public struct Agent: Codable, Hashable, Sendable {
        public var state: AgentState
        /// Since when it is so, as far as was seen.
        public var since: Timestamp
        public init(state: AgentState, since: Timestamp) {
            self.state = state
            self.since = since
        }
    }

    /// What a guest says of itself, by its agent. Nothing of it is certain: whoever is root there says it.
    public struct Guest: Codable, Hashable, Sendable {
        public var hostname: String?
        public var os: OS?
        public var fileSystems: [FileSystem]
        public var timezone: String?
        /// When the agent was asked.
        public var observedAt: Timestamp
        public init(observedAt: Timestamp) {
            fileSystems = []
            self.observedAt = observedAt
        }
    }

    /// An operating system, in the words of its os-release(5).
    public struct OS: Codable, Hashable, Sendable {
        /// `debian`
        public var id: String?
        /// `Debian GNU/Linux 12 (bookworm)`
        public var name: String?
        /// `12`
        public var version: String?
        /// `6.1.0-25-amd64`
        public var kernel: String?
        /// `x86_64`
        public var machine: String?
        public init() {}
    }

    /// A mounted file system. Sizes are bytes.
    public struct FileSystem: Codable, Hashable, Sendable {
        public var mountpoint: String
        /// `ext4`
        public var type: String
        public var totalBytes: Int64?
        public var usedBytes: Int64?
        public init(mountpoint: String, type: String) {
            self.mountpoint = mountpoint
            self.type = type
        }
    }
}

/// Whether a guest's agent can be asked.
public enum AgentState: String, APIEnum {
    /// It answers.
    case up
    /// It has not opened its channel.
    case down
    /// It has opened its channel, and does not answer.
    case unresponsive
}
