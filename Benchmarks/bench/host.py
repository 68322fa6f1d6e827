# SPDX-License-Identifier: Apache-2.0
"""The host that is measured in: the daemon, whole processes, requests, figures of /proc."""
import http.client
import os
import signal
import socket
import subprocess
import time

SOCKET = "/run/vctld/vctld.sock"
# Private to the host that is measured in.
ERRORS = "/run/bench.stderr"


def run(words, ok=True):
    """Runs a command that is not measured; its output."""
    done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if ok and done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def timed(words):
    """Wall time and processor time of one whole process, in milliseconds."""
    actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
               (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
               (os.POSIX_SPAWN_OPEN, 2, ERRORS, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]
    start = time.perf_counter()
    child = os.posix_spawnp(words[0], words, os.environ, file_actions=actions)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - start
    if status != 0:
        with open(ERRORS, encoding="utf-8") as file:
            raise RuntimeError(f"{' '.join(words)}: status {status}: {file.read()}")
    return wall * 1e3, (usage.ru_utime + usage.ru_stime) * 1e3


def in_turns(commands, rounds, warm_up=3):
    """Wall times in milliseconds of each command, measured A B A B."""
    walls = [[] for _ in commands]
    for turn in range(-warm_up, rounds):
        for samples, words in zip(walls, commands):
            wall, _ = timed(words)
            if turn >= 0:
                samples.append(wall)
    return walls


def until(seconds, what, condition):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def links():
    """The names of all links."""
    return set(os.listdir("/sys/class/net"))


def expect_links(before):
    """Fails where there are others than before."""
    if (now := links()) != before:
        raise RuntimeError(f"links are left: {' '.join(sorted(now - before))}")


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("vctl")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def get(target, path=SOCKET):
    """Status and body of a GET."""
    connection = UnixConnection(path)
    try:
        connection.request("GET", target)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def resident(pid):
    """Resident memory in MiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no VmRSS")


def processor(pid):
    """Seconds of processor time so far, to the microsecond: /proc/PID/stat only counts ticks of 10 ms."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        except FileNotFoundError:
            continue
    return total / 1e9


class Host:
    def __init__(self, work, images):
        self.work = work
        self.images = images
        self.daemon = None
        self.defined = 0

    def tool(self, name):
        return os.path.join(self.work, name)

    def libvirtd(self):
        return int(run(["pidof", "-s", "libvirtd"]))

    def launch(self, *flags, path=SOCKET):
        """Starts a daemon; the process, and the seconds until it is ready."""
        with open(self.tool("vctld.log"), "ab") as log:
            start = time.perf_counter()
            process = subprocess.Popen(["vctld", *flags], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while True:
            try:
                if get("/v1/ready", path)[0] == 200:
                    return process, time.perf_counter() - start
            except (OSError, http.client.HTTPException):
                pass
            if process.poll() is not None or time.perf_counter() - start > 120:
                raise RuntimeError(f"vctld does not get ready; see {self.tool('vctld.log')}")
            time.sleep(0.001)

    def start_daemon(self):
        if not self.daemon:
            self.daemon, seconds = self.launch()
            return seconds
        return None

    def stop_daemon(self):
        if self.daemon:
            self.end(self.daemon)
            self.daemon = None

    @staticmethod
    def end(process):
        process.send_signal(signal.SIGTERM)
        process.wait(60)

    def define_up_to(self, count):
        """Domains that never run, as another program would have made them."""
        names = range(self.defined + 1, count + 1)
        for number in names:
            with open(self.tool(f"domain{number}.xml"), "w", encoding="ascii") as file:
                file.write(
                    f"<domain type='qemu'><name>bench{number}</name><memory unit='MiB'>128</memory>"
                    "<os><type arch='x86_64' machine='q35'>hvm</type>"
                    f"<kernel>{self.images}/vmlinuz</kernel><initrd>{self.images}/guest.gz</initrd>"
                    "</os></domain>")
        commands = "".join(f"define {self.tool(f'domain{number}.xml')}\n" for number in names)
        subprocess.run(["virsh", "-q"], input=commands, text=True, check=True, stdout=subprocess.DEVNULL)
        self.defined = max(count, self.defined)

    def await_count(self, count):
        def seen():
            return len(run(["vctl", "vm", "list", "--format", "name"]).split()) == count
        until(120, f"vctl sees {count} VMs", seen)
