# SPDX-License-Identifier: Apache-2.0
"""From an image to a running guest: vctl, virt-install, and a bare C program; linked disks, equal seeds.

vctld is suspended while the peers run, so that its reading of their domains costs them nothing.
"""
import json
import os
import re
import signal
import time
import uuid
from datetime import datetime

from . import host

SEED = {"meta-data": "instance-id: {name}\nlocal-hostname: {name}\n",
        "user-data": "#!/bin/sh\necho hello\n",
        "network-config": "version: 2\nethernets: {{all: {{match: {{driver: virtio_net}}, dhcp4: true}}}}\n"}
POOL = "/var/lib/libvirt/images"


class Creation:
    def __init__(self, machine):
        self.machine = machine
        self.image = os.path.join(POOL, "peer-base.qcow2")
        self.phases = {"vctl": [], "bare": []}
        self.template = None

    def prepare(self):
        source = os.path.join(self.machine.images, "tiny.qcow2")
        host.run(["vctl", "image", "import", "tiny", source])
        host.run(["cp", source, self.image])
        host.run(["chmod", "0444", self.image])

    def seed_folder(self, name):
        folder = self.machine.tool(f"seed-{name}")
        os.makedirs(folder, exist_ok=True)
        for file, text in SEED.items():
            with open(os.path.join(folder, file), "w", encoding="ascii") as out:
                out.write(text.format(name=name))
        return folder

    def vctl(self, name):
        folder = self.seed_folder(name)
        words = ["vctl", "vm", "create", name, "--image", "tiny", "--memory", "128M", "--wait-for", "running",
                 "--cloud-init", f"{folder}/user-data", "--network-config", f"{folder}/network-config"]
        began = time.time()
        wall, _ = host.timed(words)
        self.note(began, began + wall / 1e3)
        if not self.template:
            self.template = host.run(["vctl", "vm", "xml", name, "--inactive"])
        self.check(name)
        host.run(["vctl", "vm", "delete", name, "--yes", "--force"])
        return wall

    def note(self, began, ended):
        operation = json.loads(host.get("/v1/operations")[1])
        creations = [one for one in operation if one["kind"] == "vm.create"]
        newest = max(creations, key=lambda one: one["createdAt"])
        stamps = [newest[key].replace("Z", "+00:00") for key in ("createdAt", "startedAt", "finishedAt")]
        times = [began, *(datetime.fromisoformat(stamp).timestamp() for stamp in stamps), ended]
        names = ("accepted", "queued", "run", "told")
        self.phases["vctl"].append({name: (b - a) * 1e3 for name, a, b in zip(names, times, times[1:])})

    def virt_install(self, name):
        disk, seed = f"{POOL}/{name}.qcow2", f"{POOL}/{name}-seed.iso"
        folder = self.seed_folder(name)
        steps = [
            ["qemu-img", "create", "-q", "-f", "qcow2", "-o", "compat=1.1", "-F", "qcow2",
             "-b", self.image, disk],
            ["xorriso", "-as", "mkisofs", "-quiet", "-volid", "cidata", "-joliet", "-rock", "-uid", "0",
             "-gid", "0", "-file-mode", "0400", "-dir-mode", "0500", "-output", seed, folder],
            ["virt-install", "--connect", "qemu:///system", "--name", name, "--memory", "128", "--vcpus", "1",
             "--virt-type", "qemu", "--import", "--osinfo", "detect=off,require=off", "--machine", "q35",
             "--cpu", "mode=maximum", "--disk", f"path={disk},bus=virtio,discard=unmap",
             "--controller", "scsi,model=virtio-scsi", "--disk", f"path={seed},device=cdrom,bus=scsi",
             "--network", "network=default,model=virtio", "--rng", "/dev/urandom",
             "--graphics", "vnc,listen=socket", "--noautoconsole", "--quiet",
             "--channel", "unix,target.type=virtio,target.name=org.qemu.guest_agent.0"]]
        wall = sum(host.timed(words)[0] for words in steps)
        self.remove(name, disk, seed)
        return wall

    def bare(self, name):
        disk, seed = f"{POOL}/{name}.qcow2", f"{POOL}/{name}-seed.iso"
        domain = self.machine.tool(f"{name}.xml")
        with open(domain, "w", encoding="utf-8") as file:
            file.write(self.domain(name, disk, seed))
        words = [self.machine.tool("bare"), domain, self.image, disk, self.seed_folder(name), seed]
        began = time.perf_counter()
        phases = json.loads(host.run(words))
        wall = (time.perf_counter() - began) * 1e3
        self.phases["bare"].append(phases)
        self.remove(name, disk, seed)
        return wall

    def domain(self, name, disk, seed):
        """The definition that vctl made, with a name and files of its own."""
        text = self.template
        text = re.sub(r"<name>.*?</name>", f"<name>{name}</name>", text, count=1)
        text = re.sub(r"<uuid>.*?</uuid>", f"<uuid>{uuid.uuid4()}</uuid>", text, count=1)
        text = re.sub(r"<metadata>.*?</metadata>", "", text, count=1, flags=re.S)
        text = re.sub(r"<mac address='[^']*'/>", "", text)
        text = re.sub(r"<target dev='vt[^']*'/>", "", text)
        text = re.sub(r"<source file='[^']*\.qcow2'/>", f"<source file='{disk}'/>", text)
        text = re.sub(r"<source file='[^']*\.iso'/>", f"<source file='{seed}'/>", text)
        return re.sub(r"<log file='[^']*'", f"<log file='{self.machine.tool(name)}.log'", text)

    @staticmethod
    def check(name):
        if "running" not in host.run(["virsh", "domstate", name]):
            raise RuntimeError(f"{name} does not run")

    def remove(self, name, *files):
        self.check(name)
        host.run(["virsh", "destroy", name])
        host.run(["virsh", "undefine", name, "--nvram"])
        for file in files:
            os.unlink(file)


def suspended(machine, measure, name):
    machine.daemon.send_signal(signal.SIGSTOP)
    try:
        return measure(name)
    finally:
        machine.daemon.send_signal(signal.SIGCONT)
        # It reads what it missed before the next measurement begins.
        machine.await_count(machine.defined)
        time.sleep(0.3)


def run(machine, report, rounds):
    machine.start_daemon()
    creation = Creation(machine)
    creation.prepare()
    ours, install, bare = [], [], []
    for turn in range(-1, rounds or 12):
        times = [creation.vctl(f"v{turn + 1}"), suspended(machine, creation.virt_install, f"i{turn + 1}"),
                 suspended(machine, creation.bare, f"b{turn + 1}")]
        if turn >= 0:
            for samples, wall in zip((ours, install, bare), times):
                samples.append(wall)
    report.compare("vctl vm create to running", "ms", ours, "qemu-img, xorriso, virt-install", install, 0.5)
    report.compare("vctl vm create to running", "ms", ours, "bare C program", bare, 1.1)
    # No program that starts a domain through libvirt can be faster than this.
    report.compare("(bare C program)", "ms", bare, "qemu-img, xorriso, virt-install", install)
    for who, phases in creation.phases.items():
        for phase in phases[0]:
            report.value(f"  {who}: {phase}", "ms", [one[phase] for one in phases[1:]])
    host.run(["vctl", "image", "delete", "tiny", "--yes"])
    os.unlink(creation.image)
