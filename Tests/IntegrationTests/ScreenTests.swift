// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// Pictures of screens, and viewers of them.
    @Suite(.hosted("screen"))
    struct Screens {
        /// Prints the size, the number of colours, and whether all rows are there; fails for what is no PNG.
        private static let reader = """
            import struct, sys, zlib
            data = open(sys.argv[1], 'rb').read()
            assert data[:8] == b'\\x89PNG\\r\\n\\x1a\\n'
            at, parts = 8, {}
            while at < len(data):
                length, kind = struct.unpack('>I4s', data[at:at + 8])
                body = data[at + 8:at + 8 + length]
                sum = struct.unpack('>I', data[at + 8 + length:at + 12 + length])[0]
                assert sum == zlib.crc32(kind + body)
                parts[kind] = parts.get(kind, b'') + body
                at += 12 + length
            width, height, depth, colour = struct.unpack('>IIBB', parts[b'IHDR'][:10])
            rows = zlib.decompress(parts[b'IDAT'])
            assert len(rows) == height * (1 + width * 3) and (depth, colour) == (8, 2)
            print(width, height, len({rows[i:i + 3] for i in range(1, len(rows), 3)}) > 1)
            """

        /// What the picture should measure, by QEMU's own in another format.
        private func size(_ lab: Lab, _ vm: String) throws -> String {
            try lab.virsh("qemu-monitor-command", vm, "--hmp", "screendump \(lab.files)/peer.ppm")
            let head = try Data(contentsOf: URL(fileURLWithPath: "\(lab.files)/peer.ppm")).prefix(20)
            let words = String(decoding: head, as: UTF8.self).split(whereSeparator: \.isWhitespace)
            return "\(words[1]) \(words[2])"
        }

        @Test func aPictureIsAPNGOfTheScreensSize() throws {
            let lab = try Lab.current
            try lab.create("scr1", "--network", "none")
            try lab.awaitConsole("scr1", "GUEST-UP name=scr1")
            let script = try lab.write("png.py", Self.reader)
            let path = "\(lab.files)/one.png"
            try lab.must("vm", "show", "scr1", "--screenshot", path)
            let shown = try Shell.must(["python3", script, path]).text
            #expect(shown == "\(try size(lab, "scr1")) True")
            let picture = try lab.curl(
                "-f", "-D", "-", "-o", "\(lab.files)/two.png", "http://x/v1/vms/scr1/screenshot")
            #expect(picture.out.lowercased().contains("content-type: image/png"))
            _ = try Shell.must(["python3", script, "\(lab.files)/two.png"])
            try Shell.must(
                ["sh", "-c", "\(Lab.build)/vctl vm show scr1 --screenshot - > \(lab.files)/three.png"],
                environment: ["VCTL_SOCKET": lab.socket])
            _ = try Shell.must(["python3", script, "\(lab.files)/three.png"])
            let unwritable = try lab.vctl("vm", "show", "scr1", "--screenshot", "/nonexistent/x.png")
            #expect(unwritable.status == 1 && unwritable.err.contains("file.unwritable"))
            try lab.must("vm", "stop", "scr1", "--force")
            let off = try lab.vctl("vm", "show", "scr1", "--screenshot", path)
            #expect(off.status == 4 && off.err.contains("vm.state"))
            try lab.remove("scr1")
        }

        /// Says who answers on a Unix socket inside the host.
        private func greeting(_ lab: Lab, _ socket: String, sends: String = "") throws -> String {
            let script = """
                import socket, sys
                s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect(sys.argv[1])
                s.sendall(bytes.fromhex(sys.argv[2])); print(s.recv(12))
                """
            return try lab.inside("python3", "-c", script, socket, sends).out
        }

        @Test func aViewerFindsItsSocket() throws {
            let lab = try Lab.current
            try lab.create("scr2", "--network", "none", "--graphics", "vnc")
            let vnc = try #require(lab.vm("scr2").graphics?.first)
            #expect(vnc.type == "vnc" && vnc.port == nil)
            let socket = try #require(vnc.socket)
            #expect(try greeting(lab, socket).contains("RFB 003.008"))
            let shown = try lab.must("vm", "show", "scr2")
            #expect(shown.out.contains(socket) && shown.err.contains("vncviewer \(socket)"))
            #expect(try lab.must("vm", "show", "scr2", "-f", "json").err == "")
            try lab.must("vm", "set", "scr2", "--graphics", "none")
            #expect(try lab.vm("scr2").pending?["graphics"] == "none")
            try lab.must("vm", "restart", "scr2", "--force", "--grace", "0s")
            #expect(try lab.vm("scr2").graphics == nil)
            let blind = try lab.vctl("vm", "show", "scr2", "--screenshot", "\(lab.files)/no.png")
            #expect(blind.status == 4 && blind.err.contains("vm.noScreen"), "\(blind)")
            #expect(blind.err.contains("--graphics vnc"))
            try spice(lab)
            try lab.remove("scr2")
        }

        /// There and back; a host whose QEMU was built without SPICE says so.
        private func spice(_ lab: Lab) throws {
            let capabilities = try lab.virsh("domcapabilities").out
            let set = try lab.vctl("vm", "set", "scr2", "--graphics", "spice")
            guard capabilities.contains("<value>spice</value>") else {
                #expect(set.status == 64 && set.err.contains("graphics"))
                return
            }
            try lab.must("vm", "restart", "scr2", "--force", "--grace", "0s")
            let spice = try #require(lab.vm("scr2").graphics?.first)
            #expect(spice.type == "spice")
            // A link message of the main channel, without capabilities; the answer begins alike.
            let hello = "52454451020000000200000012000000" + "00000000010000000000000000000000" + "1200"
            let socket = try #require(spice.socket)
            #expect(try greeting(lab, socket, sends: hello).contains("REDQ"))
            try lab.must("vm", "set", "scr2", "--graphics", "vnc")
            try lab.must("vm", "restart", "scr2", "--force", "--grace", "0s")
            #expect(try lab.vm("scr2").graphics?.map(\.type) == ["vnc"])
        }

        @Test func withoutAScreenThereIsNone() throws {
            let lab = try Lab.current
            try lab.create("scr3", "--network", "none", "--graphics", "none", "--no-start")
            let xml = try lab.must("vm", "xml", "scr3").out
            #expect(!xml.contains("<graphics") && !xml.contains("<video"))
            try lab.remove("scr3")
        }
    }
}
