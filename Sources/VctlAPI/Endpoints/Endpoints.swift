// SPDX-License-Identifier: Apache-2.0

/// All calls of the API. A route, the published document, the access check and the client all start here.
public enum Endpoints {
    /// Every endpoint.
    public static let all: [Endpoint] =
        vms + devices + networks + pools + images + profiles + links + securityGroups + operations + streams
        + daemon

    /// The endpoint of the given id.
    public static func named(_ id: String) -> Endpoint {
        guard let endpoint = byID[id] else { preconditionFailure("no endpoint \(id)") }
        return endpoint
    }

    private static let byID = Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) })

    private static let vms: [Endpoint] = [
        list("vm.list", "/v1/vms", "All VMs, by name", VM.self, [.label, .state]),
        create("vm.create", "/v1/vms", "Make a VM", VMCreate.self, .operate, [.dryRun]),
        get("vm.show", "/v1/vms/{vm}", "One VM", VM.self),
        call(
            .patch, "vm.set", "/v1/vms/{vm}", "Change what is given", VMPatch.self, .value, VM.self, [.dryRun]
        ),
        delete("vm.delete", "/v1/vms/{vm}", "Delete a VM", [.keepDisks, .force, .dryRun]),
        action("vm.start", "start", "Start, or resume what was suspended", VMStart.self),
        action("vm.stop", "stop", "Stop by agent, then ACPI, then by force if asked", VMStop.self),
        action("vm.restart", "restart", "Stop and start", VMRestart.self),
        action("vm.reset", "reset", "The reset button", Empty.self),
        action("vm.pause", "pause", "Halt the CPUs", Empty.self),
        action("vm.resume", "resume", "Let the CPUs go on", Empty.self),
        action("vm.suspend", "suspend", "Save the memory on the disk and power off", Empty.self),
        action(
            "vm.adopt", "adopt", "Take over what another made", VMAdopt.self, .admin, [.force, .dryRun]),
        action("vm.publish", "publish", "Make an image of its disk", VMPublish.self, .admin),
        action("vm.clone", "clone", "Make a VM from another one", VMClone.self),
        action("vm.release", "release", "Take our mark off", Empty.self, .admin),
        call(
            .post, "vm.exec", "/v1/vms/{vm}/actions/exec", "Run a command in the guest, by its agent",
            VMExec.self, .bytes("application/x-ndjson"), Never?.self, [], .operate),
        call(
            .get, "vm.file.pull", "/v1/vms/{vm}/files/content", "A file of the guest, by its agent", nil,
            .bytes("application/octet-stream"), Never?.self, [.path], .operate),
        call(
            .put, "vm.file.push", "/v1/vms/{vm}/files/content", "Write a file of the guest, by its agent",
            bytes: "application/octet-stream", .operate, query: [.path, .mode, .dryRun]),
        call(
            .post, "vm.wait", "/v1/vms/{vm}/actions/wait", "Wait until a condition holds", VMWait.self,
            .value,
            WaitOutcome.self, [], .viewer),
        call(
            .get, "vm.xml", "/v1/vms/{vm}/xml", "libvirt's definition, without secrets", nil,
            .bytes("application/xml"), Never?.self, [.inactive], .viewer),
        call(
            .post, "vm.console", "/v1/vms/{vm}/actions/console",
            "Join the serial console; a second one who writes needs force", nil, .upgrade(Wire.stream),
            Never?.self,
            [.readOnly, .tail, .force], .operate),
        call(
            .get, "vm.console.show", "/v1/vms/{vm}/console", "Who is on the serial console", nil, .value,
            ConsoleStatus.self, [], .operate),
        call(
            .get, "vm.console.log", "/v1/vms/{vm}/console/log", "What the serial console has printed", nil,
            .bytes("application/octet-stream"), Never?.self, [.follow, .tail], .operate),
        call(
            .post, "vm.console.input", "/v1/vms/{vm}/console/input", "Type on the serial console",
            bytes: "application/octet-stream", .operate, query: [.force]),
        call(
            .get, "vm.screenshot", "/v1/vms/{vm}/screenshot", "A picture of the screen", nil,
            .bytes("image/png"), Never?.self, [], .operate),
    ]

    private static let devices: [Endpoint] = [
        call(
            .post, "vm.disk.add", "/v1/vms/{vm}/disks", "Add a disk", VMDiskAdd.self, .operation,
            Operation.self, [.dryRun]),
        delete(
            "vm.disk.remove", "/v1/vms/{vm}/disks/{disk}", "Remove a disk, with its file if vctl made it",
            [.keepDisks, .force, .dryRun]),
        call(
            .post, "vm.disk.resize", "/v1/vms/{vm}/disks/{disk}/actions/resize", "Make a disk larger",
            VMDiskResize.self, .operation, Operation.self, [.dryRun]),
        call(
            .post, "vm.disk.insert", "/v1/vms/{vm}/disks/{disk}/actions/insert", "Put an ISO into a drive",
            VMDiskInsert.self, .operation, Operation.self, [.force, .dryRun], .admin),
        call(
            .post, "vm.disk.eject", "/v1/vms/{vm}/disks/{disk}/actions/eject", "Take out what is in a drive",
            Empty.self, .operation, Operation.self, [.force, .dryRun]),
        call(
            .post, "vm.nic.add", "/v1/vms/{vm}/nics", "Add a NIC", NICSpec.self, .operation,
            Operation.self, [.dryRun]),
        delete("vm.nic.remove", "/v1/vms/{vm}/nics/{nic}", "Remove the NIC with a MAC", [.dryRun]),
        call(
            .patch, "vm.nic.set", "/v1/vms/{vm}/nics/{nic}", "Change a NIC, what can be at once",
            VMNICPatch.self, .operation, Operation.self, [.dryRun]),
    ]

    private static let images: [Endpoint] = [
        list("image.list", "/v1/images", "All images, by name", Image.self, [.label, .imageState]),
        create(
            "image.import", "/v1/images", "Make an image from a URL, or announce an upload", ImageCreate.self,
            .admin, [.dryRun]),
        get("image.show", "/v1/images/{image}", "One image", Image.self),
        call(
            .patch, "image.set", "/v1/images/{image}", "Rename it, change what is given", ImagePatch.self,
            .value,
            Image.self, [.dryRun], .admin),
        call(
            .put, "image.content", "/v1/images/{image}/content", "Send the content; Content-Range resumes",
            bytes: "application/octet-stream", .admin, .operation),
        call(
            .get, "image.export", "/v1/images/{image}/content", "The image's file", nil,
            .bytes("application/octet-stream"), Never?.self, [], .operate),
        delete("image.delete", "/v1/images/{image}", "Delete an image", [.force, .dryRun], .admin),
    ]

    private static let profiles: [Endpoint] = [
        list("profile.list", "/v1/profiles", "All profiles, by name", Profile.self, [.label]),
        call(
            .post, "profile.create", "/v1/profiles", "Make a profile", ProfileCreate.self, .value,
            Profile.self, [.dryRun], .admin),
        get("profile.show", "/v1/profiles/{profile}", "One profile", Profile.self),
        call(
            .patch, "profile.set", "/v1/profiles/{profile}", "Change what is given", ProfilePatch.self,
            .value, Profile.self, [.dryRun], .admin),
        call(
            .delete, "profile.delete", "/v1/profiles/{profile}", "Delete a profile", nil, .nothing,
            Never?.self, [.dryRun], .admin),
    ]

    private static let links: [Endpoint] = [
        list("tap.list", "/v1/taps", "All TAPs of the host, by name", TAP.self, [.label]),
        create("tap.create", "/v1/taps", "Make a TAP", TAPCreate.self, .admin, [.dryRun]),
        get("tap.show", "/v1/taps/{tap}", "One TAP", TAP.self),
        delete("tap.delete", "/v1/taps/{tap}", "Delete a TAP", [.force, .dryRun], .admin),
        list("bridge.list", "/v1/bridges", "All bridges of the host, by name", Bridge.self, [.label]),
        create("bridge.create", "/v1/bridges", "Make a bridge", BridgeCreate.self, .admin, [.dryRun]),
        get("bridge.show", "/v1/bridges/{bridge}", "One bridge", Bridge.self),
        call(
            .patch, "bridge.set", "/v1/bridges/{bridge}", "Change what is given", BridgePatch.self,
            .operation, Operation.self, [.dryRun], .admin),
        delete(
            "bridge.delete", "/v1/bridges/{bridge}", "Delete a bridge", [.confirmTimeout, .force, .dryRun],
            .admin),
        call(
            .post, "bridge.confirm", "/v1/bridges/{bridge}/actions/confirm", "Keep its last change",
            Empty.self, .value, Bridge.self, [.dryRun], .admin),
        call(
            .post, "bridge.rollback", "/v1/bridges/{bridge}/actions/rollback", "Take its last change back",
            Empty.self, .value, Bridge.self, [.dryRun], .admin),
    ]

    private static let securityGroups: [Endpoint] = [
        list(
            "securitygroup.list", "/v1/securitygroups", "All security groups, by name", SecurityGroup.self,
            [.label]),
        call(
            .post, "securitygroup.create", "/v1/securitygroups", "Make a security group",
            SecurityGroupCreate.self, .value, SecurityGroup.self, [.dryRun], .admin),
        get(
            "securitygroup.show", "/v1/securitygroups/{securitygroup}", "One security group",
            SecurityGroup.self),
        call(
            .patch, "securitygroup.set", "/v1/securitygroups/{securitygroup}", "Change what is given",
            SecurityGroupPatch.self, .value, SecurityGroup.self, [.dryRun], .admin),
        call(
            .delete, "securitygroup.delete", "/v1/securitygroups/{securitygroup}", "Delete a security group",
            nil, .nothing, Never?.self, [.dryRun], .admin),
    ]

    private static let operations: [Endpoint] = [
        list(
            "operation.list", "/v1/operations", "Operations, the newest first", Operation.self,
            [.operationStatus], after: .afterNumber),
        get("operation.show", "/v1/operations/{operation}", "One operation", Operation.self),
        call(
            .get, "operation.wait", "/v1/operations/{operation}/wait", "One operation, once it ends", nil,
            .value,
            Operation.self, [.timeout], .viewer),
        call(
            .delete, "operation.cancel", "/v1/operations/{operation}", "Ask it to undo what it did", nil,
            .value,
            Operation.self, [], .operate),
        call(
            .post, "operation.retry", "/v1/operations/{operation}/actions/retry", "Undo again what got stuck",
            Empty.self, .value, Operation.self, [], .operate),
        call(
            .post, "operation.abandon", "/v1/operations/{operation}/actions/abandon",
            "Give up a stuck undo and free what it holds", Empty.self, .value, Operation.self, [], .admin),
    ]

    private static let streams: [Endpoint] = [
        call(
            .get, "event.follow", "/v1/events", "Events as they happen, or stored ones as an array", nil,
            .events,
            Event.self, [.since, .limit], .viewer),
        list("warning.list", "/v1/warnings", "What needs a person's eye", Warning.self, []),
        call(
            .post, "warning.ack", "/v1/warnings/{warning}/actions/ack", "Mark as seen", Empty.self, .value,
            Warning.self, [], .operate),
        call(
            .delete, "warning.delete", "/v1/warnings/{warning}", "Forget it", nil, .nothing, Never?.self, [],
            .operate),
        list(
            "audit.list", "/v1/audit", "Who asked for what, the newest first", AuditEntry.self, [],
            after: .afterNumber),
    ]

    private static let daemon: [Endpoint] = [
        get("statistics", "/v1/statistics", "What the running VMs have used so far", Statistics.self),
        get("host.show", "/v1/host", "The host, the daemon and its libvirt", Host.self),
        call(
            .get, "host.doctor", "/v1/host/doctor", "Whether the host is fit for VMs, and what mends it", nil,
            .list, Finding.self, [.fields], .viewer),
        get("version", "/v1/version", "What program answers", VersionInfo.self),
        get("ready", "/v1/ready", "200 once requests are served and libvirt was read", VersionInfo.self),
        call(
            .get, "openapi", "/v1/openapi.json", "This API as OpenAPI 3.1", nil, .bytes("application/json"),
            Never?.self, [], .viewer),
    ]
}
