# SPDX-License-Identifier: Apache-2.0
"""What the daemon needs when nobody asks it anything, and how soon it is there."""
import os
import shutil
import time

from . import host

IDLE_SECONDS = 60
MANY = 1000


def idle(machine, report, count):
    """A fresh daemon, so that nothing of what was measured before is in its memory."""
    machine.stop_daemon()
    machine.start_daemon()
    machine.await_count(count)
    time.sleep(5)
    pid, peer = machine.daemon.pid, machine.libvirtd()
    goal = 64 if count < MANY else 128
    report.value(f"vctld resident, idle, {count:,} VMs", "MiB", [host.resident(pid)], goal,
                 peer="libvirtd", theirs=[host.resident(peer)])
    before = host.processor(pid), host.processor(peer)
    time.sleep(IDLE_SECONDS)
    used = host.processor(pid) - before[0], host.processor(peer) - before[1]
    ours, theirs = ([seconds / IDLE_SECONDS * 100] for seconds in used)
    report.value(f"vctld idle, {count:,} VMs, {IDLE_SECONDS} s", "% of a core", ours, 0.2,
                 peer="libvirtd", theirs=[max(theirs[0], 1e-6)])


def after_requests(machine, report):
    target = "/v1/vms/bench1"
    samples = []
    for _ in range(2):
        connection = host.UnixConnection(host.SOCKET)
        for _ in range(5000):
            connection.request("GET", target)
            connection.getresponse().read()
        connection.close()
        samples.append(host.resident(machine.daemon.pid))
    report.value(f"vctld resident after 10,000 requests, {MANY:,} VMs", "MiB", samples[-1:], 128)


def ready(machine, report, rounds):
    machine.stop_daemon()
    known, empty = [], []
    state, path = machine.tool("empty"), machine.tool("empty.sock")
    for _ in range(rounds):
        known.append(machine.start_daemon())
        machine.stop_daemon()
        shutil.rmtree(state, ignore_errors=True)
        os.mkdir(state, 0o711)
        process, seconds = machine.launch("--state-dir", state, "--socket", path, path=path)
        empty.append(seconds)
        machine.end(process)
    report.value(f"ready, {MANY:,} domains known", "s", known, 1)
    report.value(f"ready, {MANY:,} domains, empty inventory", "s", empty, 1)


def run_empty(machine, report, rounds):
    if machine.defined == 0:
        idle(machine, report, 0)


def run(machine, report, rounds):
    machine.define_up_to(MANY)
    idle(machine, report, MANY)
    after_requests(machine, report)
    ready(machine, report, rounds or 5)
