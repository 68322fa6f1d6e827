// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm disk`.
struct VMDiskCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disk", abstract: "Disks and drives of a VM.",
        subcommands: [
            VMDiskAddCommand.self, VMDiskRemove.self, VMDiskResizeCommand.self, VMDiskEject.self,
            VMDiskInsertCommand.self, VMDiskList.self,
        ])
}

/// `vctl vm disk add`.
struct VMDiskAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a new or an existing disk, to a running VM at once.",
        discussion: """
            vctl vm disk add web1 20G,bus=scsi
            vctl vm disk add web1 --path /srv/old.qcow2
            """)

    @OptionGroup var options: DeviceOptions

    @Argument(
        help: .init("SIZE[,pool=][,bus=][,format=][,preallocation=] of a new one.", valueName: "disk"),
        transform: Parse.disk)
    var disk: DiskSpec?

    @Option(name: .customLong("path"), help: .init("An existing disk on the host.", valueName: "path"))
    var path: String?

    @Option(
        name: .customLong("bus"), help: "virtio, scsi or sata, of an existing one.", transform: Parse.choice)
    var bus: DiskBus?

    @Flag(name: .customLong("read-only"), help: "The guest may only read an existing one.")
    var readOnly = false

    func run() throws { try options.run("vm.disk.add") { try $0.json(try body()) } }

    func body() throws -> VMDiskAdd {
        guard (disk == nil) != (path == nil) else {
            throw Failure.usage("give the size of a new disk, or --path of an existing one")
        }
        guard path != nil || (bus == nil && !readOnly) else {
            throw Failure.usage(
                "--bus and --read-only are for an existing disk", hint: "write 20G,bus=scsi for a new one")
        }
        var body = VMDiskAdd()
        if let disk {
            (body.sizeBytes, body.pool, body.bus) = (disk.sizeBytes, disk.pool, disk.bus)
            (body.format, body.preallocation) = (disk.format, disk.preallocation)
        } else {
            (body.path, body.bus) = (path, bus)
            body.readOnly = readOnly ? true : nil
        }
        return body
    }
}

/// `vctl vm disk remove`.
struct VMDiskRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Take a disk away, with its file if vctl made it.")

    @OptionGroup var options: DeviceOptions
    @OptionGroup var confirm: YesOption
    @Argument(help: .init("Such as vdb.", valueName: "disk")) var target: String

    @Flag(name: .customLong("keep-disks"), help: "Leave the file where it is.")
    var keepDisks = false

    @Flag(name: .customLong("force"), help: "Also the disk that it boots from.")
    var force = false

    func run() throws {
        if !options.wait.dryRun {
            let what = keepDisks ? "" : " with its file"
            try Confirmation.need(confirm, "remove \(shown(target)) of \(shown(options.vm))\(what)?")
        }
        let query = [("keepDisks", keepDisks), ("force", force)].filter(\.1).map { ($0.0, "true") }
        try options.run("vm.disk.remove", [target], query: query) { $0 }
    }
}

/// `vctl vm disk resize`.
struct VMDiskResizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resize", abstract: "Make a disk larger; a running guest sees it at once.")

    @OptionGroup var options: DeviceOptions
    @Argument(help: .init("Such as vda.", valueName: "disk")) var target: String
    @Argument(help: .init("The new size.", valueName: "size"), transform: Parse.size) var size: ByteCount

    func run() throws {
        try options.run("vm.disk.resize", [target]) { try $0.json(VMDiskResize(sizeBytes: size)) }
    }
}

/// `vctl vm disk insert`.
struct VMDiskInsertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "insert", abstract: "Put an ISO on the host into a drive.")

    @OptionGroup var options: DeviceOptions
    @Argument(help: .init("Such as sda.", valueName: "drive")) var target: String
    @Argument(help: .init("The ISO.", valueName: "path")) var path: String

    @Flag(name: .customLong("force"), help: "Although the guest has locked what is in it.")
    var force = false

    func run() throws {
        try options.run("vm.disk.insert", [target], query: force ? [("force", "true")] : []) {
            try $0.json(VMDiskInsert(path: path))
        }
    }
}

/// `vctl vm disk eject`.
struct VMDiskEject: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eject", abstract: "Take out what is in a drive.")

    @OptionGroup var options: DeviceOptions
    @Argument(help: .init("Such as sda.", valueName: "drive")) var target: String

    @Flag(name: .customLong("force"), help: "Although the guest has locked it.")
    var force = false

    func run() throws {
        try options.run("vm.disk.eject", [target], query: force ? [("force", "true")] : []) {
            try $0.json(Empty())
        }
    }
}

/// `vctl vm disk list`.
struct VMDiskList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List a VM's disks and drives.")

    @OptionGroup var list: DeviceList

    func run() throws { try list.run(.disk) { $0.disks } }
}
