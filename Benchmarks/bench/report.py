# SPDX-License-Identifier: Apache-2.0
"""What was measured: a table on stdout, and JSON with every single sample."""
import json
import os
import platform
import statistics
import subprocess
import time


def quartiles(samples):
    if len(samples) < 2:
        return samples[0], samples[0]
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return low, high


def number(value):
    return f"{value:,.3f}" if abs(value) < 1 else f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"


class Report:
    def __init__(self, path):
        self.path = path
        self.rows = []
        self.started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def compare(self, what, unit, ours, peer, theirs, goal=None, at_least=False):
        """Samples of both sides, taken in turns: the ratio is the median of the rounds' ratios."""
        ratios = [a / b for a, b in zip(ours, theirs)]
        ratio = statistics.median(ratios)
        met = goal and (ratio >= goal if at_least else ratio <= goal)
        told = goal and (f"{'≥' if at_least else '≤'} {goal} x", met)
        self._add(what, unit, ours, told, peer, theirs, ratio, ratios)

    def value(self, what, unit, samples, goal=None, at_least=False, peer=None, theirs=None):
        """A figure whose goal is a number of its own; a peer's stands beside it where there is one."""
        middle = statistics.median(samples)
        ratio = middle / statistics.median(theirs) if theirs else None
        told = None
        if goal is not None:
            met = middle >= goal if at_least else middle <= goal
            told = (f"{'≥' if at_least else '≤'} {goal:,} {unit}", met)
        self._add(what, unit, samples, told, peer, theirs, ratio)

    def _add(self, what, unit, ours, goal, peer=None, theirs=None, ratio=None, ratios=None):
        row = {"what": what, "unit": unit, "median": statistics.median(ours), "quartiles": quartiles(ours),
               "samples": ours}
        if theirs:
            row |= {"peer": peer, "peerMedian": statistics.median(theirs),
                    "peerQuartiles": quartiles(theirs), "peerSamples": theirs, "ratio": ratio}
        if ratios:
            row["ratioQuartiles"] = quartiles(ratios)
        if goal:
            row |= {"goal": goal[0], "met": bool(goal[1])}
        self.rows.append(row)
        print(self._line(row), flush=True)

    @staticmethod
    def _line(row):
        low, high = row["quartiles"]
        ours = f"{number(row['median'])} {row['unit']} ({number(low)} to {number(high)})"
        theirs = ratio = ""
        if "peer" in row:
            low, high = row["peerQuartiles"]
            theirs = f"{row['peer']}: {number(row['peerMedian'])} ({number(low)} to {number(high)})"
            ratio = f"{row['ratio']:.3f}"
        goal = f"{row['goal']}: {'met' if row['met'] else 'MISSED'}" if "goal" in row else ""
        return f"{row['what']:<44} {ours:<36} {theirs:<58} {ratio:>7}  {goal}"

    def write(self):
        os.makedirs(os.path.dirname(os.path.abspath(self.path)), exist_ok=True)
        document = {"started": self.started, "machine": self._machine(), "results": self.rows}
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
        os.rename(self.path + ".new", self.path)

    @staticmethod
    def _machine():
        libvirt = subprocess.run(["libvirtd", "--version"], capture_output=True, text=True).stdout.strip()
        return {"cores": os.cpu_count(), "kernel": platform.release(), "libvirt": libvirt,
                "load": os.getloadavg()}

    def print(self):
        head = f"{'what':<44} {'vctl: median (quartiles)':<36} {'peer: median (quartiles)':<58}"
        print(f"\n{head} {'ratio':>7}  goal")
        for row in self.rows:
            print(self._line(row))
        load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
        print(f"\n{os.cpu_count()} cores, load {load}; every sample is in {self.path}")
