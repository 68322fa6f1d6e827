# SPDX-License-Identifier: Apache-2.0
"""Networks: made and started against virsh's two commands, and how the time grows with their number."""
import os

from . import host

GOAL = 0.8
# So many are there at the end of the second part. Each has a dnsmasq, and
# of those Linux lets a user have 128 unless told otherwise (fs.inotify.max_user_instances).
MANY, BLOCK = 100, 20
PEER = """<network><name>{name}</name><forward mode='nat'/><bridge stp='off' delay='0'/>
<ip address='10.{net}.{sub}.1' netmask='255.255.255.0'><dhcp>
<range start='10.{net}.{sub}.2' end='10.{net}.{sub}.254'/></dhcp></ip></network>"""


class Networks:
    def __init__(self, machine):
        self.machine = machine
        self.number = 0

    def next_subnet(self):
        self.number += 1
        return 100 + self.number // 250, self.number % 250

    def create(self, name):
        net, sub = self.next_subnet()
        return host.timed(["vctl", "network", "create", name, "--model", "nat",
                           "--subnet", f"10.{net}.{sub}.0/24"])[0]

    @staticmethod
    def delete(name):
        return host.timed(["vctl", "network", "delete", name, "--yes"])[0]

    def virsh(self, name):
        net, sub = self.next_subnet()
        path = self.machine.tool(f"{name}.xml")
        with open(path, "w", encoding="ascii") as file:
            file.write(PEER.format(name=name, net=net, sub=sub))
        wall = sum(host.timed(["virsh", "-q", *words])[0]
                   for words in (["net-define", path], ["net-start", name]))
        host.run(["virsh", "-q", "net-destroy", name])
        host.run(["virsh", "-q", "net-undefine", name])
        os.remove(path)
        return wall


def run(machine, report, rounds):
    machine.start_daemon()
    networks = Networks(machine)
    ours, theirs = [], []
    for turn in range(-1, rounds or 9):
        walls = networks.create(f"ours{turn + 1}"), networks.virsh(f"peer{turn + 1}")
        networks.delete(f"ours{turn + 1}")
        if turn >= 0:
            ours.append(walls[0])
            theirs.append(walls[1])
    report.compare("network create, NAT", "ms", ours, "virsh net-define, net-start", theirs, GOAL)

    before = host.links()
    made = [networks.create(f"many{number}") for number in range(MANY)]
    crowd = [networks.virsh(f"crowd{turn}") for turn in range(len(theirs))]
    gone = [networks.delete(f"many{number}") for number in reversed(range(MANY))]
    for what, walls in (("create", made), ("delete", gone[::-1])):
        report.value(f"network {what}, the first {BLOCK}", "ms", walls[:BLOCK])
        report.value(f"network {what}, the last {BLOCK} of {MANY}", "ms", walls[-BLOCK:])
    report.value(f"virsh net-define, net-start beside {MANY}", "ms", crowd, peer="alone", theirs=theirs)
    host.expect_links(before)
