#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who reaches whom: `serve` tells each that connects from which address it came; `ask HOST...` prints that
for each, in order, or `-` for one that is not reached; `ping HOST` asks until it is told to end (SIGTERM),
and says how many echoes were lost."""
import select
import signal
import socket
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor

PORT = 7000
PATIENCE = 4


def serve():
    listener = socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
    while True:
        connection, peer = listener.accept()
        connection.sendall(peer[0].removeprefix("::ffff:").encode() + b"\n")
        connection.close()


def ask(host):
    address, _, port = host.partition("@")
    try:
        with socket.create_connection((address, int(port or PORT)), timeout=PATIENCE) as connection:
            return connection.makefile().readline().strip()
    except OSError:
        return "-"


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def ping(host):
    ended, sent, heard = [], 0, set()
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as line:
        until = None
        while until is None or (time.monotonic() < until and len(heard) < sent):
            if until is None and ended:
                until = time.monotonic() + 3
            elif until is None:
                time.sleep(0.05)
                sent += 1
                plain = struct.pack("!BBHHH", 8, 0, 0, 4711, sent)
                line.sendto(plain[:2] + struct.pack("!H", checksum(plain)) + plain[4:], (host, 0))
            if select.select([line], [], [], 0.05)[0]:
                kind, _, _, name, number = struct.unpack("!BBHHH", line.recv(2048)[20:28])
                if (kind, name) == (0, 4711):
                    heard.add(number)
    print(f"sent {sent} lost {sent - len(heard)}", flush=True)


if sys.argv[1] == "serve":
    serve()
if sys.argv[1] == "ping":
    sys.exit(ping(sys.argv[2]))
with ThreadPoolExecutor(32) as pool:
    print("\n".join(pool.map(ask, sys.argv[2:])))
