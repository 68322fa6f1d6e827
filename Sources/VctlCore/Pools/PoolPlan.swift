// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VirtXML

/// A new pool with everything decided and minted.
struct PoolPlan: Codable, Hashable, Sendable {
    var mark: KeptPool
    /// The directory, with symbolic links resolved.
    var target: String

    var id: ObjectID { mark.id }
    var name: String { mark.name }
    var reference: ObjectReference { ObjectReference(kind: .pool, id: id, name: name) }

    /// The row that holds the name and the directory until libvirt has the pool.
    func reserved(at time: Timestamp, autostart: Bool) -> Pool {
        var pool = Pool(id: id, name: name, backend: "dir", state: .stopped, observedAt: time)
        (pool.type, pool.target, pool.autostart) = (.dir, target, autostart)
        pool.apply(mark)
        return pool
    }

    /// The whole definition. Pure: the same plan gives the same text.
    func poolXML() -> PoolXML {
        var xml = PoolXML()
        xml.type = "dir"
        (xml.name, xml.uuid, xml.targetPath) = (name, id.rawValue, target)
        return xml
    }
}
