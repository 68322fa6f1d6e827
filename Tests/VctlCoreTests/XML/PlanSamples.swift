// SPDX-License-Identifier: Apache-2.0
import Testing
import VctlAPI

@testable import VctlCore

/// Plans of every kind that a request can lead to.
enum PlanSamples {
    static let id = ObjectID("6ba7b810-9dad-41d1-80b4-00c04fd430c8")!
    static let instance = ObjectID("11111111-2222-4333-8444-555555555555")!

    static func plain(_ change: (inout DomainPlan) -> Void = { _ in }) -> DomainPlan {
        var plan = DomainPlan(id: id, name: "web1", instance: instance, cpus: 2, memoryBytes: 2 << 30)
        plan.disks = [disk(.virtio, "vda", 1)]
        plan.nics = [.init(mac: "52:54:00:00:00:01", network: "default", tap: Minting.tap(vm: id, index: 0))]
        plan.consoleLog = "/var/log/vctl/web1.log"
        change(&plan)
        return plan
    }

    static func disk(_ bus: DiskBus, _ target: String, _ order: Int?) -> DomainPlan.Disk {
        let volume = ObjectID("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeee000\(target.count)")!
        var disk = DomainPlan.Disk(
            role: order == 1 ? .root : .data, path: "/v/\(target) & <co>.qcow2", format: .qcow2, bus: bus,
            target: target, serial: Minting.serial(volume: volume), bootOrder: order)
        disk.volume = volume
        return disk
    }

    static let all: [(name: String, plan: DomainPlan)] = [
        ("plain", plain()),
        ("kvm", plain { $0.accelerator = .kvm }),
        ("named cpu", plain { $0.cpuModel = "Nehalem" }),
        ("host-model", plain { $0.cpuModel = "host-model" }),
        ("growable", plain { ($0.maxCpus, $0.maxMemoryBytes) = (8, 8 << 30) }),
        ("one growable cpu", plain { ($0.cpus, $0.maxMemoryBytes) = (1, 4 << 30) }),
        ("odd memory", plain { $0.memoryBytes = 1_000_000_001 }),
        ("uefi", plain { $0.firmware = .uefi }),
        ("uefi-secure", plain { $0.firmware = .uefiSecure }),
        ("pc", plain { $0.machine = "pc" }),
        ("no screen", plain { $0.screen = false }),
        ("kernel", plain { $0.boot = .init(kernel: "/k", initrd: "/i", cmdline: "console=ttyS0 a<b>&'\"") }),
        ("nothing", plain { ($0.disks, $0.nics, $0.consoleLog) = ([], [], nil) }),
        ("many", many),
        ("described", described),
    ]

    private static var many: DomainPlan {
        plain {
            $0.disks += [
                disk(.virtio, "vdb", nil), disk(.scsi, "sda", nil), disk(.sata, "sdb", nil),
                .seed(path: "/s/seed.iso", target: "sdc", serial: "cidata"),
                .cdrom(path: "/iso/x.iso", target: "sdd", serial: "cdrom", bootOrder: 2),
                .cdrom(path: nil, target: "sde", serial: "empty", bootOrder: nil),
            ]
            $0.disks[1].source = .block
            $0.disks[1].path = "/dev/vg/lv"
            $0.disks[1].format = .raw
            $0.disks[2].preallocated = true
            $0.nics.append(
                .init(mac: "52:54:00:00:00:02", network: nil, bridge: "br0", model: "e1000e", tap: "vt1"))
        }
    }

    private static var described: DomainPlan {
        plain {
            $0.description = "a <b> & \"c\"\nü"
            $0.labels = ["env": "prod", "note": "<&'\"> ü\ttab", "empty": ""]
            $0.image = .init(
                id: ObjectID("cccccccc-bbbb-4ccc-8ddd-eeeeeeee0001")!, name: "debian 12", linked: true)
            $0.createdAt = Timestamp(milliseconds: 1_769_847_300_250)
            $0.creator = "root"
            $0.protected = true
        }
    }
}
