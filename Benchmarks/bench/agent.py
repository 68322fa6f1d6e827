# SPDX-License-Identifier: Apache-2.0
"""A command in a guest, by its agent: vctl exec, and virsh for the two questions that it needs at least."""
import json
import os
import time

from . import host

NAME = "agent-bench"


def ask(question):
    """Wall time in milliseconds of one virsh, and what the agent returned."""
    began = time.perf_counter()
    reply = host.run(["virsh", "qemu-agent-command", NAME, json.dumps(question)])
    return (time.perf_counter() - began) * 1e3, json.loads(reply)["return"]


def virsh():
    arguments = {"path": "/bin/true", "capture-output": True}
    first, started = ask({"execute": "guest-exec", "arguments": arguments})
    while True:
        wall, status = ask({"execute": "guest-exec-status", "arguments": {"pid": started["pid"]}})
        if status["exited"]:
            # The questions that came too early are virsh's bad luck, and not counted.
            return first + wall


def vctl():
    wall, _ = host.timed(["vctl", "exec", NAME, "true"])
    return wall


def run(machine, report, rounds):
    machine.start_daemon()
    host.run(["vctl", "image", "import", "agent-image", os.path.join(machine.images, "tiny.qcow2")])
    host.run(["vctl", "vm", "create", NAME, "--image", "agent-image", "--memory", "128M", "--network", "none",
              "--wait-for", "agent", "--timeout", "5m"])
    ours, theirs = [], []
    for turn in range(-2, rounds or 20):
        samples = vctl(), virsh()
        if turn >= 0:
            ours.append(samples[0])
            theirs.append(samples[1])
    report.compare("vctl exec true", "ms", ours, "virsh qemu-agent-command, twice", theirs, goal=1.2)
    host.run(["vctl", "vm", "delete", NAME, "--yes", "--force"])
    host.run(["vctl", "image", "delete", "agent-image", "--yes"])
