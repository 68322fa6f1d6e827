# SPDX-License-Identifier: Apache-2.0
"""Requests on the socket, against the least that a server can do: fixed replies of the same size."""
import json
import os
import subprocess

from . import host

SECONDS = "2"
GOALS = {1: ("p50", "µs", 100, False), 16: ("rate", "requests/s", 40_000, True)}


def load(machine, path, target, clients):
    done = json.loads(host.run([machine.tool("load"), path, target, str(clients), SECONDS]))
    done["rate"] = done["requests"] / done["seconds"]
    return done


def measure(machine, report, rounds, target):
    status, body = host.get(target)
    if status != 200:
        raise RuntimeError(f"{target}: {status}")
    path = machine.tool("responder.sock")
    responder = subprocess.Popen([machine.tool("responder"), path, str(len(body))])
    try:
        host.until(10, "the responder listens", lambda: os.path.exists(path))
        for clients, (key, unit, goal, at_least) in GOALS.items():
            pairs = [(load(machine, host.SOCKET, target, clients), load(machine, path, target, clients))
                     for _ in range(rounds)]
            ours, theirs = zip(*pairs)
            what = f"GET {target}, {clients} client{'s' if clients > 1 else ''}"
            peer = "fixed replies from C"
            report.value(f"{what}, {key}", unit, [one[key] for one in ours], goal, at_least,
                         peer, [one[key] for one in theirs])
            report.value("  its p99", "µs", [one["p99"] for one in ours],
                         peer=peer, theirs=[one["p99"] for one in theirs])
    finally:
        responder.terminate()
        responder.wait()
        os.unlink(path)


def run(machine, report, rounds):
    machine.start_daemon()
    machine.define_up_to(max(machine.defined, 1))
    machine.await_count(machine.defined)
    before = host.resident(machine.daemon.pid)
    for target in ("/v1/version", "/v1/vms/bench1"):
        measure(machine, report, rounds or 5, target)
    report.value("vctld resident before these requests", "MiB", [before])
    report.value("vctld resident after these requests", "MiB", [host.resident(machine.daemon.pid)])
