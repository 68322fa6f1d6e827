# SPDX-License-Identifier: Apache-2.0
"""How long the smallest command takes as a whole process, and a process that does nothing."""
from . import host


def run(machine, report, rounds):
    machine.start_daemon()
    rounds = rounds or 60
    nothing, ours, theirs = host.in_turns(
        [["true"], ["vctl", "version"], ["virsh", "version"]], rounds)
    report.value("true (the floor of what follows)", "ms", nothing)
    report.compare("vctl version", "ms", ours, "virsh version", theirs, goal=0.4)
