# SPDX-License-Identifier: Apache-2.0
"""What schemathesis must be told about single requests. Loaded by fuzz.toml; see fuzz.sh.

Nothing here makes a wrong request right: fields of the right type are replaced by others, or left out.
"""
import itertools

import schemathesis

LONGEST_WAIT = 300


def shorten_vm_wait(case):
    """Waits of minutes would be all that a run does. Without the field it is half a minute."""
    if not isinstance(case.body, dict):
        return
    seconds = case.body.get("timeoutSeconds", LONGEST_WAIT)
    if isinstance(seconds, int) and not isinstance(seconds, bool) and 1 < seconds <= LONGEST_WAIT:
        case.body["timeoutSeconds"] = 1


def shorten_operation_wait(case):
    """The same in the query; a time without a unit, or with one that is longer than ms, is replaced."""
    given = (case.query or {}).get("timeout", "30s")
    if not isinstance(given, str):
        return
    digits = given.rstrip("smh")
    if given[len(digits):] in ("", "s", "m", "h") and digits.isascii() and digits.isdigit() and len(digits) <= 6:
        case.query["timeout"] = "1s"


def end_console_log(case):
    """With `follow` the log has no end: bytes without a length, of a guest that may never say anything again.
    Streams of events, which have none either, are no problem: schemathesis leaves those by itself."""
    if (case.query or {}).get("follow") in (True, "true", ""):
        case.query["follow"] = "false"


class EveryOther:
    """Applies a change to every other request."""

    def __init__(self, change):
        self.change = change
        self.turns = itertools.cycle([True, False])

    def __call__(self, case):
        if next(self.turns):
            self.change(case)


def ask_for_json(case):
    """Events as an array. Which of both forms is sent follows from a header that no document lists."""
    case.headers["Accept"] = "application/json"


def drop(body, *names):
    for name in names:
        body.pop(name, None)


def give_one_source(case):
    """A VM that can be made: fields that exclude each other are the fate of nearly all random requests. It is not
    started, since hundreds of guests that boot would be all that the machine does."""
    body = case.body
    if not isinstance(body, dict) or not isinstance(body.get("image"), str):
        return
    drop(body, "import", "cdrom", "kernel", "initrd", "cmdline", "user", "sshKeys", "machine", "cpuModel", "maxCpus")
    drop(body, "maxMemoryBytes", "disks", "networks")
    if isinstance(body.get("start", True), bool):
        body["start"] = False
    give_user_data(case)


def give_user_data(case):
    if isinstance(case.body, dict):
        for name, text in (("cloudInit", "#cloud-config\n{}\n"), ("networkConfig", "version: 2\n")):
            if isinstance(case.body.get(name), str):
                case.body[name] = text


def announce_upload(case):
    """An image that is to be sent, and not downloaded from a place that is none."""
    if isinstance(case.body, dict):
        drop(case.body, "url")


class FewLabels:
    """Each patch takes away the labels of the one before it. An object holds at most 64, and after many patches
    a right one would be refused for what others left."""

    def __init__(self):
        self.earlier = set()

    def __call__(self, case):
        labels = case.body.get("labels") if isinstance(case.body, dict) else None
        if not isinstance(labels, dict) or not all(isinstance(value, (str, type(None))) for value in labels.values()):
            return
        given = {key for key, value in labels.items() if value is not None}
        labels.update({key: None for key in self.earlier - labels.keys()})
        self.earlier = {key for key in given | self.earlier if key.isascii() and 0 < len(key) <= 63}


CHANGES = {
    "vm.wait": shorten_vm_wait,
    "operation.wait": shorten_operation_wait,
    "vm.console.log": end_console_log,
    "event.follow": EveryOther(ask_for_json),
    "vm.create": EveryOther(give_one_source),
    "vm.set": EveryOther(give_user_data),
    "image.import": EveryOther(announce_upload),
    "image.set": FewLabels(),
}


@schemathesis.hook
def before_call(context, case, kwargs):
    change = CHANGES.get(context.operation.definition.raw.get("operationId"))
    if change:
        change(case)
