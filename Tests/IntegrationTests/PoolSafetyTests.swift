// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// What pools and volumes never lose, with a real libvirt, guests and QEMU.
    @Suite(.hosted("poolsafety"))
    struct PoolSafety {
        @Test func whatSomebodyNeedsStays() throws {
            let lab = try Lab.current
            for name in ["needed", "beside"] {
                try lab.must("pool", "create", name, "--type", "dir", "--target", "/srv/\(name)")
            }
            for name in ["base", "slept", "open", "looped", "gone"] {
                try lab.must("volume", "create", "needed/\(name)", "--size", "8M")
            }
            try lab.must("volume", "clone", "needed/base", "beside/top", "--linked")
            for _ in 0..<2 { try lab.must("pool", "start", "beside") }
            for _ in 0..<2 { try lab.must("pool", "stop", "beside") }
            try refused(lab, "base", "beside/top")
            try lab.inside("mv", "/srv/beside", "/srv/unmounted")
            try refused(lab, "base", "beside/top")
            let forgotten = try lab.vctl("pool", "delete", "beside", "--yes")
            #expect(forgotten.status == 4 && forgotten.err.contains("beside/top"), "\(forgotten)")
            let taken = try lab.vctl("vm", "create", "taker", "--import", "/srv/needed/base")
            #expect(taken.status == 4 && taken.err.contains("beside/top"), "\(taken)")
            try aSuspendedGuestsDiskStays(lab)
            try whatAQEMUOfNobodyHasStays(lab)
            try whatALoopDeviceHasStays(lab)

            try lab.inside("rm", "/srv/needed/gone")
            try lab.inside("cp", "/etc/hostname", "/srv/needed/gone")
            try eventually("another file is at its place") {
                let shown = try lab.must("volume", "show", "needed/gone", "--format", "json").out
                return try decode(Volume.self, shown).state == .replaced
            }
            try lab.must("volume", "delete", "needed/gone", "--yes")
            #expect(try lab.inside("cat", "/srv/needed/gone").status == 0)
            try lab.must("volume", "delete", "nopool/x", "needed/none", "--if-exists", "--yes")
            #expect(try lab.vctl("volume", "delete", "nopool/x", "--yes").status == 3)
            try lab.inside("mv", "/srv/unmounted", "/srv/beside")
            try lab.must("pool", "start", "beside")
            try lab.must("pool", "delete", "beside", "--yes", "--with-data")
            try lab.must("pool", "delete", "needed", "--yes", "--with-data", "--force")
        }

        @Test func aDirectoryThatIsMountedTwiceIsOne() throws {
            let lab = try Lab.current
            try lab.must("pool", "create", "once", "--type", "dir", "--target", "/srv/once")
            for path in ["/srv/twice", "/srv/once/inner"] { try lab.inside("mkdir", "-p", path) }
            for source in ["/srv/once", "/srv/once/inner"] {
                #expect(try lab.inside("mount", "--bind", source, "/srv/twice").status == 0)
                let again = try lab.vctl("pool", "create", "twice", "--type", "dir", "--target", "/srv/twice")
                #expect(again.status == 4 && again.err.contains("pool once"), "\(again)")
                #expect(try lab.inside("umount", "/srv/twice").status == 0)
            }
            try lab.must("pool", "delete", "once", "--yes")
        }

        @Test func whatIsNotMountedIsNotEmpty() throws {
            let lab = try Lab.current
            try lab.must("pool", "create", "below", "--type", "dir", "--target", "/srv/below")
            try lab.must("volume", "create", "below/base", "--size", "8M")
            for path in ["/srv/plugged", "/srv/disk"] { try lab.inside("mkdir", path) }
            #expect(try lab.inside("mount", "--bind", "/srv/disk", "/srv/plugged").status == 0)
            try lab.virsh("pool-define-as", "plugged", "dir", "--target", "/srv/plugged")
            try lab.virsh("pool-start", "plugged")
            let overlay = "qemu-img create -q -f qcow2 -b /srv/below/base -F qcow2 /srv/plugged/top"
            #expect(try lab.inside("sh", "-c", overlay).status == 0)
            let show = ["volume", "show", "plugged/top"]
            try eventually("it is seen") { try lab.run(show).out.contains("/srv/below/base") }
            #expect(try lab.inside("umount", "/srv/plugged").status == 0)
            try eventually("its pool is missing") {
                try lab.must("pool", "show", "plugged").out.contains("is its file system mounted?")
            }
            for verb in ["delete", "wipe"] {
                let refused = try lab.vctl("volume", verb, "below/base", "--yes")
                #expect(refused.status == 4 && refused.err.contains("plugged/top"), "\(refused)")
            }
            #expect(try lab.vctl("volume", "create", "plugged/new", "--size", "8M").status == 4)
            #expect(try lab.inside("mount", "--bind", "/srv/disk", "/srv/plugged").status == 0)
            try eventually("it is back") { try lab.run(show + ["-f", "json"]).out.contains(#""present""#) }
            #expect(try lab.inside("umount", "/srv/plugged").status == 0)
            try lab.must("pool", "refresh", "plugged", "--force")
            try lab.must("volume", "delete", "below/base", "--yes")
            for verb in ["pool-destroy", "pool-undefine"] { try lab.virsh(verb, "plugged") }
            try lab.must("pool", "delete", "below", "--yes")
        }

        /// Where a pool's directory is a link, its disks have the paths that the kernel has for them.
        @Test func aDiskBehindALinkIsKnownForWhatItIs() throws {
            let lab = try Lab.current
            #expect(try lab.inside("sh", "-c", "mkdir /srv/behind && ln -s behind /srv/front").status == 0)
            try lab.virsh("pool-define-as", "front", "dir", "--target", "/srv/front")
            try lab.virsh("pool-start", "front")
            let vm = try lab.create("onlink", "--disk", "256M,pool=front", "--no-start")
            let path = try #require(vm.disks.compactMap(\.path).first { $0.hasPrefix("/srv/behind/") })
            let name = try #require(path.split(separator: "/").last)
            try eventually("the volume says who has it") {
                try lab.vctl("volume", "show", "front/\(name)", "-f", "json").out.contains(#"["onlink"]"#)
            }
            try lab.remove("onlink")
            for verb in ["pool-destroy", "pool-undefine"] { try lab.virsh(verb, "front") }
        }

        private func refused(_ lab: Lab, _ name: String, _ why: String) throws {
            for words in [
                ["volume", "delete", "needed/\(name)", "--yes"],
                ["volume", "wipe", "needed/\(name)", "--yes"],
                ["volume", "resize", "needed/\(name)", "16M"],
                ["pool", "delete", "needed", "--with-data", "--yes"],
            ] {
                let outcome = try lab.run(words)
                #expect(outcome.status == 4 && outcome.err.contains(why), "\(words): \(outcome)")
            }
            #expect(FileManager.default.fileExists(atPath: "\(lab.root)/srv/needed/\(name)"))
        }

        private func aSuspendedGuestsDiskStays(_ lab: Lab) throws {
            try lab.create("sleeper")
            try lab.must("vm", "disk", "add", "sleeper", "--path", "/srv/needed/slept")
            try lab.must("vm", "suspend", "sleeper")
            try refused(lab, "slept", "VM sleeper")
            let stop = try lab.vctl("pool", "stop", "needed")
            #expect(stop.status == 4 && stop.err.contains("VM sleeper"), "\(stop)")
            try lab.remove("sleeper")
        }

        /// One that was started by hand, of which libvirt knows nothing.
        private func whatAQEMUOfNobodyHasStays(_ lab: Lab) throws {
            let script = """
                mkfifo /srv/hold
                qemu-io -f qcow2 /srv/needed/open </srv/hold >/dev/null 2>&1 &
                exec 3>/srv/hold
                until ! qemu-img info /srv/needed/open >/dev/null 2>&1; do kill -0 $! || exit 9; done
                vctl=$1
                for words in 'wipe needed/open --yes' 'resize needed/open 16M' 'delete needed/open --yes'; do
                    $vctl volume $words 2>&1 && exit 8
                done
                exec 3>&-
                wait
                rm /srv/hold
                """
            let outcome = try lab.inside("bash", "-c", script, "hold", "\(Lab.build)/vctl")
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.out.components(separatedBy: "open in QEMU").count == 4, "\(outcome)")
        }

        /// Of these no lock of QEMU's tells.
        private func whatALoopDeviceHasStays(_ lab: Lab) throws {
            let script = """
                device=$(losetup --find --show /srv/needed/looped) || exit 9
                volume=needed/looped
                for words in "wipe $volume --yes" "resize $volume 16M" "delete $volume --yes"; do
                    $1 volume $words 2>&1 && state=8
                done
                losetup -d "$device"
                exit ${state:-0}
                """
            let outcome = try lab.inside("bash", "-c", script, "loop", "\(Lab.build)/vctl")
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.out.components(separatedBy: "open for writing").count == 4, "\(outcome)")
        }

        /// The reader stands still until the volume has been written to, and then takes the rest.
        @Test func aDownloadThatWasTornIsNoSuccess() throws {
            let lab = try Lab.current
            try lab.must("pool", "create", "torn", "--type", "dir", "--target", "/srv/torn")
            try lab.must(
                "volume", "create", "torn/raw", "--size", "256M", "--format", "raw", "--preallocation", "full"
            )
            let script = """
                set -o pipefail
                $1 volume download torn/raw - | {
                    dd bs=1 count=1 status=none >/dev/null
                    $2
                    cat >/dev/null
                }
                """
            let program = "\(Lab.build)/vctl"
            let still = try lab.inside("bash", "-c", script, "torn", program, "true")
            #expect(still.status == 0, "\(still)")
            let torn = try lab.inside(
                "bash", "-c", script, "torn", program,
                "dd if=/dev/urandom of=/srv/torn/raw bs=1 count=1 conv=notrunc")
            #expect(torn.status != 0, "\(torn)")
            try lab.must("pool", "delete", "torn", "--yes", "--with-data")
        }

        @Test func theDataOfOtherPoolsAreNotDeleted() throws {
            let lab = try Lab.current
            let xml = try lab.write(
                "logical.xml",
                "<pool type='logical'><name>vg</name><source><name>vg</name></source>"
                    + "<target><path>/dev/vg</path></target></pool>")
            try lab.virsh("pool-define", xml)
            try lab.must("pool", "adopt", "vg")
            let refused = try lab.vctl("pool", "delete", "vg", "--with-data", "--force", "--yes")
            #expect(refused.status == 4 && refused.err.contains("keeps the data"), "\(refused)")
            try lab.must("pool", "delete", "vg", "--yes")
            #expect(try !lab.virsh("pool-list", "--all", "--name").lines.contains("vg"))
        }
    }
}
