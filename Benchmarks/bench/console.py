# SPDX-License-Identifier: Apache-2.0
"""How fast what a guest prints gets through a serial console: vctl console and virsh console, in turns.

Both run on a terminal of their own; the guest prints the same file for both, and every byte is compared.
"""
import hashlib
import os
import pty
import re
import select
import signal
import subprocess
import time
import tty

from . import host

NAME = "bench-console"
KIBIBYTES = 750
LEAVE = b"\x1d"


class Terminal:
    """A program on a terminal: what it prints, and what is typed to it."""

    def __init__(self, words):
        self.words = words
        self.heard = b""
        self.master, other = pty.openpty()
        tty.setraw(other)
        self.process = subprocess.Popen(
            words, stdin=other, stdout=other, stderr=other, start_new_session=True)
        os.close(other)

    def type(self, text):
        os.write(self.master, text)

    def until(self, mark, seconds):
        """Reads up to a mark; what came before it."""
        deadline = time.monotonic() + seconds
        while True:
            at = self.heard.find(mark, 0)
            if at >= 0:
                before, self.heard = self.heard[:at], self.heard[at + len(mark):]
                return before
            if not select.select([self.master], [], [], max(0, deadline - time.monotonic()))[0]:
                raise RuntimeError(f"{' '.join(self.words)}: {mark!r} did not come: {self.heard[-200:]!r}")
            try:
                self.heard += os.read(self.master, 1 << 16)
            except OSError as error:
                raise RuntimeError(f"{' '.join(self.words)} ended: {self.heard[-200:]!r}") from error

    def leave(self):
        self.type(LEAVE)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
        os.close(self.master)


def prepare(machine):
    machine.start_daemon()
    if subprocess.run(["vctl", "image", "show", "tiny"], capture_output=True).returncode != 0:
        host.run(["vctl", "image", "import", "tiny", os.path.join(machine.images, "tiny.qcow2")])
    host.run(["vctl", "vm", "create", NAME, "--image", "tiny", "--memory", "128M", "--network", "none"])
    host.until(180, "the guest is up", lambda: "GUEST-UP" in host.run(["vctl", "console", NAME, "--log"]))
    terminal = Terminal(["vctl", "console", NAME])
    time.sleep(2)
    command = f"stty -onlcr; dd if=/dev/urandom bs=1024 count={KIBIBYTES} 2>/dev/null | base64 >/tmp/r"
    terminal.type(f"{command}; echo S\"\"UM-$(sha256sum </tmp/r)\r".encode())
    terminal.until(b"SUM-", 120)
    terminal.until(b"\n", 20)
    terminal.leave()
    return re.findall(r"SUM-([0-9a-f]{64})", host.run(["vctl", "console", NAME, "--log"]))[-1]


def throughput(words, total):
    """KiB a second, from the first byte of the file to the last."""
    terminal = Terminal(words)
    # QEMU looks only once a second whether somebody has opened its terminal.
    time.sleep(2.5)
    terminal.type(b"echo B\"\"EGIN; cat /tmp/r; echo E\"\"ND-OF-IT\r")
    terminal.until(b"BEGIN\n", 60)
    start = time.perf_counter()
    body = terminal.until(b"END-OF-IT", 600)
    seconds = time.perf_counter() - start
    terminal.leave()
    if hashlib.sha256(body).hexdigest() != total:
        raise RuntimeError(f"{' '.join(words)}: {len(body)} bytes came, and not those that were printed")
    time.sleep(1)
    return len(body) / 1024 / seconds


def run(machine, report, rounds):
    total = prepare(machine)
    ours, theirs = [], []
    for _ in range(rounds or 7):
        ours.append(throughput(["vctl", "console", NAME, "--tail", "0"], total))
        theirs.append(throughput(["virsh", "console", NAME], total))
    report.compare("vctl console, what a guest prints", "KiB/s", ours, "virsh console", theirs, 0.9,
                   at_least=True)
    host.run(["vctl", "vm", "delete", NAME, "--yes", "--force"])
