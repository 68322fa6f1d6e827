// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VctlCore

extension HandlerTable {
    mutating func addDevices(_ vms: VMService) {
        on("vm.disk.add", VMDiskAdd.self) {
            try $0.reply(try await vms.addDisk(try $0.reference(), $1, $0.context))
        }
        on("vm.disk.remove") {
            let keep = $0.query.flag("keepDisks")
            return try $0.reply(
                try await vms.removeDisk(try $0.reference(), $0.parameters[1], keepDisks: keep, $0.context))
        }
        on("vm.disk.resize", VMDiskResize.self) {
            try $0.reply(try await vms.resizeDisk(try $0.reference(), $0.parameters[1], $1, $0.context))
        }
        on("vm.disk.insert", VMDiskInsert.self) {
            try $0.reply(try await vms.setMedium(try $0.reference(), $0.parameters[1], $1.path, $0.context))
        }
        on("vm.disk.eject", Empty.self) { incoming, _ in
            let target = incoming.parameters[1]
            return try incoming.reply(
                try await vms.setMedium(try incoming.reference(), target, nil, incoming.context))
        }
        on("vm.nic.add", NICSpec.self) {
            try $0.reply(try await vms.addNIC(try $0.reference(), $1, $0.context))
        }
        on("vm.nic.remove") {
            try $0.reply(try await vms.removeNIC(try $0.reference(), $0.parameters[1], $0.context))
        }
        on("vm.nic.set", VMNICPatch.self) {
            try $0.reply(try await vms.setNIC(try $0.reference(), $0.parameters[1], $1, $0.context))
        }
    }
}
