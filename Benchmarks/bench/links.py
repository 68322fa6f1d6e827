# SPDX-License-Identifier: Apache-2.0
"""Links and rules: a bridge, a TAP on it and the rules of a NAT network, against the commands that make as
much of them. Once the kernel's part alone, as vctld does it (links.swift); once whole requests, each an
operation that would survive a crash and is known by its mark."""
import json
import threading
import time

from . import host

GOAL = 10
# Of each kind in one round.
COUNT = 20
CLIENTS = 8


class Failed(RuntimeError):
    pass


def ask(connection, method, target, body=None):
    """One request whose operation, if it begins one, has succeeded; in milliseconds."""
    start = time.perf_counter()
    text = json.dumps(body) if body is not None else None
    connection.request(method, target, text, {"Content-Type": "application/json"} if text else {})
    reply = connection.getresponse()
    answer = json.loads(reply.read() or "{}")
    if reply.status == 202:
        connection.request("GET", f"/v1/operations/{answer['id']}/wait?timeout=60s")
        answer = json.loads(connection.getresponse().read())
        if answer["status"] != "succeeded":
            raise Failed(f"{method} {target}: {answer}")
    elif reply.status >= 300:
        raise Failed(f"{method} {target}: {reply.status} {answer}")
    return (time.perf_counter() - start) * 1e3


class Ours:
    """By the API, on a connection that stays open."""

    def __init__(self, clients=1):
        self.connections = [host.UnixConnection(host.SOCKET) for _ in range(clients)]

    @staticmethod
    def requests(kind, number):
        subnet = f"10.{200 + number // 250}.{number % 250}.0/24"
        return {
            "bridge": ("bridges", {"name": f"ob{number}"}),
            "tap": ("taps", {"name": f"ot{number}", "bridge": f"ob{number}"}),
            "rules": ("networks", {"name": f"on{number}", "model": "nat", "subnet": subnet, "start": False}),
        }[kind]

    def each(self, numbers, body):
        """Calls `body` with a connection and a number, on as many threads as there are connections."""
        failures = []

        def work(share, connection):
            try:
                for number in numbers[share::len(self.connections)]:
                    body(connection, number)
            except Exception as error:  # pylint: disable=broad-except
                failures.append(error)

        threads = [threading.Thread(target=work, args=pair) for pair in enumerate(self.connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def make(self, kind, numbers):
        def one(connection, number):
            noun, body = self.requests(kind, number)
            ask(connection, "POST", f"/v1/{noun}", body)
        self.each(numbers, one)

    def remove(self, kind, numbers):
        def one(connection, number):
            noun, body = self.requests(kind, number)
            ask(connection, "DELETE", f"/v1/{noun}/{body['name']}")
        self.each(numbers, one)


class Commands:
    """By one command for each thing, as a script would."""

    def __init__(self):
        for hook in ("forward { type filter hook forward priority 0; }",
                     "postrouting { type nat hook postrouting priority 100; }"):
            name, rest = hook.split(" ", 1)
            host.run(["nft", "add", "table", "inet", "peer"])
            host.run(["nft", "add", "chain", "inet", "peer", name, rest])

    @staticmethod
    def commands(kind, number):
        bridge, tap = f"pb{number}", f"pt{number}"
        subnet = f"10.{210 + number // 250}.{number % 250}.0/24"
        rule = ["nft", "add", "rule", "inet", "peer"]
        return {
            "bridge": [["ip", "link", "add", bridge, "type", "bridge"], ["ip", "link", "set", bridge, "up"]],
            "tap": [["ip", "tuntap", "add", "dev", tap, "mode", "tap"],
                    ["ip", "link", "set", tap, "master", bridge, "up"]],
            "rules": [
                rule + ["forward", "iifname", bridge, "oifname", bridge, "accept"],
                rule + ["forward", "oifname", bridge, "ct", "state", "established,related", "accept"],
                rule + ["forward", "oifname", bridge, "drop"],
                rule + ["forward", "iifname", bridge, "ip", "saddr", "!=", subnet, "drop"],
                rule + ["forward", "iifname", bridge, "meta", "nfproto", "ipv6", "drop"],
                rule + ["postrouting", "ip", "saddr", subnet, "oifname", "!=", bridge,
                        "ip", "daddr", "!=", "224.0.0.0/4", "masquerade"],
            ],
        }[kind]

    def make(self, kind, numbers):
        for number in numbers:
            for words in self.commands(kind, number):
                host.timed(words)

    @staticmethod
    def remove(kind, numbers):
        if kind == "rules":
            for chain in ("forward", "postrouting"):
                host.run(["nft", "flush", "chain", "inet", "peer", chain])
            return
        for number in numbers:
            host.run(["ip", "link", "delete", f"p{kind[0]}{number}"])

    @staticmethod
    def end():
        host.run(["nft", "delete", "table", "inet", "peer"])


def rate(body, count):
    start = time.perf_counter()
    body()
    return count / (time.perf_counter() - start)


def rules():
    return host.run(["nft", "-s", "list", "ruleset"])


def together(speeds):
    """What one of each kind comes to, round by round."""
    return [1 / sum(1 / speed for speed in kinds) for kinds in zip(*speeds.values())]


def run(machine, report, rounds):
    machine.start_daemon()
    before = host.links(), rules()
    kinds = ("bridge", "tap", "rules")
    peer = Commands()
    sides = {"requests of one client": Ours(), f"requests of {CLIENTS} clients": Ours(CLIENTS)}
    seen = {name: {kind: [] for kind in kinds} for name in ["calls", *sides, "commands"]}
    for turn in range(-1, rounds or 5):
        calls = json.loads(host.run([machine.tool("links"), "100"]))
        for kind in kinds if turn >= 0 else ():
            seen["calls"][kind].append(calls[kind])
        for name, side in [*sides.items(), ("commands", peer)]:
            numbers = range(COUNT)
            for kind in kinds:
                speed = rate(lambda: side.make(kind, numbers), COUNT)  # pylint: disable=cell-var-from-loop
                if turn >= 0:
                    seen[name][kind].append(speed)
            for kind in reversed(kinds):
                side.remove(kind, numbers)
    peer.end()
    peers = {"bridge": "ip link add, set", "tap": "ip tuntap add, ip link set",
             "rules": "nft add rule, 6 times"}
    words = {"bridge": "bridges", "tap": "TAPs on bridges", "rules": "rules of NAT networks"}
    for name in ("calls", *sides):
        for kind in kinds:
            report.compare(f"{words[kind]}, {name}", "/s", seen[name][kind], peers[kind],
                           seen["commands"][kind])
        report.compare(f"one of each, {name}", "/s", together(seen[name]), "the same commands",
                       together(seen["commands"]), GOAL, at_least=True)
    host.expect_links(before[0])
    # The rules of the last one go with the end of its operation.
    host.until(10, "all rules are gone", lambda: rules() == before[1])
