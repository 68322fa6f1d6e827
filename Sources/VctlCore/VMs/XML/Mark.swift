// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VirtXML

/// What vctl writes about a VM into its `<metadata>`: enough to rebuild the inventory without a database.
struct Mark: Codable, Hashable, Sendable {
    /// The namespace, and what its name in libvirt's metadata calls begins with.
    static let namespace = "urn:vctl:1"
    static let prefix = "vctl"

    /// The instance of vctl that made or adopted the object.
    var instance: ObjectID
    /// The object's id; a VM's is libvirt's UUID.
    var id: ObjectID
    var labels: [String: String] = [:]
    var image: ImageReference?
    var createdAt: Timestamp?
    /// Who asked for it.
    var creator: String?
    var protected = false
    /// When it was taken over, of a VM that somebody else had made.
    var adoptedAt: Timestamp?
    /// Who took it over.
    var adopter: String?
    var disks: [Disk] = []
    /// `nil`, as in older journals: there are none.
    private var guarded: [NIC]?
    var nics: [NIC] {
        get { guarded ?? [] }
        set { guarded = newValue.isEmpty ? nil : newValue }
    }
    /// Whether somebody wrote its definition, so that the files in it are theirs.
    var isGiven = false
    /// How it starts with the host; `nil`: not by us.
    var start: StartRule?
    var onCrash: CrashAction?
    /// The name of the profile that it was made with.
    var profile: String?
    /// The name that it gets when it stops: libvirt renames nothing that runs.
    var newName: String?
    /// What a network promises.
    var network: NetworkPart?

    /// Of a network what libvirt has no word for.
    struct NetworkPart: Codable, Hashable, Sendable {
        var model: NetworkModel
        /// Whether the host is in it.
        var hostAccess: Bool
    }

    /// When vctld starts a VM after the host's boot.
    struct StartRule: Codable, Hashable, Sendable {
        /// The lowest first; those without one come last.
        var order: Int?
        /// Seconds before the next one.
        var delay: Int?

        /// `nil` where neither is given: then it is libvirt's to start it.
        init?(order: Int?, delay: Int?) {
            guard order != nil || delay != nil else { return nil }
            self.order = order
            self.delay = delay
        }
    }

    /// What of a NIC libvirt has no word for.
    struct NIC: Codable, Hashable, Sendable {
        /// In lower case.
        var mac: String
        /// Whether it may send only as itself.
        var antiSpoofing = false
        /// Addresses that are its own.
        var addresses: [String] = []
        /// The names of its security groups; `nil`, as in older journals: none.
        private var sg: [String]?
        var groups: [String] {
            get { sg ?? [] }
            set { sg = newValue.isEmpty ? nil : newValue }
        }

        init(mac: String) { self.mac = mac }

        /// Whether there is nothing to say.
        var isEmpty: Bool { !antiSpoofing && addresses.isEmpty && groups.isEmpty }

        /// Whether rules are needed.
        var isGuarded: Bool { antiSpoofing || !groups.isEmpty }
    }

    /// Puts a NIC's part in the place of the one that is there.
    mutating func put(_ part: NIC?, mac: String) {
        nics.removeAll { $0.mac == mac }
        if let part, !part.isEmpty { nics.append(part) }
    }

    /// What a disk is for.
    struct Disk: Codable, Hashable, Sendable {
        /// `vda`
        var target: String
        /// `root`, `data`, `seed`, `cdrom`
        var role: String
        /// The id of its volume.
        var volume: ObjectID?

        init(target: String, role: String, volume: ObjectID? = nil) {
            self.target = target
            self.role = role
            self.volume = volume
        }
    }

    init(instance: ObjectID, id: ObjectID) {
        self.instance = instance
        self.id = id
    }

    /// Whether its files were there before we were, and stay when it goes.
    var hasForeignFiles: Bool { adoptedAt != nil || isGiven }
}

/// Whose a domain or network is, by its mark.
enum Ownership: Hashable, Sendable {
    /// Made or adopted by this instance.
    case ours(Mark)
    /// Marked by another instance of vctl.
    case another(Mark)
    /// A copy, with its mark, of an object of some instance; the mark speaks of the original.
    case copy(Mark)
    /// No mark, or none that can be read.
    case none

    /// Whose the object with this id is.
    init(_ mark: Mark?, instance: ObjectID, id: ObjectID) {
        guard let mark else {
            self = .none
            return
        }
        if mark.id != id {
            self = .copy(mark)
        } else {
            self = mark.instance == instance ? .ours(mark) : .another(mark)
        }
    }

    /// Our own mark.
    var mark: Mark? {
        if case .ours(let mark) = self { mark } else { nil }
    }
}
