// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VirtXML

/// Parts of a definition that are written the same way into a new one and into one that exists.
enum Hardware {
    /// `<cpu>` for a named model, or `host`, `host-model`, `max`.
    static func cpu(_ model: String) -> Element {
        switch model {
        case "host", "host-passthrough":
            return Element("cpu", ["mode": "host-passthrough", "check": "none", "migratable": "on"])
        case "host-model":
            return Element("cpu", ["mode": "host-model", "check": "partial"])
        case "max", "maximum":
            // QEMU's fullest model: TCG's default one lacks what newer distributions are compiled for.
            return Element("cpu", ["mode": "maximum", "check": "none", "migratable": "on"])
        default:
            var cpu = Element("cpu", ["mode": "custom", "match": "exact", "check": "partial"])
            cpu.append(Element("model", ["fallback": "forbid"], text: model))
            return cpu
        }
    }

    /// The cell of a guest without NUMA: libvirt accepts `<maxMemory>` only together with one that DIMMs can
    /// be plugged into.
    static func numaCell(cpus: Int, memoryBytes: UInt64) -> Element {
        Element(
            "cell",
            ["id": "0", "cpus": cpuRange(cpus), "memory": String(memoryBytes), "unit": "bytes"])
    }

    /// `0`, or `0-3`.
    static func cpuRange(_ count: Int) -> String { count == 1 ? "0" : "0-\(count - 1)" }

    /// Lets libvirt choose the firmware's image. Variables of another firmware are not taken along, and the
    /// file that they are in stays where it is.
    static func setFirmware(_ firmware: Firmware, variables: String?, of domain: inout DomainXML) {
        for path in ["os/loader", "os/nvram", "os/firmware"] { domain.element.remove(Path(path)) }
        guard firmware != .bios else {
            domain.osFirmware = nil
            return
        }
        let secure = firmware == .uefiSecure
        domain.osNvram = variables
        domain.osFirmware = "efi"
        // Unless it is told, libvirt picks an image with secure boot, under which a plain kernel hangs.
        var features = [Element("feature", ["enabled": secure ? "yes" : "no", "name": "secure-boot"])]
        if secure { features.append(Element("feature", ["enabled": "yes", "name": "enrolled-keys"])) }
        domain.element[path: "os/firmware"] = Element("firmware", children: features)
        if secure {
            domain.osLoaderSecure = true
            domain.smm = true
        }
    }

    /// By which a guest says that it has panicked; without it a panic is known to nobody.
    static func addPanicDevice(to domain: inout DomainXML) {
        guard domain.osArch == "x86_64", domain.element.first("devices/panic") == nil else { return }
        domain.element[path: "devices/panic"] = Element("panic", ["model": "isa"])
    }

    /// Gives it a screen on a Unix socket of libvirt's choosing, with a card if it has none; or takes all
    /// away.
    static func setGraphics(_ kind: GraphicsKind, of domain: inout DomainXML) {
        if kind != .spice { removeSpice(from: &domain) }
        guard kind != .none else {
            (domain.graphics, domain.videos) = ([], [])
            domain.inputs = domain.inputs.filter { $0.type != "tablet" }
            return
        }
        var screen = GraphicsXML()
        screen.type = kind.rawValue
        screen.listenType = "socket"
        domain.graphics = [screen]
        if domain.videos.allSatisfy({ $0.model == "none" }) { domain.videos = [card] }
        if !domain.inputs.contains(where: { $0.type == "tablet" }) { domain.inputs.append(tablet) }
    }

    /// What only SPICE can carry keeps libvirt from starting a domain that has no SPICE.
    private static func removeSpice(from domain: inout DomainXML) {
        domain.channels = domain.channels.filter { $0.type != "spicevmc" }
        for name in ["audio", "redirdev", "smartcard"] {
            guard let device = domain.element[path: Path("devices/\(name)")] else { continue }
            guard let type = device[attribute: "type"], ["spice", "spicevmc"].contains(type) else { continue }
            domain.element.remove(Path("devices/\(name)"))
        }
    }

    /// The plain VGA card is built into QEMU, while virtio's is a module that distributions package apart.
    private static var card: VideoXML {
        var card = VideoXML()
        card.model = "vga"
        return card
    }

    /// A tablet's pointer follows the viewer's; a mouse's drifts away from it.
    private static var tablet: InputXML {
        var tablet = InputXML()
        tablet.type = "tablet"
        tablet.bus = "usb"
        return tablet
    }

    /// A TPM 2.0 that swtpm emulates.
    static var tpm: TpmXML {
        var tpm = TpmXML()
        tpm.model = "tpm-crb"
        tpm.backendType = "emulator"
        tpm.version = "2.0"
        return tpm
    }
}
