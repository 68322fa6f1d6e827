# SPDX-License-Identifier: Apache-2.0
"""Lists of 0, 100 and 1,000 VMs as whole processes."""
from . import host

GOALS = {0: 0.5, 100: None, 1000: 0.1}


def run(machine, report, rounds):
    machine.start_daemon()
    for count, goal in GOALS.items():
        machine.define_up_to(count)
        machine.await_count(count)
        ours, theirs = host.in_turns([["vctl", "vm", "list"], ["virsh", "list", "--all"]], rounds or 40)
        report.compare(f"vctl vm list, {count:,} VMs", "ms", ours, "virsh list --all", theirs, goal)
        report.value(f"vctld resident, {count:,} VMs", "MiB", [host.resident(machine.daemon.pid)])
