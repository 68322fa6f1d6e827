// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI
import VctlClient

@testable import vctl

/// The commands that connect a viewer to a VM's screen.
@Suite struct ViewerTests {
    private func machine(_ graphics: VM.Graphics...) -> VM {
        var vm = VM(
            id: .example, name: "web1", state: .running, cpus: 1, memoryBytes: 1, managed: true,
            observedAt: .now)
        vm.graphics = graphics
        return vm
    }

    private func host(_ uri: String = "qemu:///system") -> VctlAPI.Host {
        VctlAPI.Host(
            hostname: "host1", instance: .example, version: "1", startedAt: .now, synced: true,
            libvirt: .init(uri: uri, connected: true), accelerator: .init(kind: .tcg), vms: 1, running: 1)
    }

    @Test func theyAreForWhatListens() throws {
        #expect(Viewers(machine()) == nil)
        #expect(Viewers(machine(.init(type: "vnc", address: "127.0.0.1", port: 5900))) == nil)
        let vnc = try #require(Viewers(machine(.init(type: "vnc", socket: "/run/a b/vnc.sock")))).lines(
            host())
        #expect(vnc.contains("screen: vncviewer '/run/a b/vnc.sock'"))
        #expect(vnc.contains { $0.contains("ssh -N -L 5901:'/run/a b/vnc.sock' host1,") })
        #expect(vnc.contains("screen: virt-viewer --connect qemu:///system --attach \(ObjectID.example)"))
        let spice = try #require(Viewers(machine(.init(type: "spice", socket: "/run/s.sock"))))
        #expect(spice.lines(host()).contains("screen: remote-viewer spice+unix:///run/s.sock"))
        #expect(!spice.lines(nil).joined().contains("virt-viewer"))
    }

    @Test(
        arguments: [
            ("qemu:///system", "qemu+ssh://ann@host2:2222/system"),
            ("qemu+unix:///system?socket=/x", "qemu+ssh://ann@host2:2222/system?socket=/x"),
            ("qemu:///session", nil), ("lxc:///system", "lxc+ssh://ann@host2:2222/system"),
            ("qemu+ssh://host3/system", nil), ("qemu+tcp:///system", nil), ("nonsense", nil),
        ] as [(String, String?)])
    func libvirtIsReachedBySSHToo(_ uri: String, _ expected: String?) throws {
        #expect(Viewers.uri(uri, over: try SSHHost("ssh://ann@host2:2222")) == expected)
    }

    private let shown =
        vm().replacingOccurrences(
            of: #""disks":[]"#, with: #""disks":[],"graphics":[{"type":"vnc","socket":"/run/v.sock"}]"#)
    private let told = #"""
        {"hostname":"host2","instance":"6ba7b810-9dad-41d1-80b4-00c04fd430c8","version":"0.1.0",\#
        "startedAt":"2026-01-31T08:15:00.250Z","synced":true,"libvirt":{"uri":"lxc:///system",\#
        "connected":true},"accelerator":{"kind":"tcg"},"vms":1,"running":1}
        """#

    @Test func theDaemonSaysWhereTheScreenIs() throws {
        let server = try RawServer([[.request, json(shown), .request, json(told)]])
        let result = try Program.run(["vm", "show", "web1"], socket: server.path)
        #expect(result.status == 0 && server.requests.last?.hasPrefix("GET /v1/host HTTP") == true)
        #expect(
            result.err == """
                screen: virt-viewer --connect lxc:///system --attach \(vmID)
                screen: vncviewer /run/v.sock
                screen from elsewhere: ssh -N -L 5901:/run/v.sock host2, and there: vncviewer localhost:1

                """)
    }

    /// All of it goes over one connection: each one might ask for a password.
    @Test func fromAnotherMachineTheyGoThroughSSH() throws {
        let server = try RawServer([[.request, json(shown), .request, json(told)]])
        let proxy = "exec '\(Program.path)' proxy --socket '\(server.path)'"
        let result = try Folder.withSSH(proxy) { path in
            try Program.run(
                ["vm", "show", "web1", "--host", "ssh://ann@far:2222"], environment: ["PATH": path])
        }
        #expect(
            result.err == """
                screen: virt-viewer --connect lxc+ssh://ann@far:2222/system \(vmID)
                screen: ssh -N -L 5901:/run/v.sock -p 2222 ann@far, and then: vncviewer localhost:1

                """)
    }
}
