// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// What is different in a clone, decided and minted before it is accepted. All else is read from the other
/// VM's definition when the clone is defined, for that may hold secrets, which are not stored with a request.
struct ClonePlan: Codable, Hashable, Sendable {
    var source: ObjectReference
    /// The clone's own mark: id, labels, image, disks.
    var mark: Mark
    var name: String
    var description: String?
    var disks: [Disk]
    var nics: [NIC]
    /// The drive of the other one's seed, which gets the clone's; `nil`: there is none of ours.
    var seed: Seed?
    /// Where the variables of its UEFI are; `nil`: it has none.
    var variables: String?
    /// The other one's, if it has written any.
    var nvram: FileCopy?
    var consoleLog: String

    var id: ObjectID { mark.id }
    var reference: ObjectReference { ObjectReference(kind: .vm, id: id, name: name) }

    /// A disk that is copied.
    struct Disk: Codable, Hashable, Sendable {
        /// `vda`, in both.
        var target: String
        var volume: NewVolume
        var serial: String { Minting.serial(volume: volume.id) }
    }

    struct NIC: Codable, Hashable, Sendable {
        /// The other one's MAC.
        var from: String
        var mac: String
        var tap: String
    }

    struct Seed: Codable, Hashable, Sendable {
        var target: String
        var path: String
    }

    /// A file that is copied.
    struct FileCopy: Codable, Hashable, Sendable {
        var from: String
        var to: String
    }
}
