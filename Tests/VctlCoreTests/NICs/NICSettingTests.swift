// SPDX-License-Identifier: Apache-2.0
import Testing
import VctlAPI
import VirtXML

@testable import VctlCore

/// What changes of a NIC do to its definition.
struct NICSettingTests {
    private static let foreign = """
        <interface type='network'>
          <!-- an admin's remark -->
          <mac address='52:54:00:00:00:01'/>
          <source network='default'/>
          <target dev='vt1'/>
          <model type='virtio'/>
          <driver name='vhost' txmode='iothread'/>
          <coalesce><rx><frames max='7'/></rx></coalesce>
        </interface>
        """

    private func nic(_ text: String = foreign) throws -> InterfaceXML {
        InterfaceXML(element: try Document(parsing: text).root)
    }

    private func text(_ nic: InterfaceXML) -> String { Document(root: nic.element).serialized() }

    private static let patches: [(@Sendable (inout VMNICPatch) throws -> Void, String)] = [
        ({ $0.network = .name("lab") }, "<source network='lab'/>"),
        ({ $0.bridge = try LinkName(checking: "br0") }, "<source bridge='br0'/>"),
        ({ $0.link = false }, "<link state='down'/>"),
        ({ $0.model = "e1000e" }, "<model type='e1000e'/>"),
        ({ $0.vlan = Removable(try VLANID(checking: 20)) }, "<tag id='20'/>"),
        ({ $0.mtu = Removable(try MTU(checking: 1400)) }, "<mtu size='1400'/>"),
        ({ $0.queues = Removable(2) }, "<driver name='vhost' txmode='iothread' queues='2'/>"),
        ({ $0.isolated = true }, "<port isolated='yes'/>"),
        (
            {
                $0.inbound = Removable(
                    RateLimit(
                        average: try BitRate("10M"), peak: try BitRate("20M"), burst: try ByteCount("64K")))
            }, "<inbound average='1250' peak='2500' burst='64'/>"
        ),
        ({ $0.outbound = Removable(RateLimit(average: try BitRate("8k"))) }, "<outbound average='1'/>"),
    ]

    @Test(arguments: patches.indices)
    func oneThingChangesAndCanBePutBack(_ index: Int) throws {
        let (change, wanted) = Self.patches[index]
        var patch = VMNICPatch()
        try change(&patch)
        let setting = NICSetting(patch, network: patch.network?.description)
        let old = try nic()
        var new = old
        setting.apply(to: &new)
        #expect(text(new).contains(wanted), "\(text(new))")
        #expect(text(new).contains("an admin's remark") && text(new).contains("frames max='7'"))
        setting.before(old).apply(to: &new)
        #expect(
            VM.NIC(new)?.described == VM.NIC(old)?.described && new.type == "network", "\(text(new))")
    }

    @Test func nullTakesAway() throws {
        var full = try nic()
        var all = NICSetting()
        (all.vlan, all.mtu, all.queues, all.isolated) = (5, 1400, 2, true)
        (all.inbound, all.outbound) = (.init(average: 10), .init(average: 20))
        all.apply(to: &full)
        var patch = VMNICPatch()
        (patch.vlan, patch.mtu, patch.queues) = (Removable(nil), Removable(nil), Removable(nil))
        (patch.isolated, patch.inbound, patch.outbound) = (false, Removable(nil), Removable(nil))
        NICSetting(patch, network: nil).apply(to: &full)
        for word in ["vlan", "mtu", "queues", "port", "bandwidth"] {
            #expect(!text(full).contains("<\(word)") && !text(full).contains(" \(word)="), "\(text(full))")
        }
    }

    @Test func whatCanBeAtOnceIsToldApart() {
        var setting = NICSetting()
        (setting.link, setting.isolated, setting.network) = (false, true, "lab")
        setting.inbound = .init(average: 1)
        #expect(!setting.waits && setting.atOnce == setting)
        setting.mtu = 1400
        #expect(setting.waits && setting.atOnce.mtu == nil)
    }

    @Test func ratesAreShownAsTheyWereSaid() throws {
        let limit = RateLimit(average: try BitRate("1.6M"), peak: try BitRate("3200k"), burst: nil)
        #expect(NICSetting.Rate(limit).limit == limit)
        let odd = RateLimit(average: try BitRate("1.5M"))
        #expect(NICSetting.Rate(odd).limit?.averageBitsPerSecond.number == 1_504_000, "libvirt's next unit")
        #expect(NICSetting.Rate(average: 0).limit == nil)
        #expect(NICSetting.Rate(average: .max).limit == nil, "what somebody wrote by hand")
    }

    @Test(arguments: [
        (1, ["nic": 1, "vda": 2, "sda": 3]), (2, ["vda": 1, "nic": 2, "sda": 3]),
        (3, ["vda": 1, "sda": 2, "nic": 3]), (9, ["vda": 1, "sda": 2, "nic": 9]),
    ])
    func othersMoveBack(_ place: Int, _ wanted: [String: Int]) {
        var order = BootOrder(["vda": 1, "sda": 2])
        order.put("nic", at: place)
        #expect(order.places == wanted)
        order.put("nic", at: place)
        #expect(order.places == wanted, "once more is the same")
        order.put("nic", at: nil)
        #expect(order.places["nic"] == nil && order.places.count == 2)
    }

    @Test func gapsAreFilledAndNoMore() {
        var order = BootOrder(["vda": 1, "sda": 3])
        order.put("nic", at: 1)
        #expect(order.places == ["nic": 1, "vda": 2, "sda": 3])
    }
}

extension VM.NIC {
    /// All that a NIC of a domain says, with a state of its cable that need not be written.
    fileprivate var described: [String] {
        ["\(self)", "\(link == true)"]
    }
}
